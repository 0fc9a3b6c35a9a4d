package fhirmap

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// place is an element that a row is written to or read from. Where a field
// belongs is said once, by a function over a place that runs in both
// directions, so the way back can't drift from the way there.
type place struct {
	out  *r4.Object // of what is being written
	in   r4.Node    // of what is being read: out is nil
	exts *list      // where extensions are gathered that are many, else nil
	memo memo       // concepts written before
}

func (p place) writing() bool { return p.out != nil }

// fix writes what no field holds.
func (p place) fix(name string, value any) {
	if p.writing() {
		p.out.Add(name, value)
	}
}

// at goes into an element.
func (p place) at(name string, inside func(place)) {
	if !p.writing() {
		inside(place{in: p.in.Get(name)})
		return
	}
	o := make(r4.Object, 0, 4)
	inside(place{out: &o, memo: p.memo})
	if len(o) > 0 {
		p.out.Add(name, o)
	}
}

// first goes into the first item of a list.
func (p place) first(name string, inside func(place)) {
	p.among(name, func(r4.Node) bool { return true }, inside)
}

// among adds an item to a list, or finds the first one that is it.
func (p place) among(name string, is func(r4.Node) bool, inside func(place)) {
	if p.writing() {
		o := make(r4.Object, 0, 4)
		inside(place{out: &o, memo: p.memo})
		if len(o) > 0 {
			p.append(name, o)
		}
		return
	}
	for e := range p.in.Get(name).Elems() {
		if is(e) {
			inside(place{in: e})
			return
		}
	}
	inside(place{})
}

// append adds an item to a list of the object.
func (p place) append(name string, item r4.Object) {
	if p.exts != nil && name == "extension" {
		p.exts.add(item)
		return
	}
	for i := range *p.out {
		if f := &(*p.out)[i]; f.Name == name {
			f.Value = append(f.Value.([]r4.Object), item)
			return
		}
	}
	p.out.Add(name, []r4.Object{item})
}

func blank[T ~string](t *T) bool { return strings.TrimSpace(string(*t)) == "" }

func clean[T ~string](t T) string { return element.Clean(string(t)) }

// field is a primitive.
func field[T ~string](p place, name string, t *T, f element.Form) {
	if p.writing() {
		element.Put(p.out, name, string(*t), f)
		return
	}
	*t = T(element.Get(p.in, name, f))
}

// code is a CodeableConcept of one code.
func code[T ~string](p place, name string, t *T, system, display string) {
	if !p.writing() {
		*t = T(codeOf(p.in.Get(name), system))
	} else if !blank(t) {
		p.out.Add(name, p.memo.of(system, string(*t), display).value)
	}
}

// codeAmong is one of several CodeableConcepts, told by its system.
func codeAmong[T ~string](p place, name string, t *T, system string) {
	if p.writing() {
		if !blank(t) {
			p.append(name, p.memo.of(system, string(*t), "").object)
		}
		return
	}
	*t = ""
	for c := range p.in.Get(name).Elems() {
		if s := codeOf(c, system); s != "" {
			*t = T(s)
			return
		}
	}
}

// memo keeps concepts that a visit writes again and again.
type memo map[[3]string]shared

type shared struct {
	object r4.Object
	value  any // the object as the value of a field
}

func (m memo) of(system, code, display string) shared {
	key := [3]string{system, code, display}
	s, ok := m[key]
	if !ok {
		s.object = concept(system, code, display)
		s.value = s.object
		if m != nil {
			m[key] = s
		}
	}
	return s
}

// practitioner is a reference to who has a licence of that number.
func (m memo) practitioner(number string) r4.Object {
	key := [3]string{"Practitioner", number}
	s, ok := m[key]
	if !ok {
		s.object = logicalTo("Practitioner", element.CCHN, number, number)
		if m != nil {
			m[key] = s
		}
	}
	return s.object
}

func concept(system, code, display string) r4.Object {
	return r4.Object{{Name: "coding", Value: []r4.Object{coding(system, code, display)}}}
}

func coding(system, code, display string) r4.Object {
	o := append(make(r4.Object, 0, 3), r4.Field{Name: "system", Value: system})
	element.Put(&o, "code", code, element.Token)
	o.Add("display", display)
	return o
}

// codeOf is the code of a system in a CodeableConcept, as the claim wrote it.
func codeOf(concept r4.Node, system string) string {
	for c := range concept.Get("coding").Elems() {
		if c.Get("system").Text() == system {
			return element.Get(c, "code", element.Token)
		}
	}
	return ""
}

// codesOf are the codes of a system in a list of CodeableConcepts, or in the one given.
func codesOf(concepts r4.Node, system string) (codes []string) {
	for n := range concepts.Elems() {
		for c := range n.Get("coding").Elems() {
			if s := element.Get(c, "code", element.Token); s != "" && c.Get("system").Text() == system {
				codes = append(codes, s)
			}
		}
	}
	return codes
}

// logical is a reference by identifier.
func logical[T ~string](p place, name string, t *T, typ, system string) {
	if !p.writing() {
		*t = T(identified(p.in.Get(name)))
	} else if !blank(t) {
		p.out.Add(name, logicalTo(typ, system, string(*t), string(*t)))
	}
}

// logicalTo refers to shown; text is what the field holds, when that is more.
func logicalTo(typ, system, shown, text string) r4.Object {
	id := append(make(r4.Object, 0, 3), r4.Field{Name: "system", Value: system})
	element.Put(&id, "value", shown, element.Text)
	if text = element.Clean(text); text != element.Clean(shown) {
		id.Add("_value", beside(element.ClaimText, text))
	}
	return r4.Object{{Name: "type", Value: typ}, {Name: "identifier", Value: id}}
}

