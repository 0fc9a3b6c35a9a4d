package fhirpath

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// function compiles a call whose name and opening bracket were read.
func (c *compiler) function(name token) (step, error) {
	switch name.text {
	case "as", "ofType", "is":
		typ, err := c.typeName()
		if err == nil && !c.take(symbol, ")") {
			err = invalid(c.src, c.peek().at)
		}
		op := name.text
		if op == "ofType" {
			op = "as"
		}
		return typed(op, func(in []Item) []Item { return in }, typ), err
	}
	var args []step
	for !c.take(symbol, ")") {
		if len(args) > 0 && !c.take(symbol, ",") {
			return nil, invalid(c.src, c.peek().at)
		}
		a, err := c.expression(0)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	f, ok := functions[name.text]
	if !ok {
		return nil, unsupported(name.text + "()")
	}
	if len(args) < f.min || len(args) > f.max {
		return nil, invalid(c.src, name.at)
	}
	return f.make(args), nil
}

var functions = map[string]struct {
	min, max int
	make     func(args []step) step
}{
	"where":     {1, 1, func(a []step) step { return where(a[0]) }},
	"exists":    {0, 1, exists},
	"empty":     {0, 0, func([]step) step { return func(in []Item) []Item { return boolean(len(in) == 0) } }},
	"not":       {0, 0, func([]step) step { return not }},
	"first":     {0, 0, func([]step) step { return func(in []Item) []Item { return in[:min(len(in), 1)] } }},
	"resolve":   {0, 0, func([]step) step { return resolve }},
	"extension": {1, 1, func(a []step) step { return extension(a[0]) }},
	"hasExtension": {1, 1, func(a []step) step {
		return chain(extension(a[0]), func(in []Item) []Item { return boolean(len(in) > 0) })
	}},
}

func where(cond step) step {
	return func(in []Item) []Item {
		var out []Item
		for i := range in {
			if truth(cond(in[i : i+1])) {
				out = append(out, in[i])
			}
		}
		return out
	}
}

func exists(args []step) step {
	filter := func(in []Item) []Item { return in }
	if len(args) == 1 {
		filter = where(args[0])
	}
	return func(in []Item) []Item { return boolean(len(filter(in)) > 0) }
}

func not(in []Item) []Item {
	if len(in) == 0 {
		return nil
	}
	return boolean(!truth(in))
}

// resolve gives, for each reference, an item of the type that its literal
// reference names; the target itself is not read. That is all that search
// expressions ask ("resolve() is Patient").
func resolve(in []Item) []Item {
	var out []Item
	for _, i := range in {
		ref := i.Node.Get("reference").Text()
		if ref == "" && i.Node.Kind() == r4.String {
			ref = i.Node.Text()
		}
		typ := i.Node.Get("type").Text()
		if parts := strings.Split(ref, "/"); len(parts) >= 2 {
			for n, p := range parts[:len(parts)-1] {
				if r4.IsResource(p) && n+2 >= len(parts)-2 {
					typ = p
					break
				}
			}
		}
		if typ != "" {
			out = append(out, Item{kind: isResolved, Type: typ, text: ref})
		}
	}
	return out
}

func extension(url step) step {
	return func(in []Item) []Item {
		var out []Item
		for _, i := range in {
			want := url([]Item{i})
			if len(want) != 1 || i.kind != isNode {
				continue
			}
			for e := range i.Node.Get("extension").Elems() {
				if e.Get("url").Text() == want[0].Text() {
					out = append(out, Item{Node: e, Path: "Extension"})
				}
			}
		}
		return out
	}
}
