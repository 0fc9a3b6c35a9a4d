package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

const defaultCount = 50

func unsupported(what string) error {
	return outcome.New(outcome.NotSupported, "store.search",
		fmt.Sprintf("Máy chủ không trả lời chính xác được kiểu tìm kiếm này: %.80s.", what),
		fmt.Sprintf("The server can't answer this kind of search exactly: %.80s.", what))
}

// costly is the error of a search that would look through too much.
func costly(what string) error {
	return outcome.New(outcome.TooCostly, "store.costly",
		fmt.Sprintf("Tìm kiếm này phải duyệt quá nhiều hồ sơ (%.60s). Hãy thêm điều kiện, ví dụ người bệnh, mã hoặc khoảng ngày.", what),
		fmt.Sprintf("This search would look through too many resources (%.60s). Add a condition, such as a patient, a code or a range of dates.", what))
}

// plan is a search of one type.
type plan struct {
	typ   string
	conds []cond // the last one is "all of the type"
	lead  int    // the condition that a count starts from
	few   bool   // fewer than are counted in a probe meet the condition at lead
	page  int    // the one that a page in the order of places starts from
}

// checked says whether the index alone does not decide.
func (p *plan) checked() bool {
	return slices.ContainsFunc(p.conds, func(c cond) bool { return c.test != nil })
}

// Search is described at store.Reader.
func (t *tx) Search(ctx context.Context, q param.Query) (*store.Page, error) {
	if q.List != "" {
		return nil, unsupported("_list")
	}
	types, err := t.searchTypes(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := t.flush(ctx); err != nil { // what this transaction wrote is to be found
		return nil, err
	}
	var plans []*plan
	for _, typ := range types {
		p, err := t.plan(ctx, typ, q)
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	page := &store.Page{Total: -1}
	if q.Total == "accurate" || q.Total == "estimate" || q.Summary == "count" {
		if err := t.totals(ctx, plans, q.Total == "estimate" && q.Summary != "count", page); err != nil {
			return nil, err
		}
	}
	if q.Summary != "count" {
		if err := t.fill(ctx, q, plans, page); err != nil {
			return nil, err
		}
	}
	t.act("search %s %s: %d of %d", strings.Join(q.Types, ",")+q.Type, strings.Join(names(q), " "), len(page.Matches), page.Total)
	if len(q.Includes) > 0 && q.Summary != "count" {
		page.Included, err = t.includes(ctx, q.Includes, page.Matches)
	}
	return page, err
}

// names are the parameters of a query, for the audit row: never their values.
func names(q param.Query) (list []string) {
	for _, c := range q.Where {
		list = append(list, c.Param)
	}
	if q.Filter != nil {
		list = append(list, "_filter")
	}
	return list
}

// searchTypes are the types to search: those named must all be allowed; without
// names those of which the store has any and that are.
func (t *tx) searchTypes(ctx context.Context, q param.Query) ([]string, error) {
	named := q.Types
	if q.Type != "" {
		named = []string{q.Type}
	}
	for _, typ := range named {
		if !t.a.Filter.May(typ, store.CanSearch) {
			return nil, errMayNot
		}
	}
	if named == nil {
		return t.types(ctx, store.CanSearch)
	}
	named = slices.Clone(named)
	slices.Sort(named)
	return slices.Compact(named), nil
}

// plan joins the conditions of the gate, the compartment and the query.
func (t *tx) plan(ctx context.Context, typ string, q param.Query) (*plan, error) {
	conds := t.gate(typ)
	if q.CompartmentType != "" {
		c, err := t.compartment(ctx, typ, q.CompartmentType, q.CompartmentID)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c)
	}
	more, err := t.clauses(ctx, typ, q.Where)
	if err != nil {
		return nil, err
	}
	conds = append(conds, more...)
	if q.Filter != nil {
		c, err := t.expr(ctx, typ, q.Filter)
		if err != nil {
			return nil, err
		}
		conds = append(conds, c)
	}
	return t.planOf(ctx, typ, conds)
}

// planOf picks where to start; conds are without the last one.
func (t *tx) planOf(ctx context.Context, typ string, conds []cond) (p *plan, err error) {
	p = &plan{typ: typ, conds: append(conds, cond{v: []int64{t.s.h.of("all", typ)}, void: true})}
	var least int64
	p.lead, p.page, least, err = t.lead(ctx, p.conds)
	p.few = least < int64(t.s.bounds.probe)
	return p, err
}

// gate is the condition that the policy puts on a type, none when it shows all.
func (t *tx) gate(typ string) []cond {
	h, f := t.s.h, t.a.Filter
	if f.All {
		return nil
	}
	var v []int64
	for _, p := range f.Patients {
		v = append(v, h.pat(typ, h.target("Patient", p)))
	}
	for _, o := range f.Owners {
		v = append(v, h.of("own", typ, o))
	}
	if f.Public && publicTypes[typ] {
		v = append(v, h.of("pub", typ))
	}
	if v == nil {
		return []cond{h.nothing(typ)}
	}
	return []cond{{v: v, broad: len(f.Owners) > 0 || f.Public}}
}

// compartment is the condition to be in a compartment (FHIR R4 compartmentdefinition.html).
func (t *tx) compartment(ctx context.Context, typ, of, id string) (cond, error) {
	h := t.s.h
	focus := []int64{h.target(of, id)}
	if of == "Patient" {
		all, err := t.down(ctx, focus)
		if err != nil {
			return cond{}, err
		}
		var v []int64
		for _, x := range all {
			v = append(v, h.pat(typ, x))
		}
		return cond{v: v}, nil
	}
	member := param.Compartment(of)
	if member == nil {
		return cond{}, unsupported("compartment " + of)
	}
	var or []cond
	if _, own := member[of]; own && typ == of {
		or = append(or, idsCondition(typ, []string{id}))
	}
	for _, code := range member[typ] {
		if code != "{def}" {
			or = append(or, h.refersTo(typ, code, of, focus))
		}
	}
	return anyOf(h, typ, or), nil
}
