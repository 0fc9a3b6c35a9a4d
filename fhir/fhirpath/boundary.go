package fhirpath

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// boundaries are the functions of 2.1 about precision, and about the parts of dates and times.
var boundaries = map[string]function{
	"lowBoundary":  {0, 1, boundary(false)},
	"highBoundary": {0, 1, boundary(true)},
	"precision":    {0, 0, precisionOf},
	"comparable":   {1, 1, comparable},

	"yearOf":           {0, 0, part(year, func(t time.Time) int { return t.Year() })},
	"monthOf":          {0, 0, part(month, func(t time.Time) int { return int(t.Month()) })},
	"dayOf":            {0, 0, part(day, func(t time.Time) int { return t.Day() })},
	"hourOf":           {0, 0, part(hour, func(t time.Time) int { return t.Hour() })},
	"minuteOf":         {0, 0, part(minute, func(t time.Time) int { return t.Minute() })},
	"secondOf":         {0, 0, part(second, func(t time.Time) int { return t.Second() })},
	"millisecondOf":    {0, 0, part(fraction, func(t time.Time) int { return t.Nanosecond() / 1e6 })},
	"timezoneOffsetOf": {0, 0, offsetOf},
	"dateOf":           {0, 0, dateOf},
	"timeOf":           {0, 0, timeOf},
}

// moment reads a collection as one date or time.
func (r *run) moment(in []Item, pos int) (moment, bool) {
	i, ok := r.single(in, pos)
	if !ok {
		return moment{}, false
	}
	m, ok := i.value().(moment)
	if !ok {
		r.mistyped(pos, "Date, DateTime, Time")
	}
	return m, ok
}

// part compiles a function that gives a part, where the moment has it.
func part(p precision, of func(time.Time) int) body {
	return func(r *run, c *call, _, in []Item) []Item {
		m, ok := r.moment(in, c.at)
		if !ok || m.to < p || m.kind == clock && p < hour {
			return nil
		}
		return integer(int64(of(m.t)))
	}
}

func offsetOf(r *run, c *call, _, in []Item) []Item {
	m, ok := r.moment(in, c.at)
	if !ok || !m.zone {
		return nil
	}
	_, seconds := m.t.Zone()
	hours, ok := quo(apd.New(int64(seconds), 0), apd.New(3600, 0))
	if !ok {
		return nil
	}
	return decimalItem(hours)
}

func dateOf(r *run, c *call, _, in []Item) []Item {
	m, ok := r.moment(in, c.at)
	if !ok || m.kind == clock {
		return nil
	}
	return []Item{{v: m.cut(min(m.to, day), date)}}
}

func timeOf(r *run, c *call, _, in []Item) []Item {
	m, ok := r.moment(in, c.at)
	if !ok || m.kind != dateTime || m.to < hour {
		return nil
	}
	t := m.t
	return []Item{{v: moment{kind: clock, to: m.to, frac: m.frac, t: time.Date(1, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)}}}
}

func boundary(high bool) body {
	return func(r *run, c *call, this, in []Item) []Item {
		i, ok := r.single(in, c.at)
		if !ok {
			return nil
		}
		places := int64(-1)
		if len(c.args) == 1 {
			if places, ok = c.number(r, this, 0); !ok || places < 0 {
				return nil
			}
		}
		switch v := i.value().(type) {
		case int64, *apd.Decimal:
			d, _ := asDecimal(v)
			if d = edge(d, places, high); d != nil {
				return decimalItem(d)
			}
		case quantity:
			if d := edge(v.value, places, high); d != nil {
				return []Item{{v: quantity{d, v.unit, v.word}}}
			}
		case moment:
			if m, ok := v.edge(places, high); ok {
				return []Item{{v: m}}
			}
		default:
			r.mistyped(c.at, "Decimal, Quantity, Date, DateTime, Time")
		}
		return nil
	}
}

