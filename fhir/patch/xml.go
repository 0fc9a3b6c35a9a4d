package patch

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// XML applies an XML Patch (RFC 5261) to the XML form of doc and gives the
// JSON of the result. The error names the operation as "patch[n]":
// outcome.Invalid (400) when the patch is not well-formed, outcome.Value (422)
// when it doesn't fit the resource or the result is no resource,
// outcome.NotSupported when a selector is beyond what RFC 5261 §4.1 asks for.
//
// What the patch leaves as it was keeps its bytes in the JSON too.
func XML(doc *r4.Doc, diff []byte) (out []byte, err error) {
	defer outcome.Wrap(&err, "patch.XML")
	src, err := doc.AppendXML(nil)
	if err != nil {
		return nil, err
	}
	target, err := parseXML(src)
	if err != nil {
		return nil, outcome.New(outcome.Exception, "patch.xml", "Không đọc lại được dạng XML của tài nguyên.", "The XML form of the resource can't be read back.").Because(err)
	}
	before, err := resourceOf(target)
	if err != nil {
		return nil, err
	}
	if err := applyXML(target, diff); err != nil {
		return nil, err
	}
	after, err := resourceOf(target)
	if err != nil {
		return nil, unfit("result", "Kết quả của bản vá không phải một tài nguyên đúng.", "What the patch leaves is no valid resource.").
			At(outcome.As(err).Expression...).Because(err)
	}
	return finish(doc, merge(newValue(doc.Source()), before, after))
}

// resourceOf reads the tree as a resource.
func resourceOf(tree *xnode) (*value, error) {
	d, err := r4.ParseXML(tree.append(nil))
	if err != nil {
		return nil, err
	}
	return newValue(d.Source()), nil
}

// merge keeps of old what before and after have in common: the way through XML
// loses the order of members and how a narrative was written.
func merge(old, before, after *value) *value {
	if before.raw != nil && bytes.Equal(before.raw, after.raw) {
		return old
	}
	if old.opens != after.opens || before.opens != after.opens {
		return after
	}
	for _, v := range []*value{old, before, after} {
		v.look()
	}
	out := &value{opens: after.opens, open: true}
	switch after.opens {
	case '[':
		if len(old.items) != len(after.items) || len(before.items) != len(after.items) {
			return after
		}
		for i := range after.items {
			out.items = append(out.items, merge(old.items[i], before.items[i], after.items[i]))
		}
	case '{':
		for i, n := range old.names {
			if b, a := before.get(n.text), after.get(n.text); a != nil && b != nil {
				out.set(n.text, merge(old.items[i], b, a))
			}
		}
		for i, n := range after.names {
			if out.find(n.text) < 0 {
				out.set(n.text, after.items[i])
			}
		}
	default:
		return after
	}
	return out
}

// applyXML carries out the operations of a patch on a document.
func applyXML(target *xnode, diff []byte) error {
	if err := tooLong(diff); err != nil {
		return err
	}
	patch, err := parseXML(diff)
	if err != nil {
		return malformed("Bản vá không phải XML đúng cách viết.", "The patch is not well-formed XML.").Because(err)
	}
	w, n := newWork(), 0
	for _, op := range patch.root().children {
		if op.kind != element {
			continue
		}
		if n++; n > MaxOperations {
			return tooMany()
		}
		if err := w.operateXML(target, op); err != nil {
			return at(err, fmt.Sprintf("patch[%d]", n-1))
		}
	}
	if n == 0 {
		return malformed("Bản vá không có thao tác nào.", "The patch has no operation.")
	}
	return nil
}

// option gives an attribute of an operation.
func (n *xnode) option(name string) string {
	if i := n.attr(qname{local: name}); i < len(n.attrs) {
		return n.attrs[i].value
	}
	return ""
}

func (w *work) operateXML(target, op *xnode) error {
	if err := w.spend(op.size()); err != nil {
		return err
	}
	steps, err := parseSelector(op.option("sel"), op)
	if err != nil {
		return err
	}
	list, err := w.find(target, steps)
	if err != nil {
		return err
	}
	if len(list) != 1 { // RFC 5261 §4.1: the selector must give a unique node
		return unfit("single", fmt.Sprintf("Bộ chọn phải chỉ đúng một nút, ở đây có %d.", len(list)),
			fmt.Sprintf("The selector must name exactly one node, here are %d.", len(list)))
	}
	if err := w.spend(list[0].near()); err != nil {
		return err
	}
	switch op.name.local {
	case "add":
		return addXML(list[0], op)
	case "replace":
		return replaceXML(list[0], op)
	case "remove":
		return removeXML(list[0], op)
	}
	return malformed("Thao tác phải là add, replace hoặc remove.", "The operation must be add, replace or remove.")
}

// near is what a change at a node may have to copy: the texts and the lists around it.
func (n *xnode) near() int {
	s := 0
	for _, in := range []*xnode{n, n.up} {
		for _, c := range in.children {
			s += 8 + len(c.text)
		}
	}
	return s
}

