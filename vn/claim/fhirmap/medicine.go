package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// medicines writes XML2: what was ordered, what was given, and its bill.
func (w *writer) medicines(rows []claim.XML2) {
	key := keys(len(rows), func(i int) string { return clean(rows[i].STT) })
	for i := range rows {
		r := &rows[i]
		id := w.id("MedicationRequest", "XML2", key[i])
		o := w.begin("MedicationRequest", id, "subject", "encounter")
		o.Add("status", "completed")
		o.Add("intent", "order")
		order(w.at(&o), r, w.labels)
		w.own("MedicationRequest", id, o)
		w.dispense(r, id, key[i])
		l := line{&r.MA_LK, &r.STT, clean(w.x.MA_LK), i + 1}
		w.add("XML2", l, func(it *item) {
			it.fix("informationSequence", numbers([]int{w.sheet.refer("XML2", "MedicationRequest", id, line{})}))
			it.fix("productOrService", medicine(r))
			it.fix("servicedDate", firstOf(element.Date(string(r.NGAY_TH_YL)), element.Date(string(r.NGAY_YL))))
			it.medicine(r)
		})
	}
}

func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// medicine is the medicine as a copy of MedicationRequest.medicationCodeableConcept shows it.
func medicine(r *claim.XML2) r4.Object {
	var o r4.Object
	if !blank(&r.MA_THUOC) {
		o = concept(element.Thuoc, string(r.MA_THUOC), "")
	}
	return orAbsent(append(o, r4.Field{Name: "text", Value: clean(r.TEN_THUOC)}))
}

// orAbsent marks a required element that would be empty.
func orAbsent(o r4.Object) r4.Object {
	for _, f := range o {
		if s, ok := f.Value.(string); !ok || s != "" {
			return o
		}
	}
	return absent()
}

// order writes or reads what a row says about the order.
func order(p place, r *claim.XML2, l *labels) {
	if p.writing() {
		var o r4.Object
		product(place{out: &o}, r)
		p.fix("medicationCodeableConcept", orAbsent(o))
	} else {
		product(place{in: p.in.Get("medicationCodeableConcept")}, r)
	}
	field(p, "authoredOn", &r.NGAY_YL, element.Minute)
	if list := filled(clean(r.MA_BAC_SI)); len(list) > 0 {
		p.fix("requester", p.memo.practitioner(list[0]))
	}
	several(p, "MA_DICH_VU", &r.MA_DICH_VU, func(code string) { p.append("reasonCode", concept(element.DichVu, code, "")) },
		func() []string { return codesOf(p.in.Get("reasonCode"), element.DichVu) })
	p.first("dosageInstruction", func(p place) {
		field(p, "text", &r.LIEU_DUNG, element.Text)
		field(p, "patientInstruction", &r.CACH_DUNG, element.Text)
		code(p, "route", &r.DUONG_DUNG, element.List+"duong_dung", l.of("duong_dung", clean(r.DUONG_DUNG)))
	})
	p.at("dispenseRequest", func(p place) {
		if p.writing() {
			p.at("quantity", func(p place) { quantity(p, &r.SO_LUONG, &r.DON_VI_TINH) })
		}
		logical(p, "performer", &r.MA_CSKCB_THUOC, "Organization", element.List+"ma_cskcb_thuoc")
	})
}

// product is the medicine itself.
func product(p place, r *claim.XML2) {
	for _, c := range []struct {
		system string
		t      *claim.Text
	}{{element.Thuoc, &r.MA_THUOC}, {element.SoDangKy, &r.SO_DANG_KY}} {
		if !p.writing() {
			*c.t = claim.Text(codeOf(p.in, c.system))
		} else if !blank(c.t) {
			p.append("coding", coding(c.system, string(*c.t), ""))
		}
	}
	field(p, "text", &r.TEN_THUOC, element.Text)
	ext(p, "ham-luong", "valueString", &r.HAM_LUONG, element.Text)
	ext(p, "dang-bao-che", "valueString", &r.DANG_BAO_CHE, element.Text)
	ext(p, "pp-che-bien", "valueString", &r.MA_PP_CHEBIEN, element.Text)
}

// dispense writes what was given.
func (w *writer) dispense(r *claim.XML2, request, key string) {
	id := w.id("MedicationDispense", "XML2", key)
	o := w.begin("MedicationDispense", id, "subject", "context")
	o.Add("status", "completed")
	o.Add("medicationCodeableConcept", medicine(r))
	given(w.at(&o), r)
	p := place{out: &o}
	p.at("quantity", func(p place) { quantity(p, &r.SO_LUONG, &r.DON_VI_TINH) })
	o.Add("authorizingPrescription", []r4.Object{element.Ref("MedicationRequest", request)})
	w.own("MedicationDispense", id, o)
}

// given writes or reads what a row says about the giving.
func given(p place, r *claim.XML2) {
	field(p, "whenHandedOver", &r.NGAY_TH_YL, element.Minute)
}

// medicine writes or reads how a row is billed.
func (it *item) medicine(r *claim.XML2) {
	it.bill(billed{
		MA_NHOM: &r.MA_NHOM, PHAM_VI: &r.PHAM_VI, TYLE_TT_BH: &r.TYLE_TT_BH, MA_PTTT: &r.MA_PTTT, VET_THUONG_TP: &r.VET_THUONG_TP,
		DON_VI_TINH: &r.DON_VI_TINH, TT_THAU: &r.TT_THAU, MA_KHOA: &r.MA_KHOA, DU_PHONG: &r.DU_PHONG, MA_BAC_SI: &r.MA_BAC_SI,
		SO_LUONG: &r.SO_LUONG, DON_GIA: &r.DON_GIA, THANH_TIEN_BV: &r.THANH_TIEN_BV, THANH_TIEN_BH: &r.THANH_TIEN_BH, MUC_HUONG: &r.MUC_HUONG,
		T_BNTT: &r.T_BNTT, T_BNCCT: &r.T_BNCCT, T_BHTT: &r.T_BHTT, T_NGUONKHAC_NSNN: &r.T_NGUONKHAC_NSNN, T_NGUONKHAC_VTNN: &r.T_NGUONKHAC_VTNN,
		T_NGUONKHAC_VTTN: &r.T_NGUONKHAC_VTTN, T_NGUONKHAC_CL: &r.T_NGUONKHAC_CL, T_NGUONKHAC: &r.T_NGUONKHAC, rest: r.Rest(),
	})
	codeAmong(it.place, "programCode", &r.NGUON_CTRA, element.List+"nguon_ctra")
}
