package person

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
)

// Name is a name by its parts, each as it was written (NFC, single blanks).
type Name struct {
	Title    string // "BS.", "Sư cô": what stands before the name and is none of it
	Baptism  string // "Maria", "Giuse": a Catholic's baptismal name before the family name
	Family   string // "Nguyễn", "Rơ Châm", "Niê"; "" for a name of one word, and of peoples without family names
	Middle   string // "Thị Minh"
	Given    string // "Anh", "H'Hen", "Y Blung"
	ParentOf bool   // the name is that of a newborn's mother or father: "Con bà Nguyễn Thị A"
}

// String is the name without title and baptismal name, in the order of the Kinh.
func (n Name) String() string {
	return strings.Join(slices.DeleteFunc([]string{n.Family, n.Middle, n.Given}, func(s string) bool { return s == "" }), " ")
}

// Split reads the parts of a name. The last word is the given name and the
// first the family name, but for peoples that put the family name last (Ê Đê:
// "H'Hen Niê", "Y Blung Ayŭn") or have none (Ba Na, Xơ Đăng: "A Thih"). What
// people a name is of shows only by its words; in doubt the order is the Kinh's.
func Split(name string) Name {
	w := wordsOf(name)
	var n Name
	for _, p := range newborns {
		if k := begins(w, p, folded); k > 0 && len(w) > k {
			n.ParentOf, w = true, w[k:]
			break
		}
	}
	n.Title, w = ahead(w, titles, plain)
	n.Baptism, w = ahead(w, baptismal, folded)
	switch {
	case len(w) == 0:
	case len(w) == 1:
		n.Given = w[0].text
	case gender(w[0].text):
		n.Given = w[0].text
		if len(w[0].text) <= len("H'") { // the mark stands alone
			n.Given, w = w[0].text+" "+w[1].text, w[1:]
		}
		n.Family = join(w[1:])
	default:
		k := 1
		for _, f := range families {
			if m := begins(w, f, folded); m > 0 && m < len(w) {
				k = m
				break
			}
		}
		n.Family, n.Middle, n.Given = join(w[:k]), join(w[k:len(w)-1]), w[len(w)-1].text
	}
	return n
}

// word is a word of a name; plain is in small letters without a full stop.
type word struct{ text, plain, folded string }

func wordsOf(name string) []word {
	fields := strings.Fields(fold.NFC(strings.ReplaceAll(name, "’", "'")))
	out := make([]word, len(fields))
	for i, f := range fields {
		out[i] = word{f, strings.TrimSuffix(strings.ToLower(f), "."), fold.Key(f)}
	}
	return out
}

func join(w []word) string {
	texts := make([]string, len(w))
	for i := range w {
		texts[i] = w[i].text
	}
	return strings.Join(texts, " ")
}

// gender says whether a first word marks a man's or a woman's name among the
// peoples of the Central Highlands: Y and H' (Ê Đê), A and Y (Ba Na, Xơ Đăng).
// Y is a man's mark for some and a woman's for others, so it tells no sex.
func gender(w string) bool {
	u := strings.ToUpper(w)
	return u == "Y" || u == "A" || strings.HasPrefix(u, "H'")
}

// folded and plain are how words are compared with a list: titles by their
// marks, since Cụ is one and Cù a family name.
func folded(w word) string { return w.folded }
func plain(w word) string  { return w.plain }

// begins gives how many words of w a phrase takes at its start, 0 when it does not stand there.
func begins(w []word, phrase []string, as func(word) string) int {
	if len(w) < len(phrase) {
		return 0
	}
	for i, x := range phrase {
		if as(w[i]) != x {
			return 0
		}
	}
	return len(phrase)
}

// ahead takes phrases off the start of w as long as two words of a name are left.
func ahead(w []word, list [][]string, as func(word) string) (string, []word) {
	from := w
	for more := true; more; {
		more = false
		for _, p := range list {
			k := begins(w, p, as)
			if k == 0 || len(w)-k < 2 || w[k].folded == "thi" || w[k].folded == "van" {
				continue
			}
			w, more = w[k:], true
			break
		}
	}
	return join(from[:len(from)-len(w)]), w
}

func phrases(list ...string) [][]string {
	out := make([][]string, len(list))
	for i, p := range list {
		out[i] = strings.Fields(p)
	}
	return out
}

// From general knowledge; longer phrases first. A title with marks is taken only as it is written.
var (
	newborns  = phrases("be trai con ba", "be gai con ba", "con ba", "con chi", "con ong", "con cua", "con san phu", "cb")
	titles    = phrases("thượng tọa", "thượng toạ", "hòa thượng", "hoà thượng", "đại đức", "ni sư", "ni cô", "sư cô", "linh mục", "bác sĩ", "điều dưỡng", "ông", "bà", "cụ", "anh", "chị", "cháu", "bé", "bs", "ths", "ts", "pgs", "gs", "lm", "mr", "mrs", "ms")
	baptismal = phrases("gioan baotixita", "phanxico xavie", "vinh son", "da minh", "maria", "giuse", "phero", "phaolo", "teresa", "anna", "gioan", "daminh", "anton", "phanxico", "xavie",
		"micae", "martino", "gioakim", "cecilia", "xexilia", "isave", "rosa", "lucia", "agata", "madalena", "matta", "tephano", "giacobe", "toma", "anre", "simon", "mattheu", "luca", "augustino", "catarina", "monica")
	families = phrases("cong tang ton nu", "cong huyen ton nu", "ton nu", "ton that", "au duong", "ro cham", "ro mah", "ro o", "rah lan", "buon ya", "buon krong")
)
