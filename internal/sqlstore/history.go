package sqlstore

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/store"
)

// period is what a history is bounded to, in milliseconds: made since, and
// current at some time of at ≤ time < end.
type period struct{ since, at, end int64 }

func periodOf(since, at, end time.Time) period {
	p := period{math.MinInt64, math.MinInt64, math.MaxInt64}
	if !since.IsZero() {
		p.since = since.UnixMilli()
	}
	if at.IsZero() {
		return p
	}
	p.at, p.end = at.UnixMilli(), at.UnixMilli()+1
	if end.After(at) {
		p.end = end.UnixMilli()
	}
	return p
}

// past are the columns of a version; the current one has no end yet.
const (
	pastColumns = `version, updated, until, deleted, owner, pats, body`
	currentRow  = `version, updated, 9223372036854775807 AS until, deleted, owner, pats, body`
)

// History is described at store.Reader.
func (t *tx) History(ctx context.Context, k store.Key, p store.HistoryPage) ([]*store.Resource, error) {
	if !t.a.Filter.May(k.Type, store.CanHistory) {
		return nil, errMayNot
	}
	before, n, b := int64(math.MaxInt64), p.Count, periodOf(p.Since, p.At, p.AtEnd)
	if p.Before > 0 {
		before = int64(p.Before)
	}
	if n <= 0 {
		n = defaultCount
	}
	list, err := t.versions(ctx, k, `version < $2 AND updated >= $3 AND updated < $4 AND until > $5`, n, before, b.since, b.end, b.at)
	if err != nil || len(list) > 0 {
		return list, err
	}
	_, err = t.look(ctx, k, store.CanHistory) // nothing in these bounds, or nothing at all
	return nil, err
}

// versions lists what the agent may see: every version by its own owner and persons.
func (t *tx) versions(ctx context.Context, k store.Key, where string, limit int, args ...any) (out []*store.Resource, err error) {
	r, ok, err := t.find(ctx, k)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNotFound
	}
	rows, err := t.c.Query(ctx, fmt.Sprintf(`SELECT %s FROM (SELECT %s FROM res WHERE rid = $1 UNION ALL SELECT %s FROM hist WHERE rid = $1) q
		WHERE %s ORDER BY version DESC`, pastColumns, currentRow, pastColumns, where), append([]any{r.rid}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for len(out) < limit && rows.Next() {
		var v stored
		var pats string
		var deleted, until int64
		if err := rows.Scan(&v.version, &v.updated, &until, &deleted, &v.owner, &pats, &v.body); err != nil {
			return nil, err
		}
		v.deleted, v.pats = deleted != 0, strings.Fields(pats)
		if out, err = t.show(out, k, v); err != nil {
			return nil, err
		}
	}
	return out, rows.Err()
}

// show adds a version to a list if the agent may see it.
func (t *tx) show(list []*store.Resource, k store.Key, v stored) ([]*store.Resource, error) {
	if !t.visible(k.Type, v.owner, v.pats) {
		return list, nil
	}
	t.saw(v.pats)
	t.act("read %s/%d", k, v.version)
	res, err := v.resource(k)
	if err != nil {
		return list, err
	}
	return append(list, res), nil
}

// walkStep is how many rows are read at a time.
const walkStep = 500

// Changes is described at store.Reader.
func (t *tx) Changes(ctx context.Context, q store.ChangesQuery) (*store.ChangesPage, error) {
	types, err := t.historyTypes(ctx, q.Types)
	if err != nil {
		return nil, err
	}
	n := q.Count
	if n <= 0 {
		n = defaultCount
	}
	at := change{updated: math.MaxInt64, rid: math.MaxInt64, version: math.MaxInt64}
	if q.Cursor != "" {
		c, err := t.s.readCursor("changes", q.Cursor, 3)
		if err != nil {
			return nil, err
		}
		at = change{updated: c[0], rid: c[1], version: c[2]}
	}
	page, bounds := &store.ChangesPage{Total: -1}, periodOf(q.Since, q.At, q.AtEnd)
	for seen := 0; seen < t.s.bounds.walk; {
		step := min(walkStep, n-len(page.Versions)+1)
		list, err := t.changes(ctx, types, bounds, at, step)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if len(page.Versions) == n {
				page.Next = t.s.writeCursor("changes", at.updated, at.rid, at.version)
				return page, nil
			}
			if page.Versions, err = t.show(page.Versions, c.key, c.stored()); err != nil {
				return nil, err
			}
			at = c
		}
		if len(list) < step {
			return page, nil
		}
		seen += len(list)
	}
	page.Next = t.s.writeCursor("changes", at.updated, at.rid, at.version)
	return page, nil
}

