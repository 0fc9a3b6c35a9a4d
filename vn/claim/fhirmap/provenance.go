package fhirmap

import (
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// manyTargets is how many resources a Provenance names one by one; of a larger
// visit it names those that lead to the rest.
const manyTargets = 100

// provenance says from which file and HOSO everything comes. It alone changes
// when the same HOSO comes again in another file.
func (w *writer) provenance(src Source) {
	id := w.id("Provenance", "XML1", "")
	o := header("Provenance", id)
	targets := []r4.Object{element.Ref("Patient", w.patient)}
	for _, r := range w.Own {
		if len(w.Own) <= manyTargets || r.Type == "Encounter" || r.Type == "Claim" {
			targets = append(targets, element.Ref(r.Type, r.ID))
		}
	}
	o.Add("target", targets)
	o.Add("occurredDateTime", element.Date(src.NGAYLAP))
	o.Add("recorded", src.Received.UTC().Format(time.RFC3339))
	o.Add("activity", element.Concept(element.HL7+"iso-21089-lifecycle", "transform", "Transform/Translate Record Lifecycle Event", "Chuyển hồ sơ khám chữa bệnh sang FHIR"))
	o.Add("agent", []r4.Object{{
		{Name: "type", Value: element.Concept(element.HL7+"provenance-participant-type", "author", "", "Cơ sở gửi hồ sơ")},
		{Name: "who", Value: provider(w.facility)},
	}})
	o.Add("entity", []r4.Object{{
		{Name: "extension", Value: []r4.Object{element.Ext("so-thu-tu-hoso", "valueInteger", src.Ordinal)}},
		{Name: "role", Value: "source"},
		{Name: "what", Value: r4.Object{
			{Name: "identifier", Value: r4.Object{{Name: "system", Value: "urn:ietf:rfc:3986"}, {Name: "value", Value: element.OriginalURN + src.BlobSHA256}}},
			{Name: "display", Value: "Tệp gốc"},
		}},
	}})
	w.own("Provenance", id, o)
}
