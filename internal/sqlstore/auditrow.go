package sqlstore

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

const auditColumns = `seq, xid, at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, patients, nonce`

// AuditAfter lists up to n audit rows behind a place, in the order of commits.
// As with Outbox, rows of transactions newer than the oldest still running are
// left for the next call, so that none is ever passed over. It leaves no audit
// row: it is for the log over the audit rows, each of whose looks would ask for another.
func (s *Store) AuditAfter(ctx context.Context, commit, seq int64, n int) (list []store.AuditRow, err error) {
	defer outcome.Wrap(&err, "sqlstore.AuditAfter")
	if s.e.dialect() == db.Postgres {
		list, err = s.auditRows(ctx, `WHERE xid > 0 AND (xid, seq) > ($1, $2) AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
			ORDER BY xid, seq LIMIT $3`, commit, seq, int64(n))
		if err == nil && len(list) == 0 {
			err = s.notBehind(ctx, commit)
		}
		return list, err
	}
	return s.auditRows(ctx, `WHERE seq > $1 ORDER BY seq LIMIT $2`, seq, int64(n))
}

var errClusterBehind = outcome.New(outcome.Exception, "store.cluster-behind",
	"Máy chủ PostgreSQL này đếm giao dịch thấp hơn dữ liệu mà nó giữ (thường do chuyển bằng pg_dump): thứ tự nhật ký không còn đúng. Hãy đặt lại bộ đếm bằng pg_resetwal -x rồi chạy lại.",
	"This PostgreSQL server counts transactions lower than the data it holds (as after a move by pg_dump): the order of the log would be lost. Set its counter on with pg_resetwal -x and start again.")

// notBehind refuses a server whose transactions are numbered below those in
// its data: new rows would stand before old ones and never be listed.
func (s *Store) notBehind(ctx context.Context, commit int64) error {
	return s.e.view(ctx, func(c conn) error {
		var next int64
		err := one(ctx, c, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`, nil, &next)
		if err == nil && next <= commit {
			err = errClusterBehind
		}
		return err
	}, nil)
}

// AuditBetween lists the audit rows from one number to another, by number. It leaves no audit row.
func (s *Store) AuditBetween(ctx context.Context, first, last int64) (list []store.AuditRow, err error) {
	defer outcome.Wrap(&err, "sqlstore.AuditBetween")
	return s.auditRows(ctx, `WHERE seq BETWEEN $1 AND $2 ORDER BY seq`, first, last)
}

func (s *Store) auditRows(ctx context.Context, where string, args ...any) (list []store.AuditRow, err error) {
	err = s.e.view(ctx, func(c conn) error {
		list = nil
		rows, err := c.Query(ctx, `SELECT `+auditColumns+` FROM audit `+where, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r store.AuditRow
			if err := rows.Scan(&r.Seq, &r.Commit, &r.At, &r.Kind, &r.Agent, &r.Name, &r.Facility, &r.Role, &r.Purpose, &r.Rule, &r.Action,
				&r.Outcome, &r.Entity, &r.Detail, &r.Acts, &r.Request, &r.Remote, &r.Patients, &r.Nonce); err != nil {
				return err
			}
			list = append(list, r)
		}
		return rows.Err()
	}, nil)
	return list, err
}

// Unaudited runs f in one transaction that leaves no audit row and sees no
// resource. It is for the log over the audit rows alone, whose every step
// would otherwise ask for the next.
func (s *Store) Unaudited(ctx context.Context, f func(store.Tx) error) (err error) {
	defer outcome.Wrap(&err, "sqlstore.Unaudited")
	return s.e.update(ctx, func(c conn) error { return f(s.newTx(c, store.Access{})) })
}

// UnauditedView is Unaudited for reading.
func (s *Store) UnauditedView(ctx context.Context, f func(store.Reader) error) (err error) {
	defer outcome.Wrap(&err, "sqlstore.UnauditedView")
	return s.e.view(ctx, func(c conn) error { return f(readOnly{s.newTx(c, store.Access{})}) }, nil)
}
