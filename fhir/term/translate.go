package term

import (
	"context"
	"fmt"
	"strings"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// conceptMap is a map between codes; it is read where it lies.
type conceptMap struct{ doc r4.Node }

// Translate asks for the codes that others map to (FHIR R4 conceptmap-operation-translate.html).
type Translate struct {
	URL     string  // canonical of a ConceptMap
	Inline  r4.Node // instead of URL
	Codes   []Code
	System  string // of the targets, "" for any
	Target  string // value set of the targets: canonical, "" for any
	Source  string // value set of the codes, as the map says
	Reverse bool   // the codes are targets of the map, what they were mapped from is asked for
	// Depends are further elements that targets may depend on: property → value as system|value or value.
	Depends map[string]string
}

// Match is one code found.
type Match struct {
	Equivalence string
	Code        Code
	Products    []r4.Node // of the target (property, system, value, display)
	Map         string    // canonical of the map
}

// maxMaps bounds how many maps follow one another through unmapped.url.
const maxMaps = 10

func noMap(url string) error {
	return outcome.New(outcome.NotFound, "term.no-map",
		fmt.Sprintf("Bảng ánh xạ “%.200s” chưa có trên máy chủ này.", url), fmt.Sprintf("The concept map %.200q is not at hand on this server.", url))
}

// Translate gives the targets of codes in the order of the map; also those
// that say that there is none (equivalence "unmatched", "disjoint").
func (s *Service) Translate(ctx context.Context, q Translate) (list []Match, err error) {
	defer outcome.Wrap(&err, "term.Translate")
	t := &translation{e: s.evaluation(ctx), q: q}
	m := q.Inline
	if !m.Exists() {
		if m, err = t.open(q.URL); err != nil {
			return nil, err
		}
	}
	for _, c := range q.Codes {
		if err := t.one(m, c); err != nil {
			return nil, err
		}
	}
	return t.list, nil
}

type translation struct {
	e     *evaluation
	q     Translate
	depth int
	list  []Match
}

func (t *translation) open(canonical string) (r4.Node, error) {
	m, err := keep(t.e, &t.e.c.maps, "ConceptMap ", canonical, func() (*conceptMap, error) {
		url, version, _ := canon.Split(canonical)
		doc, err := t.e.find("ConceptMap", url, version)
		if err != nil || doc == nil {
			return nil, err
		}
		return &conceptMap{doc.Root()}, nil
	})
	if err != nil {
		return r4.Node{}, err
	}
	if m == nil {
		return r4.Node{}, noMap(canonical)
	}
	return m.doc, nil
}

func (t *translation) one(m r4.Node, c Code) error {
	for g := range m.Get("group").Elems() {
		from, to := "source", "target"
		if t.q.Reverse {
			from, to = to, from
		}
		if c.System != "" && g.Get(from).Text() != c.System || t.q.System != "" && g.Get(to).Text() != t.q.System ||
			!sameVersion(g.Get(from+"Version").Text(), c.Version) {
			continue
		}
		if err := t.group(m, g, c); err != nil {
			return err
		}
	}
	return nil
}

func (t *translation) group(m, g r4.Node, c Code) error {
	found := false
	for el := range g.Get("element").Elems() {
		if !t.q.Reverse && el.Get("code").Text() != c.Code {
			continue
		}
		found = found || !t.q.Reverse
		for target := range el.Get("target").Elems() {
			if t.q.Reverse && target.Get("code").Text() != c.Code || !t.depends(target) {
				continue
			}
			x := Code{g.Get("target").Text(), g.Get("targetVersion").Text(), target.Get("code").Text(), target.Get("display").Text()}
			if t.q.Reverse {
				x = Code{g.Get("source").Text(), g.Get("sourceVersion").Text(), el.Get("code").Text(), el.Get("display").Text()}
			}
			if err := t.add(m, Match{equivalence(target, t.q.Reverse), x, elems(target.Get("product")), ""}); err != nil {
				return err
			}
		}
	}
	if found || t.q.Reverse {
		return nil
	}
	return t.unmapped(m, g, c)
}

// unmapped does as the group says with a code that it does not have (conceptmap.html#unmapped).
func (t *translation) unmapped(m, g r4.Node, c Code) error {
	u := g.Get("unmapped")
	switch u.Get("mode").Text() {
	case "provided":
		return t.add(m, Match{Equivalence: "equal", Code: Code{g.Get("target").Text(), g.Get("targetVersion").Text(), c.Code, c.Display}})
	case "fixed":
		return t.add(m, Match{Equivalence: "inexact", Code: Code{g.Get("target").Text(), g.Get("targetVersion").Text(), u.Get("code").Text(), u.Get("display").Text()}})
	case "other-map":
		if t.depth++; t.depth > maxMaps {
			return outcome.New(outcome.BusinessRule, "term.maps",
				"Các bảng ánh xạ dẫn sang nhau không dứt.", "The concept maps lead on to one another without end.")
		}
		defer func() { t.depth-- }()
		other, err := t.open(u.Get("url").Text())
		if err != nil {
			return err
		}
		return t.one(other, c)
	}
	return nil
}

// add keeps a match whose code is in the value set asked for.
func (t *translation) add(m r4.Node, x Match) error {
	x.Map = m.Get("url").Text()
	if t.q.Target != "" && x.Code.Code != "" {
		set, err := t.e.set(t.q.Target)
		if err != nil {
			return err
		}
		if set == nil {
			if !named(m, t.q.Target) {
				return noSet(t.q.Target)
			}
		} else if v, err := t.e.member(set, x.Code, false); err != nil {
			return err
		} else if v == Unknown && !named(m, t.q.Target) {
			return partial(t.q.Target)
		} else if v == NotMember {
			return nil
		}
	}
	t.list = append(t.list, x)
	return nil
}

// named says whether a map itself names the value set that it maps to.
func named(m r4.Node, set string) bool {
	url, _, _ := canon.Split(set)
	for _, name := range []string{"targetUri", "targetCanonical"} {
		if got, _, _ := canon.Split(m.Get(name).Text()); got == url {
			return true
		}
	}
	return false
}

// depends says whether the other elements that a target depends on have their values.
func (t *translation) depends(target r4.Node) bool {
	for d := range target.Get("dependsOn").Elems() {
		got, ok := t.q.Depends[d.Get("property").Text()]
		system, value, both := strings.Cut(got, "|")
		if !both {
			system, value = "", got
		}
		if !ok || value != d.Get("value").Text() || system != "" && d.Get("system").Exists() && system != d.Get("system").Text() {
			return false
		}
	}
	return true
}

// turned are the equivalences seen from the other side (FHIR R4 valueset-concept-map-equivalence.html).
var turned = map[string]string{"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}

func equivalence(target r4.Node, reverse bool) string {
	e := target.Get("equivalence").Text()
	if t, ok := turned[e]; ok && reverse {
		return t
	}
	return e
}

func elems(n r4.Node) (list []r4.Node) {
	for e := range n.Elems() {
		list = append(list, e)
	}
	return list
}
