package fhirpath

import (
	"github.com/ytso/ytso/fhir/outcome"
)

func (c compiler) operator(n *node) (step, error) {
	left, err := c.compile(n.args[0])
	if err != nil {
		return nil, err
	}
	right, err := c.compile(n.args[1])
	if err != nil {
		return nil, err
	}
	switch n.name {
	case "and", "or", "xor", "implies":
		return logic(n, left, right), nil
	case "|":
		return func(r *run, this []Item) []Item {
			return r.union(left(r, this), right(r, this), n.at)
		}, nil
	case "=", "!=":
		want := n.name == "="
		return func(r *run, this []Item) []Item {
			same, known := r.equalAll(left(r, this), right(r, this))
			if !known {
				return nil
			}
			return boolean(same == want)
		}, nil
	case "~", "!~":
		want := n.name == "~"
		return func(r *run, this []Item) []Item {
			return boolean(paired(left(r, this), right(r, this), r.equivalent) == want)
		}, nil
	case "in":
		return func(r *run, this []Item) []Item { return r.contains(right(r, this), left(r, this), n.at) }, nil
	case "contains":
		return func(r *run, this []Item) []Item { return r.contains(left(r, this), right(r, this), n.at) }, nil
	}
	return func(r *run, this []Item) []Item {
		a, b := left(r, this), right(r, this)
		if n.name == "&" {
			return r.concat(a, b, n.at)
		}
		x, okX := r.single(a, n.at)
		y, okY := r.single(b, n.at)
		if !okX || !okY || !r.tick(1) {
			return nil
		}
		switch n.name {
		case "<", ">", "<=", ">=":
			return r.ordered(n, x.value(), y.value())
		}
		return r.compute(n, x.value(), y.value())
	}, nil
}

// union merges without repetition. In a search expression the values are told apart later anyway.
func (r *run) union(a, b []Item, pos int) []Item {
	if r.search {
		switch {
		case len(a) == 0:
			return b
		case len(b) == 0:
			return a
		}
	}
	out := make([]Item, 0, len(a)+len(b))
	out = append(append(out, a...), b...)
	if !r.tick(1+len(out)/16) || r.enough(out, pos) || r.search {
		return out
	}
	return r.distinct(out)
}

// logic compiles the three-valued operators (N1 §6.5).
func logic(n *node, left, right step) step {
	return func(r *run, this []Item) []Item {
		a, knownA := r.truth(left(r, this), n.args[0].at)
		if r.err != nil {
			return nil
		}
		switch { // what the left side decides alone
		case n.name == "and" && knownA && !a:
			return boolean(false)
		case n.name == "or" && knownA && a, n.name == "implies" && knownA && !a:
			return boolean(true)
		}
		b, knownB := r.truth(right(r, this), n.args[1].at)
		if r.err != nil {
			return nil
		}
		switch n.name {
		case "and":
			if knownB && !b {
				return boolean(false)
			}
		case "or", "implies":
			if knownB && b {
				return boolean(true)
			}
		}
		if !knownA || !knownB {
			return nil
		}
		switch n.name {
		case "xor":
			return boolean(a != b)
		case "and":
			return boolean(a && b)
		case "or":
			return boolean(a || b)
		}
		return boolean(!a || b)
	}
}

// equalAll compares two collections in order; an empty one leaves it open.
func (r *run) equalAll(a, b []Item) (same, known bool) {
	if len(a) == 0 || len(b) == 0 || r.err != nil {
		return false, false
	}
	if len(a) != len(b) {
		return false, true
	}
	open := false
	for i := range a {
		same, known := r.equal(a[i], b[i])
		if known && !same {
			return false, true
		}
		open = open || !known
	}
	return !open, !open
}

// contains is N1 §6.4: nothing looked for gives nothing, in nothing false.
func (r *run) contains(in, item []Item, pos int) []Item {
	i, ok := r.single(item, pos)
	if !ok {
		return nil
	}
	for _, o := range in {
		if same, known := r.equal(o, i); same && known {
			return boolean(true)
		}
	}
	return boolean(false)
}

