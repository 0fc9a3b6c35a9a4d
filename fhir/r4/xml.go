package r4

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// MaxXML bounds the size of a resource in XML.
const MaxXML = 64 << 20

// maxXMLDepth bounds the nesting of the JSON made: what an innermost object still holds must not pass MaxDepth.
const maxXMLDepth = MaxDepth - 4

// ParseXML reads a resource in XML (FHIR R4 xml.html) into the Doc that its
// JSON form would give: numbers keep their text, ids and extensions of
// primitives stand in _name members, the narrative stays the text it is.
// Strict: namespaces, names, order, repetition; no DOCTYPE, no entities.
// The error names line and column, and the path of the element in Expression.
// src is kept, not copied.
func ParseXML(src []byte) (*Doc, error) {
	if len(src) > MaxXML {
		return nil, outcome.New(outcome.TooLong, "xml.too-long", "Tài nguyên quá lớn.", "The resource is too large.")
	}
	s, err := scan(src)
	defer s.release()
	if err != nil {
		return nil, err
	}
	c := &converter{t: &s.t, out: make([]byte, 0, len(src))}
	if err := c.resource(0, 0); err != nil {
		return nil, err
	}
	d, err := Parse(c.out)
	if err != nil {
		return nil, err
	}
	d.xml = &origin{src, c.places}
	return d, nil
}

// converter writes the JSON of an XML tree, by the tables.
type converter struct {
	t      *xtree
	out    []byte
	places []place
	path   []step
}

// step is one part of the path to the element at hand; index -1: it doesn't repeat.
type step struct {
	name  string
	index int
}

func (c *converter) fail(i int32, key, vi, en string) error {
	return c.failAt(int(c.t.nodes[i].all.from), key, vi, en)
}

func (c *converter) failAt(at int, key, vi, en string) error {
	return xmlFault(c.t.src, at, key, vi, en).At(pathText(c.path))
}

func pathText(path []step) string {
	var b strings.Builder
	for i, s := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	return b.String()
}

// mark notes that what is written next comes from a place of the XML.
func (c *converter) mark(at int32) { c.places = append(c.places, place{int32(len(c.out)), at}) }

// resource writes element i, which is a resource.
func (c *converter) resource(i int32, depth int) error {
	n := &c.t.nodes[i]
	name := c.t.bytes(n.name)
	if n.space != spaceFHIR {
		return c.fail(i, "namespace", "Phần tử gốc phải thuộc không gian tên http://hl7.org/fhir.", "The root element must be in the namespace http://hl7.org/fhir.")
	}
	s := ResourceShape(name)
	if s == nil {
		return c.fail(i, "resource", fmt.Sprintf("%q không phải loại tài nguyên của FHIR R4.", short(name)), fmt.Sprintf("%q is no resource type of FHIR R4.", short(name)))
	}
	if len(c.path) == 0 {
		c.path = append(c.path, step{s.Path, -1})
		defer func() { c.path = c.path[:0] }()
	}
	c.mark(n.all.from)
	c.out = append(append(append(c.out, `{"resourceType":"`...), s.Path...), '"')
	return c.content(i, s, depth, false)
}

// short keeps what a stranger wrote from filling a sentence.
func short(b []byte) string {
	if len(b) > 60 {
		b = b[:60]
	}
	return strings.ToValidUTF8(string(b), "")
}

// element writes element i of a complex type as an object.
func (c *converter) element(i int32, s *Shape, depth int) error {
	c.mark(c.t.nodes[i].all.from)
	c.out = append(c.out, '{')
	return c.content(i, s, depth, true)
}

