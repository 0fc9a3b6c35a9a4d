package r4

import (
	"strings"
	"sync/atomic"
)

// Shape is what may stand inside a value: the elements of a type, or of a part
// of a type, in the order of the definition. It is made when first asked for.
type Shape struct {
	Path     string // "Patient", "Patient.contact", "HumanName"
	Resource bool
	Slots    []Slot
	Required uint64 // bit i: slot i must be filled
	members  map[string]*Member
}

// Slot is one element of a Shape; a choice is one slot with a Member per type.
type Slot struct {
	*Element
	Name   string // "contact", "value" of value[x]
	Choice bool
	Many   bool // an array in JSON
}

// Member is one name that a Shape may hold: "contact", "valueQuantity".
type Member struct {
	Name      string
	Slot      int // place in Shape.Slots
	Many      bool
	Attribute bool // an attribute in XML
	Type      Type
	Primitive Primitive
	Codes     *Codes // the codes of a required binding, nil when the tables have none
	path      string // of the content's definition
	shape     atomic.Pointer[Shape]
}

// Primitive is the kind of a primitive type; None is a complex one.
type Primitive uint8

// The primitive types (FHIR R4 datatypes.html#primitive).
const (
	None Primitive = iota
	Base64Binary
	Boolean
	Canonical
	Code
	Date
	DateTime
	Decimal
	ID
	Instant
	Integer
	Markdown
	OID
	PositiveInt
	Text
	Time
	UnsignedInt
	URI
	URL
	UUID
	XHTML
	ElementID // the id of an element, which is no resource: any text without white space
)

var primitives = map[string]Primitive{
	"base64Binary": Base64Binary, "boolean": Boolean, "canonical": Canonical, "code": Code, "date": Date, "dateTime": DateTime,
	"decimal": Decimal, "id": ID, "instant": Instant, "integer": Integer, "markdown": Markdown, "oid": OID, "positiveInt": PositiveInt,
	"string": Text, "time": Time, "unsignedInt": UnsignedInt, "uri": URI, "url": URL, "uuid": UUID, "xhtml": XHTML,
}

// PrimitiveOf gives the kind of a primitive type by its name, None for every other name.
func PrimitiveOf(name string) Primitive { return primitives[name] }

// String is the type's name in FHIR.
func (p Primitive) String() string {
	for name, k := range primitives {
		if k == p {
			return name
		}
	}
	if p == ElementID {
		return "string"
	}
	return ""
}

// Number says whether a primitive is a number in JSON; boolean aside, all others are strings (FHIR R4 json.html#primitive).
func (p Primitive) Number() bool {
	return p == Decimal || p == Integer || p == PositiveInt || p == UnsignedInt
}

// ResourceShape gives the shape of a resource type that can be instantiated, nil when there is none of that name.
func ResourceShape(name []byte) *Shape {
	t, ok := official().types[string(name)]
	if !ok {
		return nil
	}
	if s := t.shape.Load(); s != nil {
		return s
	}
	if !t.isResource() {
		return nil
	}
	return t.shapeAt(t.name)
}

// ShapeAt gives the shape of a type or of a part of one; nil when nothing stands under the path.
func ShapeAt(path string) *Shape {
	name, _, _ := strings.Cut(path, ".")
	t, ok := official().types[name]
	if !ok {
		return nil
	}
	return t.shapeAt(path)
}

func (t *definition) shapeAt(path string) *Shape {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, ok := t.made[path]; ok {
		return s
	}
	s := newShape(path, childrenOf(path))
	if t.made == nil {
		t.made = map[string]*Shape{}
	}
	t.made[path] = s
	if path == t.name && t.isResource() {
		s.Resource = true
		t.shape.Store(s)
	}
	return s
}

func newShape(path string, elements []*Element) *Shape {
	if len(elements) == 0 {
		return nil
	}
	s := &Shape{Path: path, Slots: make([]Slot, len(elements)), members: make(map[string]*Member, len(elements))}
	for i, e := range elements {
		name := e.Path[len(path)+1:]
		slot := Slot{Element: e, Name: strings.TrimSuffix(name, "[x]"), Choice: strings.HasSuffix(name, "[x]"), Many: e.Max != "1" && e.Max != "0"}
		s.Slots[i] = slot
		if e.Min > 0 {
			s.Required |= 1 << i
		}
		types := e.Types
		if len(types) == 0 {
			types = []Type{{}} // content that repeats another element's
		}
		for _, t := range types {
			m := newMember(slot, i, t)
			s.members[m.Name] = m
		}
	}
	return s
}

func newMember(slot Slot, i int, t Type) *Member {
	m := &Member{Name: slot.Name, Slot: i, Many: slot.Many, Attribute: slot.Attribute, Type: t, Primitive: primitives[t.Code], path: t.Code}
	if slot.Choice {
		m.Name += strings.ToUpper(t.Code[:1]) + t.Code[1:]
	}
	switch {
	case slot.SameAs != "":
		m.path = slot.SameAs
	case t.Code == "BackboneElement" || t.Code == "Element":
		if m.path = slot.Path; len(childrenOf(slot.Path)) == 0 {
			m.path = t.Code
		}
	case t.Code == "System.String": // the three elements that are of no FHIR type: the ids and Extension.url
		m.Primitive = ElementID
		switch {
		case slot.Name == "url":
			m.Primitive = URI
		case !slot.Attribute:
			m.Primitive = ID
		}
	}
	if m.Primitive == None || m.Primitive == Code || m.Primitive == Text || m.Primitive == URI {
		m.Codes = CodesOf(slot.ValueSet)
	}
	return m
}

// Member gives what a name stands for, nil when the shape has no such name.
func (s *Shape) Member(name []byte) *Member { return s.members[string(name)] }

// Names lists the names that a shape may hold, in no order.
func (s *Shape) Names() []string {
	out := make([]string, 0, len(s.members))
	for name := range s.members {
		out = append(out, name)
	}
	return out
}

// Shape is the content of the member; nil of a primitive, and of a member that holds a whole resource.
func (m *Member) Shape() *Shape {
	if m.Primitive != None || m.Type.Code == "Resource" {
		return nil
	}
	if s := m.shape.Load(); s != nil {
		return s
	}
	s := ShapeAt(m.path)
	m.shape.Store(s)
	return s
}

// extended is the content of an element of primitive type beside its value: id and extensions (FHIR R4 json.html#primitive).
func extended() *Shape { return ShapeAt("Element") }
