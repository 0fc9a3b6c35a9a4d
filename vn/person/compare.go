package person

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/fold"
)

// CompareNames compares two names as they are written, in either order and
// spelling. It tells one word or one letter that differs from the same name:
// brothers, sisters and twins are told apart by no more. A blank tells nothing.
func CompareNames(a, b string) Agreement {
	x, y := Split(a), Split(b)
	if x.ParentOf != y.ParentOf && x.Given != "" && y.Given != "" {
		return agreement("name.newborn-of")
	}
	if x.ParentOf {
		if compareWords(read(x.String()), read(y.String())).AtLeast(Alike) {
			return agreement("name.newborn")
		}
		return agreement("name.differs")
	}
	seen := compareWords(read(a), read(b))
	if seen.Level < Near && (x.Title+x.Baptism != "" || y.Title+y.Baptism != "") {
		if compareWords(read(x.String()), read(y.String())).AtLeast(Alike) {
			return agreement("name.addition")
		}
	}
	return seen
}

// reading is a name as comparisons look at it.
type reading struct {
	text   string   // lower case, NFC, single blanks
	words  []string // folded, an i at the end for y
	spelt  []string // the same with their marks
	marked bool
}

func read(name string) reading {
	text := strings.ToLower(strings.Join(strings.Fields(fold.NFC(name)), " "))
	r := reading{text: text, marked: Marked(text)}
	for _, w := range strings.FieldsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.Is(unicode.Mn, c) && !unicode.IsDigit(c) }) {
		if k := fold.Key(w); k != "" {
			r.words, r.spelt = append(r.words, iForY(k)), append(r.spelt, spelt(w))
		}
	}
	return r
}

func (r reading) last() string { return r.spelt[len(r.spelt)-1] }

// runTogether is a name as one word, for "Rơ Châm" and "Rơchâm".
func runTogether(r reading) string { return spelt(strings.Join(r.spelt, "")) }

func compareWords(a, b reading) Agreement {
	if len(a.words) > len(b.words) {
		a, b = b, a
	}
	if len(a.words) == 0 {
		return Agreement{}
	}
	x, y := a.words, b.words
	same := strings.Join(x, "") == strings.Join(y, "")
	given := x[len(x)-1] == y[len(y)-1]
	marks := a.marked && b.marked // both tell of marks
	switch {
	case a.text == b.text:
		return agreement("name.same")
	case strings.Join(a.spelt, "") == strings.Join(b.spelt, ""), same && len(x) < len(y) && runTogether(a) == runTogether(b):
		return agreement("name.spelling")
	case same && marks && len(x) == len(y) && a.last() != b.last():
		return agreement("name.marks")
	case same:
		return agreement("name.unmarked")
	case slices.Equal(sorted(x), sorted(y)):
		if marks && !slices.Equal(sorted(a.spelt), sorted(b.spelt)) {
			return agreement("name.marks")
		}
		if x[0] == y[0] { // brothers may be Minh Anh and Anh Minh
			return agreement("name.exchanged")
		}
		return agreement("name.order")
	case len(x) > 1 && x[0] == y[0] && given && leftOut(x, y):
		if marks && a.last() != b.last() {
			return agreement("name.marks")
		}
		return agreement("name.middle-left-out")
	}
	return compareUnlike(a, b, given && (!marks || a.last() == b.last()))
}

// compareUnlike compares names whose letters differ.
func compareUnlike(a, b reading, given bool) Agreement {
	x, y := a.words, b.words
	switch {
	case initials(x, y):
		return agreement("name.initials")
	case sounds(a, b):
		return agreement("name.sound")
	case oneLetter(strings.Join(x, " "), strings.Join(y, " ")):
		return agreement("name.one-letter")
	case len(x) > 2 && given && slices.Equal(x[1:], y[1:]):
		return agreement("name.family-differs")
	case len(x) > 1 && x[0] == y[0] && given:
		return agreement("name.middle-differs")
	case len(x) > 1 && x[0] == y[0]:
		return agreement("name.given-differs")
	}
	return agreement("name.differs")
}

func sorted(w []string) []string { return slices.Sorted(slices.Values(w)) }

// leftOut says whether all of x stand in y in their order.
func leftOut(x, y []string) bool {
	for _, w := range y {
		if len(x) > 0 && x[0] == w {
			x = x[1:]
		}
	}
	return len(x) == 0
}

// initials says whether words differ only where one has the first letter alone; one word at least is whole and the same.
func initials(x, y []string) bool {
	if len(x) != len(y) {
		return false
	}
	whole := false
	for i := range x {
		short, long := x[i], y[i]
		if len(short) > len(long) {
			short, long = long, short
		}
		switch {
		case short == long:
			whole = whole || len(short) > 1
		case len(short) != 1 || long[0] != short[0]:
			return false
		}
	}
	return whole
}

// oneLetter says whether two texts of at least six bytes differ by one letter
// put in, left out, another, or exchanged with its neighbour.
func oneLetter(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 6 || len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	return a[i+1:] == b[i+1:] || i+2 <= len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// sounds says whether two names sound the same in the North or in the South,
// where some letters are not told apart. When both are written with marks the
// quality of vowels counts (Quân is not Quang) and tones do not (hỏi, ngã).
func sounds(a, b reading) bool {
	if len(a.words) != len(b.words) {
		return false
	}
	x, y := a.words, b.words
	if a.marked && b.marked {
		x, y = toneless(a.text), toneless(b.text)
	}
	for _, region := range [][2][]string{{northern, northernEnds}, {southern, southernEnds}} {
		if len(x) == len(y) && slices.EqualFunc(x, y, func(v, w string) bool { return said(v, region) == said(w, region) }) {
			return true
		}
	}
	return false
}

// Letters that are not told apart, in pairs: at the start of a word and at its
// end. From general knowledge of the dialects; the first that fits is taken.
var (
	northern     = []string{"tr", "ch", "gi", "d", "r", "d", "s", "x", "l", "n"}
	northernEnds = []string{"y", "i"}
	southern     = []string{"gi", "d", "v", "d", "qu", "w", "hu", "w"}
	southernEnds = []string{"ng", "ng", "nh", "nh", "ch", "ch", "n", "ng", "t", "c", "y", "i", "iêu", "iu", "ieu", "iu"}
)

// said writes a word as a region says it.
func said(w string, region [2][]string) string {
	starts, ends := region[0], region[1]
	for i := 0; i < len(starts); i += 2 {
		if rest, ok := strings.CutPrefix(w, starts[i]); ok && rest != "" {
			if starts[i] == "gi" && rest == "n" { // gìn: the i is the vowel
				rest = "in"
			}
			w = starts[i+1] + rest
			break
		}
	}
	for i := 0; i < len(ends); i += 2 {
		if rest, ok := strings.CutSuffix(w, ends[i]); ok && rest != "" {
			return rest + ends[i+1]
		}
	}
	return w
}

// toneless are the words of a text without tones, with ă â ê ô ơ ư đ.
func toneless(text string) []string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case strings.ContainsRune("\u0300\u0301\u0303\u0309\u0323", r):
		case unicode.IsLetter(r) || unicode.Is(unicode.Mn, r):
			b.WriteRune(r)
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(norm.NFC.String(b.String()))
}
