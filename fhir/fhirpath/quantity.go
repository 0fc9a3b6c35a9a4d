package fhirpath

import (
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/ucum"
)

// quantity is a System.Quantity: its unit is a UCUM code, or the word of a calendar duration (N1 §2.1.8).
type quantity struct {
	value *apd.Decimal
	unit  string
	word  bool // a calendar duration: 1 month, not 1 'mo'
}

// calendar gives the singular of the words of calendar durations.
var calendar = map[string]string{
	"year": "year", "years": "year", "month": "month", "months": "month", "week": "week", "weeks": "week", "day": "day", "days": "day",
	"hour": "hour", "hours": "hour", "minute": "minute", "minutes": "minute", "second": "second", "seconds": "second",
	"millisecond": "millisecond", "milliseconds": "millisecond",
}

// definite are the calendar durations that are as long as a UCUM unit (N1 §2.1.8.1, table).
var definite = map[string]string{
	"week": "wk", "day": "d", "hour": "h", "minute": "min", "second": "s", "millisecond": "ms",
}

func newQuantity(d *apd.Decimal, unit string) quantity { return quantity{value: d, unit: unit} }

func (q quantity) String() string {
	if q.word {
		unit := q.unit
		if q.value.Cmp(apd.New(1, 0)) != 0 {
			unit += "s"
		}
		return q.value.Text('f') + " " + unit
	}
	return q.value.Text('f') + " '" + strings.ReplaceAll(q.unit, "'", `\'`) + "'"
}

// quantityOf reads a FHIR Quantity (FHIR R4 fhirpath.html#quantity). One with a comparator stands for a range, so it has no value.
func quantityOf(n r4.Node) (quantity, bool) {
	d, ok := parseDecimal(n.Get("value").Text())
	if !ok || n.Get("comparator").Exists() {
		return quantity{}, false
	}
	unit := n.Get("code").Text()
	if unit == "" {
		unit = n.Get("unit").Text()
	}
	if unit == "" {
		unit = "1"
	}
	return newQuantity(d, unit), true
}

// asQuantity converts a number as N1 §5.5.8 says.
func asQuantity(v any) (quantity, bool) {
	switch v := v.(type) {
	case quantity:
		return v, true
	case int64:
		return newQuantity(apd.New(v, 0), "1"), true
	case *apd.Decimal:
		return newQuantity(v, "1"), true
	}
	return quantity{}, false
}

// measure reads the unit; ok is false for one that UCUM doesn't have, and for calendar years and months.
func (q quantity) measure() (*ucum.Unit, bool) {
	code := q.unit
	if q.word {
		if code = definite[q.unit]; code == "" {
			return nil, false
		}
	}
	u, err := ucum.Parse(code)
	return u, err == nil
}

// days is a calendar duration by the factors of N1 §2.1.8.1: a year has 12 months or 365 days, a month 30 days.
func (q quantity) days() *big.Rat {
	v := toRat(q.value)
	switch q.unit {
	case "year":
		return v.Mul(v, big.NewRat(365, 1))
	case "month":
		return v.Mul(v, big.NewRat(30, 1))
	}
	u, _ := ucum.Parse(definite[q.unit])
	day, _ := ucum.Parse("d")
	v, err := ucum.Convert(v, u, day)
	if err != nil {
		return new(big.Rat)
	}
	return v
}

// compare orders two quantities; known is false when their units can't be compared.
func (q quantity) compare(o quantity) (order int, known bool) {
	if q.unit == o.unit && q.word == o.word {
		return q.value.Cmp(o.value), true
	}
	if q.word && o.word {
		if year, month := q.unit+o.unit == "yearmonth", q.unit+o.unit == "monthyear"; year || month {
			a, b := toRat(q.value), toRat(o.value)
			if twelve := big.NewRat(12, 1); year {
				a.Mul(a, twelve)
			} else {
				b.Mul(b, twelve)
			}
			return a.Cmp(b), true
		}
		return q.days().Cmp(o.days()), true
	}
	a, b, ok := q.both(o)
	if !ok {
		return 0, false
	}
	v, err := ucum.Convert(toRat(o.value), b, a)
	if err != nil {
		return 0, false
	}
	return toRat(q.value).Cmp(v), true
}

