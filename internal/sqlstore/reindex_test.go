package sqlstore

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
)

func custom(t *testing.T, expression string) *param.Registry {
	t.Helper()
	d, err := r4.Parse([]byte(`{"resourceType":"SearchParameter","url":"urn:test:nick","name":"Nick","status":"active","description":"x","code":"nick","base":["Patient"],"type":"string","expression":"` + expression + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := param.Official().With([]*r4.Doc{d})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReindex: a parameter of the server's own answers when every resource is
// indexed by it, not before, and then of all of them; also after it was changed.
func TestReindex(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		o := options(t)
		s, ctx := openTest(t, o), t.Context()
		put := func(i int) {
			storetest.Put(t, s, storetest.All, store.Draft{Key: store.Key{Type: "Patient", ID: fmt.Sprint("p", i)}, Owner: []string{"", "F1"}[i%2],
				Body: fmt.Appendf(nil, `{"resourceType":"Patient","meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"name":[{"use":"nickname","text":"Tí %d"},{"use":"official","text":"Nguyễn %d"}],"link":[{"other":{"reference":"Patient/x%d"},"type":"seealso"}]}`, i%5, i%3, i)})
		}
		for i := range 30 {
			put(i)
		}
		before, err := s.Prepare(store.Draft{Key: store.Key{Type: "Patient", ID: "late"}, Body: []byte(`{"resourceType":"Patient","name":[{"use":"nickname","text":"Tí 1"}]}`)})
		if err != nil {
			t.Fatal(err)
		}
		reg := custom(t, "Patient.name.where(use='nickname').text")
		find := func(reg *param.Registry, text string) (int, error) {
			q, err := reg.Parse("Patient", storetest.Values(text), param.Options{})
			if err != nil {
				t.Fatal(err)
			}
			n := -1
			err = s.View(ctx, storetest.All, func(r store.Reader) error {
				p, err := r.Search(ctx, q)
				if err == nil {
					n = len(p.Matches)
				}
				return err
			})
			return n, err
		}
		through := func(step int) {
			t.Helper()
			cursor, done := "", false
			for i := 0; !done; i++ {
				if n, err := find(s.Params(), "nick=ti"); outcome.KindOf(err) != outcome.NotSupported {
					t.Fatalf("step %d: %d found, %v", i, n, err)
				}
				if cursor, _, err = s.Reindex(ctx, storetest.All, cursor, step); err != nil || i > 50 {
					t.Fatal(i, err)
				}
				done = cursor == ""
				put(i % 30)
				put(30 + i)
			}
			if len(s.Pending()) != 0 {
				t.Error(s.Pending())
			}
		}
		if err := s.SetParams(ctx, reg); err != nil {
			t.Fatal(err)
		}
		if p := s.Pending(); len(p) != 1 || p[0] != [2]string{"Patient", "nick"} {
			t.Error(p)
		}
		if err := s.Update(ctx, storetest.All, func(tx store.Tx) error { _, err := tx.Put(ctx, before); return err }); err != nil {
			t.Fatal(err)
		}
		through(7)
		total, _ := find(reg, "")
		for text, want := range map[string]int{"nick=ti": total, "nick=ti 1,ti 2": -1, "nick:missing=true": 0, "nick=nguyen": 0, "nick:exact=x": 0, "nick:contains=i": total} {
			n, err := find(reg, strings.ReplaceAll(text, " ", "%20"))
			if err != nil || want >= 0 && n != want || want < 0 && (n < 12 || n >= total) {
				t.Errorf("%s: %d of %d %v", text, n, total, err)
			}
		}
		old, _, err := s.Reindex(ctx, storetest.All, "", 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetParams(ctx, custom(t, "Patient.name.where(use='official').text")); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Reindex(ctx, storetest.All, old, 3); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("with a cursor of other parameters: %v", err)
		}
		through(11)
		if n, err := find(s.Params(), "nick=nguyen"); n < 30 || err != nil {
			t.Errorf("after a change: %d %v", n, err)
		}
		if n, err := find(s.Params(), "nick=ti"); n != 0 || err != nil {
			t.Errorf("after a change: %d of the old %v", n, err)
		}
		if _, _, err := s.Reindex(ctx, func() store.Access {
			a := storetest.All
			a.Filter = store.Filter{Patients: []string{"p1"}, Types: a.Filter.Types}
			return a
		}(), "", 3); outcome.KindOf(err) != outcome.Forbidden {
			t.Errorf("by who sees a part: %v", err)
		}
		if err := s.SetParams(ctx, param.Official()); err != nil { // it is gone, and its entries with it
			t.Fatal(err)
		}
		through2(t, s)
		for i := range 100 {
			if err := s.Update(ctx, storetest.All, func(tx store.Tx) error {
				if err := tx.Delete(ctx, store.Key{Type: "Patient", ID: "late"}, 0); err != nil {
					return err
				}
				return tx.Delete(ctx, store.Key{Type: "Patient", ID: fmt.Sprint("p", i)}, 0)
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, table := range []string{"post", "txt", "span", "refr", "person"} {
			var n int64
			if err := s.e.view(ctx, func(c conn) error { return one(ctx, c, `SELECT COUNT(*) FROM `+table, nil, &n) }, nil); err != nil || n != 0 {
				t.Errorf("%d rows left in %s %v", n, table, err)
			}
		}
	})
}

func through2(t *testing.T, s *Store) {
	cursor, done := "", false
	for !done {
		var err error
		if cursor, _, err = s.Reindex(t.Context(), storetest.All, cursor, 10); err != nil {
			t.Fatal(err)
		}
		done = cursor == ""
	}
}
