package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// numbers are the functions of N1 §5.7.
var numbers = map[string]function{
	"abs":      {0, 0, abs},
	"ceiling":  {0, 0, toWhole(exact.Ceil)},
	"floor":    {0, 0, toWhole(exact.Floor)},
	"truncate": {0, 0, toWhole(func(z, x *apd.Decimal) (apd.Condition, error) { x.Modf(z, nil); return 0, nil })},
	"round":    {0, 1, round},
	"exp":      {0, 0, maths(exp)},
	"ln":       {0, 0, maths(ln)},
	"sqrt":     {0, 0, maths(sqrt)},
	"log":      {1, 1, maths2(logBase)},
	"power":    {1, 1, raise},
}

// decimal reads a collection as one number.
func (r *run) decimal(in []Item, pos int) (*apd.Decimal, bool) {
	i, ok := r.single(in, pos)
	if !ok {
		return nil, false
	}
	d, ok := asDecimal(i.value())
	if !ok {
		r.mistyped(pos, "Integer, Decimal")
	}
	return d, ok
}

func abs(r *run, c *call, _, in []Item) []Item {
	i, ok := r.single(in, c.at)
	if !ok {
		return nil
	}
	switch v := i.value().(type) {
	case int64:
		return fits(max(v, -v))
	case *apd.Decimal:
		var z apd.Decimal
		return decimalItem(z.Abs(v))
	case quantity:
		var z apd.Decimal
		return []Item{{v: quantity{z.Abs(v.value), v.unit, v.word}}}
	}
	r.mistyped(c.at, "Integer, Decimal, Quantity")
	return nil
}

func toWhole(f func(z, x *apd.Decimal) (apd.Condition, error)) body {
	return func(r *run, c *call, _, in []Item) []Item {
		d, ok := r.decimal(in, c.at)
		if !ok {
			return nil
		}
		var z apd.Decimal
		if _, err := f(&z, d); err != nil {
			return nil
		}
		n, err := z.Int64()
		if err != nil {
			return nil
		}
		return fits(n)
	}
}

func round(r *run, c *call, this, in []Item) []Item {
	d, ok := r.decimal(in, c.at)
	if !ok {
		return nil
	}
	places := int64(0)
	if len(c.args) == 1 {
		if places, ok = c.number(r, this, 0); !ok {
			return nil
		}
		if places < 0 {
			r.mistyped(c.node.args[0].at, "Integer ≥ 0")
			return nil
		}
	}
	if places >= -int64(d.Exponent) {
		return decimalItem(d)
	}
	return decimalItem(roundTo(d, int32(places)))
}

// maths compiles a function that may have no value (ok false: nothing).
func maths(f func(*apd.Decimal) (*apd.Decimal, bool)) body {
	return func(r *run, c *call, _, in []Item) []Item {
		d, ok := r.decimal(in, c.at)
		if !ok || !r.tick(1000) {
			return nil
		}
		out, ok := f(d)
		if !ok {
			return nil
		}
		return decimalItem(out)
	}
}

func maths2(f func(x, y *apd.Decimal) (*apd.Decimal, bool)) body {
	return func(r *run, c *call, this, in []Item) []Item {
		d, ok := r.decimal(in, c.at)
		e, okE := r.decimal(c.args[0](r, this), c.node.args[0].at)
		if !ok || !okE || !r.tick(1000) {
			return nil
		}
		out, ok := f(d, e)
		if !ok {
			return nil
		}
		return decimalItem(out)
	}
}

func exp(d *apd.Decimal) (*apd.Decimal, bool) {
	if d.Cmp(apd.New(800, 0)) > 0 || d.Cmp(apd.New(-800, 0)) < 0 {
		return nil, false
	}
	var z apd.Decimal
	_, err := inner.Exp(&z, d)
	return settle(&z), err == nil
}

func ln(d *apd.Decimal) (*apd.Decimal, bool) {
	if d.Sign() <= 0 {
		return nil, false
	}
	var z apd.Decimal
	_, err := inner.Ln(&z, d)
	return settle(&z), err == nil
}

func sqrt(d *apd.Decimal) (*apd.Decimal, bool) {
	if d.Sign() < 0 {
		return nil, false
	}
	var z apd.Decimal
	_, err := inner.Sqrt(&z, d)
	return settle(&z), err == nil
}

func logBase(d, base *apd.Decimal) (*apd.Decimal, bool) {
	if d.Sign() <= 0 || base.Sign() <= 0 || base.Cmp(apd.New(1, 0)) == 0 {
		return nil, false
	}
	var x, y, z apd.Decimal
	if _, err := inner.Ln(&x, d); err != nil {
		return nil, false
	}
	if _, err := inner.Ln(&y, base); err != nil {
		return nil, false
	}
	_, err := inner.Quo(&z, &x, &y)
	return settle(&z), err == nil
}

// raise gives an Integer for Integers whose power is one (N1 §5.7.8).
func raise(r *run, c *call, this, in []Item) []Item {
	x, okX := r.single(in, c.at)
	y, okY := r.single(c.args[0](r, this), c.node.args[0].at)
	if !okX || !okY || !r.tick(1000) {
		return nil
	}
	base, okB := asDecimal(x.value())
	e, okE := asDecimal(y.value())
	if !okB || !okE {
		r.mistyped(c.at, "Integer, Decimal")
		return nil
	}
	out, ok := pow(base, e)
	if !ok {
		return nil
	}
	_, whole := x.value().(int64)
	if _, ok := y.value().(int64); ok && whole && e.Sign() >= 0 {
		n, err := out.Int64()
		if err != nil {
			return nil
		}
		return fits(n)
	}
	return decimalItem(out)
}

func pow(base, e *apd.Decimal) (*apd.Decimal, bool) {
	var whole, frac, z apd.Decimal
	e.Modf(&whole, &frac)
	if base.Sign() < 0 && !frac.IsZero() || base.IsZero() && e.Sign() < 0 || e.Cmp(apd.New(1000, 0)) > 0 || e.Cmp(apd.New(-1000, 0)) < 0 {
		return nil, false
	}
	if base.IsZero() && e.IsZero() {
		return apd.New(1, 0), true
	}
	if n, err := whole.Int64(); err == nil && frac.IsZero() && n >= 0 { // exact
		z.Set(apd.New(1, 0))
		for range n {
			if _, err := exact.Mul(&z, &z, base); err != nil {
				return nil, false
			}
		}
		return &z, true
	}
	_, err := inner.Pow(&z, base, e)
	return settle(&z), err == nil
}
