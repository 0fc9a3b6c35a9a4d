package fhirpath

import (
	"fmt"
	"strconv"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Expression is a compiled expression; it is safe for concurrent use.
type Expression struct {
	Source string
	eval   step
}

// step maps a collection to a collection.
type step func([]Item) []Item

// Eval runs the expression over a resource.
func (e *Expression) Eval(d *r4.Doc) []Item {
	return e.eval([]Item{{Node: d.Root(), Type: d.Type()}})
}

// EvalItem runs it over an item that another expression gave.
func (e *Expression) EvalItem(i Item) []Item { return e.eval([]Item{i}) }

// Compile reads an expression. outcome.Invalid when it is no FHIRPath,
// outcome.NotSupported when it needs a function that is not here.
func Compile(src string) (*Expression, error) {
	tokens, ok := lex(src)
	if !ok || len(src) > maxSource {
		return nil, invalid(src, 0)
	}
	c := compiler{src: src, tokens: tokens}
	s, err := c.expression(0)
	if err != nil {
		return nil, err
	}
	if c.peek().kind != end {
		return nil, invalid(src, c.peek().at)
	}
	return &Expression{src, s}, nil
}

const (
	maxSource = 10_000
	maxDepth  = 100
)

func invalid(src string, at int) error {
	return outcome.New(outcome.Invalid, "fhirpath.syntax",
		fmt.Sprintf("Biểu thức FHIRPath sai ở ký tự %d.", at+1), fmt.Sprintf("The FHIRPath expression is wrong at character %d.", at+1)).Because(fmt.Errorf("%.200q", src))
}

func unsupported(what string) error {
	return outcome.New(outcome.NotSupported, "fhirpath.not-supported",
		fmt.Sprintf("Biểu thức FHIRPath dùng %s, hệ thống chưa hỗ trợ.", what), fmt.Sprintf("The FHIRPath expression uses %s, which is not supported.", what))
}

type compiler struct {
	src    string
	tokens []token
	at     int
	depth  int
}

func (c *compiler) peek() token { return c.tokens[c.at] }

func (c *compiler) next() token {
	t := c.tokens[c.at]
	if t.kind != end {
		c.at++
	}
	return t
}

func (c *compiler) take(kind tokenKind, text string) bool {
	if t := c.peek(); t.kind == kind && t.text == text {
		c.at++
		return true
	}
	return false
}

// power of the operators, loosest first (FHIRPath N1 §8, operator precedence).
var power = map[string]int{"or": 1, "xor": 1, "and": 2, "=": 4, "!=": 4, "|": 6, "is": 7, "as": 7}

// others are operators of the language that are not compiled yet.
var others = map[string]bool{
	"implies": true, "in": true, "contains": true, "~": true, "!~": true, "<": true, ">": true, "<=": true, ">=": true,
	"+": true, "-": true, "*": true, "/": true, "&": true, "div": true, "mod": true,
}

func (c *compiler) expression(min int) (step, error) {
	if c.depth++; c.depth > maxDepth {
		return nil, invalid(c.src, c.peek().at)
	}
	defer func() { c.depth-- }()
	left, err := c.path()
	if err != nil {
		return nil, err
	}
	for {
		op := c.peek()
		if (op.kind == symbol || op.kind == ident) && others[op.text] {
			return nil, unsupported("“" + op.text + "”")
		}
		p := power[op.text]
		if op.kind != symbol && op.kind != ident || p == 0 || p <= min {
			return left, nil
		}
		c.at++
		if op.text == "is" || op.text == "as" {
			typ, err := c.typeName()
			if err != nil {
				return nil, err
			}
			left = typed(op.text, left, typ)
			continue
		}
		right, err := c.expression(p)
		if err != nil {
			return nil, err
		}
		left = binary(op.text, left, right)
	}
}

func binary(op string, left, right step) step {
	switch op {
	case "|":
		return func(in []Item) []Item { return append(left(in), right(in)...) }
	case "and":
		return func(in []Item) []Item { return boolean(truth(left(in)) && truth(right(in))) }
	case "or":
		return func(in []Item) []Item { return boolean(truth(left(in)) || truth(right(in))) }
	case "xor":
		return func(in []Item) []Item { return boolean(truth(left(in)) != truth(right(in))) }
	}
	want := op == "="
	return func(in []Item) []Item {
		a, b := left(in), right(in)
		if len(a) == 0 || len(b) == 0 {
			return nil
		}
		return boolean(equal(a, b) == want)
	}
}

func equal(a, b []Item) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Text() != b[i].Text() {
			return false
		}
	}
	return true
}

