package core

import (
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
)

func TestDefinitions(t *testing.T) {
	table := New()
	list, err := table.List("StructureDefinition")
	if err != nil || len(list) < 650 {
		t.Fatalf("%d definitions, %v", len(list), err)
	}
	for _, canonical := range list {
		url, version, _ := canon.Split(canonical)
		d, err := table.Find(t.Context(), "StructureDefinition", url, version)
		if err != nil || d == nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		if root := d.Root(); root.Get("differential").Get("element").Len() == 0 && url != "http://hl7.org/fhir/StructureDefinition/BackboneElement" && root.Get("kind").Text() != "logical" || root.Get("text").Exists() {
			t.Errorf("%s has no elements, or prose", canonical)
		}
	}
	for _, typ := range r4.ResourceTypes() {
		if d, err := table.Find(t.Context(), "StructureDefinition", "http://hl7.org/fhir/StructureDefinition/"+typ, ""); d == nil || err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
	if d, err := table.Find(t.Context(), "ValueSet", "http://hl7.org/fhir/StructureDefinition/Patient", ""); d != nil || err != nil {
		t.Error("a definition of another type was found")
	}
	if d, err := table.Find(t.Context(), "", "http://hl7.org/fhir/StructureDefinition/Patient", "5.0.0"); d != nil || err != nil {
		t.Error("a definition of another version was found")
	}
	ext, err := table.Find(t.Context(), "", "http://hl7.org/fhir/StructureDefinition/patient-birthTime", "4.0.1")
	if err != nil || ext.Root().Get("context").At(0).Get("expression").Text() != "Patient.birthDate" {
		t.Errorf("patient-birthTime: %v", err)
	}
}

// TestDamaged: a table that was cut off says so and doesn't panic.
func TestDamaged(t *testing.T) {
	for _, n := range []int{0, 3, 100, 5000, len(tables) / 2, len(tables) - 1} {
		table := canon.NewTable(tables[:n])
		if d, err := table.Find(t.Context(), "", "http://hl7.org/fhir/StructureDefinition/workflow-researchStudy", ""); err == nil {
			t.Errorf("%d bytes: %v", n, d)
		}
	}
}
