package fhirmap

import (
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// plan writes what was done and what the patient shall do after the visit, when XML1 says any of it.
func (w *writer) plan() {
	x := w.x
	if blank(&x.PP_DIEU_TRI) && blank(&x.GHI_CHU) && blank(&x.NGAY_TAI_KHAM) {
		return
	}
	id := w.id("CarePlan", "XML1", "")
	o := w.begin("CarePlan", id, "subject", "encounter")
	status := "completed"
	if !blank(&x.NGAY_TAI_KHAM) {
		status = "active"
	}
	o.Add("status", status)
	o.Add("intent", "plan")
	o.Add("title", "Điều trị và lời dặn")
	o.Add("period", r4.Object{{Name: "start", Value: element.DateTime(string(x.NGAY_VAO))}})
	o.Add("created", element.DateTime(string(x.NGAY_RA)))
	advice(w.at(&o), x)
	w.own("CarePlan", id, o)
	w.sheet.refer("ke-hoach", "CarePlan", id, line{})
}

// advice writes or reads treatment, advice and re-visits.
func advice(p place, x *claim.XML1) {
	field(p, "description", &x.GHI_CHU, element.Text)
	p.among("activity", func(n r4.Node) bool { return n.Get("detail").Get("kind").Text() == "" }, func(p place) {
		if p.writing() && blank(&x.PP_DIEU_TRI) {
			return
		}
		p.at("detail", func(p place) {
			p.fix("code", element.Concept("", "", "", "Phương pháp điều trị"))
			p.fix("status", "completed")
			field(p, "description", &x.PP_DIEU_TRI, element.Text)
		})
	})
	several(p, "NGAY_TAI_KHAM", &x.NGAY_TAI_KHAM, func(item string) {
		var day r4.Object
		element.Put(&day, "start", item, element.Day)
		p.append("activity", r4.Object{{Name: "detail", Value: r4.Object{
			{Name: "kind", Value: "Appointment"}, {Name: "code", Value: element.Concept("", "", "", "Tái khám")},
			{Name: "status", Value: "scheduled"}, {Name: "scheduledPeriod", Value: day},
		}}})
	}, func() (list []string) {
		for n := range p.in.Get("activity").Elems() {
			if n.Get("detail").Get("kind").Text() == "Appointment" {
				list = append(list, element.Get(n.Get("detail").Get("scheduledPeriod"), "start", element.Day))
			}
		}
		return list
	})
}
