package record_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// conformance opens a file of the conformance data, which lies beside the project.
func conformance(t testing.TB, name ...string) []byte {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "conformance")
	}
	path := filepath.Join(append([]string{dir}, name...)...)
	b, err := os.ReadFile(path)
	if err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatalf("%s is wanted here: %v", path, err)
		}
		t.Skipf("%s is not here", path)
	}
	return b
}

// examples are the official examples of R4 in one store.
func examples(t testing.TB) *memory {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(conformance(t, "r4-examples", "examples.ndjson.gz")))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	lines := bufio.NewScanner(bytes.NewReader(all))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		doc, err := r4.Parse(bytes.Clone(lines.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if doc.ID() == "" {
			continue
		}
		if _, err := m.keep(store.Key{Type: doc.Type(), ID: doc.ID()}, "", doc.Source()); err != nil {
			t.Fatalf("%s/%s: %v", doc.Type(), doc.ID(), err)
		}
	}
	return m
}

// wrong are examples that break R4 themselves: a performer that is an Encounter
// ("Reference(Practitioner | PractitionerRole | Organization | CareTeam | Patient | RelatedPerson)",
// observation-definitions.html#Observation.performer), and a reason that is a
// Procedure ("Reference(Condition | Observation | DiagnosticReport | DocumentReference | Media)",
// deviceusestatement-definitions.html#DeviceUseStatement.reasonReference).
var wrong = []store.Key{{Type: "Observation", ID: "clinical-gender"}, {Type: "DeviceUseStatement", ID: "example"}}

// TestExamples: the records in the official examples of R4 give summaries that
// conform to the IPS, everything that names a patient and nothing of another,
// and documents of those Compositions that name only what is there.
func TestExamples(t *testing.T) {
	m := examples(t)
	for _, k := range wrong {
		if m.list[k] == nil {
			t.Errorf("%s is no example any more", k)
		}
		delete(m.list, k)
	}
	s, v := newServer(m), newValidator()
	patients, documents, told := 0, 0, 0
	for k := range m.list {
		switch k.Type {
		case "Patient":
			patients++
			resp, err := call(t, s, accessOf("operator"), "GET "+k.String()+"/$summary", "")
			if err != nil {
				t.Errorf("%s: %v", k, err)
				continue
			}
			told += bytes.Count(resp.Resource, []byte(`"fullUrl"`)) - 4
			if errors := conformsWhole(t, v, resp.Resource); errors != nil {
				t.Errorf("%s: %s", k, strings.Join(errors, "\n"))
			}
			wholeOf(t, m, k)
		case "Composition":
			resp, err := call(t, s, accessOf("operator"), "GET "+k.String()+"/$document", "")
			if err != nil {
				if kind := outcome.KindOf(err); kind != outcome.BusinessRule && kind != outcome.NotSupported {
					t.Errorf("%s: %v", k, err)
				}
				continue
			}
			documents++
			if errors := conforms(t, v, resp.Resource); errors != nil {
				t.Errorf("%s: %s", k, strings.Join(errors, "\n"))
			}
		case "Encounter":
			if _, err := call(t, s, accessOf("operator"), "GET "+k.String()+"/$everything", ""); err != nil {
				t.Errorf("%s: %v", k, err)
			}
		}
	}
	if patients < 15 || told < 60 {
		t.Errorf("%d patients, %d documents, %d resources in summaries", patients, documents, told)
	}
}

// wholeOf holds $everything against the compartment as the store knows it.
func wholeOf(t *testing.T, m *memory, patient store.Key) {
	t.Helper()
	resp, err := call(t, newServer(m), accessOf("operator"), "GET "+patient.String()+"/$everything", "")
	if err != nil {
		t.Errorf("%s: %v", patient, err)
		return
	}
	keys, _ := entriesOf(t, resp.Resource)
	got := map[string]bool{}
	for _, k := range keys {
		got[strings.TrimPrefix(k, base+"/")] = true
	}
	for k, versions := range m.list {
		about := versions[len(versions)-1].about
		in := k == patient || len(about) > 0 && k.Type != "Patient" && k.Type != "AuditEvent" && strings.Contains(" "+strings.Join(about, " ")+" ", " "+patient.ID+" ")
		if personal := len(r4.PatientCompartment(k.Type)) > 0; in != got[k.String()] && (in || personal) {
			t.Errorf("%s: %s is there: %v, want %v", patient, k, got[k.String()], in)
		}
	}
}
