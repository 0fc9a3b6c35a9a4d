package sqlstore

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

// Cursor is a position in the outbox, in the order of commits.
type Cursor struct{ Commit, Seq int64 }

// Published is an event with the cursor behind it.
type Published struct {
	store.Event
	At    int64 // UTC milliseconds
	After Cursor
}

// Outbox lists up to n events after a cursor, in commit order. On PostgreSQL a
// sequence is not that order: events of transactions newer than the oldest
// still running are left for the next call, so that none is ever passed over.
// It gives what was published whoever it is about: for the machinery that
// delivers, which must hold each receiver to what that one may see.
func (s *Store) Outbox(ctx context.Context, after Cursor, n int) (list []Published, err error) {
	defer outcome.Wrap(&err, "sqlstore.Outbox")
	bound := ""
	if s.e.dialect() == db.Postgres {
		bound = ` AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`
	}
	err = s.e.view(ctx, func(c conn) error {
		list = nil
		rows, err := c.Query(ctx, `SELECT xid, seq, at, topic, key, body FROM outbox WHERE (xid, seq) > ($1, $2)`+bound+` ORDER BY xid, seq LIMIT $3`,
			after.Commit, after.Seq, int64(n))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p Published
			if err := rows.Scan(&p.After.Commit, &p.After.Seq, &p.At, &p.Topic, &p.Key, &p.Body); err != nil {
				return err
			}
			list = append(list, p)
		}
		return rows.Err()
	}, nil)
	return list, err
}

// Head is the cursor behind everything that Outbox would list now.
func (s *Store) Head(ctx context.Context) (at Cursor, err error) {
	defer outcome.Wrap(&err, "sqlstore.Head")
	bound := ""
	if s.e.dialect() == db.Postgres {
		bound = ` WHERE xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`
	}
	err = s.e.view(ctx, func(c conn) error {
		err := one(ctx, c, `SELECT xid, seq FROM outbox`+bound+` ORDER BY xid DESC, seq DESC LIMIT 1`, nil, &at.Commit, &at.Seq)
		if outcome.KindOf(err) == outcome.NotFound {
			return nil
		}
		return err
	}, nil)
	return at, err
}
