package sqlstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

// tx is one call: what it read and wrote, for its audit row, and the index rows not yet written.
type tx struct {
	s           *Store
	c           conn
	a           store.Access
	now         time.Time
	kind        string // of the audit row when the caller gives none
	note        store.Note
	pats        map[string]struct{}
	acts        strings.Builder
	left        int
	gone, added []row
	sets        []int64 // of parameters, written by this transaction
	params      *definitions
	checked     int // candidates that were looked at and left out
}

func (s *Store) newTx(c conn, a store.Access) *tx {
	return &tx{s: s, c: c, params: s.params.Load(), a: a, now: s.clock.Now(), kind: "store", pats: map[string]struct{}{}}
}

// readOnly hides the writing half.
type readOnly struct{ store.Reader }

var (
	errNotFound = outcome.New(outcome.NotFound, "store.not-found", "Không tìm thấy hồ sơ này.", "This record was not found.")
	errDeleted  = outcome.New(outcome.Deleted, "store.deleted", "Hồ sơ này đã bị xóa.", "This record was deleted.")
	errMayNot   = outcome.New(outcome.Forbidden, "store.forbidden", "Bạn không có quyền thực hiện việc này với loại hồ sơ này.", "You may not do this with this type of record.")
	errStale    = outcome.New(outcome.Stale, "store.stale", "Hồ sơ đã được người khác sửa. Hãy tải lại rồi sửa tiếp.", "Somebody else has changed the record. Reload it and try again.")
	errExists   = outcome.New(outcome.Stale, "store.exists", "Hồ sơ này đã có.", "The record exists already.")
)

// stored is a row of res or hist.
type stored struct {
	rid, cp, h, d int64
	version       int
	updated       int64
	deleted       bool
	owner         string
	pats          []string
	body          []byte
	entries       []byte
}

func (t *tx) act(format string, args ...any) {
	if t.acts.Len() > maxActs {
		t.left++
		return
	}
	t.acts.WriteString(oneLine(fmt.Sprintf(format, args...)) + "\n")
}

func (t *tx) saw(pats []string) {
	for _, p := range pats {
		t.pats[p] = struct{}{}
	}
}

// visible is the gate on one record.
func (t *tx) visible(typ, owner string, pats []string) bool {
	f := t.a.Filter
	if f.All {
		return true
	}
	for _, p := range pats {
		if slices.Contains(f.Patients, p) {
			return true
		}
	}
	return owner != "" && slices.Contains(f.Owners, owner) || f.Public && publicTypes[typ] && len(pats) == 0
}

func (t *tx) find(ctx context.Context, k store.Key) (r stored, ok bool, err error) {
	if strings.ContainsRune(k.ID, 0) || !utf8.ValidString(k.ID) {
		return r, false, nil // no id is so, and PostgreSQL would end the call before its audit row
	}
	var pats string
	var deleted int64
	err = one(ctx, t.c, `SELECT r.rid, r.cp, r.h, r.d, r.version, r.updated, r.deleted, r.owner, r.pats, r.body, r.entries
		FROM ids i JOIN res r ON r.rid = i.rid AND r.cp = i.cp WHERE i.typ = $1 AND i.id = $2`, []any{k.Type, k.ID},
		&r.rid, &r.cp, &r.h, &r.d, &r.version, &r.updated, &deleted, &r.owner, &pats, &r.body, &r.entries)
	if outcome.KindOf(err) == outcome.NotFound {
		return r, false, nil
	}
	r.deleted, r.pats = deleted != 0, strings.Fields(pats)
	return r, err == nil, err
}

func (r stored) resource(k store.Key) (*store.Resource, error) {
	out := &store.Resource{Key: k, Version: r.version, Updated: time.UnixMilli(r.updated).UTC(), Deleted: r.deleted, Owner: r.owner}
	var err error
	if !r.deleted {
		out.Body, err = open(r.body, r.version, out.Updated)
	}
	return out, err
}

// look finds a record that the agent may see with the given act.
func (t *tx) look(ctx context.Context, k store.Key, act store.Acts) (stored, error) {
	if !t.a.Filter.May(k.Type, act) {
		return stored{}, errMayNot
	}
	r, ok, err := t.find(ctx, k)
	if err != nil {
		return r, err
	}
	if !ok || !t.visible(k.Type, r.owner, r.pats) {
		t.act("unseen %s", k)
		return r, errNotFound
	}
	t.saw(r.pats)
	return r, nil
}

func (t *tx) Read(ctx context.Context, k store.Key) (*store.Resource, error) {
	r, err := t.look(ctx, k, store.CanRead)
	if err != nil {
		return nil, err
	}
	t.act("read %s/%d", k, r.version)
	if r.deleted {
		return nil, errDeleted
	}
	return r.resource(k)
}

func (t *tx) ReadVersion(ctx context.Context, k store.Key, version int) (*store.Resource, error) {
	if !t.a.Filter.May(k.Type, store.CanRead) {
		return nil, errMayNot
	}
	list, err := t.versions(ctx, k, `version = $2`, 1, int64(version))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNotFound
	}
	if list[0].Deleted {
		return nil, errDeleted
	}
	return list[0], nil
}

