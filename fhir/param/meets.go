package param

import (
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Meets says whether a resource is what a query looks for: its type, all of
// Where, Filter and the compartment. It serves who has the resource at hand,
// such as a Subscription with its criteria. values are those of Extract, nil to
// have them extracted. outcome.NotSupported as of Holds, and for _list.
func (r *Registry) Meets(q Query, d *r4.Doc, m Meta, values []Value) (bool, error) {
	if q.Type != "" && q.Type != d.Type() || q.Type == "" && q.Types != nil && !slices.Contains(q.Types, d.Type()) {
		return false, nil
	}
	if q.List != "" {
		return false, cannot(Clause{Param: "_list"})
	}
	if values == nil {
		var err error
		if values, err = r.Extract(d); err != nil {
			return false, err
		}
	}
	values = append(slices.Clip(values), m.Values()...)
	for _, c := range q.Where {
		if ok, err := r.holdsOf(c, d, values); err != nil || !ok {
			return false, err
		}
	}
	if q.CompartmentType != "" && !InCompartment(q.CompartmentType, q.CompartmentID, d.Type(), m.ID, values) {
		return false, nil
	}
	return r.satisfies(q.Filter, d, values)
}

func (r *Registry) holdsOf(c Clause, d *r4.Doc, values []Value) (bool, error) {
	if c.Param == "_text" || c.Param == "_content" {
		return HoldsText(d, c)
	}
	return r.Holds(c, d.Type(), values)
}

// satisfies tells a condition of _filter; nil is no condition. It looks at all
// parts, so that one that can't be told is an error wherever it stands.
func (r *Registry) satisfies(e *Expr, d *r4.Doc, values []Value) (bool, error) {
	switch {
	case e == nil:
		return true, nil
	case e.Clause != nil:
		return r.holdsOf(*e.Clause, d, values)
	}
	n := 0
	for _, p := range e.Parts {
		ok, err := r.satisfies(p, d, values)
		if err != nil {
			return false, err
		}
		if ok {
			n++
		}
	}
	switch {
	case e.Op == "and":
		return n == len(e.Parts), nil
	case e.Op == "or":
		return n > 0, nil
	case e.Op == "not" && len(e.Parts) == 1:
		return n == 0, nil
	}
	return false, outcome.New(outcome.Exception, "param.expression", "Điều kiện lọc không đúng dạng.", "The condition is malformed.")
}
