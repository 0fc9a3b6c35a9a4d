package validate

import (
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// extraBinding is one more value set that an element is bound to (R5's additional binding, as an extension in R4).
type extraBinding struct{ purpose, set string }

const additional = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional"

func readBinding(b r4.Node) *binding {
	out := &binding{strength: b.Get("strength").Text(), set: b.Get("valueSet").Text()}
	for x := range b.Get("extension").Elems() {
		switch x.Get("url").Text() {
		case structures + "elementdefinition-maxValueSet":
			out.max = x.Get("valueCanonical").Text() + x.Get("valueUri").Text()
		case additional, "http://hl7.org/fhir/tools/StructureDefinition/additional-binding":
			var one extraBinding
			for part := range x.Get("extension").Elems() {
				switch part.Get("url").Text() {
				case "purpose":
					one.purpose = part.Get("valueCode").Text()
				case "valueSet":
					one.set = part.Get("valueCanonical").Text()
				}
			}
			out.more = append(out.more, one)
		}
	}
	return out
}

// answer is what is known of a code and a value set.
type answer uint8

const (
	open answer = iota // the value set, or a code system that it needs, is not at hand
	yes
	no
	none // the element holds no code
)

// vitalUnits are required of every component of a vital sign, but lack the
// units of what else panels hold (L/min of oxygen): the official validator warns only.
const vitalUnits = "http://hl7.org/fhir/ValueSet/ucum-vitals-common"

// bound holds the codes of an element against its binding (FHIR R4 terminologies.html#strength).
func (c *check) bound(e elem, b *binding) {
	if b.strength == "required" || b.strength == "extensible" {
		c.member(e, b.set, b.strength == "required" && !strings.HasPrefix(b.set, vitalUnits))
	}
	if b.max != "" {
		c.member(e, b.max, true)
	}
	for _, one := range b.more {
		if one.purpose == "required" || one.purpose == "maximum" {
			c.member(e, one.set, true)
		}
	}
}

func (c *check) member(e elem, set string, must bool) {
	if set == "" {
		return
	}
	switch a := c.inSet(e, set); {
	case a == open && must:
		c.warnf(e, outcome.NotSupported, "code-open", "Không kiểm tra được mã theo bộ mã %[1]s vì thiếu bộ mã hoặc bảng mã.", "The code could not be checked: the value set %[1]s or a code system that it needs is not at hand.", set)
	case a == no && must, a == none && must:
		c.errorf(e, outcome.Value, "binding", "Mã không thuộc bộ mã bắt buộc %[1]s.", "The code is not in the required value set %[1]s.", set)
	case a == no:
		c.warnf(e, outcome.Value, "binding-extensible", "Mã không thuộc bộ mã %[1]s; chỉ được dùng mã khác khi bộ mã không có mã phù hợp.", "The code is not in the value set %[1]s; another one is only right when none in it fits.", set)
	}
}

// inSet asks whether an element has a code of a value set. Of several codings one is enough.
func (c *check) inSet(e elem, set string) answer {
	switch {
	case e.primitive():
		if !e.v.Exists() {
			return yes // extensions may say why there is no code
		}
		return c.codeIn(set, term.Code{Code: e.v.Text()}, true)
	case e.is("CodeableConcept"):
		list := e.v.Get("coding")
		if list.Kind() != r4.Array {
			if onlyExtended(e.v) {
				return yes
			}
			return none
		}
		best := none
		for x := range list.Elems() {
			switch a := c.codingIn(set, x); {
			case a == yes:
				return yes
			case a == open || best == none:
				best = a
			}
		}
		return best
	case e.is("Coding") || e.is("Quantity"):
		if onlyExtended(e.v) {
			return yes
		}
		return c.codingIn(set, e.v)
	}
	return yes // no coded type: the binding says nothing
}

func (c *check) codingIn(set string, x r4.Node) answer {
	code := term.Code{System: x.Get("system").Text(), Version: x.Get("version").Text(), Code: x.Get("code").Text(), Display: ""}
	if code.Code == "" {
		return none
	}
	return c.codeIn(set, code, false)
}

func (c *check) codeIn(set string, code term.Code, anySystem bool) answer {
	if c.err != nil {
		return open
	}
	if c.v.terms == nil {
		return fromTables(set, code, anySystem)
	}
	verdict, err := c.v.terms.Member(c.ctx, set, code, anySystem)
	if err != nil {
		c.err = err
		return open
	}
	switch verdict {
	case term.Member:
		return yes
	case term.NotMember:
		return no
	}
	return fromTables(set, code, anySystem)
}

// fromTables asks the codes of the base definitions' required bindings.
func fromTables(set string, code term.Code, anySystem bool) answer {
	url, _, _ := strings.Cut(set, "|")
	codes := r4.CodesOf(url)
	switch {
	case codes == nil:
		return open
	case anySystem && codes.Has([]byte(code.Code)), codes.HasIn([]byte(code.System), []byte(code.Code)):
		return yes
	}
	return no
}

// memberOf answers memberOf() of an expression.
func (c *check) memberOf(set string, i fhirpath.Item) (bool, error) {
	e := elem{v: i.Node, typ: i.TypeName()}
	if i.Node.Kind() == r4.Map {
		e.shape = r4.ShapeAt(i.TypeName())
	}
	if !i.Node.Exists() { // a value that the expression made
		return c.asBool(c.codeIn(set, term.Code{Code: i.Text()}, true))
	}
	return c.asBool(c.inSet(e, set))
}

func (c *check) asBool(a answer) (bool, error) {
	if a == open {
		return false, errOpen
	}
	return a == yes, nil
}

// conformsTo answers conformsTo() of an expression about an element of e's resource.
func (c *check) conformsTo(e elem, url string, i fhirpath.Item) (bool, error) {
	p := c.profile(url)
	if c.err != nil {
		return false, c.err
	}
	if p == nil {
		return false, errOpen
	}
	of, ok := c.same(e, i)
	if !ok {
		return false, errOpen
	}
	if p.doc == nil {
		return of.is(p.typ), nil
	}
	return of.is(p.typ) && c.conforms(of, p), nil
}

// same finds the element that an item of an expression is.
func (c *check) same(e elem, i fhirpath.Item) (elem, bool) {
	if i.Node == e.v {
		return e, true
	}
	if i.Node == e.in.res.v {
		return e.in.res, true
	}
	if i.Node.Get("resourceType").Exists() {
		return resourceElem(i.Node, &step{name: "resource", index: -1}, e.in)
	}
	if s := r4.ShapeAt(i.Path); s != nil && i.Node.Exists() {
		return elem{v: i.Node, typ: s.Path, shape: s, at: e.at, in: e.in}, true
	}
	return elem{}, false
}
