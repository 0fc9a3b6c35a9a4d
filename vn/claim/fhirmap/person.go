package fhirmap

import (
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
)

// told is the id of the Patient contained in a Claim: the person as this claim tells them.
const told = "nguoi-benh"

var genders = map[string]string{"1": "male", "2": "female", "3": "other"}

// person writes or reads the facts about the person in XML1, and nothing else
// of it: two visits that tell the same about a person give the same Patient.
func person(p place, x *claim.XML1, facility string) {
	extCode(p, "dan-toc", &x.MA_DANTOC, element.List+"ma_dantoc", personal.of("ma_dantoc", clean(x.MA_DANTOC)))
	extCode(p, "nghe-nghiep", &x.MA_NGHE_NGHIEP, element.List+"ma_nghe_nghiep", personal.of("ma_nghe_nghiep", clean(x.MA_NGHE_NGHIEP)))
	ext(p, "nhom-mau", "valueString", &x.NHOM_MAU, element.Text)
	nationality(p, x)
	identifiers(p, x, facility)
	p.first("name", func(p place) { name(p, x) })
	p.among("telecom", func(n r4.Node) bool { return n.Get("system").Text() == "phone" }, func(p place) {
		if !p.writing() || !blank(&x.DIEN_THOAI) {
			p.fix("system", "phone")
			field(p, "value", &x.DIEN_THOAI, element.Text)
		}
	})
	gender(p, &x.GIOI_TINH)
	field(p, "birthDate", &x.NGAY_SINH, element.Birth)
	birthTime(p, x)
	p.first("address", func(p place) { address(p, x) })
}

// knownDays pick the lists for a person by what they say and not by the day of
// a visit: an address with a district is from before the merger of July 2025.
type knownDays struct{ before, after time.Time }

func (d knownDays) of(list, code string) string {
	for _, day := range []time.Time{d.after, d.before} {
		if table, err := law.Find(list, day); err == nil {
			if c, ok := table.Find(code, day); ok {
				return c.VI
			}
		}
	}
	return ""
}

var personal = knownDays{law.Merger().AddDate(0, 0, -1), law.Merger()}

func nationality(p place, x *claim.XML1) {
	if !p.writing() {
		for e := range p.in.Get("extension").Elems() {
			if e.Get("url").Text() == element.Nationality {
				x.MA_QUOCTICH = claim.Text(codeOf(e.Get("extension").At(0).Get("valueCodeableConcept"), element.List+"ma_quoctich"))
			}
		}
		return
	}
	if !blank(&x.MA_QUOCTICH) {
		c := concept(element.List+"ma_quoctich", string(x.MA_QUOCTICH), personal.of("ma_quoctich", clean(x.MA_QUOCTICH)))
		p.append("extension", r4.Object{{Name: "url", Value: element.Nationality}, {Name: "extension", Value: []r4.Object{
			{{Name: "url", Value: "code"}, {Name: "valueCodeableConcept", Value: c}},
		}}})
	}
}

// numberSystems are the systems that SO_CCCD may be of.
var numberSystems = []string{element.CCCD, element.OldCMND, element.Passport, element.OtherID}

