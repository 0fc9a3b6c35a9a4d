package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/param"
)

// Ways to bring a page in order, kept in its cursor.
const (
	modePlaces = 'p' // of lists as they are kept
	modeSorted = 's' // all that were found, by keys
	modeWalk   = 'w' // along an index
)

// sortKey is the value by which a resource is sorted. Of several values that
// counts which comes first in the order asked for; who has none comes last
// (FHIR R4 search.html#sort).
type sortKey struct {
	Missing bool   `json:"x,omitempty"`
	N       int64  `json:"n,omitempty"`
	S       string `json:"s,omitempty"`
}

// ordered gives up to n candidates behind a cursor in the order asked for.
func (t *tx) ordered(ctx context.Context, q param.Query, plans []*plan, from cursor, n int) ([]*candidate, byte, error) {
	mode, streams := from.Mode, []*stream(nil)
	switch {
	case len(q.Sort) == 0:
		mode = modePlaces
		for _, p := range plans {
			streams = append(streams, p.byPlace(false))
		}
	case len(plans) == 1 && len(q.Sort) == 1 && dated[plans[0].typ] == q.Sort[0].Param && exact()[plans[0].typ]:
		mode = modePlaces
		streams = append(streams, plans[0].byDate(t.s.h, !q.Sort[0].Desc))
	case mode == 0 && !t.wide(q, plans), mode == modeSorted:
		if list, err := t.glance(ctx, q, plans, n); mode == 0 && (err != nil || len(list) == n) {
			return list, modeWalk, err
		}
		all, more, err := t.all(ctx, plans)
		if err != nil {
			return nil, 0, err
		}
		if !more {
			list, err := t.sorted(ctx, q.Sort, all, from, n)
			return list, modeSorted, err
		}
		mode = modeWalk
	}
	if mode == 0 || mode == modeWalk {
		mode = modeWalk
		for _, p := range plans {
			s, err := t.walk(ctx, p, q)
			if err != nil {
				return nil, 0, err
			}
			streams = append(streams, s)
		}
		if from.Mode == modeSorted { // more were written in between than can be sorted
			return nil, 0, costly("_sort")
		}
	}
	list, err := t.merged(ctx, streams, from.At, n)
	return list, mode, err
}

// glanceRows is how far a glance goes along an index.
const glanceRows = 1500

// glance looks for a first page among what comes first in the index, when much
// meets the conditions: it is there most often, and nothing need be sorted.
func (t *tx) glance(ctx context.Context, q param.Query, plans []*plan, n int) ([]*candidate, error) {
	if len(q.Sort) != 1 || len(plans) != 1 || plans[0].few || plans[0].checked() {
		return nil, nil
	}
	s, err := t.walk(ctx, plans[0], q)
	if err != nil {
		return nil, nil // there is no such index
	}
	l := s.legs[0]
	l.window = glanceRows
	return t.fetch(ctx, l, plans[0].typ, pos{}, n)
}

// byDate is the order of the clinical date: those without it come last.
func (p *plan) byDate(h hasher, oldest bool) *stream {
	odd := cond{v: []int64{h.of("misplaced", p.typ)}}
	without := odd
	without.not = true
	return &stream{p: p, legs: []leg{p.and(without).places(oldest), p.and(odd).places(oldest)}}
}

// wide says that there is nothing but types to search by, and an index in the order asked for.
func (t *tx) wide(q param.Query, plans []*plan) bool {
	if len(q.Sort) != 1 || !walkable(t.kindOf(plans, q.Sort[0].Param)) && q.Sort[0].Param != "_lastUpdated" {
		return false
	}
	for _, p := range plans {
		if slices.ContainsFunc(p.conds, func(c cond) bool { return !c.void || c.test != nil }) {
			return false
		}
	}
	return true
}

func walkable(k param.Kind) bool {
	return k == param.Date || k == param.Number || k == param.Quantity || k == param.String
}

// kindOf is that of a parameter on the types searched.
func (t *tx) kindOf(plans []*plan, code string) param.Kind {
	for _, p := range plans {
		if i, ok := t.params.of(p.typ)[code]; ok {
			return i.Kind
		}
	}
	return 0
}

