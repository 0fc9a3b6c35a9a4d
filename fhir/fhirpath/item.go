package fhirpath

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/r4"
)

// Item is a value in a result: a node of the resource with what is known of
// its type, or a value that the expression made.
type Item struct {
	Node r4.Node
	Type string // from a choice member (valueQuantity → Quantity), a resource's type, or of what resolve() found; "" when not told by the data
	Path string // path in the definitions, "Patient.contact", "HumanName"; "" when not known

	class *class
	ext   r4.Node // what stands beside a primitive value: its id and extensions
	v     any     // nil for a node; else bool, int64, *apd.Decimal, string, moment, quantity, typeInfo, resolved
}

// typeInfo is what type() gives; resolved what resolve() gives of a target that is not at hand.
type (
	typeInfo struct{ space, name, base string }
	resolved struct{ typ, ref string }
)

func str(s string) Item { return Item{v: s} }

var yes, no = []Item{{Type: "boolean", v: true}}, []Item{{Type: "boolean", v: false}}

// boolean gives a shared collection: its capacity is its length, so that nobody appends into it.
func boolean(b bool) []Item {
	if b {
		return yes[:1:1]
	}
	return no[:1:1]
}

func integer(n int64) []Item { return []Item{{v: n}} }

func strs(s string) []Item { return []Item{{v: s}} }

// Root is the resource itself as an item.
func Root(d *r4.Doc) Item { return rootOf(d.Root()) }

// Element makes the item of one element, for who walks a resource and asks its
// invariants: path is its type ("HumanName", "code"), or its own path where it
// defines its children ("Patient.contact"); beside is what stands beside a
// primitive value ("_birthDate"), the zero Node when nothing does.
func Element(value, beside r4.Node, path string) Item {
	if value.Get("resourceType").Exists() {
		return rootOf(value)
	}
	i := Item{Node: value, Path: path, class: classOf(path), ext: beside}
	if value.Kind() == r4.Null {
		i.Node = r4.Node{}
	}
	return i
}

// Integer makes the item of a whole number, for a variable that the caller counts.
func Integer(n int64) Item { return Item{v: n} }

// Bare says whether the item is a primitive element without a value: it holds extensions only.
func (i Item) Bare() bool { return i.bare() }

// Boolean gives the value of a Boolean; ok is false of everything else.
func (i Item) Boolean() (value, ok bool) {
	value, ok = i.value().(bool)
	return value, ok
}

// Beside is what stands beside a primitive value in the resource: its id and
// extensions ("_birthDate"); the zero Node when nothing does.
func (i Item) Beside() r4.Node { return i.ext }

// Truth reads a result as an invariant does: known is false when it is empty.
// One item that is no Boolean counts as true, several as false (N1 §4.5).
func Truth(result []Item) (val, known bool) {
	switch len(result) {
	case 0:
		return false, false
	case 1:
		b, ok := result[0].value().(bool)
		return b || !ok, true
	}
	return false, true
}

func rootOf(n r4.Node) Item {
	t := n.Get("resourceType").Text()
	return Item{Node: n, Type: t, class: classOf(t)}
}

// Text is the text of a primitive value: as written in the resource, or as FHIRPath writes it; "" of a complex one.
func (i Item) Text() string {
	switch v := i.v.(type) {
	case nil:
		return i.Node.Text()
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case *apd.Decimal:
		return v.Text('f')
	case moment:
		return v.String()
	case quantity:
		return v.String()
	case typeInfo:
		return v.space + "." + v.name
	case resolved:
		return v.ref
	}
	return ""
}

// TypeName names the type: "System.Integer" of a value that the expression
// made, the FHIR type of a node.
func (i Item) TypeName() string {
	switch {
	case i.v != nil:
		return "System." + systemType(i.v)
	case i.class != nil:
		return i.class.typeName()
	case i.Type != "":
		return i.Type
	}
	return "Element"
}

func systemType(v any) string {
	switch v := v.(type) {
	case bool:
		return "Boolean"
	case string:
		return "String"
	case int64:
		return "Integer"
	case *apd.Decimal:
		return "Decimal"
	case quantity:
		return "Quantity"
	case moment:
		return [...]string{"Date", "DateTime", "Time"}[v.kind]
	}
	return "Any"
}

// Complex says whether the item is an object of the resource, whose text is its JSON.
func (i Item) Complex() bool { return i.v == nil && i.Node.Kind() == r4.Map }

// primitive says whether the item is a node that holds one value.
func (i Item) primitive() bool {
	switch i.Node.Kind() {
	case r4.String, r4.Number, r4.True, r4.False:
		return true
	}
	return false
}

// bare says whether the item is a primitive element without a value: it holds extensions only.
func (i Item) bare() bool { return i.v == nil && !i.Node.Exists() }

// value is the System value of an item (FHIR R4 fhirpath.html#types: primitives
// are converted implicitly, and so are quantities); nil when it has none.
func (i Item) value() any {
	if i.v != nil {
		return i.v
	}
	switch i.Node.Kind() {
	case r4.True, r4.False:
		return i.Node.Bool()
	case r4.Number:
		return i.number()
	case r4.String:
		return i.text()
	case r4.Map:
		if i.class != nil && i.class.is("Quantity") {
			if q, ok := quantityOf(i.Node); ok {
				return q
			}
		}
	}
	return nil
}

