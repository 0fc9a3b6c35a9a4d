package element

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
)

// ClaimText is the extension of a primitive that holds the text of the claim's
// field where the FHIR form does not give it back, or can't be made of it.
const ClaimText = Extension + "claim-text"

// Form is the way a claim writes a value that FHIR writes another way.
type Form uint8

// Forms.
const (
	Text        Form = iota // string, code: as it is
	Decimal                 // JSON number
	Day                     // yyyymmdd ↔ date
	Minute                  // yyyymmddHHMM, local time ↔ dateTime with +07:00
	Birth                   // yyyymmddHHMM with zeros for what is not known ↔ date of that precision
	Token                   // a code of a list: as it is, if FHIR's type code can hold it
	Percent                 // 80 ↔ 0.80: a factor
	DayOfMinute             // yyyymmdd ↔ date; of yyyymmddHHMM the day is shown and the text stands beside
)

// Clean is the text of a field as claim.Canonical compares it: trimmed, NFC, lines ended by \n.
func Clean(text string) string {
	return norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
}

// Put adds a primitive. A blank field adds nothing. Where the FHIR form would
// not give the text back, the text stands beside it as an extension of the
// primitive (FHIR R4 json.html#primitive).
func Put(o *r4.Object, name, text string, f Form) {
	if text = Clean(text); text == "" {
		return
	}
	v, ok := toFHIR(text, f)
	if ok {
		o.Add(name, v)
	}
	if f == Text || f == Decimal || f == Token {
		if ok { // these stand as they are
			return
		}
	}
	if !ok || fromFHIR(render(v), f) != text {
		o.Add("_"+name, r4.Object{{Name: "extension", Value: []r4.Object{{{Name: "url", Value: ClaimText}, {Name: "valueString", Value: text}}}}})
	}
}

// Get is the way back of Put: the text of the claim's field, "" when the primitive is absent.
func Get(n r4.Node, name string, f Form) string {
	for e := range n.Get("_" + name).Get("extension").Elems() {
		if e.Get("url").Text() == ClaimText {
			return e.Get("valueString").Text()
		}
	}
	v := n.Get(name)
	if !v.Exists() {
		return ""
	}
	if f == Decimal || f == Percent {
		return fromFHIR(string(v.Raw()), f)
	}
	return fromFHIR(v.Text(), f)
}

// render is the text that Get sees.
func render(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case r4.Literal:
		return string(v)
	}
	return ""
}

// toFHIR gives the value to write; ok is false when FHIR can't write it.
func toFHIR(text string, f Form) (v any, ok bool) {
	switch f {
	case Decimal:
		if !Number(text) {
			return nil, false
		}
		return r4.Literal(text), true
	case Day:
		if !digits(text, 8) || !real(text) {
			return nil, false
		}
		return text[:4] + "-" + text[4:6] + "-" + text[6:], true
	case Minute:
		if !digits(text, 12) || !real(text[:8]) || text[8:10] > "23" || text[10:] > "59" {
			return nil, false
		}
		return text[:4] + "-" + text[4:6] + "-" + text[6:8] + "T" + text[8:10] + ":" + text[10:] + ":00+07:00", true
	case Birth:
		return birth(text)
	case Token:
		return text, token(text)
	case Percent:
		return percent(text)
	case DayOfMinute:
		if digits(text, 12) {
			text = text[:8]
		}
		return toFHIR(text, Day)
	}
	return text, true
}

// DateTime is the FHIR dateTime of yyyymmddHHMM, "" when the text is none.
func DateTime(text string) string { return shown(text, Minute) }

// Date is the FHIR date of yyyymmdd, or of the day of yyyymmddHHMM; "" when the text is none.
func Date(text string) string { return shown(text, DayOfMinute) }

func shown(text string, f Form) string {
	if v, ok := toFHIR(Clean(text), f); ok {
		return render(v)
	}
	return ""
}

// token says whether the type code can hold a text: no blanks but single ones (FHIR R4 datatypes.html#code).
func token(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r != ' ' && unicode.IsSpace(r) }) && !strings.Contains(s, "  ")
}

// percent moves the dot two places to the left.
func percent(text string) (v any, ok bool) {
	whole, rest, dot := strings.Cut(text, ".")
	if !Number(text) || strings.Trim(whole, "0123456789") != "" || strings.Trim(rest, "0123456789") != "" || dot && rest == "" {
		return nil, false
	}
	for len(whole) < 3 {
		whole = "0" + whole
	}
	return r4.Literal(whole[:len(whole)-2] + "." + whole[len(whole)-2:] + rest), true
}

// fromPercent moves it back.
func fromPercent(v string) string {
	whole, rest, _ := strings.Cut(v, ".")
	if len(rest) < 2 {
		return ""
	}
	whole, rest = strings.TrimLeft(whole+rest[:2], "0"), rest[2:]
	if whole == "" {
		whole = "0"
	}
	if rest != "" {
		rest = "." + rest
	}
	return whole + rest
}

// birth writes a date as far as it is known; the hour of a newborn has no place in a date and stays beside it.
func birth(text string) (v any, ok bool) {
	if !digits(text, 8) && !digits(text, 12) || text[:4] == "0000" {
		return nil, false
	}
	switch {
	case text[4:8] == "0000":
		return text[:4], true
	case text[6:8] == "00" && text[4:6] <= "12":
		return text[:4] + "-" + text[4:6], true
	case real(text[:8]):
		return text[:4] + "-" + text[4:6] + "-" + text[6:8], true
	}
	return nil, false
}

// fromFHIR gives the claim's text of a FHIR value.
func fromFHIR(v string, f Form) string {
	switch f {
	case Percent:
		return fromPercent(v)
	case Day, DayOfMinute:
		return strings.ReplaceAll(v, "-", "")
	case Minute:
		if len(v) < 16 {
			return ""
		}
		return v[:4] + v[5:7] + v[8:10] + v[11:13] + v[14:16]
	case Birth:
		s := strings.ReplaceAll(v, "-", "")
		return s + "000000000000"[:max(0, 12-len(s))]
	}
	return v
}

func digits(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789") == "" }

// Number says whether a text is a number as JSON and FHIR write it.
func Number(s string) bool {
	if plain(s) {
		return true
	}
	if _, err := decimal.Parse(s); err != nil {
		return false
	}
	d, err := r4.Parse([]byte(s))
	return err == nil && d.Root().Kind() == r4.Number
}

// plain knows what nearly every amount looks like, 12000.50, without a parser.
func plain(s string) bool {
	whole, rest, dot := strings.Cut(s, ".")
	return len(s) > 0 && len(s) <= 18 && isDigits(whole) && (whole[0] != '0' || len(whole) == 1) && (!dot || isDigits(rest))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// real says whether a day yyyymmdd is in the calendar.
func real(s string) bool {
	y, m, d := atoi(s[:4]), atoi(s[4:6]), atoi(s[6:8])
	if y == 0 || m < 1 || m > 12 || d < 1 {
		return false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && (y%4 == 0 && y%100 != 0 || y%400 == 0) {
		days = 29
	}
	return d <= days
}

func atoi(s string) (n int) {
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}
