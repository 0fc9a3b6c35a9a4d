package ui

import "github.com/a-h/templ"

// Input is a field of a form. Texts are in the reader's language.
type Input struct {
	Name, Label string
	Hint        string // how to fill it in, or ""
	Fault       string // what is wrong with Value, or ""
	Value       string
	Type        string // of the input: "" is text
	Optional    bool   // says so beside the label; else required
	Short       bool   // for a number, a code, a date
	// More attributes of the input: autocomplete, inputmode, maxlength, min, max, pattern.
	More templ.Attributes
}

// Option is a choice.
type Option struct{ Value, Text, Hint string }

// Upload is a field that takes files.
type Upload struct {
	Name, Label, Hint, Fault string
	Accept                   string // ".xml,.zip"
	Many                     bool
}

func (f Input) id() string { return "f-" + f.Name }

// attributes tie hint and fault to the input, for screen readers.
func (f Input) attributes() templ.Attributes {
	a := describe(f.id(), f.Hint, f.Fault)
	if !f.Optional {
		a["required"] = true
	}
	for k, v := range f.More {
		a[k] = v
	}
	return a
}

func describe(id, hint, fault string) templ.Attributes {
	a := templ.Attributes{}
	by := ""
	if hint != "" {
		by = id + "-hint"
	}
	if fault != "" {
		if by != "" {
			by += " "
		}
		by += id + "-fault"
		a["aria-invalid"] = "true"
	}
	if by != "" {
		a["aria-describedby"] = by
	}
	return a
}

func (f Input) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func hasFault(list []Input) bool {
	for _, f := range list {
		if f.Fault != "" {
			return true
		}
	}
	return false
}
