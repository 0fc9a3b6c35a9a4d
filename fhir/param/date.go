package param

import (
	"math"
	"strings"
	"time"
)

// zone is that of values without one (DESIGN.md decision 16).
var zone = time.FixedZone("+07", 7*3600)

// Open ends of a period.
const (
	Earliest = math.MinInt64
	Latest   = math.MaxInt64
)

// span reads a FHIR date, dateTime or instant of any precision: the first
// instant it can mean and the one behind the last (FHIR R4 search.html#date).
func span(s string) (lo, hi int64, ok bool) {
	if len(s) > 18 && s[16:19] == ":60" { // a leap second is the beginning of the next minute here
		lo, hi, ok = span(s[:16] + ":59" + s[19:])
		return lo + 1000, hi + 1000, ok
	}
	for _, f := range [...]struct {
		layout string
		next   func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{"2006-01-02T15:04:05", nil},
		{time.RFC3339, nil},
	} {
		t, err := time.ParseInLocation(f.layout, s, zone)
		if err != nil || t.Year() < 1 {
			continue
		}
		if f.next != nil {
			return t.UnixMilli(), f.next(t).UnixMilli(), true
		}
		return t.UnixMilli(), t.Add(fraction(s)).UnixMilli(), true
	}
	return 0, 0, false
}

// fraction is how long the last digit of the seconds stands for, a second or less, not below a millisecond.
func fraction(s string) time.Duration {
	_, digits, found := strings.Cut(s, ".")
	if !found {
		return time.Second
	}
	n := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
	d := time.Second
	for range min(n, 3) {
		d /= 10
	}
	return d
}
