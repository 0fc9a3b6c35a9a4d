package db

import (
	"context"
	"testing"
	"testing/fstest"
	"time"

	sqlite3 "github.com/ncruces/go-sqlite3"

	"github.com/ytso/ytso/fhir/outcome"
)

// conn is the least of an SQLite connection that Migrate needs.
type conn struct{ c *sqlite3.Conn }

type rows struct{ s *sqlite3.Stmt }

func (r rows) Next() bool { return r.s.Step() }
func (r rows) Err() error { return r.s.Err() }
func (r rows) Close()     { r.s.Close() }
func (r rows) Scan(dest ...any) error {
	for i, d := range dest {
		*d.(*string) = r.s.ColumnText(i)
	}
	return nil
}

func (c conn) Script(_ context.Context, sql string) error { return c.c.Exec(sql) }

func (c conn) Exec(_ context.Context, sql string, args ...any) (int64, error) {
	s, _, err := c.c.Prepare(sql)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	for i, a := range args {
		switch a := a.(type) {
		case string:
			err = s.BindText(i+1, a)
		case int64:
			err = s.BindInt64(i+1, a)
		}
		if err != nil {
			return 0, err
		}
	}
	return c.c.Changes(), s.Exec()
}

func (c conn) Query(_ context.Context, sql string, _ ...any) (rows, error) {
	s, _, err := c.c.Prepare(sql)
	return rows{s}, err
}

func open(t *testing.T) conn {
	t.Helper()
	c, err := sqlite3.Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return conn{c}
}

func set(room string, files ...string) Set {
	m := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		m[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return Set{room, m}
}

func TestMigrate(t *testing.T) {
	ctx, c, now := context.Background(), open(t), time.UnixMilli(1).UTC()
	one := []string{"0001_a.sql", "CREATE TABLE a (x {bytes});"}
	two := append(one[:2:2], "0002_b.sql", "CREATE TABLE b (x {key});\nINSERT INTO b VALUES ('1');")
	step := func(want int, wantErr bool, sets ...Set) {
		t.Helper()
		n, err := Migrate(ctx, c, SQLite, sets, now)
		if n != want || (err != nil) != wantErr {
			t.Errorf("applied %d, %v; want %d, error %v", n, err, want, wantErr)
		}
	}
	step(1, false, set("r", one...))
	step(0, false, set("r", one...))
	step(1, false, set("r", two...))
	step(1, false, set("r", two...), set("s", "0001_c.sql", "CREATE TABLE c (x BIGINT)"))
	s := set("s", "0001_c.sql", "CREATE TABLE c (x BIGINT)")
	step(0, false, set("r", one[0], one[1], "0002_b.sql", "CREATE TABLE b (x {key});\r\nINSERT INTO b VALUES ('1');"), s)
	step(0, true, set("r", one...), s)                            // a file is missing
	step(0, true, set("r", one[0], "changed", two[2], two[3]), s) // a file was changed
	step(0, true, set("r", two...))                               // a room is missing
	step(0, true, set("r", two...), s, set("r", one...))          // a name twice
	step(0, true, set("q", "0002_b.sql", "SELECT 1"), set("r", two...), s)
	step(0, true, set("q", "first.sql", "SELECT 1"), set("r", two...), s)
	if _, err := c.Exec(ctx, "INSERT INTO c VALUES ($1)", int64(1)); err != nil {
		t.Error(err)
	}
}

func TestLockDir(t *testing.T) {
	dir := t.TempDir()
	unlock, err := LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(dir); outcome.KindOf(err) != outcome.Conflict {
		t.Errorf("second lock: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	unlock, err = LockDir(dir)
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	unlock()
}