// content writes attributes and children of element i as members, and closes the object.
// empty: nothing has been written into the object yet.
func (c *converter) content(i int32, s *Shape, depth int, empty bool) error {
	if depth > maxXMLDepth {
		return c.fail(i, "depth", "XML lồng quá sâu.", "The XML is nested too deeply.")
	}
	n := &c.t.nodes[i]
	if n.loose >= 0 {
		return c.failAt(int(n.loose), "text", "Có chữ nằm ngoài thuộc tính value.", "There is text that is in no value attribute.")
	}
	from := len(c.out)
	if err := c.attributes(i, s); err != nil {
		return err
	}
	last := -1
	for j := i + 1; j < n.next; {
		m, err := c.member(j, s, last)
		if err != nil {
			return err
		}
		last = m.Slot
		end, count := c.run(j, n.next)
		if count > 1 && !m.Many {
			return c.fail(c.t.nodes[j].next, "repeated", "Phần tử chỉ được đứng một lần: "+m.Name+".", "This element may stand only once: "+m.Name+".")
		}
		if err := c.group(j, end, count, m, depth+1); err != nil {
			return err
		}
		j = end
	}
	if len(c.out) == from && empty {
		return c.fail(i, "empty", "Phần tử rỗng không được phép.", "An empty element is not allowed.")
	}
	c.out = append(c.out, '}')
	return nil
}

// name begins a member.
func (c *converter) name(prefix, name string) {
	if c.out[len(c.out)-1] != '{' {
		c.out = append(c.out, ',')
	}
	c.out = append(append(append(append(c.out, '"'), prefix...), name...), '"', ':')
}

