package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/param"
)

// clauses are the conditions of all clauses; those about the clinical date become one.
func (t *tx) clauses(ctx context.Context, typ string, list []param.Clause) (conds []cond, err error) {
	var dates []param.Clause
	for _, c := range list {
		if clinical(typ, c) {
			dates = append(dates, c)
			continue
		}
		made, err := t.clause(ctx, typ, c)
		if err != nil {
			return nil, err
		}
		if made.also != nil { // each may lead
			conds = append(conds, made.also...)
			made = everything(made.test)
		}
		conds = append(conds, made)
	}
	if dates != nil {
		conds = append(conds, t.s.h.clinicalCondition(typ, dates))
	}
	return conds, nil
}

// clause is the condition of one clause: exact by the index where that holds
// all there is to know, else narrowed by it and put to the test.
func (t *tx) clause(ctx context.Context, typ string, c param.Clause) (made cond, err error) {
	if err := t.params.ready(typ, c.Param); err != nil {
		return made, err
	}
	switch {
	case c.HasType != "":
		return t.has(ctx, typ, c)
	case c.Chain != nil:
		return t.chain(ctx, typ, c)
	case c.Param == "_id" && c.Modifier != "missing":
		return t.ids(typ, c), nil
	case c.Param == "_lastUpdated" && c.Modifier != "missing":
		return updated(typ, c), nil
	case c.Modifier == "missing":
		return t.present(ctx, typ, c)
	case textual(c):
		return everything(t.holds(typ, c)), nil
	}
	exact := false
	switch c.Kind {
	case param.Token:
		made, exact = t.s.h.tokens(typ, c)
	case param.URI:
		made, exact = t.s.h.uris(typ, c)
	case param.String:
		made, exact, err = t.words(ctx, typ, c)
	case param.Reference:
		made, exact, err = t.reference(ctx, typ, c)
	case param.Date, param.Number, param.Quantity:
		made, exact, err = t.ranges(ctx, typ, c)
	case param.Composite:
		made, err = t.composite(ctx, typ, c)
	}
	if err != nil || exact {
		return made, err
	}
	if err := t.answered(typ, c); err != nil {
		return made, err
	}
	if made.v == nil && made.sql == nil { // at least it has a value
		if made, err = t.having(ctx, typ, c.Param); err != nil {
			return made, err
		}
	}
	made.test = t.holds(typ, c)
	return made, nil
}

// present answers :missing from the sets of parameters that resources of the type have.
func (t *tx) present(ctx context.Context, typ string, c param.Clause) (cond, error) {
	wanted := [2]bool{}
	for _, m := range c.Values {
		wanted[map[bool]int{true: 1}[m.Missing]] = true
	}
	own := c.Param == "_id" || c.Param == "_lastUpdated"
	switch {
	case wanted[0] && wanted[1], own && wanted[0]:
		return cond{void: true}, nil
	case own:
		return t.s.h.nothing(typ), nil
	}
	made, err := t.having(ctx, typ, c.Param)
	made.not = wanted[1]
	return made, err
}

// having is the condition to have a value of a parameter.
func (t *tx) having(ctx context.Context, typ, code string) (cond, error) {
	rows, err := t.c.Query(ctx, `SELECT v, params FROM paramset WHERE typ = $1`, typ)
	if err != nil {
		return cond{}, err
	}
	defer rows.Close()
	sets := []int64{t.s.h.of("none", typ)} // which nothing has
	for rows.Next() {
		var v int64
		var params string
		if err := rows.Scan(&v, &params); err != nil {
			return cond{}, err
		}
		if slices.Contains(strings.Fields(params), code) {
			sets = append(sets, v)
		}
	}
	return cond{v: sets}, rows.Err()
}

func (t *tx) ids(typ string, c param.Clause) cond {
	list := make([]string, len(c.Values))
	for i, m := range c.Values {
		list[i] = m.Value.Code
	}
	made := idsCondition(typ, list)
	if c.Modifier == "not" {
		return t.unless(made)
	}
	return made
}

func idsCondition(typ string, list []string) cond {
	where := func(q *text, a string) string {
		return fmt.Sprintf(`%s.rid IN (SELECT rid FROM ids WHERE typ = %s AND %s)`, a, q.arg(typ), q.oneOf("id", list))
	}
	return cond{sql: where, once: true, from: func(q *text) (string, string) { return "res", where(q, "a") + " AND a.deleted = 0" }}
}

