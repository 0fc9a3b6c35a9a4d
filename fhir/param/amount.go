package param

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/ucum"
)

const (
	ucumSystem = "http://unitsofmeasure.org"
	maxPower   = 400 // of ten, of numbers that are searched by and of those that are converted
	maxUnits   = 5000
)

// point is a number of a resource: it stands for itself (FHIR R4 search.html#number).
func point(d decimal.Decimal) Value { return Value{Num: d, NumLo: d, NumHi: d} }

func numbers(i fhirpath.Item) []Value {
	if i.Node.Kind() == r4.Map {
		return ranged(i.Node, func(r4.Node) string { return "" })
	}
	d, err := decimal.Parse(i.Text())
	if err != nil {
		return nil
	}
	return []Value{point(d)}
}

// ranged reads a Range; what has no end is open there.
func ranged(n r4.Node, code func(r4.Node) string) []Value {
	low, errLow := decimal.Parse(n.Get("low").Get("value").Text())
	high, errHigh := decimal.Parse(n.Get("high").Get("value").Text())
	unit := n.Get("low")
	v := Value{Num: low, NumLo: low, NumHi: high}
	switch {
	case errLow != nil && errHigh != nil:
		return nil
	case errHigh != nil:
		v.NumHi, v.OpenHi = low, true
	case errLow != nil:
		v.Num, v.NumLo, v.OpenLo = high, high, true
		unit = n.Get("high")
	case code(n.Get("low")) != code(n.Get("high")): // two units: no range that can be compared
		return nil
	}
	v.System, v.Code, v.Text = unit.Get("system").Text(), code(unit), unit.Get("unit").Text()
	return []Value{v}
}

func (r *Registry) quantities(i fhirpath.Item) (out []Value) {
	n := i.Node
	code := func(q r4.Node) string { return q.Get("code").Text() }
	switch typeOf(i) {
	case "Range":
		out = ranged(n, code)
	case "Money":
		if d, err := decimal.Parse(n.Get("value").Text()); err == nil {
			v := point(d)
			v.Code = n.Get("currency").Text()
			return []Value{v}
		}
	default:
		if d, err := decimal.Parse(n.Get("value").Text()); err == nil {
			v := point(d)
			v.System, v.Code, v.Text = n.Get("system").Text(), code(n), n.Get("unit").Text()
			out = []Value{v}
		}
	}
	for k := range out {
		out[k].Base = r.base(out[k])
	}
	return out
}

// unit is a UCUM unit with its base; nil ones can't be converted.
type unit struct {
	from, base *ucum.Unit
	factor     decimal.Decimal // where exact says that a decimal number is the whole factor
	exact      bool
}

func (r *Registry) unit(code string) *unit {
	if u, ok := r.units.Load(code); ok {
		return u.(*unit)
	}
	var made *unit
	if u, err := ucum.Parse(code); err == nil {
		_, base, _ := u.Base()
		// of the special units those of temperature are converted exactly; the others have logarithms
		if b, err := ucum.Parse(base); err == nil && base != code && (!u.Special() || base == "K") {
			made = &unit{from: u, base: b}
			if f, _, ratio := u.Base(); ratio {
				d, ok := fromRat(f)
				back, read := new(big.Rat).SetString(d.String())
				made.factor, made.exact = d, ok && read && back.Cmp(f) == 0
			}
		}
	}
	if r.known.Add(1) <= maxUnits { // codes come from outside: a bound for what is kept
		r.units.Store(code, made)
	}
	return made
}

// base turns a quantity with a UCUM code into base units (search.html#quantity).
func (r *Registry) base(v Value) *Amount {
	if v.System != ucumSystem || v.Code == "" {
		return nil
	}
	u := r.unit(v.Code)
	if u == nil {
		return nil
	}
	out := &Amount{Code: u.base.Code}
	var ok [3]bool
	out.Num, ok[0] = u.convert(v.Num)
	out.Lo, ok[1] = out.Num, true
	out.Hi, ok[2] = out.Num, true
	if !v.NumLo.Equal(v.Num) {
		out.Lo, ok[1] = u.convert(v.NumLo)
	}
	if !v.NumHi.Equal(v.Num) {
		out.Hi, ok[2] = u.convert(v.NumHi)
	}
	if ok != [3]bool{true, true, true} {
		return nil
	}
	return out
}

func (u *unit) convert(d decimal.Decimal) (decimal.Decimal, bool) {
	if !tame(d) {
		return d, false
	}
	if u.exact {
		return d.Mul(u.factor), true
	}
	x, ok := new(big.Rat).SetString(d.String())
	if !ok {
		return d, false
	}
	x, err := ucum.Convert(x, u.from, u.base)
	if err != nil {
		return d, false
	}
	return fromRat(x)
}

// tame says whether a number is of a size that can be computed with.
func tame(d decimal.Decimal) bool {
	s := d.String()
	_, exp, found := strings.Cut(strings.ToLower(s), "e")
	if !found {
		return len(s) <= decimal.MaxText
	}
	n, err := strconv.Atoi(strings.TrimPrefix(exp, "+"))
	return err == nil && n <= maxPower && n >= -maxPower
}

// digits that a converted value keeps: what ends sooner is exact.
const digits = 40

// fromRat writes a rational number with so many significant digits.
func fromRat(x *big.Rat) (decimal.Decimal, bool) {
	if x.Sign() == 0 {
		return decimal.FromInt(0), true
	}
	// the power of ten of the first digit, or one more
	size := (x.Num().BitLen() - x.Denom().BitLen()) * 30103 / 100000
	shift := digits - size
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	y := new(big.Rat).SetInt(ten)
	if shift < 0 {
		y.Inv(y)
	}
	whole := y.Mul(x, y).FloatString(0)
	text := strings.TrimRight(whole, "0")
	exp := len(whole) - len(text) - shift
	if text == "" || text == "-" {
		return decimal.FromInt(0), true
	}
	d, err := decimal.Parse(text + "E" + strconv.Itoa(exp))
	return d, err == nil
}

// asked is a number of a query with the range that its precision stands for
// (search.html#number): 100 is 99.5 to 100.5, 2.0 is 1.95 to 2.05. Of a power of
// ten at least two digits are taken as meant, which makes 1e2 the specification's 95 to 105.
// ok is false for what is no number, or of no sensible size.
func asked(s string) (v Value, ok bool) {
	d, err := decimal.Parse(s)
	if err != nil || !tame(d) {
		return v, false
	}
	mantissa, exp, _ := strings.Cut(strings.ToLower(s), "e")
	power, _ := strconv.Atoi(strings.TrimPrefix(exp, "+")) // tame has read it; none is 0
	whole, frac, _ := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	last := power - len(frac) // place of the last digit
	if power > 0 && len(strings.TrimLeft(whole+frac, "0")) < 2 {
		last--
	}
	half := decimal.MustParse("5E" + strconv.Itoa(last-1))
	return Value{Num: d, NumLo: d.Sub(half), NumHi: d.Add(half)}, true
}

// near widens the range of a number to a tenth of it on both sides ("ap", search.html#prefix).
func near(v *Value) {
	tenth := v.Num.Abs().Mul(decimal.MustParse("0.1"))
	if lo := v.Num.Sub(tenth); lo.Cmp(v.NumLo) < 0 {
		v.NumLo = lo
	}
	if hi := v.Num.Add(tenth); hi.Cmp(v.NumHi) > 0 {
		v.NumHi = hi
	}
}
