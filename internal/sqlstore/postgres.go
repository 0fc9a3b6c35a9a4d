package sqlstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

// maxTries bounds how often a transaction that met another one is run.
const maxTries = 20

// pg is PostgreSQL 15 or newer: a pool, one snapshot a call, conflicts run again.
type pg struct {
	pool *pgxpool.Pool
	done atomic.Int64
}

// maxConns is the size of the pool unless the URL says pool_max_conns.
const maxConns = 24

func openPG(ctx context.Context, url string) (*pg, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, outcome.New(outcome.Invalid, "store.url", "Địa chỉ cơ sở dữ liệu không đúng dạng.", "The database URL is not well formed.") // the cause may hold the password
	}
	// A plan made for one value is worse for the next; the index design needs none of it.
	cfg.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	cfg.ConnConfig.RuntimeParams["application_name"] = "ytso"
	cfg.ConnConfig.RuntimeParams["jit"] = "off"
	if !strings.Contains(url, "pool_max_conns") { // pgx's four would make a page wait behind the claims
		cfg.MaxConns = maxConns
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	p := &pg{pool: pool}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, outcome.New(outcome.Transient, "store.unreachable", "Không kết nối được cơ sở dữ liệu PostgreSQL.", "PostgreSQL can't be reached.").Because(err)
	}
	return p, nil
}

func (p *pg) dialect() db.Dialect { return db.Postgres }

func (p *pg) close() error {
	p.pool.Close()
	return nil
}

func (p *pg) view(ctx context.Context, f, audit func(conn) error) error {
	return p.update(ctx, func(c conn) error {
		if err := f(c); err != nil || audit == nil {
			return err
		}
		return audit(c)
	})
}

