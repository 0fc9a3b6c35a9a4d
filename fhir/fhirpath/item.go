package fhirpath

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/r4"
)

// Item is a value in a result: a node of the resource with what is known of
// its type, or a boolean, string or reference that the expression made.
type Item struct {
	Node r4.Node
	Type string // from a choice member (valueQuantity → Quantity), a resource's type, or of a literal; "" when not told by the data
	Path string // path in the definitions, "Patient.contact", "" when not known

	kind literal
	text string
}

type literal uint8

const (
	isNode literal = iota
	isBool
	isString
	isInteger
	isResolved // what resolve() gives: the type of the target is known, its content is not
)

// Text is the text of a string, number or boolean.
func (i Item) Text() string {
	if i.kind == isNode {
		return i.Node.Text()
	}
	return i.text
}

func boolean(b bool) []Item {
	if b {
		return []Item{{kind: isBool, Type: "boolean", text: "true"}}
	}
	return []Item{{kind: isBool, Type: "boolean", text: "false"}}
}

// truth reads a collection as a boolean the way where() does: one true is true, one item that is no boolean is true, anything else is false.
func truth(items []Item) bool {
	if len(items) != 1 {
		return false
	}
	i := items[0]
	if i.kind == isNode && i.Node.Kind() == r4.False || i.kind == isBool && i.text == "false" {
		return false
	}
	return true
}

// child steps from an item to a member, through arrays, and to value[x] by any of its names.
func child(i Item, name string, out []Item) []Item {
	if i.kind != isNode || i.Node.Kind() != r4.Map {
		return out
	}
	path := i.Path + "." + name
	if i.Type != "" && i.Path == "" {
		path = i.Type + "." + name
	}
	if n := i.Node.Get(name); n.Exists() {
		return spread(n, "", known(path), out)
	}
	// A member of a choice has the type in its name (FHIR R4 formats.html#choice).
	for member, n := range i.Node.Members() {
		rest, ok := strings.CutPrefix(member, name)
		if r, _ := utf8.DecodeRuneInString(rest); ok && unicode.IsUpper(r) && choice(path, rest) {
			return spread(n, typeName(rest), "", out)
		}
	}
	return out
}

// choice says whether a member name fits a choice: by the definitions where the path is known, else by the name being a type.
func choice(path, suffix string) bool {
	if e, ok := r4.ElementAt(path + "[x]"); ok {
		for _, t := range e.Types {
			if t.Code == typeName(suffix) {
				return true
			}
		}
		return false
	}
	if _, ok := r4.ElementAt(path); ok {
		return false // an element of that very name is defined: a longer member is another one
	}
	_, ok := r4.ElementAt(typeName(suffix))
	return ok
}

// typeName turns the end of a member name into a type: Quantity, dateTime.
func typeName(suffix string) string {
	if _, ok := r4.ElementAt(suffix); ok {
		return suffix
	}
	return strings.ToLower(suffix[:1]) + suffix[1:]
}

// known follows a path through the definitions: into data types by the
// element's one type, and into content that repeats another element's.
func known(path string) string {
	e, ok := r4.ElementAt(path)
	switch {
	case !ok:
		return ""
	case e.SameAs != "":
		return e.SameAs
	case len(e.Types) == 1:
		if t := e.Types[0].Code; t != "BackboneElement" && t != "Element" && t != "Resource" {
			return t
		}
	}
	return path
}

func spread(n r4.Node, typ, path string, out []Item) []Item {
	for e := range n.Elems() {
		i := Item{Node: e, Type: typ, Path: path}
		if t := e.Get("resourceType"); t.Exists() {
			i.Type, i.Path = t.Text(), ""
		} else if typ != "" && path == "" {
			i.Path = typ
		}
		out = append(out, i)
	}
	return out
}

// is says whether an item is of a type. Where the data does not tell, the
// definitions do; a reference's target is told by its literal reference.
func is(i Item, typ string) bool {
	typ = strings.TrimPrefix(strings.TrimPrefix(typ, "FHIR."), "System.")
	if i.Type != "" {
		return i.Type == typ || typ == "Resource" && r4.IsResource(i.Type)
	}
	return i.Path == typ
}
