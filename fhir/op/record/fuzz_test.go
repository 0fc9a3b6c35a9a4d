package record_test

import (
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// FuzzRecord keeps whatever resource beside a Patient and calls every operation
// upon them: none panics, none fails as if it were our fault, each answer is a resource.
func FuzzRecord(f *testing.F) {
	for _, name := range []string{"summary-whole", "everything", "document"} {
		b, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(txtar.Parse(b).Files[0].Data)) {
			if line[0] == '{' {
				f.Add(strings.NewReplacer("Patient/lan", "Patient/an", "Patient/an-1", "Patient/an").Replace(line))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := r4.Parse([]byte(text))
		if err != nil || !r4.IsResource(doc.Type()) || doc.ID() == "" || strings.ContainsAny(doc.ID(), "/?#%& ") {
			return
		}
		m := newMemory()
		m.fill(t, `{"resourceType":"Patient","id":"an","name":[{"text":"Nguyễn Văn An"}]}`)
		if _, err := m.keep(store.Key{Type: doc.Type(), ID: doc.ID()}, "", []byte(text)); err != nil {
			return
		}
		s := newServer(m)
		for _, line := range []string{
			"GET Patient/an/$everything", "GET Patient/an/$summary", "GET Observation/$lastn?patient=an&category=laboratory", "GET " + doc.Type() + "/" + doc.ID() + "/$meta",
			"GET Encounter/" + doc.ID() + "/$everything", "GET Composition/" + doc.ID() + "/$document", "GET Patient/" + doc.ID() + "/$summary",
		} {
			resp, err := call(t, s, accessOf("operator"), line, "")
			if err != nil {
				if outcome.KindOf(err) == outcome.Exception {
					t.Errorf("%s: %v", line, err)
				}
				continue
			}
			if _, err := r4.Parse(resp.Resource); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	})
}
