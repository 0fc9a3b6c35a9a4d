package r4

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// tablesZst is made by tools/r4gen from hl7.fhir.r4.core 4.0.1 (CC0-1.0).
//
//go:embed tables.zst
var tablesZst []byte

// Element is one element of the definition of a base type (FHIR R4 elementdefinition.html).
type Element struct {
	Path     string // "Patient.contact.name", "Observation.value[x]"
	Min      int
	Max      string // "1", "*"
	Types    []Type
	ValueSet string // canonical of a required binding, else ""
	Summary  bool
	Modifier bool
	SameAs   string // path whose content this element repeats, else ""
}

// Type is a type that an element may have. Targets are the types that a Reference or canonical may point at.
type Type struct {
	Code    string
	Targets []string
}

// SearchParameter is one search parameter of R4 (FHIR R4 searchparameter-registry.html).
type SearchParameter struct {
	Code       string
	Type       string // token, string, date, reference, number, quantity, uri, composite, special
	Base       []string
	Expression string
	Targets    []string
	Components []Component
	URL        string
}

// Component is a part of a composite parameter.
type Component struct{ Definition, Expression string }

type definitions struct {
	elements    map[string]*Element
	params      map[string][]*SearchParameter // by base type, in order of code
	byURL       map[string]*SearchParameter
	compartment map[string][]string
}

var official = sync.OnceValue(func() *definitions {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		panic("r4: " + err.Error())
	}
	defer dec.Close()
	text, err := dec.DecodeAll(tablesZst, nil)
	if err != nil {
		panic("r4: tables.zst: " + err.Error()) // part of the program
	}
	d := &definitions{map[string]*Element{}, map[string][]*SearchParameter{}, map[string]*SearchParameter{}, map[string][]string{}}
	table := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "--" {
			table++
			continue
		}
		col := strings.Split(line, "\t")
		switch table {
		case 0:
			d.addElement(col)
		case 1:
			d.addParam(col)
		case 2:
			d.compartment[col[0]] = strings.Fields(col[1])
		}
	}
	return d
})

func (d *definitions) addElement(col []string) {
	e := &Element{Path: col[0], Max: col[2], ValueSet: col[4], Summary: strings.Contains(col[5], "S"), Modifier: strings.Contains(col[5], "M"), SameAs: col[6]}
	e.Min, _ = strconv.Atoi(col[1]) // written by the generator from an int
	if col[3] != "" {
		for t := range strings.SplitSeq(col[3], "|") {
			code, targets, _ := strings.Cut(strings.TrimSuffix(t, ")"), "(")
			e.Types = append(e.Types, Type{code, strings.Fields(targets)})
		}
	}
	d.elements[e.Path] = e
}

func (d *definitions) addParam(col []string) {
	p := &SearchParameter{Code: col[0], Type: col[1], Base: strings.Fields(col[2]), Expression: col[3], Targets: strings.Fields(col[4]), URL: col[8]}
	if col[5] != "" {
		for c := range strings.SplitSeq(col[5], ";") {
			def, expr, _ := strings.Cut(c, " ")
			p.Components = append(p.Components, Component{def, expr})
		}
	}
	d.byURL[p.URL] = p
	for _, b := range p.Base {
		d.params[b] = append(d.params[b], p)
	}
}

// ElementAt gives the definition of a path of a base type; ok is false when there is none.
func ElementAt(path string) (*Element, bool) {
	e, ok := official().elements[path]
	return e, ok
}

// Children lists the elements directly under a path of a base type, in order of name.
func Children(path string) []*Element {
	var out []*Element
	for p, e := range official().elements {
		if rest, ok := strings.CutPrefix(p, path+"."); ok && !strings.Contains(rest, ".") {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *Element) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// IsResource says whether a name is a resource type of R4 that can be instantiated.
func IsResource(name string) bool {
	_, ok := official().elements[name+".implicitRules"]
	return ok && name != "Resource" && name != "DomainResource"
}

// SearchParameters lists the parameters of a resource type itself, in order of
// code; those of every resource are of the types "Resource" and "DomainResource".
func SearchParameters(resource string) []*SearchParameter { return official().params[resource] }

// SearchParameterByURL finds a parameter by its canonical URL, nil when there is none.
func SearchParameterByURL(url string) *SearchParameter { return official().byURL[url] }

// PatientCompartment lists the parameters by which a resource belongs to the
// compartment of a patient; none: it belongs to no patient (FHIR R4 compartmentdefinition-patient.html).
func PatientCompartment(resource string) []string { return official().compartment[resource] }

// ResourceTypes lists the resource types that can be instantiated, sorted.
func ResourceTypes() []string {
	var out []string
	for path := range official().elements {
		if name, ok := strings.CutSuffix(path, ".implicitRules"); ok && IsResource(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
