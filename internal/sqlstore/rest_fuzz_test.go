package sqlstore

import (
	"testing"

	"github.com/ytso/ytso/fhir/rest/resttest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
)

// rows counts the versions that the store holds.
func rows(t testing.TB, s store.Store) (n int64) {
	t.Helper()
	err := s.View(t.Context(), storetest.All, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), `SELECT (SELECT COUNT(*) FROM res) + (SELECT COUNT(*) FROM hist)`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// FuzzRESTBody: no body, whatever it is called, breaks the interface, and what it refuses leaves no trace.
func FuzzRESTBody(f *testing.F) {
	s := openTest(f, Options{Dir: f.TempDir(), Key: testKey})
	for _, b := range resttest.Bodies {
		for kind := range resttest.Doors {
			f.Add(kind, []byte(b))
		}
	}
	f.Fuzz(func(t *testing.T, kind int, body []byte) {
		before := rows(t, s)
		if resttest.Send(t, s, kind, body) >= 400 && rows(t, s) != before {
			t.Errorf("what was refused left a trace")
		}
	})
}

// FuzzRESTQuery: no address breaks the interface.
func FuzzRESTQuery(f *testing.F) {
	s := openTest(f, Options{Dir: f.TempDir(), Key: testKey})
	for _, q := range resttest.Queries {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, address string) { resttest.Ask(t, s, address) })
}
