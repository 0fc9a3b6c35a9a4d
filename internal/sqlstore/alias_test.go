package sqlstore

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// TestPatientIsSubject holds what alias relies on against the official
// examples: where a type has both parameters, each subject that is a Patient
// is found by `patient` as well, so that one posting answers for both.
func TestPatientIsSubject(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	f, err := os.Open(filepath.Join(dir, "r4-examples", "examples.ndjson.gz"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for line := range bytes.Lines(all) {
		doc, err := r4.Parse(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := param.Parse(doc.Type(), url.Values{"patient": {"x"}, "subject": {"Patient/x"}}); err != nil {
			continue // not both
		}
		values, err := param.Extract(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if v.Param != "subject" || v.Type != "Patient" || v.ID == "" {
				continue
			}
			types[doc.Type()] = true
			if !slices.ContainsFunc(values, func(o param.Value) bool { return o.Param == "patient" && o.Type == v.Type && o.ID == v.ID }) {
				t.Errorf("%s/%s: the subject is no patient", doc.Type(), doc.ID())
			}
		}
	}
	if len(types) < 15 {
		t.Errorf("only %d types have both and show it", len(types))
	}
}
