package r4

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// tablesZst is made by tools/r4gen from hl7.fhir.r4.core 4.0.1 (CC0-1.0).
//
//go:embed tables.zst
var tablesZst []byte

// Element is one element of the definition of a base type (FHIR R4 elementdefinition.html).
type Element struct {
	Path      string // "Patient.contact.name", "Observation.value[x]"
	Min       int
	Max       string // "1", "*"
	Types     []Type
	ValueSet  string // canonical of a required binding, else ""
	Summary   bool
	Modifier  bool
	Attribute bool   // an attribute in XML, not an element
	Simple    bool   // a Quantity here is a SimpleQuantity: it has no comparator
	SameAs    string // path whose content this element repeats, else ""
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

// definitions are the tables. Only an index of types is made at the start;
// the elements of a type, the parameters and the codes are read when first asked for.
type definitions struct {
	types       map[string]*definition
	params      func() *parameters
	compartment map[string]map[string][]string // compartment → type → parameters
	codes       map[string]*Codes
	invariants  func() map[string][]*Invariant // by path
}

type parameters struct {
	byBase map[string][]*SearchParameter // in order of code
	byURL  map[string]*SearchParameter
}

var official = sync.OnceValue(func() *definitions {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic("r4: " + err.Error())
	}
	defer dec.Close()
	text, err := dec.DecodeAll(tablesZst, nil)
	if err != nil {
		panic("r4: tables.zst: " + err.Error()) // part of the program
	}
	part := strings.SplitN(string(text), "\n--\n", 5)
	d := &definitions{types: make(map[string]*definition, 256), compartment: map[string]map[string][]string{}, codes: make(map[string]*Codes, 256)}
	d.addTypes(part[0])
	d.params = sync.OnceValue(func() *parameters { return readParams(part[1]) })
	for line := range strings.Lines(part[2]) {
		col := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if d.compartment[col[0]] == nil {
			d.compartment[col[0]] = map[string][]string{}
		}
		d.compartment[col[0]][col[1]] = slices.DeleteFunc(strings.Fields(col[2]), func(p string) bool { return p == "{def}" })
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(part[3], "\n"), "\n") {
		url, groups, _ := strings.Cut(line, "\t")
		d.codes[url] = &Codes{text: groups}
	}
	d.invariants = sync.OnceValue(func() map[string][]*Invariant { return readInvariants(part[4]) })
	return d
})

// definition is one type: the lines of its elements, and what was made of them.
type definition struct {
	name  string
	lines string
	once  sync.Once
	order []*Element          // in the order of the definition
	paths map[string]*Element // by path
	mu    sync.Mutex
	made  map[string]*Shape // by path
	shape atomic.Pointer[Shape]
}

// addTypes cuts the table of elements into types: a line without a dot in its path begins one.
func (d *definitions) addTypes(table string) {
	var last *definition
	from, at := 0, 0
	for line := range strings.Lines(table) {
		name, _, _ := strings.Cut(line[:strings.IndexByte(line, '\t')], ".")
		if last == nil || last.name != name {
			if last != nil {
				last.lines = table[from:at]
			}
			last, from = &definition{name: name}, at
			d.types[name] = last
		}
		at += len(line)
	}
	last.lines = table[from:]
}

func (t *definition) read() {
	t.once.Do(func() {
		t.paths = map[string]*Element{}
		for line := range strings.SplitSeq(strings.TrimSuffix(t.lines, "\n"), "\n") {
			e := newElement(strings.Split(line, "\t"))
			t.order = append(t.order, e)
			t.paths[e.Path] = e
		}
	})
}

