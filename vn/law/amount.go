package law

import (
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
)

// amounts are the dated amounts of spec/qd3176/rules.md §4, in đồng.
var amounts = []struct {
	name, from, to, value string
}{
	{"reference_salary", "2023-07-01", "2024-06-30", "1800000"},
	{"reference_salary", "2024-07-01", "2026-06-30", "2340000"},
	{"reference_salary", "2026-07-01", "", "2530000"},
	{"fee_15", "2023-07-01", "2024-06-30", "270000"},
	{"fee_15", "2024-07-01", "2026-06-30", "351000"},
	{"fee_15", "2026-07-01", "", "379500"},
	{"supply_cap", "2024-07-01", "2026-06-30", "105300000"},
	{"supply_cap", "2026-07-01", "", "113850000"},
}

// Amount gives an amount that holds on a day: "reference_salary" (mức tham
// chiếu), "fee_15" (15 percent of it, Luật BHYT Điều 22), "supply_cap" (45
// times it). ok is false when none is known for that day.
func Amount(name string, on time.Time) (d decimal.Decimal, ok bool) {
	for _, a := range amounts {
		if a.name == name && within(a.from, a.to, day(on)) {
			return decimal.MustParse(a.value), true
		}
	}
	return d, false
}

// LineTolerance and SumTolerance are the differences that arithmetic on a claim forgives, in đồng.
var (
	LineTolerance = decimal.MustParse("0.05")
	SumTolerance  = decimal.MustParse("1.00")
)

// visitRates are the rates of an access category (MA_DOITUONG_KCB) by day.
var visitRates = sync.OnceValue(func() []record { return readTable("vn/bhyt_visit_object_codes.csv") })

// VisitRate gives the percentage of the benefit that an access category leaves
// on a day, for example "100". ok is false when it is not known, or differs by setting.
func VisitRate(category string, on time.Time) (percent string, ok bool) {
	for _, r := range visitRates() {
		if r["code"] != category || !within(r["valid_from"], r["valid_to"], day(on)) {
			continue
		}
		if ok && percent != r["percent_of_benefit"] {
			return "", false
		}
		percent, ok = r["percent_of_benefit"], r["percent_of_benefit"] != ""
	}
	return percent, ok
}
