package fhirmap

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Roles of a diagnosis (FHIR R4 valueset-diagnosis-role.html).
const (
	onAdmission = "AD"
	atDischarge = "DD"
	accompanies = "CM"
)

// disease is a diagnosis of XML1.
type disease struct {
	id     string
	role   string
	system string
	code   string
	text   string
	rank   int
}

// conditions writes the diagnoses: main, accompanying, traditional, and what
// was thought on arrival.
func (w *writer) conditions() {
	add := func(role, field, key, system, code, text string) {
		d := disease{w.id("Condition", field, key), role, system, code, text, 0}
		if role != onAdmission {
			d.rank = len(w.diseases) + 1
		}
		w.diseases = append(w.diseases, d)
	}
	if !blank(&w.x.MA_BENH_CHINH) || !blank(&w.x.CHAN_DOAN_RV) {
		add(atDischarge, "MA_BENH_CHINH", "", element.ICD10, clean(w.x.MA_BENH_CHINH), clean(w.x.CHAN_DOAN_RV))
	}
	for _, l := range []struct {
		field, system string
		codes         []string
	}{{"MA_BENH_KT", element.ICD10, filled(clean(w.x.MA_BENH_KT))}, {"MA_BENH_YHCT", element.YHCT, filled(clean(w.x.MA_BENH_YHCT))}} {
		key := keys(len(l.codes), func(i int) string { return l.codes[i] })
		for i, code := range l.codes {
			add(accompanies, l.field, key[i], l.system, code, "")
		}
	}
	if text := clean(w.x.CHAN_DOAN_VAO); text != "" {
		add(onAdmission, "CHAN_DOAN_VAO", "", "", "", text)
	}
	for i := range w.diseases {
		w.condition(&w.diseases[i])
		w.sheet.condition(&w.diseases[i])
	}
}

func (w *writer) condition(d *disease) {
	o := w.begin("Condition", d.id, "subject", "encounter")
	o.Add("clinicalStatus", w.concept(element.HL7+"condition-clinical", "active", ""))
	certainty := "confirmed"
	if d.role == onAdmission {
		certainty = "provisional"
	}
	o.Add("verificationStatus", w.concept(element.HL7+"condition-ver-status", certainty, ""))
	o.Add("category", w.concepts(element.HL7+"condition-category", "encounter-diagnosis"))
	o.Add("code", d.concept())
	began := element.DateTime(string(w.x.NGAY_VAO))
	o.Add("onsetDateTime", began)
	o.Add("recordedDate", began)
	w.own("Condition", d.id, o)
}

func (d *disease) concept() r4.Object {
	var o r4.Object
	if d.code != "" {
		o = concept(d.system, d.code, "")
	}
	element.Put(&o, "text", d.text, element.Text)
	return o
}

// point adds the diagnosis to those of the Encounter.
func (d *disease) point(encounter place) {
	ref := element.Ref("Condition", d.id)
	ref.Add("display", strings.TrimSpace(d.code+" "+d.text))
	item := r4.Object{{Name: "condition", Value: ref}, {Name: "use", Value: concept(element.HL7+"diagnosis-role", d.role, "")}}
	if d.rank > 0 {
		item.Add("rank", d.rank)
	}
	encounter.append("diagnosis", item)
}

// writeLists keeps lists of diseases that their items do not give back.
func (w *writer) writeLists(p place) {
	none := func(string) {}
	several(p, "MA_BENH_KT", &w.x.MA_BENH_KT, none, nil)
	several(p, "MA_BENH_YHCT", &w.x.MA_BENH_YHCT, none, nil)
}

// readDiseases is the way back, from the Encounter and the Conditions that it names.
func (r *reader) readDiseases(encounter r4.Node, x *claim.XML1) error {
	var others, traditional []string
	for d := range encounter.Get("diagnosis").Elems() {
		doc, err := r.must(d.Get("condition"))
		if err != nil {
			return err
		}
		concept := doc.Get("code")
		switch element.Code(d.Get("use"), element.HL7+"diagnosis-role") {
		case onAdmission:
			x.CHAN_DOAN_VAO = claim.Text(element.Get(concept, "text", element.Text))
		case atDischarge:
			x.MA_BENH_CHINH = claim.Text(codeOf(concept, element.ICD10))
			x.CHAN_DOAN_RV = claim.Text(element.Get(concept, "text", element.Text))
		case accompanies:
			others = append(others, codesOf(concept, element.ICD10)...)
			traditional = append(traditional, codesOf(concept, element.YHCT)...)
		}
	}
	p := place{in: encounter}
	several(p, "MA_BENH_KT", &x.MA_BENH_KT, nil, func() []string { return others })
	several(p, "MA_BENH_YHCT", &x.MA_BENH_YHCT, nil, func() []string { return traditional })
	return nil
}
