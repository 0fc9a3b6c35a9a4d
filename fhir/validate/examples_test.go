package validate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// conformance opens a file of the official data; the test is skipped when it is not beside the project.
func conformance(t testing.TB, name ...string) []byte {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	b, err := os.ReadFile(filepath.Join(append([]string{dir}, name...)...))
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(dir); err == nil || os.Getenv("CI") == "true" || os.Getenv("YTSO_TEST_REQUIRE") == "1" {
			t.Fatalf("%s is not there", filepath.Join(name...))
		}
		t.Skip("the official data is not beside the project (YTSO_CONFORMANCE)")
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// examples are the 721 official examples of R4.
func examples(t testing.TB) []*r4.Doc {
	z, err := gzip.NewReader(bytes.NewReader(conformance(t, "r4-examples", "examples.ndjson.gz")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var out []*r4.Doc
	for line := range bytes.Lines(all) {
		d, err := r4.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	if len(out) != 721 {
		t.Fatalf("%d examples, want 721", len(out))
	}
	return out
}

// faulty are the official examples that break the specification's own rules, and how.
var faulty = map[string]struct{ keys, why string }{
	"ActivityDefinition/blood-tubes-supply":        {"narrative", "text.div is empty (txt-2)"},
	"ActivityDefinition/heart-valve-replacement":   {"narrative", "text.div is empty (txt-2)"},
	"EventDefinition/example":                      {"narrative", "text.div is empty (txt-2)"},
	"Questionnaire/zika-virus-exposure-assessment": {"narrative", "text.div is empty (txt-2)"},
	"Questionnaire/qs1":                            {"required", "its inner items have no linkId, which is 1..1"},
	"DeviceMetric/example":                         {"target", "parent points at a DeviceDefinition, not at a Device"},
	"DeviceUseStatement/example":                   {"target", "reasonReference points at a Procedure, which the element does not allow"},
	"MedicationRequest/medrx0301":                  {"target", "dispenseRequest.performer points at a Practitioner, not at an Organization"},
	"Observation/clinical-gender":                  {"target", "performer points at an Encounter"},
	"Bundle/10bb101f-a121-4264-a920-67be9cb82c74":  {"full-url-id", "bundle.html: fullUrl shall not disagree with the id; …/Patient/pat12 holds Patient pat2"},
	"Bundle/3a0707d3-549e-4467-b8b8-5a2ab3800efe":  {"full-url-id", "as the one before"},
	"Bundle/lri-example":                           {"full-url-id", "…/Observation/lri-growth1 holds Observation growth1"},
	"Media/sound":                                  {"narrative-anchor", "the picture #11 is nowhere"},
	"Library/zika-virus-intervention-logic":        {"form", "two valueSets call a UUID an OID"},
}

func TestExamples(t *testing.T) {
	seen, v := map[string]bool{}, over()
	for _, d := range examples(t) {
		name := d.Type() + "/" + d.ID()
		var wrong []string
		issues, err := v.Check(t.Context(), d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range issues {
			if i.Severity == Error {
				wrong = append(wrong, strings.TrimPrefix(i.Key, "validate."))
			}
		}
		slices.Sort(wrong)
		if got := strings.Join(slices.Compact(wrong), " "); got != faulty[name].keys {
			t.Errorf("%s: %q, want %q\n%+v", name, got, faulty[name].keys, issues)
		}
		seen[name] = true
	}
	for name := range faulty {
		if !seen[name] {
			t.Errorf("%s is no example", name)
		}
	}
}
