package fhirpath

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/ytso/ytso/fhir/r4"
)

// equal is N1 §6.1.1 for two items; known is false when precision, offset or units leave it open.
func (r *run) equal(a, b Item) (same, known bool) {
	if !r.tick(1) {
		return false, true
	}
	x, y := a.value(), b.value()
	switch {
	case a.bare() || b.bare():
		return false, false
	case x == nil && y == nil && a.Complex() && b.Complex():
		return r.sameNode(a.Node, b.Node), true
	}
	return equalValues(x, y)
}

func equalValues(x, y any) (same, known bool) {
	if x == nil || y == nil {
		return false, true
	}
	switch a := x.(type) {
	case bool, string, typeInfo, resolved:
		return x == y, true
	case moment:
		b, ok := y.(moment)
		if !ok || (a.kind == clock) != (b.kind == clock) {
			return false, true
		}
		order, known := a.compare(b)
		return order == 0, known
	case quantity:
		if b, ok := asQuantity(y); ok {
			order, known := a.compare(b)
			return order == 0, known
		}
		return false, true
	case int64:
		if b, ok := y.(int64); ok {
			return a == b, true
		}
	}
	if b, ok := y.(quantity); ok {
		return equalValues(b, x)
	}
	d, okD := asDecimal(x)
	e, okE := asDecimal(y)
	return okD && okE && d.Cmp(e) == 0, true
}

// sameNode compares objects by their members, whatever their order.
func (r *run) sameNode(a, b r4.Node) bool {
	if a.Kind() != b.Kind() || !r.tick(1) {
		return false
	}
	switch a.Kind() {
	case r4.Map:
		n := 0
		for name, v := range a.Members() {
			if n++; !r.sameNode(v, b.Get(name)) {
				return false
			}
		}
		for range b.Members() {
			n--
		}
		return n == 0
	case r4.Array:
		if a.Len() != b.Len() {
			return false
		}
		x, y := elems(a), elems(b)
		for i := range x {
			if !r.sameNode(x[i], y[i]) {
				return false
			}
		}
		return true
	case r4.Number:
		x, okX := parseDecimal(a.Text())
		y, okY := parseDecimal(b.Text())
		return okX && okY && x.Cmp(y) == 0
	}
	return a.Text() == b.Text()
}

func elems(n r4.Node) (out []r4.Node) {
	for e := range n.Elems() {
		out = append(out, e)
	}
	return out
}

// equivalent is N1 §6.1.2 for two items; it always has an answer.
func (r *run) equivalent(a, b Item) bool {
	if !r.tick(1) {
		return false
	}
	x, y := a.value(), b.value()
	if x == nil || y == nil {
		return x == nil && y == nil && r.alike(a.Node, b.Node)
	}
	switch v := x.(type) {
	case string:
		w, ok := y.(string)
		return ok && loose(v) == loose(w)
	case moment:
		w, ok := y.(moment)
		if !ok || (v.kind == clock) != (w.kind == clock) {
			return false
		}
		order, known := v.compare(w)
		return known && order == 0
	case bool, typeInfo, resolved:
		return x == y
	}
	if _, ok := x.(quantity); !ok {
		_, ok = y.(quantity)
		if !ok {
			d, okD := asDecimal(x)
			e, okE := asDecimal(y)
			return okD && okE && near(d, e)
		}
	}
	q, okQ := asQuantity(x)
	o, okO := asQuantity(y)
	return okQ && okO && q.equivalent(o)
}

// loose is a string without regard to case and white space.
func loose(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// alike is sameNode without regard to the order of lists, case and white space.
func (r *run) alike(a, b r4.Node) bool {
	if a.Kind() != b.Kind() || !r.tick(1) {
		return false
	}
	switch a.Kind() {
	case r4.Map:
		n := 0
		for name, v := range a.Members() {
			if n++; !r.alike(v, b.Get(name)) {
				return false
			}
		}
		for range b.Members() {
			n--
		}
		return n == 0
	case r4.Array:
		return paired(elems(a), elems(b), r.alike)
	case r4.Number:
		x, okX := parseDecimal(a.Text())
		y, okY := parseDecimal(b.Text())
		return okX && okY && near(x, y)
	}
	return loose(a.Text()) == loose(b.Text())
}

// paired says whether each of a has its own partner in b.
func paired[T any](a, b []T, same func(T, T) bool) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
	for _, x := range a {
		found := false
		for j, y := range b {
			if !used[j] && same(x, y) {
				used[j], found = true, true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// key is the same for two items exactly when they are equal; ok is false for
// values whose equality can't be told by a text.
func (i Item) key() (string, bool) {
	switch v := i.value().(type) {
	case string:
		return "s" + v, true
	case bool:
		return "b" + strconv.FormatBool(v), true
	case int64:
		return "n" + strconv.FormatInt(v, 10), true
	case *apd.Decimal:
		var z apd.Decimal
		z.Reduce(v)
		if z.IsZero() {
			return "n0", true
		}
		return "n" + plain(&z).Text('f'), true
	}
	return "", false
}

// bag finds equal items quickly.
type bag struct {
	r     *run
	keys  map[string]bool
	other []Item
}

func (r *run) bag(items []Item) *bag {
	b := &bag{r: r, keys: map[string]bool{}}
	for _, i := range items {
		b.add(i)
	}
	return b
}

// add says whether the item is new.
func (b *bag) add(i Item) bool {
	if !b.r.tick(1) || b.has(i) {
		return false
	}
	if k, ok := i.key(); ok {
		b.keys[k] = true
	} else {
		b.other = append(b.other, i)
	}
	return true
}

func (b *bag) has(i Item) bool {
	if k, ok := i.key(); ok {
		return b.keys[k]
	}
	for _, o := range b.other {
		if same, known := b.r.equal(o, i); same && known {
			return true
		}
	}
	return false
}

func (r *run) distinct(in []Item) []Item {
	if len(in) < 2 {
		return in
	}
	b := r.bag(nil)
	out := make([]Item, 0, len(in))
	for _, i := range in {
		if b.add(i) {
			out = append(out, i)
		}
	}
	return out
}