func identified(ref r4.Node) string {
	return element.Get(ref.Get("identifier"), "value", element.Text)
}

// beside is the companion of a primitive with one extension.
func beside(url, text string) r4.Object {
	return r4.Object{{Name: "extension", Value: []r4.Object{{{Name: "url", Value: url}, {Name: "valueString", Value: text}}}}}
}

// absent is the companion of a required primitive that nobody told.
func absent() r4.Object {
	return r4.Object{{Name: "extension", Value: []r4.Object{{{Name: "url", Value: element.Absent}, {Name: "valueCode", Value: "unknown"}}}}}
}

// ext is an extension of ours; value is the name of its element.
func ext[T ~string](p place, name, value string, t *T, f element.Form) {
	if !p.writing() {
		*t = T(element.Get(element.FindExt(p.in, name), value, f))
	} else if text := clean(*t); text == "" {
		return
	} else if p.exts != nil && f == element.Text {
		p.exts.text(`{"url":"`, element.Extension, name, `","`, value, `":`)
		p.exts.json = append(r4.AppendString(p.exts.json, text), '}')
	} else {
		e := append(make(r4.Object, 0, 3), r4.Field{Name: "url", Value: element.Extension + name})
		element.Put(&e, value, text, f)
		p.append("extension", e)
	}
}

// extCode is an extension of ours with a code.
func extCode[T ~string](p place, name string, t *T, system, display string) {
	if !p.writing() {
		*t = T(codeOf(element.FindExt(p.in, name).Get("valueCodeableConcept"), system))
	} else if !blank(t) {
		p.append("extension", element.Ext(name, "valueCodeableConcept", concept(system, string(*t), display)))
	}
}

// expect is a field that nearly always says what is known already, so that only the exception is written.
func expect[T ~string](p place, name string, t *T, known string) {
	if p.writing() {
		text := clean(*t)
		switch {
		case text == known:
		case text == "":
			p.append("extension", r4.Object{{Name: "url", Value: element.Extension + other + name}, {Name: "_valueString", Value: absent()}})
		default:
			p.append("extension", element.Ext(other+name, "valueString", text))
		}
		return
	}
	*t = T(known)
	if e := element.FindExt(p.in, other+name); e.Exists() {
		*t = T(e.Get("valueString").Text())
	}
}

// Stems of the names of our extensions; the field's name follows.
const (
	other    = "khac:"       // what a row states other than expected
	verbatim = "nguyen-van:" // a list as written, when its items do not give it back
	amount   = "so-tien:"
)

// several is a field of several values: write puts one, read gives them all.
// What they do not give back (blanks, empty items) stands as written beside
// them, in an extension of p.
func several[T ~string](p place, name string, t *T, write func(item string), read func() []string) {
	if p.writing() {
		text := clean(*t)
		list := filled(text)
		for _, item := range list {
			write(item)
		}
		if strings.Join(list, ";") != text {
			p.append("extension", element.Ext(verbatim+name, "valueString", text))
		}
		return
	}
	if e := element.FindExt(p.in, verbatim+name); e.Exists() {
		*t = T(e.Get("valueString").Text())
		return
	}
	*t = T(strings.Join(read(), ";"))
}

// filled lists the values of a list that are not blank.
func filled(text string) []string {
	list := claim.Items(text)
	n := 0
	for _, item := range list {
		if item != "" {
			list[n] = item
			n++
		}
	}
	return list[:n]
}

// money is an element of type Money.
func money[T ~string](p place, name string, t *T) {
	if !p.writing() {
		*t = T(element.Get(p.in.Get(name), "value", element.Decimal))
	} else if !blank(t) {
		p.out.Add(name, dong(string(*t)))
	}
}

func dong(text string) r4.Object {
	o := make(r4.Object, 0, 3)
	element.Put(&o, "value", text, element.Decimal)
	o.Add("currency", element.VND)
	return o
}

// amountOf is an amount for which FHIR has no element, in an extension named after the field.
func amountOf[T ~string](p place, name string, t *T) {
	if !p.writing() {
		*t = T(element.Get(element.FindExt(p.in, amount+name).Get("valueMoney"), "value", element.Decimal))
		return
	}
	text := clean(*t)
	switch {
	case text == "":
	case p.exts != nil && element.Number(text): // as nearly all are: written without detours
		p.exts.text(`{"url":"`, element.Extension, amount, name, `","valueMoney":{"value":`, text, `,"currency":"`, element.VND, `"}}`)
	default:
		p.append("extension", element.Ext(amount+name, "valueMoney", dong(text)))
	}
}

// rest keeps what the row held beside its fields (claim.Rest.Extra).
func rest(p place, r *claim.Rest) {
	if p.writing() {
		for _, x := range r.Extra {
			if text := element.Clean(x.Text); text != "" {
				p.append("extension", r4.Object{{Name: "url", Value: element.Extension + "truong-ngoai-bang"}, {Name: "extension", Value: []r4.Object{
					{{Name: "url", Value: "ten"}, {Name: "valueString", Value: x.Name}}, {{Name: "url", Value: "gia-tri"}, {Name: "valueString", Value: text}},
				}}})
			}
		}
		return
	}
	for e := range p.in.Get("extension").Elems() {
		if e.Get("url").Text() != element.Extension+"truong-ngoai-bang" {
			continue
		}
		var x claim.Extra
		for part := range e.Get("extension").Elems() {
			switch part.Get("url").Text() {
			case "ten":
				x.Name = part.Get("valueString").Text()
			case "gia-tri":
				x.Text = part.Get("valueString").Text()
			}
		}
		r.Extra = append(r.Extra, x)
	}
}
