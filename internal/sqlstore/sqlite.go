package sqlstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
)

const (
	readers  = 4  // connections that read side by side
	maxGroup = 64 // transactions that share one commit on disk
)

// lite is SQLite: one writer with group commit, parallel readers, each file page encrypted.
type lite struct {
	uri     string
	readers chan *liteConn
	jobs    chan *job
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
	unlock  func() error
	done    atomic.Int64
}

type job struct {
	ctx  context.Context
	f    func(conn) error
	err  error
	done chan struct{}
}

var errKey = outcome.New(outcome.Exception, "store.key",
	"Không mở được cơ sở dữ liệu: sai tệp khóa hoặc tệp dữ liệu bị hỏng.",
	"The database can't be opened: another key file, or a damaged file.")

// openLite opens DIR/ytso.db with a 32-byte key and makes this process its owner.
func openLite(dir string, key []byte) (*lite, error) {
	unlock, err := db.LockDir(dir)
	if err != nil {
		return nil, err
	}
	name := registerFiles()
	free := unlock
	unlock = func() error {
		vfs.Unregister(name)
		return free()
	}
	uri := "file:" + (&url.URL{Path: filepath.ToSlash(filepath.Join(dir, "ytso.db"))}).EscapedPath() + "?vfs=" + name + "&hexkey=" + hex.EncodeToString(key)
	l := &lite{uri: uri, readers: make(chan *liteConn, readers), jobs: make(chan *job, 4*maxGroup), stop: make(chan struct{}), stopped: make(chan struct{}), unlock: unlock}
	w, err := l.connect(true)
	if err != nil {
		return nil, errors.Join(err, unlock())
	}
	for range readers {
		r, err := l.connect(false)
		if err != nil {
			return nil, errors.Join(err, unlock())
		}
		l.readers <- r
	}
	go l.write(w)
	return l, nil
}

func (l *lite) connect(writer bool) (*liteConn, error) {
	c, err := sqlite3.Open(l.uri)
	if err != nil {
		return nil, errKey.Because(err)
	}
	// Many pages are written again by the next commit: the log goes into the database when it holds 32 MB.
	pragmas := "PRAGMA busy_timeout=10000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=8192;"
	if !writer {
		pragmas = "PRAGMA busy_timeout=10000; PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-12288;"
	}
	if err := c.Exec(pragmas + " SELECT COUNT(*) FROM sqlite_schema;"); err != nil {
		return nil, errors.Join(errKey.Because(err), c.Close())
	}
	return &liteConn{c: c, free: map[string][]*liteStmt{}}, nil
}

func (l *lite) dialect() db.Dialect { return db.SQLite }

func (l *lite) commits() int64 { return l.done.Load() }

func (l *lite) close() (err error) {
	l.once.Do(func() {
		close(l.stop)
		<-l.stopped
		for range readers {
			err = errors.Join(err, (<-l.readers).close())
		}
		err = errors.Join(err, l.unlock())
	})
	return err
}

func (l *lite) view(ctx context.Context, f, audit func(conn) error) error {
	var r *liteConn
	select {
	case r = <-l.readers:
	case <-l.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	err := r.run(ctx, "BEGIN", "ROLLBACK", f)
	l.readers <- r
	if err != nil || audit == nil {
		return err
	}
	return l.update(ctx, audit)
}

var errClosed = outcome.New(outcome.Transient, "store.closed", "Kho dữ liệu đã đóng.", "The store is closed.")

func (l *lite) update(ctx context.Context, f func(conn) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan struct{})}
	select {
	case l.jobs <- j:
	case <-l.stop:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-l.stopped:
		select {
		case <-j.done:
			return j.err
		default:
			return errClosed
		}
	}
}

// write is the writer: it takes what waits, runs it in one transaction, each
// job under a savepoint of its own, and answers after the commit is on disk.
func (l *lite) write(c *liteConn) {
	defer close(l.stopped)
	defer c.close()
	for {
		var group []*job
		select {
		case j := <-l.jobs:
			group = append(group, j)
		case <-l.stop:
			return
		}
	more:
		for len(group) < maxGroup {
			select {
			case j := <-l.jobs:
				group = append(group, j)
			default:
				break more
			}
		}
		c.group(group)
		l.done.Add(1)
		for _, j := range group {
			close(j.done)
		}
	}
}

