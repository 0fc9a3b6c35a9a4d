package sqlstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

const (
	maxIncluded = 5000 // resources that a page brings along
	maxIterate  = 10   // steps of :iterate
)

// found is a resource from which includes go on.
type found struct {
	typ    string
	rid, h int64
	first  bool // it is a match of the search itself
}

// includes finds what goes with the matches (FHIR R4 search.html#revinclude):
// each once, none that is a match, none that the agent may not see. A golden
// Patient brings what names its source records.
func (t *tx) includes(ctx context.Context, list []param.Include, matches []*store.Resource) (out []*store.Resource, err error) {
	seen := map[store.Key]bool{}
	var edge []found
	for _, m := range matches {
		seen[m.Key] = true
	}
	if edge, err = t.foundOf(ctx, matches, true); err != nil {
		return nil, err
	}
	for step := 0; len(edge) > 0; step++ {
		if step == maxIterate {
			return nil, costly("_include:iterate")
		}
		var fresh []*candidate
		for _, inc := range list {
			if step > 0 && !inc.Iterate {
				continue
			}
			more, err := t.include(ctx, inc, edge, maxIncluded+1-len(out)-len(fresh))
			if err != nil {
				return nil, err
			}
			if fresh = append(fresh, more...); len(out)+len(fresh) > maxIncluded {
				return nil, costly("_include")
			}
		}
		brought, err := t.shownOnce(ctx, fresh, seen)
		if err != nil {
			return nil, err
		}
		out = append(out, brought...)
		if edge, err = t.foundOf(ctx, brought, false); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shownOnce reads what is not there yet.
func (t *tx) shownOnce(ctx context.Context, list []*candidate, seen map[store.Key]bool) (out []*store.Resource, err error) {
	if err := t.load(ctx, list); err != nil {
		return nil, err
	}
	for _, c := range list {
		if c.res == nil || seen[c.res.Key] {
			continue
		}
		seen[c.res.Key] = true
		t.saw(c.pats)
		t.act("include %s/%d", c.res.Key, c.res.Version)
		out = append(out, c.res)
	}
	return out, nil
}

// foundOf finds the rows of resources.
func (t *tx) foundOf(ctx context.Context, list []*store.Resource, first bool) (out []found, err error) {
	byHash, hashes := map[int64]string{}, []int64{}
	for _, r := range list {
		h := t.s.h.target(r.Key.Type, r.Key.ID)
		byHash[h], hashes = r.Key.Type, append(hashes, h)
	}
	for some := range chunks(hashes) {
		q := t.text()
		rows, err := t.c.Query(ctx, `SELECT rid, h FROM res WHERE deleted = 0 AND `+q.in("h", some), q.args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			f := found{first: first}
			if err := rows.Scan(&f.rid, &f.h); err != nil {
				rows.Close()
				return nil, err
			}
			f.typ = byHash[f.h]
			out = append(out, f)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// include takes one step along a reference.
func (t *tx) include(ctx context.Context, inc param.Include, edge []found, most int) ([]*candidate, error) {
	if inc.Reverse {
		return t.naming(ctx, inc, edge, most)
	}
	return t.namedBy(ctx, inc, edge, most)
}

// namedBy finds what resources of the source type name.
func (t *tx) namedBy(ctx context.Context, inc param.Include, edge []found, most int) (out []*candidate, err error) {
	h := t.s.h
	var from []int64
	for _, f := range edge {
		if f.typ == inc.Source {
			from = append(from, f.rid)
		}
	}
	plain, other := []int64{h.param(inc.Source, inc.Param, "")}, int64(0)
	if inc.Param == "patient" { // see alias
		other = h.param(inc.Source, "subject", "")
	}
	for some := range chunks(from) {
		q := t.text()
		meets := q.in("f.p", plain)
		if other != 0 {
			meets = fmt.Sprintf("(%s OR f.p = %s AND y.typ = 'Patient')", meets, q.arg(other))
		}
		if inc.Target != "" {
			meets += " AND y.typ = " + q.arg(inc.Target)
		}
		list, err := t.rows(ctx, fmt.Sprintf(`SELECT DISTINCT y.typ, y.rid, y.cp FROM refr f JOIN res y ON y.h = f.h WHERE %s AND y.deleted = 0 AND %s LIMIT %d`,
			q.in("f.rid", some), meets, most-len(out)), q.args)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	more, err := t.canonicals(ctx, inc, edge)
	return append(out, more...), err
}

// naming finds the resources of the source type that name one of these.
func (t *tx) naming(ctx context.Context, inc param.Include, edge []found, most int) (out []*candidate, err error) {
	if !t.a.Filter.May(inc.Source, store.CanRead) {
		return nil, nil
	}
	byType := map[string][]int64{}
	for _, f := range edge {
		if inc.Target == "" || inc.Target == f.typ {
			byType[f.typ] = append(byType[f.typ], f.h)
		}
	}
	for typ, targets := range byType {
		if typ == "Patient" {
			if targets, err = t.down(ctx, targets); err != nil {
				return nil, err
			}
		}
		for some := range chunks(t.s.h.refersTo(inc.Source, inc.Param, typ, targets).v) {
			q := t.text()
			source := q.arg(inc.Source)
			from := "post a WHERE " + q.in("a.v", some)
			if q.engine == db.Postgres { // each by itself: with a LIMIT it would go through the whole table
				q = t.text()
				source = q.arg(inc.Source)
				from = fmt.Sprintf(`unnest(%s::bigint[]) u(v) CROSS JOIN LATERAL (SELECT p.rid, p.cp FROM post p WHERE p.v = u.v LIMIT %d) a`, q.arg(some), most)
			}
			list, err := t.rows(ctx, fmt.Sprintf(`SELECT DISTINCT CAST(%s AS TEXT), a.rid, a.cp FROM %s LIMIT %d`, source, from, most-len(out)), q.args)
			if err != nil {
				return nil, err
			}
			out = append(out, list...)
		}
	}
	slices.SortFunc(out, func(a, b *candidate) int { return compareRows(a.row, b.row) })
	return out, nil
}

// rows reads type, rid and cp of what the agent may read.
func (t *tx) rows(ctx context.Context, sql string, args []any) (out []*candidate, err error) {
	rows, err := t.c.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c := &candidate{}
		if err := rows.Scan(&c.typ, &c.rid, &c.cp); err != nil {
			return nil, err
		}
		if t.a.Filter.May(c.typ, store.CanRead) {
			out = append(out, c)
		}
	}
	return out, rows.Err()
}

// canonicals finds the definitions that resources name by their address.
func (t *tx) canonicals(ctx context.Context, inc param.Include, edge []found) (out []*candidate, err error) {
	if !t.canonical(inc) {
		return nil, nil
	}
	var list []*candidate
	for _, f := range edge {
		if f.typ == inc.Source {
			list = append(list, &candidate{row: row{rid: f.rid}, typ: f.typ})
		}
	}
	if err := t.load(ctx, list); err != nil {
		return nil, err
	}
	for _, c := range list {
		if err := c.extract(t.params.Registry); err != nil {
			return nil, err
		}
		var v []int64
		for _, x := range c.values {
			if x.Param == inc.Param && x.Kind == param.Reference && x.Text != "" {
				for _, typ := range t.canonicalTypes(inc) {
					v = append(v, t.s.h.of("u", typ, "url", x.Text))
				}
			}
		}
		for some := range chunks(v) {
			q := t.text()
			more, err := t.rows(ctx, `SELECT DISTINCT y.typ, y.rid, y.cp FROM post a JOIN res y ON y.rid = a.rid AND y.cp = a.cp WHERE `+q.in("a.v", some), q.args)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		}
	}
	return out, nil
}

// canonicalTypes are the types at which a parameter may point by address.
func (t *tx) canonicalTypes(inc param.Include) []string {
	if inc.Target != "" {
		return []string{inc.Target}
	}
	return t.params.of(inc.Source)[inc.Param].Targets
}

// canonical says whether one of the types it may point at has an address.
func (t *tx) canonical(inc param.Include) bool {
	for _, typ := range t.canonicalTypes(inc) {
		if t.params.of(typ)["url"].Kind == param.URI {
			return true
		}
	}
	return false
}
