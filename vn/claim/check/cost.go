package check

import (
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// costRules are the rules of a line's money (spec/qd3176/envelope.md §4, verified line arithmetic).
var costRules = []rule{
	{id: "COST-001", run: cost001}, {id: "COST-002", fund: true, run: cost002}, {id: "COST-003", fund: true, run: cost003},
	{id: "COST-004", fund: true, run: cost004}, {id: "COST-005", run: cost005}, {id: "COST-006", run: cost006}, {id: "COST-007", run: cost007},
	{id: "COST-008", run: cost008}, {id: "COST-009", run: cost009}, {id: "COST-010", run: cost010}, {id: "COST-011", fund: true, run: cost011},
	{id: "COST-012", fund: true, run: cost012}, {id: "COST-013", fund: true, run: cost013}, {id: "COST-014", run: cost014},
	{id: "COST-015", run: cost015}, {id: "COST-016", run: cost016}, {id: "COST-017", run: cost017}, {id: "COST-018", fund: true, run: cost018},
	{id: "COST-019", fund: true, run: cost019}, {id: "COST-020", fund: true, run: cost020}, {id: "COST-021", fund: true, run: cost021},
	{id: "COST-022", run: cost022}, {id: "COST-023", run: cost023}, {id: "COST-024", fund: true, run: cost024},
}

// COST-001: medicine: quantity × price.
func cost001(v *visit) {
	v.eachLine(func(l *line) {
		if l.drug {
			v.differ(l, "THANH_TIEN_BV", l.bv, l.qty.Mul(l.price).Round(2))
		}
	})
}

// COST-002: medicine: × rate.
func cost002(v *visit) {
	v.eachLine(func(l *line) {
		if l.drug {
			v.differ(l, "THANH_TIEN_BH", l.bh, l.qty.Mul(l.price).Percent(l.rateBH).Round(2))
		}
	})
}

// COST-003: the fund pays the benefit rate of the insured amount. A ceiling may make it less.
func cost003(v *visit) {
	v.eachLine(func(l *line) {
		want := l.bh.Percent(l.benefit).Round(2)
		if l.otherSum.Sign() == 0 && !(l.supply() && l.hasCeiling && l.bhtt.Cmp(want) < 0) {
			v.differ(l, "T_BHTT", l.bhtt, want, "other", l.benefit.Plain())
		}
	})
}

// COST-004: co-payment is the rest of the insured amount.
func cost004(v *visit) {
	v.eachLine(func(l *line) {
		if l.otherSum.Sign() == 0 {
			v.differ(l, "T_BNCCT", l.bncct, l.bh.Sub(l.bhtt))
		}
	})
}

// COST-005: self-pay is what lies outside of the insured amount.
func cost005(v *visit) {
	v.eachLine(func(l *line) {
		if l.otherSum.Sign() == 0 {
			v.differ(l, "T_BNTT", l.bntt, l.bv.Sub(l.bh))
		}
	})
}

// COST-006: other funding is the sum of its four sources.
func cost006(v *visit) {
	v.eachLine(func(l *line) {
		sum := zero
		for _, d := range l.other {
			sum = sum.Add(d)
		}
		v.differ(l, "T_NGUONKHAC", l.otherSum, sum)
	})
}

// COST-007: other funding is taken off self-pay, then co-payment, then the fund. One that exceeds the line is COST-008.
func cost007(v *visit) {
	v.eachLine(func(l *line) {
		if l.otherSum.Sign() <= 0 || l.otherSum.Cmp(l.bv) > 0 {
			return
		}
		fund := l.bh.Percent(l.benefit).Round(2)
		left := l.otherSum
		take := func(d decimal.Decimal) decimal.Decimal {
			part := d
			if left.Cmp(d) < 0 {
				part = left
			}
			left = left.Sub(part)
			return d.Sub(part)
		}
		for _, p := range []struct {
			field     string
			got, want decimal.Decimal
		}{{"T_BNTT", l.bntt, take(l.bv.Sub(l.bh))}, {"T_BNCCT", l.bncct, take(l.bh.Sub(fund))}, {"T_BHTT", l.bhtt, take(fund)}} {
			if !near(p.got, p.want) {
				v.find(l.at(p.field), "value", money(l.otherSum), "expected", money(p.want))
			}
		}
	})
}

// COST-008: other funding lies between 0 and the line's amount.
func cost008(v *visit) {
	v.eachLine(func(l *line) {
		if l.otherSum.Sign() < 0 || l.otherSum.Cmp(l.bv) > 0 {
			v.find(l.at("T_NGUONKHAC"), "value", money(l.otherSum), "limit", money(l.bv))
		}
	})
}

// COST-009: the four payers add up to the line. Where COST-003 to COST-007 name the wrong part this still says that it does not add up.
func cost009(v *visit) {
	v.eachLine(func(l *line) {
		v.differ(l, "THANH_TIEN_BV", l.bv, l.bntt.Add(l.bncct).Add(l.bhtt).Add(l.otherSum))
	})
}

// COST-010: service: quantity × price × service rate; two readings pass, before 01/01/2025 a third.
func cost010(v *visit) {
	v.eachLine(func(l *line) {
		if l.drug {
			return
		}
		full := l.qty.Mul(l.price)
		want := full.Percent(l.rateDV).Round(2)
		second := full.Sub(l.qty.Mul(l.priceBH).Percent(hundred.Sub(l.rateDV))).Round(2)
		if near(l.bv, want) || near(l.bv, second) {
			return
		}
		if t, ok := claim.Date12(l.get("NGAY_YL")).Time(); ok && t.Before(start3176) && near(l.bv, full.Round(2)) {
			return
		}
		v.differ(l, "THANH_TIEN_BV", l.bv, want)
	})
}

// COST-011: service: quantity × insured price × both rates.
func cost011(v *visit) {
	v.eachLine(func(l *line) {
		if !l.drug {
			v.differ(l, "THANH_TIEN_BH", l.bh, l.qty.Mul(l.priceBH).Percent(l.rateDV).Percent(l.rateBH).Round(2))
		}
	})
}

// COST-012: a supply's insured price exceeds neither the hospital's price nor the ceiling.
func cost012(v *visit) {
	v.eachLine(func(l *line) {
		if !l.supply() {
			return
		}
		limit := l.price
		if l.hasCeiling && l.ceiling.Cmp(limit) < 0 {
			limit = l.ceiling
		}
		if l.priceBH.Cmp(limit) > 0 {
			v.find(l.at("DON_GIA_BH"), "value", money(l.priceBH), "limit", money(limit))
		}
	})
}

// COST-013: the fund pays at most the ceiling for each unit of a supply.
func cost013(v *visit) {
	v.eachLine(func(l *line) {
		if limit := l.qty.Mul(l.ceiling); l.supply() && l.hasCeiling && l.bhtt.Cmp(limit) > 0 {
			v.find(l.at("T_BHTT"), "value", money(l.bhtt), "limit", money(limit))
		}
	})
}

// COST-014: quantities and prices have at most 3 decimals, amounts 2; none is negative.
func cost014(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		places := int32(2)
		switch n := r.Table().Number; {
		case n != 2 && n != 3:
			return
		case f.Name == "SO_LUONG" || strings.HasPrefix(f.Name, "DON_GIA"):
			places = 3
		case f.Type != claim.TDecimal2:
			return
		}
		if d, err := decimal.Parse(value); err == nil && (d.Sign() < 0 || !d.Round(places).Equal(d)) {
			v.find(in(r, place, f.Name), "value", value)
		}
	})
}

