package ui

import (
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/internal/platform/clock"
)

// Day writes a day as Vietnamese read it: 02/01/2006, local time.
func Day(t time.Time) string { return t.In(clock.VietNam).Format("02/01/2006") }

// Minute writes a moment: 15:04 02/01/2006, local time.
func Minute(t time.Time) string { return t.In(clock.VietNam).Format("15:04 02/01/2006") }

// FHIRDate writes a FHIR date or dateTime as far as it is known: 1985, 05/1985, 12/05/1985, 08:15 10/03/2026.
func FHIRDate(s string) string {
	switch {
	case len(s) == 4:
		return s
	case len(s) == 7:
		return s[5:7] + "/" + s[:4]
	case len(s) == 10:
		return s[8:10] + "/" + s[5:7] + "/" + s[:4]
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return Minute(t)
	}
	return s
}

// Dong writes an amount with dots between thousands: 1.234.500 ₫ (a comma before hundredths).
func Dong(d decimal.Decimal) string { return Number3(d.String()) + " ₫" }

// Number3 groups the digits of a plain decimal text in Vietnamese manner: 1.234,5.
func Number3(s string) string {
	whole, part, _ := strings.Cut(s, ".")
	part = strings.TrimRight(part, "0")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(c)
	}
	if part != "" {
		b.WriteString("," + part)
	}
	return b.String()
}
