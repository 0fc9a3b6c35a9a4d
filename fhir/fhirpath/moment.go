package fhirpath

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
)

type momentKind uint8

const (
	date momentKind = iota
	dateTime
	clock
)

// precision counts the parts that are given.
type precision uint8

const (
	year precision = iota + 1
	month
	day
	hour
	minute
	second
	fraction
)

// moment is a Date, DateTime or Time, to the precision in which it was given (N1 §2.1.5–7).
type moment struct {
	kind momentKind
	to   precision
	t    time.Time // of a Time: on 0001-01-01; parts that are not given are at their least
	zone bool      // the offset is given; t is in it
	utc  bool      // the offset is written Z
	frac int       // digits of the fraction
}

// parseMoment reads "2014-01-01", "2014T", "2014-01-01T08:05+08:00" or "T10:30".
// A literal without a T is a Date; with one that nothing follows it is a DateTime.
func parseMoment(s string, isLiteral bool) (moment, bool) {
	day, rest, hasT := strings.Cut(s, "T")
	m := moment{kind: date}
	parts := [6]int{1, 1, 1}
	switch {
	case hasT && day == "":
		m.kind = clock
	case hasT:
		m.kind = dateTime
	}
	if m.kind != clock && !m.day(day, &parts) {
		return moment{}, false
	}
	if hasT && rest == "" && (!isLiteral || m.kind == clock) {
		return moment{}, false
	}
	nanos := 0
	loc := time.UTC
	if rest != "" {
		var ok bool
		if rest, loc, ok = m.offset(rest); !ok || m.kind == dateTime && m.to != 3 {
			return moment{}, false
		}
		if nanos, ok = m.hours(rest, &parts); !ok {
			return moment{}, false
		}
	}
	m.t = time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], nanos, loc)
	return m, m.t.Year() == parts[0] && int(m.t.Month()) == parts[1] && m.t.Day() == parts[2]
}

func (m *moment) day(s string, parts *[6]int) bool {
	for i, p := range strings.Split(s, "-") {
		want := 2
		if i == 0 {
			want = 4
		}
		n, ok := digitsOf(p, want)
		if !ok || i > 2 || n == 0 || i == 1 && n > 12 || i == 2 && n > 31 {
			return false
		}
		parts[i] = n
		m.to++
	}
	return true
}

// offset takes the time zone off the end.
func (m *moment) offset(s string) (string, *time.Location, bool) {
	i := strings.IndexAny(s, "Z+-")
	if i < 0 {
		return s, time.UTC, true
	}
	rest, zone := s[:i], s[i:]
	if m.kind == clock {
		return "", nil, false
	}
	m.zone = true
	if zone == "Z" {
		m.utc = true
		return rest, time.UTC, true
	}
	h, ok := digitsOf(zone[1:min(3, len(zone))], 2)
	if !ok || len(zone) != 6 || zone[3] != ':' {
		return "", nil, false
	}
	mi, ok := digitsOf(zone[4:], 2)
	if !ok || h > 14 || mi > 59 {
		return "", nil, false
	}
	return rest, zoneOf(zone[0] == '-', h*60+mi), true
}

func zoneOf(west bool, minutes int) *time.Location {
	if west {
		minutes = -minutes
	}
	return time.FixedZone("", minutes*60)
}

func (m *moment) hours(s string, parts *[6]int) (nanos int, ok bool) {
	s, frac, dot := strings.Cut(s, ".")
	m.to = day
	for i, p := range strings.Split(s, ":") {
		n, ok := digitsOf(p, 2)
		if !ok || i > 2 || i == 0 && n > 23 || n > 59 {
			return 0, false
		}
		parts[3+i] = n
		m.to++
	}
	if !dot {
		return 0, true
	}
	if m.to != second || frac == "" || len(frac) > 20 {
		return 0, false
	}
	for _, c := range []byte(frac) {
		if !digit(c) {
			return 0, false
		}
	}
	m.to, m.frac = fraction, min(len(frac), 9)
	nanos, err := strconv.Atoi((frac + "000000000")[:9])
	return nanos, err == nil
}

