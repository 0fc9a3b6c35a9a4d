package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// services writes XML3: a row with MA_VAT_TU is a supply that was handed over,
// any other is a service that was performed (bed days too).
func (w *writer) services(rows []claim.XML3) {
	key := keys(len(rows), func(i int) string { return clean(rows[i].STT) })
	for i := range rows {
		r := &rows[i]
		var what r4.Object
		service(place{out: &what}, r)
		l := line{&r.MA_LK, &r.STT, clean(w.x.MA_LK), i + 1}
		w.add("XML3", l, func(it *item) {
			it.fix("productOrService", what)
			if !blank(&r.MA_VAT_TU) {
				it.fix("informationSequence", numbers([]int{w.supply(r, key[i], what)}))
			} else {
				it.fix("procedureSequence", numbers([]int{w.procedure(r, key[i], what)}))
			}
			it.service(r)
		})
	}
}

// service names the service or supply of a row.
func service(p place, r *claim.XML3) {
	named(p, element.DichVu, &r.MA_DICH_VU, &r.TEN_DICH_VU)
	named(p, element.VatTu, &r.MA_VAT_TU, &r.TEN_VAT_TU)
	several(p, "MA_PTTT_QT", &r.MA_PTTT_QT, func(code string) { p.append("coding", coding(element.ICD9CM, code, "")) },
		func() []string { return codesOf(p.in, element.ICD9CM) })
	p.fix("text", firstOf(clean(r.TEN_VAT_TU), clean(r.TEN_DICH_VU), clean(r.MA_VAT_TU), clean(r.MA_DICH_VU), "Không ghi tên"))
}

func (w *writer) procedure(r *claim.XML3, key string, what r4.Object) int {
	id := w.id("Procedure", "XML3", key)
	o := w.begin("Procedure", id, "subject", "encounter")
	o.Add("status", "completed")
	if group := clean(r.MA_NHOM); group != "" {
		o.Add("category", w.concept(element.List+"ma_nhom", group, w.labels.of("ma_nhom", group)))
	}
	o.Add("code", what)
	performed(&o, r)
	p := place{out: &o}
	for _, number := range filled(clean(r.NGUOI_THUC_HIEN)) {
		p.append("performer", r4.Object{{Name: "actor", Value: w.sheet.memo.practitioner(number)}})
	}
	for _, code := range filled(clean(r.MA_BENH)) {
		p.append("reasonCode", w.sheet.memo.of(element.ICD10, code, "").object)
	}
	if site := clean(r.VI_TRI_TH_DVKT); site != "" {
		p.append("bodySite", w.sheet.memo.of(element.List+"vi_tri_th_dvkt", site, "").object)
	}
	for _, machine := range filled(clean(r.MA_MAY)) {
		p.append("usedReference", logicalTo("Device", element.MAMAY, machine, machine))
	}
	if method := clean(r.PP_VO_CAM); method != "" {
		p.append("usedCode", w.sheet.memo.of(element.List+"pp_vo_cam", method, w.labels.of("pp_vo_cam", method)).object)
	}
	w.own("Procedure", id, o)
	return w.sheet.performed(id)
}

// performed says when: from the carrying out, or the order, to the result.
func performed(o *r4.Object, r *claim.XML3) {
	start := firstOf(element.DateTime(string(r.NGAY_TH_YL)), element.DateTime(string(r.NGAY_YL)))
	end := element.DateTime(string(r.NGAY_KQ))
	switch {
	case start == "":
		o.Add("performedDateTime", end)
	case end <= start: // a period does not run backwards
		o.Add("performedDateTime", start)
	default:
		o.Add("performedPeriod", r4.Object{{Name: "start", Value: start}, {Name: "end", Value: end}})
	}
}

func (w *writer) supply(r *claim.XML3, key string, what r4.Object) int {
	id := w.id("SupplyDelivery", "XML3", key)
	o := w.begin("SupplyDelivery", id, "patient", "")
	o.Add("status", "completed")
	o.Add("type", w.concept(element.HL7+"supply-item-type", "device", ""))
	var n r4.Object
	quantity(place{out: &n}, &r.SO_LUONG, &r.DON_VI_TINH)
	o.Add("suppliedItem", r4.Object{{Name: "quantity", Value: n}, {Name: "itemCodeableConcept", Value: what}})
	o.Add("occurrenceDateTime", firstOf(element.DateTime(string(r.NGAY_TH_YL)), element.DateTime(string(r.NGAY_YL))))
	w.own("SupplyDelivery", id, o)
	return w.sheet.refer("XML3", "SupplyDelivery", id, line{})
}

