package fhirpath

import (
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/outcome"
)

type nodeKind uint8

const (
	constantNode nodeKind = iota // lit; nothing: {}
	thisNode                     // left, when it stands behind a dot
	indexNode
	totalNode
	environmentNode // name
	memberNode      // left (nil at the start of a path), name
	invocationNode  // left, name, args
	subscriptNode   // left, args[0]
	unaryNode       // name, args[0]
	operatorNode    // name, args[0], args[1]
	typingNode      // name (is, as), left, typ
)

// node is one node of the syntax tree.
type node struct {
	kind nodeKind
	at   int // place in the source
	name string
	mark bool // name stood in back quotes
	left *node
	args []*node
	lit  []Item
	typ  typeRef
	desc bool // of an argument of sort()
}

// typeRef is the name of a type as written.
type typeRef struct{ space, name string }

const (
	maxSource = 10_000
	maxDepth  = 100
)

// parser reads the grammar of FHIRPath N1.
type parser struct {
	src    string
	tokens []token
	at     int
	depth  int
}

func parse(src string) (*node, error) {
	if len(src) > maxSource {
		return nil, outcome.New(outcome.TooLong, "fhirpath.too-long", "Biểu thức FHIRPath quá dài.", "The FHIRPath expression is too long.")
	}
	tokens, bad := lex(src)
	if bad >= 0 {
		return nil, syntax(src, bad)
	}
	p := parser{src: src, tokens: tokens}
	n, err := p.expression(0)
	if err == nil && p.peek().kind != endToken {
		err = p.wrong()
	}
	if err != nil {
		return nil, err
	}
	return n, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

func (p *parser) take(kind tokenKind, text string) bool {
	if t := p.peek(); t.kind == kind && t.text == text {
		p.at++
		return true
	}
	return false
}

func (p *parser) wrong() error { return syntax(p.src, p.peek().at) }

// power of the operators, loosest first (FHIRPath N1 §6.8, operator precedence).
var power = map[string]int{
	"implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4, "=": 5, "!=": 5, "~": 5, "!~": 5,
	"<": 6, ">": 6, "<=": 6, ">=": 6, "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}

func (p *parser) expression(min int) (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.wrong()
	}
	defer func() { p.depth-- }()
	left, err := p.polarity()
	for err == nil {
		op := p.peek()
		force := power[op.text]
		if op.kind != symbolToken && op.kind != identToken || force <= min {
			return left, nil
		}
		p.at++
		if op.text == "is" || op.text == "as" {
			var typ typeRef
			typ, err = p.typeName()
			left = &node{kind: typingNode, at: op.at, name: op.text, left: left, typ: typ}
			continue
		}
		var right *node
		right, err = p.expression(force)
		left = &node{kind: operatorNode, at: op.at, name: op.text, args: []*node{left, right}}
	}
	return nil, err
}

// polarity reads a sign; it binds looser than a path: -1.abs() is -(1.abs()).
func (p *parser) polarity() (*node, error) {
	t := p.peek()
	if t.kind != symbolToken || t.text != "-" && t.text != "+" {
		return p.path()
	}
	p.at++
	if p.depth++; p.depth > maxDepth {
		return nil, p.wrong()
	}
	defer func() { p.depth-- }()
	n, err := p.polarity()
	return &node{kind: unaryNode, at: t.at, name: t.text, args: []*node{n}}, err
}

func (p *parser) typeName() (typeRef, error) {
	t := p.next()
	if t.kind != identToken && t.kind != quotedToken {
		return typeRef{}, syntax(p.src, t.at)
	}
	if !p.take(symbolToken, ".") {
		return typeRef{name: t.text}, nil
	}
	n := p.next()
	if n.kind != identToken && n.kind != quotedToken {
		return typeRef{}, syntax(p.src, n.at)
	}
	return typeRef{t.text, n.text}, nil
}

// path reads a term and what follows it by dots and brackets.
func (p *parser) path() (*node, error) {
	n, err := p.term()
	for links := 0; err == nil; links++ {
		switch t := p.peek(); {
		case links > 1000:
			return nil, p.wrong()
		case p.take(symbolToken, "."):
			name := p.next()
			switch {
			case name.kind == specialToken:
				n2, err := reserved(p.src, name)
				if err != nil {
					return nil, err
				}
				n2.left, n = n, n2
				continue
			case name.kind != identToken && name.kind != quotedToken:
				return nil, syntax(p.src, name.at)
			}
			n, err = p.invocation(n, name)
		case p.take(symbolToken, "["):
			var arg *node
			arg, err = p.expression(0)
			if err == nil && !p.take(symbolToken, "]") {
				err = p.wrong()
			}
			n = &node{kind: subscriptNode, at: t.at, left: n, args: []*node{arg}}
		default:
			return n, nil
		}
	}
	return nil, err
}

// reserved words can't start a path (grammar of N1: identifier).
var reservedWords = []string{"and", "or", "xor", "implies", "div", "mod", "true", "false"}

func (p *parser) term() (*node, error) {
	t := p.next()
	switch t.kind {
	case textToken:
		return literal(t.at, str(t.text)), nil
	case numberToken:
		return p.quantity(t)
	case momentToken:
		m, ok := parseMoment(strings.TrimPrefix(t.text, "@"), true)
		if !ok {
			return nil, syntax(p.src, t.at)
		}
		return literal(t.at, Item{v: m}), nil
	case variableToken:
		return &node{kind: environmentNode, at: t.at, name: t.text}, nil
	case specialToken:
		return reserved(p.src, t)
	case quotedToken:
		return p.invocation(nil, t)
	case identToken:
		switch {
		case t.text == "true" || t.text == "false":
			return literal(t.at, boolean(t.text == "true")[0]), nil
		case slices.Contains(reservedWords, t.text):
			return nil, syntax(p.src, t.at)
		}
		return p.invocation(nil, t)
	case symbolToken:
		switch t.text {
		case "(":
			n, err := p.expression(0)
			if err == nil && !p.take(symbolToken, ")") {
				err = p.wrong()
			}
			return n, err
		case "{":
			if !p.take(symbolToken, "}") {
				return nil, p.wrong()
			}
			return &node{kind: constantNode, at: t.at}, nil
		}
	}
	return nil, syntax(p.src, t.at)
}

func literal(at int, i Item) *node { return &node{kind: constantNode, at: at, lit: []Item{i}} }

func reserved(src string, t token) (*node, error) {
	switch t.text {
	case "$this":
		return &node{kind: thisNode, at: t.at}, nil
	case "$index":
		return &node{kind: indexNode, at: t.at}, nil
	case "$total":
		return &node{kind: totalNode, at: t.at}, nil
	}
	return nil, syntax(src, t.at)
}

// quantity reads a number, and the unit that may follow it (N1 §2.1.8).
func (p *parser) quantity(t token) (*node, error) {
	d, ok := parseDecimal(t.text)
	if !ok {
		return nil, syntax(p.src, t.at)
	}
	switch u := p.peek(); {
	case u.kind == textToken:
		p.at++
		return literal(t.at, Item{v: newQuantity(d, u.text)}), nil
	case u.kind == identToken && calendar[u.text] != "":
		p.at++
		return literal(t.at, Item{v: quantity{d, calendar[u.text], true}}), nil
	}
	if strings.Contains(t.text, ".") {
		return literal(t.at, Item{v: d}), nil
	}
	n, err := d.Int64()
	if err != nil || n > maxInteger+1 { // +1: the smallest Integer is written with a minus before it
		return nil, syntax(p.src, t.at)
	}
	return literal(t.at, Item{v: n}), nil
}

// invocation reads a member, or a function with its arguments.
func (p *parser) invocation(left *node, name token) (*node, error) {
	n := &node{kind: memberNode, at: name.at, name: name.text, mark: name.kind == quotedToken, left: left}
	if !p.take(symbolToken, "(") {
		return n, nil
	}
	n.kind = invocationNode
	switch name.text {
	case "as", "is", "ofType":
		var err error
		n.typ, err = p.typeName()
		if err == nil && !p.take(symbolToken, ")") {
			err = p.wrong()
		}
		return n, err
	}
	for !p.take(symbolToken, ")") {
		if len(n.args) > 0 && !p.take(symbolToken, ",") {
			return nil, p.wrong()
		}
		a, err := p.expression(0)
		if err != nil {
			return nil, err
		}
		if name.text == "sort" {
			a = p.direction(a)
		}
		n.args = append(n.args, a)
	}
	return n, nil
}

// direction reads how sort() shall order by an argument: a minus before it or
// "desc" behind it turns the order round, whatever its type.
func (p *parser) direction(a *node) *node {
	out := *a
	if a.kind == unaryNode && a.name == "-" {
		out = *a.args[0]
		out.desc = true
	}
	if p.take(identToken, "desc") {
		out.desc = true
	} else {
		p.take(identToken, "asc")
	}
	return &out
}

func parseDecimal(s string) (*apd.Decimal, bool) {
	if len(s) > maxDigits || strings.IndexByte(s, '_') >= 0 {
		return nil, false
	}
	d, _, err := exact.NewFromString(s)
	return d, err == nil && d.Form == apd.Finite
}
