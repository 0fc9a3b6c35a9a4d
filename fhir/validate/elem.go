package validate

import (
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
)

// elem is one element of the resource at hand, with what the definitions say of it.
type elem struct {
	v, beside r4.Node // the value and, of a primitive, what stands beside it ("_birthDate")
	typ       string  // "Quantity", "code", "Patient"; its own path where it defines its children: "Patient.contact"
	shape     *r4.Shape
	slot      *r4.Slot
	at        *step
	in        *scope
}

// step is one step of the way from the root of the document to an element.
type step struct {
	up    *step
	name  string
	of    string // the type that was chosen of several
	index int    // -1: the element does not repeat
}

// expression writes the way as FHIRPath, like that of walker.
func (s *step) expression() string {
	var b strings.Builder
	s.write(&b)
	return b.String()
}

func (s *step) write(b *strings.Builder) {
	if s.up != nil {
		s.up.write(b)
		b.WriteByte('.')
	}
	b.WriteString(s.name)
	if s.of != "" {
		b.WriteString(".ofType(" + s.of + ")")
	}
	if s.index >= 0 {
		b.WriteString("[" + strconv.Itoa(s.index) + "]")
	}
}

// path writes the way without indices and types: Patient.contact.name.
func (s *step) path() string {
	if s.up == nil {
		return s.name
	}
	return s.up.path() + "." + s.name
}

// scope is the resource that an element stands in.
type scope struct {
	res       elem
	up        *scope  // of the resource around it; nil of the outermost one
	contained bool    // inside another's contained
	fullURL   string  // of the Bundle.entry that holds it
	refs      *refs   // of a Bundle: made when first asked for
	holder    *scope  // the resource whose contained ones fragments mean: itself, or the one that contains it
	bundle    *scope  // the nearest Bundle around
	entry     r4.Node // of that Bundle
}

// rootElem makes the element of a whole document; ok is false when it has no known type.
func rootElem(d *r4.Doc) (elem, bool) {
	n := d.Root()
	if n.Kind() != r4.Map {
		return elem{}, false
	}
	return resourceElem(n, nil, nil)
}

// resourceElem makes the element of a resource and its scope.
func resourceElem(n r4.Node, at *step, up *scope) (elem, bool) {
	name, _ := n.Get("resourceType").Quoted()
	s := r4.ResourceShape(name)
	if s == nil || n.Kind() != r4.Map {
		return elem{}, false
	}
	if at == nil {
		at = &step{name: s.Path, index: -1}
	}
	in := &scope{up: up}
	e := elem{v: n, typ: s.Path, shape: s, at: at, in: in}
	in.res, in.holder = e, in
	if up != nil {
		in.bundle = up.bundle
		if up.res.typ == "Bundle" {
			in.bundle = up
		}
	}
	return e, true
}

// item is the element as FHIRPath sees it.
func (e *elem) item() fhirpath.Item { return fhirpath.Element(e.v, e.beside, e.typ) }

// primitive says whether the element has one value and, beside it, extensions.
func (e *elem) primitive() bool { return e.shape == nil }

// fhirType is the name of the type: what defines its children itself is a BackboneElement or an Element.
func (e *elem) fhirType() string {
	if e.shape == nil || !strings.Contains(e.typ, ".") {
		return e.typ
	}
	if e.slot != nil && len(e.slot.Types) == 1 {
		return e.slot.Types[0].Code
	}
	return "BackboneElement"
}

// name is the name of the element: "value" of valueQuantity.
func (e *elem) name() string { return e.at.name }

// is says whether the element is of a type or of one derived from it.
func (e *elem) is(code string) bool {
	for t := e.fhirType(); t != ""; t = parentOf(t) {
		if t == code {
			return true
		}
	}
	return false
}

var parents = map[string]string{
	"code": "string", "id": "string", "markdown": "string", "url": "uri", "canonical": "uri", "uuid": "uri", "oid": "uri",
	"positiveInt": "integer", "unsignedInt": "integer", "Age": "Quantity", "Count": "Quantity", "Distance": "Quantity", "Duration": "Quantity",
	"MoneyQuantity": "Quantity", "SimpleQuantity": "Quantity",
	"Bundle": "Resource", "Binary": "Resource", "Parameters": "Resource", "DomainResource": "Resource", "Resource": "", "Element": "", "BackboneElement": "Element",
	"Timing": "BackboneElement", "Dosage": "BackboneElement", "ElementDefinition": "BackboneElement",
	"MarketingStatus": "BackboneElement", "Population": "BackboneElement", "ProdCharacteristic": "BackboneElement", "ProductShelfLife": "BackboneElement", "SubstanceAmount": "BackboneElement",
}

