package person

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// Birth is a birth date as far as it is known: Day, or Month and Day, are 0
// when not. The zero Birth is not known at all.
type Birth struct{ Year, Month, Day int }

var errBirth = outcome.New(outcome.Value, "person.birth",
	"Ngày sinh không đọc được: cần ngày/tháng/năm, tháng/năm hoặc năm, và ngày phải có trong lịch.",
	"The birth date can't be read: it takes day/month/year, month/year or a year, and the day must exist.")

// ParseBirth reads ddMMyyyy, MMyyyy and yyyy as the cards write them, the same
// parted by "/", "-", "." or blanks, and the FHIR forms yyyy-MM-dd and yyyy-MM.
// A day or month of 00 is not known. Eight digits are never yyyyMMdd: claim
// fields are read by package claim. A blank is the zero Birth.
func ParseBirth(s string) (Birth, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Birth{}, nil
	}
	const between = "/-. "
	if strings.Trim(s, between) != s {
		return Birth{}, errBirth
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(between, r) })
	if len(parts) == 1 {
		switch p := parts[0]; len(p) {
		case 8:
			parts = []string{p[:2], p[2:4], p[4:]}
		case 6:
			parts = []string{p[:2], p[2:]}
		}
	}
	if len(parts) > 1 && len(parts[0]) == 4 { // FHIR
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	return birthOf(parts)
}

// birthOf reads day, month and year, the first or first two of which may be left out.
func birthOf(parts []string) (Birth, error) {
	if len(parts) == 0 || len(parts) > 3 {
		return Birth{}, errBirth
	}
	var n [3]int
	for i, p := range parts {
		last := i == len(parts)-1
		v, err := strconv.Atoi(p)
		if err != nil || strings.Trim(p, "0123456789") != "" || last && len(p) != 4 || !last && len(p) > 2 {
			return Birth{}, errBirth
		}
		n[3-len(parts)+i] = v
	}
	b := Birth{n[2], n[1], n[0]}
	if !b.Valid() {
		return Birth{}, errBirth
	}
	return b, nil
}

// Valid says whether the known parts are a day, month or year of the calendar
// from 1800 on. A day without its month is none.
func (b Birth) Valid() bool {
	if b.Year < 1800 || b.Year > 9999 || b.Month < 0 || b.Month > 12 || b.Day < 0 || b.Month == 0 && b.Day != 0 {
		return false
	}
	return b.Day == 0 || time.Date(b.Year, time.Month(b.Month), b.Day, 0, 0, 0, 0, time.UTC).Day() == b.Day
}

// Known says whether anything is known; Whole whether the day is.
func (b Birth) Known() bool { return b.Year != 0 }

// Whole says whether day, month and year are known.
func (b Birth) Whole() bool { return b.Day != 0 }

// String is the FHIR date: "1985", "1985-05", "1985-05-12" or "".
func (b Birth) String() string {
	switch {
	case !b.Known():
		return ""
	case b.Month == 0:
		return fmt.Sprintf("%04d", b.Year)
	case b.Day == 0:
		return fmt.Sprintf("%04d-%02d", b.Year, b.Month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", b.Year, b.Month, b.Day)
}

// VI is the date as people in Vietnam write it: "12/05/1985", "05/1985", "1985".
func (b Birth) VI() string {
	switch {
	case !b.Known():
		return ""
	case b.Month == 0:
		return fmt.Sprintf("%04d", b.Year)
	case b.Day == 0:
		return fmt.Sprintf("%02d/%04d", b.Month, b.Year)
	}
	return fmt.Sprintf("%02d/%02d/%04d", b.Day, b.Month, b.Year)
}

// First and Last are the days (00:00 UTC) between which the birth was; zero times when not known.
func (b Birth) First() time.Time {
	if !b.Known() {
		return time.Time{}
	}
	return time.Date(b.Year, time.Month(max(b.Month, 1)), max(b.Day, 1), 0, 0, 0, 0, time.UTC)
}

// Last is the last day that the birth can have been on.
func (b Birth) Last() time.Time {
	switch {
	case !b.Known():
		return time.Time{}
	case b.Month == 0:
		return b.First().AddDate(1, 0, -1)
	case b.Day == 0:
		return b.First().AddDate(0, 1, -1)
	}
	return b.First()
}

// CompareBirth compares two birth dates, also those of which less is known,
// those registered as 1 January for want of the day, and the usual slips.
func CompareBirth(a, b Birth) Agreement {
	if !a.Known() || !b.Known() {
		return Agreement{}
	}
	month := a.Month == b.Month || a.Month == 0 || b.Month == 0
	day := a.Day == b.Day || a.Day == 0 || b.Day == 0
	january := func(x Birth) bool { return x.Month == 1 && x.Day == 1 }
	switch {
	case a == b && a.Whole():
		return agreement("birth.same")
	case a.Year == b.Year && month && day:
		return agreement("birth.as-far-as-known")
	case a.Year == b.Year && (january(a) || january(b)):
		return agreement("birth.january")
	case a.Year == b.Year && a.Whole() && b.Whole() && a.Day == b.Month && a.Month == b.Day:
		return agreement("birth.swapped")
	case a.Whole() && b.Whole() && oneDigit(a.VI(), b.VI()):
		return agreement("birth.one-digit")
	case a.Year == b.Year:
		return agreement("birth.year")
	case a.Whole() && b.Whole() && a.Month == b.Month && a.Day == b.Day && !january(a):
		return agreement("birth.day-and-month")
	}
	return agreement("birth.differs")
}

// oneDigit says whether two texts of one length differ in one place.
func oneDigit(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	n := 0
	for i := range len(a) {
		if a[i] != b[i] {
			n++
		}
	}
	return n == 1
}
