package param

import (
	"slices"

	"github.com/ytso/ytso/fhir/r4"
)

// clinical names the member that holds the main clinical date of a type: the
// day by which lists of it are ordered. The first that is there counts; of a
// Period its start, else its end.
var clinical = map[string][]string{
	"AllergyIntolerance":       {"onsetDateTime", "recordedDate"},
	"Appointment":              {"start"},
	"CarePlan":                 {"period", "created"},
	"Claim":                    {"billablePeriod", "created"},
	"ClinicalImpression":       {"effectiveDateTime", "effectivePeriod", "date"},
	"Composition":              {"date"},
	"Condition":                {"onsetDateTime", "onsetPeriod", "recordedDate"},
	"Consent":                  {"dateTime"},
	"Coverage":                 {"period"},
	"DeviceUseStatement":       {"timingDateTime", "timingPeriod", "recordedOn"},
	"DiagnosticReport":         {"effectiveDateTime", "effectivePeriod", "issued"},
	"DocumentReference":        {"date"},
	"Encounter":                {"period"},
	"EpisodeOfCare":            {"period"},
	"Flag":                     {"period"},
	"Immunization":             {"occurrenceDateTime"},
	"MedicationAdministration": {"effectiveDateTime", "effectivePeriod"},
	"MedicationDispense":       {"whenHandedOver", "whenPrepared"},
	"MedicationRequest":        {"authoredOn"},
	"MedicationStatement":      {"effectiveDateTime", "effectivePeriod", "dateAsserted"},
	"Observation":              {"effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"},
	"Procedure":                {"performedDateTime", "performedPeriod"},
	"Provenance":               {"occurredDateTime", "occurredPeriod", "recorded"},
	"QuestionnaireResponse":    {"authored"},
	"ServiceRequest":           {"authoredOn", "occurrenceDateTime", "occurrencePeriod"},
	"Specimen":                 {"receivedTime"},
	"SupplyDelivery":           {"occurrenceDateTime", "occurrencePeriod"},
	"Task":                     {"authoredOn"},
}

// ClinicalDate gives the main clinical date of a resource as UTC milliseconds.
// ok is false for types that have none and resources that leave it out: the
// store orders those by the time of their writing.
func ClinicalDate(d *r4.Doc) (ms int64, ok bool) {
	for _, name := range clinical[d.Type()] {
		n := d.Root().Get(name)
		for _, text := range []string{n.Text(), n.Get("start").Text(), n.Get("end").Text()} {
			if lo, _, ok := span(text); ok {
				return lo, true
			}
		}
	}
	return 0, false
}

// PatientCompartment lists the ids of the Patients of this server in whose
// compartment a resource is; a Patient is in its own (FHIR R4 compartmentdefinition-patient.html).
func PatientCompartment(d *r4.Doc, values []Value) []string {
	var ids []string
	if d.Type() == "Patient" && d.ID() != "" {
		ids = append(ids, d.ID())
	}
	member := r4.PatientCompartment(d.Type())
	for _, v := range values {
		if v.Kind == Reference && v.Type == "Patient" && slices.Contains(member, v.Param) {
			ids = append(ids, v.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
