package synth

import (
	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// benefit is the percentage of the card by its third character (codelists/muc_huong_the.csv).
func (w *writer) benefit() decimal.Decimal {
	percent := map[byte]int64{'1': 100, '2': 100, '3': 95, '4': 80, '5': 100}
	return decimal.FromInt(percent[w.who.Card[2]])
}

// money fills every amount from quantities and prices, and the totals (envelope.md §4).
func (w *writer) money() {
	x := w.h.XML1
	whole := decimal.FromInt(0)
	for i := range w.h.XML2 {
		whole = whole.Add(product(w.h.XML2[i].SO_LUONG, w.h.XML2[i].DON_GIA))
	}
	for i := range w.h.XML3 {
		whole = whole.Add(product(w.h.XML3[i].SO_LUONG, w.h.XML3[i].DON_GIA_BV))
	}
	rate := decimal.FromInt(0)
	if w.insured {
		rate = w.benefit()
		if limit, ok := law.Amount("fee_15", w.out); ok && whole.Cmp(limit) < 0 { // below 15 percent the fund pays all
			rate = decimal.FromInt(100)
		}
	}
	var sum totals
	for i := range w.h.XML2 {
		r := &w.h.XML2[i]
		l := w.line(product(r.SO_LUONG, r.DON_GIA), rate)
		r.THANH_TIEN_BV, r.THANH_TIEN_BH, r.MUC_HUONG, r.T_BNTT, r.T_BNCCT, r.T_BHTT = two(l.bv), two(l.bh), claim.Decimal(rate.Plain()), two(l.bntt), two(l.bncct), two(l.bhtt)
		r.T_NGUONKHAC_NSNN, r.T_NGUONKHAC_VTNN, r.T_NGUONKHAC_VTTN, r.T_NGUONKHAC_CL, r.T_NGUONKHAC = "0.00", "0.00", "0.00", "0.00", "0.00"
		if !w.insured {
			r.PHAM_VI, r.TYLE_TT_BH, r.NGUON_CTRA = "2", "0", "4"
		}
		sum.add(l)
		sum.drugs = sum.drugs.Add(l.bv)
	}
	for i := range w.h.XML3 {
		r := &w.h.XML3[i]
		l := w.line(product(r.SO_LUONG, r.DON_GIA_BV), rate)
		r.THANH_TIEN_BV, r.THANH_TIEN_BH, r.MUC_HUONG, r.T_BNTT, r.T_BNCCT, r.T_BHTT = two(l.bv), two(l.bh), claim.Decimal(rate.Plain()), two(l.bntt), two(l.bncct), two(l.bhtt)
		r.T_NGUONKHAC_NSNN, r.T_NGUONKHAC_VTNN, r.T_NGUONKHAC_VTTN, r.T_NGUONKHAC_CL, r.T_NGUONKHAC = "0.00", "0.00", "0.00", "0.00", "0.00"
		if !w.insured {
			r.PHAM_VI, r.TYLE_TT_BH = "2", "0"
		}
		sum.add(l)
	}
	x.T_THUOC, x.T_VTYT, x.T_TONGCHI_BV, x.T_TONGCHI_BH = two(sum.drugs), "0.00", two(sum.bv), two(sum.bh)
	x.T_BNTT, x.T_BNCCT, x.T_BHTT, x.T_NGUONKHAC, x.T_BHTT_GDV = two(sum.bntt), two(sum.bncct), two(sum.bhtt), "0.00", two(sum.bhtt)
}

// share is how an amount is paid.
type share struct{ bv, bh, bntt, bncct, bhtt decimal.Decimal }

type totals struct {
	share
	drugs decimal.Decimal
}

func (t *totals) add(l share) {
	t.bv, t.bh, t.bntt, t.bncct, t.bhtt = t.bv.Add(l.bv), t.bh.Add(l.bh), t.bntt.Add(l.bntt), t.bncct.Add(l.bncct), t.bhtt.Add(l.bhtt)
}

func (w *writer) line(amount, rate decimal.Decimal) share {
	if !w.insured {
		return share{bv: amount, bntt: amount}
	}
	fund := amount.Percent(rate).Round(2)
	return share{bv: amount, bh: amount, bhtt: fund, bncct: amount.Sub(fund)}
}

func product(qty, price claim.Decimal) decimal.Decimal {
	return decimal.MustParse(string(qty)).Mul(decimal.MustParse(string(price))).Round(2)
}

func two(d decimal.Decimal) claim.Decimal { return claim.Decimal(d.Round(2).String()) }