// addXML is RFC 5261 §4.3.
func addXML(t found, op *xnode) error {
	if t.attr >= 0 || t.declared >= 0 {
		return unfit("target", "Không thêm gì vào một thuộc tính được.", "Nothing can be added to an attribute.")
	}
	if kind := op.option("type"); kind != "" {
		return addPart(t.xnode, op, kind)
	}
	in, i := t.xnode, 0
	switch pos := op.option("pos"); pos {
	case "", "append":
		i = len(in.children)
	case "prepend":
	case "before", "after":
		if i = in.at(); pos == "after" {
			i++
		}
		in = in.up
	default:
		return malformed("pos phải là before, after hoặc prepend.", "pos must be before, after or prepend.")
	}
	if in.kind != element {
		return unfit("target", "Chỉ thêm được vào một phần tử.", "Only an element can be added to.")
	}
	for _, c := range op.children {
		if in.up == nil && c.kind != comment && c.kind != instruction {
			return unfit("target", "Bên cạnh phần tử gốc chỉ được có chú thích.", "Only comments may stand beside the root element.")
		}
		before := len(in.children)
		in.put(i, c.copy())
		i += len(in.children) - before
	}
	return nil
}

// addPart adds an attribute or the declaration of a prefix (RFC 5261 §4.3.2, §4.3.3).
func addPart(n, op *xnode, kind string) error {
	if n.kind != element {
		return unfit("target", "Chỉ phần tử có thuộc tính.", "Only elements have attributes.")
	}
	exists := unfit("exists", "Thuộc tính đã có.", "The attribute is there already.")
	if prefix, ok := strings.CutPrefix(kind, "namespace::"); ok {
		if slices.ContainsFunc(n.declares, func(b binding) bool { return b.prefix == prefix }) {
			return exists
		}
		if !plainName(prefix) || strings.HasPrefix(prefix, "xml") || strings.TrimSpace(op.words()) == "" {
			return malformed("Tiền tố không hợp lệ.", "The prefix is not valid.")
		}
		n.declares = append(n.declares, binding{prefix, strings.TrimSpace(op.words())})
		return nil
	}
	name, ok := strings.CutPrefix(kind, "@")
	s := &selector{src: name, scope: op}
	if !ok {
		return malformed("type phải là @tên hoặc namespace::tiền-tố.", "type must be @name or namespace::prefix.")
	}
	q, err := s.qualified(false)
	if err != nil {
		return err
	}
	if s.at < len(s.src) || !plainName(q.local) || q.local == "xmlns" {
		return s.fail()
	}
	if n.attr(q) < len(n.attrs) {
		return exists
	}
	n.attrs = append(n.attrs, attribute{q, op.words()})
	return nil
}

// plainName says whether a name is one that FHIR could know: no more is ever needed.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.')) {
			return false
		}
	}
	return s != ""
}

// replaceXML is RFC 5261 §4.4: by what is of the same kind, and one.
func replaceXML(t found, op *xnode) error {
	switch {
	case t.attr >= 0:
		t.attrs[t.attr].value = op.words()
		return nil
	case t.declared >= 0:
		return t.redeclare(strings.TrimSpace(op.words()))
	case t.kind == text:
		if t.xnode.text = op.words(); t.xnode.text == "" {
			t.cut()
		}
		return nil
	}
	var with []*xnode
	for _, c := range op.children {
		if c.kind != text || strings.TrimSpace(c.text) != "" {
			with = append(with, c)
		}
	}
	if len(with) != 1 || with[0].kind != t.kind {
		return malformed("replace phải chứa đúng một nút cùng loại.", "replace must hold exactly one node of the same kind.")
	}
	i := t.at()
	n := with[0].copy()
	n.up = t.up
	t.up.children[i] = n
	return nil
}

// redeclare gives a prefix another namespace, and with it all names that use the declaration (RFC 5261 §4.4.3).
func (t found) redeclare(uri string) error {
	b := &t.declares[t.declared]
	if uri == "" || uri == nsXML {
		return malformed("Không gian tên không hợp lệ.", "The namespace is not valid.")
	}
	b.uri = uri
	t.under(b.prefix, func(q *qname) { q.space = uri })
	return nil
}

// removeXML is RFC 5261 §4.5; ws takes the white space beside the node too.
func removeXML(t found, op *xnode) error {
	switch {
	case t.attr >= 0:
		t.attrs = slices.Delete(t.attrs, t.attr, t.attr+1)
		return nil
	case t.declared >= 0:
		used := false
		t.under(t.declares[t.declared].prefix, func(*qname) { used = true })
		if used {
			return unfit("target", "Không gian tên đang được dùng.", "The namespace is in use.")
		}
		t.declares = slices.Delete(t.declares, t.declared, t.declared+1)
		return nil
	case t.kind == element && t.up.up == nil:
		return unfit("root", "Không được xoá cả tài nguyên bằng bản vá.", "A patch can't remove the whole resource.")
	}
	ws := op.option("ws")
	for _, side := range []struct {
		name string
		by   int
	}{{"after", 1}, {"before", -1}} {
		if ws != side.name && ws != "both" {
			continue
		}
		i := t.at() + side.by
		if t.kind == text || i < 0 || i >= len(t.up.children) || t.up.children[i].kind != text || strings.TrimSpace(t.up.children[i].text) != "" {
			return unfit("white-space", "Bên cạnh nút không có khoảng trắng để xoá.", "There is no white space beside the node to remove.")
		}
		t.up.children[i].cut()
	}
	if ws != "" && ws != "after" && ws != "before" && ws != "both" {
		return malformed("ws phải là before, after hoặc both.", "ws must be before, after or both.")
	}
	t.cut()
	return nil
}