// parentOf is the type that one derives from (FHIR R4 datatypes.html, resource.html); "" at the top.
func parentOf(t string) string {
	if p, ok := parents[t]; ok {
		return p
	}
	if r4.IsResource(t) {
		return "DomainResource"
	}
	return "Element"
}

// expand appends the children of an element, each value of a list by itself, in the order written.
func expand(e elem, out []elem) []elem {
	if e.shape == nil {
		if e.beside.Kind() == r4.Map {
			return expandObject(e, e.beside, r4.ShapeAt("Element"), out)
		}
		return out
	}
	return expandObject(e, e.v, e.shape, out)
}

func expandObject(e elem, n r4.Node, s *r4.Shape, out []elem) []elem {
	for v := n.First(); v.Exists(); v = v.Next(n) {
		name := v.Name()
		value, beside := v, r4.Node{}
		if name[0] == '_' {
			if n.Get(string(name[1:])).Exists() {
				continue // comes with its value
			}
			value, beside, name = r4.Node{}, v, name[1:]
		}
		m := s.Member(name)
		if m == nil {
			continue
		}
		if m.Primitive != r4.None && value.Exists() && !m.Attribute {
			beside = besideOf(n, m.Name)
		}
		out = expandMember(e, value, beside, m, &s.Slots[m.Slot], out)
	}
	return out
}

// besideOf finds "_name" without making the name when there is none.
func besideOf(n r4.Node, name string) r4.Node {
	for v := n.First(); v.Exists(); v = v.Next(n) {
		if k := v.Name(); len(k) == len(name)+1 && k[0] == '_' && string(k[1:]) == name {
			return v
		}
	}
	return r4.Node{}
}

func expandMember(e elem, v, beside r4.Node, m *r4.Member, slot *r4.Slot, out []elem) []elem {
	of := ""
	if slot.Choice {
		of = m.Type.Code
	}
	if v.Kind() != r4.Array && beside.Kind() != r4.Array {
		return expandItem(e, v, beside, m, slot, &step{e.at, slot.Name, of, -1}, out)
	}
	x, y := v.First(), beside.First()
	for i := 0; x.Exists() || y.Exists(); i++ {
		out = expandItem(e, x, y, m, slot, &step{e.at, slot.Name, of, i}, out)
		if x.Exists() {
			x = x.Next(v)
		}
		if y.Exists() {
			y = y.Next(beside)
		}
	}
	return out
}

func expandItem(e elem, v, beside r4.Node, m *r4.Member, slot *r4.Slot, at *step, out []elem) []elem {
	c := elem{v: v, beside: beside, slot: slot, at: at, in: e.in}
	switch {
	case m.Primitive != r4.None:
		if v.Kind() == r4.Map || v.Kind() == r4.Array || v.Kind() == r4.Null && beside.Kind() != r4.Map {
			return out
		}
		if v.Kind() == r4.Null {
			c.v = r4.Node{}
		}
		c.typ = m.Type.Code
		if m.Primitive == r4.ElementID || c.typ == "System.String" || c.typ == "" {
			c.typ = m.Primitive.String()
		}
		return append(out, c)
	case v.Kind() != r4.Map:
		return out
	}
	if c.shape = m.Shape(); c.shape != nil {
		c.typ = c.shape.Path
		return append(out, c)
	}
	r, ok := resourceElem(v, at, e.in)
	if !ok {
		return out
	}
	r.slot = slot
	r.in.res.slot = slot
	switch {
	case m.Name == "contained":
		r.in.contained, r.in.holder = true, e.in.holder
		r.in.fullURL, r.in.entry = e.in.fullURL, e.in.entry
	case e.typ == "Bundle.entry":
		r.in.fullURL, r.in.entry = e.v.Get("fullUrl").Text(), e.v
	}
	return append(out, r)
}
