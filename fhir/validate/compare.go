package validate

import (
	"bytes"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/ucum"
)

// equal says whether two values are the same, whatever the order of their members (FHIR R4 elementdefinition.html, fixed[x]).
func equal(a, b r4.Node) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	switch a.Kind() {
	case r4.Map:
		n := 0
		for v := a.First(); v.Exists(); v = v.Next(a) {
			o := b.Get(string(v.Name()))
			if !o.Exists() || !equal(v, o) {
				return false
			}
			n++
		}
		for v := b.First(); v.Exists(); v = v.Next(b) {
			n--
		}
		return n == 0
	case r4.Array:
		x, y := a.First(), b.First()
		for ; x.Exists() && y.Exists(); x, y = x.Next(a), y.Next(b) {
			if !equal(x, y) {
				return false
			}
		}
		return x.Exists() == y.Exists()
	case r4.Number:
		return sameNumber(a, b)
	}
	return a.Text() == b.Text()
}

func sameNumber(a, b r4.Node) bool {
	if bytes.Equal(a.Raw(), b.Raw()) {
		return true
	}
	x, errX := decimal.Parse(a.Text())
	y, errY := decimal.Parse(b.Text())
	return errX == nil && errY == nil && x.Cmp(y) == 0
}

// matches says whether a value has all that a pattern has (FHIR R4 elementdefinition.html, pattern[x]).
func matches(v, pattern r4.Node) bool {
	switch pattern.Kind() {
	case r4.Map:
		if v.Kind() != r4.Map {
			return false
		}
		for p := pattern.First(); p.Exists(); p = p.Next(pattern) {
			if !matches(v.Get(string(p.Name())), p) {
				return false
			}
		}
		return true
	case r4.Array:
		if v.Kind() != r4.Array {
			return false
		}
		for p := range pattern.Elems() {
			found := false
			for x := range v.Elems() {
				found = found || matches(x, p)
			}
			if !found {
				return false
			}
		}
		return true
	}
	return equal(v, pattern)
}

// order compares a value with a bound: numbers, quantities of units that can
// be converted, dates to the precision that both have.
func order(e elem, bound r4.Node) (way int, known bool) {
	switch {
	case e.v.Kind() == r4.Map && bound.Kind() == r4.Map:
		return orderQuantities(e.v, bound)
	case e.v.Kind() == r4.Number && bound.Kind() == r4.Number:
		return orderNumbers(e.v.Text(), bound.Text())
	case e.v.Kind() == r4.String && bound.Kind() == r4.String:
		return orderTimes(e.v.Text(), bound.Text())
	}
	return 0, false
}

// order compares a value with a bound of a profile. A date with a duration as
// bound is held against so long before now, or after.
func (c *check) order(e elem, bound r4.Node, sign int) (way int, known bool) {
	if e.v.Kind() != r4.String || bound.Kind() != r4.Map {
		return order(e, bound)
	}
	n, err := strconv.Atoi(bound.Get("value").Text())
	if err != nil || n > 10_000 || n < -10_000 {
		return 0, false
	}
	now, n := c.now, n*sign
	switch bound.Get("code").Text() {
	case "a":
		now = now.AddDate(n, 0, 0)
	case "mo":
		now = now.AddDate(0, n, 0)
	case "wk":
		now = now.AddDate(0, 0, 7*n)
	case "d":
		now = now.AddDate(0, 0, n)
	default:
		return 0, false
	}
	return orderTimes(e.v.Text(), now.Format(time.RFC3339))
}

func orderNumbers(a, b string) (int, bool) {
	x, errX := decimal.Parse(a)
	y, errY := decimal.Parse(b)
	if errX != nil || errY != nil {
		return 0, false
	}
	return x.Cmp(y), true
}

const unitsOfMeasure = "http://unitsofmeasure.org"

func orderQuantities(a, b r4.Node) (int, bool) {
	codeA, codeB := a.Get("code").Text(), b.Get("code").Text()
	sysA, sysB := a.Get("system").Text(), b.Get("system").Text()
	if sysA != sysB || codeA == "" || codeB == "" {
		return 0, false
	}
	if codeA == codeB {
		return orderNumbers(a.Get("value").Text(), b.Get("value").Text())
	}
	if sysA != unitsOfMeasure {
		return 0, false
	}
	from, errA := ucum.Parse(codeA)
	to, errB := ucum.Parse(codeB)
	x, okX := rational(a.Get("value").Text())
	y, okY := rational(b.Get("value").Text())
	if errA != nil || errB != nil || !okX || !okY {
		return 0, false
	}
	converted, err := ucum.Convert(x, from, to)
	if err != nil {
		return 0, false
	}
	return converted.Cmp(y), true
}

// rational reads a decimal of bounded length and exponent.
func rational(s string) (*big.Rat, bool) {
	if _, err := decimal.Parse(s); err != nil {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

// orderTimes compares dates and times; of what one has not, the other's is not asked.
func orderTimes(a, b string) (int, bool) {
	if strings.Contains(a, "T") && strings.Contains(b, "T") {
		x, errX := time.Parse(time.RFC3339Nano, a)
		y, errY := time.Parse(time.RFC3339Nano, b)
		if errX == nil && errY == nil {
			return x.Compare(y), true
		}
	}
	dayA, _, _ := strings.Cut(a, "T")
	dayB, _, _ := strings.Cut(b, "T")
	n := min(len(dayA), len(dayB))
	return strings.Compare(dayA[:n], dayB[:n]), true
}
