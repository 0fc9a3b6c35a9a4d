package record_test

import (
	"bytes"
	"compress/bzip2"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// synthea keeps the invented patients of conformance/synthea in one store, and
// says how many resources about each there are. References by urn:uuid are made
// those that a server makes of them; conditional ones stay.
func synthea(t testing.TB) (m *memory, about map[store.Key]int) {
	t.Helper()
	conformance(t, "synthea", "totals.json")
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "conformance")
	}
	files, err := filepath.Glob(filepath.Join(dir, "synthea", "bundles", "[1-9a-f]*.json.bz2"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%d bundles, %v", len(files), err)
	}
	m, about = newMemory(), map[store.Key]int{}
	for _, file := range files {
		packed, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(bzip2.NewReader(bytes.NewReader(packed)))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := r4.Parse(all)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, m, doc, about)
	}
	return m, about
}

func fill(t testing.TB, m *memory, bundle *r4.Doc, about map[store.Key]int) {
	t.Helper()
	var names []string
	for e := range bundle.Root().Get("entry").Elems() {
		n := e.Get("resource")
		names = append(names, `"`+e.Get("fullUrl").Text()+`"`, `"`+n.Get("resourceType").Text()+"/"+n.Get("id").Text()+`"`)
	}
	renamed := strings.NewReplacer(names...)
	var patient store.Key
	for e := range bundle.Root().Get("entry").Elems() {
		n := e.Get("resource")
		k := store.Key{Type: n.Get("resourceType").Text(), ID: n.Get("id").Text()}
		if k.Type == "Patient" {
			patient = k
		}
		if _, err := m.keep(k, "", []byte(renamed.Replace(string(n.Raw())))); err != nil {
			t.Fatal(err)
		}
		about[patient]++
	}
}

// TestSynthea: of each invented patient $everything gives all that came with
// them, and the summary conforms to the IPS and is short.
func TestSynthea(t *testing.T) {
	m, about := synthea(t)
	s, v := newServer(m), newValidator()
	for patient, n := range about {
		resp, err := call(t, s, accessOf("operator"), "GET "+patient.String()+"/$everything", "")
		if err != nil {
			t.Fatal(err)
		}
		keys, _ := entriesOf(t, resp.Resource)
		if len(keys) != n {
			t.Errorf("%s: %d resources, want %d", patient, len(keys), n)
		}
		if resp, err = call(t, s, accessOf("operator"), "GET "+patient.String()+"/$summary", ""); err != nil {
			t.Fatal(err)
		}
		if errors := conformsWhole(t, v, resp.Resource); errors != nil {
			t.Errorf("%s:\n%s", patient, strings.Join(errors, "\n"))
		}
		t.Logf("%s: %d of %d, %d bytes", patient, bytes.Count(resp.Resource, []byte(`"fullUrl"`)), n, len(resp.Resource))
	}
}
