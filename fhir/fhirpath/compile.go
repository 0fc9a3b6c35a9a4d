// Package fhirpath compiles FHIRPath to closures over the JSON tree: the whole
// language of N1 with R4's own functions and types, and what of 2.1 the
// published test suite uses. Decimals are exact, quantities are converted by
// UCUM, dates are compared to the precision that they have. An expression is
// compiled once and is safe for concurrent use; running it is bounded and can
// be cancelled.
//
// Source: http://hl7.org/fhirpath/N1, FHIR R4 fhirpath.html.
package fhirpath

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Expression is a compiled expression; it is safe for concurrent use.
type Expression struct {
	Source  string
	tree    *node
	eval    step
	checked sync.Map // name of a class → error: what check found (nil as well)
}

// step maps the focus to a collection.
type step func(r *run, this []Item) []Item

// Compile reads an expression. outcome.Invalid when it is no FHIRPath,
// outcome.NotSupported when it calls a function that FHIRPath does not have.
func Compile(src string) (*Expression, error) {
	tree, err := parse(src)
	if err != nil {
		return nil, err
	}
	c := compiler{src}
	s, err := c.compile(tree)
	if err != nil {
		return nil, err
	}
	return &Expression{Source: src, tree: tree, eval: s}, nil
}

// Variables lists the names of the variables (%name) that the expression uses,
// for who wants to know before it runs that all are there.
func (e *Expression) Variables() []string {
	var names []string
	var walk func(*node)
	walk = func(n *node) {
		if n == nil {
			return
		}
		if n.kind == environmentNode && !slices.Contains(names, n.name) {
			names = append(names, n.name)
		}
		walk(n.left)
		for _, a := range n.args {
			walk(a)
		}
	}
	walk(e.tree)
	return names
}

// Eval runs a search expression over a resource, the way R4 wants it there:
// "as" filters, and resolve() gives an item that knows the type its literal
// reference names, without reading the target (FHIR R4 search.html,
// fhirpath.html). An expression that fails gives nothing; Run tells why.
func (e *Expression) Eval(d *r4.Doc) []Item { return e.EvalItem(Root(d)) }

// EvalItem is Eval over an item that another expression gave.
func (e *Expression) EvalItem(i Item) []Item {
	focus := [1]Item{i}
	r := run{src: e.Source, root: i, search: true, limit: maxSteps}
	out := e.eval(&r, focus[:])
	if r.err != nil {
		return nil
	}
	return out
}

// Env is what an expression may ask of the world around it. The zero Env asks nothing.
type Env struct {
	Now      time.Time         // now() and today(); zero: the clock
	Resource Item              // %resource, when the focus is not itself in the resource meant
	Root     Item              // %rootResource
	Vars     map[string][]Item // further variables: %name
	Lenient  bool              // an element that no type here has is empty, not an error
	Filters  bool              // "as" keeps the items of the type, as R4's own invariants want it (dom-3), instead of an error for several
	Joined   bool              // join() of nothing is "", as the views of SQL on FHIR want it, instead of nothing
	MaxSteps int               // 0: a million

	Resolve  func(ctx context.Context, reference string) (*r4.Doc, error)            // nil document: not found
	MemberOf func(ctx context.Context, valueSet string, concept Item) (bool, error)  // nil: memberOf() is an error
	Subsumes func(ctx context.Context, system, ancestor, code string) (bool, error)  // nil: subsumes() is an error
	Conforms func(ctx context.Context, structure string, element Item) (bool, error) // nil: conformsTo() knows base types only
	Trace    func(name string, items []Item)
}