func newElement(col []string) *Element {
	e := &Element{Path: col[0], Max: col[2], ValueSet: col[4], Summary: strings.Contains(col[5], "S"),
		Modifier: strings.Contains(col[5], "M"), Attribute: strings.Contains(col[5], "A"), Simple: strings.Contains(col[5], "Q"), SameAs: col[6]}
	e.Min, _ = strconv.Atoi(col[1]) // written by the generator from an int
	if col[3] != "" {
		e.Types = make([]Type, 0, 1+strings.Count(col[3], "|"))
		for t := range strings.SplitSeq(col[3], "|") {
			code, targets, _ := strings.Cut(strings.TrimSuffix(t, ")"), "(")
			e.Types = append(e.Types, Type{code, strings.Fields(targets)})
		}
	}
	return e
}

func readParams(table string) *parameters {
	p := &parameters{map[string][]*SearchParameter{}, map[string]*SearchParameter{}}
	for line := range strings.SplitSeq(strings.TrimSuffix(table, "\n"), "\n") {
		p.add(strings.Split(line, "\t"))
	}
	return p
}

func (all *parameters) add(col []string) {
	p := &SearchParameter{Code: col[0], Type: col[1], Base: strings.Fields(col[2]), Expression: col[3], Targets: strings.Fields(col[4]), URL: col[8]}
	if col[5] != "" {
		for c := range strings.SplitSeq(col[5], ";") {
			def, expr, _ := strings.Cut(c, " ")
			p.Components = append(p.Components, Component{def, expr})
		}
	}
	all.byURL[p.URL] = p
	for _, b := range p.Base {
		all.byBase[b] = append(all.byBase[b], p)
	}
}

// ElementAt gives the definition of a path of a base type; ok is false when there is none.
func ElementAt(path string) (*Element, bool) {
	name, _, _ := strings.Cut(path, ".")
	t, ok := official().types[name]
	if !ok {
		return nil, false
	}
	t.read()
	e, ok := t.paths[path]
	return e, ok
}

// Children lists the elements directly under a path of a base type, in order of name.
func Children(path string) []*Element {
	out := childrenOf(path)
	slices.SortFunc(out, func(a, b *Element) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// childrenOf lists the elements directly under a path, in the order of the definition.
func childrenOf(path string) (out []*Element) {
	name, _, _ := strings.Cut(path, ".")
	t, ok := official().types[name]
	if !ok {
		return nil
	}
	t.read()
	for _, e := range t.order {
		if rest, ok := strings.CutPrefix(e.Path, path); ok && rest != "" && rest[0] == '.' && strings.IndexByte(rest[1:], '.') < 0 {
			out = append(out, e)
		}
	}
	return out
}

// IsResource says whether a name is a resource type of R4 that can be instantiated.
func IsResource(name string) bool {
	t, ok := official().types[name]
	return ok && t.isResource()
}

// isResource: every resource has implicitRules behind its id and meta (FHIR R4 resource.html).
func (t *definition) isResource() bool {
	return t.name != "Resource" && t.name != "DomainResource" && strings.Contains(t.lines, "\n"+t.name+".implicitRules\t")
}

// SearchParameters lists the parameters of a resource type itself, in order of
// code; those of every resource are of the types "Resource" and "DomainResource".
func SearchParameters(resource string) []*SearchParameter {
	return official().params().byBase[resource]
}

// SearchParameterByURL finds a parameter by its canonical URL, nil when there is none.
func SearchParameterByURL(url string) *SearchParameter { return official().params().byURL[url] }

// PatientCompartment lists the parameters by which a resource belongs to the
// compartment of a patient; none: it belongs to no patient (FHIR R4 compartmentdefinition-patient.html).
func PatientCompartment(resource string) []string { return Compartment("Patient")[resource] }

// Compartment gives the resource types of a compartment ("Patient", "Encounter",
// "RelatedPerson", "Practitioner", "Device") with the parameters by which they
// belong to it; nil for any other. Under its own type there may be none: then it
// has only the resource itself. It must not be changed.
func Compartment(of string) map[string][]string { return official().compartment[of] }

// ResourceTypes lists the resource types that can be instantiated, sorted.
func ResourceTypes() []string {
	var out []string
	for name, t := range official().types {
		if t.isResource() {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
