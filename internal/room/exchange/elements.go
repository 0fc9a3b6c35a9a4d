package exchange

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// subsetted marks a resource that is not whole (FHIR R4 search.html#elements).
const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// onlyElements leaves of a resource the elements asked for ("name" or
// "Patient.name"), what is mandatory, id and meta, and says that it is not whole.
func onlyElements(doc *r4.Doc, elements []string) []byte {
	typ := doc.Type()
	o := r4.Object{{Name: "resourceType", Value: typ}}
	tagged := false
	for name, v := range doc.Root().Members() {
		switch {
		case name == "resourceType":
		case name == "meta":
			tagged = true
			o.Add("meta", r4.Raw(tag(v)))
		case name == "id" || kept(typ, strings.TrimPrefix(name, "_"), elements):
			o.Add(name, r4.Raw(v.Raw()))
		}
	}
	if !tagged {
		o.Add("meta", r4.Literal(`{"tag":[`+subsetted+`]}`))
	}
	return o.JSON()
}

// kept says that a member is asked for or mandatory; of a choice its name without the type does as well.
func kept(typ, name string, elements []string) bool {
	shape := r4.ResourceShape([]byte(typ))
	if shape == nil {
		return true
	}
	m := shape.Member([]byte(name))
	if m == nil {
		return true // nothing that the store lets in; it is not ours to drop
	}
	if shape.Required&(1<<m.Slot) != 0 {
		return true
	}
	for _, want := range elements {
		if t, rest, dotted := strings.Cut(want, "."); dotted {
			if t != typ {
				continue
			}
			want = rest
		}
		if want == name || want == shape.Slots[m.Slot].Name {
			return true
		}
	}
	return false
}

// tag adds SUBSETTED to a meta.
func tag(meta r4.Node) []byte {
	var o r4.Object
	done := false
	for name, v := range meta.Members() {
		raw := v.Raw()
		if name == "tag" && v.Kind() == r4.Array {
			raw = append(slices.Clone(raw[:len(raw)-1]), ","+subsetted+"]"...)
			done = true
		}
		o.Add(name, r4.Raw(raw))
	}
	if !done {
		o.Add("tag", r4.Literal("["+subsetted+"]"))
	}
	return o.JSON()
}