// typed compiles is and as. R4's search expressions apply "as" to many items, so it filters (FHIR R4 fhirpath.html).
func typed(op string, of step, typ string) step {
	if op == "is" {
		return func(in []Item) []Item {
			items := of(in)
			if len(items) != 1 {
				return nil
			}
			return boolean(is(items[0], typ))
		}
	}
	return func(in []Item) []Item {
		var out []Item
		for _, i := range of(in) {
			if is(i, typ) {
				out = append(out, i)
			}
		}
		return out
	}
}

func (c *compiler) typeName() (string, error) {
	t := c.next()
	if t.kind != ident {
		return "", invalid(c.src, t.at)
	}
	name := t.text
	for c.take(symbol, ".") {
		t = c.next()
		if t.kind != ident {
			return "", invalid(c.src, t.at)
		}
		name += "." + t.text
	}
	return name, nil
}

// path compiles a term and what follows it by dots and brackets.
func (c *compiler) path() (step, error) {
	s, err := c.term()
	if err != nil {
		return nil, err
	}
	for {
		switch {
		case c.take(symbol, "."):
			t := c.next()
			if t.kind != ident {
				return nil, invalid(c.src, t.at)
			}
			after, err := c.invocation(t)
			if err != nil {
				return nil, err
			}
			s = chain(s, after)
		case c.take(symbol, "["):
			t := c.next()
			n, err := strconv.Atoi(t.text)
			if t.kind != number || err != nil || !c.take(symbol, "]") {
				return nil, invalid(c.src, t.at)
			}
			s = chain(s, func(in []Item) []Item {
				if n < len(in) {
					return in[n : n+1]
				}
				return nil
			})
		default:
			return s, nil
		}
	}
}

func chain(a, b step) step { return func(in []Item) []Item { return b(a(in)) } }

func (c *compiler) term() (step, error) {
	t := c.next()
	switch {
	case t.kind == symbol && t.text == "(":
		s, err := c.expression(0)
		if err == nil && !c.take(symbol, ")") {
			err = invalid(c.src, c.peek().at)
		}
		return s, err
	case t.kind == text:
		return func([]Item) []Item { return []Item{{kind: isString, Type: "string", text: t.text}} }, nil
	case t.kind == number:
		return func([]Item) []Item { return []Item{{kind: isInteger, Type: "integer", text: t.text}} }, nil
	case t.kind == ident && (t.text == "true" || t.text == "false"):
		return func([]Item) []Item { return boolean(t.text == "true") }, nil
	case t.kind == ident && t.text == "$this":
		return func(in []Item) []Item { return in }, nil
	case t.kind == ident && t.text == "%resource":
		return func(in []Item) []Item {
			if len(in) == 0 || !in[0].Node.Exists() {
				return nil
			}
			root := in[0].Node.Root()
			return []Item{{Node: root, Type: root.Get("resourceType").Text()}}
		}, nil
	case t.kind == ident && (t.text[0] == '%' || t.text[0] == '$'):
		return nil, unsupported("“" + t.text + "”")
	case t.kind == ident && c.peek().text != "(" && (r4.IsResource(t.text) || t.text == "Resource" || t.text == "DomainResource"):
		// The name of a type at the start keeps the items of that type.
		return func(in []Item) []Item {
			var out []Item
			for _, i := range in {
				if i.Type == t.text || t.text == "Resource" || t.text == "DomainResource" {
					out = append(out, i)
				}
			}
			return out
		}, nil
	case t.kind == ident:
		return c.invocation(t)
	}
	return nil, invalid(c.src, t.at)
}

// invocation compiles a member or a function whose name was read.
func (c *compiler) invocation(name token) (step, error) {
	if !c.take(symbol, "(") {
		return func(in []Item) []Item {
			var out []Item
			for _, i := range in {
				out = child(i, name.text, out)
			}
			return out
		}, nil
	}
	return c.function(name)
}
