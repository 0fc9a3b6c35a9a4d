package fhirmap

import (
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// results writes XML4: an Observation a row, under the order of its service and
// in the report of its service and hour.
func (w *writer) results(rows []claim.XML4, services []claim.XML3) {
	lab := &laboratory{w: w, services: map[string]*claim.XML3{}, orders: map[string]string{}, at: map[[2]string]int{}}
	for i := range services {
		if s := clean(services[i].MA_DICH_VU); s != "" && lab.services[s] == nil {
			lab.services[s] = &services[i]
		}
	}
	key := keys(len(rows), func(i int) string { return clean(rows[i].STT) })
	for i := range rows {
		r := &rows[i]
		id := w.id("Observation", "XML4", key[i])
		o := w.begin("Observation", id, "subject", "encounter")
		o.Add("status", "final")
		kind := lab.kind(r)
		o.Add("category", w.concepts(element.HL7+"observation-category", kind))
		if order := lab.order(clean(r.MA_DICH_VU), r); order != "" {
			o.Add("basedOn", []r4.Object{element.Ref("ServiceRequest", order)})
		}
		o.Add("code", lab.observed(r))
		result(w.at(&o), r)
		w.own("Observation", id, o)
		w.sheet.refer("XML4", "Observation", id, line{&r.MA_LK, &r.STT, clean(w.x.MA_LK), i + 1})
		lab.report(r, id, kind)
	}
	for _, rep := range lab.reports {
		lab.write(rep)
	}
}

// laboratory groups the results of a visit.
type laboratory struct {
	w        *writer
	services map[string]*claim.XML3 // first row of a MA_DICH_VU
	orders   map[string]string      // MA_DICH_VU → id of its ServiceRequest
	reports  []*report
	at       map[[2]string]int // MA_DICH_VU, NGAY_KQ → place in reports
}

// report is what one service gave at one time.
type report struct {
	service, when, kind, reader string
	results                     []r4.Object
	conclusions                 []string
}

// kind is the category of a row: a value makes it a laboratory result, else
// the group of its service in XML3 tells (codelists/ma_nhom.csv).
func (l *laboratory) kind(r *claim.XML4) string {
	s := l.services[clean(r.MA_DICH_VU)]
	switch {
	case !blank(&r.MA_CHI_SO) || element.Number(clean(r.GIA_TRI)) || s != nil && clean(s.MA_NHOM) == "1":
		return "laboratory"
	case s != nil && clean(s.MA_NHOM) == "2":
		return "imaging"
	}
	return "exam"
}

// name of a service as XML3 has it, else its code.
func (l *laboratory) name(service string) string {
	if s := l.services[service]; s != nil && !blank(&s.TEN_DICH_VU) {
		return clean(s.TEN_DICH_VU)
	}
	return service
}

// observed is what was observed: the analyte, else the service.
func (l *laboratory) observed(r *claim.XML4) r4.Object {
	var o r4.Object
	p := place{out: &o}
	analyte(p, r)
	service := clean(r.MA_DICH_VU)
	if blank(&r.MA_CHI_SO) && service != "" {
		p.append("coding", coding(element.DichVu, service, l.name(service)))
	}
	o.Add("text", firstOf(clean(r.TEN_CHI_SO), l.name(service), clean(r.MA_CHI_SO), "Kết quả cận lâm sàng"))
	return o
}

func analyte(p place, r *claim.XML4) { named(p, element.ChiSo, &r.MA_CHI_SO, &r.TEN_CHI_SO) }

// order gives the ServiceRequest of a service, "" when the row names none.
func (l *laboratory) order(service string, r *claim.XML4) string {
	if service == "" || l.orders[service] != "" {
		return l.orders[service]
	}
	id := l.w.id("ServiceRequest", "XML4", service)
	l.orders[service] = id
	o := l.w.begin("ServiceRequest", id, "subject", "encounter")
	o.Add("status", "completed")
	o.Add("intent", "order")
	code := concept(element.DichVu, service, "")
	code.Add("text", l.name(service))
	o.Add("code", code)
	ordered, done := "", element.DateTime(string(r.NGAY_KQ))
	if s := l.services[service]; s != nil {
		ordered, done = element.DateTime(string(s.NGAY_YL)), firstOf(element.DateTime(string(s.NGAY_TH_YL)), done)
		if who := filled(clean(s.MA_BAC_SI)); len(who) > 0 {
			o.Add("requester", l.w.sheet.memo.practitioner(who[0]))
		}
	}
	o.Add("authoredOn", ordered)
	o.Add("occurrenceDateTime", done)
	l.w.own("ServiceRequest", id, o)
	return id
}

// result writes or reads the value of a row and how it was read.
func result(p place, r *claim.XML4) {
	value(p, r)
	field(p, "effectiveDateTime", &r.NGAY_KQ, element.Minute)
	p.first("performer", func(p place) {
		if !p.writing() {
			r.MA_BS_DOC_KQ = claim.Text(identified(p.in))
		} else if !blank(&r.MA_BS_DOC_KQ) {
			*p.out = p.memo.practitioner(string(r.MA_BS_DOC_KQ))
		}
	})
	p.first("interpretation", func(p place) { field(p, "text", &r.KET_LUAN, element.Text) })
	p.first("note", func(p place) { field(p, "text", &r.MO_TA, element.Text) })
	ext(p, "du-phong", "valueString", &r.DU_PHONG, element.Text)
	rest(p, r.Rest())
}

func value(p place, r *claim.XML4) {
	if p.writing() && element.Number(clean(r.GIA_TRI)) || p.in.Get("valueQuantity").Exists() {
		p.at("valueQuantity", func(p place) {
			quantity(p, &r.GIA_TRI, &r.DON_VI_DO)
			if unit := ucum[clean(r.DON_VI_DO)]; unit != "" {
				p.fix("system", element.UCUM)
				p.fix("code", unit)
			}
		})
		return
	}
	field(p, "valueString", &r.GIA_TRI, element.Text)
	ext(p, "don-vi-do", "valueString", &r.DON_VI_DO, element.Text)
}

// ucum gives the code of units as laboratories here write them (https://ucum.org); others have none.
var ucum = map[string]string{
	"%": "%", "mmol/L": "mmol/L", "mmol/l": "mmol/L", "µmol/L": "umol/L", "μmol/L": "umol/L", "umol/L": "umol/L", "nmol/L": "nmol/L", "pmol/L": "pmol/L",
	"g/L": "g/L", "g/l": "g/L", "g/dL": "g/dL", "mg/dL": "mg/dL", "mg/L": "mg/L", "ng/mL": "ng/mL", "ng/L": "ng/L", "pg/mL": "pg/mL", "pg": "pg", "fL": "fL",
	"U/L": "U/L", "IU/L": "[IU]/L", "UI/L": "[IU]/L", "mIU/L": "m[IU]/L", "IU/mL": "[IU]/mL", "G/L": "10*9/L", "10^9/L": "10*9/L", "T/L": "10*12/L",
	"10^12/L": "10*12/L", "s": "s", "giây": "s", "mmHg": "mm[Hg]", "mL/min": "mL/min",
}

func (l *laboratory) report(r *claim.XML4, id, kind string) {
	key := [2]string{clean(r.MA_DICH_VU), clean(r.NGAY_KQ)}
	at, ok := l.at[key]
	if !ok {
		at = len(l.reports)
		l.at[key] = at
		l.reports = append(l.reports, &report{service: key[0], when: key[1], kind: kind})
	}
	rep := l.reports[at]
	rep.results = append(rep.results, element.Ref("Observation", id))
	rep.reader = firstOf(rep.reader, clean(r.MA_BS_DOC_KQ))
	if c := clean(r.KET_LUAN); c != "" {
		rep.conclusions = append(rep.conclusions, c)
	}
}

// sections of reports (FHIR R4 valueset-diagnostic-service-sections.html).
var sections = map[string]string{"laboratory": "LAB", "imaging": "RAD", "exam": "OTH"}

func (l *laboratory) write(rep *report) {
	id := l.w.id("DiagnosticReport", "XML4", strconv.Itoa(len(rep.service))+":"+rep.service+rep.when)
	o := l.w.begin("DiagnosticReport", id, "subject", "encounter")
	o.Add("status", "final")
	o.Add("category", l.w.concepts(element.HL7+"v2-0074", sections[rep.kind]))
	var code r4.Object
	if rep.service != "" {
		code = concept(element.DichVu, rep.service, "")
		o.Add("basedOn", []r4.Object{element.Ref("ServiceRequest", l.orders[rep.service])})
	}
	code.Add("text", firstOf(l.name(rep.service), "Kết quả cận lâm sàng"))
	o.Add("code", code)
	when := element.DateTime(rep.when)
	o.Add("effectiveDateTime", when)
	o.Add("issued", when)
	if rep.reader != "" {
		o.Add("resultsInterpreter", []r4.Object{l.w.sheet.memo.practitioner(rep.reader)})
	}
	o.Add("result", rep.results)
	o.Add("conclusion", strings.Join(rep.conclusions, "\n"))
	l.w.own("DiagnosticReport", id, o)
}
