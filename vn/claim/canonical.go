package claim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Canonical gives the bytes by which two HOSO are the same: two that differ
// only in encoding (base64 or nested, CDATA or escapes, order of elements,
// white space around a value, Unicode form, absent or blank element) have the
// same bytes; two that differ in any value, row or order of rows do not.
// Elements of no table are part of it, in order of name; unreadable parts are
// part of it by their bytes.
func Canonical(h *HOSO) []byte {
	b := make([]byte, 0, 4096)
	for _, r := range h.Rows() {
		t := r.Table()
		b = append(b, t.Name...)
		b = append(b, '\n')
		for i := range t.Fields {
			b = canonicalField(b, t.Fields[i].Name, r.Get(i))
		}
		extra := slices.Clone(r.Rest().Extra)
		slices.SortStableFunc(extra, func(x, y Extra) int { return cmp.Compare(x.Name, y.Name) })
		for _, x := range extra {
			b = canonicalField(b, "+"+x.Name, x.Text)
		}
	}
	for _, p := range h.Parts {
		if p.Raw != nil {
			b = append(b, '?')
			b = strconv.AppendQuote(b, p.LOAIHOSO)
			b = strconv.AppendQuote(b, string(p.Raw))
			b = append(b, '\n')
		}
	}
	return b
}

func canonicalField(b []byte, name, text string) []byte {
	text = norm.NFC.String(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
	if text == "" {
		return b
	}
	b = append(b, name...)
	b = append(b, '=')
	b = strconv.AppendQuote(b, text)
	return append(b, '\n')
}
