package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// serve asks one of the log's doors.
func (b bench) serve(method, address, body string, scopes ...string) (*httptest.ResponseRecorder, error) {
	b.t.Helper()
	mux, failed := http.NewServeMux(), error(nil)
	for _, r := range b.Routes() {
		mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, req *http.Request) { failed = r.Handler(w, req) })
	}
	req := httptest.NewRequestWithContext(trust.With(b.t.Context(), trust.Principal{Agent: store.Agent{Role: trust.RoleMachine}, Scopes: scopes}), method, address, strings.NewReader(body))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, req)
	return w, failed
}

// answer is a proof as an outsider reads it.
type answer struct {
	Size, Leaf, Old  int64
	Hash, Checkpoint string
	Proof            []string
}

func (b bench) proof(query string) (p answer) {
	b.t.Helper()
	w, err := b.serve("GET", "/nhat-ky/proof?"+query, "")
	if err != nil {
		b.t.Fatalf("%s: %v", query, err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// TestProofs: what the doors give is verified by independent_test.go, which
// knows nothing of this package or of tlog; and nothing else is proved by it.
func TestProofs(t *testing.T) {
	engines(t, func(t *testing.T, b bench) {
		sizes := []int64{1, 2, 3, 7, 8, 11, 259}
		for i := range sizes[len(sizes)-1] {
			b.act("p1")
			for _, s := range sizes {
				if s == i+1 {
					b.seal()
				}
			}
		}
		for _, size := range sizes {
			for leaf := range size {
				if size > 100 && leaf%37 > 1 && leaf < 250 {
					continue
				}
				p := b.proof(fmt.Sprintf("leaf=%d&size=%d", leaf, size))
				root := rootIn(p.Checkpoint, p.Size)
				if !included(p.Hash, leaf, size, p.Proof, root) {
					t.Fatalf("leaf %d of %d is not proved", leaf, size)
				}
				other := base64.StdEncoding.EncodeToString(make([]byte, 32))
				if included(other, leaf, size, p.Proof, root) || size > 1 && included(p.Hash, (leaf+1)%size, size, p.Proof, root) || included(p.Hash, leaf, size, append(p.Proof, other), root) {
					t.Fatalf("leaf %d of %d: something else is proved as well", leaf, size)
				}
			}
			for _, old := range sizes {
				if old > size {
					break
				}
				p := b.proof(fmt.Sprintf("old=%d&size=%d", old, size))
				was, is := rootIn(b.proof(fmt.Sprintf("leaf=0&size=%d", old)).Checkpoint, old), rootIn(p.Checkpoint, size)
				if !continued(old, size, was, is, p.Proof) || old < size && continued(old, size, is, is, p.Proof) {
					t.Fatalf("%d to %d is not proved", old, size)
				}
			}
		}
		// The leaf of a row is the hash that anybody computes who holds the row.
		row, err := b.Base.AuditBetween(t.Context(), 5, 5)
		if err != nil || len(row) != 1 {
			t.Fatal(err)
		}
		if p := b.proof("seq=5"); p.Hash != leafHash(Encode(row[0])) {
			t.Error("the proof is of another row")
		}
	})
}

// TestTiles: with the tiles alone, as tlog reads them, the signed root is found again.
func TestTiles(t *testing.T) {
	b := open(t, "sqlite")
	for range 300 {
		b.act("p1")
	}
	b.seal()
	b.act("p1")
	if _, err := b.Append(t.Context()); err != nil {
		t.Fatal(err)
	}
	w, err := b.serve("GET", "/nhat-ky/checkpoint", "")
	if err != nil {
		t.Fatal(err)
	}
	_, tree, err := b.open(w.Body.Bytes())
	if err != nil || tree.N != 300 {
		t.Fatal(tree, err)
	}
	if got, err := tlog.TreeHash(tree.N, tlog.TileHashReader(tree, fetcher{b})); err != nil || got != tree.Hash {
		t.Errorf("%v %v", got, err)
	}
	for _, bad := range []string{"8/0/000.p/301", "8/0/002", "8/0/001.p/45", "8/1/000", "8/0/001", "8/63/000.p/1", "8/data/000", "7/0/000", "x", "8/0/x999/x999/x999/x999/999.p/1"} {
		if _, err := b.serve("GET", "/nhat-ky/tile/"+bad, ""); outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

type fetcher struct{ b bench }

func (f fetcher) Height() int                     { return height }
func (f fetcher) SaveTiles([]tlog.Tile, [][]byte) {}
func (f fetcher) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		w, err := f.b.serve("GET", "/nhat-ky/"+t.Path(), "")
		if err != nil {
			return nil, err
		}
		data = append(data, w.Body.Bytes())
	}
	return data, nil
}

// TestDoors: what is asked wrongly is refused, what is not signed yet is not shown.
func TestDoors(t *testing.T) {
	b := open(t, "sqlite")
	if _, err := b.serve("GET", "/nhat-ky/checkpoint", ""); outcome.KindOf(err) != outcome.NotFound {
		t.Errorf("an empty log: %v", err)
	}
	b.act("p1")
	b.seal()
	b.act("p1")
	if _, err := b.Append(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]outcome.Kind{
		"": outcome.Value, "leaf=x": outcome.Value, "leaf=-1": outcome.Value, "leaf=0&seq=1": outcome.Value, "old=0": outcome.Value, "old=2": outcome.Value, "leaf=0&leaf=0": outcome.Value,
		"leaf=0&other=1": outcome.Value, "leaf=1": outcome.NotFound, "seq=2": outcome.NotFound, "seq=99": outcome.NotFound, "leaf=0&size=7": outcome.NotFound,
	} {
		if _, err := b.serve("GET", "/nhat-ky/proof?"+query, ""); outcome.KindOf(err) != want {
			t.Errorf("%q: %v", query, err)
		}
	}
}

// TestCosignatures: only a registered witness, only what the log holds, only with the right to.
func TestCosignatures(t *testing.T) {
	engines(t, func(t *testing.T, b bench) {
		b.act("p1")
		b.seal()
		hospital, key := signerOf(t, "benh-vien.vn/a")
		stranger, _ := signerOf(t, "stranger")
		sign := func(s ...note.Signer) string {
			n, _, err := b.open(b.note())
			if err != nil {
				t.Fatal(err)
			}
			msg, err := note.Sign(n, s...)
			if err != nil {
				t.Fatal(err)
			}
			return string(msg)
		}
		post := func(body string, scopes ...string) string {
			_, err := b.serve("POST", "/nhat-ky/cosignature", body, scopes...)
			if err == nil {
				return ""
			}
			return outcome.As(err).Key
		}
		if got := post(sign(hospital), "system/AuditEvent.c"); got != "ledger.no-witness" {
			t.Errorf("before it is registered: %q", got)
		}
		for _, bad := range []string{"", "x", strings.Replace(key, "a+", "b+", 1), "bad name+00000000+AAAA", b.Key()} {
			if _, err := b.AddWitness(t.Context(), bad); outcome.As(err).Key != "ledger.witness-key" {
				t.Errorf("%q: %v", bad, err)
			}
		}
		if _, err := b.AddWitness(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if _, err := b.AddWitness(t.Context(), key); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("twice: %v", err)
		}
		forged, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n1\n%s\n", b.signer.Name(), tlog.Hash{1})}, b.signer, hospital)
		if err != nil {
			t.Fatal(err)
		}
		for want, got := range map[string]string{
			"":                          post(sign(hospital), "system/AuditEvent.c"),
			"ledger.no-witness":         post(sign(stranger), "system/*.cruds"),
			"ledger.may-not-cosign":     post(sign(hospital), "system/AuditEvent.rs", "system/Claim.c"),
			"ledger.unknown-checkpoint": post(string(forged), "system/AuditEvent.c"),
			"ledger.note":               post("x", "system/AuditEvent.c"),
		} {
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
		w, err := b.serve("GET", "/nhat-ky/checkpoint", "")
		if err != nil || bytes.Count(w.Body.Bytes(), []byte("\n— ")) != 2 || !strings.Contains(w.Body.String(), "\n— benh-vien.vn/a ") {
			t.Errorf("%v %s", err, w.Body)
		}
	})
}
