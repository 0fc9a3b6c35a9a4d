package person

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/fold"
)

// Form is a name made ready for comparing, for those who compare it many times.
type Form struct {
	Name    // its parts
	full    reading
	core    reading // without title, baptismal name and "Con bà"
	special bool    // core differs from full
}

// Read makes a name ready for comparing.
func Read(name string) *Form {
	f := &Form{Name: Split(name), full: read(name)}
	if f.special = f.ParentOf || f.Title != "" || f.Baptism != ""; f.special {
		f.core = read(f.Name.String())
	} else {
		f.core = f.full
	}
	return f
}

// CompareNames compares two names as they are written; see Form.Compare.
func CompareNames(a, b string) Agreement { return Read(a).Compare(Read(b)) }

// Compare compares two names in either order and spelling. It tells one word
// or one letter that differs from the same name: brothers, sisters and twins
// are told apart by no more. A blank tells nothing.
func (f *Form) Compare(g *Form) Agreement {
	if f.ParentOf != g.ParentOf && f.Given != "" && g.Given != "" {
		return agreement("name.newborn-of")
	}
	if f.ParentOf {
		if compareWords(&f.core, &g.core).AtLeast(Alike) {
			return agreement("name.newborn")
		}
		return agreement("name.differs")
	}
	seen := compareWords(&f.full, &g.full)
	if seen.Level < Near && (f.special || g.special) && compareWords(&f.core, &g.core).AtLeast(Alike) {
		return agreement("name.addition")
	}
	return seen
}

// reading is a name as comparisons look at it.
type reading struct {
	text   string    // lower case, NFC, single blanks
	words  []string  // folded, an i at the end for y
	spelt  []string  // the same with their marks
	sorted []string  // words in order
	joined string    // words as one
	form   string    // spelt as one
	run    string    // form with the marks of all words at its end, for "Rơ Châm" and "Rơchâm"
	said   [2]string // as the North and the South say it, with marks
	bare   [2]string // the same without marks
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
	r.sorted, r.joined, r.form = sorted(r.words), strings.Join(r.words, ""), strings.Join(r.spelt, "")
	r.run = spelt(r.form)
	toneless := toneless(text)
	for i, region := range [2][2][]string{{northern, northernEnds}, {southern, southernEnds}} {
		r.said[i], r.bare[i] = saidAll(toneless, region), saidAll(r.words, region)
	}
	return r
}

func saidAll(words []string, region [2][]string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = said(w, region)
	}
	return strings.Join(out, " ")
}

func (r *reading) last() string { return r.spelt[len(r.spelt)-1] }

func compareWords(a, b *reading) Agreement {
	if len(a.words) > len(b.words) {
		a, b = b, a
	}
	if len(a.words) == 0 {
		return Agreement{}
	}
	x, y := a.words, b.words
	same := a.joined == b.joined
	given := x[len(x)-1] == y[len(y)-1]
	marks := a.marked && b.marked // both tell of marks
	switch {
	case a.text == b.text:
		return agreement("name.same")
	case a.form == b.form, same && len(x) < len(y) && a.run == b.run:
		return agreement("name.spelling")
	case same && marks && len(x) == len(y) && a.last() != b.last():
		return agreement("name.marks")
	case same:
		return agreement("name.unmarked")
	case slices.Equal(a.sorted, b.sorted):
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
func compareUnlike(a, b *reading, given bool) Agreement {
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
func sounds(a, b *reading) bool {
	if len(a.words) != len(b.words) {
		return false
	}
	if a.marked && b.marked {
		return a.said[0] == b.said[0] || a.said[1] == b.said[1]
	}
	return a.bare[0] == b.bare[0] || a.bare[1] == b.bare[1]
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
