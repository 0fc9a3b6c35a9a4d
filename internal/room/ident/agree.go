package ident

import (
	"slices"
	"strings"
	"time"

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
	if len(a.birth) != len(time.DateOnly) || a.birth != b.birth || a.sex == "" || a.sex != b.sex {
		return false
	}
	switch person.CompareNames(a.name, b.name).Key {
	case "name.same", "name.spelling", "name.unmarked":
		return true
	}
	return false
}

// datesAgree compares as far as the shorter one goes: 1985 agrees with 1985-05-12.
func datesAgree(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// namesAgree lets a middle name be left out and names be turned round or
// spelt in another way. It does not forgive another given, middle or family
// name: brothers, sisters and twins are told apart by one word. Newborns called
// by one mother's name may be one, if a number of their own says so.
func namesAgree(a, b string) bool {
	seen := person.CompareNames(a, b)
	return seen.Level == person.Unknown || seen.AtLeast(person.Alike) || seen.Key == "name.middle-left-out" || seen.Key == "name.newborn"
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
	b, err := person.ParseBirth(birth)
	return err == nil && b.Known() && on.Before(b.Last().AddDate(1, 0, 1))
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
