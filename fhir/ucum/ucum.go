// Package ucum reads unit expressions of the Unified Code for Units of Measure
// ("mg/dL", "10*9/L", "mm[Hg]") and converts between them exactly: factors are
// rational numbers, never floats.
//
// The tables are the official ucum-essence.xml, embedded whole and unchanged
// as its licence asks (LICENSE.md beside it); nothing is derived from it.
//
// UCUM: Copyright 1999-2024 Regenstrief Institute, Inc. All rights reserved.
// Licensed under the UCUM License, Version 1.1, https://unitsofmeasure.org/license,
// on an "AS IS" basis, without warranties or conditions of any kind.
//
// Source: UCUM 2.2 (2024-06-17), the specification at https://ucum.org/ucum.
package ucum

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// Unit is a unit expression that was read. It is immutable and safe for
// concurrent use; get one from Parse.
type Unit struct {
	Code    string
	factor  *big.Rat // how many of its base units it is; of a special unit: of the argument of its function
	dims    []power  // base and arbitrary units, sorted by code, none with exponent 0
	special *special // nil for units on a ratio scale
	scale   *big.Rat // prefix of a special unit
}

// power is a base or arbitrary unit with its exponent.
type power struct {
	unit string
	exp  int
}

const (
	maxCode     = 200
	maxExponent = 300
	maxDepth    = 20
	maxBits     = 8000 // of a factor, so that "10*300.10*300…" can't grow without bound
)

func bad(code string) error {
	return outcome.New(outcome.Value, "ucum.code",
		"Đơn vị đo không đúng mã UCUM.", "The unit is not a code of UCUM.").Because(fmt.Errorf("%.60q", code))
}

// Parse reads a unit expression, case-sensitive (UCUM §3 "c/s").
func Parse(code string) (*Unit, error) {
	if code == "" || len(code) > maxCode {
		return nil, bad(code)
	}
	p := parser{src: code}
	u, ok := p.mainTerm()
	if !ok || p.at != len(code) {
		return nil, bad(code)
	}
	named := *u // the unit of a table is everybody's
	named.Code = code
	return &named, nil
}

// Comparable says whether the two units measure the same kind of thing (UCUM §19, commensurable).
func (u *Unit) Comparable(v *Unit) bool { return slices.Equal(u.dims, v.dims) }

// Special says whether the unit is not on a ratio scale: Cel, [degF], [pH] (UCUM §21).
func (u *Unit) Special() bool { return u.special != nil }

// Base gives the canonical form: the expression in base units and the factor
// to it; ok is false for special units, which have no factor.
func (u *Unit) Base() (factor *big.Rat, code string, ok bool) {
	return new(big.Rat).Set(u.factor), baseCode(u.dims), u.special == nil
}

func baseCode(dims []power) string {
	if len(dims) == 0 {
		return "1"
	}
	var b strings.Builder
	for i, d := range dims {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(d.unit)
		if d.exp != 1 {
			b.WriteString(strconv.Itoa(d.exp))
		}
	}
	return b.String()
}

// Convert turns a value in one unit into the other. outcome.Value when they
// measure different things. It is exact but for the units whose function is a logarithm.
func Convert(value *big.Rat, from, to *Unit) (*big.Rat, error) {
	if !from.Comparable(to) {
		return nil, outcome.New(outcome.Value, "ucum.incomparable",
			"Hai đơn vị đo không đổi qua lại được.", "The two units can't be converted into each other.")
	}
	v, err := from.toBase(value)
	if err != nil {
		return nil, err
	}
	return to.fromBase(v)
}

func (u *Unit) toBase(v *big.Rat) (*big.Rat, error) {
	if u.special == nil {
		return new(big.Rat).Mul(v, u.factor), nil
	}
	x, err := u.special.to(new(big.Rat).Mul(v, u.scale))
	if err != nil {
		return nil, err
	}
	return x.Mul(x, u.factor), nil
}

func (u *Unit) fromBase(v *big.Rat) (*big.Rat, error) {
	x := new(big.Rat).Quo(v, u.factor)
	if u.special == nil {
		return x, nil
	}
	x, err := u.special.from(x)
	if err != nil {
		return nil, err
	}
	return x.Quo(x, u.scale), nil
}

func one() *Unit { return &Unit{factor: big.NewRat(1, 1)} }

// times multiplies u by v^sign; ok is false when that has no meaning.
func (u *Unit) times(v *Unit, sign int) (*Unit, bool) {
	if u.special != nil || v.special != nil {
		return nil, false // UCUM §22: special units stand alone
	}
	out := &Unit{factor: new(big.Rat)}
	if sign < 0 {
		out.factor.Quo(u.factor, v.factor)
	} else {
		out.factor.Mul(u.factor, v.factor)
	}
	if out.factor.Num().BitLen()+out.factor.Denom().BitLen() > maxBits {
		return nil, false
	}
	out.dims = slices.Clone(u.dims)
	for _, d := range v.dims {
		out.dims = add(out.dims, d.unit, sign*d.exp)
	}
	return out, true
}

// raise gives u^n.
func (u *Unit) raise(n int) (*Unit, bool) {
	if n == 1 {
		return u, true
	}
	if u.special != nil || n > maxExponent || n < -maxExponent {
		return nil, false
	}
	m := max(n, -n)
	if (u.factor.Num().BitLen()+u.factor.Denom().BitLen())*m > maxBits {
		return nil, false
	}
	num := new(big.Int).Exp(u.factor.Num(), big.NewInt(int64(m)), nil)
	den := new(big.Int).Exp(u.factor.Denom(), big.NewInt(int64(m)), nil)
	if n < 0 {
		num, den = den, num
	}
	out := &Unit{factor: new(big.Rat).SetFrac(num, den)}
	for _, d := range u.dims {
		out.dims = add(out.dims, d.unit, d.exp*n)
	}
	return out, true
}

// add puts an exponent among sorted dimensions.
func add(dims []power, unit string, exp int) []power {
	i, found := slices.BinarySearchFunc(dims, unit, func(d power, u string) int { return cmp.Compare(d.unit, u) })
	switch {
	case !found && exp != 0:
		return slices.Insert(dims, i, power{unit, exp})
	case found:
		if dims[i].exp += exp; dims[i].exp == 0 {
			return slices.Delete(dims, i, i+1)
		}
	}
	return dims
}
