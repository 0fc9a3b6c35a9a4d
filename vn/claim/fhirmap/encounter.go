package fhirmap

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// classes gives the class of a kind of visit (codelists/ma_loai_kcb.csv → FHIR R4 v3-ActEncounterCode).
var classes = map[string]string{
	"01": "AMB", "02": "AMB", "03": "IMP", "04": "SS", "05": "AMB", "06": "SS", "07": "AMB", "08": "AMB", "09": "IMP", "10": "AMB",
	"11": "FLD", "12": "HH", "13": "AMB", "14": "VR", "15": "AMB", "16": "AMB",
}

var classNames = map[string]string{
	"AMB": "ambulatory", "IMP": "inpatient encounter", "SS": "short stay", "FLD": "field", "HH": "home health", "VR": "virtual", "EMER": "emergency",
}

// emergency is the category of those who come in one (codelists/ma_doituong_kcb.csv).
const emergency = "2"

// class of a visit: an examination in an emergency is an emergency.
func class(x *claim.XML1) r4.Object {
	kind := clean(x.MA_LOAI_KCB)
	if len(kind) == 1 { // a number in QĐ 130
		kind = "0" + kind
	}
	code := classes[kind]
	switch {
	case kind == "01" && clean(x.MA_DOITUONG_KCB) == emergency:
		code = "EMER"
	case code == "":
		return coding(element.HL7+"v3-NullFlavor", "UNK", "unknown")
	}
	return coding(element.HL7+"v3-ActCode", code, classNames[code])
}

func (w *writer) encounterOf(status string) {
	o := header("Encounter", w.Encounter)
	o.Add("status", status)
	o.Add("class", class(w.x))
	o.Add("subject", element.Ref("Patient", w.patient))
	encounter(w.at(&o), w.x, w.facility, w.labels)
	if clean(w.x.MA_DOITUONG_KCB) == emergency {
		o.Add("priority", w.concept(element.HL7+"v3-ActPriority", "EM", "emergency"))
	}
	for i := range w.diseases {
		w.diseases[i].point(place{out: &o})
	}
	w.writeLists(place{out: &o})
	w.own("Encounter", w.Encounter, o)
}

// encounter writes or reads what XML1 says about the visit itself.
func encounter(p place, x *claim.XML1, facility string, l *labels) {
	visitNumbers(p, x, facility)
	p.first("type", func(p place) {
		p.first("coding", func(p place) {
			if p.writing() && blank(&x.MA_LOAI_KCB) {
				return
			}
			p.fix("system", element.List+"ma_loai_kcb")
			field(p, "code", &x.MA_LOAI_KCB, element.Token)
			p.fix("display", l.of("ma_loai_kcb", clean(x.MA_LOAI_KCB)))
		})
	})
	p.at("period", func(p place) {
		field(p, "start", &x.NGAY_VAO, element.Minute)
		field(p, "end", &x.NGAY_RA, element.Minute)
	})
	admission(p, x)
	reasons(p, x)
	departments(p, x, l)
	p.at("length", func(p place) {
		if p.writing() && blank(&x.SO_NGAY_DTRI) {
			return
		}
		field(p, "value", &x.SO_NGAY_DTRI, element.Decimal)
		p.fix("unit", "ngày")
		p.fix("system", element.UCUM)
		p.fix("code", "d")
	})
	p.at("hospitalization", func(p place) {
		extCode(p, "ket-qua-dtri", &x.KET_QUA_DTRI, element.List+"ket_qua_dtri", l.of("ket_qua_dtri", clean(x.KET_QUA_DTRI)))
		logical(p, "origin", &x.MA_NOI_DI, "Organization", element.MACSKCB)
		logical(p, "destination", &x.MA_NOI_DEN, "Organization", element.MACSKCB)
		code(p, "dischargeDisposition", &x.MA_LOAI_RV, element.List+"ma_loai_rv", l.of("ma_loai_rv", clean(x.MA_LOAI_RV)))
	})
	logical(p, "serviceProvider", &x.MA_CSKCB, "Organization", element.MACSKCB)
}

// visitNumbers are MA_LK and MA_HSBA; a medical record is numbered by its facility.
func visitNumbers(p place, x *claim.XML1, facility string) {
	p.among("identifier", system(element.MALK), func(p place) {
		if p.writing() && blank(&x.MA_LK) {
			return
		}
		p.fix("system", element.MALK)
		field(p, "value", &x.MA_LK, element.Text)
		p.fix("assigner", element.Logical("Organization", element.MACSKCB, facility))
	})
	if !p.writing() {
		for id := range p.in.Get("identifier").Elems() {
			if id.Get("system").Text() == element.MAHSBA {
				x.MA_HSBA = claim.Text(strings.TrimPrefix(id.Get("value").Text(), identified(id.Get("assigner"))+"/"))
			}
		}
		return
	}
	if number := clean(x.MA_HSBA); number != "" {
		p.append("identifier", r4.Object{
			{Name: "system", Value: element.MAHSBA}, {Name: "value", Value: facility + "/" + number},
			{Name: "assigner", Value: element.Logical("Organization", element.MACSKCB, facility)},
		})
	}
}

func system(s string) func(r4.Node) bool {
	return func(n r4.Node) bool { return n.Get("system").Text() == s }
}

// admission is the moment from which the visit is a stay.
func admission(p place, x *claim.XML1) {
	p.first("classHistory", func(p place) {
		if p.writing() && blank(&x.NGAY_VAO_NOI_TRU) {
			return
		}
		p.fix("class", class(x))
		p.at("period", func(p place) { field(p, "start", &x.NGAY_VAO_NOI_TRU, element.Minute) })
	})
}

// stay marks the reason for admission among the reasons.
const stay = "ly-do-vao-noi-tru"

func reasons(p place, x *claim.XML1) {
	marked := func(n r4.Node) bool { return element.FindExt(n, stay).Exists() }
	p.among("reasonCode", func(n r4.Node) bool { return !marked(n) }, func(p place) { field(p, "text", &x.LY_DO_VV, element.Text) })
	p.among("reasonCode", marked, func(p place) {
		if p.writing() {
			if blank(&x.LY_DO_VNT) && blank(&x.MA_LY_DO_VNT) {
				return
			}
			p.append("extension", element.Ext(stay, "valueBoolean", true))
		}
		p.among("coding", system(element.List+"ma_ly_do_vnt"), func(p place) {
			if !p.writing() || !blank(&x.MA_LY_DO_VNT) {
				p.fix("system", element.List+"ma_ly_do_vnt")
				field(p, "code", &x.MA_LY_DO_VNT, element.Token)
			}
		})
		field(p, "text", &x.LY_DO_VNT, element.Text)
	})
}

// departments are the places of the visit in their order; the last one stands
// as its service too.
func departments(p place, x *claim.XML1, l *labels) {
	last := ""
	several(p, "MA_KHOA", &x.MA_KHOA, func(item string) {
		ref := logicalTo("Location", element.MAKHOA, item, item)
		ref.Add("display", l.of("ma_khoa", item))
		p.append("location", r4.Object{{Name: "location", Value: ref}})
		last = item
	}, func() (list []string) {
		for n := range p.in.Get("location").Elems() {
			list = append(list, identified(n.Get("location")))
		}
		return list
	})
	if last != "" {
		p.fix("serviceType", concept(element.MAKHOA, last, l.of("ma_khoa", last)))
	}
}
