package r4

import (
	"strings"
	"testing"
)

// TestTables: what the official package says stands in the tables.
func TestTables(t *testing.T) {
	d := official()
	if n := len(d.params().byURL); n != 1400 {
		t.Errorf("%d search parameters, want 1400", n)
	}
	resources := len(ResourceTypes())
	if resources != 146 { // valueset-resource-types.html, without the two abstract ones
		t.Errorf("%d resources, want 146", resources)
	}
	e, ok := ElementAt("Observation.status")
	if !ok || e.Min != 1 || e.Max != "1" || e.ValueSet != "http://hl7.org/fhir/ValueSet/observation-status" || !e.Modifier {
		t.Errorf("Observation.status: %+v", e)
	}
	e, _ = ElementAt("Observation.value[x]")
	if len(e.Types) != 11 || e.Types[0].Code != "Quantity" {
		t.Errorf("Observation.value[x]: %+v", e.Types)
	}
	e, _ = ElementAt("Encounter.subject")
	if len(e.Types) != 1 || strings.Join(e.Types[0].Targets, " ") != "Patient Group" {
		t.Errorf("Encounter.subject: %+v", e.Types)
	}
	if e, _ = ElementAt("Questionnaire.item.item"); e.SameAs != "Questionnaire.item" {
		t.Errorf("Questionnaire.item.item: %+v", e)
	}
	if got := strings.Join(PatientCompartment("Observation"), " "); got != "subject performer" {
		t.Errorf("compartment of Observation: %q", got)
	}
	for of, n := range map[string]int{"Patient": 66, "Encounter": 25, "RelatedPerson": 32, "Practitioner": 59, "Device": 32, "Organization": 0} {
		if len(Compartment(of)) != n {
			t.Errorf("compartment of %s: %d types, want %d", of, len(Compartment(of)), n)
		}
	}
	if p, ok := Compartment("Encounter")["Encounter"]; !ok || len(p) != 0 || strings.Join(Compartment("Practitioner")["Encounter"], " ") != "practitioner participant" {
		t.Errorf("compartments: %v %v", p, Compartment("Practitioner")["Encounter"])
	}
	var names []string
	for _, e := range Children("Patient.link") {
		names = append(names, e.Path)
	}
	if got := strings.Join(names, " "); got != "Patient.link.extension Patient.link.id Patient.link.modifierExtension Patient.link.other Patient.link.type" {
		t.Errorf("children of Patient.link: %s", got)
	}
	if len(PatientCompartment("Organization")) != 0 || !IsResource("Claim") || IsResource("HumanName") || IsResource("DomainResource") {
		t.Error("Organization is in no compartment; HumanName and what is abstract are no resources")
	}
	if e, _ := ElementAt("Observation.referenceRange.low"); !e.Simple {
		t.Error("Observation.referenceRange.low is a SimpleQuantity")
	}
	if e, _ := ElementAt("Observation.value[x]"); e.Simple {
		t.Error("Observation.value[x] is any Quantity")
	}
	n, places := map[string]bool{}, 0
	for path, list := range official().invariants() {
		if _, ok := ElementAt(path); !ok {
			t.Errorf("invariants at %s", path)
		}
		for _, i := range list {
			n[i.Key+i.Expression] = true
			places++
			if i.Expression == "" && i.Key != "ref-1" || i.Human == "" || i.Severity != "error" && i.Severity != "warning" {
				t.Errorf("%+v", i)
			}
		}
	}
	if len(n) != 239 || places != 243 {
		t.Errorf("%d invariants at %d places", len(n), places)
	}
	for _, p := range SearchParameters("Patient") {
		if p.Code == "identifier" && (p.Type != "token" || p.Expression != "Patient.identifier") {
			t.Errorf("%+v", p)
		}
	}
}
