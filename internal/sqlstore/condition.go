package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/internal/platform/db"
)

// cond is one condition of a search. v, when set, is a list of postings any of
// which must hold; else sql says it of the row named a. not turns it round.
// With a test the index only narrows: what it finds is then put to the test.
type cond struct {
	v     []int64
	sql   func(q *text, a string) string
	from  func(q *text) (table, where string) // how it may lead the search when it is no posting
	not   bool
	once  bool // from gives a resource once at most
	broad bool // it is the gate's: a facility has many of a type
	rear  bool // from goes through its rows from the end
	// row says the same of one row by what it holds, for lists of postings that are long.
	row  func(q *text, a string) string
	also []cond // what sql joins, each for itself
	void bool   // the index has nothing to say: holds for every resource of the type
	in   *place // what the condition says about d, the place in lists
	test tester
}

// tester decides for each candidate, also what not turns round.
type tester func(ctx context.Context, list []*candidate) ([]bool, error)

// place bounds d: after < d ≤ last. d is the clinical date turned round, since the newest come first.
type place struct{ after, last int64 }

// within writes the bounds, if any, of the row named a.
func (p *place) within(q *text, a string) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf(" AND %[1]s.d > %[2]s AND %[1]s.d <= %[3]s", a, q.arg(p.after), q.arg(p.last))
}

// text builds SQL with its arguments.
type text struct {
	engine db.Dialect
	args   []any
	alias  int
}

func (t *tx) text() *text { return &text{engine: t.s.e.dialect()} }

func (q *text) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// name gives a table a name that no other has in this text.
func (q *text) name(letter string) string {
	q.alias++
	return fmt.Sprintf("%s%d", letter, q.alias)
}

// maxSought is how many postings are looked up one by one for each row.
const maxSought = 4

// most numbers that are written one by one; longer lists are one argument.
const maxListed = 32

// in writes "column is one of v". The number of arguments is a power of two or
// one, so that there are few texts to be planned.
func (q *text) in(column string, v []int64) string {
	if len(v) == 0 {
		return "FALSE"
	}
	if len(v) > maxListed {
		if q.engine == db.Postgres {
			return fmt.Sprintf("%s = ANY(%s::bigint[])", column, q.arg(v))
		}
		b, _ := json.Marshal(v) // numbers: never fails
		return fmt.Sprintf("%s IN (SELECT value FROM json_each(%s))", column, q.arg(string(b)))
	}
	n := 1
	for n < len(v) {
		n *= 2
	}
	s := make([]string, n)
	for i := range s {
		s[i] = q.arg(v[min(i, len(v)-1)])
	}
	return column + " IN (" + strings.Join(s, ",") + ")"
}

// oneOf writes "column is one of these texts".
func (q *text) oneOf(column string, list []string) string {
	if len(list) > maxListed {
		if q.engine == db.Postgres {
			return fmt.Sprintf("%s = ANY(%s::text[])", column, q.arg(list))
		}
		b, _ := json.Marshal(list)
		return fmt.Sprintf("%s IN (SELECT value FROM json_each(%s))", column, q.arg(string(b)))
	}
	s := make([]string, len(list))
	for i, x := range list {
		s[i] = q.arg(x)
	}
	return column + " IN (" + strings.Join(s, ",") + ")"
}

// lookedUp writes that there is such a row. PostgreSQL would merge the list of
// what leads with the other one, which it takes for as short: all that a
// facility has, to find the few rows of one patient. A subquery with an OFFSET
// is looked up for each row of what leads.
func (q *text) lookedUp(rows string) string {
	if q.engine == db.Postgres {
		rows += " OFFSET 0"
	}
	return "EXISTS (" + rows + ")"
}

func (c cond) where(q *text, a string) string {
	s := "TRUE"
	switch {
	case c.row != nil && len(c.v) > maxSought:
		s = c.row(q, a)
	case c.v != nil:
		s = q.lookedUp(fmt.Sprintf(`SELECT 1 FROM post x WHERE %s AND x.d = %[2]s.d AND x.rid = %[2]s.rid AND x.cp = %[2]s.cp`, q.in("x.v", c.v), a))
	case c.sql != nil:
		s = c.sql(q, a)
	}
	if c.not {
		return "NOT " + s
	}
	return s
}

