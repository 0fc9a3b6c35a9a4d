package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// hand is a clock that a test moves.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// bench is a log over a store, with its clock and what belongs to it.
type bench struct {
	*Ledger
	*hand
	t     testing.TB
	store *sqlstore.Store
}

func open(t *testing.T, engine string) bench { return openIn(t, engine) }

func openIn(t testing.TB, engine string) bench {
	t.Helper()
	h := &hand{at: time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)}
	o := sqlstore.Options{Clock: h, Sets: []db.Set{{Room: "ledger", FS: Migrations()}}}
	if engine == "postgres" {
		o.URL = pgtest.URL(t)
	} else {
		o.Dir, o.Key = t.TempDir(), bytes.Repeat([]byte{7}, 32)
	}
	s, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyfile.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(Deps{Base: s, Keys: keys, Clock: h})
	if err != nil {
		t.Fatal(err)
	}
	return bench{l, h, t, s}
}

func each(t *testing.T, f func(t *testing.T, engine string)) {
	for _, e := range []string{"sqlite", "postgres"} {
		t.Run(e, func(t *testing.T) { f(t, e) })
	}
}

func engines(t *testing.T, f func(t *testing.T, b bench)) {
	each(t, func(t *testing.T, engine string) { f(t, open(t, engine)) })
}

// act leaves an audit row about persons.
func (b bench) act(persons ...string) {
	a, err := trust.System(trust.JobFlow)
	if err != nil {
		b.t.Error(err)
		return
	}
	if err := b.store.Update(context.Background(), a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "test.look", Patients: persons, Entity: "Encounter/e1", Detail: "khám bệnh"})
		return nil
	}); err != nil {
		b.t.Error(err)
	}
}

