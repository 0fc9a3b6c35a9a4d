package fhirpath

import (
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
)

// collections are the functions of N1 §5.1–5.4, §5.8–5.9, §7 and not().
var collections = map[string]function{
	"empty":      {0, 0, func(_ *run, _ *call, _, in []Item) []Item { return boolean(len(in) == 0) }},
	"exists":     {0, 1, exists},
	"not":        {0, 0, not},
	"all":        {1, 1, all},
	"allTrue":    {0, 0, truths(true, true)},
	"anyTrue":    {0, 0, truths(true, false)},
	"allFalse":   {0, 0, truths(false, true)},
	"anyFalse":   {0, 0, truths(false, false)},
	"subsetOf":   {1, 1, func(r *run, c *call, this, in []Item) []Item { return r.within(in, c.args[0](r, this)) }},
	"supersetOf": {1, 1, func(r *run, c *call, this, in []Item) []Item { return r.within(c.args[0](r, this), in) }},
	"count":      {0, 0, func(_ *run, _ *call, _, in []Item) []Item { return integer(int64(len(in))) }},
	"distinct":   {0, 0, func(r *run, _ *call, _, in []Item) []Item { return r.distinct(in) }},
	"isDistinct": {0, 0, func(r *run, _ *call, _, in []Item) []Item { return boolean(len(r.distinct(in)) == len(in)) }},

	"where":  {1, 1, where},
	"select": {1, 1, project},
	"repeat": {1, 1, repeat},

	"single":    {0, 0, single},
	"first":     {0, 0, func(_ *run, _ *call, _, in []Item) []Item { return slice(in, 0, 1) }},
	"last":      {0, 0, func(_ *run, _ *call, _, in []Item) []Item { return slice(in, int64(len(in))-1, int64(len(in))) }},
	"tail":      {0, 0, func(_ *run, _ *call, _, in []Item) []Item { return slice(in, 1, int64(len(in))) }},
	"skip":      {1, 1, skip},
	"take":      {1, 1, take},
	"intersect": {1, 1, intersect},
	"exclude":   {1, 1, exclude},
	"union":     {1, 1, func(r *run, c *call, this, in []Item) []Item { return r.union(in, c.args[0](r, this), c.at) }},
	"combine":   {1, 1, combine},
	"iif":       {2, 3, iif},
	"sort":      {0, 10, order},
	"aggregate": {1, 2, aggregate},

	"children":    {0, 0, func(r *run, c *call, _, in []Item) []Item { return r.children(in, c.at) }},
	"descendants": {0, 0, descendants},
	"trace":       {1, 2, trace},
	"now":         {0, 0, func(r *run, _ *call, _, _ []Item) []Item { return []Item{{v: momentOf(r.now, dateTime)}} }},
	"today":       {0, 0, func(r *run, _ *call, _, _ []Item) []Item { return []Item{{v: momentOf(r.now, date)}} }},
	"timeOfDay":   {0, 0, func(r *run, _ *call, _, _ []Item) []Item { return []Item{{v: momentOf(r.now, clock)}} }},
	"type":        {0, 0, typeInfos},
}

func exists(r *run, c *call, _, in []Item) []Item {
	if len(c.args) == 0 {
		return boolean(len(in) > 0)
	}
	for i := range in {
		if r.holds(c, in, i) {
			return boolean(true)
		}
	}
	return boolean(false)
}

func not(r *run, c *call, _, in []Item) []Item {
	val, known := r.truth(in, c.at)
	if !known {
		return nil
	}
	return boolean(!val)
}

func all(r *run, c *call, _, in []Item) []Item {
	for i := range in {
		if !r.holds(c, in, i) {
			return boolean(false)
		}
	}
	return boolean(true)
}

// truths compiles allTrue() and its kin: whether all, or any, are val.
func truths(val, every bool) body {
	return func(r *run, c *call, _, in []Item) []Item {
		found := every
		for _, i := range in {
			b, ok := i.value().(bool)
			if !ok {
				r.mistyped(c.at, "Boolean")
				return nil
			}
			if (b == val) != every {
				found = !every
			}
		}
		return boolean(found)
	}
}

func (r *run) within(in, other []Item) []Item {
	b := r.bag(other)
	for _, i := range in {
		if !b.has(i) {
			return boolean(false)
		}
	}
	return boolean(true)
}

func where(r *run, c *call, _, in []Item) []Item {
	var out []Item
	for i := range in {
		if r.holds(c, in, i) {
			out = append(out, in[i])
		}
	}
	return out
}

func project(r *run, c *call, _, in []Item) []Item {
	var out []Item
	for i := range in {
		out = append(out, r.each(c, 0, in, i)...)
		if r.enough(out, c.at) {
			return nil
		}
	}
	return out
}

// repeat goes on until nothing new comes; an item that is there already is not taken again (N1 §5.2.3).
func repeat(r *run, c *call, _, in []Item) []Item {
	b := r.bag(nil)
	var out []Item
	for queue := in; len(queue) > 0; {
		var next []Item
		for i := range queue {
			for _, found := range r.each(c, 0, queue, i) {
				if b.add(found) {
					next = append(next, found)
				}
			}
			if r.enough(next, c.at) {
				return nil
			}
		}
		if out = append(out, next...); r.enough(out, c.at) {
			return nil
		}
		queue = next
	}
	return out
}

