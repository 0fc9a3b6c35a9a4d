package ident

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/cccd"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/person"
)

// facts are what a record tells of a person beside numbers; each may be blank.
type facts struct{ name, birth, sex string }

func factsOf(p r4.Node) facts {
	f := facts{nameOf(p), p.Get("birthDate").Text(), p.Get("gender").Text()}
	if f.sex != "male" && f.sex != "female" { // "other" and "unknown": the claim has one code for not determined
		f.sex = ""
	}
	return f
}

// against tells what speaks against a and b being one person, "" when nothing does.
func against(a, b facts) string {
	switch {
	case !datesAgree(a.birth, b.birth):
		return "birth-date-differs"
	case a.sex != "" && b.sex != "" && a.sex != b.sex:
		return "sex-differs"
	case !namesAgree(a.name, b.name):
		return "name-differs"
	}
	return ""
}

// alike says whether name, whole birth date and sex are all known and the same.
func alike(a, b facts) bool {
	return len(a.birth) == len(time.DateOnly) && a.birth == b.birth && a.sex != "" && a.sex == b.sex &&
		a.name != "" && slices.Equal(words(a.name), words(b.name)) && !tonesDiffer(a.name, b.name)
}

// datesAgree compares as far as the shorter one goes: 1985 agrees with 1985-05-12.
func datesAgree(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// namesAgree lets a middle name be left out and foreign names be turned round.
// It does not forgive another given, middle or family name: brothers, sisters
// and twins are told apart by one word.
func namesAgree(a, b string) bool {
	x, y := words(a), words(b)
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	if len(x) > len(y) {
		x, y, a, b = y, x, b, a
	}
	if slices.Equal(sorted(x), sorted(y)) {
		return !slices.Equal(x, y) || !tonesDiffer(a, b)
	}
	return len(x) > 1 && x[0] == y[0] && x[len(x)-1] == y[len(y)-1] && within(x, y) && !tonesDiffer(a, b)
}

// words are the folded words of a name; an i at the end may be written y.
func words(name string) []string {
	w := fold.Words(name)
	for i, s := range w {
		if len(s) > 1 && strings.HasSuffix(s, "y") {
			w[i] = s[:len(s)-1] + "i"
		}
	}
	return w
}

func sorted(w []string) []string { return slices.Sorted(slices.Values(w)) }

// within says whether all of x stand in y in their order.
func within(x, y []string) bool {
	for _, w := range y {
		if len(x) > 0 && x[0] == w {
			x = x[1:]
		}
	}
	return len(x) == 0
}

// tonesDiffer says whether two names that are both written with marks have
// another given name by its marks: Ánh is not Anh. Where a mark stands inside
// a word does not matter (hoà, hòa), and Nguyen without any says nothing.
func tonesDiffer(a, b string) bool {
	if !marked(a) || !marked(b) {
		return false
	}
	return spelt(a) != spelt(b)
}

func marked(s string) bool {
	return strings.ContainsFunc(norm.NFD.String(s), func(r rune) bool { return unicode.Is(unicode.Mn, r) || r == 'đ' || r == 'Đ' })
}

// spelt is the last word: its letters, then its marks in order.
func spelt(name string) string {
	all := strings.Fields(strings.ToLower(norm.NFD.String(name)))
	if len(all) == 0 {
		return ""
	}
	var letters strings.Builder
	var marks []rune
	for _, r := range all[len(all)-1] {
		if unicode.Is(unicode.Mn, r) {
			marks = append(marks, r)
		} else {
			letters.WriteRune(r)
		}
	}
	slices.Sort(marks)
	word := letters.String()
	if len(word) > 1 && strings.HasSuffix(word, "y") {
		word = word[:len(word)-1] + "i"
	}
	return word + string(marks)
}

// nameOf is the whole name of a Patient as text.
func nameOf(p r4.Node) string {
	for n := range p.Get("name").Elems() {
		if t := n.Get("text").Text(); t != "" {
			return t
		}
		words := []string{n.Get("family").Text()}
		for g := range n.Get("given").Elems() {
			words = append(words, g.Text())
		}
		return strings.TrimSpace(strings.Join(words, " "))
	}
	return ""
}

// infant says whether somebody may have been in their first year on a day.
func infant(birth string, on time.Time) bool {
	var latest time.Time
	switch len(birth) {
	case len("2006"):
		t, err := time.Parse("2006", birth)
		if err != nil {
			return false
		}
		latest = t.AddDate(1, 0, -1)
	case len("2006-01"):
		t, err := time.Parse("2006-01", birth)
		if err != nil {
			return false
		}
		latest = t.AddDate(0, 1, -1)
	default:
		t, err := time.Parse(time.DateOnly, birth)
		if err != nil {
			return false
		}
		latest = t
	}
	return on.Before(latest.AddDate(1, 0, 1))
}

// fits says whether a number can be the own one of who carries it. The personal
// number tells sex and year of birth (spec/vn/01-identity.md §1.1). The social
// insurance number of an infant stands on a card of the group TE; on any other
// it is that of a parent.
func fits(system, value string, f facts, baby bool, cards []string) bool {
	switch system {
	case element.CCCD:
		n, err := cccd.ParseNumber(value)
		birth, _ := person.ParseBirth(f.birth) // one that can't be read is not compared
		return err == nil && len(n.Against(birth, person.Sex(f.sex))) == 0
	case element.BHXH:
		return !baby || slices.ContainsFunc(cards, func(c string) bool { return strings.HasPrefix(c, "TE") && strings.HasSuffix(c, value) })
	}
	return true
}