// nothing is the condition that no resource meets.
func (h hasher) nothing(typ string) cond { return cond{v: []int64{h.of("none", typ)}} }

// everything is the condition that all meet whom the test does not refuse.
func everything(test tester) cond { return cond{void: true, test: test} }

// unless turns a condition round.
func (t *tx) unless(c cond) cond {
	if c.test != nil {
		return everything(func(ctx context.Context, list []*candidate) ([]bool, error) {
			ok, err := c.test(ctx, list)
			for i := range ok {
				ok[i] = !ok[i]
			}
			return ok, err
		})
	}
	if c.v != nil {
		c.not = !c.not
		return c
	}
	return cond{sql: c.sql, not: !c.not}
}

// anyOf is the condition that one of the conditions holds; all are exact.
func anyOf(h hasher, typ string, or []cond) cond {
	switch {
	case len(or) == 0:
		return h.nothing(typ)
	case len(or) == 1:
		return or[0]
	}
	var v []int64
	for _, c := range or {
		if c.v == nil || c.not || c.in != nil {
			return cond{sql: func(q *text, a string) string { return "(" + joined(q, a, or, " OR ") + ")" }}
		}
		v = append(v, c.v...)
	}
	return cond{v: v}
}

func joined(q *text, a string, list []cond, op string) string {
	s := make([]string, len(list))
	for i, c := range list {
		s[i] = c.where(q, a) + c.in.within(q, a)
	}
	return strings.Join(s, op)
}

// expr is a condition of _filter: for what the index does not hold exactly, the
// parts decide one by one (search_filter.html).
func (t *tx) expr(ctx context.Context, typ string, e *param.Expr) (cond, error) {
	if e.Clause != nil {
		return t.clause(ctx, typ, *e.Clause)
	}
	var parts []cond
	tested := false
	for _, p := range e.Parts {
		c, err := t.expr(ctx, typ, p)
		if err != nil {
			return c, err
		}
		parts, tested = append(parts, c), tested || c.test != nil
	}
	switch {
	case len(parts) == 0:
		return cond{}, unsupported("_filter")
	case e.Op == "not":
		return t.unless(parts[0]), nil
	case len(parts) == 1:
		return parts[0], nil
	case e.Op == "or" && !tested:
		return anyOf(t.s.h, typ, parts), nil
	}
	or := e.Op == "or"
	c := cond{sql: func(q *text, a string) string {
		return "(" + joined(q, a, parts, map[bool]string{true: " OR ", false: " AND "}[or]) + ")"
	}}
	if tested {
		c.test = func(ctx context.Context, list []*candidate) ([]bool, error) {
			return t.decideAll(ctx, typ, parts, or, list)
		}
	}
	return c, nil
}

// decideAll joins the decisions of parts.
func (t *tx) decideAll(ctx context.Context, typ string, parts []cond, or bool, list []*candidate) ([]bool, error) {
	out := make([]bool, len(list))
	for i, c := range parts {
		ok, err := t.decide(ctx, c, list)
		if err != nil {
			return nil, err
		}
		for k := range out {
			switch {
			case i == 0:
				out[k] = ok[k]
			case or:
				out[k] = out[k] || ok[k]
			default:
				out[k] = out[k] && ok[k]
			}
		}
	}
	return out, nil
}

// decide says for which candidates a condition holds.
func (t *tx) decide(ctx context.Context, c cond, list []*candidate) ([]bool, error) {
	if c.test != nil {
		return c.test(ctx, list)
	}
	q, rids := t.text(), make([]int64, len(list))
	for i, x := range list {
		rids[i] = x.rid
	}
	met, err := t.numbers(ctx, fmt.Sprintf(`SELECT a.rid FROM res a WHERE %s AND %s`, q.in("a.rid", rids), c.where(q, "a")+c.in.within(q, "a")), q.args)
	ok := make([]bool, len(list))
	for i, x := range list {
		ok[i] = slices.Contains(met, x.rid)
	}
	return ok, err
}

// numbers reads one column.
func (t *tx) numbers(ctx context.Context, sql string, args []any) (list []int64, err error) {
	rows, err := t.c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// chunks gives a list in parts that one statement can take.
func chunks[T any](list []T) func(func([]T) bool) {
	return slices.Chunk(list, 500)
}
