package fhirmap

import (
	"time"

	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// labels gives the words of codes as the lists had them on the day of a visit.
// A nil labels knows none, which is right for the way back.
type labels struct {
	on   time.Time // zero: no day is known, so no list is
	seen map[[2]string]string
}

func labelsOn(on time.Time) *labels { return &labels{on: on, seen: make(map[[2]string]string, 16)} }

// visitDay is the day by which the lists of a visit are picked: its end, else its beginning.
func visitDay(dates ...claim.Date12) time.Time {
	for _, d := range dates {
		if t, ok := d.Time(); ok {
			return t
		}
	}
	return time.Time{}
}

// of gives the Vietnamese label of a code, "" when none is known for the day.
func (l *labels) of(list, code string) string {
	if l == nil || l.on.IsZero() || code == "" {
		return ""
	}
	key := [2]string{list, code}
	label, ok := l.seen[key]
	if !ok {
		if table, err := law.Find(list, l.on); err == nil {
			c, _ := table.Find(code, l.on)
			label = c.VI
		}
		l.seen[key] = label
	}
	return label
}
