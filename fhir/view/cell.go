package view

import (
	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
)

// Cell is a value as JSON: a primitive as the resource or the expression
// writes it, a complex element as its object, a collection as an array; nil is null.
type Cell []byte

// JSON is the cell's text, "null" of an empty one.
func (c Cell) JSON() []byte {
	if c == nil {
		return []byte("null")
	}
	return c
}

// Text is the cell for a table of text: a string without quotes, nothing for null, else its JSON.
func (c Cell) Text() string {
	if len(c) > 2 && c[0] == '"' {
		if d, err := r4.Parse(c); err == nil {
			return d.Root().Text()
		}
	}
	if c == nil || string(c) == `""` {
		return ""
	}
	return string(c)
}

func cellOf(i fhirpath.Item) Cell {
	if i.Bare() {
		return nil
	}
	if i.Node.Exists() {
		return i.Node.Raw()
	}
	switch i.TypeName() {
	case "System.Boolean", "System.Integer", "System.Decimal":
		return Cell(i.Text())
	}
	return r4.AppendString(nil, i.Text())
}
