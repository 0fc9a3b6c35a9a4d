package rest

import (
	"bufio"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/validate"
)

// TestViewsAreResources: what _summary and _elements leave of the official
// examples is a resource of its type still, with all that is mandatory.
func TestViewsAreResources(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	f, err := os.Open(filepath.Join(dir, "r4-examples", "examples.ndjson.gz"))
	if err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines, n, smaller := bufio.NewScanner(z), 0, 0
	lines.Buffer(nil, 1<<21)
	for lines.Scan() {
		src := append([]byte(nil), lines.Bytes()...)
		doc, err := r4.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		if validate.Failed(validate.Structure(doc)) {
			continue // it breaks the rules before anything is left out
		}
		n++
		for _, v := range []view{{summary: "true"}, {summary: "text"}, {summary: "data"}, {elements: []string{"id"}}, {elements: []string{"text", "contained", "identifier"}}} {
			out, err := v.apply(src)
			if err != nil {
				t.Fatal(err)
			}
			left, err := r4.Parse(out)
			if err != nil {
				t.Errorf("%s/%s %+v: %v: %s", doc.Type(), doc.ID(), v, err, out)
				continue
			}
			for _, i := range validate.Structure(left) {
				if i.Severity == validate.Error && i.Key != "validate.fragment" { // what is contained is left out
					t.Errorf("%s/%s %+v: %s %s", doc.Type(), doc.ID(), v, i.Expression, i.EN)
				}
			}
			if !subset(left) || left.ID() != doc.ID() {
				t.Errorf("%s/%s %+v: %s", doc.Type(), doc.ID(), v, out)
			}
			if len(out) < len(src) {
				smaller++
			}
		}
	}
	if n < 700 || smaller < 2*n {
		t.Errorf("%d examples, %d views smaller than the whole", n, smaller)
	}
}
