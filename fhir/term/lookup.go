package term

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Designation is another name of a concept. Use is its Coding, the zero Node when not said.
type Designation struct {
	Language string
	Use      r4.Node
	Value    string
}

// Property is one property of a concept. Name is its element, "valueCode"; Raw
// the value as JSON.
type Property struct {
	Code, Name string
	Raw        []byte
}

// Concept is what is known of a code.
type Concept struct {
	Code
	Name               string // of the system
	Definition         string
	Abstract, Inactive bool
	Designations       []Designation
	Properties         []Property
	Parents, Children  []Code
}

// At says how a question is meant.
type At struct {
	Language string // of displays, "vi" or "en-US"; "": as the system says
	Day      string // yyyy-mm-dd: definitions as they were on that day; "": the newest
}

func noSystem(url string) *outcome.Error {
	return outcome.New(outcome.NotFound, "term.no-system",
		fmt.Sprintf("Hệ mã “%.200s” chưa có trên máy chủ này.", url), fmt.Sprintf("The code system %.200q is not at hand on this server.", url))
}

func noSet(url string) *outcome.Error {
	return outcome.New(outcome.NotFound, "term.no-set",
		fmt.Sprintf("Tập giá trị “%.200s” chưa có trên máy chủ này.", url), fmt.Sprintf("The value set %.200q is not at hand on this server.", url))
}

func noCode(code, system string) *outcome.Error {
	return outcome.New(outcome.NotFound, "term.no-code",
		fmt.Sprintf("Hệ mã “%.200s” không có mã “%.100s”.", system, code), fmt.Sprintf("The code system %.200q has no code %.100q.", system, code))
}

func partial(url string) *outcome.Error {
	return outcome.New(outcome.NotSupported, "term.partial",
		fmt.Sprintf("Máy chủ không có đủ nội dung của “%.200s” nên không trả lời được.", url),
		fmt.Sprintf("The content of %.200q is not all at hand on this server, so this can't be answered.", url))
}

// Lookup gives what is known of a code (FHIR R4 codesystem-operation-lookup.html).
// outcome.NotFound for a code or system that is not there; outcome.NotSupported
// when the code may exist in a part of the system that is not at hand.
func (s *Service) Lookup(ctx context.Context, c Code, at At) (k *Concept, err error) {
	defer outcome.Wrap(&err, "term.Lookup")
	e := s.evaluation(ctx)
	e.day = at.Day
	sys, err := e.system(c.System, c.Version)
	if err != nil {
		return nil, err
	}
	if sys == nil {
		return nil, noSystem(c.System)
	}
	if sys.grammar != nil {
		if !sys.grammar.valid(c.Code) {
			return nil, noCode(c.Code, c.System)
		}
		return &Concept{Code: Code{c.System, "", c.Code, first(sys.grammar.display(c.Code), c.Code)}, Name: sys.name}, nil
	}
	i, ok := sys.find(c.Code)
	switch {
	case !ok && !sys.whole():
		return nil, partial(c.System)
	case !ok:
		return nil, noCode(c.Code, c.System)
	}
	return sys.describe(i, at.Language), nil
}

func (c *codeSystem) describe(i int32, lang string) *Concept {
	k := &c.concepts[i]
	out := &Concept{
		Code: Code{c.url, c.version, k.code, first(c.display(i, lang), k.code)}, Name: first(c.name, c.url), Definition: k.node.Get("definition").Text(),
		Abstract: k.abstract, Inactive: k.inactive, Designations: c.designations(i),
	}
	for _, n := range c.nodes(i) {
		for p := range n.Get("property").Elems() {
			for name, v := range p.Members() {
				if strings.HasPrefix(name, "value") {
					out.Properties = append(out.Properties, Property{p.Get("code").Text(), name, v.Raw()})
				}
			}
		}
	}
	relatives := func(list []int32) (codes []Code) {
		for _, j := range list {
			codes = append(codes, Code{c.url, c.version, c.concepts[j].code, c.display(j, lang)})
		}
		return codes
	}
	out.Parents, out.Children = relatives(k.parents), relatives(k.children)
	return out
}

func (c *codeSystem) designations(i int32) (list []Designation) {
	for _, n := range c.nodes(i) {
		list = append(list, designationsOf(n)...)
	}
	return list
}

func designationsOf(n r4.Node) (list []Designation) {
	for d := range n.Get("designation").Elems() {
		list = append(list, Designation{d.Get("language").Text(), d.Get("use"), d.Get("value").Text()})
	}
	return list
}

// display is the name of a concept in a language, else the one the system gives.
func (c *codeSystem) display(i int32, lang string) string {
	own := c.concepts[i].display
	if lang == "" || own != "" && speaks(c.language, lang) {
		return own
	}
	return first(inLanguage(c.designations(i), lang), own)
}

// inLanguage picks the designation of a language: the same tag before one of the same language elsewhere.
func inLanguage(list []Designation, lang string) string {
	for _, d := range list {
		if strings.EqualFold(d.Language, lang) {
			return d.Value
		}
	}
	if i := slices.IndexFunc(list, func(d Designation) bool { return speaks(d.Language, lang) }); i >= 0 {
		return list[i].Value
	}
	return ""
}

// speaks compares the primary subtags of two languages.
func speaks(a, b string) bool {
	a, _, _ = strings.Cut(a, "-")
	b, _, _ = strings.Cut(b, "-")
	return a != "" && strings.EqualFold(a, b)
}

// Subsumption is how two codes of a system relate (FHIR R4 valueset-concept-subsumption-outcome.html).
type Subsumption string

// The outcomes.
const (
	Equivalent  Subsumption = "equivalent"
	Subsumes    Subsumption = "subsumes"
	SubsumedBy  Subsumption = "subsumed-by"
	NotSubsumed Subsumption = "not-subsumed"
)

// Subsumes says how code a relates to code b of a system (FHIR R4
// codesystem-operation-subsumes.html). outcome.NotFound for a code or system
// that is not there; outcome.NotSupported when the system is not all at hand
// or its hierarchy doesn't mean subsumption.
func (s *Service) Subsumes(ctx context.Context, system, version, a, b string) (r Subsumption, err error) {
	defer outcome.Wrap(&err, "term.Subsumes")
	sys, err := s.evaluation(ctx).system(system, version)
	if err != nil {
		return "", err
	}
	if sys == nil {
		return "", noSystem(system)
	}
	return sys.relation(a, b)
}

func (c *codeSystem) relation(a, b string) (Subsumption, error) {
	if c.grammar != nil {
		switch {
		case !c.grammar.valid(a):
			return "", noCode(a, c.url)
		case !c.grammar.valid(b):
			return "", noCode(b, c.url)
		case a == b:
			return Equivalent, nil
		}
		return NotSubsumed, nil
	}
	i, okA := c.find(a)
	j, okB := c.find(b)
	switch {
	case !c.whole():
		return "", partial(c.url)
	case !okA:
		return "", noCode(a, c.url)
	case !okB:
		return "", noCode(b, c.url)
	case i == j:
		return Equivalent, nil
	case !c.subsumes():
		return "", outcome.New(outcome.NotSupported, "term.hierarchy",
			fmt.Sprintf("Cây mã của “%.200s” không diễn tả quan hệ bao hàm.", c.url), fmt.Sprintf("The hierarchy of %.200q does not mean subsumption.", c.url))
	case c.isAbove(i, j):
		return Subsumes, nil
	case c.isAbove(j, i):
		return SubsumedBy, nil
	}
	return NotSubsumed, nil
}