// attributes writes id and url of a complex element.
func (c *converter) attributes(i int32, s *Shape) error {
	n := &c.t.nodes[i]
	for k := n.attrs.from; k < n.attrs.to; k++ {
		a := &c.t.attrs[k]
		if a.declares || a.space == spaceXSI { // xsi:schemaLocation says nothing of the content
			continue
		}
		m := s.Member(c.t.bytes(a.name))
		if m == nil || !m.Attribute || a.prefixed {
			return c.unknownAttribute(a)
		}
		if err := c.attribute(a, m.Name); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) unknownAttribute(a *xattr) error {
	name := short(c.t.bytes(a.name))
	return c.failAt(int(a.name.from), "attribute", "Thuộc tính không được phép ở đây: "+name+".", "This attribute is not allowed here: "+name+".")
}

func (c *converter) attribute(a *xattr, name string) error {
	v := c.t.value(a)
	if len(v) == 0 {
		return c.failAt(int(a.name.from), "empty", "Giá trị rỗng không được phép.", "An empty value is not allowed.")
	}
	c.name("", name)
	c.mark(a.value.from)
	c.out = AppendString(c.out, string(v))
	return nil
}

// member finds what element j is in the shape, and that it stands behind what came before it.
func (c *converter) member(j int32, s *Shape, last int) (*Member, error) {
	n := &c.t.nodes[j]
	name := c.t.bytes(n.name)
	m := s.Member(name)
	if m == nil || m.Attribute {
		return nil, c.fail(j, "unknown", fmt.Sprintf("%s không có phần tử %q.", s.Path, short(name)), fmt.Sprintf("%s has no element %q.", s.Path, short(name)))
	}
	want := spaceFHIR
	if m.Primitive == XHTML {
		want = spaceXHTML
	}
	switch {
	case n.space != want:
		return nil, c.fail(j, "namespace", "Phần tử thuộc sai không gian tên: "+m.Name+".", "This element is in a wrong namespace: "+m.Name+".")
	case m.Slot == last && s.Slots[m.Slot].Choice:
		return nil, c.fail(j, "choice", "Chỉ được chọn một kiểu cho "+s.Slots[m.Slot].Name+"[x].", "Only one type may be chosen for "+s.Slots[m.Slot].Name+"[x].")
	case m.Slot <= last:
		return nil, c.fail(j, "order", "Phần tử đứng sai thứ tự: "+m.Name+".", "This element stands in a wrong place of the order: "+m.Name+".")
	}
	return m, nil
}

// run finds the end of the elements of one name, and their number.
func (c *converter) run(j, end int32) (int32, int) {
	first := &c.t.nodes[j]
	count := 0
	for j < end && bytes.Equal(c.t.bytes(c.t.nodes[j].name), c.t.bytes(first.name)) {
		j = c.t.nodes[j].next
		count++
	}
	return j, count
}

// group writes the elements of one name: a value or an array, and beside
// primitives what else they hold.
func (c *converter) group(j, end int32, count int, m *Member, depth int) error {
	c.path = append(c.path, step{m.Name, -1})
	defer func() { c.path = c.path[:len(c.path)-1] }()
	if count >= 1<<16-1 {
		return c.fail(j, "array", "Phần tử lặp quá nhiều lần.", "An element is repeated too often.")
	}
	if m.Primitive == None || m.Primitive == XHTML {
		c.name("", m.Name)
		return c.list(j, end, m, func(i int32) error { return c.complex(i, m, depth+1) })
	}
	valued, more := false, false
	for i := j; i < end; i = c.t.nodes[i].next {
		v, x, err := c.primitive(i)
		if err != nil {
			return err
		}
		valued, more = valued || v != nil, more || x
	}
	if valued {
		c.name("", m.Name)
		if err := c.list(j, end, m, func(i int32) error { return c.value(i, m) }); err != nil {
			return err
		}
	}
	if !more {
		return nil
	}
	c.name("_", m.Name)
	return c.list(j, end, m, func(i int32) error { return c.beside(i, depth+1) })
}

// list writes a value, or an array where the element may repeat.
func (c *converter) list(j, end int32, m *Member, write func(int32) error) error {
	at := len(c.path) - 1
	if m.Many {
		c.mark(c.t.nodes[j].all.from)
		c.out = append(c.out, '[')
	}
	for i, n := j, 0; i < end; i, n = c.t.nodes[i].next, n+1 {
		if m.Many {
			c.path[at].index = n
			if n > 0 {
				c.out = append(c.out, ',')
			}
		}
		if err := write(i); err != nil {
			return err
		}
	}
	if m.Many {
		c.out = append(c.out, ']')
	}
	return nil
}

func (c *converter) complex(i int32, m *Member, depth int) error {
	if m.Primitive == XHTML {
		if err := c.pure(i); err != nil {
			return err
		}
		c.mark(c.t.nodes[i].all.from)
		c.out = AppendString(c.out, string(c.t.div(i)))
		return nil
	}
	if s := m.Shape(); s != nil {
		return c.element(i, s, depth)
	}
	// The element holds one resource.
	n := &c.t.nodes[i]
	if n.loose >= 0 {
		return c.failAt(int(n.loose), "text", "Có chữ nằm ngoài thuộc tính value.", "There is text that is in no value attribute.")
	}
	for k := n.attrs.from; k < n.attrs.to; k++ {
		if a := &c.t.attrs[k]; !a.declares && a.space != spaceXSI {
			return c.unknownAttribute(a)
		}
	}
	if !n.hasChildren || c.t.nodes[i+1].next < n.next {
		return c.fail(i, "resource", "Phần tử này phải chứa đúng một tài nguyên.", "This element must hold exactly one resource.")
	}
	return c.resource(i+1, depth)
}

// pure checks that nothing inside a narrative is of another namespace than XHTML.
func (c *converter) pure(i int32) error {
	for j := i; j < c.t.nodes[i].next; j++ {
		n := &c.t.nodes[j]
		foreign := n.space != spaceXHTML
		for k := n.attrs.from; k < n.attrs.to; k++ {
			a := &c.t.attrs[k]
			foreign = foreign || a.prefixed && !a.declares && a.space != spaceXML
		}
		if foreign {
			return c.fail(j, "namespace", "Phần mô tả chứa phần tử hoặc thuộc tính không phải XHTML.", "The narrative holds an element or attribute that is not XHTML.")
		}
	}
	return nil
}

// primitive gives the value attribute of element i, and whether it holds an id or extensions too.
func (c *converter) primitive(i int32) (value *xattr, more bool, err error) {
	n := &c.t.nodes[i]
	more = n.hasChildren
	for k := n.attrs.from; k < n.attrs.to; k++ {
		a := &c.t.attrs[k]
		switch name := c.t.bytes(a.name); {
		case a.declares || a.space == spaceXSI:
		case string(name) == "value" && !a.prefixed:
			if value = a; a.value.from == a.value.to {
				return nil, false, c.failAt(int(a.name.from), "empty", "Giá trị rỗng không được phép.", "An empty value is not allowed.")
			}
		case string(name) == "id" && !a.prefixed:
			more = true
		default:
			return nil, false, c.unknownAttribute(a)
		}
	}
	if n.loose >= 0 {
		return nil, false, c.failAt(int(n.loose), "text", "Có chữ nằm ngoài thuộc tính value.", "There is text that is in no value attribute.")
	}
	if value == nil && !n.hasChildren { // ele-1: an id alone says nothing
		return nil, false, c.fail(i, "empty", "Phần tử rỗng không được phép.", "An empty element is not allowed.")
	}
	return value, more, nil
}

// value writes the value of a primitive, null where there is none.
func (c *converter) value(i int32, m *Member) error {
	a, _, err := c.primitive(i)
	if err != nil {
		return err
	}
	c.mark(c.t.nodes[i].all.from)
	if a == nil {
		c.out = append(c.out, "null"...)
		return nil
	}
	v := c.t.value(a)
	switch {
	case m.Primitive == Boolean:
		if s := string(v); s != "true" && s != "false" {
			return c.failAt(int(a.value.from), "boolean", "Giá trị phải là true hoặc false.", "The value must be true or false.")
		}
		c.out = append(c.out, v...)
	case m.Primitive.Number():
		if !isNumber(v) {
			return c.failAt(int(a.value.from), "number", "Giá trị không phải là số đúng cách viết.", "The value is not a well-written number.")
		}
		c.out = append(c.out, v...)
	default:
		c.out = AppendString(c.out, string(v))
	}
	return nil
}

// isNumber says whether a text is a number as JSON and FHIR write it.
func isNumber(v []byte) bool {
	p := parser{d: &Doc{src: v}}
	return len(v) > 0 && p.number() == nil && p.at == len(v)
}

// beside writes id and extensions of a primitive, null where there are none.
func (c *converter) beside(i int32, depth int) error {
	_, more, err := c.primitive(i)
	if err != nil {
		return err
	}
	if !more {
		c.out = append(c.out, "null"...)
		return nil
	}
	n := &c.t.nodes[i]
	c.mark(n.all.from)
	c.out = append(c.out, '{')
	for k := n.attrs.from; k < n.attrs.to; k++ {
		if a := &c.t.attrs[k]; !a.declares && string(c.t.bytes(a.name)) == "id" {
			if err := c.attribute(a, "id"); err != nil {
				return err
			}
		}
	}
	if depth > maxXMLDepth {
		return c.fail(i, "depth", "XML lồng quá sâu.", "The XML is nested too deeply.")
	}
	if n.hasChildren {
		return c.extensions(i, depth)
	}
	c.out = append(c.out, '}')
	return nil
}

// extensions writes the children of a primitive: they are extensions and nothing else.
func (c *converter) extensions(i int32, depth int) error {
	m, err := c.member(i+1, extended(), -1)
	if err != nil {
		return err
	}
	end, count := c.run(i+1, c.t.nodes[i].next)
	if end < c.t.nodes[i].next {
		_, err := c.member(end, extended(), m.Slot)
		return err
	}
	if err := c.group(i+1, end, count, m, depth+1); err != nil {
		return err
	}
	c.out = append(c.out, '}')
	return nil
}