// both reads two units of one dimension.
func (q quantity) both(o quantity) (a, b *ucum.Unit, ok bool) {
	a, ok = q.measure()
	if !ok {
		return nil, nil, false
	}
	b, ok = o.measure()
	return a, b, ok && a.Comparable(b)
}

// equivalent compares in q's unit, rounded to the less precise of the two (N1 §6.1.2).
func (q quantity) equivalent(o quantity) bool {
	if q.unit == o.unit && q.word == o.word {
		return near(q.value, o.value)
	}
	if q.word && o.word {
		order, known := q.compare(o)
		return known && order == 0
	}
	if q.word != o.word { // 1 year ~ 1 'a' (N1 §6.1.2)
		q, o = q.average(), o.average()
	}
	a, b, ok := q.both(o)
	if !ok {
		return false
	}
	v, err := ucum.Convert(toRat(o.value), b, a)
	if err != nil {
		return false
	}
	d, ok := fromRat(v)
	if !ok {
		return false
	}
	places := min(placesOf(q.value), placesOf(o.value))
	return roundTo(q.value, places).Cmp(roundTo(d, places)) == 0
}

func (q quantity) average() quantity {
	code := map[string]string{"year": "a", "month": "mo"}[q.unit]
	if !q.word || code == "" {
		return q
	}
	return newQuantity(q.value, code)
}

// add computes q + sign×o in the finer of the two units; ok is false when they measure different things.
func (q quantity) add(o quantity, sign int64) (quantity, bool) {
	if q.unit != o.unit || q.word != o.word {
		a, b, ok := q.both(o)
		if !ok {
			return quantity{}, false
		}
		if fa, _, _ := a.Base(); !b.Special() {
			if fb, _, _ := b.Base(); fb.Cmp(fa) < 0 {
				if q, ok = q.in(o, a, b); !ok {
					return quantity{}, false
				}
			} else if o, ok = o.in(q, b, a); !ok {
				return quantity{}, false
			}
		}
	}
	var sum apd.Decimal
	f := exact.Add
	if sign < 0 {
		f = exact.Sub
	}
	if _, err := f(&sum, q.value, o.value); err != nil {
		return quantity{}, false
	}
	return quantity{&sum, q.unit, q.word}, true
}

// in is q in the unit of o.
func (q quantity) in(o quantity, from, to *ucum.Unit) (quantity, bool) {
	v, err := ucum.Convert(toRat(q.value), from, to)
	if err != nil {
		return quantity{}, false
	}
	d, ok := fromRat(v)
	return quantity{d, o.unit, o.word}, ok
}

// times multiplies, or divides. Where one of them is a plain number, or the
// units cancel, the unit stays as written; else both are taken to base units.
func (q quantity) times(o quantity, divide bool) (quantity, bool) {
	f := mul
	if divide {
		f = quo
	}
	v, ok := f(q.value, o.value)
	if !ok {
		return quantity{}, false
	}
	switch {
	case o.plain():
		return quantity{v, q.unit, q.word}, true
	case divide && q.unit == o.unit && q.word == o.word:
		return newQuantity(v, "1"), true
	case q.plain() && !divide:
		return quantity{v, o.unit, o.word}, true
	}
	return q.inBase(o, divide)
}

// plain says whether the quantity is a number.
func (q quantity) plain() bool { return q.unit == "1" && !q.word }

// inBase multiplies or divides in base units.
func (q quantity) inBase(o quantity, divide bool) (quantity, bool) {
	a, okA := q.measure()
	b, okB := o.measure()
	if !okA || !okB || a.Special() || b.Special() {
		return quantity{}, false
	}
	x, codeA, _ := a.Base()
	y, codeB, _ := b.Base()
	x.Mul(x, toRat(q.value))
	y.Mul(y, toRat(o.value))
	op := "."
	if divide {
		op = "/"
		x.Quo(x, y) // not by zero: that was refused before
	} else {
		x.Mul(x, y)
	}
	u, err := ucum.Parse("(" + codeA + ")" + op + "(" + codeB + ")")
	if err != nil {
		return quantity{}, false
	}
	d, ok := fromRat(x)
	_, code, _ := u.Base()
	return newQuantity(d, code), ok
}