// COST-015: rates are whole numbers from 0 to 100.
func cost015(v *visit) {
	v.eachLine(func(l *line) {
		for _, f := range []string{"TYLE_TT_BH", "TYLE_TT_DV"} {
			if d, err := decimal.Parse(l.get(f)); err == nil && (!d.IsInt() || d.Sign() < 0 || d.Cmp(hundred) > 0) {
				v.find(l.at(f), "value", l.get(f))
			}
		}
	})
}

// COST-016: an unusual service rate (list tyle_tt_dv) needs a reason. One that is no rate at all is COST-015.
func cost016(v *visit) {
	v.eachLine(func(l *line) {
		if d := l.rateDV; !l.drug && d.IsInt() && d.Sign() >= 0 && d.Cmp(hundred) <= 0 {
			v.member(l.at("TYLE_TT_DV"), "tyle_tt_dv", d.Plain())
		}
	})
}

// COST-017: a benefit rate is 0 to 100 with at most one decimal.
func cost017(v *visit) {
	v.eachLine(func(l *line) {
		if d := l.benefit; d.Sign() < 0 || d.Cmp(hundred) > 0 || !d.Round(1).Equal(d) {
			v.find(l.at("MUC_HUONG"), "value", l.get("MUC_HUONG"))
		}
	})
}

// COST-018: what is out of scope carries neither rate nor fund money.
func cost018(v *visit) {
	v.eachLine(func(l *line) {
		if l.scope == "2" && l.rateBH.Sign() != 0 {
			v.find(l.at("TYLE_TT_BH"), "value", l.rateBH.Plain())
		} else if l.scope == "2" && l.bhtt.Sign() != 0 {
			v.find(l.at("T_BHTT"), "value", money(l.bhtt))
		}
	})
}

