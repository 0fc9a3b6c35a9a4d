package fhirpath

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/r4"
)

// class is a type of FHIR, or an element that defines its own children, as the
// tables of r4 describe it ("Patient", "HumanName", "Patient.contact", "code").
type class struct {
	name      string // path in the definitions
	primitive bool
	resource  bool
	abstract  bool // Resource, DomainResource: what it holds is told by the data
	fields    map[string]*field
	members   map[string]*field // by name in JSON: a choice has one for each of its types
}

// field is an element of a class.
type field struct {
	name    string
	typ     string // name of its class; "" when it is a choice
	choices []*field
	json    string // name in JSON
	sibling string // name in JSON of what stands beside a primitive value: "_birthDate"
	picked  bool   // one type of a choice
	class   atomic.Pointer[class]
}

// of is the class of the field's values; nil when the data tells (a resource).
func (f *field) of() *class {
	c := f.class.Load()
	if c == nil {
		if c = classOf(f.typ); c != nil {
			f.class.Store(c)
		}
	}
	return c
}

var classes sync.Map // path → *class: read from the tables once, then never changed

// classOf gives the class of a path; nil when the definitions have none.
func classOf(path string) *class {
	if c, ok := classes.Load(path); ok {
		return c.(*class)
	}
	if _, ok := r4.ElementAt(path); !ok || path == "" {
		return nil
	}
	c, _ := classes.LoadOrStore(path, read(path))
	return c.(*class)
}

func read(path string) *class {
	r, _ := utf8.DecodeRuneInString(path)
	c := &class{name: path, primitive: unicode.IsLower(r), fields: map[string]*field{}, members: map[string]*field{}}
	c.abstract = path == "Resource" || path == "DomainResource"
	c.resource = c.abstract || r4.IsResource(path)
	for _, e := range r4.Children(path) {
		name, choice := strings.CutSuffix(e.Path[len(path)+1:], "[x]")
		f := &field{name: name, json: name, sibling: "_" + name}
		c.fields[name] = f
		if !choice {
			f.typ = typeOf(e, c)
			c.members[name] = f
			continue
		}
		for _, t := range e.Types {
			m := name + strings.ToUpper(t.Code[:1]) + t.Code[1:]
			one := &field{name: name, typ: t.Code, json: m, sibling: "_" + m, picked: true}
			f.choices = append(f.choices, one)
			c.members[m] = one
		}
	}
	return c
}

// typeOf is the class of an element: its one type, or itself when it defines children.
func typeOf(e *r4.Element, in *class) string {
	switch {
	case e.SameAs != "":
		return e.SameAs
	case len(e.Types) != 1:
		return e.Path
	}
	switch t := e.Types[0].Code; {
	case t == "BackboneElement" || t == "Element":
		return e.Path
	case t == "System.String" && in.primitive: // string.value
		return t
	case t == "System.String" && in.resource: // FHIR R4 resource.html: Resource.id is an id
		return "id"
	case t == "System.String" && e.Path == "Extension.url":
		return "uri"
	case t == "System.String":
		return "string"
	default:
		return t
	}
}

// parents are the types from which others derive (FHIR R4 datatypes.html).
// The tables hold snapshots and don't tell.
var parents = map[string]string{
	"code": "string", "id": "string", "markdown": "string", "url": "uri", "canonical": "uri", "uuid": "uri", "oid": "uri",
	"positiveInt": "integer", "unsignedInt": "integer",
	"Age": "Quantity", "Count": "Quantity", "Distance": "Quantity", "Duration": "Quantity", "MoneyQuantity": "Quantity", "SimpleQuantity": "Quantity",
	"DomainResource": "Resource", "Bundle": "Resource", "Binary": "Resource", "Parameters": "Resource", "BackboneElement": "Element",
}

// parent is the type that a class derives from, "" at the top.
func (c *class) parent() string {
	switch p := parents[c.name]; {
	case p != "":
		return p
	case c.name == "Resource" || c.name == "Element":
		return ""
	case c.resource:
		return "DomainResource"
	case c.fields["modifierExtension"] != nil:
		return "BackboneElement"
	}
	return "Element"
}

// kindOf is the name of a class in the type system: an element with children of its own is a BackboneElement or an Element.
func (c *class) typeName() string {
	if strings.Contains(c.name, ".") {
		return c.parent()
	}
	return c.name
}

// is says whether a class is of a type or derives from it.
func (c *class) is(name string) bool {
	for n := c.typeName(); n != ""; {
		if n == name {
			return true
		}
		up := classOf(n)
		if up == nil {
			return false
		}
		n = up.parent()
	}
	return c.name == name
}

// system lists the types of FHIRPath itself (N1 §10.1).
var system = []string{"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any"}

// known says whether a type exists.
func (t typeRef) known() bool {
	if t.space == "System" {
		return true // is() answers false of a type that System does not have
	}
	if t.space == "" {
		for _, s := range system {
			if t.name == s {
				return true
			}
		}
	}
	if t.space != "" && t.space != "FHIR" {
		return false
	}
	return (classOf(t.name) != nil || parents[t.name] != "") && !strings.Contains(t.name, ".")
}

// is says whether an item is of a type; only exactly, or of one derived from it too.
func (i Item) is(t typeRef, exactly bool) bool {
	if i.v != nil {
		if r, ok := i.v.(resolved); ok {
			return t.space != "System" && (r.typ == t.name || classOf(r.typ) != nil && classOf(r.typ).is(t.name))
		}
		return t.space != "FHIR" && (systemType(i.v) == t.name || t.name == "Any")
	}
	if t.space == "System" || i.class == nil {
		return t.space != "System" && (i.Type != "" && i.Type == t.name)
	}
	if exactly && i.class.primitive {
		return i.class.name == t.name
	}
	return i.class.is(t.name)
}