// all lists everything that meets the plans, unless that is too much to be sorted.
func (t *tx) all(ctx context.Context, plans []*plan) (all []*candidate, more bool, err error) {
	for _, p := range plans {
		list, err := t.pull(ctx, p.byPlace(false), pos{}, t.s.bounds.sort+1-len(all))
		if err != nil {
			return nil, false, err
		}
		if all = append(all, list...); len(all) > t.s.bounds.sort {
			return nil, true, nil
		}
	}
	return all, false, nil
}

// walk goes along the index that has one key in order; who has no value comes behind.
func (t *tx) walk(ctx context.Context, p *plan, q param.Query) (*stream, error) {
	if len(q.Sort) != 1 {
		return nil, costly("_sort")
	}
	key := q.Sort[0]
	if key.Param == "_lastUpdated" {
		return &stream{p: p, legs: []leg{{
			p: p, columns: []string{"updated", "rid"}, desc: key.Desc,
			table: func(*text) string { return "res" },
			where: func(q *text) string { return "a.typ = " + q.arg(p.typ) + " AND a.deleted = 0" },
		}}}, nil
	}
	kind := t.kindOf([]*plan{p}, key.Param)
	if !walkable(kind) {
		return nil, costly("_sort=" + key.Param)
	}
	has, err := t.having(ctx, p.typ, key.Param)
	if err != nil {
		return nil, err
	}
	l := leg{p: p, desc: key.Desc}
	variant, table, better := "", "span", "(y.lo, y.hi) < (a.lo, a.hi)"
	l.columns = []string{"lo", "hi", "d", "rid"}
	switch kind {
	case param.Number, param.Quantity:
		variant = "n"
	case param.String:
		table, better, l.columns, l.text = "txt", "y.s < a.s", []string{"s", "d", "rid"}, true
	}
	if key.Desc {
		better = strings.Replace(better, "<", ">", 1)
	}
	code := t.s.h.param(p.typ, key.Param, variant)
	l.table = func(*text) string { return table }
	l.where = func(q *text) string {
		begins := ""
		if kind == param.Date { // a time without a beginning has no place
			begins = fmt.Sprintf(" AND y.lo > %d", int64(param.Earliest))
		}
		first := fmt.Sprintf("a.p = %s AND NOT EXISTS (SELECT 1 FROM %s y WHERE y.rid = a.rid AND y.p = a.p AND %s%s)", q.arg(code), table, better, begins)
		return first + strings.ReplaceAll(begins, "y.", "a.")
	}
	return &stream{p: p, legs: []leg{l, t.unplaced(p, has, code, kind).places(false)}}, nil
}

// unplaced is what has no value to sort by.
func (t *tx) unplaced(p *plan, has cond, code int64, kind param.Kind) *plan {
	if kind != param.Date {
		return p.and(t.unless(has))
	}
	return p.and(cond{sql: func(q *text, a string) string {
		return fmt.Sprintf("NOT EXISTS (SELECT 1 FROM span y WHERE y.rid = %s.rid AND y.p = %s AND y.lo > %d)", a, q.arg(code), int64(param.Earliest))
	}})
}

// sorted brings candidates in the order of keys and gives up to n behind a cursor.
func (t *tx) sorted(ctx context.Context, keys []param.Sort, all []*candidate, from cursor, n int) ([]*candidate, error) {
	byType := map[string][]*candidate{}
	for _, c := range all {
		c.keys = make([]sortKey, len(keys))
		byType[c.typ] = append(byType[c.typ], c)
	}
	for typ, list := range byType {
		for i, k := range keys {
			if err := t.keys(ctx, typ, k, list, i); err != nil {
				return nil, err
			}
		}
	}
	compare := func(a, b []sortKey, ar, br int64) int {
		for i, k := range keys {
			if c := a[i].compare(b[i], k.Desc); c != 0 {
				return c
			}
		}
		return cmp.Compare(ar, br)
	}
	slices.SortFunc(all, func(a, b *candidate) int { return compare(a.keys, b.keys, a.rid, b.rid) })
	if from.Mode != 0 {
		if len(from.Keys) != len(keys) {
			return nil, errCursor
		}
		all = slices.DeleteFunc(all, func(c *candidate) bool { return compare(c.keys, from.Keys, c.rid, from.RID) <= 0 })
	}
	return all[:min(n, len(all))], nil
}