// soldiers are the letters of army, police and cipher cards.
func soldiers(card string) bool {
	return strings.HasPrefix(card, "QN") || strings.HasPrefix(card, "CA") || strings.HasPrefix(card, "CY")
}

// forces says whether any card of the visit is of the forces; known is false
// when only a look-up could tell (cards without letters).
func (v *visit) forces() (yes, known bool) {
	x, ok := v.xml1()
	if !ok {
		return false, false
	}
	known = true
	for _, card := range claim.Items(strings.ToUpper(string(x.MA_THE_BHYT))) {
		if len(card) == 15 {
			if soldiers(card) {
				return true, true
			}
			continue
		}
		if v.opt.Context.CardLookup == nil {
			known = false
			continue
		}
		answer, ok := v.opt.Context.CardLookup.Answer(card, v.end)
		if answer == "001" || answer == "002" {
			return true, true
		}
		known = known && ok
	}
	return false, known
}

// COST-019: scope 3 is for army, police and cipher cards.
func cost019(v *visit) {
	for _, l := range v.lines() {
		if l.scope != "3" {
			continue
		}
		yes, known := v.forces()
		switch {
		case yes:
		case !known:
			v.lack("card_lookup")
		default:
			v.find(l.at("PHAM_VI"), "other", "BHYT")
		}
	}
}

// COST-020: an insured service with insured price 0 whose code does not say so.
func cost020(v *visit) {
	v.eachLine(func(l *line) {
		code := l.get("MA_DICH_VU")
		free := strings.HasSuffix(code, ".0000") || strings.HasSuffix(code, "_TB") || strings.HasSuffix(code, "_TT")
		if !l.drug && code != "" && l.get("MA_VAT_TU") == "" && l.scope == "1" && l.priceBH.Sign() == 0 && !free {
			v.find(l.at("DON_GIA_BH"), "other", code)
		}
	})
}

// COST-021: a reused supply has one price.
func cost021(v *visit) {
	v.eachLine(func(l *line) {
		if !l.drug && l.get("TAI_SU_DUNG") == "1" && !l.price.Equal(l.priceBH) {
			v.find(l.at("DON_GIA_BV"), "value", money(l.price), "other", money(l.priceBH))
		}
	})
}

// COST-022: marks are 1 or blank.
func cost022(v *visit) {
	for _, l := range v.lines() {
		for _, f := range []string{"VET_THUONG_TP", "TAI_SU_DUNG"} {
			if s := l.get(f); s != "" && s != "1" {
				v.find(l.at(f), "value", s)
			}
		}
	}
}

// COST-023: payment method and paying source are in their lists; both are mandatory in their tables.
func cost023(v *visit) {
	for _, l := range v.lines() {
		for _, f := range []struct{ name, list string }{{"MA_PTTT", "ma_pttt"}, {"NGUON_CTRA", "nguon_ctra"}} {
			if f.name == "NGUON_CTRA" && !l.drug {
				continue
			}
			if s := l.get(f.name); s == "" {
				v.find(l.at(f.name), "value", "")
			} else {
				v.member(l.at(f.name), f.list, s)
			}
		}
	}
}

// right says whether a category gives the full benefit on the day of the visit
// (spec/vn/bhyt_visit_object_codes.csv: 1.x at rate 100).
func (v *visit) right(category string) bool {
	if category == "2" {
		return true
	}
	if !strings.HasPrefix(category, "1.") {
		return false
	}
	rate, ok := law.VisitRate(category, v.end)
	return ok && rate == "100"
}

// COST-024: below 15 percent of the reference salary every insured line has benefit 100. One finding a claim.
func cost024(v *visit) {
	x, ok := v.xml1()
	if !ok || !v.right(trim(x.MA_DOITUONG_KCB)) {
		return
	}
	total, ok := x.T_TONGCHI_BH.Decimal()
	if !ok {
		return
	}
	limit, ok := law.Amount("fee_15", v.end)
	if arrived, in := x.NGAY_VAO.Time(); in { // a stay that spans a change is judged by the lower amount
		if earlier, known := law.Amount("fee_15", arrived); known && (!ok || earlier.Cmp(limit) < 0) {
			limit, ok = earlier, true
		}
	}
	if !ok {
		v.lack("amount:fee_15")
		return
	}
	if total.Cmp(limit) >= 0 {
		return
	}
	for _, l := range v.lines() {
		if l.readable && l.bh.Sign() > 0 && !l.benefit.Equal(hundred) {
			v.find(l.at("MUC_HUONG"), "other", money(total), "limit", money(limit), "value", l.benefit.Plain())
			return
		}
	}
}
