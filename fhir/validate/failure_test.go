package validate

import (
	"errors"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/term"
)

// TestFailure: a refusal tells its kind and place; what only warns is no refusal.
func TestFailure(t *testing.T) {
	v := New(nil, term.New(nil))
	err := v.Refuse(t.Context(), parse(t, `{"resourceType":"Patient","text":{"status":"empty","div":"<div>x</div>"},"gender":"x"}`), Options{})
	var f *Failure
	if !errors.As(err, &f) || len(f.Issues) != 2 || f.Issues[0].Severity != Warning {
		t.Fatalf("%v", err)
	}
	if e := outcome.As(err); e.Kind != outcome.Value || e.Key != "validate.code" || e.VI == "" || len(e.Expression) != 1 || e.Expression[0] != "Patient.gender" {
		t.Errorf("%+v", e)
	}
	if err := v.Refuse(t.Context(), parse(t, `{"resourceType":"Patient","text":{"status":"empty","div":"<div>x</div>"}}`), Options{}); err != nil {
		t.Error(err)
	}
}
