package record

import (
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
)

// Codes of systems by which problems are told apart.
const (
	snomed          = "http://snomed.info/sct"
	loinc           = "http://loinc.org"
	hl7             = "http://terminology.hl7.org/CodeSystem/"
	functionFinding = "248536006" // SNOMED CT: finding of functional performance and activity
)

// conditions are the Conditions of the person in three heaps.
type conditions struct{ now, past, function []*r4.Doc }

func (s *summary) conditions() (*conditions, error) {
	if s.problems != nil {
		return s.problems, nil
	}
	list, err := s.read("Condition", nil)
	if err != nil {
		return nil, err
	}
	c := &conditions{}
	list = keep(list, maxRead, func(n r4.Node) bool {
		return !is(n.Get("verificationStatus"), "entered-in-error", "refuted") && filled(n.Get("code"))
	})
	for _, d := range list {
		c := d.Root().Get("code")
		if text := c.Get("text").Text(); text != "" && c.Get("coding").Len() == 1 {
			s.names[codesOf(c)[0]] = text
		}
	}
	// What somebody put on a list of problems goes before the diagnoses of visits.
	slices.SortStableFunc(list, func(a, b *r4.Doc) int { return rank(a.Root()) - rank(b.Root()) })
	told := mentionsOf(list)
	for _, d := range list {
		n := d.Root()
		switch {
		case isOf(n.Get("category"), snomed, functionFinding):
			if !over(n) {
				c.function = append(c.function, d)
			}
		case over(n):
			c.past = append(c.past, d)
		case rank(n) == 0:
			c.now = append(c.now, d)
		case thoughtOf(n):
		case s.goesOn(d, told):
			c.now = append(c.now, d)
		default:
			c.past = append(c.past, d)
		}
	}
	n := len(once(slices.Concat(c.now), named("code")))
	all := once(slices.Concat(c.now, c.past), named("code"))
	c.now, c.past = all[:min(n, maxShown)], all[n:min(len(all), n+maxShown)]
	s.problems = c
	return c, nil
}

// rank is 1 of a diagnosis of a visit that is on no list of problems.
func rank(n r4.Node) int {
	if is(n.Get("category"), "encounter-diagnosis") && !is(n.Get("category"), "problem-list-item") {
		return 1
	}
	return 0
}

// thoughtOf says that a diagnosis is not made yet.
func thoughtOf(n r4.Node) bool {
	return is(n.Get("verificationStatus"), "provisional", "differential", "unconfirmed")
}

// mentions are the first and the last time that visits told a diagnosis, by its keys.
type mentions map[string][2]int64

func mentionsOf(list []*r4.Doc) mentions {
	m := mentions{}
	for _, d := range list {
		at := dayOf(d)
		if rank(d.Root()) == 0 || thoughtOf(d.Root()) || at == 0 {
			continue
		}
		for _, key := range keysOf(d.Root().Get("code")) {
			span, ok := m[key]
			if !ok {
				span = [2]int64{at, at}
			}
			m[key] = [2]int64{min(span[0], at), max(span[1], at)}
		}
	}
	return m
}

// goesOn says whether a diagnosis of a visit, which nobody ever closes, is still
// one: an illness that lasts by its nature for five years after it was told, one
// that visits at least 90 days apart told for a year, any other for 90 days.
func (s *summary) goesOn(d *r4.Doc, told mentions) bool {
	for _, key := range keysOf(d.Root().Get("code")) {
		if system, code, ok := strings.Cut(key, "|"); ok && strings.Contains(system, "/icd-10") && lasts(code) && s.since(d, 5, 0) {
			return true
		}
		if span := told[key]; time.Duration(span[1]-span[0])*time.Millisecond >= 90*24*time.Hour && s.since(d, 1, 0) {
			return true
		}
	}
	return s.since(d, 0, 90)
}

// over says whether a condition is no more.
func over(n r4.Node) bool {
	for name := range n.Members() {
		if len(name) > 9 && name[:9] == "abatement" {
			return true
		}
	}
	return is(n.Get("clinicalStatus"), "inactive", "remission", "resolved")
}

func problems(s *summary) ([]*r4.Doc, error) {
	c, err := s.conditions()
	if err != nil {
		return nil, err
	}
	return c.now, nil
}

func pastProblems(s *summary) ([]*r4.Doc, error) {
	c, err := s.conditions()
	if err != nil {
		return nil, err
	}
	return c.past, nil
}

// functional are conditions of that kind, and assessments that say that they are one.
func functional(s *summary) ([]*r4.Doc, error) {
	c, err := s.conditions()
	if err != nil {
		return nil, err
	}
	list, err := s.read("ClinicalImpression", nil)
	if err != nil {
		return nil, err
	}
	return append(once(c.function, named("code")), keep(list, maxShown, func(n r4.Node) bool {
		return n.Get("status").Text() == "completed" && isOf(n.Get("code"), loinc, "47420-5")
	})...), nil
}

func allergies(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("AllergyIntolerance", nil)
	list = keep(list, maxRead, func(n r4.Node) bool {
		return !is(n.Get("verificationStatus"), "entered-in-error", "refuted") && !is(n.Get("clinicalStatus"), "inactive", "resolved") && filled(n.Get("code"))
	})
	list = once(list, named("code"))
	return list[:min(len(list), maxShown)], err
}
