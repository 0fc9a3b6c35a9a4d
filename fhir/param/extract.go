package param

import (
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
)

// Extract finds the value of every search parameter of the resource's type, in
// order of parameter and place, each once. _id and _lastUpdated are the
// store's own. The parameter "near" and other special ones have no values.
func Extract(d *r4.Doc) ([]Value, error) {
	list, err := of(d.Type())
	if err != nil {
		return nil, err
	}
	var out []Value
	seen := map[string]bool{}
	for _, p := range list {
		if p.expr == nil {
			continue
		}
		for _, item := range p.expr.Eval(d) {
			for _, v := range p.values(item) {
				v.Param, v.Kind = p.Code, p.Kind
				if key := v.key(); !seen[key] {
					seen[key] = true
					out = append(out, v)
				}
			}
		}
	}
	return out, nil
}

// key tells values apart.
func (v Value) key() string {
	var b strings.Builder
	for _, s := range []string{v.Param, v.System, v.Code, v.Text, v.Type, v.ID, v.Num.String(), strings.Join(v.OfType, "\x01")} {
		b.WriteString(s)
		b.WriteByte(0)
	}
	b.WriteString(decimal.FromInt(v.Lo).String() + "\x00" + decimal.FromInt(v.Hi).String())
	for _, p := range v.Parts {
		b.WriteString("\x02" + p.key())
	}
	return b.String()
}

// typeOf is the data type of an item: told by a choice member's name, else by the definitions.
func typeOf(i fhirpath.Item) string {
	if i.Type != "" {
		return i.Type
	}
	return i.Path
}

// values reads an item as the parameter's kind wants it (FHIR R4 search.html, the table of each kind).
func (p *parameter) values(i fhirpath.Item) []Value {
	switch p.Kind {
	case Token:
		return tokens(i)
	case String:
		return texts(i)
	case Date:
		return dates(i)
	case Reference:
		return references(i)
	case Number:
		return numbers(i)
	case Quantity:
		return quantities(i)
	case URI:
		return one(Value{Text: i.Text()}, i.Text())
	case Composite:
		return p.composite(i)
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

func texts(i fhirpath.Item) (out []Value) {
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

func references(i fhirpath.Item) []Value {
	text := i.Text() // canonical and uri
	var out []Value
	if i.Node.Kind() == r4.Map {
		text = i.Node.Get("reference").Text()
		if id := i.Node.Get("identifier"); id.Get("value").Exists() {
			out = append(out, Value{System: id.Get("system").Text(), Code: id.Get("value").Text()})
		}
	}
	if text == "" || text[0] == '#' {
		return out
	}
	return append(out, reference(text))
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

func numbers(i fhirpath.Item) []Value {
	d, err := decimal.Parse(i.Text())
	if err != nil {
		return nil
	}
	return []Value{number(d)}
}

// number carries the range that a number's precision stands for: 2.0 is 1.95 to 2.05 (FHIR R4 search.html#number).
func number(d decimal.Decimal) Value {
	half := half(d.Places())
	return Value{Num: d, NumLo: d.Sub(half), NumHi: d.Add(half)}
}

// half is 5 at the place behind the last one.
func half(places int) decimal.Decimal {
	if places == 0 {
		return decimal.MustParse("0.5")
	}
	return decimal.MustParse("0." + strings.Repeat("0", min(places, 40)) + "5")
}

func quantities(i fhirpath.Item) (out []Value) {
	read := func(n r4.Node, code string) {
		d, err := decimal.Parse(n.Get("value").Text())
		if err != nil {
			return
		}
		v := number(d)
		v.System, v.Code, v.Text = n.Get("system").Text(), code, n.Get("unit").Text()
		out = append(out, v)
	}
	n := i.Node
	switch typeOf(i) {
	case "Money":
		read(n, n.Get("currency").Text())
	case "Range":
		read(n.Get("low"), n.Get("low").Get("code").Text())
		read(n.Get("high"), n.Get("high").Get("code").Text())
	default:
		read(n, n.Get("code").Text())
	}
	return out
}

// composite gives each combination of its parts' values at one item.
func (p *parameter) composite(i fhirpath.Item) []Value {
	combos := []Value{{}}
	for _, part := range p.parts {
		var next []Value
		for _, item := range part.expr.EvalItem(i) {
			for _, v := range part.values(item) {
				v.Param, v.Kind = part.Code, part.Kind
				for _, c := range combos {
					list := append(append([]Value(nil), c.Parts...), v)
					next = append(next, Value{Parts: list})
				}
			}
		}
		combos = next
	}
	return combos
}