// group runs jobs until every one has its answer. An error that makes SQLite
// roll the whole transaction back (disk full) takes the jobs before it along:
// they run again without the one at fault.
func (c *liteConn) group(jobs []*job) {
	for len(jobs) > 0 {
		fail := func(err error) {
			for _, j := range jobs {
				j.err = err
			}
		}
		if err := c.c.Exec("BEGIN IMMEDIATE"); err != nil {
			fail(err)
			return
		}
		if len(jobs) == 1 { // nobody shares the commit: nothing need be kept apart
			c.alone(jobs[0])
			return
		}
		var good []*job
		lost := -1
		for i, j := range jobs {
			if j.err = j.ctx.Err(); j.err != nil {
				continue
			}
			if j.err = c.run(j.ctx, "SAVEPOINT job", "ROLLBACK TO job", j.f); j.err == nil {
				j.err = c.c.Exec("RELEASE job")
			} else if !c.c.GetAutocommit() {
				if err := c.c.Exec("RELEASE job"); err != nil {
					j.err = errors.Join(j.err, err)
				}
			}
			if c.c.GetAutocommit() {
				lost = i
				break
			}
			if j.err == nil {
				good = append(good, j)
			}
		}
		if lost >= 0 {
			jobs = append(good, jobs[lost+1:]...)
			continue
		}
		jobs = good
		if err := c.c.Exec("COMMIT"); err != nil {
			fail(err)
			if !c.c.GetAutocommit() {
				_ = c.c.Exec("ROLLBACK") // the error that matters is the commit's
			}
		}
		return
	}
}

// alone runs the one job of the transaction that has begun.
func (c *liteConn) alone(j *job) {
	if j.err = j.ctx.Err(); j.err == nil {
		j.err = c.run(j.ctx, "", "ROLLBACK", j.f)
	}
	if j.err == nil {
		j.err = c.c.Exec("COMMIT")
	}
	if j.err != nil && !c.c.GetAutocommit() {
		if err := c.c.Exec("ROLLBACK"); err != nil {
			j.err = errors.Join(j.err, err)
		}
	}
}

type liteConn struct {
	c      *sqlite3.Conn
	free   map[string][]*liteStmt
	used   []*liteStmt
	failed error // the first SQL error of the job: it may not be committed
}

// run does f between two statements, the first of which may have been given already; without an error nothing is rolled back, save for reads, whose end is a rollback always.
func (c *liteConn) run(ctx context.Context, begin, rollback string, f func(conn) error) (err error) {
	if begin != "" {
		if err := c.c.Exec(begin); err != nil {
			return err
		}
	}
	c.failed = nil
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
		for len(c.used) > 0 {
			c.give(c.used[len(c.used)-1])
		}
		if err == nil {
			err = c.failed
		}
		if (err != nil || begin == "BEGIN") && !c.c.GetAutocommit() {
			if e := c.c.Exec(rollback); e != nil {
				err = errors.Join(err, e)
			}
		}
	}()
	return f(c)
}

func (c *liteConn) close() error {
	for _, list := range c.free {
		for _, s := range list {
			s.s.Close()
		}
	}
	return c.c.Close()
}

// liteStmt is a prepared statement; at[i] is where parameter $i+1 is bound. It is also the rows it gives.
type liteStmt struct {
	c   *liteConn
	s   *sqlite3.Stmt
	sql string
	at  []int
}

// maxFree bounds the statements kept ready on a connection.
const maxFree = 400

