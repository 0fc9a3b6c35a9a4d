package sqlstore

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/param"
)

// table is one of the four tables of index entries.
type table uint8

const (
	post table = iota + 1
	txt
	span
	refr
	person
)

// entry is one row of the index, without d, rid and cp, which all rows of a resource share.
// post: a = v. txt: a = p, s. span: a = p, b = lo, c = hi. refr: a = h, b = p. person: a = h, b = k, c = g.
type entry struct {
	t       table
	a, b, c int64
	s       string
}

func compareEntries(x, y entry) int {
	return cmp.Or(cmp.Compare(x.t, y.t), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(x.c, y.c), cmp.Compare(x.s, y.s))
}

const (
	maxText  = 120 // bytes of folded text in the index; a longer search is compared by this much and then refused
	maxWords = 12  // words of a value from which a search may start
)

// entries compiles the values of a resource, and names the parameters that have one.
func (h hasher) entries(typ string, pats []string, values []param.Value) (list []entry, params string) {
	out := make([]entry, 0, 4*len(values)+4)
	add := func(v int64) { out = append(out, entry{t: post, a: v}) }
	add(h.of("all", typ))
	for _, p := range pats {
		add(h.pat(typ, h.target("Patient", p)))
	}
	params = paramsOf(values)
	add(h.set(typ, params))
	subjects := subjectsOf(values)
	for _, v := range values {
		switch v.Kind {
		case param.Token:
			h.token(typ, v, add)
		case param.URI:
			add(h.of("u", typ, v.Param, v.Text))
		case param.String:
			out = h.text(out, typ, v)
		case param.Date:
			out = append(out, entry{t: span, a: h.param(typ, v.Param, ""), b: v.Lo, c: v.Hi})
		case param.Number:
			out = h.amount(out, typ, v, "")
		case param.Quantity:
			out = h.quantity(out, typ, v)
		case param.Reference:
			if !alias(v, subjects) {
				out = h.reference(out, typ, v)
			}
		case param.Composite, param.Special: // the index holds that there is one (paramset), and the parts by themselves
		}
	}
	slices.SortFunc(out, compareEntries)
	return slices.Compact(out), params
}

