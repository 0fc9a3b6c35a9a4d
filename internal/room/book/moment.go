package book

import (
	"time"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/ui"
)

// moment is a FHIR date or dateTime, as far as it is known.
type moment string

// time is the first instant of the moment; zero when there is none.
func (m moment) time() time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02", "2006-01", "2006"} {
		if t, err := time.ParseInLocation(layout, string(m), clock.VietNam); err == nil {
			return t.In(clock.VietNam)
		}
	}
	return time.Time{}
}

// day writes the day without the hour: 10/03/2026, or less when less is known.
func (m moment) day() string {
	if t := m.time(); len(m) > 10 && !t.IsZero() {
		return ui.Day(t)
	}
	return ui.FHIRDate(string(m))
}

// full writes all that is known.
func (m moment) full() string { return ui.FHIRDate(string(m)) }

// year is the year in Viet Nam, 0 when it is not known.
func (m moment) year() int {
	if t := m.time(); !t.IsZero() {
		return t.Year()
	}
	return 0
}

// before compares by the first instant.
func (m moment) before(o moment) bool { return m.time().Before(o.time()) }

// ageAt gives the least and the greatest age in full years that a birth date
// leaves open on a day; ok is false when nothing is known.
func ageAt(birth, on moment) (least, most int, ok bool) {
	b, t := birth.time(), on.time()
	if b.IsZero() || t.IsZero() {
		return 0, 0, false
	}
	last := b
	switch len(birth) {
	case 4:
		last = b.AddDate(1, 0, -1)
	case 7:
		last = b.AddDate(0, 1, -1)
	}
	return years(last, t), years(b, t), true
}

func years(from, to time.Time) int {
	n := to.Year() - from.Year()
	if to.Month() < from.Month() || to.Month() == from.Month() && to.Day() < from.Day() {
		n--
	}
	return n
}
