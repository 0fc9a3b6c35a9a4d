package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// notes writes XML5: the course of the illness.
func (w *writer) notes(rows []claim.XML5) {
	key := keys(len(rows), func(i int) string { return clean(rows[i].STT) })
	for i := range rows {
		r := &rows[i]
		id := w.id("ClinicalImpression", "XML5", key[i])
		o := w.begin("ClinicalImpression", id, "subject", "encounter")
		o.Add("status", "completed")
		o.Add("date", element.DateTime(string(r.THOI_DIEM_DBLS)))
		course(w.at(&o), r)
		w.own("ClinicalImpression", id, o)
		w.sheet.refer("XML5", "ClinicalImpression", id, line{&r.MA_LK, &r.STT, clean(w.x.MA_LK), i + 1})
	}
}

func course(p place, r *claim.XML5) {
	field(p, "description", &r.GIAI_DOAN_BENH, element.Text)
	field(p, "effectiveDateTime", &r.THOI_DIEM_DBLS, element.Minute)
	if !p.writing() {
		r.NGUOI_THUC_HIEN = claim.Text(identified(p.in.Get("assessor")))
	} else if list := filled(clean(r.NGUOI_THUC_HIEN)); len(list) > 0 { // the main author comes first, and FHIR has room for one
		p.fix("assessor", logicalTo("Practitioner", element.CCHN, list[0], string(r.NGUOI_THUC_HIEN)))
	} else if !blank(&r.NGUOI_THUC_HIEN) {
		p.fix("assessor", logicalTo("Practitioner", element.CCHN, "", string(r.NGUOI_THUC_HIEN)))
	}
	field(p, "summary", &r.DIEN_BIEN_LS, element.Text)
	remark(p, "hoi-chan", &r.HOI_CHAN)
	remark(p, "phau-thuat", &r.PHAU_THUAT)
	ext(p, "du-phong", "valueString", &r.DU_PHONG, element.Text)
	rest(p, r.Rest())
}

// remark is a note of a kind.
func remark(p place, kind string, t *claim.Text) {
	is := func(n r4.Node) bool { return element.FindExt(n, "loai-ghi-chu").Get("valueCode").Text() == kind }
	p.among("note", is, func(p place) {
		if p.writing() && blank(t) {
			return
		}
		if p.writing() {
			p.append("extension", element.Ext("loai-ghi-chu", "valueCode", kind))
		}
		field(p, "text", t, element.Text)
	})
}
