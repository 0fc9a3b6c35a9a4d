package validate

import (
	"bytes"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// primitive checks a value of primitive type: how it stands in JSON, its form, and its code.
func (w *walker) primitive(v r4.Node, m *r4.Member) {
	switch kind := v.Kind(); {
	case m.Primitive == r4.Boolean:
		if kind != r4.True && kind != r4.False {
			w.structure(v, "type", m.Name+" phải là true hoặc false.", m.Name+" must be true or false.")
		}
	case m.Primitive.Number():
		if kind != r4.Number {
			w.structure(v, "type", m.Name+" phải là số, không có dấu nháy.", m.Name+" must be a number, without quotes.")
		} else if !numberForm(m.Primitive, v.Raw()) {
			w.badForm(v, m)
		}
	case kind != r4.String:
		w.structure(v, "type", m.Name+" phải là chuỗi trong dấu nháy.", m.Name+" must be a string in quotes.")
	default:
		w.string(v, m)
	}
}

func (w *walker) string(v r4.Node, m *r4.Member) {
	raw, escaped := v.Quoted()
	if escaped {
		w.text = v.AppendText(w.text[:0])
		raw = w.text
	}
	switch m.Primitive {
	case r4.XHTML:
		w.narrative(v, raw)
		return
	case r4.Text, r4.Markdown:
		if len(bytes.TrimSpace(raw)) == 0 {
			w.add(v, fault{severity: Warning, kind: outcome.Value, key: "blank", vi: m.Name + " chỉ có khoảng trắng.", en: m.Name + " holds nothing but white space."})
			return
		}
	}
	if !form(m.Primitive, raw) {
		w.badForm(v, m)
		return
	}
	if m.Codes != nil && !m.Codes.Has(raw) {
		w.notInSet(v, m)
	}
}

func (w *walker) badForm(v r4.Node, m *r4.Member) {
	how := forms[m.Primitive]
	w.value(v, "form", m.Name+" không đúng dạng "+m.Primitive.String()+": "+how.vi+".", m.Name+" is not of the form of "+m.Primitive.String()+": "+how.en+".")
}

// narrative checks the div (txt-1, txt-2). A namespace that was forgotten is
// told but not refused: the text has only one reading.
func (w *walker) narrative(v r4.Node, div []byte) {
	err := r4.CheckNarrative(div)
	if err == nil {
		return
	}
	e := outcome.As(err)
	f := fault{kind: outcome.Value, key: "narrative", vi: "text.div: " + e.VI, en: "text.div: " + e.EN}
	if e.Key == "xhtml.namespace" && bytes.HasPrefix(div, []byte("<div>")) {
		f.severity = Warning
	}
	w.add(v, f)
}

// forms says how each primitive is written, for the sentence of the issue.
var forms = map[r4.Primitive]struct{ vi, en string }{
	r4.Decimal:      {"số không quá 64 ký tự, số mũ không quá ba chữ số", "at most 64 characters, and three digits of exponent"},
	r4.Base64Binary: {"base64", "base64"},
	r4.Canonical:    {"không có khoảng trắng; sau urn:oid: và urn:uuid: là mã đúng dạng", "no white space; behind urn:oid: and urn:uuid: what they say"},
	r4.Code:         {"không có khoảng trắng ở đầu, cuối hoặc hai khoảng trắng liền nhau", "no white space at its ends, nor two side by side"},
	r4.Date:         {"YYYY, YYYY-MM hoặc YYYY-MM-DD có thật", "YYYY, YYYY-MM or YYYY-MM-DD that exists"},
	r4.DateTime:     {"YYYY, YYYY-MM, YYYY-MM-DD hoặc YYYY-MM-DDThh:mm:ss+zz:zz có thật", "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz that exists"},
	r4.ElementID:    {"không có khoảng trắng", "no white space"},
	r4.ID:           {"1 đến 64 ký tự A-Z, a-z, 0-9, - hoặc .", "1 to 64 of A-Z, a-z, 0-9, - and ."},
	r4.Instant:      {"YYYY-MM-DDThh:mm:ss+zz:zz có thật", "YYYY-MM-DDThh:mm:ss+zz:zz that exists"},
	r4.Integer:      {"số nguyên 32 bit", "a whole number of 32 bits"},
	r4.Markdown:     {"không có ký tự điều khiển, tối đa 1 MB", "no control characters, at most 1 MB"},
	r4.OID:          {"urn:oid:…", "urn:oid:…"},
	r4.PositiveInt:  {"số nguyên từ 1 đến 2147483647", "a whole number from 1 to 2147483647"},
	r4.Text:         {"không có ký tự điều khiển, tối đa 1 MB", "no control characters, at most 1 MB"},
	r4.Time:         {"hh:mm:ss", "hh:mm:ss"},
	r4.UnsignedInt:  {"số nguyên từ 0 đến 2147483647", "a whole number from 0 to 2147483647"},
	r4.URI:          {"không có khoảng trắng; sau urn:oid: và urn:uuid: là mã đúng dạng", "no white space; behind urn:oid: and urn:uuid: what they say"},
	r4.URL:          {"không có khoảng trắng; sau urn:oid: và urn:uuid: là mã đúng dạng", "no white space; behind urn:oid: and urn:uuid: what they say"},
	r4.UUID:         {"urn:uuid: và 36 ký tự", "urn:uuid: and 36 characters"},
}

// form says whether a text is of a primitive's form (FHIR R4 datatypes.html#primitive, the regexes there).
func form(p r4.Primitive, b []byte) bool {
	switch p {
	case r4.Text, r4.Markdown:
		return textForm(b)
	case r4.Code:
		return codeForm(b)
	case r4.ID:
		return idForm(b)
	case r4.URI, r4.URL, r4.Canonical:
		return noSpace(b) && urnForm(b)
	case r4.ElementID:
		return noSpace(b)
	case r4.OID:
		return oidForm(b)
	case r4.UUID:
		return uuidForm(b)
	case r4.Base64Binary:
		return base64Form(b)
	case r4.Date:
		n := dateForm(b)
		return n > 0 && n == len(b)
	case r4.DateTime:
		return dateTimeForm(b, false)
	case r4.Instant:
		return dateTimeForm(b, true)
	case r4.Time:
		n := timeForm(b)
		return n > 0 && n == len(b)
	}
	return true
}

func white(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func textForm(b []byte) bool {
	if len(b) > 1<<20 && utf8.RuneCount(b) > 1<<20 {
		return false
	}
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return len(b) > 0
}

func codeForm(b []byte) bool {
	after := true // behind white space or at the start
	for _, c := range b {
		if white(c) && after || c < ' ' && !white(c) {
			return false
		}
		after = white(c)
	}
	return len(b) > 0 && !after
}

func idForm(b []byte) bool {
	for _, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 64
}

func noSpace(b []byte) bool {
	for _, c := range b {
		if c <= ' ' {
			return false
		}
	}
	return true
}

func oidForm(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("urn:oid:"))
	if !ok || len(rest) < 3 || rest[0] < '0' || rest[0] > '2' {
		return false
	}
	for i := 1; i < len(rest); {
		if rest[i] != '.' {
			return false
		}
		start := i + 1
		for i = start; i < len(rest) && digit(rest[i]); i++ {
		}
		if i == start || rest[start] == '0' && i > start+1 {
			return false
		}
	}
	return true
}

func uuidForm(b []byte) bool {
	rest, ok := bytes.CutPrefix(b, []byte("urn:uuid:"))
	return ok && uuidDigits(rest) && !bytes.ContainsAny(rest, "ABCDEF")
}

func uuidDigits(b []byte) bool {
	for i, c := range b {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !(digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return len(b) == 36
}

// What a byte is in base64: a digit, padding, white space; zero is none of them.
const (
	digit64   = 1
	padding64 = 2
	white64   = 4
)

var alphabet64 = func() (t [256]byte) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = digit64
	}
	for _, c := range []byte(" \t\n\v\f\r") {
		t[c] = white64
	}
	t['='] = padding64
	return t
}()

// urnForm: an address that begins as an OID or UUID is one; the letters of a UUID may be large there (RFC 4122 §3).
func urnForm(b []byte) bool {
	switch {
	case bytes.HasPrefix(b, []byte("urn:oid:")):
		return oidForm(b)
	case bytes.HasPrefix(b, []byte("urn:uuid:")):
		return len(b) == 45 && uuidDigits(b[9:])
	}
	return true
}

// base64Form: groups of four, white space between groups only, padding at the end only.
func base64Form(b []byte) bool {
	in, pad, groups := 0, 0, 0
	for len(b) > 0 {
		if in == 0 && pad == 0 && len(b) >= 4 && alphabet64[b[0]]&alphabet64[b[1]]&alphabet64[b[2]]&alphabet64[b[3]] == digit64 {
			groups++
			b = b[4:]
			continue
		}
		switch alphabet64[b[0]] {
		case white64:
			if in != 0 {
				return false
			}
			b = b[1:]
			continue
		case padding64:
			if pad++; in < 2 || pad > 2 {
				return false
			}
		case digit64:
			if pad > 0 {
				return false
			}
		default:
			return false
		}
		b = b[1:]
		if in++; in == 4 {
			in = 0
			groups++
		}
	}
	return in == 0 && groups > 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// two reads two digits at i; -1 when they are none.
func two(b []byte, i int) int {
	if i+2 > len(b) || !digit(b[i]) || !digit(b[i+1]) {
		return -1
	}
	return int(b[i]-'0')*10 + int(b[i+1]-'0')
}

// dateForm gives the length of the date at the start of b, 0 when there is none that exists.
func dateForm(b []byte) int {
	century, year := two(b, 0), two(b, 2)
	if century < 0 || year < 0 || century+year == 0 {
		return 0
	}
	if len(b) == 4 || b[4] != '-' {
		return 4
	}
	month := two(b, 5)
	if month < 1 || month > 12 {
		return 0
	}
	if len(b) == 7 || b[7] != '-' {
		return 7
	}
	if day := two(b, 8); day < 1 || day > daysOf(century*100+year, month) {
		return 0
	}
	return 10
}

func daysOf(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// timeForm gives the length of the time at the start of b, 0 when there is none. 60 seconds are a leap second.
func timeForm(b []byte) int {
	hour, minute, second := two(b, 0), -1, -1
	if len(b) >= 8 && b[2] == ':' && b[5] == ':' {
		minute, second = two(b, 3), two(b, 6)
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return 0
	}
	if len(b) == 8 || b[8] != '.' {
		return 8
	}
	i := 9
	for i < len(b) && digit(b[i]) {
		i++
	}
	if i == 9 {
		return 0
	}
	return i
}

// dateTimeForm checks a dateTime; full: to the second, as an instant is.
func dateTimeForm(b []byte, full bool) bool {
	n := dateForm(b)
	if n == len(b) {
		return n > 0 && !full
	}
	if n != 10 || b[10] != 'T' {
		return false
	}
	clock := timeForm(b[11:])
	if clock == 0 {
		return false
	}
	return zoneForm(b[11+clock:])
}

func zoneForm(b []byte) bool {
	if len(b) == 1 {
		return b[0] == 'Z'
	}
	if len(b) != 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return false
	}
	hour, minute := two(b, 1), two(b, 4)
	return hour >= 0 && minute >= 0 && minute <= 59 && (hour <= 13 || hour == 14 && minute == 0)
}

// Bounds of a decimal. R4 asks for 18 digits (datatypes.html#decimal) and sets
// none; what is far beyond would be a burden for everybody who reads it back.
const (
	maxDecimal        = 64 // characters
	maxExponentDigits = 3
)

// shortDecimal says whether a decimal keeps to them.
func shortDecimal(b []byte) bool {
	if len(b) > maxDecimal {
		return false
	}
	i := bytes.IndexAny(b, "eE")
	if i < 0 {
		return true
	}
	exponent := bytes.TrimLeft(b[i+1:], "+-0")
	return len(exponent) <= maxExponentDigits
}

// numberForm checks a JSON number against its type: the range of whole numbers, the length of decimals.
func numberForm(p r4.Primitive, b []byte) bool {
	if p == r4.Decimal {
		return shortDecimal(b)
	}
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	n := int64(0)
	for _, c := range b {
		if !digit(c) || n > 1<<32 {
			return false
		}
		n = n*10 + int64(c-'0')
	}
	switch {
	case p == r4.PositiveInt:
		return !negative && n >= 1 && n <= 1<<31-1
	case p == r4.UnsignedInt:
		return !negative && n <= 1<<31-1
	case negative:
		return n <= 1<<31
	}
	return n <= 1<<31-1
}
