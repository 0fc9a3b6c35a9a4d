package validate

import (
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// definition checks what a profile says about its base: that its elements
// exist there, keep within the cardinality and the types, that expressions can
// be read and discriminators name elements of what is sliced (FHIR R4 profiling.html).
func (c *check) definition(e elem) {
	constrains := e.v.Get("derivation").Text() == "constraint" && e.v.Get("kind").Text() != "logical" && r4.ShapeAt(e.v.Get("type").Text()) != nil
	for _, part := range []string{"snapshot", "differential"} {
		i := -1
		for el := range e.v.Get(part).Get("element").Elems() {
			i++
			at := elem{v: el, typ: "ElementDefinition", at: &step{&step{e.at, part, "", -1}, "element", "", i}, in: e.in}
			c.discriminators(at)
			if constrains && part == "differential" {
				c.narrows(at)
			}
			c.expressions(at)
		}
	}
}

func (c *check) discriminators(at elem) {
	content := contentAt(at.v)
	if content == "" {
		return
	}
	j := -1
	for d := range at.v.Get("slicing").Get("discriminator").Elems() {
		j++
		first, _, _ := strings.Cut(d.Get("path").Text(), ".")
		if first == "" || strings.HasPrefix(first, "$") || strings.Contains(first, "(") || hasElement(content, strings.TrimSuffix(first, "[x]")) {
			continue
		}
		place := &step{&step{at.at, "slicing", "", -1}, "discriminator", "", j}
		c.errorf(elem{v: d, at: place, in: at.in}, outcome.Value, "discriminator", "Đường dẫn phân biệt nêu một phần tử mà %[1]s không có.", "The path of the discriminator names an element that %[1]s does not have.", content)
	}
}

// narrows: a profile may only ask for more than its base, of elements that there are.
func (c *check) narrows(at elem) {
	path := at.v.Get("path").Text()
	slot, known := slotAt(path)
	if !known || slot == nil {
		if known && strings.Contains(path, ".") {
			c.errorf(at, outcome.Value, "element-unknown", "Kiểu gốc không có phần tử này.", "The base has no such element.")
		}
		return
	}
	if n, err := strconv.Atoi(at.v.Get("min").Text()); err == nil && n < slot.Min && at.v.Get("sliceName").Text() == "" && !strings.Contains(at.v.Get("id").Text(), ":") {
		c.errorf(at, outcome.Value, "element-min", "min thấp hơn của kiểu gốc (%[1]d).", "min is below that of the base (%[1]d).", slot.Min)
	}
	if most := at.v.Get("max").Text(); slot.Max == "1" && most != "" && most != "0" && most != "1" {
		c.errorf(at, outcome.Value, "element-max", "max cao hơn của kiểu gốc (1).", "max is above that of the base (1).")
	}
	for t := range at.v.Get("type").Elems() {
		if code := t.Get("code").Text(); code != "" && r4.ShapeAt(code) != nil && !allows(slot, code) {
			c.errorf(at, outcome.Value, "element-type", "Kiểu gốc không cho phép kiểu %[1]s ở đây.", "The base does not allow the type %[1]s here.", code)
		}
	}
}

// allows says whether an element of the base may be of a type.
func allows(s *r4.Slot, code string) bool {
	if len(s.Types) == 0 {
		return true
	}
	for _, t := range s.Types {
		for up := code; up != ""; up = parentOf(up) {
			if t.Code == up || strings.HasPrefix(t.Code, "System.") {
				return true
			}
		}
	}
	return false
}

// slotAt finds the element of a path that may lead through data types; known is
// false where the base definitions can't tell, as inside any resource.
func slotAt(path string) (slot *r4.Slot, known bool) {
	names := strings.Split(path, ".")
	shape := r4.ShapeAt(names[0])
	for i, name := range names[1:] {
		if shape == nil {
			return nil, false
		}
		s, m := memberOf(shape, name)
		if s == nil {
			return nil, true
		}
		slot, shape = s, nil
		if i < len(names)-2 {
			if m == nil {
				return nil, false
			}
			if shape = m.Shape(); m.Primitive != r4.None {
				shape = r4.ShapeAt("Element")
			}
		}
	}
	return slot, true
}

// memberOf finds what a step of a path names; the member is nil of a choice of several types.
func memberOf(s *r4.Shape, name string) (*r4.Slot, *r4.Member) {
	plain := strings.TrimSuffix(name, "[x]")
	if m := s.Member([]byte(plain)); m != nil {
		return &s.Slots[m.Slot], m
	}
	for i := range s.Slots {
		if s.Slots[i].Name == plain {
			return &s.Slots[i], nil
		}
	}
	return nil, nil
}

// expressions of invariants can be read.
func (c *check) expressions(at elem) {
	j := -1
	for x := range at.v.Get("constraint").Elems() {
		j++
		text := x.Get("expression").Text()
		if text == "" {
			continue
		}
		if _, err := fhirpath.Compile(text); err != nil && outcome.KindOf(err) == outcome.Invalid {
			place := elem{v: x, at: &step{at.at, "constraint", "", j}, in: at.in}
			c.errorf(place, outcome.Invalid, "element-expression", "Biểu thức FHIRPath không đọc được: %[1]s", "The FHIRPath expression can't be read: %[2]s", outcome.As(err).VI, outcome.As(err).EN)
		}
	}
}

// contentAt is the type, or the path, that says which elements stand below an
// element of a definition; "" when that is not known or not one.
func contentAt(el r4.Node) string {
	types := el.Get("type")
	path := el.Get("path").Text()
	base, ok := r4.ElementAt(path)
	switch {
	case types.Exists() && types.Len() == 1:
		code := types.First().Get("code").Text()
		if code != "BackboneElement" && code != "Element" {
			return known(code)
		}
	case types.Exists():
		return ""
	}
	if !ok || len(base.Types) != 1 {
		return ""
	}
	if code := base.Types[0].Code; code != "BackboneElement" && code != "Element" {
		return known(code)
	}
	return path
}

// known gives a type whose elements the tables have, but for those that stand for any resource.
func known(code string) string {
	if r4.ShapeAt(code) == nil || code == "Resource" || code == "DomainResource" || r4.PrimitiveOf(code) != r4.None {
		return ""
	}
	return code
}

func hasElement(content, name string) bool {
	s := r4.ShapeAt(content)
	if s == nil {
		return true
	}
	for i := range s.Slots {
		if s.Slots[i].Name == name || s.Slots[i].Choice && strings.HasPrefix(name, s.Slots[i].Name) {
			return true
		}
	}
	return false
}
