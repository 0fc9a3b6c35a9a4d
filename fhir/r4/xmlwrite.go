package r4

import (
	"bytes"
	"fmt"

	"github.com/ytso/ytso/fhir/outcome"
)

// AppendXML appends the resource in XML (FHIR R4 xml.html) without a
// declaration: elements in the order of the definition, numbers as written.
// What the tables don't know can't be written: the error names it.
func (d *Doc) AppendXML(b []byte) ([]byte, error) {
	w := writer{out: b}
	if err := w.resource(d.Root(), ` xmlns="`+nsFHIR+`"`); err != nil {
		return b, err
	}
	return w.out, nil
}

type writer struct {
	out  []byte
	path []step
	text []byte // of the value at hand
}

// fields are the members of an object by the slots of its shape.
type fields struct {
	member [64]*Member
	value  [64]Node
	beside [64]Node
}

func (w *writer) fail(n Node, key, vi, en string) error {
	line, column := n.Place()
	return outcome.New(outcome.Structure, "xml."+key, fmt.Sprintf("%s (dòng %d, cột %d)", vi, line, column),
		fmt.Sprintf("%s (line %d, column %d)", en, line, column)).At(pathText(w.path))
}

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.out = append(w.out, p...)
	}
}

func (w *writer) resource(n Node, space string) error {
	name, _ := n.Get("resourceType").Quoted()
	s := ResourceShape(name)
	if s == nil {
		return w.fail(n, "resource", "Không rõ loại tài nguyên (resourceType).", "The type of the resource (resourceType) is not known.")
	}
	if len(w.path) == 0 {
		w.path = append(w.path, step{s.Path, -1})
	}
	w.put("<", s.Path, space)
	return w.content(n, s, s.Path)
}

// content writes the members of n behind an open tag's name, and closes the tag.
func (w *writer) content(n Node, s *Shape, tag string) error {
	var f fields
	if err := w.sort(n, s, &f); err != nil {
		return err
	}
	for i, m := range f.member[:len(s.Slots)] {
		if m != nil && m.Attribute {
			if err := w.attribute(m.Name, f.value[i]); err != nil {
				return err
			}
		}
	}
	inside := false
	for i, m := range f.member[:len(s.Slots)] {
		if m == nil || m.Attribute {
			continue
		}
		if !inside {
			inside = true
			w.put(">")
		}
		if err := w.group(m, f.value[i], f.beside[i]); err != nil {
			return err
		}
	}
	if !inside {
		w.put("/>")
		return nil
	}
	w.put("</", tag, ">")
	return nil
}

// sort puts the members of n where they stand in the definition.
func (w *writer) sort(n Node, s *Shape, f *fields) error {
	if n.Kind() != Map {
		return w.fail(n, "type", "Phải là một đối tượng.", "This must be an object.")
	}
	for v := n.First(); v.Exists(); v = v.Next(n) {
		name := v.Name()
		if string(name) == "resourceType" && s.Resource {
			continue
		}
		plain, beside := bytes.CutPrefix(name, []byte("_"))
		m := s.Member(plain)
		if m == nil || beside && (m.Primitive == None || m.Primitive == XHTML || m.Attribute) {
			return w.fail(v, "unknown", fmt.Sprintf("%s không có phần tử %q.", s.Path, short(name)), fmt.Sprintf("%s has no element %q.", s.Path, short(name)))
		}
		if f.member[m.Slot] != nil && f.member[m.Slot] != m {
			return w.fail(v, "choice", "Chỉ được chọn một kiểu cho "+s.Slots[m.Slot].Name+"[x].", "Only one type may be chosen for "+s.Slots[m.Slot].Name+"[x].")
		}
		f.member[m.Slot] = m
		if beside {
			f.beside[m.Slot] = v
		} else {
			f.value[m.Slot] = v
		}
	}
	return nil
}

// group writes the elements of one name.
func (w *writer) group(m *Member, value, beside Node) error {
	w.path = append(w.path, step{m.Name, -1})
	defer func() { w.path = w.path[:len(w.path)-1] }()
	at := len(w.path) - 1
	if !m.Many {
		if value.Kind() == Array || beside.Kind() == Array {
			return w.fail(value, "type", "Phần tử này không được là mảng.", "This element must not be an array.")
		}
		return w.element(m, value, beside)
	}
	if value.Exists() && value.Kind() != Array || beside.Exists() && beside.Kind() != Array {
		return w.fail(value, "type", "Phần tử này phải là mảng.", "This element must be an array.")
	}
	v, x := value.First(), beside.First()
	for n := 0; v.Exists() || x.Exists(); n++ {
		w.path[at].index = n
		if err := w.element(m, v, x); err != nil {
			return err
		}
		v, x = v.Next(value), x.Next(beside)
	}
	return nil
}

