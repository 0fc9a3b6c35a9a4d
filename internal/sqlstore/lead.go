package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// probe counts the rows of a condition up to the bound.
func (t *tx) probe(ctx context.Context, c cond, in *place) (n int64, err error) {
	return t.upTo(ctx, c, in, t.s.bounds.probe)
}

// upTo counts the rows of a condition up to a limit.
func (t *tx) upTo(ctx context.Context, c cond, in *place, limit int) (n int64, err error) {
	q := t.text()
	if c.v != nil && len(c.v) <= maxListed {
		// Each value by itself: PostgreSQL, given several and a LIMIT, goes through the whole table.
		parts := make([]string, len(c.v))
		for i, v := range c.v {
			parts[i] = fmt.Sprintf(`SELECT 1 FROM (SELECT 1 FROM post a WHERE a.v = %s%s LIMIT %d) u%d`, q.arg(v), in.within(q, "a"), limit, i)
		}
		err = one(ctx, t.c, `SELECT COUNT(*) FROM (`+strings.Join(parts, " UNION ALL ")+`) q`, q.args, &n)
		return min(n, int64(limit)), err
	}
	from, where := "post", ""
	if c.v != nil {
		where = q.in("a.v", c.v)
	} else {
		from, where = c.from(q)
	}
	order := ""
	if c.rear {
		order = " ORDER BY a.p DESC, a.lo DESC, a.hi DESC"
	}
	err = one(ctx, t.c, fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT 1 FROM %s a WHERE %s%s LIMIT %d) q`, from, where+in.within(q, "a"), order, limit), q.args, &n)
	return n, err
}

// inOf gives the bounds that one of the conditions sets to d, nil when none does.
func inOf(conds []cond) *place {
	for _, c := range conds {
		if c.in != nil {
			return c.in
		}
	}
	return nil
}

// enough is a number of rows to start from that no further probe would pay for.
const enough = 32

// lead picks the condition that a search starts from: the rarest posting, else
// text or range, else all of the type. What is rare most often is probed first,
// and the first that is rare enough ends it. A page starts from a
// posting (ordered) rather than from a long range of dates, since postings are
// kept in the order of the page.
func (t *tx) lead(ctx context.Context, conds []cond) (best, ordered int, least int64, err error) {
	probe := int64(t.s.bounds.probe)
	best, least = len(conds)-1, probe+1
	in := inOf(conds)
	slices.SortStableFunc(conds[:len(conds)-1], func(x, y cond) int { return cmp.Compare(rank(x), rank(y)) })
	byPosting := slices.ContainsFunc(conds, func(c cond) bool { return c.v != nil && !c.not && !c.void })
	for i, c := range conds[:len(conds)-1] {
		if c.not || c.v == nil && c.from == nil || c.rear && byPosting && least < probe {
			continue
		}
		limit := t.s.bounds.probe
		// Far beyond the shortest there is nothing to learn. A power of two makes
		// for few texts; PostgreSQL plans badly for a limit that it does not know.
		if c.v != nil {
			limit = min(limit, 1<<bits.Len64(uint64(least)))
		}
		n, err := t.upTo(ctx, c, in, limit)
		if err != nil {
			return 0, 0, 0, err
		}
		if n < least || n == least && c.v != nil && conds[best].v == nil {
			best, least = i, n
		}
		if least <= enough {
			break
		}
	}
	if c := conds[best]; least == probe && (c.once || len(c.v) > maxListed) {
		return best, len(conds) - 1, least, nil
	}
	return best, best, least, nil
}

// rank puts references before other postings, what the gate admits behind
// those, then ranges, and those that must be gone through last.
func rank(c cond) int {
	switch {
	case c.v != nil && c.row != nil:
		return 0
	case c.v != nil && !c.broad:
		return 1
	case c.v != nil:
		return 2
	case c.rear:
		return 4
	}
	return 3
}

// rarest finds where to start a count from when probes found many rows of each
// condition: it goes along their lists in turn, each time further, until one
// ends. That costs a part of the count itself, which goes through the whole
// list with a look-up for each row.
func (t *tx) rarest(ctx context.Context, p *plan) (int, error) {
	var lists []int
	for i, c := range p.conds {
		if c.v != nil && !c.not && !c.void && len(c.v) <= maxListed {
			lists = append(lists, i)
		}
	}
	if p.few || len(lists) < 2 {
		return p.lead, nil
	}
	in := inOf(p.conds)
	for limit := 8 * t.s.bounds.probe; limit <= maxRace; limit *= 8 {
		for _, i := range lists {
			if n, err := t.upTo(ctx, p.conds[i], in, limit); err != nil || n < int64(limit) {
				return i, err
			}
		}
	}
	return p.lead, nil
}

// maxRace is how far rarest goes.
const maxRace = 1 << 18

// rest writes all conditions but one for the row named a.
func (p *plan) rest(q *text, a string, but int) string {
	var and strings.Builder
	for i, c := range p.conds {
		if i == but || c.void { // every row of the type is in "all"
			continue
		}
		and.WriteString(" AND " + c.where(q, a))
		if but < 0 {
			and.WriteString(c.in.within(q, a))
		}
	}
	return and.String()
}

// selects writes one SELECT of d, rid, cp for each posting of the leading condition.
func (p *plan) selects(q *text, lead int, tail func() string) []string {
	in, c := inOf(p.conds), p.conds[lead]
	if c.v == nil {
		from, where := c.from(q)
		distinct := "DISTINCT "
		if c.once {
			distinct = ""
		}
		return []string{fmt.Sprintf(`SELECT %sa.d, a.rid, a.cp FROM %s a WHERE %s`, distinct, from, where) + in.within(q, "a") + p.rest(q, "a", lead) + tail()}
	}
	if len(c.v) > maxListed {
		return []string{`SELECT DISTINCT a.d, a.rid, a.cp FROM post a WHERE ` + q.in("a.v", c.v) + in.within(q, "a") + p.rest(q, "a", lead) + tail()}
	}
	var out []string
	for _, v := range c.v {
		out = append(out, `SELECT a.d, a.rid, a.cp FROM post a WHERE a.v = `+q.arg(v)+in.within(q, "a")+p.rest(q, "a", lead)+tail())
	}
	return out
}

// totals counts what meets the plans. For an estimate what only the resources
// themselves could tell is left out.
func (t *tx) totals(ctx context.Context, plans []*plan, estimate bool, page *store.Page) error {
	page.Total = 0
	for _, p := range plans {
		if !p.checked() || estimate {
			lead, err := t.rarest(ctx, p)
			if err != nil {
				return err
			}
			n, err := t.total(ctx, p, lead)
			if err != nil {
				return err
			}
			page.Total += n
			page.Estimate = page.Estimate || p.checked()
			continue
		}
		list, err := t.pull(ctx, p.byPlace(false), pos{}, t.s.bounds.walk+1)
		if err != nil {
			return err
		}
		page.Total += len(list)
	}
	return nil
}

// total counts what meets the conditions. What a rare posting takes away is
// counted by itself and taken off, which spares a look at every other row.
func (t *tx) total(ctx context.Context, p *plan, lead int) (int, error) {
	for i, c := range p.conds {
		if !c.not || c.v == nil {
			continue
		}
		if n, err := t.probe(ctx, c, nil); err != nil || n == int64(t.s.bounds.probe) {
			if err != nil {
				return 0, err
			}
			continue
		}
		c.not = false
		with := plan{typ: p.typ, conds: slices.Clone(p.conds)}
		with.conds[i] = c
		minus, err := t.count(ctx, &with, i)
		if err != nil {
			return 0, err
		}
		without := plan{typ: p.typ, conds: slices.Clone(p.conds)}
		without.conds[i] = cond{v: p.conds[len(p.conds)-1].v, in: c.in, void: true}
		plus, err := t.total(ctx, &without, lead)
		return plus - minus, err
	}
	return t.count(ctx, p, lead)
}

func (t *tx) count(ctx context.Context, p *plan, lead int) (n int, err error) {
	q := t.text()
	list := p.selects(q, lead, func() string { return "" })
	var total int64
	err = one(ctx, t.c, `SELECT COUNT(*) FROM (`+strings.Join(list, " UNION ")+`) q`, q.args, &total)
	return int(total), err
}