// service writes or reads how a row is billed.
func (it *item) service(r *claim.XML3) {
	it.bill(billed{
		MA_NHOM: &r.MA_NHOM, PHAM_VI: &r.PHAM_VI, TYLE_TT_BH: &r.TYLE_TT_BH, MA_PTTT: &r.MA_PTTT, VET_THUONG_TP: &r.VET_THUONG_TP,
		DON_VI_TINH: &r.DON_VI_TINH, TT_THAU: &r.TT_THAU, MA_KHOA: &r.MA_KHOA, DU_PHONG: &r.DU_PHONG, MA_BAC_SI: &r.MA_BAC_SI,
		SO_LUONG: &r.SO_LUONG, DON_GIA: &r.DON_GIA_BV, THANH_TIEN_BV: &r.THANH_TIEN_BV, THANH_TIEN_BH: &r.THANH_TIEN_BH, MUC_HUONG: &r.MUC_HUONG,
		T_BNTT: &r.T_BNTT, T_BNCCT: &r.T_BNCCT, T_BHTT: &r.T_BHTT, T_NGUONKHAC_NSNN: &r.T_NGUONKHAC_NSNN, T_NGUONKHAC_VTNN: &r.T_NGUONKHAC_VTNN,
		T_NGUONKHAC_VTTN: &r.T_NGUONKHAC_VTTN, T_NGUONKHAC_CL: &r.T_NGUONKHAC_CL, T_NGUONKHAC: &r.T_NGUONKHAC, rest: r.Rest(),
	})
	amountOf(it.place, "DON_GIA_BH", &r.DON_GIA_BH)
	amountOf(it.place, "T_TRANTT", &r.T_TRANTT)
	field(it.place, "factor", &r.TYLE_TT_DV, element.Percent)
	it.people("NGUOI_THUC_HIEN", &r.NGUOI_THUC_HIEN, performs)
	it.diseases("MA_BENH", &r.MA_BENH, element.ICD10)
	it.diseases("MA_BENH_YHCT", &r.MA_BENH_YHCT, element.YHCT)
	ext(it.place, "ngay-yl", "valueDateTime", &r.NGAY_YL, element.Minute)
	it.at("servicedPeriod", func(p place) {
		field(p, "start", &r.NGAY_TH_YL, element.Minute)
		field(p, "end", &r.NGAY_KQ, element.Minute)
	})
	for _, m := range []struct {
		list string
		t    *claim.Text
	}{{"goi_vtyt", &r.GOI_VTYT}, {"ma_xang_dau", &r.MA_XANG_DAU}} {
		codeAmong(it.place, "modifier", m.t, element.List+m.list)
	}
	codeAmong(it.place, "modifier", &r.PP_VO_CAM, element.List+"pp_vo_cam")
	codeAmong(it.place, "modifier", &r.TAI_SU_DUNG, element.List+"tai_su_dung")
	code(it.place, "bodySite", &r.VI_TRI_TH_DVKT, element.List+"vi_tri_th_dvkt", "")
	it.at("locationCodeableConcept", func(p place) {
		several(p, "MA_GIUONG", &r.MA_GIUONG, func(bed string) { p.append("coding", coding(element.List+"ma_giuong", bed, "")) },
			func() []string { return codesOf(p.in, element.List+"ma_giuong") })
	})
	it.devices("MA_MAY", &r.MA_MAY, element.MAMAY)
	if !it.writing() || !blank(&r.MA_HIEU_SP) {
		it.mark(r)
	}
}

// mark is the maker's mark of a supply.
func (it *item) mark(r *claim.XML3) {
	if it.writing() {
		it.append("udi", logicalTo("Device", element.HieuSP, string(r.MA_HIEU_SP), string(r.MA_HIEU_SP)))
		return
	}
	r.MA_HIEU_SP = ""
	for ref := range it.in.Get("udi").Elems() {
		if ref.Get("identifier").Get("system").Text() == element.HieuSP {
			r.MA_HIEU_SP = claim.Text(identified(ref))
		}
	}
}
