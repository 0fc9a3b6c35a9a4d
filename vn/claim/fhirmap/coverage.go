package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// insurer is who pays under a card.
func insurer() r4.Object {
	o := element.Logical("Organization", element.ToChuc, "BHXH")
	o.Add("display", "Bảo hiểm xã hội Việt Nam")
	return o
}

// coverages writes one Coverage a card. It is named by what it says, so visits
// that tell the same share it.
func (w *writer) coverages() {
	cards, places := claim.Items(clean(w.x.MA_THE_BHYT)), claim.Items(clean(w.x.MA_DKBD))
	from, to := claim.Items(clean(w.x.GT_THE_TU)), claim.Items(clean(w.x.GT_THE_DEN))
	item := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	for i, card := range cards {
		if card == "" {
			continue
		}
		place, start, end := item(places, i), item(from, i), item(to, i)
		id := w.ids.ID(w.facility, "Coverage", w.patient, card, place, start, end)
		first := w.sheet.cover(id)
		if !first {
			continue
		}
		o := header("Coverage", id)
		o.Add("identifier", []r4.Object{{{Name: "system", Value: element.BHYT}, {Name: "value", Value: card}}})
		o.Add("status", "active")
		o.Add("type", element.Concept(element.HL7+"v3-ActCode", "PUBLICPOL", "public healthcare", "Bảo hiểm y tế"))
		o.Add("subscriberId", card)
		o.Add("beneficiary", element.Ref("Patient", w.patient))
		o.Add("relationship", element.Concept(element.HL7+"subscriber-relationship", "self", "", ""))
		var period r4.Object
		element.Put(&period, "start", start, element.Day)
		element.Put(&period, "end", end, element.Day)
		o.Add("period", period)
		o.Add("payor", []r4.Object{insurer()})
		o.Add("network", place) // where the card is registered: the network of its holder
		w.Shared = append(w.Shared, element.Resource{Type: "Coverage", ID: id, Body: o.JSON()})
	}
}
