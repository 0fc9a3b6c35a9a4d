package fhirpath

import (
	"math/big"

	"github.com/cockroachdb/apd/v3"
)

const (
	maxInteger = 1<<31 - 1 // N1 §2.1.3
	minInteger = -1 << 31
	maxDigits  = 100
	maxPlaces  = 28 // N1 §2.1.4 asks for 28 digits at least
)

// exact is the arithmetic of decimals: far more digits than N1 asks for, so
// sums and products are exact in practice; quotients are given to 28 digits.
var (
	exact    = apd.Context{Precision: 100, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfUp, Traps: apd.DefaultTraps &^ apd.Subnormal}
	division = apd.Context{Precision: maxPlaces, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfUp, Traps: apd.DefaultTraps &^ apd.Subnormal}
	inner    = apd.Context{Precision: maxPlaces + 12, MaxExponent: 400, MinExponent: -400, Rounding: apd.RoundHalfEven, Traps: apd.DefaultTraps &^ apd.Subnormal}
)

func mul(x, y *apd.Decimal) (*apd.Decimal, bool) {
	var z apd.Decimal
	_, err := exact.Mul(&z, x, y)
	return &z, err == nil
}

// quo divides; ok is false for a division by zero.
func quo(x, y *apd.Decimal) (*apd.Decimal, bool) {
	if y.IsZero() {
		return nil, false
	}
	var z apd.Decimal
	if _, err := division.Quo(&z, x, y); err != nil {
		return nil, false
	}
	z.Reduce(&z)
	return plain(&z), true
}

// plain takes a positive exponent out: 1E+1 becomes 10.
func plain(d *apd.Decimal) *apd.Decimal {
	if d.Exponent > 0 {
		var z apd.Decimal
		if _, err := exact.Quantize(&z, d, 0); err == nil {
			return &z
		}
	}
	return d
}

// settle turns what a transcendental function gave into an answer of 28 digits.
func settle(d *apd.Decimal) *apd.Decimal {
	var z apd.Decimal
	if _, err := division.Round(&z, d); err != nil {
		return d
	}
	z.Reduce(&z)
	return plain(&z)
}

func toRat(d *apd.Decimal) *big.Rat {
	r := new(big.Rat).SetInt(d.Coeff.MathBigInt())
	if d.Negative {
		r.Neg(r)
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.Exponent, -d.Exponent))), nil)
	if d.Exponent < 0 {
		return r.Quo(r, new(big.Rat).SetInt(ten))
	}
	return r.Mul(r, new(big.Rat).SetInt(ten))
}

func fromRat(r *big.Rat) (*apd.Decimal, bool) {
	var num, den apd.Decimal
	num.Coeff.SetMathBigInt(new(big.Int).Abs(r.Num()))
	num.Negative = r.Sign() < 0
	den.Coeff.SetMathBigInt(r.Denom())
	return quo(&num, &den)
}

// placesOf counts digits behind the dot, trailing zeros not counted (N1 §6.1.2).
func placesOf(d *apd.Decimal) int32 {
	var z apd.Decimal
	z.Reduce(d)
	return max(0, -z.Exponent)
}

// roundTo rounds half away from zero.
func roundTo(d *apd.Decimal, places int32) *apd.Decimal {
	var z apd.Decimal
	if _, err := exact.Quantize(&z, d, -places); err != nil {
		return d
	}
	return &z
}

// near is the equivalence of decimals: equal when rounded to the less precise (N1 §6.1.2).
func near(x, y *apd.Decimal) bool {
	places := min(placesOf(x), placesOf(y))
	return roundTo(x, places).Cmp(roundTo(y, places)) == 0
}

// asDecimal converts an Integer.
func asDecimal(v any) (*apd.Decimal, bool) {
	switch v := v.(type) {
	case int64:
		return apd.New(v, 0), true
	case *apd.Decimal:
		return v, true
	}
	return nil, false
}

// fits gives an Integer, or nothing when it is out of range (N1 §6.6).
func fits(n int64) []Item {
	if n > maxInteger || n < minInteger {
		return nil
	}
	return integer(n)
}

func decimalItem(d *apd.Decimal) []Item { return []Item{{v: d}} }

// arithmetic computes x op y for two numbers (N1 §6.6).
func arithmetic(op string, x, y any) []Item {
	a, aInt := x.(int64)
	b, bInt := y.(int64)
	if aInt && bInt && op != "/" {
		return whole(op, a, b)
	}
	d, _ := asDecimal(x)
	e, _ := asDecimal(y)
	var z apd.Decimal
	var err error
	switch op {
	case "+":
		_, err = exact.Add(&z, d, e)
	case "-":
		_, err = exact.Sub(&z, d, e)
	case "*":
		_, err = exact.Mul(&z, d, e)
	case "/":
		q, ok := quo(d, e)
		if !ok {
			return nil
		}
		return decimalItem(q)
	case "div":
		if e.IsZero() {
			return nil
		}
		if _, err = exact.QuoInteger(&z, d, e); err == nil {
			n, err := z.Int64()
			if err != nil {
				return nil
			}
			return fits(n)
		}
	case "mod":
		if e.IsZero() {
			return nil
		}
		_, err = exact.Rem(&z, d, e)
	}
	if err != nil {
		return nil
	}
	return decimalItem(&z)
}

// whole computes with Integers. They are below 2^53 in amount, so nothing here overflows: a node's integer may have 19 digits, hence the bound.
func whole(op string, a, b int64) []Item {
	const most = 1 << 31
	if a > most || a < -most || b > most || b < -most {
		return nil
	}
	switch op {
	case "+":
		return fits(a + b)
	case "-":
		return fits(a - b)
	case "*":
		return fits(a * b)
	case "div":
		if b != 0 {
			return fits(a / b)
		}
	case "mod":
		if b != 0 {
			return fits(a % b)
		}
	}
	return nil
}
