package sqlstore

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// progress is a place in a reindex: the row id behind which it goes on, and the
// parameters for which it was begun.
type progress struct {
	RID    int64  `json:"r"`
	Prints uint64 `json:"p"`
	Done   int    `json:"n"`
}

var errOtherParams = outcome.New(outcome.Conflict, "store.reindex-other",
	"Các tham số tìm kiếm đã thay đổi trong khi lập chỉ mục. Hãy bắt đầu lại từ đầu.",
	"The search parameters were changed while the index was made. Begin again.")

// Reindex makes the index entries of up to n resources anew, in one
// transaction, and gives their count and the cursor with which the next call goes
// on: "" begins, and is given when all is done. Then the parameters that were pending answer. No version is made and
// nobody is told, since the resources stay as they are. outcome.Conflict when
// the parameters were changed since it was begun: begin again. Only who sees and
// may change everything may do it.
func (s *Store) Reindex(ctx context.Context, a store.Access, cursor string, n int) (next string, count int, err error) {
	defer outcome.Wrap(&err, "sqlstore.Reindex")
	d := s.params.Load()
	at := progress{Prints: d.prints(s.h)}
	if cursor != "" {
		b, err := s.openCursor("reindex", cursor)
		if err != nil || json.Unmarshal(b, &at) != nil {
			return "", 0, errCursor
		}
		if at.Prints != d.prints(s.h) {
			return "", 0, errOtherParams
		}
	}
	err = s.Update(ctx, a, func(x store.Tx) error {
		t := x.(*tx)
		if !a.Filter.All || !a.Filter.May("*", store.CanUpdate) {
			return errMayNot
		}
		t.Audit(store.Note{Action: "store.reindex"})
		next, count, err = t.reindex(ctx, d, at, max(1, n))
		return err
	})
	if err == nil && next == "" {
		s.params.CompareAndSwap(d, &definitions{Registry: d.Registry, own: d.own})
	}
	return next, count, err
}

// prints tells sets of parameters apart.
func (d *definitions) prints(h hasher) uint64 {
	parts := []string{"prints"}
	for _, o := range d.own {
		parts = append(parts, o.Base, o.Code, o.Print)
	}
	return uint64(h.of(parts...))
}

func (t *tx) reindex(ctx context.Context, d *definitions, at progress, n int) (next string, count int, err error) {
	type line struct {
		stored
		key store.Key
	}
	rows, err := t.c.Query(ctx, `SELECT rid, cp, d, typ, id, version, updated, owner, pats, body, entries FROM res WHERE rid > $1 AND deleted = 0 ORDER BY rid LIMIT $2`, at.RID, int64(n))
	if err != nil {
		return "", 0, err
	}
	var list []line
	for rows.Next() {
		var l line
		var pats string
		if err := rows.Scan(&l.rid, &l.cp, &l.d, &l.key.Type, &l.key.ID, &l.version, &l.updated, &l.owner, &pats, &l.body, &l.entries); err != nil {
			rows.Close()
			return "", 0, err
		}
		l.pats = strings.Fields(pats)
		list = append(list, l)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return "", 0, err
	}
	for _, l := range list {
		if err := t.reindexOne(ctx, d, l.key, l.stored); err != nil {
			return "", 0, err
		}
		at.RID = l.rid
	}
	at.Done += len(list)
	if len(list) < n {
		return "", len(list), indexed(ctx, t.c, d.own)
	}
	b, err := json.Marshal(at)
	return t.s.sealCursor("reindex", b), len(list), err
}

func (t *tx) reindexOne(ctx context.Context, d *definitions, k store.Key, r stored) error {
	body, err := open(r.body, r.version, time.UnixMilli(r.updated))
	if err != nil {
		return err
	}
	doc, err := r4.Parse(body)
	if err != nil {
		return err
	}
	c := &compiled{}
	if _, err := t.s.compile(c, d, k, doc); err != nil {
		return err
	}
	before, err := unpack(r.entries)
	if err != nil {
		return err
	}
	fresh := t.fresh(k, r.owner, c)
	gone, added := diff(before, fresh)
	if len(gone)+len(added) == 0 {
		return nil
	}
	if err := t.keepSet(ctx, k.Type, c.params); err != nil {
		return err
	}
	if _, err := t.c.Exec(ctx, `UPDATE res SET entries = $3 WHERE rid = $1 AND cp = $2`, r.rid, r.cp, pack(fresh)); err != nil {
		return err
	}
	t.index(gone, r.d, added, r.d, r.rid, r.cp)
	return nil
}

// fresh are all index entries of a resource, sorted: those of its text, and
// what follows from whose it is.
func (t *tx) fresh(k store.Key, owner string, c *compiled) []entry {
	list := slices.Clone(c.entries)
	if owner != "" {
		list = append(list, entry{t: post, a: t.s.h.of("own", k.Type, owner)})
	} else {
		list = append(list, c.links...)
	}
	slices.SortFunc(list, compareEntries)
	return list
}
