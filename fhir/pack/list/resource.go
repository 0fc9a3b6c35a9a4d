package list

import (
	"maps"
	"slices"

	"github.com/ytso/ytso/fhir/r4"
)

// Inline is how many concepts a code system carries in its resource; those of
// a larger one lie beside it in parts, of which each has at most partSize.
const (
	Inline   = 2000
	partSize = 10_000
)

const conceptProperties = "http://hl7.org/fhir/concept-properties#"

// CodeSystem gives the resource without id, and the parts of its concepts when
// they are too many for it: its content is then "not-present" with their count
// (FHIR R4 valueset-codesystem-content-mode.html), which is what the resource alone holds.
func (l *List) CodeSystem() (body []byte, parts [][]byte) {
	m := l.Mapping
	sensitive := m.CaseSensitive == nil || *m.CaseSensitive
	content := "complete"
	if len(l.rows) > Inline {
		content = "not-present"
	}
	o := r4.Object{
		{Name: "resourceType", Value: "CodeSystem"}, {Name: "language", Value: m.Language}, {Name: "url", Value: m.URL}, {Name: "version", Value: m.Version},
		{Name: "name", Value: m.Name}, {Name: "title", Value: m.Title}, {Name: "status", Value: "active"}, {Name: "caseSensitive", Value: sensitive},
		{Name: "valueSet", Value: m.ValueSet}, {Name: "content", Value: content}, {Name: "count", Value: len(l.rows)},
	}
	if m.Parent != "" {
		o = append(o[:len(o)-2:len(o)-2], r4.Field{Name: "hierarchyMeaning", Value: m.HierarchyMeaning}, o[len(o)-2], o[len(o)-1])
	}
	o.Add("property", m.properties())
	if len(l.rows) <= Inline {
		o.Add("concept", r4.Raw(concepts(l.rows)))
		return o.JSON(), nil
	}
	for chunk := range slices.Chunk(l.rows, partSize) {
		part := append([]byte(`{"concept":`), concepts(chunk)...)
		parts = append(parts, append(part, '}'))
	}
	return o.JSON(), parts
}

func concepts(rows []row) []byte {
	if len(rows) == 0 {
		return nil
	}
	out := []byte{'['}
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, r.json...)
	}
	return append(out, ']')
}

func (m *Mapping) properties() (list []r4.Object) {
	add := func(code, uri, typ string) {
		list = append(list, r4.Object{{Name: "code", Value: code}, {Name: "uri", Value: uri}, {Name: "type", Value: typ}})
	}
	if m.Parent != "" {
		add("parent", conceptProperties+"parent", "code")
	}
	if m.ValidFrom != "" {
		add("effectiveDate", conceptProperties+"effectiveDate", "dateTime")
	}
	if m.ValidTo != "" {
		add("deprecationDate", conceptProperties+"deprecationDate", "dateTime")
	}
	for _, column := range slices.Sorted(maps.Keys(m.Properties)) {
		add(m.Properties[column].Code, m.Properties[column].URI, m.Properties[column].Type)
	}
	return list
}

// ValueSet gives the value set of all codes, without id.
func (l *List) ValueSet() []byte {
	m := l.Mapping
	return r4.Object{
		{Name: "resourceType", Value: "ValueSet"}, {Name: "language", Value: m.Language}, {Name: "url", Value: m.ValueSet}, {Name: "version", Value: m.Version},
		{Name: "name", Value: m.Name}, {Name: "title", Value: m.Title}, {Name: "status", Value: "active"},
		{Name: "compose", Value: r4.Object{{Name: "include", Value: []r4.Object{{{Name: "system", Value: m.URL}, {Name: "version", Value: m.Version}}}}}},
	}.JSON()
}
