package param

import (
	"fmt"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// parameter is a search parameter ready to run.
type parameter struct {
	Code    string
	Kind    Kind
	Targets []string
	expr    *fhirpath.Expression // nil when there is nothing to evaluate
	parts   []*parameter         // of a composite
}

var kinds = map[string]Kind{
	"token": Token, "string": String, "date": Date, "reference": Reference, "number": Number, "quantity": Quantity,
	"uri": URI, "composite": Composite, "special": Special,
}

// compiled holds the parameters of each type, made when they are first asked for.
var compiled sync.Map // resource type → func() ([]*parameter, error)

// of gives the parameters of a type, with those of every resource.
func of(typ string) ([]*parameter, error) {
	if !r4.IsResource(typ) {
		return nil, outcome.New(outcome.NotSupported, "param.type",
			"Loại tài nguyên không có trong FHIR R4.", "The resource type is not one of FHIR R4.")
	}
	f, _ := compiled.LoadOrStore(typ, sync.OnceValues(func() ([]*parameter, error) { return compile(typ) }))
	return f.(func() ([]*parameter, error))()
}

func compile(typ string) ([]*parameter, error) {
	var out []*parameter
	for _, base := range []string{typ, "DomainResource", "Resource"} {
		for _, def := range r4.SearchParameters(base) {
			if def.Code == "_id" || def.Code == "_lastUpdated" {
				continue
			}
			p, err := makeParameter(def, def.Expression)
			if err != nil {
				return nil, fmt.Errorf("search parameter %s of %s: %w", def.Code, typ, err)
			}
			out = append(out, p)
		}
	}
	return out, nil
}

func makeParameter(def *r4.SearchParameter, expression string) (*parameter, error) {
	p := &parameter{Code: def.Code, Kind: kinds[def.Type], Targets: narrow(expression, def.Targets)}
	if expression == "" || p.Kind == Special {
		return p, nil
	}
	var err error
	if p.expr, err = fhirpath.Compile(expression); err != nil {
		return nil, err
	}
	for _, c := range def.Components {
		d := r4.SearchParameterByURL(c.Definition)
		if d == nil {
			return nil, fmt.Errorf("component %s is not defined", c.Definition)
		}
		part, err := makeParameter(d, c.Expression)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, part)
	}
	return p, nil
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

// find gives a parameter of a type by its code.
func find(typ, code string) (*parameter, error) {
	list, err := of(typ)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Code == code {
			return p, nil
		}
	}
	return nil, outcome.New(outcome.NotSupported, "param.unknown",
		fmt.Sprintf("Không có tham số tìm kiếm “%.64s” cho %s.", code, typ), fmt.Sprintf("There is no search parameter %.64q of %s.", code, typ))
}
