package fhirmap

import (
	"encoding/base64"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/claim/fhirmap/paper"
)

// reader is a visit being read back.
type reader struct {
	docs      map[string]r4.Node // "Type/id"
	claim     r4.Node
	encounter r4.Node
	team      map[string]member
	diagnosis map[string]r4.Node // sequence → CodeableConcept
	procedure map[string]r4.Node // sequence → reference
	info      map[string]r4.Node // sequence → entry
	given     map[string]r4.Node // reference of a MedicationRequest → its MedicationDispense
}

type member struct{ role, number string }

// ErrIncomplete says that resources of a visit are missing for the way back.
var ErrIncomplete = outcome.New(outcome.Required, "fhirmap.incomplete",
	"Thiếu tài nguyên của lượt khám nên không dựng lại được hồ sơ.", "Resources of the visit are missing, so the record can't be rebuilt.")

// Back gives the HOSO of all the resources of one visit, in any order. The
// source record of the person and the Coverages need not be among them.
// ErrIncomplete when one is missing that the Claim names.
func Back(resources []*r4.Doc) (h *claim.HOSO, err error) {
	defer outcome.Wrap(&err, "fhirmap.Back")
	r := index(resources)
	if !r.claim.Exists() || !r.encounter.Exists() {
		return nil, ErrIncomplete
	}
	h = &claim.HOSO{Ordinal: r.ordinal(resources)}
	x := h.Add(1).(*claim.XML1)
	if err := r.summary(x); err != nil {
		return nil, err
	}
	if err := r.items(h); err != nil {
		return nil, err
	}
	if err := r.evidence(h); err != nil {
		return nil, err
	}
	rows, err := paper.Back(resources)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		to := h.Add(row.Table().Number)
		for i := range row.Table().Fields {
			to.Set(i, row.Get(i))
		}
		*to.Rest() = *row.Rest()
	}
	return h, nil
}

func index(resources []*r4.Doc) *reader {
	r := &reader{
		docs: map[string]r4.Node{}, team: map[string]member{}, diagnosis: map[string]r4.Node{}, procedure: map[string]r4.Node{},
		info: map[string]r4.Node{}, given: map[string]r4.Node{},
	}
	for _, d := range resources {
		n := d.Root()
		r.docs[d.Type()+"/"+d.ID()] = n
		switch d.Type() {
		case "Claim":
			r.claim = n
		case "Encounter":
			r.encounter = n
		case "MedicationDispense":
			r.given[n.Get("authorizingPrescription").At(0).Get("reference").Text()] = n
		}
	}
	for n := range r.claim.Get("careTeam").Elems() {
		r.team[sequence(n)] = member{element.Code(n.Get("role"), element.List+"vai-tro"), identified(n.Get("provider"))}
	}
	for n := range r.claim.Get("diagnosis").Elems() {
		concept := n.Get("diagnosisCodeableConcept")
		if ref := n.Get("diagnosisReference"); ref.Exists() {
			concept = r.find(ref).Get("code")
		}
		r.diagnosis[sequence(n)] = concept
	}
	for n := range r.claim.Get("procedure").Elems() {
		r.procedure[sequence(n)] = n.Get("procedureReference")
	}
	for n := range r.claim.Get("supportingInfo").Elems() {
		r.info[sequence(n)] = n
	}
	return r
}

func sequence(n r4.Node) string { return n.Get("sequence").Text() }

// find follows a reference; the node is absent when the resource is not there.
func (r *reader) find(ref r4.Node) r4.Node { return r.docs[ref.Get("reference").Text()] }

// must follows a reference that has to lead somewhere.
func (r *reader) must(ref r4.Node) (r4.Node, error) {
	n := r.find(ref)
	if !n.Exists() {
		return n, ErrIncomplete
	}
	return n, nil
}

func (r *reader) ordinal(resources []*r4.Doc) int {
	for _, d := range resources {
		if d.Type() != "Provenance" {
			continue
		}
		if n, ok := claim.Number(element.FindExt(d.Root().Get("entity").At(0), "so-thu-tu-hoso").Get("valueInteger").Text()).Int(); ok {
			return int(n)
		}
	}
	return 0
}

