package validate

import (
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// definition checks what a StructureDefinition says about slicing: that the
// discriminators name elements of what is sliced (FHIR R4 profiling.html#discriminator).
func (c *check) definition(e elem) {
	for _, part := range []string{"snapshot", "differential"} {
		i := -1
		for el := range e.v.Get(part).Get("element").Elems() {
			i++
			content := contentAt(el)
			if content == "" {
				continue
			}
			j := -1
			for d := range el.Get("slicing").Get("discriminator").Elems() {
				j++
				first, _, _ := strings.Cut(d.Get("path").Text(), ".")
				if first == "" || strings.HasPrefix(first, "$") || strings.Contains(first, "(") || hasElement(content, strings.TrimSuffix(first, "[x]")) {
					continue
				}
				at := &step{&step{&step{&step{e.at, part, "", -1}, "element", "", i}, "slicing", "", -1}, "discriminator", "", j}
				c.errorf(elem{v: d, at: at, in: e.in}, outcome.Value, "discriminator", "Đường dẫn phân biệt nêu một phần tử mà %[1]s không có.", "The path of the discriminator names an element that %[1]s does not have.", content)
			}
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
