package addr

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/law"
)

// Address is what was read of a text.
type Address struct {
	Rest   string  // what stands before the units: house, street, hamlet
	Places []Place // every place that explains the text equally well; none when no unit was found
}

// The errors of an address.
var (
	ErrTooLong = outcome.New(outcome.TooLong, "addr.long", "Địa chỉ quá dài.", "The address is too long.")
	ErrNoUnit  = outcome.New(outcome.Value, "addr.no-unit",
		"Không nhận ra tỉnh, huyện hay xã nào trong địa chỉ. Xin ghi xã, phường và tỉnh, thành phố.", "No province, district or commune is recognised in the address. Please write commune and province.")
)

const maxText = 1000

// Parse reads an address written on a day; the zero time is a day not known.
// Before 1 July 2025 only units of then are meant. After it both may be, also
// in one address (an old commune in a province of today), and units of today
// stand first where both explain the text. Rest is filled also with ErrNoUnit.
func Parse(text string, written time.Time) (Address, error) {
	if len(text) > maxText {
		return Address{}, ErrTooLong
	}
	words := wordsOf(fold.NFC(text))
	said := tables().unitsOf(words)
	eras := []bool{false, true}
	if !written.IsZero() && written.Before(law.Merger()) {
		eras = eras[1:]
	}
	var best []match
	for _, old := range eras {
		for _, m := range tables().explain(said, old) {
			switch {
			case len(best) == 0 || m.points > best[0].points:
				best = []match{m}
			case m.points == best[0].points && !slices.ContainsFunc(best, func(o match) bool { return o.place == m.place }):
				best = append(best, m)
			}
		}
	}
	if len(best) == 0 {
		return Address{Rest: join(words)}, ErrNoUnit
	}
	slices.SortStableFunc(best, func(a, b match) int {
		return cmp.Or(strings.Compare(eraOf(a), eraOf(b)), strings.Compare(a.place.Smallest().Code, b.place.Smallest().Code))
	})
	a := Address{Rest: join(words[:best[0].start])}
	for _, m := range best {
		a.Places = append(a.Places, m.place)
	}
	return a, nil
}

func eraOf(m match) string {
	if m.place.Old() {
		return "old"
	}
	return "new"
}

// word is a word of the text; end says that a comma or dash follows, dash that it was a dash.
type word struct {
	text, key string
	end, dash bool
}

// wordsOf splits at blanks, after full stops of abbreviations, between letters
// and digits of "Q1", and keeps where commas, semicolons and dashes stand.
func wordsOf(text string) []word {
	var out []word
	for _, f := range strings.FieldsFunc(text, unicode.IsSpace) {
		for f != "" {
			i := strings.IndexAny(f, ",;.")
			part, end := f, false
			if i >= 0 {
				part, end = f[:i], f[i] != '.'
				f = f[i+1:]
			} else {
				f = ""
			}
			if i >= 0 && !end && part != "" && len(part) <= 3 {
				part += "."
			}
			if k := fold.Key(part); k != "" {
				for _, p := range cutNumber(part) {
					out = append(out, word{text: p, key: fold.Key(p)})
				}
			} else if part != "" && len(out) > 0 {
				out[len(out)-1].end, out[len(out)-1].dash = true, true
			}
			if end && len(out) > 0 {
				out[len(out)-1].end = true
			}
		}
	}
	return out
}

// cutNumber parts "Q1" and "P12".
func cutNumber(s string) []string {
	if len(s) > 1 && len(s) <= 3 && strings.ContainsRune("QPqp", rune(s[0])) && strings.Trim(s[1:], "0123456789") == "" {
		return []string{s[:1] + ".", s[1:]}
	}
	return []string{s}
}

func join(words []word) string {
	var b strings.Builder
	for i, w := range words {
		b.WriteString(w.text)
		if i < len(words)-1 {
			if w.end {
				b.WriteByte(',')
			}
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// unit is a unit as it is written: from word start on, of a kind ("" when not told).
type unit struct {
	kind, name string // name as keyOf gives it
	start      int
}

// kinds are the words and short forms before a name.
var kinds = []struct {
	words []string // as written, in small letters
	kind  string
}{
	{[]string{"thành", "phố"}, "thành phố"}, {[]string{"thị", "xã"}, "thị xã"}, {[]string{"thị", "trấn"}, "thị trấn"}, {[]string{"đặc", "khu"}, "đặc khu"},
	{[]string{"tỉnh"}, "tỉnh"}, {[]string{"huyện"}, "huyện"}, {[]string{"quận"}, "quận"}, {[]string{"phường"}, "phường"}, {[]string{"xã"}, "xã"},
	{[]string{"tp."}, "thành phố"}, {[]string{"tp"}, "thành phố"}, {[]string{"tx."}, "thị xã"}, {[]string{"tx"}, "thị xã"}, {[]string{"tt."}, "thị trấn"}, {[]string{"tt"}, "thị trấn"},
	{[]string{"t."}, "tỉnh"}, {[]string{"h."}, "huyện"}, {[]string{"q."}, "quận"}, {[]string{"p."}, "phường"}, {[]string{"x."}, "xã"},
}

// kindAt reads a kind at a word; n is how many words it takes. In a text
// without marks the words are known without them too.
func kindAt(words []word, i int, marked bool) (kind string, n int) {
	for _, k := range kinds {
		if i+len(k.words) >= len(words) { // a name has to follow
			continue
		}
		ok := true
		for j, w := range k.words {
			text := strings.ToLower(words[i+j].text)
			ok = ok && (text == w || !marked && text == fold.Key(w)) && !words[i+j].end
		}
		if ok {
			return k.kind, len(k.words)
		}
	}
	return "", 0
}

// unitsOf finds the units in a text, in their order: parts that a kind begins,
// and whole parts between commas that may be names.
func (b *book) unitsOf(words []word) []unit {
	marked := slices.ContainsFunc(words, func(w word) bool { return strings.ContainsFunc(w.text, func(r rune) bool { return r > 0x7f }) })
	var out []unit
	for i := 0; i < len(words); {
		kind, n := kindAt(words, i, marked)
		end := nameEnd(words, i+n, marked)
		u := unit{kind: kind, name: keyOf(join(words[i+n : end])), start: i}
		if end < len(words) && (words[end-1].dash || number(words[i+n].key) && !words[end-1].end) { // Bà Rịa - Vũng Tàu and Phường 2 Bảo Lộc are one name
			longer := nameEnd(words, end, marked)
			if name := keyOf(join(words[i+n : longer])); b.names[name] {
				u.name, end = name, longer
			}
		}
		if u.name != "" && (u.kind != "" || !number(u.name)) {
			out = append(out, u)
		}
		i = end
	}
	return out
}

// nameEnd gives where a name that begins at word i ends: at a comma, after a
// number, or before the kind of the next unit. A word like "xã" that nothing
// but another kind follows is part of the name.
func nameEnd(words []word, i int, marked bool) int {
	for j := i + 1; j < len(words) && !words[j-1].end; j++ {
		if number(words[i].key) {
			return j
		}
		if _, n := kindAt(words, j, marked); n > 0 {
			if _, more := kindAt(words, j+n, marked); more == 0 {
				return j
			}
		}
	}
	for j := i; j < len(words); j++ {
		if words[j].end {
			return j + 1
		}
	}
	return len(words)
}

func number(s string) bool { return s != "" && strings.TrimFunc(s, unicode.IsDigit) == "" }
