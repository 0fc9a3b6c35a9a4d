package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// vitals writes the weight and the blood group of XML1 as Observations too,
// where a reader of FHIR looks for them (FHIR R4 bodyweight.html). What they
// say is read back from the Claim.
func (w *writer) vitals() {
	if kg := clean(w.x.CAN_NANG); element.Number(kg) {
		w.vital("CAN_NANG", "vital-signs", "29463-7", "Cân nặng", "valueQuantity", r4.Object{
			{Name: "value", Value: r4.Raw(kg)}, {Name: "unit", Value: "kg"}, {Name: "system", Value: element.UCUM}, {Name: "code", Value: "kg"},
		})
	}
	if group := clean(w.x.NHOM_MAU); group != "" {
		w.vital("NHOM_MAU", "laboratory", "882-1", "Nhóm máu", "valueCodeableConcept", r4.Object{{Name: "text", Value: group}})
	}
}

func (w *writer) vital(field, category, loinc, text, value string, v r4.Object) {
	id := w.id("Observation", "XML1", field)
	o := w.begin("Observation", id, "subject", "encounter")
	o.Add("status", "final")
	o.Add("category", w.concepts(element.HL7+"observation-category", category))
	code := concept(element.LOINC, loinc, "")
	code.Add("text", text)
	o.Add("code", code)
	o.Add("effectiveDateTime", element.DateTime(string(w.x.NGAY_VAO)))
	o.Add(value, v)
	w.own("Observation", id, o)
}
