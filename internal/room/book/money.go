package book

import (
	"cmp"
	"slices"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// money is who pays what of a bill (QĐ 3176 bảng XML1). Total is the sum at the
// hospital's price; the four parts make it up.
type money struct {
	Total     decimal.Decimal // T_TONGCHI_BV
	Insurance decimal.Decimal // T_BHTT
	Share     decimal.Decimal // T_BNCCT: the patient's co-payment
	Self      decimal.Decimal // T_BNTT: what the patient pays outside of insurance
	Others    decimal.Decimal // T_NGUONKHAC
}

func (m money) plus(o money) money {
	return money{m.Total.Add(o.Total), m.Insurance.Add(o.Insurance), m.Share.Add(o.Share), m.Self.Add(o.Self), m.Others.Add(o.Others)}
}

// You is what the patient paid altogether.
func (m money) You() decimal.Decimal { return m.Share.Add(m.Self) }

// some says whether anything was charged.
func (m money) some() bool { return m.Total.Sign() != 0 || m.parts().Sign() != 0 }

func (m money) parts() decimal.Decimal { return m.Insurance.Add(m.Share).Add(m.Self).Add(m.Others) }

// slice is a part of the bar, in thousandths of its width.
type slice struct {
	Key      string // message key, and the end of its class
	Amount   decimal.Decimal
	From, To int
}

const barWidth = 1000

// slices of the bar; a part without money is left out.
func (m money) slices() (list []slice) {
	all := m.parts()
	at := decimal.FromInt(0)
	for _, p := range []slice{{Key: "insurance", Amount: m.Insurance}, {Key: "share", Amount: m.Share}, {Key: "self", Amount: m.Self}, {Key: "others", Amount: m.Others}} {
		if p.Amount.Sign() <= 0 {
			continue
		}
		p.From = thousandth(at, all)
		at = at.Add(p.Amount)
		p.To = thousandth(at, all)
		list = append(list, p)
	}
	return list
}

func thousandth(part, whole decimal.Decimal) int {
	q, err := part.Mul(decimal.FromInt(barWidth)).Div(whole)
	if err != nil {
		return 0
	}
	return int(q.Float64() + 0.5)
}

// amounts reads money from the fields of a claim by their law's names.
func amounts(f map[string]string) money {
	get := func(k string) decimal.Decimal {
		d, err := decimal.Parse(f[k])
		if err != nil {
			return decimal.FromInt(0)
		}
		return d
	}
	return money{Total: get("T_TONGCHI_BV"), Insurance: get("T_BHTT"), Share: get("T_BNCCT"), Self: get("T_BNTT"), Others: get("T_NGUONKHAC")}
}

// moneyOf reads the totals of a Claim.
func moneyOf(claim r4.Node) money { return amounts(fhirmap.Money(claim)) }

// lineMoney reads the amounts of a line; its total is THANH_TIEN_BV.
func lineMoney(item r4.Node) money {
	f := fhirmap.ItemMoney(item)
	f["T_TONGCHI_BV"] = f["THANH_TIEN_BV"]
	return amounts(f)
}

// bill is the money of one visit.
type bill struct {
	Visit visit
	Money money
}

// costs is the page of money.
type costs struct {
	Total money
	Years []yearCosts
	Open  int // the year whose visits are listed
}

// yearCosts is the money of a year of visits.
type yearCosts struct {
	Year  int
	Money money
	Bills []bill
}

// costsOf adds up the claims of each visit by year, newest first. The visits of
// the year asked for are listed, else of the newest.
func costsOf(claims []r4.Node, visits map[string]visit, open int) (c costs) {
	by := map[string]money{}
	for _, n := range claims {
		id := claimVisit(n)
		by[id] = by[id].plus(moneyOf(n))
	}
	years := map[int]*yearCosts{}
	for id, m := range by {
		v, ok := visits[id]
		if !ok || !m.some() {
			continue
		}
		y := years[v.Start.year()]
		if y == nil {
			y = &yearCosts{Year: v.Start.year()}
			years[v.Start.year()] = y
		}
		y.Bills = append(y.Bills, bill{v, m})
		y.Money = y.Money.plus(m)
		c.Total = c.Total.plus(m)
	}
	for _, y := range years {
		slices.SortFunc(y.Bills, func(a, b bill) int {
			return cmp.Or(b.Visit.Start.time().Compare(a.Visit.Start.time()), cmp.Compare(a.Visit.ID, b.Visit.ID))
		})
		c.Years = append(c.Years, *y)
	}
	slices.SortFunc(c.Years, func(a, b yearCosts) int { return cmp.Compare(b.Year, a.Year) })
	if c.Open = open; years[open] == nil && len(c.Years) > 0 {
		c.Open = c.Years[0].Year
	}
	return c
}

// claimVisit is the visit that a Claim is about: that of its items.
func claimVisit(c r4.Node) string {
	for i := range c.Get("item").Elems() {
		for e := range i.Get("encounter").Elems() {
			if id := idOf(e, "Encounter"); id != "" {
				return id
			}
		}
	}
	return ""
}
