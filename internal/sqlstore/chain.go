package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// maxMerges is how often one golden Patient may have been merged into the next.
const maxMerges = 16

// Links of persons in the table person: h names the one linked, g the golden Patient.
const (
	sourceLink   = 0
	replacedLink = 1 // h took the place of g
)

// chain is the condition that Param names a resource of ChainType for which the
// inner clause holds, and which the agent may find: one that it doesn't see
// leads to nothing. A golden Patient stands for its source records.
func (t *tx) chain(ctx context.Context, typ string, c param.Clause) (cond, error) {
	h, to := t.s.h, c.ChainType
	inner, err := t.inner(ctx, to, *c.Chain)
	if err != nil || inner == nil {
		return h.nothing(typ), err
	}
	most := t.s.bounds.inner
	if inner.checked() {
		most = t.s.bounds.walk
	}
	found, err := t.set(ctx, inner, most)
	if err != nil {
		return cond{}, err
	}
	if len(found) > most {
		if inner.checked() {
			return cond{}, costly(c.Param + "." + c.Chain.Param)
		}
		return t.along(typ, c.Param, inner), nil
	}
	targets, err := t.targets(ctx, found)
	if err == nil && to == "Patient" {
		targets, err = t.down(ctx, targets)
	}
	return h.refersTo(typ, c.Param, to, targets), err
}

// inner plans the search at the other end of a reference; nil when the agent may not search there.
func (t *tx) inner(ctx context.Context, typ string, c param.Clause) (*plan, error) {
	if !t.a.Filter.May(typ, store.CanSearch) {
		return nil, nil
	}
	more, err := t.clauses(ctx, typ, []param.Clause{c})
	if err != nil {
		return nil, err
	}
	return t.planOf(ctx, typ, append(t.gate(typ), more...))
}

// along looks up the references of each row: for conditions that many at the other end meet.
func (t *tx) along(typ, code string, inner *plan) cond {
	h := t.s.h
	codes := []int64{h.param(typ, code, "")}
	if code == "patient" { // see alias
		codes = append(codes, h.param(typ, "subject", ""))
	}
	return cond{sql: func(q *text, a string) string {
		f, y := q.name("f"), q.name("y")
		meets := func() string {
			return fmt.Sprintf("%s.typ = %s AND %s.deleted = 0", y, q.arg(inner.typ), y) + inner.rest(q, y, -1)
		}
		from := fmt.Sprintf("SELECT 1 FROM refr %s WHERE %s.rid = %s.rid AND %s", f, f, a, q.in(f+".p", codes))
		or := []string{fmt.Sprintf(`EXISTS (SELECT 1 FROM res %s WHERE %s.h = %s.h AND %s)`, y, y, f, meets())}
		if inner.typ == "Patient" {
			or = append(or, persons(q, f, y, meets)...)
		}
		return fmt.Sprintf(`EXISTS (%s AND (%s))`, from, strings.Join(or, " OR "))
	}}
}

// persons looks up the golden Patients that stand for the target of f, and only
// for who was merged those that they took the place of.
func persons(q *text, f, y string, meets func() string) []string {
	u := q.name("up")
	return []string{
		fmt.Sprintf(`EXISTS (SELECT 1 FROM person l JOIN res %[1]s ON %[1]s.h = l.g WHERE l.h = %[2]s.h AND l.k = 0 AND %[3]s)`, y, f, meets()),
		fmt.Sprintf(`EXISTS (SELECT 1 FROM person m WHERE m.k = 1 AND (m.h = %[1]s.h OR m.h IN (SELECT l.g FROM person l WHERE l.h = %[1]s.h AND l.k = 0)))
			AND EXISTS (WITH RECURSIVE %[2]s(h) AS (SELECT %[1]s.h UNION SELECT l.g FROM person l WHERE l.h = %[1]s.h AND l.k = 0
				UNION SELECT l.g FROM %[2]s JOIN person l ON l.h = %[2]s.h AND l.k = 1)
				SELECT 1 FROM %[2]s JOIN res %[3]s ON %[3]s.h = %[2]s.h WHERE %[4]s)`, f, u, y, meets()),
	}
}