func (p *pg) update(ctx context.Context, f func(conn) error) (err error) {
	for try := range maxTries {
		if err = p.once(ctx, f); !again(err) {
			return err
		}
		wait := time.Duration(rand.Int64N(int64(time.Millisecond) << min(try, 8)))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return outcome.New(outcome.Transient, "store.busy", "Nhiều người cùng sửa một hồ sơ. Xin thử lại.", "Too many writers of the same record. Please try again.").Because(err)
}

// once runs f in one transaction. BEGIN goes out with the first question, and
// COMMIT with all that nobody waits for: a read is two round trips.
func (p *pg) once(ctx context.Context, f func(conn) error) error {
	held, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer held.Release()
	c := &pgConn{c: held.Conn()}
	defer c.end(ctx)
	c.waiting.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ`)
	if err := f(c); err != nil {
		return errors.Join(err, c.failed)
	}
	if c.failed != nil {
		return c.failed
	}
	if !c.begun && c.waiting.Len() == 1 {
		return nil // nothing was asked
	}
	tag, err := c.last(ctx, `COMMIT`)
	if err != nil {
		return c.fail(err)
	}
	if tag.String() != "COMMIT" { // the server says ROLLBACK when it had given the transaction up
		return pgx.ErrTxCommitRollback
	}
	p.done.Add(1)
	return nil
}

// end gives the transaction up, unless it came to its end.
func (c *pgConn) end(ctx context.Context) {
	if c.c.IsClosed() || c.c.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = c.c.Exec(ctx, `ROLLBACK`) // a connection that does not come out of its transaction is closed by the pool
}

func (p *pg) commits() int64 { return p.done.Load() }

// again says whether the same transaction may succeed when it runs once more:
// serialization failure, deadlock, and a key that somebody else made first.
func again(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01" || e.Code == "23505")
}

// pgConn is a transaction, with the statements that wait for the next one whose
// answer is needed: they go out with it, in their order, in one round trip.
type pgConn struct {
	c       *pgx.Conn
	waiting pgx.Batch
	begun   bool
	failed  error
}

var errText = outcome.New(outcome.Invalid, "store.text",
	"Yêu cầu có ký tự không dùng được trong văn bản.", "The request holds a character that no text can hold.")

func (c *pgConn) fail(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "22021" { // character_not_in_repertoire: it is the caller's, not ours
		err = errText.Because(err)
	}
	if err != nil && c.failed == nil {
		c.failed = err
	}
	return err
}

// maxWaiting bounds the statements that wait: what the server answers to those it has read must find room.
const maxWaiting = 256

// send gives what waits to the server and reads the answers to all but the last one.
func (c *pgConn) send(ctx context.Context) (pgx.BatchResults, error) {
	batch := c.waiting
	c.waiting, c.begun = pgx.Batch{}, true
	answers := c.c.SendBatch(ctx, &batch)
	for range batch.Len() - 1 {
		if _, err := answers.Exec(); err != nil {
			_ = answers.Close() // it is the same error
			return nil, err
		}
	}
	return answers, nil
}

// last sends a statement behind those that wait.
func (c *pgConn) last(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	c.waiting.Queue(sql, args...)
	answers, err := c.send(ctx)
	if err != nil {
		return tag, err
	}
	tag, err = answers.Exec()
	return tag, errors.Join(err, answers.Close())
}

func (c *pgConn) Script(ctx context.Context, sql string) error {
	if c.waiting.Len() > 0 {
		answers, err := c.send(ctx)
		if err == nil {
			err = answers.Close()
		}
		if err != nil {
			return c.fail(err)
		}
	}
	_, err := c.c.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return c.fail(err)
}

func (c *pgConn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := c.last(ctx, sql, args...)
	return tag.RowsAffected(), c.fail(err)
}

func (c *pgConn) later(ctx context.Context, sql string, args ...any) error {
	if c.waiting.Len() >= maxWaiting {
		_, err := c.Exec(ctx, sql, args...)
		return err
	}
	c.waiting.Queue(sql, args...)
	return nil
}

// Query reads all rows at once: one connection answers one question at a time,
// and callers may ask the next while they go through these.
func (c *pgConn) Query(ctx context.Context, sql string, args ...any) (store.Rows, error) {
	c.waiting.Queue(sql, args...)
	answers, err := c.send(ctx)
	if err != nil {
		return nil, c.fail(err)
	}
	rows, err := answers.Query()
	if err != nil {
		_ = answers.Close() // it is the same error
		return nil, c.fail(err)
	}
	m, fields := c.c.TypeMap(), slices.Clone(rows.FieldDescriptions()) // pgx uses its own for the next query
	out := &pgRows{scan: func(field int, raw []byte, dest any) error {
		f := fields[field]
		return m.Scan(f.DataTypeOID, f.Format, raw, dest)
	}}
	for rows.Next() {
		line := make([][]byte, len(rows.RawValues()))
		for i, v := range rows.RawValues() {
			if v != nil {
				line[i] = append(make([]byte, 0, len(v)), v...)
			}
		}
		out.lines = append(out.lines, line)
	}
	rows.Close()
	return out, c.fail(errors.Join(rows.Err(), answers.Close()))
}

type pgRows struct {
	scan  func(field int, raw []byte, dest any) error
	lines [][][]byte
	at    int
}

func (r *pgRows) Next() bool { r.at++; return r.at <= len(r.lines) }
func (r *pgRows) Err() error { return nil }
func (r *pgRows) Close()     { r.lines = nil }

func (r *pgRows) Scan(dest ...any) error {
	line := r.lines[r.at-1]
	if len(dest) != len(line) {
		return errors.New("columns and destinations differ in number")
	}
	for i, d := range dest {
		if err := r.scan(i, line[i], d); err != nil {
			return err
		}
	}
	return nil
}

// slots bounds the table of claims: two keys may share a row, and then wait for each other.
const slots = 1 << 16

// claim writes the key's row: a transaction whose snapshot is older than the
// last claim of that row meets a serialization failure here and is run again.
func (c *pgConn) claim(ctx context.Context, key int64) error {
	return c.later(ctx, `INSERT INTO claim (slot, n) VALUES ($1, 1) ON CONFLICT (slot) DO UPDATE SET n = claim.n + 1`, key&(slots-1))
}

// The pair of index: PostgreSQL takes each table's rows as arrays, all in one round trip.
var (
	pgAdd = map[table]string{
		post: `INSERT INTO post (v, d, rid, cp) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`,
		txt:  `INSERT INTO txt (p, d, rid, cp, s) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])`,
		span: `INSERT INTO span (p, d, rid, cp, lo, hi) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])`,
		refr: `INSERT INTO refr (h, p, rid, cp) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`,

		person: `INSERT INTO person (h, k, g, cp) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`,
	}
	pgGone = map[table]string{
		post: `DELETE FROM post x USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u(v, d, rid, cp)
			WHERE x.v = u.v AND x.d = u.d AND x.rid = u.rid AND x.cp = u.cp`,
		txt: `DELETE FROM txt x USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[]) u(p, d, rid, cp, s)
			WHERE x.p = u.p AND x.s = u.s AND x.d = u.d AND x.rid = u.rid AND x.cp = u.cp`,
		span: `DELETE FROM span x USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) u(p, d, rid, cp, lo, hi)
			WHERE x.p = u.p AND x.lo = u.lo AND x.hi = u.hi AND x.d = u.d AND x.rid = u.rid AND x.cp = u.cp`,
		refr: `DELETE FROM refr x USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u(h, p, rid, cp)
			WHERE x.h = u.h AND x.p = u.p AND x.rid = u.rid AND x.cp = u.cp`,
		person: `DELETE FROM person x USING unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) u(h, k, g, cp)
			WHERE x.h = u.h AND x.k = u.k AND x.g = u.g AND x.cp = u.cp`,
	}
)

func (c *pgConn) index(_ context.Context, gone, added []row) error {
	for _, t := range []table{post, txt, span, refr, person} {
		queue(&c.waiting, pgGone[t], t, gone)
		queue(&c.waiting, pgAdd[t], t, added)
	}
	return nil
}

// The pair of log: PostgreSQL takes the row and whom it is about in one statement.
func (c *pgConn) log(ctx context.Context, args []any, patients []string) error {
	if len(patients) == 0 {
		return c.later(ctx, logRow, args...)
	}
	return c.later(ctx, `WITH a AS (`+logRow+` RETURNING seq) INSERT INTO audit_patient (patient, seq) SELECT p, a.seq FROM a, unnest($18::text[]) p`, append(args, patients)...)
}

func queue(batch *pgx.Batch, sql string, t table, list []row) {
	var a, d, rid, cp, b, e []int64
	var s []string
	for _, r := range list {
		if r.t != t {
			continue
		}
		a, d, rid, cp = append(a, r.a), append(d, r.d), append(rid, r.rid), append(cp, r.cp)
		b, e, s = append(b, r.b), append(e, r.c), append(s, r.s)
	}
	switch {
	case len(a) == 0:
	case t == post:
		batch.Queue(sql, a, d, rid, cp)
	case t == txt:
		batch.Queue(sql, a, d, rid, cp, s)
	case t == person:
		batch.Queue(sql, a, b, e, cp)
	case t == refr:
		batch.Queue(sql, a, b, rid, cp)
	case t == span:
		batch.Queue(sql, a, d, rid, cp, b, e)
	}
}
