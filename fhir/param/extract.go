package param

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Extract finds the values of the official parameters.
func Extract(d *r4.Doc) ([]Value, error) { return Official().Extract(d) }

// Extract finds the value of every search parameter of the resource's type, in
// order of parameter and place, each once. _id and _lastUpdated are the
// store's own (Meta), _text and _content have no values (HoldsText).
func (r *Registry) Extract(d *r4.Doc) ([]Value, error) {
	t, err := r.of(d.Type())
	if err != nil {
		return nil, err
	}
	out := make([]Value, 0, 24)
	for _, p := range t.list {
		if p.expr == nil {
			continue
		}
		from := len(out)
		var seen marks
		left := maxCombinations
		for _, item := range p.expr.Eval(d) {
			list, ok := r.values(p, item), true
			if p.Kind == Composite {
				list, ok = r.composite(p, item, left)
				left -= len(list)
			}
			if !ok {
				return nil, errCombinations
			}
			for _, v := range list {
				v.Param, v.Kind = p.Code, p.Kind
				if !seen.has(out[from:], v) {
					out = append(out, v)
				}
			}
		}
	}
	return out, nil
}

// maxCombinations bounds the values of one composite: a code of a thousand
// codings with a value of a thousand would be a million.
const maxCombinations = 10_000

var errCombinations = outcome.New(outcome.TooCostly, "param.combinations",
	"Tài nguyên có quá nhiều mã đi cùng quá nhiều giá trị nên không lập chỉ mục được.",
	"The resource has too many codes that go with too many values, so it can't be indexed.")

// same says whether two values of one parameter are equal in all they tell.
func same(a, b Value) bool {
	return a.Code == b.Code && a.System == b.System && a.Text == b.Text && a.Type == b.Type && a.ID == b.ID &&
		a.Lo == b.Lo && a.Hi == b.Hi && a.Lat == b.Lat && a.Long == b.Long && a.OpenLo == b.OpenLo && a.OpenHi == b.OpenHi &&
		a.Num.String() == b.Num.String() && a.NumLo.Equal(b.NumLo) && a.NumHi.Equal(b.NumHi) &&
		slices.Equal(a.OfType, b.OfType) && slices.EqualFunc(a.Parts, b.Parts, same)
}

// typeOf is the data type of an item: told by a choice member's name, else by the definitions.
func typeOf(i fhirpath.Item) string {
	if i.Type != "" {
		return i.Type
	}
	return i.Path
}

// values reads an item as the parameter's kind wants it (FHIR R4 search.html, the table of each kind).
func (r *Registry) values(p *parameter, i fhirpath.Item) []Value {
	switch p.Kind {
	case Token:
		return tokens(i)
	case String:
		return words(i)
	case Date:
		return dates(i)
	case Reference:
		return references(i)
	case Number:
		return numbers(i)
	case Quantity:
		return r.quantities(i)
	case URI:
		return uris(i.Text())
	case Special:
		return place(i)
	}
	return nil
}

func one(v Value, text string) []Value {
	if text == "" {
		return nil
	}
	return []Value{v}
}

func tokens(i fhirpath.Item) []Value {
	n := i.Node
	switch typeOf(i) {
	case "Coding":
		return one(coding(n), n.Get("code").Text()+n.Get("display").Text()+n.Get("system").Text())
	case "CodeableConcept":
		var out []Value
		for c := range n.Get("coding").Elems() {
			out = append(out, coding(c))
		}
		if t := n.Get("text").Text(); t != "" {
			out = append(out, Value{Text: t})
		}
		return out
	case "Identifier":
		v := Value{System: n.Get("system").Text(), Code: n.Get("value").Text(), Text: n.Get("type").Get("text").Text()}
		for c := range n.Get("type").Get("coding").Elems() {
			v.OfType = append(v.OfType, c.Get("system").Text()+"|"+c.Get("code").Text())
		}
		return one(v, v.Code)
	case "ContactPoint":
		return one(Value{Code: n.Get("value").Text()}, n.Get("value").Text())
	}
	return one(Value{Code: i.Text()}, i.Text())
}