// updated compares meta.lastUpdated, which is a millisecond.
func updated(typ string, c param.Clause) cond {
	all := func(q *text, x string) string {
		or := make([]string, len(c.Values))
		for i, m := range c.Values {
			or[i] = compareTime(q, x+".updated", x+".updated + 1", m)
		}
		return "(" + strings.Join(or, " OR ") + ")"
	}
	return cond{once: true,
		sql: func(q *text, a string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM res x WHERE x.rid = %[1]s.rid AND x.cp = %[1]s.cp AND %[2]s)`, a, all(q, "x"))
		},
		from: func(q *text) (string, string) {
			return "res", "a.typ = " + q.arg(typ) + " AND a.deleted = 0 AND " + all(q, "a")
		},
	}
}

func (h hasher) tokens(typ string, c param.Clause) (out cond, exact bool) {
	if !slices.Contains([]string{"", "not", "of-type"}, c.Modifier) {
		return out, false
	}
	for _, m := range c.Values {
		v := m.Value
		switch {
		case c.Modifier == "of-type" && len(v.OfType) == 1:
			out.v = append(out.v, h.of("of", typ, c.Param, v.OfType[0], v.Code))
		case m.AnySystem:
			out.v = append(out.v, h.of("c", typ, c.Param, v.Code))
		case v.Code == "":
			out.v = append(out.v, h.of("s", typ, c.Param, v.System))
		default:
			out.v = append(out.v, h.of("sc", typ, c.Param, v.System, v.Code))
		}
	}
	if out.v == nil {
		out = h.nothing(typ)
	}
	out.not = c.Modifier == "not"
	return out, true
}

func (h hasher) uris(typ string, c param.Clause) (out cond, exact bool) {
	if c.Modifier != "" {
		return out, false
	}
	for _, m := range c.Values {
		out.v = append(out.v, h.of("u", typ, c.Param, m.Value.Text))
	}
	return out, true
}

// words is a text search: from the start of any word, without regard to marks
// and case. Values too long for the index have a posting and are looked at themselves.
func (t *tx) words(ctx context.Context, typ string, c param.Clause) (out cond, exact bool, err error) {
	h := t.s.h
	switch c.Modifier {
	case "exact":
		for _, m := range c.Values {
			out.v = append(out.v, h.of("x", typ, c.Param, fold.NFC(m.Value.Text)))
		}
		return out, true, nil
	case "", "equals", "starts":
	default:
		return out, false, nil
	}
	exact = c.Modifier == ""
	keys := make([]string, len(c.Values))
	for i, m := range c.Values {
		key := strings.Join(strings.Fields(fold.Key(m.Value.Text)), " ")
		if keys[i] = cutText(key); key == "" {
			return out, false, nil
		}
		exact = exact && len(key) == len(keys[i])
	}
	p := []int64{h.param(typ, c.Param, ""), h.param(typ, c.Param, "w")}
	match := func(q *text, a string) string {
		or := make([]string, len(keys))
		for i, k := range keys {
			or[i] = fmt.Sprintf("(%[1]s.s >= %[2]s AND %[1]s.s < %[3]s)", a, q.arg(k), q.arg(upper(k)))
		}
		return q.in(a+".p", p) + " AND (" + strings.Join(or, " OR ") + ")"
	}
	out.sql = func(q *text, a string) string {
		return fmt.Sprintf(`EXISTS (SELECT 1 FROM txt x WHERE x.rid = %s.rid AND %s)`, a, match(q, "x"))
	}
	out.from = func(q *text) (string, string) { return "txt", match(q, "a") }
	long, err := t.any(ctx, h.of("long", typ, c.Param))
	if err != nil || !long {
		return out, exact, err
	}
	return anyOf(h, typ, []cond{{sql: out.sql}, {v: []int64{h.of("long", typ, c.Param)}}}), false, nil
}

// any says whether a posting has an entry.
func (t *tx) any(ctx context.Context, v int64) (bool, error) {
	list, err := t.numbers(ctx, `SELECT rid FROM post WHERE v = $1 LIMIT 1`, []any{v})
	return len(list) > 0, err
}

func (t *tx) reference(ctx context.Context, typ string, c param.Clause) (out cond, exact bool, err error) {
	h := t.s.h
	if slices.Contains([]string{"above", "below", "unequal"}, c.Modifier) {
		return out, false, nil
	}
	targets := map[string][]int64{}
	for _, m := range c.Values {
		v := m.Value
		switch {
		case c.Modifier == "identifier":
			out.v = append(out.v, h.of("ri", typ, c.Param, v.System, v.Code))
		case v.ID == "":
			out.v = append(out.v, h.of("ru", typ, c.Param, v.Text))
		case v.Type == "":
			return cond{}, false, nil
		default:
			targets[v.Type] = append(targets[v.Type], h.target(v.Type, v.ID))
		}
	}
	literal := out.v == nil && len(targets) == 1
	for to, list := range targets {
		if to == "Patient" {
			if list, err = t.down(ctx, list); err != nil {
				return out, false, err
			}
		}
		made := h.refersTo(typ, c.Param, to, list)
		if out.v = append(out.v, made.v...); literal {
			out.row = made.row
		}
	}
	return out, true, nil
}

// refersTo is the condition to name one of the targets, which are of one type.
func (h hasher) refersTo(typ, code, targetType string, targets []int64) cond {
	v := make([]int64, 0, len(targets))
	for _, x := range targets {
		v = append(v, h.ref(typ, code, x))
		if code == "patient" && targetType == "Patient" { // see alias
			v = append(v, h.ref(typ, "subject", x))
		}
	}
	if len(v) == 0 {
		return h.nothing(typ)
	}
	codes := []int64{h.param(typ, code, "")}
	if code == "patient" && targetType == "Patient" {
		codes = append(codes, h.param(typ, "subject", ""))
	}
	return cond{v: v, row: func(q *text, a string) string {
		return q.lookedUp(fmt.Sprintf(`SELECT 1 FROM refr x WHERE x.rid = %s.rid AND %s AND %s`, a, q.in("x.p", codes), q.in("x.h", targets)))
	}}
}

// composite narrows by what the index holds of the parts, each by itself; that
// they belong together only the resource tells (search.html#combining). Parts
// of a server's own composite may be no parameters of the type.
func (t *tx) composite(ctx context.Context, typ string, c param.Clause) (cond, error) {
	var or []cond
	for _, m := range c.Values {
		var and []cond
		for _, p := range m.Parts {
			part := param.Clause{Param: p.Value.Param, Kind: p.Value.Kind, Values: []param.Match{p}}
			if !t.params.official(typ, c.Param) || t.answered(typ, part) != nil {
				continue
			}
			made, err := t.clause(ctx, typ, part)
			if err != nil {
				return cond{}, err
			}
			made.test = nil
			if !made.void {
				and = append(and, made)
			}
		}
		if len(and) == 0 {
			return cond{}, nil
		}
		or = append(or, cond{also: and, sql: func(q *text, a string) string { return "(" + joined(q, a, and, " AND ") + ")" }})
	}
	return anyOf(t.s.h, typ, or), nil
}
