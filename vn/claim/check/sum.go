package check

import (
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// sum is a total of XML1 and what of each line it adds up.
type sum struct {
	rule, field string
	part        func(*line) decimal.Decimal
}

var sums = []sum{
	{"SUM-001", "T_THUOC", func(l *line) decimal.Decimal { return amountIf(l.drug, l.bv) }},
	{"SUM-002", "T_VTYT", func(l *line) decimal.Decimal { return amountIf(l.supply(), l.bv) }},
	{"SUM-003", "T_TONGCHI_BV", func(l *line) decimal.Decimal { return l.bv }},
	{"SUM-004", "T_TONGCHI_BH", func(l *line) decimal.Decimal { return l.bh }},
	{"SUM-005", "T_BNTT", func(l *line) decimal.Decimal { return l.bntt }},
	{"SUM-006", "T_BNCCT", func(l *line) decimal.Decimal { return l.bncct }},
	{"SUM-007", "T_BHTT", func(l *line) decimal.Decimal { return l.bhtt }},
	{"SUM-008", "T_NGUONKHAC", func(l *line) decimal.Decimal { return l.otherSum }},
}

// sumRules are the rules of the totals in XML1.
var sumRules = append(totals(),
	rule{id: "SUM-009", fund: true, run: sum009}, rule{id: "SUM-010", fund: true, run: sum010}, rule{id: "SUM-011", run: sum011},
	rule{id: "SUM-014", run: sum014}, rule{id: "SUM-015", run: sum015}, rule{id: "SUM-017", run: sum017})

// totals are SUM-001 to SUM-008: a total of XML1 is the sum of its lines, up to the tolerance (1 đồng).
func totals() (out []rule) {
	for _, s := range sums {
		out = append(out, rule{id: s.rule, run: func(v *visit) {
			if got, want, ok := v.sum(s); ok && got.Sub(want).Abs().Cmp(law.SumTolerance) > 0 {
				v.find(x1(s.field), "value", money(got), "expected", money(want))
			}
		}})
	}
	return out
}

func amountIf(yes bool, d decimal.Decimal) decimal.Decimal {
	if yes {
		return d
	}
	return zero
}

// sum gives a total of XML1 and what its lines add up to; ok is false when
// either can't be read (ENV-011) or the total is blank (SUM-014).
func (v *visit) sum(s sum) (got, want decimal.Decimal, ok bool) {
	x, ok := v.xml1()
	if !ok {
		return got, want, false
	}
	got, ok = claim.Decimal(claim.ByName(x, s.field)).Decimal()
	if !ok {
		return got, want, false
	}
	ls := v.lines()
	for i := range ls {
		if !ls[i].readable {
			return got, want, false
		}
		want = want.Add(s.part(&ls[i]))
	}
	return got, want, true
}

// SUM-009: without other funding the fund pays the insured total less the co-payment.
func sum009(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	d, ok := amounts(x.T_BHTT, x.T_TONGCHI_BH, x.T_BNCCT, x.T_NGUONKHAC)
	if !ok || d[3].Sign() != 0 {
		return
	}
	if want := d[1].Sub(d[2]); d[0].Sub(want).Abs().Cmp(law.SumTolerance) > 0 {
		v.find(x1("T_BHTT"), "value", money(d[0]), "expected", money(want))
	}
}

func amounts(texts ...claim.Decimal) ([]decimal.Decimal, bool) {
	out := make([]decimal.Decimal, len(texts))
	for i, s := range texts {
		d, ok := s.Decimal()
		if !ok {
			return nil, false
		}
		out[i] = d
	}
	return out, true
}

// SUM-010: the fee-for-service part is the fund's share of lines with method 1; not for cards of the forces.
func sum010(v *visit) {
	if _, ok := v.xml1(); !ok {
		return
	}
	switch yes, known := v.forces(); {
	case yes:
		return
	case !known:
		v.lack("card_lookup")
		return
	}
	got, want, ok := v.sum(sum{"SUM-010", "T_BHTT_GDV", func(l *line) decimal.Decimal { return amountIf(l.payment == "1", l.bhtt) }})
	if ok && got.Sub(want).Abs().Cmp(law.SumTolerance) > 0 {
		v.find(x1("T_BHTT_GDV"), "value", money(got), "expected", money(want))
	}
}

// SUM-011: the total is what the four payers pay.
func sum011(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	d, ok := amounts(x.T_TONGCHI_BV, x.T_BNTT, x.T_BNCCT, x.T_BHTT, x.T_NGUONKHAC)
	if !ok {
		return
	}
	if want := d[1].Add(d[2]).Add(d[3]).Add(d[4]); d[0].Sub(want).Abs().Cmp(law.SumTolerance) > 0 {
		v.find(x1("T_TONGCHI_BV"), "value", money(d[0]), "expected", money(want))
	}
}

// SUM-014: totals are mandatory, at most 15 characters, and not negative.
func sum014(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	for i, f := range x.Table().Fields {
		if !strings.HasPrefix(f.Name, "T_") || f.Type != claim.TDecimal2 {
			continue
		}
		s := strings.TrimSpace(x.Get(i))
		d, err := decimal.Parse(s)
		if s == "" || utf8.RuneCountInString(s) > 15 || err == nil && d.Sign() < 0 {
			v.find(x1(f.Name), "value", s)
		}
	}
}

// SUM-015: the fund is not asked for more than the total.
func sum015(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	if d, ok := amounts(x.T_BHTT, x.T_TONGCHI_BV); ok && d[0].Cmp(d[1]) > 0 {
		v.find(x1("T_BHTT"), "value", money(d[0]), "limit", money(d[1]))
	}
}

// SUM-017: a total that differs from its lines by up to the tolerance is only flagged.
func sum017(v *visit) {
	for _, s := range sums {
		got, want, ok := v.sum(s)
		if gap := got.Sub(want).Abs(); ok && gap.Sign() > 0 && gap.Cmp(law.SumTolerance) <= 0 {
			v.find(x1(s.field), "value", money(gap))
		}
	}
}