// has is the condition that a resource of HasType names this one by Param and
// meets the inner clause (search.html#has).
func (t *tx) has(ctx context.Context, typ string, c param.Clause) (cond, error) {
	h := t.s.h
	inner, err := t.inner(ctx, c.HasType, *c.Chain)
	if err != nil || inner == nil {
		return h.nothing(typ), err
	}
	found, err := t.set(ctx, inner, t.s.bounds.named)
	if err != nil {
		return cond{}, err
	}
	if len(found) > t.s.bounds.named {
		if inner.checked() {
			return cond{}, costly("_has:" + c.HasType)
		}
		return everything(t.named(typ, c, inner)), nil
	}
	codes := []int64{h.param(c.HasType, c.Param, "")}
	if c.Param == "patient" && typ == "Patient" { // see alias
		codes = append(codes, h.param(c.HasType, "subject", ""))
	}
	var targets []int64
	for some := range chunks(found) {
		q := t.text()
		list, err := t.numbers(ctx, fmt.Sprintf(`SELECT DISTINCT f.h FROM refr f WHERE %s AND %s`, q.in("f.rid", rids(some)), q.in("f.p", codes)), q.args)
		if err != nil {
			return cond{}, err
		}
		targets = append(targets, list...)
	}
	if typ == "Patient" {
		if targets, err = t.up(ctx, targets); err != nil {
			return cond{}, err
		}
	}
	if len(targets) == 0 {
		return h.nothing(typ), nil
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	return cond{once: true,
		sql: func(q *text, a string) string {
			return fmt.Sprintf(`EXISTS (SELECT 1 FROM res x WHERE x.rid = %[1]s.rid AND x.cp = %[1]s.cp AND %[2]s)`, a, q.in("x.h", targets))
		},
		from: func(q *text) (string, string) {
			return "res", q.in("a.h", targets) + " AND a.deleted = 0 AND a.typ = " + q.arg(typ)
		},
	}, nil
}

// named tests the reverse chain from the side of the one that is named: by the
// postings of those that name it.
func (t *tx) named(typ string, c param.Clause, inner *plan) tester {
	h := t.s.h
	return func(ctx context.Context, list []*candidate) ([]bool, error) {
		if err := t.load(ctx, list); err != nil {
			return nil, err
		}
		ok, owner := make([]bool, len(list)), map[int64][]int{} // posting → candidates
		for i, x := range list {
			if x.res == nil {
				continue
			}
			targets := []int64{h.target(typ, x.res.Key.ID)}
			if typ == "Patient" && slices.Contains(x.pats, x.res.Key.ID) && x.owner == "" {
				var err error
				if targets, err = t.down(ctx, targets); err != nil {
					return nil, err
				}
			}
			for _, v := range h.refersTo(c.HasType, c.Param, typ, targets).v {
				owner[v] = append(owner[v], i)
			}
		}
		var all []int64
		for v := range owner {
			all = append(all, v)
		}
		slices.Sort(all)
		for some := range chunks(all) {
			q := t.text()
			met, err := t.numbers(ctx, `SELECT DISTINCT a.v FROM post a WHERE `+q.in("a.v", some)+inner.rest(q, "a", -1), q.args)
			if err != nil {
				return nil, err
			}
			for _, v := range met {
				for _, i := range owner[v] {
					ok[i] = true
				}
			}
		}
		return ok, nil
	}
}

// set lists what meets a plan; one more than most tells that there are more.
func (t *tx) set(ctx context.Context, p *plan, most int) (list []row, err error) {
	if p.checked() {
		found, err := t.pull(ctx, p.byPlace(false), pos{}, most+1)
		for _, c := range found {
			list = append(list, c.row)
		}
		return list, err
	}
	q := t.text()
	return t.hits(ctx, fmt.Sprintf(`SELECT d, rid, cp FROM (%s) z LIMIT %d`, strings.Join(p.selects(q, p.lead, func() string { return "" }), " UNION "), most+1), q.args)
}

// hits reads rows of d, rid, cp.
func (t *tx) hits(ctx context.Context, sql string, args []any) (list []row, err error) {
	rows, err := t.c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.d, &r.rid, &r.cp); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

func rids(list []row) []int64 {
	out := make([]int64, len(list))
	for i, r := range list {
		out[i] = r.rid
	}
	return out
}

// targets names resources as references do.
func (t *tx) targets(ctx context.Context, list []row) (out []int64, err error) {
	for some := range chunks(list) {
		q := t.text()
		more, err := t.numbers(ctx, `SELECT h FROM res WHERE `+q.in("rid", rids(some)), q.args)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// down adds to Patients the source records of those that are golden: the person
// that took the place of one that was merged away, and its records (DESIGN.md
// decision 9; internal/trust/persons.go). What a facility writes into its own
// record is no link.
func (t *tx) down(ctx context.Context, patients []int64) ([]int64, error) {
	return t.follow(ctx, patients, "g", "h", [2]int64{replacedLink, sourceLink})
}

// up adds to Patients the golden ones that stand for them.
func (t *tx) up(ctx context.Context, patients []int64) ([]int64, error) {
	return t.follow(ctx, patients, "h", "g", [2]int64{sourceLink, replacedLink})
}

// follow walks links of persons: down first along the merges and then one step
// to the records, up one step to the persons and then along the merges.
func (t *tx) follow(ctx context.Context, start []int64, from, to string, order [2]int64) ([]int64, error) {
	seen := map[int64]bool{}
	all := make([]int64, 0, len(start))
	add := func(list []int64) (fresh []int64) {
		for _, h := range list {
			if !seen[h] {
				seen[h] = true
				all, fresh = append(all, h), append(fresh, h)
			}
		}
		return fresh
	}
	add(start)
	for _, kind := range order {
		edge := slices.Clone(all)
		for steps := 0; len(edge) > 0 && steps < maxMerges; steps++ {
			var next []int64
			for some := range chunks(edge) {
				q := t.text()
				list, err := t.numbers(ctx, fmt.Sprintf(`SELECT %s FROM person WHERE k = %s AND %s`, to, q.arg(kind), q.in(from, some)), q.args)
				if err != nil {
					return nil, err
				}
				next = append(next, list...)
			}
			if edge = add(next); kind == sourceLink {
				break // source records have no records of their own
			}
		}
	}
	return all, nil
}
