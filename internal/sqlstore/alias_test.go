package sqlstore

import (
	"bytes"
	"net/url"
	"slices"
	"testing"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// TestPatientIsSubject holds what alias relies on against the official
// examples: where a type has both parameters, each subject that is a Patient
// is found by `patient` as well, so that one posting answers for both.
func TestPatientIsSubject(t *testing.T) {
	all := examples(t)
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