func coding(n r4.Node) Value {
	return Value{System: n.Get("system").Text(), Code: n.Get("code").Text(), Text: n.Get("display").Text()}
}

// parts of a HumanName and an Address that a string parameter looks at (FHIR R4 search.html#string).
var parts = map[string][]string{
	"HumanName": {"text", "family", "given", "prefix", "suffix"},
	"Address":   {"text", "line", "city", "district", "state", "postalCode", "country"},
}

func words(i fhirpath.Item) (out []Value) {
	list, ok := parts[typeOf(i)]
	if !ok {
		return one(Value{Text: i.Text()}, i.Text())
	}
	for _, name := range list {
		for n := range i.Node.Get(name).Elems() {
			out = append(out, one(Value{Text: n.Text()}, n.Text())...)
		}
	}
	return out
}

func dates(i fhirpath.Item) []Value {
	n := i.Node
	switch typeOf(i) {
	case "Period":
		return period(n)
	case "Timing":
		var out []Value
		for e := range n.Get("event").Elems() {
			if lo, hi, ok := span(e.Text()); ok {
				out = append(out, Value{Lo: lo, Hi: hi})
			}
		}
		return append(out, period(n.Get("repeat").Get("boundsPeriod"))...)
	}
	if lo, hi, ok := span(i.Text()); ok {
		return []Value{{Lo: lo, Hi: hi}}
	}
	return nil
}

// period is open where an end is missing.
func period(n r4.Node) []Value {
	v := Value{Lo: Earliest, Hi: Latest}
	lo, _, from := span(n.Get("start").Text())
	_, hi, to := span(n.Get("end").Text())
	if from {
		v.Lo = lo
	}
	if to {
		v.Hi = hi
	}
	if !from && !to {
		return nil
	}
	return []Value{v}
}

// uris gives a canonical with a version a second time without it, since who
// asks for the canonical asks for any version (FHIR R4 references.html#canonical).
func uris(text string) []Value {
	if text == "" || text[0] == '#' {
		return nil
	}
	if url, _, versioned := strings.Cut(text, "|"); versioned && url != "" {
		return []Value{{Text: text}, {Text: url}}
	}
	return []Value{{Text: text}}
}

func references(i fhirpath.Item) []Value {
	text := i.Text() // canonical and uri
	var out []Value
	if i.Node.Kind() == r4.Map {
		text = i.Node.Get("reference").Text()
		if id := i.Node.Get("identifier"); id.Get("value").Exists() {
			out = append(out, Value{System: id.Get("system").Text(), Code: id.Get("value").Text()})
		}
	}
	if v := reference(text); v.ID != "" {
		return append(out, v)
	}
	return append(out, uris(text)...)
}

// reference reads "Type/id", with or without a version, as a resource of this
// server, and anything else as a URL.
func reference(text string) Value {
	base, _, _ := strings.Cut(text, "/_history/")
	if typ, id, ok := strings.Cut(base, "/"); ok && r4.IsResource(typ) && id != "" && !strings.Contains(id, "/") {
		return Value{Type: typ, ID: id}
	}
	return Value{Text: text}
}

// composite gives each combination of its parts' values at one item. The last
// part is looked at first: it is the one that most often is not there.
func (r *Registry) composite(p *parameter, i fhirpath.Item, most int) (combos []Value, ok bool) {
	items := make([][]fhirpath.Item, len(p.parts))
	for k, part := range slices.Backward(p.parts) {
		if items[k] = part.expr.EvalItem(i); len(items[k]) == 0 {
			return nil, true
		}
	}
	combos = []Value{{}}
	for k, part := range p.parts {
		var next []Value
		for _, item := range items[k] {
			for _, v := range r.values(part, item) {
				if len(next)+len(combos) > most {
					return nil, false
				}
				v.Param, v.Kind = part.Code, part.Kind
				for _, c := range combos {
					list := append(append(make([]Value, 0, len(p.parts)), c.Parts...), v)
					next = append(next, Value{Parts: list})
				}
			}
		}
		combos = next
	}
	return combos, true
}
