package r4

import (
	"strconv"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/decimal"
)

// Object builds a JSON object in the order given. Fields whose value is blank
// ("" , nil, an empty Object, an empty list) are left out, since FHIR has no
// empty elements (FHIR R4 json.html#null).
type Object []Field

// Field is one member of an Object. Value is one of: string, bool, int, int64,
// decimal.Decimal, Object, []Object, []string, Raw, Literal. Anything else panics: it
// is a mistake of the program, not of its input.
type Field struct {
	Name  string
	Value any
}

// Raw is JSON text taken as it is; Literal is the same as a string.
type (
	Raw     []byte
	Literal string
)

// Add appends a member.
func (o *Object) Add(name string, value any) { *o = append(*o, Field{name, value}) }

// JSON renders the object.
func (o Object) JSON() []byte { return o.append(make([]byte, 0, 512)) }

// AppendJSON appends the object to b, for a writer that uses its buffer again.
func (o Object) AppendJSON(b []byte) []byte { return o.append(b) }

func (o Object) append(b []byte) []byte {
	b = append(b, '{')
	first := true
	for _, f := range o {
		if blank(f.Value) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = AppendString(b, f.Name)
		b = append(b, ':')
		b = appendValue(b, f.Value)
	}
	return append(b, '}')
}

func blank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case Object:
		return v.blank()
	case []Object:
		for _, o := range v {
			if !o.blank() {
				return false
			}
		}
		return true
	case []string:
		return len(v) == 0
	case Raw:
		return len(v) == 0
	case Literal:
		return v == ""
	}
	return false
}

func (o Object) blank() bool {
	for _, f := range o {
		if !blank(f.Value) {
			return false
		}
	}
	return true
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return AppendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case decimal.Decimal:
		return append(b, v.String()...)
	case Object:
		return v.append(b)
	case Raw:
		return append(b, v...)
	case Literal:
		return append(b, v...)
	case []string:
		b = append(b, '[')
		for i, s := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendString(b, s)
		}
		return append(b, ']')
	case []Object:
		b = append(b, '[')
		n := 0
		for _, o := range v {
			if o.blank() {
				continue
			}
			if n > 0 {
				b = append(b, ',')
			}
			n++
			b = o.append(b)
		}
		return append(b, ']')
	}
	panic("r4.Object: value of a type that JSON does not have here")
}

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string: only what must be escaped is
// escaped, and bytes that are not UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0 // what stands as it is from here on is copied in one go
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = utf8.AppendRune(append(b, s[from:i]...), r)
				from = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}