func digitsOf(s string, want int) (int, bool) {
	if len(s) != want {
		return 0, false
	}
	n := 0
	for _, c := range []byte(s) {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// String writes the moment without the marks of a literal.
func (m moment) String() string {
	var b strings.Builder
	if m.kind != clock {
		b.WriteString(m.t.Format([...]string{"", "2006", "2006-01", "2006-01-02", "2006-01-02", "2006-01-02", "2006-01-02", "2006-01-02"}[m.to]))
		if m.to < hour {
			return b.String()
		}
		b.WriteByte('T')
	}
	b.WriteString(m.t.Format([...]string{"", "", "", "", "15", "15:04", "15:04:05", "15:04:05"}[m.to]))
	if m.to == fraction {
		b.WriteString(fmt.Sprintf(".%09d", m.t.Nanosecond())[:1+m.frac])
	}
	switch {
	case m.utc:
		b.WriteByte('Z')
	case m.zone:
		b.WriteString(m.t.Format("-07:00"))
	}
	return b.String()
}

// span is the time for which a moment may stand: from its start up to, but
// without, end. Seconds and their fraction are one precision (N1 §6.2).
func (m moment) span() (from, end time.Time) {
	from = m.t
	switch m.to {
	case year:
		end = from.AddDate(1, 0, 0)
	case month:
		end = from.AddDate(0, 1, 0)
	case day:
		end = from.AddDate(0, 0, 1)
	case hour:
		end = from.Add(time.Hour)
	case minute:
		end = from.Add(time.Minute)
	default:
		end = from.Add(1)
	}
	return from, end
}

// compare orders two moments; known is false when their precision, or an
// offset that only one of them has, leaves it open (N1 §6.2).
func (m moment) compare(o moment) (order int, known bool) {
	switch {
	case m.zone != o.zone:
		return m.apart(o)
	case m.to == o.to || m.to >= second && o.to >= second:
		return m.t.Compare(o.t), true
	}
	a, b := m, o
	if m.zone { // compared part by part in one zone
		a.t, b.t = m.t.UTC(), o.t.UTC()
	}
	return compareParts(a, b)
}

// compareParts goes from the year down to the first part that one of them lacks.
func compareParts(a, b moment) (int, bool) {
	x, y := a.parts(), b.parts()
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			if x[i] < y[i] {
				return -1, true
			}
			return 1, true
		}
	}
	return 0, len(x) == len(y)
}

// parts lists what is given, seconds with their fraction as one.
func (m moment) parts() []int64 {
	all := []int64{int64(m.t.Year()), int64(m.t.Month()), int64(m.t.Day()), int64(m.t.Hour()), int64(m.t.Minute()), int64(m.t.Second())*1e9 + int64(m.t.Nanosecond())}
	return all[:min(m.to, second)]
}

// apart decides where only one has an offset: no offset is further from UTC than 14 hours.
func (m moment) apart(o moment) (int, bool) {
	from, end := m.span()
	ofrom, oend := o.span()
	const most = 14 * time.Hour
	if m.zone {
		ofrom, oend = ofrom.Add(-most), oend.Add(most)
	} else {
		from, end = from.Add(-most), end.Add(most)
	}
	switch {
	case !end.After(ofrom):
		return -1, true
	case !oend.After(from):
		return 1, true
	}
	return 0, false
}

