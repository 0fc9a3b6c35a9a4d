package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestBenchFHIR: a small run answers every interaction, at two sizes of one store.
func TestBenchFHIR(t *testing.T) {
	var out, errs bytes.Buffer
	c := benchCommand()
	if err := c.call(t.Context(), Streams{Out: &out, Err: &errs}, []string{"--json", "--fhir", "400,900", "--ops", "30"}); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	var r fhirReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Sizes) != 2 || r.Start <= 0 || r.Engine != "sqlite" {
		t.Fatalf("%+v", r)
	}
	for i, size := range r.Sizes {
		if size.Resources < []int{400, 900}[i] || size.Fill <= 0 || size.Mix["Encounter"] == 0 || len(size.Operations) != 9 {
			t.Errorf("%+v", size)
		}
		for _, o := range size.Operations {
			switch {
			case o.Refused != "":
				t.Errorf("%s: %s", o.Name, o.Refused)
			case o.CPU <= 0 || o.Rows == 0 || i == 1 && o.Growth == 0:
				t.Errorf("%+v", o)
			case (o.Name == "read" || o.Name == "create" && i == 0) && (o.Raw <= 0 || o.Share <= 0):
				t.Errorf("%s has nothing to compare with: %+v", o.Name, o)
			}
		}
	}
	var table strings.Builder
	if err := r.table(&table); err != nil || !strings.Contains(table.String(), "bundle of 100") || strings.Contains(table.String(), "%!") {
		t.Errorf("%v\n%s", err, table.String())
	}
	for _, args := range [][]string{{"--fhir", "10"}, {"--fhir", "1000,500"}, {"--fhir", "many"}, {"--only", "read"}, {"--database", "postgres://x"}} {
		if err := c.call(t.Context(), Streams{Out: &out, Err: &errs}, args); exit(Streams{Out: &out, Err: &errs}, err) != 2 {
			t.Errorf("%v: %v", args, err)
		}
	}
}