func (c *liteConn) take(sql string) (*liteStmt, error) {
	if list := c.free[sql]; len(list) > 0 {
		s := list[len(list)-1]
		c.free[sql] = list[:len(list)-1]
		c.used = append(c.used, s)
		return s, nil
	}
	if len(c.free) > maxFree {
		for k, list := range c.free {
			for _, s := range list {
				s.s.Close()
			}
			delete(c.free, k)
		}
	}
	stmt, tail, err := c.c.PrepareFlags(sql, sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	if tail != "" || stmt == nil {
		return nil, fmt.Errorf("one statement was expected")
	}
	s := &liteStmt{c: c, s: stmt, sql: sql}
	for i := 1; i <= stmt.BindCount(); i++ {
		at := stmt.BindIndex("$" + strconv.Itoa(i))
		if at == 0 {
			return nil, errors.Join(fmt.Errorf("parameters must be $1 to $%d", stmt.BindCount()), stmt.Close())
		}
		s.at = append(s.at, at)
	}
	c.used = append(c.used, s)
	return s, nil
}

func (c *liteConn) give(s *liteStmt) {
	for i := len(c.used) - 1; i >= 0; i-- {
		if c.used[i] == s {
			c.used = append(c.used[:i], c.used[i+1:]...)
			_ = s.s.Reset() // repeats the error that Step has given
			_ = s.s.ClearBindings()
			c.free[s.sql] = append(c.free[s.sql], s)
			return
		}
	}
}

func (s *liteStmt) bind(args []any) error {
	if len(args) != len(s.at) {
		return fmt.Errorf("the statement has %d parameters, %d were given", len(s.at), len(args))
	}
	for i, at := range s.at {
		var err error
		switch v := args[i].(type) {
		case int64:
			err = s.s.BindInt64(at, v)
		case int:
			err = s.s.BindInt64(at, int64(v))
		case string:
			err = s.s.BindText(at, v)
		case []byte:
			if v == nil {
				v = []byte{}
			}
			err = s.s.BindBlob(at, v)
		case float64:
			err = s.s.BindFloat(at, v)
		case bool:
			err = s.s.BindBool(at, v)
		case nil:
			err = s.s.BindNull(at)
		default:
			err = fmt.Errorf("parameter $%d has the type %T, which no column has", i+1, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *liteConn) fail(err error) error {
	if c.failed == nil {
		c.failed = err
	}
	return err
}

func (c *liteConn) Script(_ context.Context, sql string) error { return c.c.Exec(sql) }

func (c *liteConn) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, c.fail(err)
	}
	s, err := c.take(sql)
	if err != nil {
		return 0, c.fail(err)
	}
	defer c.give(s)
	if err := s.bind(args); err != nil {
		return 0, c.fail(err)
	}
	before := c.c.TotalChanges()
	for s.s.Step() { //nolint:revive // rows of RETURNING are not wanted here
	}
	if err := s.s.Err(); err != nil {
		return 0, c.fail(err)
	}
	return c.c.TotalChanges() - before, nil
}

func (c *liteConn) Query(ctx context.Context, sql string, args ...any) (store.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, c.fail(err)
	}
	s, err := c.take(sql)
	if err != nil {
		return nil, c.fail(err)
	}
	if err := s.bind(args); err != nil {
		c.give(s)
		return nil, c.fail(err)
	}
	return &liteRows{s: s}, nil
}

type liteRows struct {
	s    *liteStmt
	done bool
	err  error
}

func (r *liteRows) Next() bool {
	if r.done {
		return false
	}
	if r.s.s.Step() {
		return true
	}
	if r.err = r.s.s.Err(); r.err != nil {
		_ = r.s.c.fail(r.err)
	}
	r.Close()
	return false
}

func (r *liteRows) Err() error { return r.err }

func (r *liteRows) Close() {
	if !r.done {
		r.done = true
		r.s.c.give(r.s)
	}
}

func (r *liteRows) Scan(dest ...any) error {
	s := r.s.s
	if len(dest) != s.ColumnCount() {
		return fmt.Errorf("%d columns, %d destinations", s.ColumnCount(), len(dest))
	}
	for i, d := range dest {
		if s.ColumnType(i) == sqlite3.NULL {
			switch p := d.(type) {
			case *[]byte:
				*p = nil
				continue
			}
			return fmt.Errorf("column %d is NULL", i+1)
		}
		switch p := d.(type) {
		case *int64:
			*p = s.ColumnInt64(i)
		case *int:
			*p = s.ColumnInt(i)
		case *string:
			*p = s.ColumnText(i)
		case *[]byte:
			*p = s.ColumnBlob(i, nil)
		case *float64:
			*p = s.ColumnFloat(i)
		case *bool:
			*p = s.ColumnBool(i)
		default:
			return fmt.Errorf("destination %d has the type %T", i+1, d)
		}
	}
	return nil
}

func (c *liteConn) later(ctx context.Context, sql string, args ...any) error {
	_, err := c.Exec(ctx, sql, args...)
	return err
}

// The pair of log: SQLite has no INSERT within another statement.
func (c *liteConn) log(ctx context.Context, args []any, patients []string) error {
	if len(patients) == 0 {
		return c.later(ctx, logRow, args...)
	}
	var seq int64
	if err := one(ctx, c, logRow+` RETURNING seq`, args, &seq); err != nil {
		return err
	}
	for _, p := range patients {
		if err := c.later(ctx, `INSERT INTO audit_patient (patient, seq) VALUES ($1, $2)`, p, seq); err != nil {
			return err
		}
	}
	return nil
}

// claim has nothing to do: there is one writer, and each transaction sees what those before it wrote.
func (c *liteConn) claim(context.Context, int64) error { return nil }

// The pair of index: SQLite runs one statement for a few rows.
var (
	liteAdd = map[table]string{
		post: `INSERT INTO post (v, d, rid, cp) VALUES ($1, $2, $3, $4)`,
		txt:  `INSERT INTO txt (p, s, d, rid, cp) VALUES ($1, $5, $2, $3, $4)`,
		span: `INSERT INTO span (p, lo, hi, d, rid, cp) VALUES ($1, $5, $6, $2, $3, $4)`,
		refr: `INSERT INTO refr (h, p, rid, cp) VALUES ($1, $2, $3, $4)`,

		person: `INSERT INTO person (h, k, g, cp) VALUES ($1, $2, $3, $4)`,
	}
	liteGone = map[table]string{
		post: `DELETE FROM post WHERE v = $1 AND d = $2 AND rid = $3 AND cp = $4`,
		txt:  `DELETE FROM txt WHERE p = $1 AND s = $5 AND d = $2 AND rid = $3 AND cp = $4`,
		span: `DELETE FROM span WHERE p = $1 AND lo = $5 AND hi = $6 AND d = $2 AND rid = $3 AND cp = $4`,
		refr: `DELETE FROM refr WHERE h = $1 AND p = $2 AND rid = $3 AND cp = $4`,

		person: `DELETE FROM person WHERE h = $1 AND k = $2 AND g = $3 AND cp = $4`,
	}
)

// many is how many rows of a table one statement adds, when there are so many.
const many = 8

// liteMany are the statements of liteAdd for many rows.
var liteMany = func() map[table]string {
	out := map[table]string{}
	for t, sql := range liteAdd {
		head, one, _ := strings.Cut(sql, " VALUES ")
		n := strings.Count(one, "$")
		var b strings.Builder
		for i := range many {
			b.WriteString(map[bool]string{true: head + " VALUES ", false: ", "}[i == 0])
			b.WriteString(argument.ReplaceAllStringFunc(one, func(s string) string {
				k, _ := strconv.Atoi(s[1:])
				return "$" + strconv.Itoa(i*n+k)
			}))
		}
		out[t] = b.String()
	}
	return out
}()

var argument = regexp.MustCompile(`\$[0-9]+`)

// columns gives the arguments of a row in the order of liteAdd and liteGone.
func (r row) columns(args []any) []any {
	switch r.t {
	case txt:
		return append(args, r.a, r.d, r.rid, r.cp, r.s)
	case refr: // it is in no order of dates
		return append(args, r.a, r.b, r.rid, r.cp)
	case person:
		return append(args, r.a, r.b, r.c, r.cp)
	case span:
		return append(args, r.a, r.d, r.rid, r.cp, r.b, r.c)
	}
	return append(args, r.a, r.d, r.rid, r.cp)
}

func (c *liteConn) index(ctx context.Context, gone, added []row) error {
	args := make([]any, 0, 6*many)
	for _, r := range gone {
		if _, err := c.Exec(ctx, liteGone[r.t], r.columns(args[:0])...); err != nil {
			return err
		}
	}
	for len(added) > 0 {
		n, sql := 1, liteAdd[added[0].t]
		if len(added) >= many && added[many-1].t == added[0].t { // they are sorted
			n, sql = many, liteMany[added[0].t]
		}
		args = args[:0]
		for _, r := range added[:n] {
			args = r.columns(args)
		}
		if _, err := c.Exec(ctx, sql, args...); err != nil {
			return err
		}
		added = added[n:]
	}
	return nil
}
