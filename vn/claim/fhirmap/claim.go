package fhirmap

import (
	"encoding/base64"
	"strconv"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// claim writes the Claim: the sheet and what XML1 says about the bill.
func (w *writer) claim(h *claim.HOSO) {
	x, s := w.x, w.sheet
	id := w.id("Claim", "XML1", "")
	o := header("Claim", id)
	o.Add("contained", []r4.Object{append(header("Patient", told), w.who...)})
	s.say(told, r4.Object{{Name: "valueReference", Value: r4.Object{{Name: "reference", Value: "#" + told}}}})
	info := infos{sheet: s}
	info.summary(x, w.labels)
	opaque(s, h.Parts)
	o.Add("status", "active")
	o.Add("type", concept(element.HL7+"claim-type", "institutional", "Institutional"))
	o.Add("use", "claim")
	o.Add("patient", element.Ref("Patient", w.patient))
	o.Add("provider", provider(w.facility))
	o.Add("priority", concept(element.HL7+"processpriority", "normal", ""))
	o.Add("insurer", insurer())
	o.Add("billablePeriod", r4.Object{{Name: "start", Value: element.DateTime(string(x.NGAY_VAO))}, {Name: "end", Value: element.DateTime(string(x.NGAY_RA))}})
	o.Add("insurance", s.insured())
	p := place{out: &o}
	if key := clean(x.MA_LK); key != "" {
		p.append("identifier", r4.Object{{Name: "system", Value: element.MALK}, {Name: "value", Value: key}})
	}
	o.Add("careTeam", s.team.value())
	o.Add("supportingInfo", s.info.value())
	o.Add("diagnosis", s.diagnosis.value())
	bill(p, x)
	operations(p, x, s)
	o.Add("procedure", s.procedure.value())
	o.Add("item", s.items.value())
	w.own("Claim", id, o)
}

// provider of a claim must be there even when nobody told who it is.
func provider(facility string) r4.Object {
	if facility == "" {
		return absent()
	}
	return element.Logical("Organization", element.MACSKCB, facility)
}

// insured lists the cards; a claim without one says so, since FHIR wants an insurance.
func (s *sheet) insured() r4.Raw {
	if s.insurance.n == 0 {
		s.insurance.add(r4.Object{
			{Name: "sequence", Value: 1}, {Name: "focal", Value: true},
			{Name: "coverage", Value: r4.Object{{Name: "type", Value: "Coverage"}, {Name: "display", Value: "Không dùng thẻ bảo hiểm y tế"}}},
		})
	}
	return s.insurance.value()
}

// bill writes or reads what stands in the Claim itself.
func bill(p place, x *claim.XML1) {
	expect(p, "STT", &x.STT, "1")
	settled(p, x)
	code(p, "subType", &x.MA_DOITUONG_KCB, element.List+"ma_doituong_kcb", "")
	logical(p, "enterer", &x.MA_TTDV, "Practitioner", element.CCHN)
	logical(p, "referral", &x.GIAY_CHUYEN_TUYEN, "ServiceRequest", element.GiayChuyen)
	accident(p, x)
	money(p, "total", &x.T_TONGCHI_BV)
	amountOf(p, "T_THUOC", &x.T_THUOC)
	amountOf(p, "T_VTYT", &x.T_VTYT)
	amountOf(p, "T_TONGCHI_BH", &x.T_TONGCHI_BH)
	amountOf(p, "T_BNTT", &x.T_BNTT)
	amountOf(p, "T_BNCCT", &x.T_BNCCT)
	amountOf(p, "T_BHTT", &x.T_BHTT)
	amountOf(p, "T_NGUONKHAC", &x.T_NGUONKHAC)
	amountOf(p, "T_BHTT_GDV", &x.T_BHTT_GDV)
	rest(p, x.Rest())
}

// settled is the hour of the payment. Where there is none the Claim is dated by
// the day of the visit, since FHIR wants a date: a day has no hour, so the two
// can be told apart. NGAYLAP would not do: it changes when the same HOSO is sent again.
func settled(p place, x *claim.XML1) {
	field(p, "created", &x.NGAY_TTOAN, element.Minute)
	if !p.writing() || element.DateTime(string(x.NGAY_TTOAN)) != "" {
		return
	}
	if day := firstOf(element.Date(string(x.NGAY_RA)), element.Date(string(x.NGAY_VAO))); day != "" {
		p.fix("created", day)
	} else if blank(&x.NGAY_TTOAN) {
		p.fix("_created", absent())
	}
}

// accident has its day only in the words of the doctor.
func accident(p place, x *claim.XML1) {
	p.at("accident", func(p place) {
		if p.writing() && (blank(&x.MA_TAI_NAN) || clean(x.MA_TAI_NAN) == noAccident) {
			return
		}
		p.fix("_date", absent())
		code(p, "type", &x.MA_TAI_NAN, element.List+"ma_tai_nan", "")
	})
}

// noAccident is what some systems write in place of nothing (codelists/ma_tai_nan.csv).
const noAccident = "0"

// operations are the codes of surgery of the whole visit.
func operations(p place, x *claim.XML1, s *sheet) {
	several(p, "MA_PTTT_QT", &x.MA_PTTT_QT, func(code string) {
		s.procedure.add(r4.Object{
			{Name: "sequence", Value: s.procedure.n + 1}, {Name: "procedureCodeableConcept", Value: concept(element.ICD9CM, code, "")},
		})
	}, func() (list []string) {
		for n := range p.in.Get("procedure").Elems() {
			list = append(list, codesOf(n.Get("procedureCodeableConcept"), element.ICD9CM)...)
		}
		return list
	})
}

// infos are the fields of XML1 that stand in Claim.supportingInfo, each under its own name.
type infos struct {
	sheet *sheet
	in    r4.Node // the Claim, when reading
}

// say writes or reads one; inside fills the value.
func (f infos) say(category string, inside func(place)) {
	if f.sheet != nil {
		var o r4.Object
		inside(place{out: &o})
		if len(o) > 0 {
			f.sheet.say(category, o)
		}
		return
	}
	inside(place{in: f.find(category)})
}

func (f infos) find(category string) r4.Node {
	for n := range f.in.Get("supportingInfo").Elems() {
		if element.Code(n.Get("category"), infoList) == category {
			return n
		}
	}
	return r4.Node{}
}

func (f infos) summary(x *claim.XML1, l *labels) {
	for _, t := range []struct {
		name string
		text *claim.Text
	}{{"MA_THE_BHYT", &x.MA_THE_BHYT}, {"MA_DKBD", &x.MA_DKBD}, {"CAN_NANG_CON", &x.CAN_NANG_CON}, {"DU_PHONG", &x.DU_PHONG}} {
		f.say(t.name, func(p place) { field(p, "valueString", t.text, element.Text) })
	}
	f.say("GT_THE_TU", func(p place) { field(p, "valueString", &x.GT_THE_TU, element.Text) })
	f.say("GT_THE_DEN", func(p place) { field(p, "valueString", &x.GT_THE_DEN, element.Text) })
	f.say("MA_KHUVUC", func(p place) {
		code(p, "code", &x.MA_KHUVUC, element.List+"ma_khuvuc", l.of("ma_khuvuc", clean(x.MA_KHUVUC)))
	})
	f.say("NGAY_MIEN_CCT", func(p place) { field(p, "timingDate", &x.NGAY_MIEN_CCT, element.DayOfMinute) })
	f.say("NAM_NAM_LIEN_TUC", func(p place) { field(p, "timingDate", &x.NAM_NAM_LIEN_TUC, element.Day) })
	f.say("CAN_NANG", func(p place) { weight(p, &x.CAN_NANG) })
	if f.sheet == nil && x.MA_TAI_NAN == "" || f.sheet != nil && clean(x.MA_TAI_NAN) == noAccident {
		f.say("MA_TAI_NAN", func(p place) { code(p, "code", &x.MA_TAI_NAN, element.List+"ma_tai_nan", "") })
	}
	f.settlement(x)
}

// weight in kg, a quantity when it is a number.
func weight(p place, t *claim.Text) {
	if p.writing() && element.Number(clean(*t)) || p.in.Get("valueQuantity").Exists() {
		p.at("valueQuantity", func(p place) {
			field(p, "value", t, element.Decimal)
			p.fix("unit", "kg")
			p.fix("system", element.UCUM)
			p.fix("code", "kg")
		})
		return
	}
	field(p, "valueString", t, element.Text)
}

// settlement is the month for which the claim is settled, a date of that
// precision when year and month are numbers as the law writes them.
func (f infos) settlement(x *claim.XML1) {
	if f.sheet == nil {
		month := f.find("KY_QT").Get("timingDate").Text()
		if len(month) == 7 {
			n, _ := strconv.Atoi(month[5:]) // two digits, as written below
			x.NAM_QT, x.THANG_QT = claim.Number(month[:4]), claim.Number(strconv.Itoa(n))
			return
		}
	} else if year, month := clean(x.NAM_QT), clean(x.THANG_QT); len(year) == 4 && year >= "1900" && year <= "2999" && element.Number(year) && months[month] != "" {
		f.sheet.say("KY_QT", r4.Object{{Name: "timingDate", Value: year + "-" + months[month]}})
		return
	}
	f.say("NAM_QT", func(p place) { field(p, "valueString", &x.NAM_QT, element.Text) })
	f.say("THANG_QT", func(p place) { field(p, "valueString", &x.THANG_QT, element.Text) })
}

var months = map[string]string{
	"1": "01", "2": "02", "3": "03", "4": "04", "5": "05", "6": "06", "7": "07", "8": "08", "9": "09", "10": "10", "11": "11", "12": "12",
}

// opaque keeps the parts that nobody could read.
func opaque(s *sheet, parts []claim.Part) {
	for _, part := range parts {
		if part.Raw == nil {
			continue
		}
		s.say("phan-khac", r4.Object{{Name: "valueAttachment", Value: r4.Object{
			{Name: "contentType", Value: "application/octet-stream"}, {Name: "data", Value: base64.StdEncoding.EncodeToString(part.Raw)},
			{Name: "title", Value: part.LOAIHOSO},
		}}})
	}
}
