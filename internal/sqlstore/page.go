package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// pos is a place in a stream: the leg, and the values of its columns.
type pos struct {
	Leg int     `json:"l,omitempty"`
	S   string  `json:"s,omitempty"`
	N   []int64 `json:"n,omitempty"`
}

// stream gives what meets a plan in one order: its legs one behind the other.
type stream struct {
	p    *plan
	legs []leg
}

// leg is a part of a stream in the order of the columns of a table's key. The
// leg without a table goes by postings, in the order of places.
type leg struct {
	p            *plan
	table, where func(q *text) string // nil: by postings
	text         bool                 // the first column is text
	columns      []string
	desc         bool
	window       int // rows that are looked through at most, 0: all
}

// byPlace is the order in which lists are kept: the newest clinical date first, or the oldest.
func (p *plan) byPlace(oldest bool) *stream {
	return &stream{p: p, legs: []leg{p.places(oldest)}}
}

func (p *plan) places(oldest bool) leg { return leg{p: p, columns: []string{"d", "rid"}, desc: oldest} }

// and is the plan with one more condition, and the same start.
func (p *plan) and(c cond) *plan {
	more := *p
	more.conds = append(slices.Clip(p.conds[:len(p.conds)-1]), c, p.conds[len(p.conds)-1])
	last := len(p.conds) - 1
	if more.lead == last {
		more.lead++
	}
	if more.page == last {
		more.page++
	}
	return &more
}

