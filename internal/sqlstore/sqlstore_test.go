package sqlstore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var testKey = bytes.Repeat([]byte{7}, 32)

func counter() []db.Set {
	return []db.Set{{Room: "test", FS: fstest.MapFS{"0001_counter.sql": {Data: []byte(`CREATE TABLE counter (name {key} NOT NULL PRIMARY KEY, n BIGINT NOT NULL)`)}}}}
}

func openTest(t testing.TB, o Options) *Store {
	t.Helper()
	o.Sets = counter()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func engines(t *testing.T, f func(t *testing.T, options func(t *testing.T) Options)) {
	t.Run("sqlite", func(t *testing.T) {
		f(t, func(t *testing.T) Options { return Options{Dir: t.TempDir(), Key: testKey} })
	})
	t.Run("postgres", func(t *testing.T) { f(t, func(t *testing.T) Options { return Options{URL: pgtest.URL(t)} }) })
}

func TestSuite(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		storetest.Run(t, func(t *testing.T) store.Store { return openTest(t, options(t)) })
	})
}

// TestOutbox: a reader that follows while writers race sees every event once and none too late.
func TestOutbox(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		s, ctx := openTest(t, options(t)), t.Context()
		const workers, each = 6, 30
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					if err := s.Update(ctx, storetest.All, func(tx store.Tx) error {
						return tx.Publish(ctx, store.Event{Topic: "t", Key: "k", Body: []byte("x")})
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		seen := map[int64]bool{}
		var at Cursor
		follow := func() {
			list, err := s.Outbox(ctx, at, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				if seen[p.After.Seq] {
					t.Fatalf("event %d twice", p.After.Seq)
				}
				seen[p.After.Seq], at = true, p.After
			}
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		for running := true; running; follow() {
			select {
			case <-done:
				running = false
			default:
			}
		}
		for range workers * each {
			follow()
		}
		if len(seen) != workers*each {
			t.Errorf("%d events seen, want %d", len(seen), workers*each)
		}
	})
}

// TestQueryInsideQuery: the next query may be asked while the rows of one are gone through.
func TestQueryInsideQuery(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		s, ctx, seen := openTest(t, options(t)), t.Context(), 0
		if err := s.Update(ctx, storetest.All, func(tx store.Tx) error {
			for _, name := range []string{"a", "b", "c"} {
				if _, err := tx.Exec(ctx, `INSERT INTO counter (name, n) VALUES ($1, $2)`, name, int64(7)); err != nil {
					return err
				}
			}
			rows, err := tx.Query(ctx, `SELECT name, n FROM counter`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var name, again string
				var n int64
				if err := rows.Scan(&name, &n); err != nil {
					return err
				}
				inner, err := tx.Query(ctx, `SELECT n, n + 1, name FROM counter WHERE name = $1`, name)
				if err != nil {
					return err
				}
				for inner.Next() {
					if err := inner.Scan(&n, &n, &again); err != nil {
						return err
					}
				}
				inner.Close()
				if again == name && n == 8 {
					seen++
				}
			}
			return rows.Err()
		}); err != nil || seen != 3 {
			t.Errorf("%d rows: %v", seen, err)
		}
	})
}

// TestOddText: a caller's byte that no text can hold is the caller's fault, not the store's.
func TestOddText(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		s, ctx := openTest(t, options(t)), t.Context()
		for _, odd := range []string{"a\x00", "a\xff"} {
			err := s.View(ctx, storetest.All, func(r store.Reader) error {
				rows, err := r.Query(ctx, `SELECT n FROM counter WHERE name = $1`, odd)
				if err == nil {
					rows.Close()
				}
				return err
			})
			if err != nil && outcome.KindOf(err) != outcome.Invalid {
				t.Errorf("%q: %v", odd, err)
			}
		}
	})
}

// TestAuditForged: what a caller puts into an address becomes no line of its
// own in the audit, and what a database refuses as text does not cost the row.
func TestAuditForged(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		s, ctx := openTest(t, options(t)), t.Context()
		const forged = "x\nread Patient/other/1\r\u2028y\x00z\xff"
		err := s.View(ctx, storetest.All, func(r store.Reader) error {
			r.Audit(store.Note{Action: "test", Entity: "Encounter/" + forged, Detail: forged})
			_, err := r.Read(ctx, store.Key{Type: "Encounter", ID: forged})
			return err
		})
		if outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("read: %v", err)
		}
		if err := s.View(ctx, storetest.All, func(r store.Reader) error {
			r.Audit(store.Note{Action: "test", Entity: forged, Detail: forged})
			return nil
		}); err != nil {
			t.Errorf("look: %v", err)
		}
		const plain = "x read Patient/other/1  y z\ufffd"
		want := []string{"Encounter/" + plain + "|" + plain + "|unseen Encounter/" + plain + "\n", plain + "|" + plain + "|"}
		var got []string
		if err := s.View(ctx, storetest.All, func(r store.Reader) error {
			rows, err := r.Query(ctx, `SELECT entity, detail, acts FROM audit WHERE action = 'test' ORDER BY seq`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var entity, detail, acts string
				if err := rows.Scan(&entity, &detail, &acts); err != nil {
					return err
				}
				got = append(got, entity+"|"+detail+"|"+acts)
			}
			return rows.Err()
		}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v\n got %q\nwant %q", err, got, want)
		}
	})
}

func TestOpenAgain(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		o := options(t)
		o.Sets = counter()
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		d := store.Draft{Key: store.Key{Type: "Patient", ID: "p"}, Body: []byte(`{"resourceType":"Patient","identifier":[{"system":"s","value":"1"}]}`)}
		storetest.Put(t, s, storetest.All, d)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s.e.dialect() == db.SQLite {
			if err := s.View(t.Context(), storetest.All, func(store.Reader) error { return nil }); outcome.KindOf(err) != outcome.Transient {
				t.Errorf("a look into a closed store: %v", err)
			}
			b, err := os.ReadFile(filepath.Join(o.Dir, "ytso.db"))
			if err != nil || bytes.Contains(b, []byte("SQLite format")) || bytes.Contains(b, []byte("Patient")) {
				t.Errorf("the file is readable without the key: %v", err)
			}
			wrong := o
			wrong.Key = bytes.Repeat([]byte{8}, 32)
			if _, err := Open(t.Context(), wrong); outcome.As(err).Key != "store.key" {
				t.Errorf("wrong key: %v", err)
			}
		}
		again := openTest(t, o)
		if again.h != s.h || again.Namespace() != s.Namespace() || s.Namespace() == [16]byte{} {
			t.Error("the hash secret or the namespace changed, or is blank")
		}
		if r := storetest.Put(t, again, storetest.All, d); r.Changed {
			t.Errorf("not there after opening again: %+v", r)
		}
	})
}