func (i Item) number() any {
	s := i.Node.Text()
	if i.class == nil || i.class.is("integer") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	}
	if d, ok := parseDecimal(s); ok {
		return d
	}
	return nil
}

func (i Item) text() any {
	s := i.Node.Text()
	if i.class == nil {
		return s
	}
	want := date
	switch i.class.name {
	case "date":
	case "dateTime", "instant":
		want = dateTime
	case "time":
		want = clock
	default:
		return s
	}
	prefix := ""
	if want == clock {
		prefix = "T"
	}
	m, ok := parseMoment(prefix+s, false)
	if !ok || (m.kind == clock) != (want == clock) {
		return s
	}
	m.kind = want
	return m
}

// child steps from an item to a member, through arrays, and to value[x].
func (i Item) child(name string, out []Item) []Item {
	if i.v != nil {
		return i.part(name, out)
	}
	if i.Node.Kind() != r4.Map {
		return i.beside(name, out)
	}
	if i.class == nil || i.class.abstract {
		return i.guess(name, out)
	}
	f := i.class.fields[name]
	switch {
	case f == nil:
		return out
	case f.choices == nil:
		return spread(i.Node, f, out)
	}
	for _, c := range f.choices {
		if n := len(out); len(spread(i.Node, c, out)) > n {
			return spread(i.Node, c, out)
		}
	}
	return out
}

// part steps into a value that has parts.
func (i Item) part(name string, out []Item) []Item {
	switch v := i.v.(type) {
	case typeInfo:
		switch name {
		case "namespace":
			return append(out, str(v.space))
		case "name":
			return append(out, str(v.name))
		case "baseType":
			return append(out, str(v.base))
		}
	case quantity:
		switch name {
		case "value":
			return append(out, Item{v: v.value})
		case "unit":
			return append(out, str(v.unit))
		}
	}
	return out
}

// beside steps from a primitive to what stands beside its value.
func (i Item) beside(name string, out []Item) []Item {
	if name == "value" {
		if v := i.value(); v != nil {
			return append(out, Item{v: v})
		}
		return out
	}
	if i.class == nil || !i.ext.Exists() {
		return out
	}
	if f := i.class.fields[name]; f != nil {
		return spread(i.ext, f, out)
	}
	return out
}

// guess steps where the definitions don't say what the item is: by the member
// of that name, else by one whose name goes on with the name of a type.
func (i Item) guess(name string, out []Item) []Item {
	if n := i.Node.Get(name); n.Exists() {
		return spread(i.Node, &field{name: name, json: name, sibling: "_" + name}, out)
	}
	for m := range i.Node.Members() {
		rest, ok := strings.CutPrefix(m, name)
		if r, _ := utf8.DecodeRuneInString(rest); !ok || !unicode.IsUpper(r) {
			continue
		}
		for _, t := range []string{rest, strings.ToLower(rest[:1]) + rest[1:]} {
			if classOf(t) != nil {
				return spread(i.Node, &field{name: name, json: m, sibling: "_" + m, typ: t, picked: true}, out)
			}
		}
	}
	return out
}

// spread appends the values of a field, each item of an array by itself.
func spread(in r4.Node, f *field, out []Item) []Item {
	c := f.of()
	i := Item{class: c}
	if c != nil {
		i.Path = c.name
	}
	if f.picked {
		i.Type = f.typ
	}
	n := in.Get(f.json)
	var ext r4.Node
	if c == nil || c.primitive {
		ext = in.Get(f.sibling)
	}
	if ext.Exists() {
		return spreadBoth(n, ext, i, out)
	}
	for e := range n.Elems() {
		if e.Kind() == r4.Null {
			continue
		}
		i.Node = e
		if c == nil || c.abstract {
			out = append(out, i.contained())
		} else {
			out = append(out, i)
		}
	}
	return out
}

// contained turns an item into the resource that it holds.
func (i Item) contained() Item {
	if t := i.Node.Get("resourceType"); t.Exists() {
		return rootOf(i.Node)
	}
	return i
}

// spreadBoth pairs values with what stands beside them (FHIR R4 json.html#primitive).
func spreadBoth(n, ext r4.Node, i Item, out []Item) []Item {
	var values, beside []r4.Node
	for e := range n.Elems() {
		values = append(values, e)
	}
	for e := range ext.Elems() {
		beside = append(beside, e)
	}
	for k := range max(len(values), len(beside)) {
		i.Node, i.ext = r4.Node{}, r4.Node{}
		if k < len(values) {
			i.Node = values[k]
		}
		if k < len(beside) && beside[k].Kind() == r4.Map {
			i.ext = beside[k]
		}
		if i.primitive() || i.ext.Exists() {
			out = append(out, i)
		}
	}
	return out
}

// children appends all direct children, in the order written.
func (i Item) children(out []Item) []Item {
	n := i.Node
	if i.v != nil {
		return out
	}
	if n.Kind() != r4.Map {
		n = i.ext
	}
	for m := range n.Members() {
		if m == "resourceType" {
			continue
		}
		if plain, ok := strings.CutPrefix(m, "_"); ok {
			if n.Get(plain).Exists() {
				continue // comes with its value
			}
			m = plain
		}
		var f *field
		if i.class != nil {
			f = i.class.members[m]
		}
		if f == nil {
			f = &field{name: m, json: m, sibling: "_" + m}
		}
		out = spread(n, f, out)
	}
	return out
}
