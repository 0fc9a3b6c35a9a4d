package ucum

import (
	"bytes"
	"io"
	"math/big"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/outcome"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

// asciiReader serves the declaration encoding="ascii": ASCII is UTF-8 as it stands.
func asciiReader(_ string, r io.Reader) (io.Reader, error) { return r, nil }

// special is the pair of functions of a unit that is not on a ratio scale
// (UCUM §21): to gives the ratio-scale argument of a value, from the value.
type special struct {
	to, from func(*big.Rat) (*big.Rat, error)
}

// functionOf gives the function by its name in the tables; nil when it is none
// that a value can be turned by here (tangent, square root, homeopathic potencies).
func functionOf(name string) *special {
	switch name {
	case "Cel": // K = Cel + 273.15
		return shift(big.NewRat(27315, 100))
	case "degF": // in steps of 5/9 K: °F + 459.67
		return shift(big.NewRat(45967, 100))
	case "degRe": // in steps of 5/4 K: 273.15 × 4/5
		return shift(big.NewRat(27315*4, 500))
	case "pH": // −lg of the amount concentration
		return logarithm(big.NewRat(-1, 1), apd.New(10, 0))
	case "lg":
		return logarithm(big.NewRat(1, 1), apd.New(10, 0))
	case "lgTimes2":
		return logarithm(big.NewRat(2, 1), apd.New(10, 0))
	case "ld":
		return logarithm(big.NewRat(1, 1), apd.New(2, 0))
	case "ln":
		return logarithm(big.NewRat(1, 1), nil)
	}
	return nil
}

func shift(by *big.Rat) *special {
	return &special{
		to:   func(v *big.Rat) (*big.Rat, error) { return new(big.Rat).Add(v, by), nil },
		from: func(v *big.Rat) (*big.Rat, error) { return new(big.Rat).Sub(v, by), nil },
	}
}

// logs computes to 40 digits: far beyond what any instrument tells.
var logs = apd.Context{Precision: 40, MaxExponent: 1000, MinExponent: -1000, Rounding: apd.RoundHalfEven, Traps: apd.DefaultTraps}

func outOfRange(err error) error {
	return outcome.New(outcome.Value, "ucum.range",
		"Giá trị không đổi được sang đơn vị này.", "The value can't be converted to this unit.").Because(err)
}

// logarithm is v = times × log_base(x); base nil is e.
func logarithm(times *big.Rat, base *apd.Decimal) *special {
	return &special{
		to: func(v *big.Rat) (*big.Rat, error) { // x = base^(v/times)
			e, err := toDecimal(new(big.Rat).Quo(v, times))
			if err != nil {
				return nil, err
			}
			if e.Cmp(apd.New(300, 0)) > 0 || e.Cmp(apd.New(-300, 0)) < 0 {
				return nil, outOfRange(nil)
			}
			var out apd.Decimal
			if base == nil {
				_, err = logs.Exp(&out, e)
			} else {
				_, err = logs.Pow(&out, base, e)
			}
			if err != nil {
				return nil, outOfRange(err)
			}
			return rat(out.Text('e')), nil
		},
		from: func(v *big.Rat) (*big.Rat, error) {
			if v.Sign() <= 0 {
				return nil, outOfRange(nil)
			}
			x, err := toDecimal(v)
			if err != nil {
				return nil, err
			}
			var out, of apd.Decimal
			switch {
			case base == nil:
				_, err = logs.Ln(&out, x)
			case base.Cmp(apd.New(10, 0)) == 0:
				_, err = logs.Log10(&out, x)
			default:
				if _, err = logs.Ln(&out, x); err == nil {
					if _, err = logs.Ln(&of, base); err == nil {
						_, err = logs.Quo(&out, &out, &of)
					}
				}
			}
			if err != nil {
				return nil, outOfRange(err)
			}
			r := rat(out.Text('e'))
			return r.Mul(r, times), nil
		},
	}
}

func toDecimal(v *big.Rat) (*apd.Decimal, error) {
	var num, den, out apd.Decimal
	num.Coeff.SetMathBigInt(v.Num())
	den.Coeff.SetMathBigInt(v.Denom())
	if v.Sign() < 0 {
		num.Coeff.Abs(&num.Coeff)
		num.Negative = true
	}
	if _, err := logs.Quo(&out, &num, &den); err != nil {
		return nil, outOfRange(err)
	}
	return &out, nil
}