// Run runs the expression over an item, strictly: what the specification calls
// an error is one, with its place in the expression.
func (e *Expression) Run(ctx context.Context, focus Item, env *Env) ([]Item, error) {
	if env == nil {
		env = &Env{}
	}
	if !env.Lenient {
		if err := e.check(focus); err != nil {
			return nil, err
		}
	}
	r := run{src: e.Source, ctx: ctx, env: env, root: focus, limit: env.MaxSteps, now: env.Now}
	if r.limit <= 0 {
		r.limit = maxSteps
	}
	if r.now.IsZero() {
		r.now = time.Now()
	}
	var start []Item
	if focus.v != nil || focus.Node.Exists() || focus.ext.Exists() {
		start = []Item{focus}
	}
	out := e.eval(&r, start)
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

const (
	maxSteps = 1_000_000
	maxItems = 100_000 // of one collection
	maxText  = 1 << 20 // of one string that an expression makes
)

// run is one evaluation. The first error stays; everything after it is empty.
type run struct {
	src    string
	ctx    context.Context
	env    *Env
	root   Item
	index  int
	total  []Item
	search bool
	steps  int
	limit  int
	now    time.Time
	err    error
}

func (r *run) fail(pos int, kind outcome.Kind, key, vi, en string) {
	if r.err == nil {
		r.err = at(r.src, pos, kind, key, vi, en)
	}
}

// tick counts work; false says that the run is over.
func (r *run) tick(n int) bool {
	before := r.steps
	r.steps += n
	switch {
	case r.err != nil:
		return false
	case r.steps > r.limit:
		r.costly(0)
		return false
	case r.ctx != nil && before>>10 != r.steps>>10 && r.ctx.Err() != nil:
		r.err = outcome.New(outcome.Timeout, "fhirpath.cancelled", "Việc tính biểu thức đã bị ngừng.", "The evaluation was cancelled.").Because(r.ctx.Err())
		return false
	}
	return true
}

// enough says whether a collection has grown to its bound, which is an error.
func (r *run) enough(out []Item, pos int) bool {
	if len(out) > maxItems {
		r.costly(pos)
	}
	return r.err != nil
}

// single gives the only item for a function or operator that wants its value;
// none is no error, several are. An element without a value counts as none.
func (r *run) single(in []Item, pos int) (Item, bool) {
	i, ok := r.only(in, pos)
	return i, ok && !i.bare()
}

// only gives the only item, with a value or without.
func (r *run) only(in []Item, pos int) (Item, bool) {
	switch {
	case r.err != nil || len(in) == 0:
		return Item{}, false
	case len(in) > 1:
		r.singleton(pos)
		return Item{}, false
	}
	return in[0], true
}

// truth reads a collection as a Boolean (N1 §4.5, singleton evaluation): one
// item that is no Boolean counts as true.
func (r *run) truth(in []Item, pos int) (val, known bool) {
	i, ok := r.single(in, pos)
	if !ok {
		return false, false
	}
	if b, ok := i.value().(bool); ok {
		return b, true
	}
	return true, true
}

type compiler struct{ src string }

func (c compiler) compile(n *node) (step, error) {
	switch n.kind {
	case constantNode:
		lit := n.lit[:len(n.lit):len(n.lit)]
		return func(*run, []Item) []Item { return lit }, nil
	case thisNode, indexNode, totalNode:
		return c.frame(n)
	case environmentNode:
		return variables(n), nil
	case memberNode:
		return c.member(n)
	case invocationNode:
		return c.call(n)
	case subscriptNode:
		return c.subscript(n)
	case unaryNode:
		return c.unary(n)
	case typingNode:
		return c.typing(n, n.left)
	}
	return c.operator(n)
}

// frame compiles $this, $index and $total.
func (c compiler) frame(n *node) (step, error) {
	var s step
	switch n.kind {
	case thisNode:
		s = func(_ *run, this []Item) []Item { return this }
	case indexNode:
		s = func(r *run, _ []Item) []Item { return integer(int64(r.index)) }
	default:
		s = func(r *run, _ []Item) []Item { return r.total }
	}
	if n.left == nil {
		return s, nil
	}
	left, err := c.compile(n.left)
	if err != nil || n.kind != thisNode {
		return s, err
	}
	return left, nil // a.$this is a
}

func (c compiler) member(n *node) (step, error) {
	name := n.name
	if n.left == nil {
		if r, first := rune(name[0]), classOf(name); first != nil && unicode.IsUpper(r) {
			// The name of a type at the start keeps the items of that type (N1 §3).
			return func(r *run, this []Item) []Item { return r.typed(this, name) }, nil
		}
		return func(r *run, this []Item) []Item { return r.members(this, name, n.at) }, nil
	}
	left, err := c.compile(n.left)
	if err != nil {
		return nil, err
	}
	return func(r *run, this []Item) []Item { return r.members(left(r, this), name, n.at) }, nil
}

func (r *run) members(in []Item, name string, pos int) []Item {
	if !r.tick(1 + len(in)) {
		return nil
	}
	var out []Item
	for _, i := range in {
		out = i.child(name, out)
	}
	if r.enough(out, pos) {
		return nil
	}
	return out
}

func (r *run) typed(in []Item, name string) []Item {
	if len(in) == 1 && in[0].class != nil && in[0].class.name == name {
		return in
	}
	var out []Item
	for _, i := range in {
		if i.class != nil && i.class.is(name) {
			out = append(out, i)
		} else {
			out = i.child(name, out)
		}
	}
	return out
}

func (c compiler) subscript(n *node) (step, error) {
	left, err := c.compile(n.left)
	if err != nil {
		return nil, err
	}
	arg, err := c.compile(n.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run, this []Item) []Item {
		in := left(r, this)
		k, ok := r.integer(arg(r, this), n.args[0].at)
		if !ok || k < 0 || k >= int64(len(in)) {
			return nil
		}
		return in[k : k+1 : k+1]
	}, nil
}

func (c compiler) unary(n *node) (step, error) {
	arg, err := c.compile(n.args[0])
	if err != nil {
		return nil, err
	}
	return func(r *run, this []Item) []Item {
		i, ok := r.single(arg(r, this), n.at)
		if !ok {
			return nil
		}
		switch v := i.value().(type) {
		case int64, *apd.Decimal:
			if n.name == "-" {
				return arithmetic("-", int64(0), v)
			}
			return []Item{{v: v}}
		case quantity:
			if n.name == "-" {
				zero := quantity{new(apd.Decimal), v.unit, v.word}
				v, _ = zero.add(v, -1)
			}
			return []Item{{v: v}}
		}
		r.mistyped(n.at, "Integer, Decimal, Quantity")
		return nil
	}, nil
}

// typing compiles is, as and ofType (N1 §6.3).
func (c compiler) typing(n, of *node) (step, error) {
	if !n.typ.known() {
		return nil, unknownType(c.src, n.at, n.typ)
	}
	left := func(_ *run, this []Item) []Item { return this }
	if of != nil {
		var err error
		if left, err = c.compile(of); err != nil {
			return nil, err
		}
	}
	typ := n.typ
	if n.name == "is" {
		return func(r *run, this []Item) []Item {
			i, ok := r.only(left(r, this), n.at)
			if !ok {
				return nil
			}
			return boolean(i.is(typ, false))
		}, nil
	}
	exactly := n.name == "as"
	return func(r *run, this []Item) []Item {
		in := left(r, this)
		if exactly && len(in) > 1 && !r.search && !r.env.Filters {
			r.singleton(n.at)
			return nil
		}
		if len(in) == 1 {
			if in[0].is(typ, true) {
				return in
			}
			return nil
		}
		var out []Item
		for _, i := range in {
			if i.is(typ, true) {
				out = append(out, i)
			}
		}
		return out
	}, nil
}

// variables compiles %name (N1 §9, FHIR R4 fhirpath.html#variables).
func variables(n *node) step {
	switch name := n.name; {
	case name == "context":
		return func(r *run, _ []Item) []Item { return []Item{r.root} }
	case name == "resource":
		return func(r *run, _ []Item) []Item { return r.resource(false) }
	case name == "rootResource":
		return func(r *run, _ []Item) []Item { return r.resource(true) }
	case constants[name] != "":
		return fixed(constants[name])
	case strings.HasPrefix(name, "vs-"):
		return fixed("http://hl7.org/fhir/ValueSet/" + name[3:])
	case strings.HasPrefix(name, "ext-"):
		return fixed("http://hl7.org/fhir/StructureDefinition/" + name[4:])
	}
	return func(r *run, _ []Item) []Item {
		if r.env != nil {
			if items, ok := r.env.Vars[n.name]; ok {
				return items
			}
		}
		r.fail(n.at, outcome.Invalid, "variable", "Không có biến này.", "There is no such variable.")
		return nil
	}
}

var constants = map[string]string{"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}

func fixed(s string) step {
	out := strs(s)
	return func(*run, []Item) []Item { return out[:1:1] }
}

func (r *run) resource(root bool) []Item {
	if r.env != nil {
		if root && r.env.Root.Node.Exists() {
			return []Item{r.env.Root}
		}
		if r.env.Resource.Node.Exists() {
			return []Item{r.env.Resource}
		}
	}
	if r.root.Node.Exists() {
		return []Item{rootOf(r.root.Node.Root())}
	}
	return nil
}
