// Package clock lets time be given instead of taken (DESIGN.md decision 16).
package clock

import (
	"time"
	_ "time/tzdata" // the zone must not depend on the machine
)

// Clock tells the time.
type Clock interface{ Now() time.Time }

// System is the machine's clock.
type System struct{}

// Now is the current instant in UTC, to the millisecond.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Fixed always tells the same time.
type Fixed time.Time

// Now is the fixed instant.
func (f Fixed) Now() time.Time { return time.Time(f) }

// VietNam is the zone of Vietnamese dates.
var VietNam = func() *time.Location {
	l, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		panic(err)
	}
	return l
}()
