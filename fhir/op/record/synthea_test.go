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

// synthea keeps the invented patients of conformance/synthea two by two in a
// store. References by urn:uuid are made those that a server makes of them;
// conditional ones stay.
func synthea(t testing.TB) (list []*memory) {
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
	for i, file := range files {
		if i%2 == 0 {
			list = append(list, newMemory())
		}
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
		fill(t, list[i/2], doc)
	}
	return list
}

func fill(t testing.TB, m *memory, bundle *r4.Doc) {
	t.Helper()
	var names []string
	for e := range bundle.Root().Get("entry").Elems() {
		n := e.Get("resource")
		names = append(names, `"`+e.Get("fullUrl").Text()+`"`, `"`+n.Get("resourceType").Text()+"/"+n.Get("id").Text()+`"`)
	}
	renamed := strings.NewReplacer(names...)
	for e := range bundle.Root().Get("entry").Elems() {
		n := e.Get("resource")
		k := store.Key{Type: n.Get("resourceType").Text(), ID: n.Get("id").Text()}
		if _, err := m.keep(k, "", []byte(renamed.Replace(string(n.Raw())))); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSynthea: of each invented patient $everything gives all that came with
// them and nothing of the other, and the summary conforms to the IPS and is short.
func TestSynthea(t *testing.T) {
	v := newValidator()
	for _, m := range synthea(t) {
		s := newServer(m)
		for k := range m.list {
			if k.Type != "Patient" {
				continue
			}
			wholeOf(t, m, k)
			resp, err := call(t, s, accessOf("operator"), "GET "+k.String()+"/$summary", "")
			if err != nil {
				t.Fatal(err)
			}
			if errors := conformsWhole(t, v, resp.Resource); errors != nil {
				t.Errorf("%s:\n%s", k, strings.Join(errors, "\n"))
			}
			if n := bytes.Count(resp.Resource, []byte(`"fullUrl"`)); n < 30 || n > 200 {
				t.Errorf("%s: %d entries", k, n)
			}
		}
	}
}
