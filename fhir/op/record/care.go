package record

import (
	"net/url"
	"slices"

	"github.com/ytso/ytso/fhir/rest"
)

// careDates names the search parameter that tells when the care of a type took
// place. Types that are not here tell of no care at a time (Coverage,
// AllergyIntolerance, FamilyMemberHistory, RelatedPerson …) and are in every range.
var careDates = map[string]string{
	"AdverseEvent": "date", "Appointment": "date", "CarePlan": "date", "CareTeam": "date", "ChargeItem": "occurrence", "Claim": "created",
	"ClaimResponse": "created", "ClinicalImpression": "date", "Communication": "sent", "CommunicationRequest": "authored",
	"Composition": "date", "Condition": "onset-date", "DetectedIssue": "identified", "DeviceRequest": "authored-on",
	"DiagnosticReport": "date", "DocumentManifest": "created", "DocumentReference": "date", "Encounter": "date", "EpisodeOfCare": "date",
	"ExplanationOfBenefit": "created", "ImagingStudy": "started", "Immunization": "date", "ImmunizationRecommendation": "date",
	"Invoice": "date", "Media": "created", "MedicationAdministration": "effective-time", "MedicationDispense": "whenhandedover",
	"MedicationRequest": "authoredon", "MedicationStatement": "effective", "NutritionOrder": "datetime", "Observation": "date",
	"Procedure": "date", "QuestionnaireResponse": "authored", "RequestGroup": "authored", "RiskAssessment": "date",
	"ServiceRequest": "authored", "Specimen": "collected", "VisionPrescription": "datewritten",
}

// carePhases narrows searches to a range of dates of care (start, end) and to
// what was changed (_since). A type with a date of care is searched twice: what
// has its date in the range, and what tells no date, of which nobody can say
// that it is outside. A Condition lasts: it is in the range unless it began behind its end.
func (o *operations) carePhases(c *rest.Call, all []phase) ([]phase, error) {
	start, err := moment(c.In, "start", dates...)
	if err != nil {
		return nil, err
	}
	end, err := moment(c.In, "end", dates...)
	if err != nil {
		return nil, err
	}
	since, err := moment(c.In, "_since", instants...)
	if err != nil {
		return nil, err
	}
	if start != "" && end != "" && start > end && start[:min(len(start), len(end))] > end {
		return nil, bad("end", "đứng trước ngày bắt đầu", "is before the start")
	}
	var out []phase
	for _, p := range all {
		var added url.Values
		if since != "" {
			added = url.Values{"_lastUpdated": {"ge" + since}}
		}
		ranges := o.ranges(p.typ, start, end)
		for _, r := range ranges {
			q, err := o.parse(c.Base, p.typ, merge(added, r))
			if err != nil {
				return nil, err
			}
			q.CompartmentType, q.CompartmentID = p.query.CompartmentType, p.query.CompartmentID
			q.Where = append(slices.Clone(p.query.Where), q.Where...)
			out = append(out, phase{p.typ, q})
		}
	}
	return out, nil
}

// ranges are the searches that together give a type in a range of dates.
func (o *operations) ranges(typ, start, end string) []url.Values {
	code := careDates[typ]
	if typ == "Condition" {
		start = ""
	}
	if code == "" || start == "" && end == "" {
		return []url.Values{nil}
	}
	in := url.Values{}
	if start != "" {
		in.Add(code, "ge"+start)
	}
	if end != "" {
		in.Add(code, "le"+end)
	}
	return []url.Values{in, {code + ":missing": {"true"}}}
}

func merge(a, b url.Values) url.Values {
	out := url.Values{}
	for _, v := range []url.Values{a, b} {
		for k, list := range v {
			out[k] = append(out[k], list...)
		}
	}
	return out
}