func (t *tx) Query(ctx context.Context, sql string, args ...any) (store.Rows, error) {
	return t.c.Query(ctx, sql, args...)
}

func (t *tx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	return t.c.Exec(ctx, sql, args...)
}

func (t *tx) Audit(n store.Note) {
	t.note = n
	t.saw(n.Patients)
}

func (t *tx) Publish(ctx context.Context, e store.Event) error {
	return t.c.later(ctx, `INSERT INTO outbox (at, topic, key, body) VALUES ($1, $2, $3, $4)`, t.now.UnixMilli(), e.Topic, e.Key, e.Body)
}

// flush writes the index rows that wait, in the order of the tables' keys:
// neighbours share a page of SQLite, and writers on PostgreSQL meet each other
// in one order.
func (t *tx) flush(ctx context.Context) error {
	gone, added := t.gone, t.added
	slices.SortFunc(gone, compareRows)
	slices.SortFunc(added, compareRows)
	t.gone, t.added = nil, nil
	return t.c.index(ctx, gone, added)
}

func (t *tx) Put(ctx context.Context, p *store.Prepared) (*store.Resource, error) {
	c, ok := p.Engine.(*compiled)
	if !ok || c.h != t.s.h {
		return nil, fmt.Errorf("the resource was prepared by another store")
	}
	k := p.Draft.Key
	old, exists, err := t.find(ctx, k)
	if err != nil {
		return nil, err
	}
	act, owner := store.CanCreate, p.Draft.Owner
	if exists {
		act = store.CanUpdate
		if owner == "" {
			owner = old.owner
		}
		if !t.visible(k.Type, old.owner, old.pats) {
			return nil, errMayNot // somebody else's: neither changed nor shown
		}
	}
	if !t.a.Filter.May(k.Type, act) || !t.visible(k.Type, owner, c.pats) {
		return nil, errMayNot
	}
	switch m := p.Draft.IfMatch; {
	case m == store.IfNone && exists && !old.deleted:
		return nil, errExists
	case m > 0 && (!exists || old.version != m):
		return nil, errStale
	}
	t.saw(c.pats)
	if exists && !old.deleted && old.owner == owner && bytes.Equal(old.body, c.body) {
		return old.resource(k)
	}
	if d := t.s.params.Load(); c.defs != d && c.defs.prints(t.s.h) != d.prints(t.s.h) { // the parameters were changed since
		p, err = t.s.Prepare(p.Draft)
		if err != nil {
			return nil, err
		}
		c = p.Engine.(*compiled)
	}
	fresh := t.fresh(k, owner, c)
	if err := t.keepSet(ctx, k.Type, c.params); err != nil {
		return nil, err
	}
	if exists {
		err = t.replace(ctx, k, old, owner, c, fresh)
	} else {
		err = t.create(ctx, k, owner, c, fresh)
	}
	if err != nil {
		return nil, err
	}
	t.act("put %s/%d", k, old.version+1)
	if err := t.changed(ctx, k, old.version+1, false); err != nil {
		return nil, err
	}
	out := stored{version: old.version + 1, updated: t.now.UnixMilli(), owner: owner, body: c.body}
	res, err := out.resource(k)
	if res != nil {
		res.Changed = true
	}
	return res, err
}

// keepSet writes which parameters a set holds, once.
func (t *tx) keepSet(ctx context.Context, typ, params string) error {
	v := t.s.h.set(typ, params)
	if _, known := t.s.sets.Load(v); known || slices.Contains(t.sets, v) {
		return nil
	}
	t.sets = append(t.sets, v)
	return t.c.later(ctx, `INSERT INTO paramset (typ, v, params) VALUES ($1, $2, $3) ON CONFLICT (typ, v) DO NOTHING`, typ, v, params)
}

func (t *tx) changed(ctx context.Context, k store.Key, version int, deleted bool) error {
	op := "put"
	if deleted {
		op = "delete"
	}
	return t.Publish(ctx, store.Event{Topic: "resource", Key: k.String(), Body: fmt.Appendf(nil, `{"op":%q,"version":%d}`, op, version)})
}

// place says where a resource goes: its shard, and its place in lists.
func (t *tx) place(k store.Key, c *compiled) (rid, cp, d int64) {
	key := k.String()
	if len(c.pats) > 0 {
		key = c.pats[0]
	}
	cp = t.s.h.shard(key)
	rid = t.s.next(t.now, cp)
	d = c.d
	if !c.dated {
		d = -t.now.UnixMilli()
	}
	return rid, cp, d
}

