package sqlstore

import (
	"cmp"
	"context"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

// engine is a database. Both functions may run f again after a conflict.
type engine interface {
	dialect() db.Dialect
	// view runs f in one snapshot. When it returns nil, what audit wrote is on disk; audit may be nil.
	view(ctx context.Context, f, audit func(conn) error) error
	// update runs f in one transaction; it is on disk when update returns nil.
	update(ctx context.Context, f func(conn) error) error
	// commits counts the transactions that have been put on disk.
	commits() int64
	close() error
}

// conn is the one transaction of a call. SQL text has $1 parameters of the
// types int64, float64, string, []byte and bool.
type conn interface {
	Script(ctx context.Context, sql string) error
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
	// later is Exec whose count nobody needs: it is run before the next statement, with whose answer its error may come, or before the commit.
	later(ctx context.Context, sql string, args ...any) error
	// claim makes transactions that claim the same key run one after the other, each with a snapshot that has what the one before wrote.
	claim(ctx context.Context, key int64) error
	// index takes rows away and adds others: a labelled pair, since PostgreSQL wants few round trips and SQLite few plans.
	index(ctx context.Context, gone, added []row) error
	// log writes the row of audit that args are, and whom it is about: a labelled pair for the same reason.
	log(ctx context.Context, args []any, patients []string) error
}

// logRow adds a row of audit.
const logRow = `INSERT INTO audit (at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, patients, nonce)
	VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)`

// row is an entry at its place.
type row struct {
	entry
	d, rid, cp int64
}

func compareRows(x, y row) int {
	return cmp.Or(compareEntries(x.entry, y.entry), cmp.Compare(x.d, y.d), cmp.Compare(x.rid, y.rid))
}
