package fhirpath

import "slices"

// set is what is known of the types of a collection before anything runs.
// Without classes it holds System values only; any: it may hold anything.
type set struct {
	any     bool
	classes []*class
	system  bool
	loose   bool // straight from children() or descendants(): without order
}

var anything, value = set{any: true}, set{system: true}

func (s set) and(t set) set {
	out := set{any: s.any || t.any, system: s.system || t.system, classes: slices.Clone(s.classes)}
	for _, c := range t.classes {
		out.add(c)
	}
	return out
}

func (s *set) add(c *class) {
	if c == nil || c.abstract {
		s.any = true
	} else if !slices.Contains(s.classes, c) {
		s.classes = append(s.classes, c)
	}
}

// check finds what can't be right for a focus of its type: an element that no
// type here has, a type at the start that is not the focus, a position among
// children (N1 §10.2, type safety). What it finds is kept for each type.
func (e *Expression) check(focus Item) error {
	if focus.class == nil {
		return nil
	}
	if err, ok := e.checked.Load(focus.class.name); ok {
		err, _ := err.(error)
		return err
	}
	var s set
	s.add(focus.class)
	c := checker{src: e.Source, root: s}
	_, err := c.check(e.tree, s)
	e.checked.Store(focus.class.name, err)
	return err
}

type checker struct {
	src  string
	root set // %context
}

func (c checker) check(n *node, focus set) (set, error) {
	switch n.kind {
	case constantNode:
		if len(n.lit) == 0 {
			return anything, nil
		}
		return value, nil
	case environmentNode:
		if n.name == "context" {
			return c.root, nil
		}
		return anything, nil
	case indexNode:
		return value, nil
	case memberNode:
		return c.member(n, focus)
	case invocationNode:
		return c.call(n, focus)
	case subscriptNode:
		in, err := c.check(n.left, focus)
		if err == nil {
			_, err = c.check(n.args[0], focus)
		}
		if err == nil && in.loose {
			err = unordered(c.src, n.at)
		}
		return in, err
	case unaryNode:
		_, err := c.check(n.args[0], focus)
		return value, err
	case typingNode:
		return c.typing(n, focus)
	case operatorNode:
		a, err := c.check(n.args[0], focus)
		if err != nil {
			return set{}, err
		}
		b, err := c.check(n.args[1], focus)
		if n.name == "|" {
			return a.and(b), err
		}
		return value, err
	}
	switch {
	case n.kind == thisNode && n.left != nil:
		return c.check(n.left, focus)
	case n.kind == thisNode:
		return focus, nil
	}
	return anything, nil // $total
}

func (c checker) left(n *node, focus set) (set, error) {
	if n.left == nil {
		return focus, nil
	}
	return c.check(n.left, focus)
}

func (c checker) member(n *node, focus set) (set, error) {
	in, err := c.left(n, focus)
	if err != nil || in.any {
		return anything, err
	}
	if n.left == nil {
		if t := classOf(n.name); t != nil && (t.resource || n.name[0] < 'a') {
			var out set
			for _, k := range in.classes {
				if k.is(n.name) {
					out.add(k)
				}
			}
			if len(out.classes) > 0 {
				return out, nil
			}
		}
	}
	if in.system { // type() has parts, and so has a quantity
		if n.name == "name" || n.name == "namespace" || n.name == "baseType" || n.name == "value" || n.name == "unit" {
			return value, nil
		}
	}
	var out set
	found := false
	for _, k := range in.classes {
		f := k.fields[n.name]
		if f == nil {
			continue
		}
		found = true
		if k.primitive && n.name == "value" {
			out.system = true
			continue
		}
		if f.choices == nil {
			out.add(f.of())
		}
		for _, o := range f.choices {
			out.add(o.of())
		}
	}
	if !found {
		name := "System"
		if len(in.classes) > 0 {
			name = in.classes[0].name
		}
		return set{}, unknownElement(c.src, n, name)
	}
	return out, nil
}

func (c checker) typing(n *node, focus set) (set, error) {
	if _, err := c.left(n, focus); err != nil || n.name == "is" {
		return value, err
	}
	if t := classOf(n.typ.name); t != nil && n.typ.space != "System" {
		var out set
		out.add(t)
		return out, nil
	}
	return value, nil
}

// same are the functions whose result has the types of their input; position says which of them ask for an order.
var same = map[string]bool{
	"where": true, "single": true, "first": true, "last": true, "tail": true, "skip": true, "take": true, "distinct": true, "trace": true,
	"intersect": true, "exclude": true, "sort": true, "checkModifiers": true,
}

var position = map[string]bool{"first": true, "last": true, "tail": true, "skip": true, "take": true}

// lambda are the functions whose arguments have an item of the input as focus.
var lambda = map[string]bool{"where": true, "exists": true, "all": true, "select": true, "repeat": true, "sort": true, "aggregate": true, "iif": true, "trace": true}

func (c checker) call(n *node, focus set) (set, error) {
	if n.name == "is" || n.name == "as" || n.name == "ofType" {
		return c.typing(n, focus)
	}
	in, err := c.left(n, focus)
	if err != nil {
		return set{}, err
	}
	if in.loose && position[n.name] {
		return set{}, unordered(c.src, n.at)
	}
	outer := focus
	if lambda[n.name] {
		focus = in
	}
	if n.name == "repeat" || n.name == "getReferenceKey" { // what it finds is the next focus
		return anything, nil
	}
	args := make([]set, len(n.args))
	for i, a := range n.args {
		at := focus
		if n.name == "aggregate" && i == 1 || n.name == "trace" && i == 0 {
			at = outer
		}
		if args[i], err = c.check(a, at); err != nil {
			return set{}, err
		}
	}
	return result(n.name, in, args), nil
}

func result(name string, in set, args []set) set {
	switch {
	case same[name]:
		in.loose = false
		return in
	case name == "select":
		return args[0]
	case name == "union" || name == "combine":
		return in.and(args[0])
	case name == "iif":
		out := args[1]
		if len(args) == 3 {
			out = out.and(args[2])
		}
		return out
	case name == "extension":
		var out set
		out.add(classOf("Extension"))
		return out
	case name == "children" || name == "descendants":
		return set{any: true, loose: true}
	case name == "resolve" || name == "aggregate":
		return anything
	}
	return value
}
