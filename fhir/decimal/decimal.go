// Package decimal is the one exact decimal of ytso: it keeps the text it was
// read from ("1.00" stays "1.00") and computes without binary floats.
//
// Source: FHIR R4 datatypes.html#decimal (precision is significant);
// spec/qd3176/envelope.md §4 (money to the hundredth, half up).
package decimal

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// MaxText bounds the text of a decimal, so that "1e999999999" can't be used
// to allocate without bound.
const MaxText = 64

const maxExponent = 1000

// Decimal is an immutable exact decimal; the zero value is 0.
type Decimal struct {
	v    apd.Decimal
	text string
}

var exact = apd.Context{Precision: 200, MaxExponent: maxExponent, MinExponent: -maxExponent, Rounding: apd.RoundHalfUp, Traps: apd.DefaultTraps}

// Parse reads plain or scientific notation with a dot; no blanks, no thousands mark, no plus sign.
func Parse(s string) (Decimal, error) {
	if len(s) == 0 || len(s) > MaxText || !wellFormed(s) {
		return Decimal{}, fmt.Errorf("decimal: %.20q is not a decimal", s)
	}
	var d Decimal
	if _, _, err := exact.SetString(&d.v, s); err != nil {
		return Decimal{}, fmt.Errorf("decimal: %.20q: %w", s, err)
	}
	d.text = s
	return d, nil
}

func wellFormed(s string) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if s[0] == '-' {
		i++
	}
	if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

// MustParse is Parse for constants.
func MustParse(s string) Decimal {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// FromInt makes a whole number.
func FromInt(i int64) Decimal {
	var d Decimal
	d.v.SetInt64(i)
	return d
}

// String gives the text as read, or the shortest plain text of a computed value at its scale.
func (d Decimal) String() string {
	if d.text != "" {
		return d.text
	}
	return d.v.Text('f')
}

// Plain gives plain notation without exponent and without trailing zeros after the dot.
func (d Decimal) Plain() string {
	s := d.v.Text('f')
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

func op(f func(z, x, y *apd.Decimal) (apd.Condition, error), x, y Decimal) Decimal {
	var z Decimal
	// Operands are bounded by Parse, so the 200-digit context never rounds or overflows.
	if _, err := f(&z.v, &x.v, &y.v); err != nil {
		panic("decimal: " + err.Error())
	}
	return z
}

// Add returns d+e.
func (d Decimal) Add(e Decimal) Decimal { return op(exact.Add, d, e) }

// Sub returns d-e.
func (d Decimal) Sub(e Decimal) Decimal { return op(exact.Sub, d, e) }

// Mul returns d×e.
func (d Decimal) Mul(e Decimal) Decimal { return op(exact.Mul, d, e) }

// Div returns d/e to 40 digits, half up; dividing by zero gives an error.
func (d Decimal) Div(e Decimal) (Decimal, error) {
	if e.v.IsZero() {
		return Decimal{}, fmt.Errorf("decimal: division by zero")
	}
	ctx := exact
	ctx.Precision = 40
	var z Decimal
	_, err := ctx.Quo(&z.v, &d.v, &e.v)
	return z, err
}

// Percent returns d×rate/100, exactly.
func (d Decimal) Percent(rate Decimal) Decimal {
	z := d.Mul(rate)
	z.v.Exponent -= 2
	return z
}

// Round rounds half up (away from zero) to so many places after the dot.
func (d Decimal) Round(places int32) Decimal {
	var z Decimal
	if _, err := exact.Quantize(&z.v, &d.v, -places); err != nil {
		return d
	}
	return z
}

// Places is the number of digits after the dot, as written.
func (d Decimal) Places() int {
	if d.v.Exponent >= 0 {
		return 0
	}
	return int(-d.v.Exponent)
}

// Cmp compares values: -1, 0, 1. "1.0" and "1.00" are equal.
func (d Decimal) Cmp(e Decimal) int { return d.v.Cmp(&e.v) }

// Equal says whether the values are the same.
func (d Decimal) Equal(e Decimal) bool { return d.Cmp(e) == 0 }

// Sign is -1, 0 or 1.
func (d Decimal) Sign() int { return d.v.Sign() }

// IsInt says whether the value is whole.
func (d Decimal) IsInt() bool { return d.Round(0).Equal(d) }

// Abs returns |d|.
func (d Decimal) Abs() Decimal {
	if d.Sign() < 0 {
		return FromInt(0).Sub(d)
	}
	return d
}

// Float64 is the nearest float: for charts and index bounds only, never for money.
func (d Decimal) Float64() float64 {
	f, err := d.v.Float64()
	if err != nil {
		r, _ := new(big.Float).SetString(d.v.Text('e'))
		if r == nil {
			return 0
		}
		f, _ = r.Float64()
	}
	return f
}

// Int64 is the value as an integer; ok is false when it is not whole or too large.
func (d Decimal) Int64() (n int64, ok bool) {
	n, err := d.v.Int64()
	return n, err == nil
}
