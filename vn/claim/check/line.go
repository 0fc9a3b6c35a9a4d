package check

import (
	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// line is a row of XML2 or XML3 with its money read. A blank amount counts as
// 0; one that can't be read makes the whole line unfit for arithmetic, and is
// ENV-011.
type line struct {
	rec   claim.Record
	place int
	drug  bool

	group, scope, payment               string // MA_NHOM, PHAM_VI, MA_PTTT
	qty, price, priceBH                 decimal.Decimal
	rateDV, rateBH, benefit             decimal.Decimal
	bv, bh, bntt, bncct, bhtt, otherSum decimal.Decimal
	other                               [4]decimal.Decimal // NSNN, VTNN, VTTN, CL
	ceiling                             decimal.Decimal
	hasCeiling, readable                bool
}

func (l *line) at(field string) at { return in(l.rec, l.place, field) }

func (l *line) supply() bool { return !l.drug && (l.group == "10" || l.group == "11") }

func (l *line) get(name string) string { return trim(claim.ByName(l.rec, name)) }

// lines reads XML2 and XML3, once a visit.
func (v *visit) lines() []line {
	if v.hoso != nil && v.money == nil {
		v.money = v.readLines()
	}
	return v.money
}

func (v *visit) readLines() []line {
	out := make([]line, 0, len(v.hoso.XML2)+len(v.hoso.XML3))
	for i := range v.hoso.XML2 {
		r := &v.hoso.XML2[i]
		l := line{rec: r, place: i + 1, drug: true, group: trim(r.MA_NHOM), scope: trim(r.PHAM_VI), payment: trim(r.MA_PTTT), rateDV: hundred, readable: true}
		l.read(r.SO_LUONG, r.DON_GIA, r.DON_GIA, claim.Decimal(r.TYLE_TT_BH), r.MUC_HUONG, r.THANH_TIEN_BV, r.THANH_TIEN_BH, r.T_BNTT, r.T_BNCCT, r.T_BHTT,
			r.T_NGUONKHAC, r.T_NGUONKHAC_NSNN, r.T_NGUONKHAC_VTNN, r.T_NGUONKHAC_VTTN, r.T_NGUONKHAC_CL)
		out = append(out, l)
	}
	for i := range v.hoso.XML3 {
		r := &v.hoso.XML3[i]
		l := line{rec: r, place: i + 1, group: trim(r.MA_NHOM), scope: trim(r.PHAM_VI), payment: trim(r.MA_PTTT), readable: true}
		l.rateDV = l.number(claim.Decimal(r.TYLE_TT_DV))
		l.read(r.SO_LUONG, r.DON_GIA_BV, r.DON_GIA_BH, claim.Decimal(r.TYLE_TT_BH), r.MUC_HUONG, r.THANH_TIEN_BV, r.THANH_TIEN_BH, r.T_BNTT, r.T_BNCCT, r.T_BHTT,
			r.T_NGUONKHAC, r.T_NGUONKHAC_NSNN, r.T_NGUONKHAC_VTNN, r.T_NGUONKHAC_VTTN, r.T_NGUONKHAC_CL)
		if trim(r.T_TRANTT) != "" {
			l.ceiling, l.hasCeiling = l.number(r.T_TRANTT), true
		}
		out = append(out, l)
	}
	return out
}

var (
	zero    = decimal.FromInt(0)
	hundred = decimal.FromInt(100)
)

func (l *line) number(s claim.Decimal) decimal.Decimal {
	if trim(s) == "" {
		return zero
	}
	d, ok := s.Decimal()
	if !ok {
		l.readable = false
		return zero
	}
	return d
}

func (l *line) read(texts ...claim.Decimal) {
	for i, dst := range []*decimal.Decimal{
		&l.qty, &l.price, &l.priceBH, &l.rateBH, &l.benefit, &l.bv, &l.bh, &l.bntt, &l.bncct, &l.bhtt,
		&l.otherSum, &l.other[0], &l.other[1], &l.other[2], &l.other[3],
	} {
		*dst = l.number(texts[i])
	}
}

// near says whether two amounts are the same within the tolerance of a line.
func near(a, b decimal.Decimal) bool { return a.Sub(b).Abs().Cmp(law.LineTolerance) <= 0 }

// eachLine calls f with every line whose numbers can be read.
func (v *visit) eachLine(f func(l *line)) {
	ls := v.lines()
	for i := range ls {
		if ls[i].readable {
			f(&ls[i])
		}
	}
}

// differ reports a line's amount that is not what it should be.
func (v *visit) differ(l *line, field string, got, want decimal.Decimal, values ...string) {
	if !near(got, want) {
		v.find(l.at(field), append(values, "value", money(got), "expected", money(want))...)
	}
}
