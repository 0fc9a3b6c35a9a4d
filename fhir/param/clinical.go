package param

import (
	"slices"
	"strings"

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

// IsClinicalDate says whether a date parameter of a type is its clinical date
// and nothing else: a resource has at most one value of it, and where that
// value has a beginning, ClinicalDate gives the same. A store may then answer
// a search by it from the order in which it keeps the resources.
func IsClinicalDate(typ, code string) bool {
	if len(clinical[typ]) == 0 {
		return false
	}
	for _, def := range r4.SearchParameters(typ) {
		if def.Code != code || def.Type != "date" {
			continue
		}
		path := ""
		for part := range strings.SplitSeq(def.Expression, "|") { // clinical-date: a path for each type
			if part = strings.TrimSpace(part); strings.HasPrefix(part, typ+".") {
				if path != "" {
					return false
				}
				path = part
			}
		}
		e, ok := r4.ElementAt(path)
		return ok && path == typ+"."+clinical[typ][0] && e.Max == "1" && len(e.Types) == 1 &&
			slices.Contains([]string{"date", "dateTime", "instant", "Period"}, e.Types[0].Code)
	}
	return false
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