func (k sortKey) compare(o sortKey, desc bool) int {
	if k.Missing != o.Missing {
		return map[bool]int{true: 1, false: -1}[k.Missing]
	}
	c := cmp.Or(cmp.Compare(k.N, o.N), strings.Compare(k.S, o.S))
	if desc {
		return -c
	}
	return c
}

// keys finds the i-th key of candidates of one type: from the index, or of
// codes, addresses and references, which it has as hashes only, from themselves.
func (t *tx) keys(ctx context.Context, typ string, k param.Sort, list []*candidate, i int) error {
	pick := map[bool]string{false: "MIN", true: "MAX"}[k.Desc]
	h, kind := t.s.h, t.kindOf([]*plan{{typ: typ}}, k.Param)
	switch {
	case k.Param == "_lastUpdated":
		return t.keysOf(ctx, list, i, false, func(q *text, r []int64) string { return `SELECT rid, updated FROM res WHERE ` + q.in("rid", r) })
	case k.Param == "_id":
		return t.keysOf(ctx, list, i, true, func(q *text, r []int64) string { return `SELECT rid, id FROM res WHERE ` + q.in("rid", r) })
	case kind == param.String:
		return t.keysOf(ctx, list, i, true, func(q *text, r []int64) string {
			return fmt.Sprintf(`SELECT rid, %s(s) FROM txt WHERE %s AND p = %s GROUP BY rid`, pick, q.in("rid", r), q.arg(h.param(typ, k.Param, "")))
		})
	case kind == param.Date || kind == param.Number || kind == param.Quantity:
		variant := map[bool]string{false: "n"}[kind == param.Date]
		return t.keysOf(ctx, list, i, false, func(q *text, r []int64) string {
			return fmt.Sprintf(`SELECT rid, %s(lo) FROM span WHERE %s AND p = %s AND lo > %d GROUP BY rid`, pick, q.in("rid", r), q.arg(h.param(typ, k.Param, variant)), int64(param.Earliest))
		})
	}
	if err := t.load(ctx, list); err != nil {
		return err
	}
	for _, c := range list {
		if err := c.extract(t.params.Registry); err != nil {
			return err
		}
		c.keys[i].Missing = true
		for _, v := range c.values {
			if v.Param != k.Param {
				continue
			}
			fresh := sortKey{S: sortText(v)}
			if fresh.S != "" && (c.keys[i].Missing || fresh.compare(c.keys[i], k.Desc) < 0) {
				c.keys[i] = fresh
			}
		}
		c.doc, c.values = nil, nil
	}
	return nil
}

// sortText is by what codes, addresses and references are sorted.
func sortText(v param.Value) string {
	switch {
	case v.ID != "":
		return v.Type + "/" + v.ID
	case v.Kind == param.Token && v.Code != "":
		return v.Code
	case v.Kind == param.Token:
		return fold.Key(v.Text)
	case v.Text != "":
		return v.Text
	}
	return v.Code
}

// keysOf reads keys: rid and value.
func (t *tx) keysOf(ctx context.Context, list []*candidate, i int, isText bool, sql func(q *text, rids []int64) string) error {
	for some := range chunks(list) {
		byRID, rids := map[int64]*candidate{}, make([]int64, len(some))
		for k, c := range some {
			byRID[c.rid], rids[k], c.keys[i] = c, c.rid, sortKey{Missing: true}
		}
		q := t.text()
		rows, err := t.c.Query(ctx, sql(q, rids), q.args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			var rid int64
			var k sortKey
			dest := []any{&rid, &k.N}
			if isText {
				dest[1] = &k.S
			}
			if err := rows.Scan(dest...); err != nil {
				rows.Close()
				return err
			}
			byRID[rid].keys[i] = k
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}