// exec changes the database as somebody with every right upon it does.
func (b bench) exec(sql string, args ...any) (n int64) {
	b.t.Helper()
	if err := b.store.Unaudited(b.t.Context(), func(tx store.Tx) (err error) {
		n, err = tx.Exec(b.t.Context(), sql, args...)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b bench) number(sql string, args ...any) (n int64) {
	b.t.Helper()
	if err := b.store.UnauditedView(b.t.Context(), func(r store.Reader) error {
		_, err := row(b.t.Context(), r, sql, args, &n)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b bench) seal() {
	b.t.Helper()
	if err := b.Seal(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// note is the newest checkpoint, as a witness keeps it.
func (b bench) note() (msg []byte) {
	b.t.Helper()
	if err := b.store.UnauditedView(b.t.Context(), func(r store.Reader) (err error) {
		_, msg, err = b.latest(b.t.Context(), r)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return bytes.Clone(msg)
}

func (b bench) verify(outside Notes) Report {
	b.t.Helper()
	r, err := b.Verify(b.t.Context(), outside)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b bench) clean(rows int64) {
	b.t.Helper()
	if r := b.verify(nil); len(r.Findings) > 0 || r.Rows != rows || r.Waiting > 0 || r.Unsigned > 0 {
		b.t.Fatalf("%+v, want %d rows", r, rows)
	}
}

// TestEveryColumnIsInTheLeaf: a column that is added to the audit table must be added to the leaf.
func TestEveryColumnIsInTheLeaf(t *testing.T) {
	each(t, func(t *testing.T, engine string) {
		const want = 19 // numbers and texts of Encode
		sql := `SELECT COUNT(*) FROM pragma_table_info('audit')`
		if engine == "postgres" {
			sql = `SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'audit'`
		}
		if n := open(t, engine).number(sql); n != want {
			t.Errorf("audit has %d columns, the leaf %d", n, want)
		}
	})
}

// TestLeafIsFixed: the bytes of a leaf are a promise to who verifies years later.
func TestLeafIsFixed(t *testing.T) {
	r := store.AuditRow{Seq: 7, Commit: 3, At: 1773104400000, Kind: "staff", Agent: "a1", Name: "Bàn Thị Mai", Patients: "p1 p2", Nonce: []byte{1, 2, 3}}
	got := Encode(r)
	want := leafHead + "\x00\x00\x00\x08" + "\x00\x00\x00\x00\x00\x00\x00\x07" + "\x00\x00\x00\x08" + "\x00\x00\x00\x00\x00\x00\x00\x03" +
		"\x00\x00\x00\x08" + "\x00\x00\x01\x9c\xd5\x42\x06\x80" + "\x00\x00\x00\x05staff" + "\x00\x00\x00\x02a1" + "\x00\x00\x00\x0eBàn Thị Mai" +
		strings.Repeat("\x00\x00\x00\x00", 11) + "\x00\x00\x00\x05p1 p2" + "\x00\x00\x00\x03\x01\x02\x03"
	if string(got) != want {
		t.Errorf("%q\nwant\n%q", got, want)
	}
	if a, b := Encode(store.AuditRow{Kind: "ab", Agent: "c"}), Encode(store.AuditRow{Kind: "a", Agent: "bc"}); bytes.Equal(a, b) {
		t.Error("two rows have the same bytes")
	}
}

// TestGrowsAndSurvives: rows become leaves once, whoever appends, over tile
// borders, and what was committed when the program was killed is not lost.
func TestGrowsAndSurvives(t *testing.T) {
	engines(t, func(t *testing.T, b bench) {
		var wg sync.WaitGroup
		done := make(chan struct{})
		var appenders sync.WaitGroup
		for range 2 { // two processes append side by side
			appenders.Go(func() {
				for {
					if _, err := b.Append(context.Background()); err != nil {
						t.Error(err)
					}
					if err := b.Checkpoint(context.Background()); err != nil {
						t.Error(err)
					}
					select {
					case <-done:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			})
		}
		const workers, each = 8, 75
		for w := range workers {
			wg.Go(func() {
				for i := range each {
					b.act(fmt.Sprintf("p%d", w), fmt.Sprintf("q%d", i))
				}
			})
		}
		wg.Wait()
		close(done)
		appenders.Wait()
		b.seal()
		b.clean(workers * each)
		// Rows that nobody made leaves of when the program was killed: another process, knowing nothing, does.
		b.act("p1")
		if r := b.verify(nil); r.Waiting != 1 || len(r.Findings) > 0 {
			t.Errorf("%+v", r)
		}
		again, err := New(b.Deps)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := again.Append(t.Context()); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		if n, err := again.Append(t.Context()); n != 0 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		b.seal()
		b.clean(workers*each + 1)
		before := b.number(`SELECT COUNT(*) FROM ledger_checkpoint`)
		b.seal()
		if n := b.number(`SELECT COUNT(*) FROM ledger_checkpoint`); n != before {
			t.Error("it signs again what has not grown")
		}
		if n := b.number(`SELECT COUNT(*) FROM audit WHERE action LIKE '%ledger%'`); n != 0 {
			t.Errorf("the log leaves %d audit rows of its own", n)
		}
	})
}

// TestLateCommitIsNotPassedOver: a row whose number was given early and whose commit came late is a leaf too.
func TestLateCommitIsNotPassedOver(t *testing.T) {
	b := open(t, "postgres")
	a, err := trust.System(trust.JobFlow)
	if err != nil {
		t.Fatal(err)
	}
	begun, release, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- b.store.Unaudited(context.Background(), func(tx store.Tx) error {
			if _, err := tx.Exec(context.Background(), `INSERT INTO audit (at, kind, agent, name, facility, role, purpose, rule, action, outcome, entity, detail, acts, request, remote, patients, nonce)
				VALUES (1,'','slow','','','','','','','','','','','','','',$1)`, []byte{1}); err != nil {
				return err
			}
			close(begun)
			<-release
			return nil
		})
	}()
	<-begun
	if err := b.store.Update(t.Context(), a, func(store.Tx) error { return nil }); err != nil { // overtakes
		t.Fatal(err)
	}
	if n, err := b.Append(t.Context()); n != 0 || err != nil {
		t.Errorf("a row behind one that is not committed yet became a leaf: %d %v", n, err)
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.seal()
	b.clean(2)
}

// TestSignsNoFork: once the log does not continue what was signed, nothing more is signed.
func TestSignsNoFork(t *testing.T) {
	engines(t, func(t *testing.T, b bench) {
		for range 5 {
			b.act("p1")
		}
		b.seal()
		b.exec(`UPDATE audit SET agent = 'other' WHERE seq = (SELECT MIN(seq) FROM audit)`)
		b.rebuild()
		b.act("p1")
		if _, err := b.Append(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Checkpoint(t.Context()); outcome.As(err).Key != "ledger.fork" {
			t.Errorf("%v", err)
		}
	})
}

// rebuild makes the log anew from the rows, as a forger without the key can.
func (b bench) rebuild() {
	b.t.Helper()
	b.exec(`DELETE FROM ledger_tile`)
	b.exec(`UPDATE ledger_state SET size = 0, xid = 0, seq = 0`)
	if _, err := b.Append(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// TestFrontier: the root that verification computes by itself is that of tlog.
func TestFrontier(t *testing.T) {
	var f frontier
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (list []tlog.Hash, err error) {
		for _, i := range at {
			list = append(list, stored[i])
		}
		return list, nil
	})
	for n := range int64(600) {
		h := tlog.RecordHash(fmt.Append(nil, n))
		more, err := tlog.StoredHashesForRecordHash(n, h, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		f.add(h)
		if want, err := tlog.TreeHash(n+1, read); err != nil || f.root() != want {
			t.Fatalf("at %d: %v", n+1, err)
		}
	}
}

// TestMovedCluster: a PostgreSQL server that counts transactions lower than the data it holds is named, and nothing is logged in a wrong order.
func TestMovedCluster(t *testing.T) {
	b := open(t, "postgres")
	b.act("p1")
	b.seal()
	b.exec(`UPDATE ledger_state SET xid = xid + 1000000000`)
	b.act("p1")
	if n, err := b.Append(t.Context()); n != 0 || outcome.As(err).Key != "store.cluster-behind" {
		t.Errorf("%d %v", n, err)
	}
}

// TestRunSignsSoonAfterTheStart: what a killed program left unsigned is signed
// before rows of another day stand behind it, which would look like removed checkpoints.
func TestRunSignsSoonAfterTheStart(t *testing.T) {
	b := open(t, "sqlite")
	b.act("p1")
	if _, err := b.Append(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.move(24 * time.Hour)
	b.act("p1")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); b.number(`SELECT COUNT(*) FROM ledger_checkpoint`) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is signed")
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.clean(2)
}