// historyTypes are the types whose history is asked for and may be seen: of
// those not named, all that the store has.
func (t *tx) historyTypes(ctx context.Context, named []string) ([]string, error) {
	for _, typ := range named {
		if !t.a.Filter.May(typ, store.CanHistory) {
			return nil, errMayNot
		}
	}
	if named != nil {
		named = slices.Clone(named)
		slices.Sort(named)
		return slices.Compact(named), nil
	}
	return t.types(ctx, store.CanHistory)
}

// types are the types of which the store has or had resources and on which the agent may act.
func (t *tx) types(ctx context.Context, act store.Acts) (list []string, err error) {
	rows, err := t.c.Query(ctx, `SELECT DISTINCT typ FROM paramset ORDER BY typ`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var typ string
		if err := rows.Scan(&typ); err != nil {
			return nil, err
		}
		if t.a.Filter.May(typ, act) {
			list = append(list, typ)
		}
	}
	return list, rows.Err()
}

// change is one version in the history of many resources.
type change struct {
	key                   store.Key
	rid, version, updated int64
	deleted               int64
	owner, pats           string
	body                  []byte
}

func (c change) stored() stored {
	return stored{rid: c.rid, version: int(c.version), updated: c.updated, deleted: c.deleted != 0, owner: c.owner, pats: strings.Fields(c.pats), body: c.body}
}

// changes lists the versions behind one, newest first: a range of the indexes
// by time for each type, current and past.
func (t *tx) changes(ctx context.Context, types []string, b period, after change, n int) (list []change, err error) {
	if len(types) == 0 {
		return nil, nil
	}
	var q text
	since, at := q.arg(b.since), q.arg(b.at)
	var behind string
	if b.end <= after.updated {
		behind = "a.updated < " + q.arg(b.end)
	} else {
		behind = fmt.Sprintf(`a.updated <= %[1]s AND (a.updated < %[1]s OR a.rid < %[2]s OR a.rid = %[2]s AND a.version < %[3]s)`,
			q.arg(after.updated), q.arg(after.rid), q.arg(after.version))
	}
	var parts []string
	for i, typ := range types {
		where := fmt.Sprintf(`a.typ = %s AND a.updated >= %s AND %s`, q.arg(typ), since, behind)
		order := fmt.Sprintf(`ORDER BY a.updated DESC, a.rid DESC, a.version DESC LIMIT %d`, n)
		parts = append(parts,
			fmt.Sprintf(`SELECT * FROM (SELECT a.typ, a.rid, a.cp, a.version, a.updated, 0 AS past FROM res a WHERE %s %s) r%d`, where, order, i),
			fmt.Sprintf(`SELECT * FROM (SELECT a.typ, a.rid, a.cp, a.version, a.updated, 1 AS past FROM hist a WHERE %s AND a.until > %s %s) h%d`, where, at, order, i))
	}
	rows, err := t.c.Query(ctx, fmt.Sprintf(`SELECT z.typ, r.id, z.rid, z.version, z.updated,
		CASE z.past WHEN 0 THEN r.deleted ELSE h.deleted END, CASE z.past WHEN 0 THEN r.owner ELSE h.owner END,
		CASE z.past WHEN 0 THEN r.pats ELSE h.pats END, CASE z.past WHEN 0 THEN r.body ELSE h.body END
		FROM (SELECT * FROM (%s) y ORDER BY updated DESC, rid DESC, version DESC LIMIT %d) z
		JOIN res r ON r.rid = z.rid AND r.cp = z.cp LEFT JOIN hist h ON z.past = 1 AND h.rid = z.rid AND h.version = z.version AND h.cp = z.cp
		ORDER BY z.updated DESC, z.rid DESC, z.version DESC`, strings.Join(parts, " UNION ALL "), n), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c change
		if err := rows.Scan(&c.key.Type, &c.key.ID, &c.rid, &c.version, &c.updated, &c.deleted, &c.owner, &c.pats, &c.body); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