// paramsOf lists the parameters that have a value, sorted and parted by blanks.
func paramsOf(values []param.Value) string {
	names := make([]string, 0, len(values))
	for _, v := range values {
		names = append(names, v.Param)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// alias says that a reference is indexed under its other name already: where a
// type has both parameters, `patient` is `subject` that points at a Patient
// (FHIR R4 searchparameter-registry.html, clinical-patient).
func alias(v param.Value, subjects map[string]bool) bool {
	return v.Param == "patient" && v.Type == "Patient" && subjects[v.ID]
}

// subjectsOf are the ids of the Patients that are `subject`.
func subjectsOf(values []param.Value) map[string]bool {
	ids := map[string]bool{}
	for i := range values {
		if v := &values[i]; v.Param == "subject" && v.Type == "Patient" && v.ID != "" {
			ids[v.ID] = true
		}
	}
	return ids
}

// token writes "code", "system|code", "system|" (search.html#token); a code
// without a system is also found by "|code".
func (h hasher) token(typ string, v param.Value, add func(int64)) {
	if v.Code != "" {
		add(h.of("c", typ, v.Param, v.Code))
		add(h.of("sc", typ, v.Param, v.System, v.Code))
	}
	if v.System != "" {
		add(h.of("s", typ, v.Param, v.System))
	}
	for _, t := range v.OfType {
		add(h.of("of", typ, v.Param, t, v.Code))
	}
}

// text writes the folded text from each word on, and the exact text as a hash.
func (h hasher) text(out []entry, typ string, v param.Value) []entry {
	out = append(out, entry{t: post, a: h.of("x", typ, v.Param, fold.NFC(v.Text))})
	p := h.param(typ, v.Param, "") // from the first word on: what a sort goes by
	key := fold.Key(v.Text)
	words := strings.Fields(key)
	for i := range min(len(words), maxWords) {
		out = append(out, entry{t: txt, a: p, s: cutText(strings.Join(words[i:], " "))})
		p = h.param(typ, v.Param, "w")
	}
	if len(words) > maxWords || len(key) > maxText {
		out = append(out, entry{t: post, a: h.of("long", typ, v.Param)})
	}
	return out
}

func cutText(s string) string {
	if len(s) <= maxText {
		return s
	}
	s = s[:maxText]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// quantity writes an amount as it is, under its unit, and where that can be
// converted under the base unit of UCUM instead (FHIR R4 search.html#quantity).
func (h hasher) quantity(out []entry, typ string, v param.Value) []entry {
	out = h.amount(out, typ, v, "")
	if v.Code != "" {
		out = h.amount(out, typ, v, "|"+v.Code)
	}
	if v.Text != "" && v.Text != v.Code {
		out = h.amount(out, typ, v, "|"+v.Text)
	}
	switch b := v.Base; {
	case b != nil:
		system := v.System
		v.Num, v.NumLo, v.NumHi = b.Num, b.Lo, b.Hi
		return h.amount(out, typ, v, system+"|"+b.Code)
	case v.System != "" && v.Code != "":
		return h.amount(out, typ, v, v.System+"|"+v.Code)
	}
	return out
}

// amount writes the range of a number; one that floats may take for another has a posting besides.
func (h hasher) amount(out []entry, typ string, v param.Value, unit string) []entry {
	lo, hi := float(v.NumLo), float(v.NumHi)
	if !short(v.NumLo) || !short(v.NumHi) {
		out = append(out, entry{t: post, a: h.of("long", typ, v.Param)})
	}
	if v.OpenLo {
		lo = math.Inf(-1)
	}
	if v.OpenHi {
		hi = math.Inf(1)
	}
	return append(out, entry{t: span, a: h.param(typ, v.Param, "n"+unit), b: sortable(lo), c: sortable(hi)})
}

func float(d decimal.Decimal) float64 {
	f, err := strconv.ParseFloat(d.String(), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0 // a Decimal's text is a number always
	}
	return f
}

func (h hasher) reference(out []entry, typ string, v param.Value) []entry {
	switch {
	case v.ID != "":
		t := h.target(v.Type, v.ID)
		out = append(out, entry{t: post, a: h.ref(typ, v.Param, t)}, entry{t: refr, a: t, b: h.param(typ, v.Param, "")})
	case v.Text != "":
		out = append(out, entry{t: post, a: h.of("ru", typ, v.Param, v.Text)})
	}
	if v.Code != "" {
		out = append(out, entry{t: post, a: h.of("ri", typ, v.Param, v.System, v.Code)})
	}
	return out
}

// pack writes entries as bytes for the row of the resource; unpack reads them back.
func pack(list []entry) []byte {
	b := make([]byte, 0, 12*len(list))
	for _, e := range list {
		b = append(b, byte(e.t))
		b = binary.LittleEndian.AppendUint64(b, uint64(e.a))
		if e.t != post && e.t != txt {
			b = binary.LittleEndian.AppendUint64(b, uint64(e.b))
		}
		if e.t == span || e.t == person {
			b = binary.LittleEndian.AppendUint64(b, uint64(e.c))
		}
		if e.t == txt {
			b = append(binary.AppendUvarint(b, uint64(len(e.s))), e.s...)
		}
	}
	return b
}

var errEntries = errors.New("the index entries of a row are damaged")

func unpack(b []byte) (list []entry, err error) {
	number := func() (n int64) {
		if len(b) < 8 {
			err = errEntries
			return 0
		}
		n, b = int64(binary.LittleEndian.Uint64(b)), b[8:]
		return n
	}
	for len(b) > 0 && err == nil {
		e := entry{t: table(b[0])}
		b = b[1:]
		e.a = number()
		if e.t == span || e.t == refr || e.t == person {
			e.b = number()
		}
		if e.t == span || e.t == person {
			e.c = number()
		}
		if e.t == txt {
			n, w := binary.Uvarint(b)
			if w <= 0 || n > uint64(len(b)-w) {
				return nil, errEntries
			}
			e.s, b = string(b[w:w+int(n)]), b[w+int(n):]
		}
		list = append(list, e)
	}
	return list, err
}

// diff tells what to take away and what to add; both lists are sorted.
func diff(old, fresh []entry) (gone, added []entry) {
	for len(old) > 0 || len(fresh) > 0 {
		switch c := 0; {
		case len(old) == 0:
			added, fresh = append(added, fresh[0]), fresh[1:]
		case len(fresh) == 0:
			gone, old = append(gone, old[0]), old[1:]
		default:
			if c = compareEntries(old[0], fresh[0]); c < 0 {
				gone, old = append(gone, old[0]), old[1:]
			} else if c > 0 {
				added, fresh = append(added, fresh[0]), fresh[1:]
			} else {
				old, fresh = old[1:], fresh[1:]
			}
		}
	}
	return gone, added
}
