package canonical_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/canonical"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func engines(t *testing.T, f func(*testing.T, store.Store)) {
	run := func(name string, o func(t *testing.T) sqlstore.Options) {
		t.Run(name, func(t *testing.T) {
			opt := o(t)
			opt.Sets = []db.Set{{Room: canonical.Name, FS: canonical.Migrations()}}
			s, err := sqlstore.Open(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			f(t, s)
		})
	}
	run("sqlite", func(t *testing.T) sqlstore.Options {
		return sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}
	})
	run("postgres", func(t *testing.T) sqlstore.Options { return sqlstore.Options{URL: pgtest.URL(t)} })
}

func access() (store.Access, error) { return storetest.All, nil }

func put(t *testing.T, s store.Store, typ, id, rest string) {
	t.Helper()
	storetest.Put(t, s, storetest.All, store.Draft{Key: store.Key{Type: typ, ID: id}, Body: fmt.Appendf(nil, `{"resourceType":%q,"id":%q,"status":"active",%s}`, typ, id, rest)})
}

func TestFind(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		put(t, s, "ValueSet", "a", `"url":"urn:vs","version":"1.9.0"`)
		put(t, s, "ValueSet", "b", `"url":"urn:vs","version":"1.10.0"`)
		put(t, s, "ValueSet", "c", `"url":"urn:vs","version":"1.10.0-draft"`)
		put(t, s, "CodeSystem", "d", `"url":"urn:cs","content":"complete","concept":[{"code":"x","display":"Ích"}]`)
		put(t, s, "CodeSystem", "e", `"url":"urn:cs:en","content":"supplement","supplements":"urn:cs","concept":[{"code":"x","designation":[{"language":"en","value":"Use"}]}]`)
		put(t, s, "CodeSystem", "g", `"url":"urn:cs:fr","content":"supplement","supplements":"urn:cs|1","concept":[{"code":"x","designation":[{"language":"fr","value":"U"}]}]`)
		src := canonical.New(s, access)
		for _, c := range []struct{ typ, url, version, id string }{
			{"ValueSet", "urn:vs", "", "b"}, {"", "urn:vs", "1.9.0", "a"}, {"ValueSet", "urn:vs", "2", ""}, {"CodeSystem", "urn:vs", "", ""},
			{"", "urn:cs", "", "d"}, {"Nothing", "urn:cs", "", ""}, {"", "", "", ""},
		} {
			d, err := src.Find(t.Context(), c.typ, c.url, c.version)
			if err != nil || d == nil && c.id != "" || d != nil && d.ID() != c.id {
				t.Errorf("%+v: %v", c, err)
			}
		}
		put(t, s, "ValueSet", "f", `"url":"urn:vs","version":"2"`)
		if d, _ := src.Find(t.Context(), "ValueSet", "urn:vs", "2"); d != nil {
			t.Error("what was looked for is not kept")
		}
		src.Forget()
		if d, _ := src.Find(t.Context(), "ValueSet", "urn:vs", ""); d == nil || d.ID() != "f" {
			t.Error("what was written is not found after Forget")
		}
		list, err := src.Supplements(t.Context(), "urn:cs")
		if err != nil || len(list) != 2 {
			t.Errorf("%d supplements, %v", len(list), err)
		}
	})
}

// TestFindOn: where versions are days the one of the day is found.
func TestFindOn(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		for i, v := range []string{"2025-01-01", "2026-01-01", "draft"} {
			put(t, s, "CodeSystem", fmt.Sprintf("d%d", i), `"url":"urn:d","content":"complete","version":"`+v+`","concept":[{"code":"c`+fmt.Sprint(i)+`"}]`)
		}
		put(t, s, "ValueSet", "d", `"url":"urn:d:vs","version":"2025-01-01","compose":{"include":[{"system":"urn:d"}]}`)
		src := canonical.New(s, access)
		for day, id := range map[string]string{"2024-12-31": "", "2025-01-01": "d0", "2025-12-31": "d0", "2026-01-01": "d1", "2030-01-01": "d1"} {
			d, err := src.FindOn(t.Context(), "CodeSystem", "urn:d", day)
			if err != nil || d == nil && id != "" || d != nil && d.ID() != id {
				t.Errorf("%s: %v", day, err)
			}
		}
		x, err := term.New(src).Expand(t.Context(), term.Expand{URL: "urn:d:vs", At: term.At{Day: "2025-06-01"}, Count: term.NoCount})
		if err != nil || x.Total != 1 || x.Entries[0].Code.Code != "c0" {
			t.Errorf("%+v %v", x, err)
		}
	})
}

// TestParts: a system of 70,000 concepts, more than one list of JSON may have here, is found by each of its codes.
func TestParts(t *testing.T) {
	engines(t, func(t *testing.T, s store.Store) {
		const n = 70_000
		var parts [][]byte
		for from := 0; from < n; from += 20_000 {
			b := []byte(`{"concept":[`)
			for i := from; i < min(n, from+20_000); i++ {
				if i > from {
					b = append(b, ',')
				}
				b = fmt.Appendf(b, `{"code":"T%05d","display":"Thuốc số %d"}`, i, i)
			}
			parts = append(parts, append(b, "]}"...))
		}
		for range 2 { // the second time takes the place of the first
			err := s.Update(t.Context(), storetest.All, func(tx store.Tx) error {
				return canonical.PutParts(t.Context(), tx, "urn:thuoc", "2026", parts)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		put(t, s, "CodeSystem", "thuoc", fmt.Sprintf(`"url":"urn:thuoc","version":"2026","content":"not-present","count":%d`, n))
		put(t, s, "ValueSet", "thuoc", `"url":"urn:thuoc:vs","compose":{"include":[{"system":"urn:thuoc"}]}`)
		terms := term.New(canon.Sources{term.Official(), canonical.New(s, access)})
		for code, want := range map[string]term.Verdict{"T00000": term.Member, "T01000": term.Member, "T69999": term.Member, "T70000": term.NotMember} {
			if got, err := terms.Member(t.Context(), "urn:thuoc:vs", term.Code{System: "urn:thuoc", Code: code}, false); got != want || err != nil {
				t.Errorf("%s: %d %v", code, got, err)
			}
		}
	})
}
