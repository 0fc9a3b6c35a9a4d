package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// definition is a resource without its prose.
type definition struct {
	typ, url, version string
	text              []byte
}

// kept names the members that stay, by where they stand; a member that is named nowhere is left out.
var kept = map[string][]string{
	"": {"resourceType", "url", "version", "name", "status", "kind", "type", "language"},
	"CodeSystem": {"caseSensitive", "valueSet", "hierarchyMeaning", "compositional", "versionNeeded", "content", "supplements", "count", "filter",
		"property", "concept"},
	"CodeSystem.filter":   {"code", "operator", "value"},
	"CodeSystem.property": {"code", "uri", "type"},
	"CodeSystem.concept":  {"code", "display", "designation", "property", "concept"},
	"ValueSet":            {"immutable", "compose", "expansion"},
	"ConceptMap":          {"sourceUri", "sourceCanonical", "targetUri", "targetCanonical", "group"},
	"OperationDefinition": {"code", "affectsState", "base", "resource", "system", "instance", "parameter"},
	"StructureDefinition": {"fhirVersion", "abstract", "context", "contextInvariant", "baseDefinition", "derivation", "differential"},
	"StructureDefinition.differential.element": {"id", "path", "sliceName", "sliceIsConstraining", "representation", "slicing", "min", "max",
		"contentReference", "type", "minValue*", "maxValue*", "maxLength", "fixed*", "pattern*", "condition", "constraint", "mustSupport",
		"isModifier", "isSummary", "binding", "orderMeaning"},
	"StructureDefinition.differential.element.constraint": {"key", "severity", "human", "expression"},
	"StructureDefinition.differential.element.binding":    {"strength", "valueSet"},
	"StructureDefinition.differential.element.slicing":    {"discriminator", "ordered", "rules"},
	"OperationDefinition.parameter":                       {"name", "use", "min", "max", "type", "targetProfile", "searchType", "binding", "part"},
}

// whole says that what stands there is kept as it is, but for extensions, texts of meaning and the like.
var dropped = []string{"extension", "documentation", "description", "definition", "comment"}

func reduce(text []byte) (d definition, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	m, err := object(dec)
	if err != nil {
		return d, err
	}
	at := func(name string) string { s, _ := m.get(name).(string); return s }
	d = definition{typ: at("resourceType"), url: at("url"), version: at("version")}
	root := kept[""]
	if d.typ == "ValueSet" { // its name says no more than its url
		root = slices.DeleteFunc(slices.Clone(root), func(n string) bool { return n == "name" })
	}
	out := m.choose(d.typ, append(slices.Clone(root), kept[d.typ]...))
	d.text = out.append(nil)
	return d, nil
}

// members is a JSON object in the order written.
type members []member

type member struct {
	name  string
	value any // string, json.Number, bool, nil, members, []any
}

func (m members) get(name string) any {
	for _, x := range m {
		if x.name == name {
			return x.value
		}
	}
	return nil
}

// choose keeps the named members and goes on into them.
func (m members) choose(path string, names []string) (out members) {
	for _, x := range m {
		if !slices.ContainsFunc(names, func(n string) bool {
			return n == x.name || n[len(n)-1] == '*' && len(x.name) > len(n) && x.name[:len(n)-1] == n[:len(n)-1]
		}) {
			continue
		}
		value := descend(path+"."+x.name, x.value)
		if x.name == "severity" && value == "error" { // what a constraint is when nothing is said: kept, readers need not know
			out = append(out, member{x.name, value})
			continue
		}
		if !empty(value) {
			out = append(out, member{x.name, value})
		}
	}
	return out
}

func descend(path string, v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, 0, len(v))
		for _, x := range v {
			if p, ok := x.(members); ok && p.get("code") == "deprecationDate" { // beside "status", which is what counts
				continue
			}
			if x = descend(path, x); !empty(x) {
				out = append(out, x)
			}
		}
		return out
	case members:
		path = shorten(path)
		if names, ok := kept[path]; ok {
			return v.choose(path, names)
		}
		var out members
		for _, x := range v {
			if slices.Contains(dropped, x.name) && path != "CodeSystem.concept" {
				continue
			}
			if value := descend(path+"."+x.name, x.value); !empty(value) {
				out = append(out, member{x.name, value})
			}
		}
		return out
	}
	return v
}

// shorten folds the recursion of concepts and of parts into one step.
func shorten(path string) string {
	for _, r := range [][2]string{{"CodeSystem.concept.concept", "CodeSystem.concept"}, {"OperationDefinition.parameter.part", "OperationDefinition.parameter"}} {
		if path == r[0] || len(path) > len(r[0]) && path[:len(r[0])] == r[0] && path[len(r[0])] == '.' {
			return shorten(r[1] + path[len(r[0]):])
		}
	}
	return path
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case members:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func object(dec *json.Decoder) (members, error) {
	v, err := value(dec)
	if err != nil {
		return nil, err
	}
	m, ok := v.(members)
	if !ok {
		return nil, fmt.Errorf("no JSON object")
	}
	return m, nil
}

// value reads one JSON value and keeps the order of members.
func value(dec *json.Decoder) (any, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('{'):
		m := members{}
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, err
			}
			v, err := value(dec)
			if err != nil {
				return nil, err
			}
			m = append(m, member{name.(string), v})
		}
		_, err := dec.Token()
		return m, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := value(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, err
	}
	return t, nil
}

func (m members) append(b []byte) []byte { return write(b, m) }

func write(b []byte, v any) []byte {
	switch v := v.(type) {
	case members:
		b = append(b, '{')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(write(b, x.name), ':')
			b = write(b, x.value)
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = write(b, x)
		}
		return append(b, ']')
	case json.Number:
		return append(b, v...)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // strings, booleans and nulls always can be written
		panic(err)
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
