package param

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Registry is the search parameters that a server knows: the official ones and
// its own (SearchParameter resources). It is never changed once it is in use,
// and safe for concurrent use.
type Registry struct {
	own   map[string][]*parameter // by base
	byURL map[string]*r4.SearchParameter
	types sync.Map // resource type → func() (*table, error)
	units sync.Map // UCUM code → *unit
	known atomic.Int32
}

// table is the parameters of one type, with those of every resource.
type table struct {
	list   []*parameter
	byCode map[string]*parameter
	codes  map[string]*r4.Codes // of parameters over elements of type code with a required binding
}

// parameter is a search parameter ready to run.
type parameter struct {
	Code, URL string
	Kind      Kind
	Targets   []string
	expr      *fhirpath.Expression // nil when there is nothing to evaluate
	parts     []*parameter         // of a composite
	single    bool                 // multipleOr is false: one value
	once      bool                 // multipleAnd is false: one time in a query
	only      []string             // modifiers, when its definition lists them
	compare   []string             // prefixes, when its definition lists them
}

var kinds = map[string]Kind{
	"token": Token, "string": String, "date": Date, "reference": Reference, "number": Number, "quantity": Quantity,
	"uri": URI, "composite": Composite, "special": Special,
}

var official = sync.OnceValue(func() *Registry { return &Registry{} })

// Official are the search parameters of R4.
func Official() *Registry { return official() }

// of gives the parameters of a type, with those of every resource; of "" only
// the latter (FHIR R4 http.html#search, all types).
func (r *Registry) of(typ string) (*table, error) {
	if typ != "" && !r4.IsResource(typ) {
		return nil, outcome.New(outcome.NotSupported, "param.type",
			"Loại tài nguyên không có trong FHIR R4.", "The resource type is not one of FHIR R4.")
	}
	f, ok := r.types.Load(typ)
	if !ok {
		f, _ = r.types.LoadOrStore(typ, sync.OnceValues(func() (*table, error) { return r.compile(typ) }))
	}
	return f.(func() (*table, error))()
}

// bases are the types whose parameters a type has.
func bases(typ string) []string {
	switch _, domain := r4.ElementAt(typ + ".text"); {
	case typ == "":
		return []string{"Resource"}
	case domain:
		return []string{typ, "DomainResource", "Resource"}
	}
	return []string{typ, "Resource"}
}

func (r *Registry) compile(typ string) (*table, error) {
	t, err := r.gather(typ)
	if err != nil {
		return nil, err
	}
	for _, p := range t.list {
		if c := p.codesOf(typ); c != nil {
			t.codes[p.Code] = c
		}
	}
	return t, nil
}

func (r *Registry) gather(typ string) (*table, error) {
	t := &table{byCode: map[string]*parameter{}, codes: map[string]*r4.Codes{}}
	for _, base := range bases(typ) {
		for _, p := range r.own[base] {
			t.add(p)
		}
	}
	if r.own != nil { // the official ones are compiled once
		all, err := official().of(typ)
		if err != nil {
			return nil, err
		}
		for _, p := range all.list {
			t.add(p)
		}
		return t, nil
	}
	for _, base := range bases(typ) {
		for _, def := range r4.SearchParameters(base) {
			if def.Code == "_id" || def.Code == "_lastUpdated" { // the store's own
				continue
			}
			p, err := r.makeParameter(def, def.Expression)
			if err != nil {
				return nil, fmt.Errorf("search parameter %s of %s: %w", def.Code, typ, err)
			}
			t.add(p)
		}
	}
	return t, nil
}

// codesOf gives the codes of a parameter that goes by one element of type code.
// Such a value has no system of its own: its definition implies it (search.html#token).
func (p *parameter) codesOf(typ string) *r4.Codes {
	path := p.path(typ)
	if e, ok := r4.ElementAt(path); ok && p.Kind == Token && len(e.Types) == 1 && e.Types[0].Code == "code" {
		return r4.CodesOf(e.ValueSet)
	}
	return nil
}

// path is the only path of an expression for a type, "" when there are none or several.
func (p *parameter) path(typ string) string {
	if p.expr == nil {
		return ""
	}
	found := ""
	for part := range strings.SplitSeq(p.expr.Source, "|") {
		if part = strings.TrimSpace(part); strings.HasPrefix(part, typ+".") {
			if found != "" {
				return ""
			}
			found, _, _ = strings.Cut(part, ".where(resolve() is ")
		}
	}
	return found
}

// implied leaves out a system that the definition of a code implies: that of
// gender=http://hl7.org/fhir/administrative-gender|male, which no value has written beside it.
func (r *Registry) implied(typ string, c *Clause) {
	t, err := r.of(typ)
	if err != nil || c.Kind != Token || t.codes[c.Param] == nil {
		return
	}
	for i := range c.Values {
		if v := &c.Values[i].Value; v.System != "" && t.codes[c.Param].HasIn([]byte(v.System), []byte(v.Code)) {
			v.System = ""
		}
	}
}

