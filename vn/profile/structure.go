package profile

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// definition is a profile of a resource type.
type definition struct {
	name, typ string // "patient", "Patient"
	vi, en    string
	rules     []rule
}

// rule is an element of a differential. Cardinality, types and all that is not said stay those of the base.
type rule struct {
	path     string // below the type, slices behind colons: "identifier:cccd.value"
	min      int
	max      string
	by       string // discriminator of a slicing: path of a value, or "$this"; rules open
	fixed    string // fixed value of a primitive, as "Uri=…"
	list     string // binding to all codes of a list of the law
	valueSet string // binding to another value set
	strength string // of the binding; "" is required
	must     []constraint
	vi, en   string // what it is, for people
}

// constraint is a rule in FHIRPath.
type constraint struct {
	key, expression string
	warn            bool
	vi, en          string
}

func structures() map[string]*r4.Doc {
	m := map[string]*r4.Doc{}
	for _, d := range definitions {
		m[Profiles+d.name] = d.structure()
	}
	for _, x := range extensions {
		m[element.Extension+x.name] = x.structure()
	}
	return m
}

func head(url, name, vi, en string) r4.Object {
	o := r4.Object{
		{Name: "resourceType", Value: "StructureDefinition"}, {Name: "language", Value: "vi"}, {Name: "url", Value: url},
		{Name: "version", Value: Version}, {Name: "name", Value: name},
	}
	bilingual(&o, "title", vi, en)
	o.Add("status", "active")
	o.Add("jurisdiction", []r4.Object{element.Concept("urn:iso:std:iso:3166", "VN", "Viet Nam", "")})
	o.Add("fhirVersion", "4.0.1")
	return o
}

func computable(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (d *definition) structure() *r4.Doc {
	o := head(Profiles+d.name, "Vn"+computable(d.name), d.vi, d.en)
	o.Add("kind", "resource")
	o.Add("abstract", false)
	o.Add("type", d.typ)
	o.Add("baseDefinition", "http://hl7.org/fhir/StructureDefinition/"+d.typ)
	o.Add("derivation", "constraint")
	elements := []r4.Object{{{Name: "id", Value: d.typ}, {Name: "path", Value: d.typ}}}
	for _, r := range d.rules {
		elements = append(elements, r.element(d.typ))
	}
	o.Add("differential", r4.Object{{Name: "element", Value: elements}})
	return parse(o)
}

// id of an element: slices stand behind their element, "Patient.identifier:cccd.value" (FHIR R4 elementdefinition.html#id).
func (r *rule) id(typ string) (id, path string) {
	path = typ
	id = typ
	for part := range strings.SplitSeq(r.path, ".") {
		if part == "" {
			continue
		}
		id += "." + part
		name, _, _ := strings.Cut(part, ":")
		path += "." + name
	}
	return id, path
}

func (r *rule) element(typ string) r4.Object {
	id, path := r.id(typ)
	o := r4.Object{{Name: "id", Value: id}, {Name: "path", Value: path}}
	last := r.path[strings.LastIndexByte(r.path, '.')+1:]
	if _, slice, ok := strings.Cut(last, ":"); ok {
		o.Add("sliceName", slice)
	}
	if r.by != "" {
		o.Add("slicing", r4.Object{
			{Name: "discriminator", Value: []r4.Object{{{Name: "type", Value: discriminator(r.by)}, {Name: "path", Value: r.by}}}}, {Name: "rules", Value: "open"},
		})
	}
	bilingual(&o, "short", r.vi, r.en)
	if r.min > 0 || r.max != "" {
		o.Add("min", r.min)
		o.Add("max", r.max)
	}
	if kind, value, ok := strings.Cut(r.fixed, "="); ok {
		o.Add("fixed"+kind, value)
	}
	o.Add("constraint", constraints(r.must))
	o.Add("binding", r.binding())
	return o
}

func discriminator(by string) string {
	if by == "$this" {
		return "pattern"
	}
	return "value"
}

func (r *rule) binding() r4.Object {
	set := r.valueSet
	if r.list != "" {
		set = ValueSets + r.list + All
	}
	if set == "" {
		return nil
	}
	strength := r.strength
	if strength == "" {
		strength = "required"
	}
	return r4.Object{{Name: "strength", Value: strength}, {Name: "valueSet", Value: set}}
}

func constraints(list []constraint) (out []r4.Object) {
	for _, c := range list {
		severity := "error"
		if c.warn {
			severity = "warning"
		}
		o := r4.Object{{Name: "key", Value: c.key}, {Name: "severity", Value: severity}}
		bilingual(&o, "human", c.vi, c.en)
		o.Add("expression", c.expression)
		out = append(out, o)
	}
	return out
}

// extension is one of ours: a name, the value it has and where it stands.
type extension struct {
	name, value string // "dan-toc", "CodeableConcept"
	contexts    string // parted by blanks
	list        string // binding of a coded value
	vi, en      string
}

func (x *extension) structure() *r4.Doc {
	url := element.Extension + x.name
	o := head(url, "Ext"+computable(x.name), x.vi, x.en)
	o.Add("kind", "complex-type")
	o.Add("abstract", false)
	var contexts []r4.Object
	for c := range strings.FieldsSeq(x.contexts) {
		contexts = append(contexts, r4.Object{{Name: "type", Value: "element"}, {Name: "expression", Value: c}})
	}
	o.Add("context", contexts)
	o.Add("type", "Extension")
	o.Add("baseDefinition", "http://hl7.org/fhir/StructureDefinition/Extension")
	o.Add("derivation", "constraint")
	entry := func(path string, fields ...r4.Field) r4.Object {
		return append(r4.Object{{Name: "id", Value: path}, {Name: "path", Value: path}}, fields...)
	}
	value := entry("Extension.value[x]", r4.Field{Name: "min", Value: 1}, r4.Field{Name: "type", Value: []r4.Object{{{Name: "code", Value: x.value}}}})
	if x.list != "" {
		value.Add("binding", (&rule{list: x.list}).binding())
	}
	none := entry("Extension.extension", r4.Field{Name: "max", Value: "0"})
	o.Add("differential", r4.Object{{Name: "element", Value: []r4.Object{
		entry("Extension"), none, entry("Extension.url", r4.Field{Name: "fixedUri", Value: url}), value,
	}}})
	return parse(o)
}
