// Package profile describes in FHIR what ytso stores and what it takes from
// others: profiles of R4 resources with the identifiers, codes and rules that
// Vietnamese law asks for, our extensions, and the code lists of the law as
// code systems and value sets, each with its days of validity.
//
// The profiles say what package fhirmap makes of a claim without faults, and
// what an outside system must send to be taken for as good. All of it is a
// canon.Source, computed from package law; nothing is stored.
//
// Of each list there are:
//
//	CodeSystem  urn:ytso:code:LIST      every code up to its version; those that hold no more are inactive
//	ValueSet    urn:ytso:vs:LIST        the codes of a version, of the newest one or ($expand?date=…) of a day
//	ValueSet    urn:ytso:vs:LIST:all    every code there ever was: what profiles bind, since old records stay right
//
// A version is the first day on which the list was as it is then; "1" that of a list whose first day is not known.
//
// Source: spec/vn/10-fhir.md, spec/qd3176 (QĐ 3176/QĐ-BYT), FHIR R4 profiling.html.
package profile

import (
	"context"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Stems of our canonicals.
const (
	Profiles  = "urn:ytso:profile:" // + name: Profiles + "patient"
	ValueSets = "urn:ytso:vs:"      // + list, or list + ":all"
	All       = ":all"
)

// Version of the profiles and extensions.
const Version = "1.0.0"

// Source finds our definitions; it is made by New and safe for concurrent use.
type Source struct {
	structures func() map[string]*r4.Doc // profiles and extensions by url
	lists      sync.Map                  // name → *list, nil when there is none
}

// New gives the definitions. Each is made when first asked for.
func New() *Source { return &Source{structures: sync.OnceValue(structures)} }

// Find is described at canon.Source.
func (s *Source) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	return s.find(typ, url, func(l *list) int { return l.at(version) }), nil
}

// FindOn is described at term.Dated.
func (s *Source) FindOn(_ context.Context, typ, url, day string) (*r4.Doc, error) {
	return s.find(typ, url, func(l *list) int { return l.on(day) }), nil
}

// find gives the definition with a url; of a list the edition that pick chooses, below 0: none.
func (s *Source) find(typ, url string, pick func(*list) int) *r4.Doc {
	if !strings.HasPrefix(url, "urn:ytso:") {
		return nil
	}
	if name, ok := strings.CutPrefix(url, element.List); ok && (typ == "" || typ == "CodeSystem") {
		if l := s.list(name); l != nil {
			return l.codeSystem(pick(l))
		}
	}
	if name, ok := strings.CutPrefix(url, ValueSets); ok && (typ == "" || typ == "ValueSet") {
		name, all := strings.CutSuffix(name, All)
		if l := s.list(name); l != nil {
			return l.valueSet(pick(l), all)
		}
	}
	if d := s.structures()[url]; d != nil && (typ == "" || typ == "StructureDefinition") {
		return d
	}
	return nil
}

// parse reads what this package has built: a fault in it is one of the program.
func parse(o r4.Object) *r4.Doc {
	d, err := r4.Parse(o.JSON())
	if err != nil {
		panic("profile: " + err.Error())
	}
	return d
}

// translation is the extension that holds a text in another language (FHIR R4 extension-translation.html).
const translation = "http://hl7.org/fhir/StructureDefinition/translation"

// bilingual adds a text in Vietnamese with its English translation beside it.
func bilingual(o *r4.Object, name, vi, en string) {
	o.Add(name, vi)
	if en == "" || vi == "" {
		return
	}
	o.Add("_"+name, r4.Object{{Name: "extension", Value: []r4.Object{{
		{Name: "extension", Value: []r4.Object{
			{{Name: "url", Value: "lang"}, {Name: "valueCode", Value: "en"}},
			{{Name: "url", Value: "content"}, {Name: "valueString", Value: en}},
		}},
		{Name: "url", Value: translation},
	}}}})
}