func (t *tx) create(ctx context.Context, k store.Key, owner string, c *compiled, fresh []entry) error {
	rid, cp, d := t.place(k, c)
	const sql = `INSERT INTO res (rid, cp, h, typ, id, version, updated, deleted, owner, pats, d, body, entries)
		VALUES ($1,$2,$3,$4,$5,1,$6,0,$7,$8,$9,$10,$11)`
	for range 8 { // 4,096 row ids a millisecond and shard: this one may be taken
		args := []any{rid, cp, t.s.h.target(k.Type, k.ID), k.Type, k.ID, t.now.UnixMilli(), owner, strings.Join(c.pats, " "), d, c.body, pack(fresh)}
		if t.s.e.dialect() == db.Postgres { // which runs the transaction again in that case
			if err := t.c.later(ctx, sql, args...); err != nil {
				return err
			}
			break
		}
		n, err := t.c.Exec(ctx, sql+` ON CONFLICT (rid, cp) DO NOTHING`, args...)
		if err != nil {
			return err
		}
		if n == 1 {
			break
		}
		rid = t.s.next(t.now, cp)
	}
	if err := t.c.later(ctx, `INSERT INTO ids (typ, id, rid, cp) VALUES ($1, $2, $3, $4)`, k.Type, k.ID, rid, cp); err != nil {
		return err
	}
	t.index(nil, 0, fresh, d, rid, cp)
	return nil
}

func (t *tx) index(gone []entry, goneD int64, added []entry, addedD, rid, cp int64) {
	for _, e := range gone {
		t.gone = append(t.gone, row{e, goneD, rid, cp})
	}
	for _, e := range added {
		t.added = append(t.added, row{e, addedD, rid, cp})
	}
}

// keep moves the current version to the history.
func (t *tx) keep(ctx context.Context, r stored) error {
	if err := t.flush(ctx); err != nil { // the same resource may be written twice in one transaction
		return err
	}
	return t.c.later(ctx, `INSERT INTO hist (rid, cp, typ, version, updated, until, deleted, owner, pats, body)
		SELECT rid, cp, typ, version, updated, $3, deleted, owner, pats, body FROM res WHERE rid = $1 AND cp = $2`, r.rid, r.cp, t.now.UnixMilli())
}

func (t *tx) replace(ctx context.Context, k store.Key, old stored, owner string, c *compiled, fresh []entry) error {
	if err := t.keep(ctx, old); err != nil {
		return err
	}
	before, err := unpack(old.entries)
	if err != nil {
		return err
	}
	rid, cp, d := t.place(k, c)
	if !c.dated {
		d = old.d
	}
	if cp == old.cp {
		rid = old.rid
	} else if err := t.move(ctx, k, old, rid, cp); err != nil { // it is about another person now
		return err
	}
	if err := t.c.later(ctx, `UPDATE res SET version = $3, updated = $4, deleted = 0, owner = $5, pats = $6, d = $7, body = $8, entries = $9
		WHERE rid = $1 AND cp = $2`, rid, cp, int64(old.version+1), t.now.UnixMilli(), owner, strings.Join(c.pats, " "), d, c.body, pack(fresh)); err != nil {
		return err
	}
	if d == old.d && rid == old.rid {
		gone, added := diff(before, fresh)
		t.index(gone, d, added, d, rid, cp)
		return nil
	}
	t.index(before, old.d, nil, 0, old.rid, old.cp)
	t.index(nil, 0, fresh, d, rid, cp)
	return nil
}

func (t *tx) move(ctx context.Context, k store.Key, old stored, rid, cp int64) error {
	for _, sql := range []string{
		`UPDATE res SET rid = $3, cp = $4 WHERE rid = $1 AND cp = $2`, `UPDATE hist SET rid = $3, cp = $4 WHERE rid = $1 AND cp = $2`,
	} {
		if err := t.c.later(ctx, sql, old.rid, old.cp, rid, cp); err != nil {
			return err
		}
	}
	return t.c.later(ctx, `UPDATE ids SET rid = $3, cp = $4 WHERE typ = $1 AND id = $2`, k.Type, k.ID, rid, cp)
}

func (t *tx) Delete(ctx context.Context, k store.Key, ifMatch int) error {
	if !t.a.Filter.May(k.Type, store.CanDelete) {
		return errMayNot
	}
	old, exists, err := t.find(ctx, k)
	if err != nil {
		return err
	}
	if !exists || old.deleted {
		return nil // FHIR R4 http.html#delete: deleting what is gone is a success
	}
	if !t.visible(k.Type, old.owner, old.pats) {
		t.act("unseen %s", k)
		return errNotFound
	}
	if ifMatch > 0 && ifMatch != old.version {
		return errStale
	}
	t.saw(old.pats)
	if err := t.keep(ctx, old); err != nil {
		return err
	}
	before, err := unpack(old.entries)
	if err != nil {
		return err
	}
	if err := t.c.later(ctx, `UPDATE res SET version = $3, updated = $4, deleted = 1, body = $5, entries = $5 WHERE rid = $1 AND cp = $2`,
		old.rid, old.cp, int64(old.version+1), t.now.UnixMilli(), []byte{}); err != nil {
		return err
	}
	t.index(before, old.d, nil, 0, old.rid, old.cp)
	t.act("delete %s/%d", k, old.version+1)
	return t.changed(ctx, k, old.version+1, true)
}

// Claim is described at store.Tx.
func (t *tx) Claim(ctx context.Context, key string) error {
	return t.c.claim(ctx, t.s.h.of("claim", key))
}
