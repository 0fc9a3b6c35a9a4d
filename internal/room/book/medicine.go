package book

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// medicine is one thing to take, the same lines of a visit taken together.
type medicine struct {
	Name     string
	Strength string
	Unit     string
	Dose     string // LIEU_DUNG as written
	How      string // CACH_DUNG as written
	Quantity decimal.Decimal
	Lines    []dose // each line that went into it
	Visit    string
	On       moment // of the newest line
	Until    time.Time
}

// dose is one line of the claim.
type dose struct {
	On       moment
	Quantity string
	Dose     string
}

// medicineName is the name with its strength, for a search and a summary.
func medicineName(m r4.Node) string {
	return strings.TrimSpace(dig(m, "medicationCodeableConcept", "text").Text() + " " + strengthOf(m))
}

func strengthOf(m r4.Node) string {
	return cmp.Or(element.FindExt(m, "ham-luong").Get("valueString").Text(), element.FindExt(m.Get("medicationCodeableConcept"), "ham-luong").Get("valueString").Text())
}

// medicinesOf joins the lines of the requests that say the same: an inpatient
// stay writes one line a dose, and nobody reads five hundred lines.
func medicinesOf(requests []r4.Node) []medicine {
	type key struct{ visit, name, strength, dose, how, unit string }
	at := map[key]int{}
	var list []medicine
	for _, m := range requests {
		d := dig(m, "dosageInstruction")
		q := dig(m, "dispenseRequest", "quantity")
		x := medicine{
			Name: dig(m, "medicationCodeableConcept", "text").Text(), Strength: strengthOf(m), Unit: q.Get("unit").Text(),
			Dose: d.Get("text").Text(), How: d.Get("patientInstruction").Text(), Visit: idOf(m.Get("encounter"), "Encounter"),
			On: moment(m.Get("authoredOn").Text()),
		}
		each := strings.TrimSpace(total.ReplaceAllString(x.Dose, ""))
		k := key{x.Visit, x.Name, x.Strength, each, x.How, x.Unit}
		i, ok := at[k]
		if !ok {
			i = len(list)
			at[k] = i
			list = append(list, x)
		} else if list[i].Dose != x.Dose { // the same dose with other totals: the sum stands in Quantity
			list[i].Dose = each
		}
		raw := string(q.Get("value").Raw())
		if n, err := decimal.Parse(raw); err == nil {
			list[i].Quantity = list[i].Quantity.Add(n)
		}
		list[i].Lines = append(list[i].Lines, dose{On: x.On, Quantity: quantity(raw, x.Unit), Dose: x.Dose})
		if list[i].On.before(x.On) {
			list[i].On = x.On
		}
	}
	for i := range list {
		if len(list[i].Lines) == 1 {
			list[i].Until = lasts(list[i])
		}
	}
	return list
}

// total is the sum that ends a dose (QĐ 3176 bảng XML2, LIEU_DUNG): "[28 viên]".
var total = regexp.MustCompile(`\s*\[[^\]]*\]\s*$`)

// Amount writes the quantity with its unit.
func (m medicine) Amount() string { return quantity(m.Quantity.Plain(), strings.ToLower(m.Unit)) }

func quantity(n, unit string) string {
	if n == "" || n == "0" {
		return ""
	}
	return strings.TrimSpace(ui.Number3(n) + " " + strings.ToLower(unit))
}

// perDay reads a dose of the form that the decision asks for: so much each
// time, so many times a day (QĐ 3176 bảng XML2, LIEU_DUNG), "1 viên/lần x 2 lần/ngày [56 viên]".
var perDay = regexp.MustCompile(`^\s*(\d+(?:[.,]\d+)?)\s*\p{L}+\s*/\s*lần\s*[x*×]\s*(\d+)\s*lần\s*/\s*ngày(?:\s*[x*×]\s*(\d+)\s*ngày)?\s*(?:\[[^\]]*\])?\s*$`)

// lasts gives the day on which the medicine is used up when taken as written;
// zero when the dose does not say it beyond doubt.
func lasts(m medicine) time.Time {
	p := perDay.FindStringSubmatch(m.Dose)
	from := m.On.time()
	if p == nil || from.IsZero() {
		return time.Time{}
	}
	each, err1 := decimal.Parse(strings.Replace(p[1], ",", ".", 1))
	times, err2 := decimal.Parse(p[2])
	if err1 != nil || err2 != nil || each.Sign() <= 0 || times.Sign() <= 0 {
		return time.Time{}
	}
	days, err := m.Quantity.Div(each.Mul(times))
	if err != nil {
		return time.Time{}
	}
	n := int(days.Float64())
	if n < 1 || n > 366 {
		return time.Time{}
	}
	return from.AddDate(0, 0, n-1)
}

// handout is what was given on one day of a visit.
type handout struct {
	Visit     string
	On        moment
	Place     string
	Facility  string
	Inside    bool // taken in the facility: a stay
	Medicines []medicine
}

// stays are the forms of care in which medicines are taken in the facility (codelists/ma_loai_kcb.csv).
var stays = []string{"03", "04", "06", "09"}

// dayOf is the day of an order as 2026-03-10.
func dayOf(request r4.Node) string {
	t := moment(request.Get("authoredOn").Text()).time()
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// handoutsOf groups orders, the newest first, by day and visit.
func handoutsOf(requests []r4.Node, visits map[string]visit) (out []handout) {
	type key struct{ day, visit string }
	at := map[key]int{}
	var groups [][]r4.Node
	for _, n := range requests {
		k := key{dayOf(n), idOf(n.Get("encounter"), "Encounter")}
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			groups = append(groups, nil)
			v := visits[k.visit]
			out = append(out, handout{Visit: k.visit, On: moment(k.day), Place: v.Place, Facility: v.Facility, Inside: slices.Contains(stays, v.Kind.Code)})
		}
		groups[i] = append(groups[i], n)
	}
	for i := range out {
		slices.Reverse(groups[i])
		out[i].Medicines = medicinesOf(groups[i])
	}
	slices.SortStableFunc(out, func(a, b handout) int { return b.On.time().Compare(a.On.time()) })
	return out
}

// cabinet is the page of medicines: what should still be in the house, then what was given before.
type cabinet struct {
	Now   []medicine // by dose and quantity not used up yet
	Given []handout
	Next  string // day before which the next page begins, "" on the last
	Older bool   // not the first page
}

// notUsedUp gives the newest handout of each medicine that lasts until today or longer.
func notUsedUp(given []handout, now time.Time) (list []medicine) {
	today := moment(now.Format(time.DateOnly)).time()
	seen := map[string]bool{}
	for _, h := range given {
		for _, m := range h.Medicines {
			name := m.Name + " " + m.Strength
			if !seen[name] && !h.Inside && !m.Until.IsZero() && !m.Until.Before(today) {
				list = append(list, m)
			}
			seen[name] = true
		}
	}
	return list
}
