package sqlstore

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// candidate is a resource that the index found: its body is read when a test or the page needs it.
type candidate struct {
	row
	typ    string
	at     pos
	keys   []sortKey // when sorted by keys
	owner  string
	pats   []string
	res    *store.Resource // nil until loaded, and when it is not to be seen
	loaded bool
	doc    *r4.Doc
	values []param.Value
}

// load reads the bodies that are not there yet, some hundred at a time.
func (t *tx) load(ctx context.Context, list []*candidate) error {
	var need []*candidate
	for _, c := range list {
		if !c.loaded {
			need = append(need, c)
		}
	}
	for some := range chunks(need) {
		byRID, rids := map[int64]*candidate{}, make([]int64, len(some))
		for i, c := range some {
			byRID[c.rid], rids[i], c.loaded = c, c.rid, true
		}
		if err := t.loadSome(ctx, byRID, rids); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) loadSome(ctx context.Context, byRID map[int64]*candidate, rids []int64) error {
	q := t.text()
	rows, err := t.c.Query(ctx, `SELECT a.rid, a.id, a.version, a.updated, a.owner, a.pats, a.body FROM res a WHERE a.deleted = 0 AND `+q.in("a.rid", rids), q.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var r stored
		var pats, id string
		if err := rows.Scan(&r.rid, &id, &r.version, &r.updated, &r.owner, &pats, &r.body); err != nil {
			return err
		}
		c := byRID[r.rid]
		if c == nil {
			continue
		}
		c.owner, c.pats = r.owner, strings.Fields(pats)
		if !t.visible(c.typ, c.owner, c.pats) { // the index and the row say the same; if not, the row counts
			continue
		}
		if c.res, err = r.resource(store.Key{Type: c.typ, ID: id}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// extract finds the values of a candidate's parameters.
func (c *candidate) extract(reg *param.Registry) (err error) {
	if c.doc != nil || c.res == nil {
		return nil
	}
	if c.doc, err = r4.Parse(c.res.Body); err != nil {
		return err
	}
	if c.values, err = reg.Extract(c.doc); err == nil {
		c.values = append(c.values, param.Meta{ID: c.res.Key.ID, Updated: c.res.Updated}.Values()...)
	}
	return err
}

// holds puts a clause to the text of the resource itself.
func (t *tx) holds(typ string, clause param.Clause) tester {
	return func(ctx context.Context, list []*candidate) ([]bool, error) {
		if err := t.load(ctx, list); err != nil {
			return nil, err
		}
		ok := make([]bool, len(list))
		for i, c := range list {
			if err := c.extract(t.params.Registry); err != nil || c.res == nil {
				if err != nil {
					return nil, err
				}
				continue
			}
			var err error
			if textual(clause) {
				ok[i], err = param.HoldsText(c.doc, clause)
			} else {
				ok[i], err = t.params.Holds(clause, typ, c.values)
			}
			if err != nil {
				return nil, err
			}
		}
		return ok, ctx.Err()
	}
}

func textual(c param.Clause) bool { return c.Param == "_text" || c.Param == "_content" }

// answered says early that a clause can't be told from the resource.
func (t *tx) answered(typ string, c param.Clause) (err error) {
	if textual(c) {
		return nil
	}
	_, err = t.params.Holds(c, typ, nil)
	return err
}