func single(r *run, c *call, _, in []Item) []Item {
	if _, ok := r.only(in, c.at); !ok {
		return nil
	}
	return in
}

// slice cuts safely.
func slice(in []Item, from, to int64) []Item {
	n := int64(len(in))
	from, to = min(max(from, 0), n), min(max(to, 0), n)
	if from >= to {
		return nil
	}
	return in[from:to:to]
}

func skip(r *run, c *call, this, in []Item) []Item {
	n, ok := c.number(r, this, 0)
	if !ok {
		return nil
	}
	return slice(in, n, int64(len(in)))
}

func take(r *run, c *call, this, in []Item) []Item {
	n, ok := c.number(r, this, 0)
	if !ok {
		return nil
	}
	return slice(in, 0, n)
}

func intersect(r *run, c *call, this, in []Item) []Item {
	b := r.bag(c.args[0](r, this))
	var out []Item
	for _, i := range in {
		if b.has(i) {
			out = append(out, i)
		}
	}
	return r.distinct(out)
}

func exclude(r *run, c *call, this, in []Item) []Item {
	b := r.bag(c.args[0](r, this))
	var out []Item
	for _, i := range in {
		if !b.has(i) {
			out = append(out, i)
		}
	}
	return out
}

func combine(r *run, c *call, this, in []Item) []Item {
	out := append(slices.Clone(in), c.args[0](r, this)...)
	if !r.tick(1+len(out)/16) || r.enough(out, c.at) {
		return nil
	}
	return out
}

// iif takes only the branch that the criterion chooses (N1 §5.5.1).
func iif(r *run, c *call, _, in []Item) []Item {
	if len(in) > 1 {
		r.singleton(c.at)
		return nil
	}
	i, ok := r.single(c.args[0](r, in), c.node.args[0].at)
	if r.err != nil {
		return nil
	}
	met := false
	if ok {
		if met, ok = i.value().(bool); !ok {
			r.mistyped(c.node.args[0].at, "Boolean")
			return nil
		}
	}
	switch {
	case met:
		return c.args[1](r, in)
	case len(c.args) == 3:
		return c.args[2](r, in)
	}
	return nil
}

func aggregate(r *run, c *call, this, in []Item) []Item {
	before := r.total
	r.total = nil
	if len(c.args) == 2 {
		r.total = c.args[1](r, this)
	}
	for i := range in {
		r.total = r.each(c, 0, in, i)
	}
	out := r.total
	r.total = before
	return out
}

// order sorts by the arguments in turn, by the items themselves when there are
// none; items without a value come last, or first where the order is turned round.
func order(r *run, c *call, _, in []Item) []Item {
	keys := make([][]Item, len(in)) // of each item its keys, an Item without value where there is none
	for i := range in {
		if len(c.args) == 0 {
			keys[i] = in[i : i+1]
			continue
		}
		for k := range c.args {
			v, _ := r.single(r.each(c, k, in, i), c.node.args[k].at)
			keys[i] = append(keys[i], v)
		}
	}
	index := make([]int, len(in))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		for k := range keys[a] {
			if !r.tick(1) {
				return 0
			}
			way := 1
			if len(c.args) > 0 && c.node.args[k].desc {
				way = -1
			}
			if o := r.rank(keys[a][k].value(), keys[b][k].value(), c.at); o != 0 {
				return o * way
			}
		}
		return 0
	})
	out := make([]Item, len(in))
	for i, from := range index {
		out[i] = in[from]
	}
	return out
}

func (r *run) rank(x, y any, pos int) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	order, known, ok := compareValues(x, y)
	if !ok {
		r.fail(pos, outcome.Invalid, "operand", "Các giá trị khác kiểu, không xếp thứ tự được.", "The values are of different types and can't be ordered.")
	}
	if !known {
		return 0
	}
	return order
}

func (r *run) children(in []Item, pos int) []Item {
	var out []Item
	for _, i := range in {
		before := len(out)
		out = i.children(out)
		if !r.tick(1+(len(out)-before)/16) || r.enough(out, pos) {
			return nil
		}
	}
	return out
}

func descendants(r *run, c *call, _, in []Item) []Item {
	var out []Item
	for level := r.children(in, c.at); len(level) > 0; level = r.children(level, c.at) {
		if out = append(out, level...); r.enough(out, c.at) {
			return nil
		}
	}
	return out
}

// trace tells the environment and changes nothing.
func trace(r *run, c *call, this, in []Item) []Item {
	name, ok := c.text(r, this, 0)
	if !ok {
		return in
	}
	shown := in
	if len(c.args) == 2 {
		shown = nil
		for i := range in {
			shown = append(shown, r.each(c, 1, in, i)...)
		}
	}
	if r.env != nil && r.env.Trace != nil {
		r.env.Trace(name, shown)
	}
	return in
}

// typeInfos is type() (N1 §6.3, reflection).
func typeInfos(_ *run, _ *call, _, in []Item) []Item {
	var out []Item
	for _, i := range in {
		switch {
		case i.v != nil:
			out = append(out, Item{v: typeInfo{"System", systemType(i.v), "System.Any"}})
		default:
			base := ""
			if i.class != nil && i.class.parent() != "" {
				base = "FHIR." + i.class.parent()
			}
			out = append(out, Item{v: typeInfo{"FHIR", i.TypeName(), base}})
		}
	}
	return out
}