// fetch lists up to n candidates behind a place.
func (t *tx) fetch(ctx context.Context, l leg, typ string, at pos, n int) (list []*candidate, err error) {
	q := t.text()
	dir, op := "", ">"
	if l.desc {
		dir, op = " DESC", "<"
	}
	order := make([]string, len(l.columns))
	for i, c := range l.columns {
		order[i] = c + dir
	}
	tail := func() string {
		after := ""
		if at.N != nil {
			var args []string
			if l.text {
				args = append(args, q.arg(at.S))
			}
			for _, v := range at.N {
				args = append(args, q.arg(v))
			}
			after = fmt.Sprintf(" AND (a.%s) %s (%s)", strings.Join(l.columns, ", a."), op, strings.Join(args, ", "))
		}
		return fmt.Sprintf("%s ORDER BY a.%s LIMIT %d", after, strings.Join(order, ", a."), n)
	}
	sql := ""
	if l.table != nil && l.window > 0 {
		inner := fmt.Sprintf("SELECT a.* FROM %s a WHERE %s", l.table(q), l.where(q))
		inner += strings.Replace(tail(), fmt.Sprintf("LIMIT %d", n), fmt.Sprintf("LIMIT %d", l.window), 1)
		sql = fmt.Sprintf("SELECT a.%s, a.d, a.rid, a.cp FROM (%s) a WHERE TRUE%s ORDER BY a.%s LIMIT %d", strings.Join(l.columns, ", a."), inner, l.p.rest(q, "a", -1), strings.Join(order, ", a."), n)
	} else if l.table != nil {
		sql = fmt.Sprintf("SELECT a.%s, a.d, a.rid, a.cp FROM %s a WHERE %s", strings.Join(l.columns, ", a."), l.table(q), l.where(q)) + l.p.rest(q, "a", -1) + tail()
	} else if some := l.p.selects(q, l.p.page, tail); len(some) == 1 {
		sql = fmt.Sprintf(`SELECT d, rid, d, rid, cp FROM (%s) z ORDER BY %s`, some[0], strings.Join(order, ", "))
	} else {
		for i, x := range some {
			some[i] = fmt.Sprintf("SELECT d, rid, cp FROM (%s) u%d", x, i)
		}
		sql = fmt.Sprintf(`SELECT d, rid, d, rid, cp FROM (%s) z ORDER BY %s LIMIT %d`, strings.Join(some, " UNION "), strings.Join(order, ", "), n)
	}
	rows, err := t.c.Query(ctx, sql, q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		c := &candidate{typ: typ, at: pos{Leg: at.Leg}}
		var dest []any
		c.at.N = make([]int64, len(l.columns))
		for i := range l.columns {
			dest = append(dest, &c.at.N[i])
		}
		if l.text {
			dest[0] = &c.at.S
		}
		if err := rows.Scan(append(dest, &c.d, &c.rid, &c.cp)...); err != nil {
			return nil, err
		}
		if l.text {
			c.at.N = c.at.N[1:]
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// pull lists up to want candidates of a stream that meet all conditions.
// outcome.TooCostly when too many had to be looked at themselves.
func (t *tx) pull(ctx context.Context, s *stream, at pos, want int) (out []*candidate, err error) {
	tested, looked := s.p.checked(), 0
	for at.Leg < len(s.legs) {
		step := min(want-len(out), walkStep)
		if tested {
			step = min(max(2*step, 50), walkStep)
		}
		list, err := t.fetch(ctx, s.legs[at.Leg], s.p.typ, at, step)
		if err != nil {
			return nil, err
		}
		met := list
		if tested {
			if met, err = t.filter(ctx, s.p, list); err != nil {
				return nil, err
			}
			looked += len(list)
			t.checked += len(list) - len(met)
		}
		if want > walkStep { // nobody reads so many: their bodies need not be kept
			for _, c := range met {
				c.res, c.loaded = nil, false
			}
		}
		out = append(out, met[:min(len(met), want-len(out))]...)
		switch {
		case len(out) == want:
			return out, nil
		case len(list) < step:
			at = pos{Leg: at.Leg + 1}
		case looked >= t.s.bounds.walk:
			return nil, costly(s.p.typ)
		default:
			at = list[len(list)-1].at
		}
	}
	return out, nil
}

// filter leaves the candidates that pass all tests.
func (t *tx) filter(ctx context.Context, p *plan, list []*candidate) ([]*candidate, error) {
	for _, c := range p.conds {
		if c.test == nil || len(list) == 0 {
			continue
		}
		ok, err := c.test(ctx, list)
		if err != nil {
			return nil, err
		}
		var met []*candidate
		for i, x := range list {
			if ok[i] {
				met = append(met, x)
			}
		}
		list = met
	}
	for _, x := range list {
		x.doc, x.values = nil, nil
	}
	return list, nil
}

// cursor is what a page's link holds, sealed.
type cursor struct {
	Mode byte      `json:"m"`
	At   pos       `json:"a,omitzero"`
	Keys []sortKey `json:"k,omitempty"`
	RID  int64     `json:"r,omitempty"`
}

func purpose(q param.Query) string {
	b, _ := json.Marshal(q.Sort) // of strings: never fails
	return "search " + q.Type + strings.Join(q.Types, ",") + string(b)
}

// fill finds the matches of a page and the cursor behind it.
func (t *tx) fill(ctx context.Context, q param.Query, plans []*plan, page *store.Page) error {
	n := q.Count
	if n <= 0 {
		n = defaultCount
	}
	var from cursor
	if q.Cursor != "" {
		b, err := t.s.openCursor(purpose(q), q.Cursor)
		if err != nil || json.Unmarshal(b, &from) != nil {
			return errCursor
		}
	}
	list, mode, err := t.ordered(ctx, q, plans, from, n+1)
	if err != nil {
		return err
	}
	if len(list) > n {
		list = list[:n]
		last := list[n-1]
		b, err := json.Marshal(cursor{Mode: mode, At: last.at, Keys: last.keys, RID: last.rid})
		if err != nil {
			return err
		}
		page.Next = t.s.sealCursor(purpose(q), b)
	}
	page.Checked = t.checked
	page.Matches, err = t.shown(ctx, list)
	return err
}

// shown reads the bodies of what is given out, and notes whom it is about.
func (t *tx) shown(ctx context.Context, list []*candidate) ([]*store.Resource, error) {
	if err := t.load(ctx, list); err != nil {
		return nil, err
	}
	out := make([]*store.Resource, 0, len(list))
	for _, c := range list {
		if c.res != nil {
			t.saw(c.pats)
			out = append(out, c.res)
		}
	}
	return out, nil
}

// merged takes the first of several streams of one order, up to n.
func (t *tx) merged(ctx context.Context, streams []*stream, at pos, n int) (all []*candidate, err error) {
	for _, s := range streams {
		list, err := t.pull(ctx, s, at, n)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	if len(streams) > 1 {
		desc := streams[0].legs
		slices.SortFunc(all, func(a, b *candidate) int { return a.at.compare(b.at, desc) })
	}
	return all[:min(n, len(all))], nil
}

func (p pos) compare(o pos, legs []leg) int {
	if c := cmp.Compare(p.Leg, o.Leg); c != 0 {
		return c
	}
	c := cmp.Or(strings.Compare(p.S, o.S), slices.Compare(p.N, o.N))
	if legs[p.Leg].desc {
		return -c
	}
	return c
}