// concat is "&": nothing counts as the empty string.
func (r *run) concat(a, b []Item, pos int) []Item {
	x, _, okX := r.optional(a, pos)
	y, _, okY := r.optional(b, pos)
	if !okX || !okY {
		return nil
	}
	return r.made(x+y, pos)
}

// optional gives a string, "" when there is none; ok is false after an error.
func (r *run) optional(in []Item, pos int) (s string, given, ok bool) {
	i, given := r.single(in, pos)
	if !given {
		return "", false, r.err == nil
	}
	s, isString := i.value().(string)
	if !isString {
		r.mistyped(pos, "String")
	}
	return s, true, isString
}

// made gives a string that the expression made, within its bound.
func (r *run) made(s string, pos int) []Item {
	if len(s) > maxText || !r.tick(1+len(s)/64) {
		r.costly(pos)
		return nil
	}
	return strs(s)
}

// ordered computes <, >, <=, >= (N1 §6.2).
func (r *run) ordered(n *node, x, y any) []Item {
	order, known, ok := compareValues(x, y)
	switch {
	case !ok:
		r.fail(n.at, outcome.Invalid, "operand", "Hai giá trị khác kiểu, không so sánh được.", "The two values are of different types and can't be compared.")
		return nil
	case !known:
		return nil
	}
	switch n.name {
	case "<":
		return boolean(order < 0)
	case ">":
		return boolean(order > 0)
	case "<=":
		return boolean(order <= 0)
	}
	return boolean(order >= 0)
}

// compareValues orders two values; ok is false when their types have no common
// order, known when their precision, offset or units leave it open.
func compareValues(x, y any) (order int, known, ok bool) {
	switch a := x.(type) {
	case string:
		b, ok := y.(string)
		if !ok {
			return 0, false, false
		}
		switch {
		case a < b:
			return -1, true, true
		case a > b:
			return 1, true, true
		}
		return 0, true, true
	case moment:
		b, ok := y.(moment)
		if !ok || (a.kind == clock) != (b.kind == clock) {
			return 0, false, false
		}
		order, known = a.compare(b)
		return order, known, true
	}
	d, okD := asDecimal(x)
	e, okE := asDecimal(y)
	if okD && okE {
		return d.Cmp(e), true, true
	}
	q, okQ := asQuantity(x)
	o, okO := asQuantity(y)
	if !okQ || !okO {
		return 0, false, false
	}
	order, known = q.compare(o)
	return order, known, true
}

// compute does +, -, *, /, div and mod (N1 §6.6).
func (r *run) compute(n *node, x, y any) []Item {
	_, numX := asDecimal(x)
	_, numY := asDecimal(y)
	if numX && numY {
		return arithmetic(n.name, x, y)
	}
	if s, ok := x.(string); ok && n.name == "+" {
		if t, ok := y.(string); ok {
			return r.made(s+t, n.at)
		}
	}
	sign := 1
	if n.name == "-" {
		sign = -1
	}
	if m, ok := x.(moment); ok && (n.name == "+" || n.name == "-") {
		return r.shift(n, m, y, sign)
	}
	q, okQ := asQuantity(x)
	o, okO := asQuantity(y)
	if !okQ || !okO || n.name == "div" || n.name == "mod" {
		r.fail(n.at, outcome.Invalid, "operand", "Phép tính này không có cho kiểu giá trị ở đây.", "The operation does not exist for values of these types.")
		return nil
	}
	var out quantity
	var ok bool
	switch n.name {
	case "+", "-":
		out, ok = q.add(o, int64(sign))
	default:
		out, ok = q.times(o, n.name == "/")
	}
	if !ok {
		return nil
	}
	return []Item{{v: out}}
}

// shift moves a moment by a quantity of time.
func (r *run) shift(n *node, m moment, y any, sign int) []Item {
	q, ok := y.(quantity)
	if ok {
		var fits bool
		if m, ok, fits = m.add(q, sign); ok && fits {
			return []Item{{v: m}}
		}
	}
	if !ok {
		r.mistyped(n.at, "Quantity (year, month, week, day, hour, minute, second, millisecond)")
	}
	return nil
}