// add adds a quantity of time (N1 §6.6.7); ok is false when the unit is none
// of time, or has no fixed meaning here, known when the result is out of range.
func (m moment) add(q quantity, sign int) (out moment, ok, inRange bool) {
	unit, ok := timeUnit(q)
	coarse := unit < hour || unit == week
	if !ok || m.kind == clock && coarse || m.kind == date && !coarse {
		return moment{}, false, false
	}
	n, frac, fits := wholePart(q.value)
	if !fits {
		return moment{}, true, false
	}
	if unit == week {
		n, unit = n*7, day
	}
	least := m.to
	if m.kind == clock {
		least = max(least, hour)
	}
	// A unit finer than what is given is turned into the finest that is given, whole steps only.
	for unit > least && (unit != fraction || least != second) {
		if frac = 0; unit == day && least == year {
			n, unit = n/365, year
			break
		}
		n /= [...]int64{0, 0, 12, 30, 24, 60, 60, 1000}[unit]
		unit--
	}
	if unit != second {
		frac = 0
	}
	out = m
	if out.t, ok = advance(m.t, unit, n*int64(sign)); !ok {
		return moment{}, true, false
	}
	out.t = out.t.Add(time.Duration(frac / 1e6 * 1e6 * int64(sign))) // whole milliseconds, the finest that N1 has
	if m.kind == clock {
		out.t = time.Date(1, 1, 1, out.t.Hour(), out.t.Minute(), out.t.Second(), out.t.Nanosecond(), time.UTC)
	}
	if out.to >= second && out.t.Nanosecond() != 0 && out.t.Nanosecond()%1e6 == 0 && out.frac < 3 {
		out.to, out.frac = fraction, 3
	}
	return out, true, out.t.Year() >= 1 && out.t.Year() <= 9999
}

// advance moves a time by whole units; ok is false far outside of the years 1 to 9999.
func advance(t time.Time, unit precision, n int64) (time.Time, bool) {
	const most = 4_000_000 // days in ten thousand years and some
	perDay := int64(1)
	if unit > day {
		perDay = [...]int64{0, 0, 0, 0, 24, 24 * 60, 24 * 60 * 60, 24 * 60 * 60 * 1000}[unit]
	}
	days, rest := n/perDay, n%perDay
	if days > most || days < -most {
		return time.Time{}, false
	}
	switch unit {
	case year:
		return months(t, n*12), true
	case month:
		return months(t, n), true
	}
	return t.AddDate(0, 0, int(days)).Add(time.Duration(rest * (int64(24*time.Hour) / perDay))), true
}

// months adds months; a day that the month does not have becomes its last one.
func months(t time.Time, n int64) time.Time {
	first := time.Date(t.Year(), t.Month(), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()).AddDate(0, int(n), 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

const week = fraction + 1

// timeUnit reads the unit of a quantity as a step in time. UCUM's "a" and "mo"
// are averages, not calendar steps, so they are none (N1 §6.6.7).
func timeUnit(q quantity) (precision, bool) {
	unit := q.unit
	if c := calendar[unit]; c != "" {
		unit = c
	}
	switch unit {
	case "year":
		return year, true
	case "month":
		return month, true
	case "week", "wk":
		return week, true
	case "day", "d":
		return day, true
	case "hour", "h":
		return hour, true
	case "minute", "min":
		return minute, true
	case "second", "s":
		return second, true
	case "millisecond", "ms":
		return fraction, true
	}
	return 0, false
}

// wholePart splits a number into whole steps and nanos of one more.
func wholePart(d *apd.Decimal) (n, nanos int64, ok bool) {
	var whole, frac apd.Decimal
	d.Modf(&whole, &frac)
	n, err := whole.Int64()
	if err != nil || n > 1e12 || n < -1e12 {
		return 0, 0, false
	}
	var scaled, floor apd.Decimal
	if _, err := exact.Mul(&scaled, &frac, apd.New(1, 9)); err != nil {
		return 0, 0, false
	}
	scaled.Modf(&floor, nil)
	nanos, err = floor.Int64()
	return n, nanos, err == nil
}

// momentOf makes the moments of now(), today() and timeOfDay().
func momentOf(t time.Time, kind momentKind) moment {
	switch kind {
	case date:
		return moment{kind: date, to: day, t: time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)}
	case clock:
		return moment{kind: clock, to: fraction, frac: 3, t: time.Date(1, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1e6*1e6, time.UTC)}
	}
	_, offset := t.Zone()
	return moment{kind: dateTime, to: fraction, frac: 3, zone: true, t: t.Truncate(time.Millisecond).In(time.FixedZone("", offset))}
}