// add takes a parameter unless one of the same code is there.
func (t *table) add(p *parameter) {
	if t.byCode[p.Code] == nil {
		t.byCode[p.Code] = p
		t.list = append(t.list, p)
	}
}

func (r *Registry) makeParameter(def *r4.SearchParameter, expression string) (*parameter, error) {
	p := &parameter{Code: def.Code, URL: def.URL, Kind: kinds[def.Type], Targets: narrow(expression, def.Targets)}
	if expression == "" || p.Kind == Special && def.Code != "near" {
		return p, nil
	}
	var err error
	if p.expr, err = fhirpath.Compile(expression); err != nil {
		return nil, err
	}
	for _, c := range def.Components {
		d := r.definition(c.Definition)
		if d == nil {
			return nil, fmt.Errorf("component %.200s is not defined", c.Definition)
		}
		if right := misprinted[def.URL+" "+c.Definition]; right != "" {
			c.Expression = right
		}
		part, err := r.makeParameter(d, c.Expression)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, part)
	}
	return p, nil
}

// misprinted are component expressions of R4 that its own parameters contradict:
// as published, relationship would look for the reference in relatesTo.code, and
// code-value-date for a type DateTime, which FHIR does not have.
var misprinted = map[string]string{
	"http://hl7.org/fhir/SearchParameter/DocumentReference-relationship http://hl7.org/fhir/SearchParameter/DocumentReference-relatesto": "target",
	"http://hl7.org/fhir/SearchParameter/DocumentReference-relationship http://hl7.org/fhir/SearchParameter/DocumentReference-relation":  "code",
	"http://hl7.org/fhir/SearchParameter/Observation-code-value-date http://hl7.org/fhir/SearchParameter/Observation-value-date":         "value.as(dateTime) | value.as(Period)",
}

func (r *Registry) definition(url string) *r4.SearchParameter {
	if d := r.byURL[url]; d != nil {
		return d
	}
	return r4.SearchParameterByURL(url)
}

// narrow leaves the types that the expression itself asks for: "where(resolve()
// is Patient)" finds Patients only, though the definition of clinical-patient
// names Group as well.
func narrow(expression string, targets []string) []string {
	var only []string
	for _, t := range targets {
		if strings.Contains(expression, "resolve() is "+t+")") {
			only = append(only, t)
		}
	}
	if only != nil {
		return only
	}
	return targets
}

// The parameters that every resource has and the store answers itself.
var (
	idParameter      = &parameter{Code: "_id", URL: "http://hl7.org/fhir/SearchParameter/Resource-id", Kind: Token}
	updatedParameter = &parameter{Code: "_lastUpdated", URL: "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated", Kind: Date}
)

// find gives a parameter of a type by its code. outcome.NotSupported when there is none.
func (r *Registry) find(typ, code string) (*parameter, error) {
	switch code {
	case "_id":
		return idParameter, nil
	case "_lastUpdated":
		return updatedParameter, nil
	}
	t, err := r.of(typ)
	if err != nil {
		return nil, err
	}
	p := t.byCode[code]
	switch {
	case p == nil || code == "_query" || code == "_filter":
		return nil, unknown(typ, code)
	case p.expr == nil && code != "_text" && code != "_content":
		return nil, outcome.New(outcome.NotSupported, "param.special",
			fmt.Sprintf("Tham số “%.64s” chưa được hỗ trợ.", code), fmt.Sprintf("Parameter %.64q is not supported.", code))
	}
	return p, nil
}

func unknown(typ, code string) error {
	if typ == "" {
		typ = "Resource"
	}
	return outcome.New(outcome.NotSupported, "param.unknown",
		fmt.Sprintf("Không có tham số tìm kiếm “%.64s” cho %.64s.", code, typ), fmt.Sprintf("There is no search parameter %.64q of %.64s.", code, typ))
}

// Info describes a parameter, for a CapabilityStatement.
type Info struct {
	Code, URL string
	Kind      Kind
	Targets   []string
	Modifiers []string
}

// List gives the parameters of a type that can be searched by, sorted by code,
// those of every resource with them; nil for what is no type.
func (r *Registry) List(typ string) []Info {
	t, err := r.of(typ)
	if err != nil {
		return nil
	}
	out := []Info{idParameter.info(), updatedParameter.info()}
	for _, p := range t.list {
		if _, err := r.find(typ, p.Code); err == nil {
			out = append(out, p.info())
		}
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Code, b.Code) })
	return out
}

func (p *parameter) info() Info {
	i := Info{Code: p.Code, URL: p.URL, Kind: p.Kind, Targets: p.Targets}
	for _, m := range append([]string{"missing"}, modifiers[p.Kind]...) {
		if p.allows(m) {
			i.Modifiers = append(i.Modifiers, m)
		}
	}
	return i
}

// checkPaths says whether an expression goes by elements that a base has.
func checkPaths(e *fhirpath.Expression, base string) error {
	_, err := e.Run(context.Background(), fhirpath.Element(r4.Node{}, r4.Node{}, base), &fhirpath.Env{Filters: true})
	return err
}