// numberSystem tells the kind of SO_CCCD by its form; kind is its type in HL7 table 0203.
func numberSystem(number, nation string) (system, kind string) {
	digits := strings.Trim(number, "0123456789") == ""
	letters := strings.Trim(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
	switch {
	case digits && len(number) == 12:
		return element.CCCD, "NI"
	case digits && len(number) == 9 && !foreign(nation):
		return element.OldCMND, "NI"
	case letters && len(number) >= 5 && len(number) <= 20 && foreign(nation):
		return element.Passport, "PPN"
	}
	return element.OtherID, ""
}

func foreign(nation string) bool { return nation != "" && nation != "000" }

func identifiers(p place, x *claim.XML1, facility string) {
	if !p.writing() {
		for id := range p.in.Get("identifier").Elems() {
			system := id.Get("system").Text()
			if strings.HasPrefix(system, element.MABNPrefix) {
				x.MA_BN = claim.Text(element.Get(id, "value", element.Text))
			}
			if slices.Contains(numberSystems, system) {
				x.SO_CCCD = claim.Text(element.Get(id, "value", element.Text))
			}
		}
		return
	}
	add := func(system, kind, value string) {
		o := r4.Object{}
		if kind != "" {
			o.Add("type", r4.Object{{Name: "coding", Value: []r4.Object{{{Name: "system", Value: element.HL7 + "v2-0203"}, {Name: "code", Value: kind}}}}})
		}
		o.Add("system", system)
		o.Add("value", value)
		p.append("identifier", o)
	}
	if number := clean(x.SO_CCCD); number != "" {
		system, kind := numberSystem(number, clean(x.MA_QUOCTICH))
		add(system, kind, number)
	}
	var seen []string
	once := func(system, kind, value string) {
		if value != "" && !slices.Contains(seen, value) {
			seen = append(seen, value)
			add(system, kind, value)
		}
	}
	for _, card := range filled(clean(x.MA_THE_BHYT)) {
		once(element.BHYT, "MB", card)
		once(element.BHXH, "SB", socialNumber(card))
	}
	if number := clean(x.MA_BN); number != "" {
		add(element.MABNPrefix+facility, "MR", number)
	}
}

// socialNumber is the social insurance number in a card of 15 characters: its last ten digits.
func socialNumber(card string) string {
	if len(card) != 15 || strings.Trim(card[5:], "0123456789") != "" {
		return ""
	}
	return card[5:]
}

// name takes a Vietnamese name apart: the family name stands first.
func name(p place, x *claim.XML1) {
	if p.writing() && blank(&x.HO_TEN) {
		return
	}
	p.fix("use", "official")
	field(p, "text", &x.HO_TEN, element.Text)
	if p.writing() {
		words := strings.Fields(clean(x.HO_TEN))
		p.out.Add("family", words[0])
		p.out.Add("given", words[1:])
	}
}

func gender(p place, t *claim.Number) {
	if !p.writing() {
		*t = claim.Number(element.Get(p.in, "gender", element.Text))
		if p.in.Get("_gender").Exists() {
			return
		}
		for number, word := range genders {
			if word == string(*t) {
				*t = claim.Number(number)
			}
		}
		return
	}
	text := clean(*t)
	if word, ok := genders[text]; ok {
		p.out.Add("gender", word)
	} else if text != "" {
		p.out.Add("_gender", beside(element.ClaimText, text))
	}
}

// birthTime adds the hour of birth of a newborn in the way of HL7.
func birthTime(p place, x *claim.XML1) {
	at := element.DateTime(string(x.NGAY_SINH))
	if !p.writing() || at == "" || strings.HasSuffix(clean(x.NGAY_SINH), "0000") {
		return
	}
	for i := range *p.out {
		if f := &(*p.out)[i]; f.Name == "_birthDate" {
			companion := f.Value.(r4.Object)
			place{out: &companion}.append("extension", r4.Object{{Name: "url", Value: element.BirthTime}, {Name: "valueDateTime", Value: at}})
			f.Value = companion
		}
	}
}

// address keeps the codes of its units beside their names (iso21090-SC-coding).
func address(p place, x *claim.XML1) {
	field(p, "text", &x.DIA_CHI, element.Text)
	province, commune := "vn:provinces_2025", "vn:communes_2025"
	if !blank(&x.MAHUYEN_CU_TRU) {
		province, commune = "ma_tinh_062024", "vn:communes_legacy"
	}
	unit(p, "city", &x.MAXA_CU_TRU, commune)
	unit(p, "district", &x.MAHUYEN_CU_TRU, "vn:districts_legacy")
	unit(p, "state", &x.MATINH_CU_TRU, province)
}

func unit(p place, name string, t *claim.Text, list string) {
	if !p.writing() {
		*t = ""
		for e := range p.in.Get("_" + name).Get("extension").Elems() {
			if e.Get("url").Text() == element.SCCoding {
				*t = claim.Text(element.Get(e.Get("valueCoding"), "code", element.Token))
			}
		}
		return
	}
	if !blank(t) {
		p.out.Add(name, personal.of(list, clean(*t)))
		p.out.Add("_"+name, r4.Object{{Name: "extension", Value: []r4.Object{
			{{Name: "url", Value: element.SCCoding}, {Name: "valueCoding", Value: coding(element.List+list, string(*t), "")}},
		}}})
	}
}
