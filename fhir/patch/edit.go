package patch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// editor changes elements as FHIR sees them: a primitive is its value and what
// stands beside it, in two members that go together (FHIR R4 json.html#primitive).
type editor struct{ root *value }

var null = []byte("null")

// shape tells what may stand in the object at p: by the tables, and by the
// resourceType where a resource holds another one.
func (e editor) shape(p pointer) *r4.Shape {
	v := e.root
	s := r4.ResourceShape([]byte(v.get("resourceType").text()))
	holds := false // a resource, whose type it tells itself
	for _, token := range p {
		list := v.opens == '['
		if v = v.step(token); v == nil {
			return nil
		}
		if list {
			if holds {
				s = r4.ResourceShape([]byte(v.get("resourceType").text()))
			}
			continue
		}
		if s == nil {
			return nil
		}
		m := s.Member([]byte(strings.TrimPrefix(token, "_")))
		if m == nil {
			return nil
		}
		switch holds = m.Type.Code == "Resource"; {
		case m.Primitive != r4.None:
			s = r4.ShapeAt("Element")
		case holds:
			s = r4.ResourceShape([]byte(v.get("resourceType").text()))
		default:
			s = m.Shape()
		}
	}
	return s
}

// open gives the object of an element for change, and its shape. That of a
// primitive is what stands beside it, made when it is not there.
func (e editor) open(s spot) (*value, *r4.Shape, error) {
	v, err := e.root.follow(s.path(), true)
	if err == nil && v.opens == '{' {
		return v, e.shape(s.path()), nil
	}
	in, err := e.root.follow(s.parent, true)
	if err != nil {
		return nil, nil, err
	}
	member := "_" + s.name
	if s.index < 0 {
		if in.get(member) == nil {
			in.set(member, &value{opens: '{', open: true})
		}
		return in.get(member), r4.ShapeAt("Element"), nil
	}
	values, beside, err := pair(in, s.name, true)
	if err != nil {
		return nil, nil, err
	}
	in.set(s.name, values)
	in.set(member, beside)
	if beside.items[s.index].opens != '{' {
		beside.items[s.index] = &value{opens: '{', open: true}
	}
	tidy(in, s.name)
	return in.get(member).items[s.index], r4.ShapeAt("Element"), nil
}

// add puts a value into the element at s (FHIR R4 fhirpatch.html: "appended to
// the element identified in the path, using the name specified; for
// non-repeating elements as long as they do not already exist").
func (e editor) add(s spot, o *order) error {
	in, shape, err := e.open(s)
	if err != nil {
		return err
	}
	return put(in, shape, o.name, o.value, 0)
}

// replace puts a value in the place of the element at s. A choice changes its name with its type.
func (e editor) replace(s spot, o *order) error {
	if s.name == "" {
		return unfit("root", "Không thay được cả tài nguyên bằng FHIRPath Patch.", "A FHIRPath Patch can't replace the whole resource.")
	}
	in, err := e.root.follow(s.parent, true)
	if err != nil {
		return err
	}
	g, err := give(e.shape(s.parent), s.name, o.value, 0)
	if err != nil {
		return err
	}
	if s.index >= 0 {
		return e.splice(in, s.name, g, func(list []*value, v *value) []*value {
			list[s.index] = v
			return list
		})
	}
	rename(in, s.name, g.member.Name)
	rename(in, "_"+s.name, "_"+g.member.Name)
	assign(in, g.member.Name, g.value)
	assign(in, "_"+g.member.Name, g.beside)
	return nil
}

// rename gives a member another name, in its place.
func rename(in *value, from, to string) {
	if i := in.find(from); i >= 0 && from != to {
		in.touch()
		in.names[i] = name{to, r4.AppendString(nil, to)}
	}
}

// assign sets a member, or takes it out when there is nothing to set.
func assign(in *value, member string, v *value) {
	if v != nil {
		in.set(member, v)
	} else if i := in.find(member); i >= 0 {
		in.cut(i)
	}
}

// delete takes out the element at s, and every element that it leaves empty.
func (e editor) delete(s spot) error {
	if s.name == "" {
		return unfit("root", "Không được xoá cả tài nguyên bằng bản vá.", "A patch can't remove the whole resource.")
	}
	in, err := e.root.follow(s.parent, true)
	if err != nil {
		return err
	}
	if s.index < 0 {
		assign(in, s.name, nil)
		assign(in, "_"+s.name, nil)
	} else if err := e.splice(in, s.name, nil, func(list []*value, _ *value) []*value {
		return slices.Delete(list, s.index, s.index+1)
	}); err != nil {
		return err
	}
	return e.prune(s.parent)
}

// prune takes out the object at p when nothing is left in it.
func (e editor) prune(p pointer) error {
	for len(p) > 0 {
		v, err := e.root.follow(p, true)
		if err != nil {
			return err
		}
		if v.look(); len(v.items) > 0 {
			return nil
		}
		up := p[:len(p)-1]
		in, err := e.root.follow(up, true)
		if err != nil {
			return err
		}
		if in.opens == '[' && strings.HasPrefix(up[len(up)-1], "_") {
			if err := e.vacate(up, p[len(p)-1]); err != nil {
				return err
			}
			up = up[:len(up)-1]
		} else if _, err := e.root.removeAt(p); err != nil {
			return err
		}
		p = up
	}
	return nil
}

// vacate empties item token of the array at p, which stands beside values:
// the others keep their places, unless there is no value in that place either.
func (e editor) vacate(p pointer, token string) error {
	in, err := e.root.follow(p[:len(p)-1], true)
	if err != nil {
		return err
	}
	member := p[len(p)-1][1:]
	values, beside, err := pair(in, member, false)
	if err != nil {
		return err
	}
	i, ok := index(token, len(beside.items))
	if !ok || i >= len(beside.items) {
		return p.absent()
	}
	beside.items[i] = newValue(null)
	if !filled(values.items[i]) {
		beside.cut(i)
		values.cut(i)
	}
	tidy(in, member)
	return nil
}

