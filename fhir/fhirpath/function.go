package fhirpath

// function is a function of the language. Its body gets the compiled call, the
// focus ($this) in which its arguments stand, and its input.
type function struct {
	min, max int
	body     body
}

type body func(r *run, c *call, this, in []Item) []Item

// call is one call in an expression.
type call struct {
	*node
	args []step
	re   func() (pattern, error) // of a constant pattern, compiled once
}

func (c compiler) call(n *node) (step, error) {
	if n.name == "is" || n.name == "as" || n.name == "ofType" {
		return c.typing(n, n.left)
	}
	f, ok := lookup(n.name)
	switch {
	case !ok:
		return nil, unknownFunction(c.src, n)
	case len(n.args) < f.min || len(n.args) > f.max:
		return nil, wrongArguments(c.src, n)
	}
	k := &call{node: n}
	for _, a := range n.args {
		s, err := c.compile(a)
		if err != nil {
			return nil, err
		}
		k.args = append(k.args, s)
	}
	k.prepare()
	run1 := f.body
	if n.left == nil {
		return func(r *run, this []Item) []Item { return run1(r, k, this, this) }, nil
	}
	left, err := c.compile(n.left)
	if err != nil {
		return nil, err
	}
	return func(r *run, this []Item) []Item {
		in := left(r, this)
		if r.err != nil {
			return nil
		}
		return run1(r, k, this, in)
	}, nil
}

func lookup(name string) (function, bool) {
	for _, group := range groups {
		if f, ok := group[name]; ok {
			return f, true
		}
	}
	return function{}, false
}

// groups are the functions by chapter of the specification.
var groups = []map[string]function{collections, texts, numbers, conversions, boundaries, fhirs}

// each evaluates an argument with one item of the input as focus.
func (r *run) each(c *call, arg int, in []Item, i int) []Item {
	if !r.tick(1) {
		return nil
	}
	before := r.index
	r.index = i
	out := c.args[arg](r, in[i:i+1:i+1])
	r.index = before
	return out
}

// holds says whether a condition is true of an item.
func (r *run) holds(c *call, in []Item, i int) bool {
	val, known := r.truth(r.each(c, 0, in, i), c.node.args[0].at)
	return val && known
}

// integer reads a collection as one Integer.
func (r *run) integer(in []Item, pos int) (int64, bool) {
	i, ok := r.single(in, pos)
	if !ok {
		return 0, false
	}
	n, ok := i.value().(int64)
	if !ok {
		r.mistyped(pos, "Integer")
	}
	return n, ok
}

// str reads a collection as one String.
func (r *run) str(in []Item, pos int) (string, bool) {
	s, given, ok := r.optional(in, pos)
	return s, given && ok
}

// text reads argument k as a String.
func (c *call) text(r *run, this []Item, k int) (string, bool) {
	return r.str(c.args[k](r, this), c.node.args[k].at)
}

// number reads argument k as an Integer.
func (c *call) number(r *run, this []Item, k int) (int64, bool) {
	return r.integer(c.args[k](r, this), c.node.args[k].at)
}