func (w *writer) element(m *Member, value, beside Node) error {
	if m.Primitive == XHTML {
		return w.div(value)
	}
	if m.Primitive == None {
		w.put("<", m.Name)
		if s := m.Shape(); s != nil {
			return w.content(value, s, m.Name)
		}
		w.put(">")
		if err := w.resource(value, ""); err != nil {
			return err
		}
		w.put("</", m.Name, ">")
		return nil
	}
	has, more := value.Exists() && value.Kind() != Null, beside.Exists() && beside.Kind() != Null
	w.put("<", m.Name)
	if has {
		if value.Kind() == Map || value.Kind() == Array {
			return w.fail(value, "type", "Phải là một giá trị đơn.", "This must be a simple value.")
		}
		if err := w.attribute("value", value); err != nil {
			return err
		}
	}
	if !has && !more {
		return w.fail(value, "empty", "Phần tử rỗng không được phép.", "An empty element is not allowed.")
	}
	if !more {
		w.put("/>")
		return nil
	}
	return w.content(beside, extended(), m.Name)
}

func (w *writer) attribute(name string, v Node) error {
	switch v.Kind() {
	case String, Number, True, False:
	default:
		return w.fail(v, "type", "Phải là một giá trị đơn.", "This must be a simple value.")
	}
	w.put(" ", name, `="`)
	w.text = v.AppendText(w.text[:0])
	var ok bool
	if w.out, ok = appendEscaped(w.out, w.text); !ok {
		return w.fail(v, "control", "Có ký tự mà XML không cho phép.", "There is a character that XML does not allow.")
	}
	w.put(`"`)
	return nil
}

// appendEscaped appends text so that it may stand in an attribute or between
// tags; ok is false when XML can't hold one of its characters.
func appendEscaped(b, text []byte) (out []byte, ok bool) {
	ok = true
	from := 0
	for i := 0; i < len(text); i++ {
		var ref string
		switch c := text[i]; {
		case c == '&':
			ref = "&amp;"
		case c == '<':
			ref = "&lt;"
		case c == '>':
			ref = "&gt;"
		case c == '"':
			ref = "&quot;"
		case c == '\n':
			ref = "&#10;"
		case c == '\r':
			ref = "&#13;"
		case c == '\t':
			ref = "&#9;"
		case c < 0x20:
			return b, false
		case c == 0xEF && i+2 < len(text) && text[i+1] == 0xBF && text[i+2] >= 0xBE: // U+FFFE and U+FFFF
			return b, false
		default:
			continue
		}
		b = append(append(b, text[from:i]...), ref...)
		from = i + 1
	}
	return append(b, text[from:]...), ok
}

// div writes the narrative: the text it is, once it is known to be well-formed XHTML.
func (w *writer) div(v Node) error {
	if v.Kind() != String {
		return w.fail(v, "type", "Phải là một chuỗi.", "This must be a string.")
	}
	w.text = v.AppendText(w.text[:0])
	s, err := scan(w.text)
	defer s.release()
	if err != nil {
		return w.fail(v, "xhtml", "Phần mô tả (text.div) không phải XHTML đúng cách viết.", "The narrative (text.div) is not well-formed XHTML.")
	}
	t := &s.t
	root := &t.nodes[0]
	switch {
	case string(t.bytes(root.name)) != "div":
		return w.fail(v, "xhtml", "Phần mô tả phải nằm trong một phần tử div.", "The narrative must be one div element.")
	case root.space == spaceXHTML:
		w.out = append(w.out, t.bytes(root.all)...)
	case root.space == spaceNone && !root.prefixed: // the namespace was forgotten: here it would be FHIR's
		w.put(`<div xmlns="` + nsXHTML + `"`)
		w.out = append(w.out, t.src[root.name.to:root.all.to]...)
	default:
		return w.fail(v, "xhtml", "Phần mô tả không thuộc không gian tên XHTML.", "The narrative is not in the XHTML namespace.")
	}
	return nil
}
