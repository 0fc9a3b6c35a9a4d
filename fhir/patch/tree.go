package patch

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
)

// value is a JSON value that may be changed. It is its text until somebody
// looks inside; what was not changed is written as it was read.
type value struct {
	raw   []byte // text as written, nil once something inside was changed
	opens byte   // first byte of the text: its kind
	open  bool   // names and items are filled
	names []name // of an object, beside items
	items []*value
}

// name is a member's name, and its text with quotes as written.
type name struct {
	text string
	raw  []byte
}

// newValue makes a value of well-formed JSON text.
func newValue(text []byte) *value {
	text = bytes.TrimSpace(text)
	return &value{raw: text, opens: text[0]}
}

// readValue makes a value of foreign text: it must be JSON, not too deep, and without duplicate members.
func readValue(text []byte) (*value, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, malformed("Bản vá không phải JSON đúng cách viết.", "The patch is not well-formed JSON.")
	}
	if depth(text) > r4.MaxDepth {
		return nil, malformed("Bản vá lồng quá sâu.", "The patch is nested too deeply.")
	}
	v := newValue(text)
	if v.ambiguous() {
		return nil, malformed("Bản vá có phần tử bị lặp.", "A member stands twice in the patch.")
	}
	return v, nil
}

// depth is how deep well-formed JSON nests.
func depth(text []byte) (most int) {
	now, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			now++
			most = max(most, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return most
}

// ambiguous says whether an object inside has two members of one name.
func (v *value) ambiguous() bool {
	v.look()
	if len(v.names) > 1 {
		seen := make(map[string]bool, len(v.names))
		for _, n := range v.names {
			if seen[n.text] {
				return true
			}
			seen[n.text] = true
		}
	}
	return slices.ContainsFunc(v.items, (*value).ambiguous)
}

// kind is '{', '[', '"', 'n' (null), 't', 'f', or '0' of a number.
func (v *value) kind() byte {
	switch v.opens {
	case '{', '[', '"', 'n', 't', 'f':
		return v.opens
	}
	return '0'
}

// look fills names and items.
func (v *value) look() {
	if v.open || v.opens != '{' && v.opens != '[' {
		return
	}
	v.open = true
	s := v.raw
	for i := blank(s, 1); s[i] != '}' && s[i] != ']'; i = blank(s, i) {
		if s[i] == ',' {
			i = blank(s, i+1)
		}
		if v.opens == '{' {
			end := pass(s, i)
			v.names = append(v.names, name{unquote(s[i:end]), s[i:end]})
			i = blank(s, blank(s, end)+1) // the colon
		}
		end := pass(s, i)
		v.items = append(v.items, newValue(s[i:end]))
		i = end
	}
}

// blank finds the next byte that is no white space.
func blank(s []byte, i int) int {
	for s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n' {
		i++
	}
	return i
}

// pass finds the end of the value that begins at i.
func pass(s []byte, i int) int {
	open, quoted := 0, false
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			if quoted = !quoted; !quoted && open == 0 {
				return i + 1
			}
		case quoted:
		case c == '{' || c == '[':
			open++
		case c == '}' || c == ']':
			if open == 0 {
				return i // of what a word or number stands in
			}
			if open--; open == 0 {
				return i + 1
			}
		case open == 0 && (c == ',' || c == ':' || c <= ' '):
			return i
		}
	}
	return i
}

func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return ""
	}
	return s
}

// text is the value of a string, "" of anything else.
func (v *value) text() string {
	if v == nil || v.opens != '"' {
		return ""
	}
	return unquote(v.raw)
}

// find gives the place of a member, -1 when there is none.
func (v *value) find(member string) int {
	if v == nil || v.opens != '{' {
		return -1
	}
	v.look()
	return slices.IndexFunc(v.names, func(n name) bool { return n.text == member })
}

// get gives a member, nil when there is none.
func (v *value) get(member string) *value {
	if i := v.find(member); i >= 0 {
		return v.items[i]
	}
	return nil
}

// touch says that something inside is about to change.
func (v *value) touch() {
	v.look()
	v.raw = nil
}

// set gives a member a value: the place of one that is there, else behind all others.
func (v *value) set(member string, to *value) {
	v.touch()
	if i := v.find(member); i >= 0 {
		v.items[i] = to
		return
	}
	v.names = append(v.names, name{member, r4.AppendString(nil, member)})
	v.items = append(v.items, to)
}

// cut takes out item i.
func (v *value) cut(i int) *value {
	v.touch()
	out := v.items[i]
	v.items = slices.Delete(v.items, i, i+1)
	if v.opens == '{' {
		v.names = slices.Delete(v.names, i, i+1)
	}
	return out
}

// insert puts an item into an array.
func (v *value) insert(i int, item *value) {
	v.touch()
	v.items = slices.Insert(v.items, i, item)
}

// append writes the value.
func (v *value) append(b []byte) []byte {
	if v.raw != nil {
		return append(b, v.raw...)
	}
	b = append(b, v.opens)
	for i, item := range v.items {
		if i > 0 {
			b = append(b, ',')
		}
		if v.opens == '{' {
			b = append(append(b, v.names[i].raw...), ':')
		}
		b = item.append(b)
	}
	return append(b, v.opens+2) // '}' and ']' stand two behind '{' and '['
}

// equal compares as RFC 6902 §4.6 wants it: numbers by their value, so 1.0 and
// 1.00 are equal; members in any order, items in theirs.
func equal(a, b *value) bool {
	if a.kind() != b.kind() {
		return false
	}
	switch a.kind() {
	case '0':
		x, errX := decimal.Parse(string(a.raw))
		y, errY := decimal.Parse(string(b.raw))
		if errX != nil || errY != nil { // beyond what can be computed with: only the same text is surely the same
			return bytes.Equal(a.raw, b.raw)
		}
		return x.Equal(y)
	case '"':
		return bytes.Equal(a.raw, b.raw) || unquote(a.raw) == unquote(b.raw)
	case '[':
		a.look()
		b.look()
		return slices.EqualFunc(a.items, b.items, equal)
	case '{':
		a.look()
		b.look()
		if len(a.items) != len(b.items) {
			return false
		}
		for i, n := range a.names {
			if other := b.get(n.text); other == nil || !equal(a.items[i], other) {
				return false
			}
		}
	}
	return true
}