// summary reads XML1.
func (r *reader) summary(x *claim.XML1) error {
	for n := range r.claim.Get("contained").Elems() {
		if n.Get("id").Text() == told {
			person(place{in: n}, x, "")
		}
	}
	encounter(place{in: r.encounter}, x, "", nil)
	if err := r.readDiseases(r.encounter, x); err != nil {
		return err
	}
	p := place{in: r.claim}
	bill(p, x)
	operations(p, x, nil)
	info := infos{in: r.claim}
	info.summary(x, nil)
	plan := info.find("ke-hoach").Get("valueReference")
	if !plan.Exists() {
		return nil
	}
	doc, err := r.must(plan)
	advice(place{in: doc}, x)
	return err
}

// people gives the numbers of an item's practitioners in a role.
func (r *reader) people(item r4.Node, role string) (list []string) {
	for n := range item.Get("careTeamSequence").Elems() {
		if m := r.team[n.Text()]; m.role == role {
			list = append(list, m.number)
		}
	}
	return list
}

// diseaseCodes gives the codes of an item's diagnoses in a system.
func (r *reader) diseaseCodes(item r4.Node, system string) (list []string) {
	for n := range item.Get("diagnosisSequence").Elems() {
		if s := codeOf(r.diagnosis[n.Text()], system); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// items reads XML2 and XML3.
func (r *reader) items(h *claim.HOSO) error {
	for n := range r.claim.Get("item").Elems() {
		it := &item{place: place{in: n}, read: r}
		if Table(n) == "XML2" {
			row := h.Add(2).(*claim.XML2)
			ref := r.info[n.Get("informationSequence").At(0).Text()].Get("valueReference")
			request, err := r.must(ref)
			if err != nil {
				return err
			}
			dispense := r.given[ref.Get("reference").Text()]
			if !dispense.Exists() {
				return ErrIncomplete
			}
			line{&row.MA_LK, &row.STT, string(h.XML1.MA_LK), len(h.XML2)}.mark(it.place)
			order(place{in: request}, row, nil)
			given(place{in: dispense}, row)
			it.medicine(row)
			continue
		}
		row := h.Add(3).(*claim.XML3)
		line{&row.MA_LK, &row.STT, string(h.XML1.MA_LK), len(h.XML3)}.mark(it.place)
		service(place{in: n.Get("productOrService")}, row)
		it.service(row)
	}
	return nil
}

// evidence reads XML4, XML5 and the parts that nobody could read.
func (r *reader) evidence(h *claim.HOSO) error {
	for n := range r.claim.Get("supportingInfo").Elems() {
		switch element.Code(n.Get("category"), infoList) {
		case "XML4":
			doc, err := r.must(n.Get("valueReference"))
			if err != nil {
				return err
			}
			row := h.Add(4).(*claim.XML4)
			line{&row.MA_LK, &row.STT, string(h.XML1.MA_LK), len(h.XML4)}.mark(place{in: n})
			result(place{in: doc}, row)
			analyte(place{in: doc.Get("code")}, row)
			if ref := doc.Get("basedOn").At(0); ref.Exists() {
				request, err := r.must(ref)
				if err != nil {
					return err
				}
				row.MA_DICH_VU = claim.Text(codeOf(request.Get("code"), element.DichVu))
			}
		case "XML5":
			doc, err := r.must(n.Get("valueReference"))
			if err != nil {
				return err
			}
			row := h.Add(5).(*claim.XML5)
			line{&row.MA_LK, &row.STT, string(h.XML1.MA_LK), len(h.XML5)}.mark(place{in: n})
			course(place{in: doc}, row)
		case "giay-to": // package paper reads it
			if _, err := r.must(n.Get("valueReference")); err != nil {
				return err
			}
		case "phan-khac":
			file := n.Get("valueAttachment")
			raw, err := base64.StdEncoding.DecodeString(file.Get("data").Text())
			if err != nil {
				return err
			}
			h.Parts = append(h.Parts, claim.Part{LOAIHOSO: file.Get("title").Text(), Raw: raw})
		}
	}
	return nil
}
