package fhirpath

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/ucum"
)

// conversions are the functions of N1 §5.5: toX() gives nothing where
// convertsToX() is false.
var conversions = func() map[string]function {
	out := map[string]function{}
	for name, f := range map[string]func(any) any{
		"Boolean": toBoolean, "Integer": toInteger, "Decimal": toDecimal, "Date": toDate, "DateTime": toDateTime, "Time": toTime, "String": toString,
	} {
		out["to"+name] = function{0, 0, convert(f, false)}
		out["convertsTo"+name] = function{0, 0, convert(f, true)}
	}
	out["toQuantity"] = function{0, 1, convertQuantity(false)}
	out["convertsToQuantity"] = function{0, 1, convertQuantity(true)}
	return out
}()

func convert(f func(any) any, ask bool) body {
	return func(r *run, c *call, _, in []Item) []Item {
		i, ok := r.single(in, c.at)
		if !ok {
			return nil
		}
		v := f(i.value())
		switch {
		case ask:
			return boolean(v != nil)
		case v == nil:
			return nil
		}
		return []Item{{v: v}}
	}
}

func toBoolean(v any) any {
	switch v := v.(type) {
	case bool:
		return v
	case int64:
		if v == 0 || v == 1 {
			return v == 1
		}
	case *apd.Decimal:
		if v.IsZero() || v.Cmp(apd.New(1, 0)) == 0 {
			return !v.IsZero()
		}
	case string:
		switch strings.ToLower(v) {
		case "true", "t", "yes", "y", "1", "1.0":
			return true
		case "false", "f", "no", "n", "0", "0.0":
			return false
		}
	}
	return nil
}

var (
	integerText  = regexp.MustCompile(`^[+-]?\d+$`)
	decimalText  = regexp.MustCompile(`^[+-]?\d+(\.\d+)?$`)
	quantityText = regexp.MustCompile(`^([+-]?\d+(?:\.\d+)?)\s*(?:'((?:[^'\\]|\\.)+)'|([a-zA-Z]+))?$`)
)

func toInteger(v any) any {
	switch v := v.(type) {
	case int64:
		return v
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case string:
		if n, err := strconv.ParseInt(v, 10, 32); err == nil && integerText.MatchString(v) {
			return n
		}
	}
	return nil
}

func toDecimal(v any) any {
	switch v := v.(type) {
	case int64, bool:
		d, _ := asDecimal(toInteger(v))
		return d
	case *apd.Decimal:
		return v
	case string:
		if d, ok := parseDecimal(v); ok && decimalText.MatchString(v) {
			return d
		}
	}
	return nil
}

func toDate(v any) any {
	switch v := v.(type) {
	case moment:
		if v.kind == clock {
			return nil
		}
		return v.cut(min(v.to, day), date)
	case string:
		if m, ok := parseMoment(v, false); ok && m.kind != clock {
			return m.cut(min(m.to, day), date)
		}
	}
	return nil
}

func toDateTime(v any) any {
	switch v := v.(type) {
	case moment:
		if v.kind == clock {
			return nil
		}
		v.kind = dateTime
		return v
	case string:
		if m, ok := parseMoment(v, false); ok && m.kind != clock {
			m.kind = dateTime
			return m
		}
	}
	return nil
}

func toTime(v any) any {
	switch v := v.(type) {
	case moment:
		if v.kind == clock {
			return v
		}
	case string:
		if m, ok := parseMoment("T"+strings.TrimPrefix(v, "T"), false); ok && m.kind == clock {
			return m
		}
	}
	return nil
}

func toString(v any) any {
	if v == nil {
		return nil
	}
	if _, ok := v.(typeInfo); ok {
		return nil
	}
	return Item{v: v}.Text()
}

func toQuantity(v any) any {
	switch v := v.(type) {
	case bool:
		d, _ := asDecimal(toInteger(v))
		return newQuantity(d, "1")
	case string:
		return quantityFrom(v)
	}
	if q, ok := asQuantity(v); ok {
		return q
	}
	return nil
}

// quantityFrom reads "1 'wk'", "1 day" or "1.5" (N1 §5.5.8).
func quantityFrom(s string) any {
	m := quantityText.FindStringSubmatch(s)
	if m == nil {
		return nil
	}
	d, ok := parseDecimal(m[1])
	switch {
	case !ok:
		return nil
	case m[2] != "":
		return newQuantity(d, strings.ReplaceAll(m[2], `\'`, "'"))
	case m[3] == "":
		return newQuantity(d, "1")
	case calendar[m[3]] != "":
		return quantity{d, calendar[m[3]], true}
	}
	return nil
}

// convertQuantity takes the unit into which the quantity is to be converted.
func convertQuantity(ask bool) body {
	return func(r *run, c *call, this, in []Item) []Item {
		i, ok := r.single(in, c.at)
		if !ok {
			return nil
		}
		v := toQuantity(i.value())
		if q, ok := v.(quantity); ok && len(c.args) == 1 {
			unit, given := c.text(r, this, 0)
			if !given {
				return nil
			}
			v = q.into(unit)
		}
		switch {
		case ask:
			return boolean(v != nil)
		case v == nil:
			return nil
		}
		return []Item{{v: v}}
	}
}

func (q quantity) into(unit string) any {
	to := newQuantity(q.value, unit)
	if calendar[unit] != "" {
		to = quantity{q.value, calendar[unit], true}
	}
	if to.unit == q.unit && to.word == q.word {
		return q
	}
	a, b, ok := q.both(to)
	if !ok {
		return nil
	}
	v, err := ucum.Convert(toRat(q.value), a, b)
	if err != nil {
		return nil
	}
	d, ok := fromRat(v)
	if !ok {
		return nil
	}
	return quantity{d, to.unit, to.word}
}
