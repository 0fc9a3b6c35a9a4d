package fhirmap

import (
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// item is a line of a Claim: a row of XML2 or XML3 as it is billed.
type item struct {
	place
	sheet     *sheet  // writing
	read      *reader // reading
	labels    *labels
	team      []int // sequences that it points at
	diagnosis []int
}

// add writes an item of a table, the next in order.
func (w *writer) add(table string, l line, fill func(*item)) {
	n := w.sheet.items.n + 1
	o := w.object()
	w.exts.n, w.exts.json = 0, w.exts.json[:0]
	o.Add("sequence", n)
	it := &item{place: place{out: &o, exts: &w.exts, memo: w.sheet.memo}, sheet: w.sheet, labels: w.labels}
	it.append("extension", element.Ext("bang", "valueCode", table))
	l.mark(it.place)
	fill(it)
	o.Add("extension", w.exts.value())
	o.Add("careTeamSequence", numbers(it.team))
	o.Add("diagnosisSequence", numbers(it.diagnosis))
	o.Add("encounter", w.visits)
	w.sheet.items.add(o)
	w.free = append(w.free, o[:0])
}

// people are practitioners of the care team.
func (it *item) people(name string, t *claim.Text, role string) {
	several(it.place, name, t, func(number string) { it.team = append(it.team, it.sheet.member(role, number)) },
		func() []string { return it.read.people(it.in, role) })
}

// diseases are diagnoses of the Claim.
func (it *item) diseases(name string, t *claim.Text, system string) {
	several(it.place, name, t, func(code string) { it.diagnosis = append(it.diagnosis, it.sheet.disease(system, code)) },
		func() []string { return it.read.diseaseCodes(it.in, system) })
}

// devices are references by identifier to machines and marks.
func (it *item) devices(name string, t *claim.Text, sys string) {
	several(it.place, name, t, func(number string) { it.append("udi", logicalTo("Device", sys, number, number)) },
		func() (list []string) {
			for ref := range it.in.Get("udi").Elems() {
				if ref.Get("identifier").Get("system").Text() == sys {
					list = append(list, identified(ref))
				}
			}
			return list
		})
}

// billed is what the rows of XML2 and XML3 have in common.
type billed struct {
	MA_NHOM, PHAM_VI, TYLE_TT_BH, MA_PTTT, VET_THUONG_TP                                *claim.Number
	DON_VI_TINH, TT_THAU, MA_KHOA, DU_PHONG, MA_BAC_SI                                  *claim.Text
	SO_LUONG, DON_GIA, THANH_TIEN_BV, THANH_TIEN_BH, MUC_HUONG, T_BNTT, T_BNCCT, T_BHTT *claim.Decimal
	T_NGUONKHAC_NSNN, T_NGUONKHAC_VTNN, T_NGUONKHAC_VTTN, T_NGUONKHAC_CL, T_NGUONKHAC   *claim.Decimal
	rest                                                                                *claim.Rest
}

func (it *item) bill(b billed) {
	it.people("MA_BAC_SI", b.MA_BAC_SI, orders)
	code(it.place, "revenue", b.MA_KHOA, element.MAKHOA, it.labels.of("ma_khoa", clean(*b.MA_KHOA)))
	code(it.place, "category", b.MA_NHOM, element.List+"ma_nhom", it.labels.of("ma_nhom", clean(*b.MA_NHOM)))
	codeAmong(it.place, "modifier", b.PHAM_VI, element.List+"pham_vi")
	codeAmong(it.place, "modifier", b.VET_THUONG_TP, element.List+"vet_thuong_tp")
	codeAmong(it.place, "programCode", b.MA_PTTT, element.List+"ma_pttt")
	it.at("quantity", func(p place) { quantity(p, b.SO_LUONG, b.DON_VI_TINH) })
	money(it.place, "unitPrice", b.DON_GIA)
	money(it.place, "net", b.THANH_TIEN_BV)
	amountOf(it.place, "THANH_TIEN_BH", b.THANH_TIEN_BH)
	amountOf(it.place, "T_NGUONKHAC_NSNN", b.T_NGUONKHAC_NSNN)
	amountOf(it.place, "T_NGUONKHAC_VTNN", b.T_NGUONKHAC_VTNN)
	amountOf(it.place, "T_NGUONKHAC_VTTN", b.T_NGUONKHAC_VTTN)
	amountOf(it.place, "T_NGUONKHAC_CL", b.T_NGUONKHAC_CL)
	amountOf(it.place, "T_NGUONKHAC", b.T_NGUONKHAC)
	amountOf(it.place, "T_BNTT", b.T_BNTT)
	amountOf(it.place, "T_BNCCT", b.T_BNCCT)
	amountOf(it.place, "T_BHTT", b.T_BHTT)
	ext(it.place, "ty-le-bh", "valueDecimal", b.TYLE_TT_BH, element.Decimal)
	ext(it.place, "muc-huong", "valueDecimal", b.MUC_HUONG, element.Decimal)
	ext(it.place, "tt-thau", "valueString", b.TT_THAU, element.Text)
	ext(it.place, "du-phong", "valueString", b.DU_PHONG, element.Text)
	rest(it.place, b.rest)
}

func quantity[N, U ~string](p place, n *N, unit *U) {
	field(p, "value", n, element.Decimal)
	field(p, "unit", unit, element.Text)
}

// named is a coding of the law with its name beside it.
func named[T ~string](p place, of string, code, name *T) {
	p.among("coding", system(of), func(p place) {
		if p.writing() && blank(code) && blank(name) {
			return
		}
		p.fix("system", of)
		field(p, "code", code, element.Token)
		field(p, "display", name, element.Text)
	})
}
