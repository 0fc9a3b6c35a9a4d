package claim

import (
	"strings"
	"time"
	_ "time/tzdata" // Vietnamese dates must not depend on the machine

	"github.com/ytso/ytso/fhir/decimal"
)

// A field of a claim is a string with a type that says what the law wants in
// it. Foreign files hold anything, so the text is always kept as it came; the
// methods read it and say whether it is what it should be.
type (
	// Text is `string` and `cdata` of tables.csv.
	Text string
	// Number is a whole number; Decimal has at most one, two or three places (see Field.Places).
	Number  string
	Decimal string
	// Date8 is yyyymmdd, Date12 yyyymmddHHMM, local time of Vietnam.
	Date8  string
	Date12 string
	// BirthDate12 is yyyymmddHHMM with unknown month, day, hour, minute filled by zeros.
	BirthDate12 string
	// Date8Or12 differs by release (NGAY_MIEN_CCT).
	Date8Or12 string
	// The lists hold values parted by ";" without blanks.
	NumberList string
	Date8List  string
	Date12List string
)

// VietNam is the time zone of every date in a claim (spec/qd3176/envelope.md §4: no zone marker, local time).
var VietNam = func() *time.Location {
	l, err := time.LoadLocation("Asia/Ho_Chi_Minh")
	if err != nil {
		panic(err)
	}
	return l
}()

// Int reads a whole number without sign other than minus; blank or anything else gives ok false.
func (n Number) Int() (int64, bool) {
	d, err := decimal.Parse(strings.TrimSpace(string(n)))
	if err != nil {
		return 0, false
	}
	return d.Int64()
}

// Decimal reads the number as an exact decimal.
func (n Number) Decimal() (decimal.Decimal, bool) { return Decimal(n).Decimal() }

// Decimal reads an exact decimal with a dot; blank or anything else gives ok false.
func (d Decimal) Decimal() (decimal.Decimal, bool) {
	v, err := decimal.Parse(strings.TrimSpace(string(d)))
	return v, err == nil
}

func date(s, layout string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if len(s) != len(layout) || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, false
	}
	t, err := time.ParseInLocation(layout, s, VietNam)
	return t, err == nil
}

// Time reads a day; it must exist in the calendar.
func (d Date8) Time() (time.Time, bool) { return date(string(d), "20060102") }

// Time reads an instant; it must exist in the calendar.
func (d Date12) Time() (time.Time, bool) { return date(string(d), "200601021504") }

// Time reads either form.
func (d Date8Or12) Time() (time.Time, bool) {
	if t, ok := Date12(d).Time(); ok {
		return t, true
	}
	return Date8(d).Time()
}

// Precision says how much of a birth date is known.
type Precision int

// Precisions of a birth date, from unreadable to the minute.
const (
	NoDate Precision = iota
	ToYear
	ToMonth
	ToDay
	ToMinute
)

// Time reads a birth date (8 or 12 digits) and how much of it is known: the
// time is the earliest instant it can mean. "198500000000" is ToYear.
// A birth at 00:00 reads as ToDay, since the form can't tell them apart.
func (d BirthDate12) Time() (time.Time, Precision) {
	s := strings.TrimSpace(string(d))
	if (len(s) != 8 && len(s) != 12) || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, NoDate
	}
	rest := ""
	if len(s) == 12 {
		rest = s[8:]
	}
	zero := rest == "" || rest == "0000"
	switch {
	case s[4:8] == "0000" && zero:
		if t, ok := date(s[:4]+"0101", "20060102"); ok && s[:4] != "0000" {
			return t, ToYear
		}
	case s[6:8] == "00" && zero:
		if t, ok := date(s[:6]+"01", "20060102"); ok {
			return t, ToMonth
		}
	case zero:
		if t, ok := date(s[:8], "20060102"); ok {
			return t, ToDay
		}
	default:
		if t, ok := date(s, "200601021504"); ok {
			return t, ToMinute
		}
	}
	return time.Time{}, NoDate
}

// Items splits a list value at ";" and trims each; a blank value has no items.
func Items(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	items := strings.Split(s, ";")
	for i, it := range items {
		items[i] = strings.TrimSpace(it)
	}
	return items
}

// Items of a list of whole numbers.
func (l NumberList) Items() []string { return Items(string(l)) }

// Items of a list of days.
func (l Date8List) Items() []string { return Items(string(l)) }

// Items of a list of instants.
func (l Date12List) Items() []string { return Items(string(l)) }