// edge is the least or greatest number that, rounded, gives d; itself rounded
// outwards to so many places. A number that is less than a tenth of the last
// place has no digit there and counts as zero (the suite of R4:
// 0.0034.highBoundary(1) is 0.0).
func edge(d *apd.Decimal, places int64, high bool) *apd.Decimal {
	if places < 0 {
		places = 8
	}
	if places > maxPlaces {
		return nil
	}
	half := apd.New(5, min(d.Exponent, 0)-1)
	ctx := exact
	var z apd.Decimal
	var err error
	if high {
		ctx.Rounding = apd.RoundCeiling
		_, err = ctx.Add(&z, d, half)
	} else {
		ctx.Rounding = apd.RoundFloor
		_, err = ctx.Sub(&z, d, half)
	}
	if err != nil {
		return nil
	}
	if z.NumDigits()+int64(z.Exponent) < -places {
		z.Coeff.SetInt64(0)
	}
	if _, err = ctx.Quantize(&z, &z, -int32(places)); err != nil {
		return nil
	}
	return &z
}

// precisions gives the parts that a number of digits stands for.
var precisions = map[int64]precision{4: year, 6: month, 8: day, 10: hour, 12: minute, 14: second, 17: fraction}

// cut shortens a moment.
func (m moment) cut(to precision, kind momentKind) moment {
	m.kind, m.to = kind, to
	if to < hour {
		m.zone, m.utc = false, false
	}
	if to < fraction {
		m.frac = 0
	}
	y, mo, d := m.t.Date()
	parts := []int{y, int(mo), d, m.t.Hour(), m.t.Minute(), m.t.Second(), m.t.Nanosecond()}
	for k := int(to); k < len(parts); k++ {
		parts[k] = 0
		if k < 3 {
			parts[k] = 1
		}
	}
	m.t = time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], parts[6], m.t.Location())
	return m
}

// edge is the first or last moment for which m may stand. Without an offset it
// is the one furthest east, or west.
func (m moment) edge(places int64, high bool) (moment, bool) {
	to := fraction
	if m.kind == date {
		to = day
	}
	if places >= 0 {
		digits := places
		if m.kind == clock {
			digits += 8
		}
		var ok bool
		if to, ok = precisions[digits]; !ok || m.kind == date && to > day || m.kind == clock && to < hour {
			return moment{}, false
		}
	}
	if to <= m.to {
		if to == fraction { // milliseconds, whatever the digits given
			m.frac = 3
			return m, true
		}
		return m.cut(to, m.kind), true
	}
	out := m
	if _, end := m.span(); high && m.to < second {
		out.t = end.Add(-time.Millisecond)
	} else if high {
		out.t = m.t.Add(999 * time.Millisecond)
	}
	out.to, out.frac = fraction, 3
	if m.kind == dateTime && !m.zone && to >= hour {
		offset := 14 * 60
		if high {
			offset = 12 * 60
		}
		y, mo, d := out.t.Date()
		out.zone = true
		out.t = time.Date(y, mo, d, out.t.Hour(), out.t.Minute(), out.t.Second(), out.t.Nanosecond(), zoneOf(high, offset))
	}
	return out.cut(to, m.kind), true
}

// precisionOf counts digits.
func precisionOf(r *run, c *call, _, in []Item) []Item {
	i, ok := r.single(in, c.at)
	if !ok {
		return nil
	}
	switch v := i.value().(type) {
	case int64:
		return integer(0)
	case *apd.Decimal:
		return integer(int64(max(0, -v.Exponent)))
	case moment:
		for digits, p := range precisions {
			if p == v.to {
				if v.kind == clock {
					digits -= 8
				}
				return integer(digits)
			}
		}
	}
	r.mistyped(c.at, "Decimal, Date, DateTime, Time")
	return nil
}

// comparable says whether two quantities can be compared (FHIR R5 fhirpath.html, in the suite of R4 too).
func comparable(r *run, c *call, this, in []Item) []Item {
	a, okA := r.single(in, c.at)
	b, okB := r.single(c.args[0](r, this), c.node.args[0].at)
	if !okA || !okB {
		return nil
	}
	q, okQ := asQuantity(a.value())
	o, okO := asQuantity(b.value())
	if !okQ || !okO {
		r.mistyped(c.at, "Quantity")
		return nil
	}
	_, known := q.compare(o)
	return boolean(known)
}