// list is insert and move: found must be all items of one list.
func (e editor) list(doc *r4.Doc, o *order, found []spot) error {
	if len(found) == 0 && o.verb == "insert" {
		return e.first(doc, o)
	}
	if len(found) == 0 {
		return unfit("index", "Danh sách trống, không có gì để chuyển.", "The list is empty: there is nothing to move.")
	}
	s := found[0]
	in, err := e.root.follow(s.parent, true)
	if err != nil {
		return err
	}
	values, _, err := pair(in, s.name, false)
	if err != nil {
		return err
	}
	for i, f := range found {
		if f.index != i || f.name != s.name || !slices.Equal(f.parent, s.parent) || len(found) != len(values.items) {
			return unfit("list", "Đường dẫn phải chỉ một danh sách trọn vẹn.", "The path must name one whole list.")
		}
	}
	n := len(found)
	if o.verb == "move" {
		if o.source >= n || o.destination >= n {
			return beyond(n)
		}
		return e.splice(in, s.name, nil, func(list []*value, _ *value) []*value {
			v := list[o.source]
			return slices.Insert(slices.Delete(list, o.source, o.source+1), o.destination, v)
		})
	}
	if o.index > n {
		return beyond(n)
	}
	g, err := give(e.shape(s.parent), s.name, o.value, 0)
	if err != nil {
		return err
	}
	return e.splice(in, s.name, g, func(list []*value, v *value) []*value { return slices.Insert(list, o.index, v) })
}

func beyond(n int) error {
	return unfit("index", fmt.Sprintf("Danh sách chỉ có %d phần tử.", n), fmt.Sprintf("The list has only %d items.", n))
}

// first inserts into a list that is not there yet: the path's last step names it.
func (e editor) first(doc *r4.Doc, o *order) error {
	cut := strings.LastIndexByte(o.path, '.')
	if cut < 0 || o.index > 0 {
		return beyond(0)
	}
	found, err := elements(doc, o.path[:cut])
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return unfit("single", "Đường dẫn không chỉ một danh sách nào.", "The path names no list.")
	}
	in, shape, err := e.open(found[0])
	if err != nil {
		return err
	}
	name := o.path[cut+1:]
	if m := memberOf(shape, name, ""); m == nil || !m.Many {
		return unfit("list", "Đường dẫn phải chỉ một danh sách.", "The path must name a list.")
	}
	return put(in, shape, name, o.value, 0)
}

// pair gives the array of values and the array beside it, of one length when
// both are wanted or there. One that is not there is made, full of null.
func pair(in *value, member string, both bool) (values, beside *value, err error) {
	values, beside = in.get(member), in.get("_"+member)
	if values != nil && values.opens != '[' || beside != nil && beside.opens != '[' {
		return nil, nil, unfit("list", "Phần tử phải là một danh sách: "+member+".", "The element must be a list: "+member+".")
	}
	if values == nil {
		values = &value{opens: '[', open: true}
	}
	if beside == nil && both {
		beside = &value{opens: '[', open: true}
	}
	if beside == nil {
		values.look()
		return values, nil, nil
	}
	values.touch()
	beside.touch()
	for len(values.items) < len(beside.items) {
		values.items = append(values.items, newValue(null))
	}
	for len(beside.items) < len(values.items) {
		beside.items = append(beside.items, newValue(null))
	}
	return values, beside, nil
}

// splice changes a list and what stands beside it in the same way, then leaves out what holds nothing.
func (e editor) splice(in *value, member string, g *given, change func(list []*value, v *value) []*value) error {
	if g == nil {
		g = &given{}
	}
	values, beside, err := pair(in, member, g.beside != nil)
	if err != nil {
		return err
	}
	values.touch()
	values.items = change(values.items, orNull(g.value))
	in.set(member, values)
	if beside != nil {
		beside.items = change(beside.items, orNull(g.beside))
		in.set("_"+member, beside)
	}
	tidy(in, member)
	return nil
}

func orNull(v *value) *value {
	if v == nil {
		return newValue(null)
	}
	return v
}

func filled(v *value) bool { return v.opens != 'n' }

// tidy takes out an array without values.
func tidy(in *value, member string) {
	for _, m := range []string{member, "_" + member} {
		if i := in.find(m); i >= 0 && !slices.ContainsFunc(in.items[i].items, filled) && in.items[i].open {
			in.cut(i)
		}
	}
}

// put adds a value under a name of the shape: behind the others where it repeats.
func put(in *value, shape *r4.Shape, named string, part r4.Node, depth int) error {
	g, err := give(shape, named, part, depth)
	if err != nil {
		return err
	}
	if in.look(); in.opens != '{' {
		return unfit("element", "Phần tử này không chứa được phần tử khác.", "This element can't hold others.")
	}
	m := g.member
	if m.Many {
		return editor{}.splice(in, m.Name, g, func(list []*value, v *value) []*value { return append(list, v) })
	}
	for _, n := range in.names {
		if other := shape.Member([]byte(strings.TrimPrefix(n.text, "_"))); other != nil && other.Slot == m.Slot {
			return unfit("exists", "Phần tử đã có và không lặp lại được: "+shape.Slots[m.Slot].Name+".",
				"The element is there already and can't be repeated: "+shape.Slots[m.Slot].Name+".")
		}
	}
	assign(in, m.Name, g.value)
	assign(in, "_"+m.Name, g.beside)
	return nil
}
