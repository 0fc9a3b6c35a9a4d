package patch

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// given is a value of a FHIRPath Patch and what it will be in its place.
type given struct {
	member *r4.Member
	value  *value // nil: a primitive without a value
	beside *value // of a primitive: id and extensions
}

// give reads the value part of an operation for the element named in the
// shape: value[x], a resource, or the parts of a type that has no name
// (FHIR R4 fhirpatch.html). An error when its type is wrong for the place.
func give(shape *r4.Shape, named string, part r4.Node, depth int) (*given, error) {
	if shape == nil {
		return nil, unfit("element", "Không có định nghĩa cho chỗ này.", "There is no definition for this place.")
	}
	if depth > r4.MaxDepth/2 {
		return nil, malformed("Bản vá lồng quá sâu.", "The patch is nested too deeply.")
	}
	datatype, v, beside, err := valueOf(part)
	if err != nil {
		return nil, err
	}
	m := memberOf(shape, named, datatype)
	if m == nil {
		return nil, unfit("element", shape.Path+" không có phần tử "+short(named)+" với kiểu này.", shape.Path+" has no element "+short(named)+" of this type.")
	}
	g := &given{member: m}
	if datatype == "" {
		if m.Primitive != r4.None || m.Shape() == nil {
			return nil, mistyped(m)
		}
		g.value, err = assemble(m.Shape(), part, depth)
		return g, err
	}
	if !fits(m, datatype, v) {
		return nil, mistyped(m)
	}
	if v.Exists() {
		g.value = newValue(v.Raw())
	}
	if beside.Exists() {
		g.beside = newValue(beside.Raw())
	}
	return g, nil
}

func mistyped(m *r4.Member) error {
	return unfit("type", "Kiểu của giá trị không đúng với phần tử "+m.Name+".", "The type of the value is wrong for the element "+m.Name+".")
}

// valueOf finds what a part holds: value[x] with its type ("CodeableConcept",
// "Code"), a resource ("Resource"), or parts ("").
func valueOf(part r4.Node) (datatype string, v, beside r4.Node, err error) {
	forms := 0
	for name, n := range part.Members() {
		plain, isBeside := strings.CutPrefix(name, "_")
		t, isValue := strings.CutPrefix(plain, "value")
		switch {
		case isValue && t != "":
			if datatype != t {
				forms++
			}
			datatype = t
			if isBeside {
				beside = n
			} else {
				v = n
			}
		case name == "resource":
			forms++
			datatype, v = "Resource", n
		case name == "part":
			forms++
		case name != "name":
			forms = 2 // extensions of the parameter say nothing that could be carried out
		}
	}
	if forms != 1 {
		return "", v, beside, malformed("Giá trị của thao tác phải là đúng một value[x], resource hoặc part.",
			"The value of an operation must be exactly one of value[x], resource and part.")
	}
	return datatype, v, beside, nil
}

// memberOf finds the member of a name: "birthDate", "value" or "value[x]" with its type, "valueQuantity".
func memberOf(shape *r4.Shape, named, datatype string) *r4.Member {
	if shape == nil {
		return nil
	}
	base := strings.TrimSuffix(named, "[x]")
	if m := shape.Member([]byte(named)); m != nil {
		if !shape.Slots[m.Slot].Choice {
			return m
		}
		base = shape.Slots[m.Slot].Name
	}
	for _, s := range shape.Slots {
		if s.Choice && s.Name == base {
			return shape.Member([]byte(base + datatype))
		}
	}
	return nil
}

// fits says whether a value of that type may stand in the member: complex ones
// must be of its type; of primitives, those that Parameters can't hold
// (xhtml, the ids of elements) come as string, so only the kind of JSON counts
// and the validator looks at the text.
func fits(m *r4.Member, datatype string, v r4.Node) bool {
	if m.Primitive == r4.None {
		code := m.Type.Code
		return strings.EqualFold(code[:min(1, len(code))], datatype[:1]) && code[min(1, len(code)):] == datatype[1:] && v.Kind() == r4.Map ||
			quantities[code] && quantities[datatype] && v.Kind() == r4.Map
	}
	if r4.PrimitiveOf(strings.ToLower(datatype[:1])+datatype[1:]) == r4.None {
		return false
	}
	switch v.Kind() {
	case r4.Absent:
		return true
	case r4.True, r4.False:
		return m.Primitive == r4.Boolean
	case r4.Number:
		return m.Primitive.Number()
	case r4.String:
		return m.Primitive != r4.Boolean && !m.Primitive.Number()
	}
	return false
}

var quantities = map[string]bool{"Quantity": true, "SimpleQuantity": true, "MoneyQuantity": true, "Age": true, "Count": true, "Distance": true, "Duration": true}

// assemble makes the object of a type without a name from parts.
func assemble(shape *r4.Shape, part r4.Node, depth int) (*value, error) {
	v := &value{opens: '{', open: true}
	for sub := range part.Get("part").Elems() {
		if err := put(v, shape, sub.Get("name").Text(), sub, depth+1); err != nil {
			return nil, err
		}
	}
	return v, nil
}
