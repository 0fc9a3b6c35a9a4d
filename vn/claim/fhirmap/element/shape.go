package element

import "github.com/ytso/ytso/fhir/r4"

// Ref is a literal reference.
func Ref(typ, id string) r4.Object { return r4.Object{{Name: "reference", Value: typ + "/" + id}} }

// Logical is a reference by identifier to what need not be stored here: a facility, a practitioner.
func Logical(typ, system, value string) r4.Object {
	if Clean(value) == "" {
		return nil
	}
	return r4.Object{{Name: "type", Value: typ}, {Name: "identifier", Value: r4.Object{{Name: "system", Value: system}, {Name: "value", Value: Clean(value)}}}}
}

// Coding is a code of a system; blank when the code is.
func Coding(system, code, display string) r4.Object {
	if Clean(code) == "" {
		return nil
	}
	return r4.Object{{Name: "system", Value: system}, {Name: "code", Value: Clean(code)}, {Name: "display", Value: display}}
}

// Concept is a CodeableConcept of one coding and a text.
func Concept(system, code, display, text string) r4.Object {
	return r4.Object{{Name: "coding", Value: []r4.Object{Coding(system, code, display)}}, {Name: "text", Value: Clean(text)}}
}

// Code gives the code of a system in a CodeableConcept, "" when it has none.
func Code(concept r4.Node, system string) string {
	for c := range concept.Get("coding").Elems() {
		if c.Get("system").Text() == system {
			return c.Get("code").Text()
		}
	}
	return ""
}

// Ext is an extension of ours with one value; value is the name of the element, for example "valueString".
func Ext(name, value string, v any) r4.Object {
	return r4.Object{{Name: "url", Value: Extension + name}, {Name: value, Value: v}}
}

// FindExt gives an extension of ours, absent when there is none.
func FindExt(n r4.Node, name string) r4.Node {
	for e := range n.Get("extension").Elems() {
		if e.Get("url").Text() == Extension+name {
			return e
		}
	}
	return r4.Node{}
}
