package validate

import (
	"bytes"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// reference checks that a literal reference points at a type that the element
// allows, and a fragment at a resource contained (FHIR R4 references.html).
func (w *walker) reference(v r4.Node, m *r4.Member) {
	ref := v.Get("reference")
	raw, escaped := ref.Quoted()
	if escaped {
		w.text = ref.AppendText(w.text[:0])
		raw = w.text
	}
	var target []byte
	if len(raw) > 0 && raw[0] == '#' {
		to := w.fragment(raw[1:])
		if !to.Exists() {
			w.value(ref, "fragment", "Không có tài nguyên contained mang id này.", "There is no contained resource of this id.")
			return
		}
		target, _ = to.Get("resourceType").Quoted()
	} else {
		target = targetType(raw)
	}
	w.target(ref, m, target)
	stated, _ := v.Get("type").Quoted()
	if len(stated) == 0 || absolute(stated) {
		return
	}
	if r4.ResourceShape(stated) == nil {
		w.value(v.Get("type"), "reference-type", "type không phải loại tài nguyên của FHIR R4.", "type is no resource type of FHIR R4.")
		return
	}
	if len(target) > 0 && r4.ResourceShape(target) != nil && !bytes.Equal(stated, target) {
		w.value(v.Get("type"), "reference-type", "type không khớp loại tài nguyên mà reference trỏ tới.", "type does not match what the reference points at.")
		return
	}
	if len(target) == 0 {
		w.target(v.Get("type"), m, stated)
	}
}

// target checks a type that is pointed at; empty: it is not known.
func (w *walker) target(n r4.Node, m *r4.Member, target []byte) {
	if len(target) == 0 {
		return
	}
	if r4.ResourceShape(target) == nil {
		w.value(n, "reference-type", "reference trỏ tới một loại tài nguyên không có trong FHIR R4.", "The reference points at a type that FHIR R4 does not have.")
		return
	}
	if len(m.Type.Targets) == 0 {
		return
	}
	for _, t := range m.Type.Targets {
		if t == string(target) || t == "Resource" {
			return
		}
	}
	all := strings.Join(slices.Sorted(slices.Values(m.Type.Targets)), ", ")
	w.value(n, "target", "reference phải trỏ tới: "+all+".", "The reference must point at: "+all+".")
}

// fragment finds a contained resource; "#" alone is the resource that contains (FHIR R4 references.html#contained).
func (w *walker) fragment(id []byte) r4.Node {
	if len(id) == 0 {
		return w.holder
	}
	own := w.contained[w.first:]
	i, found := slices.BinarySearchFunc(own, id, func(h held, id []byte) int { return bytes.Compare(h.id, id) })
	if !found {
		return r4.Node{}
	}
	return own[i].node
}

// targetType finds the type in a literal reference: Type/id, Type/id/_history/v,
// Type?search, and the same behind the base of a server; empty when it shows none.
func targetType(ref []byte) []byte {
	if i := bytes.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	query := bytes.IndexByte(ref, '?')
	if query >= 0 {
		if path := ref[:query]; bytes.IndexByte(path, '/') < 0 && !absolute(path) {
			return path // conditional (FHIR R4 http.html#trules)
		}
		return nil
	}
	server := bytes.HasPrefix(ref, []byte("http://")) || bytes.HasPrefix(ref, []byte("https://"))
	if !server && absolute(ref) {
		return nil
	}
	if i := bytes.Index(ref, []byte("/_history/")); i >= 0 {
		ref = ref[:i]
	}
	slash := bytes.LastIndexByte(ref, '/')
	if slash < 0 || !idForm(ref[slash+1:]) {
		return nil
	}
	typ := ref[:slash]
	before := bytes.LastIndexByte(typ, '/')
	typ = typ[before+1:]
	if !server && before < 0 {
		return typ
	}
	if r4.ResourceShape(typ) == nil { // behind a server's base any path may stand
		return nil
	}
	return typ
}

// reference checks what a literal reference finds: in the Bundle around it one
// resource, of a type that the element allows and that the reference names
// (FHIR R4 bundle.html#references), or what Options.Resolve knows.
func (c *check) reference(e elem) {
	ref := literal(e)
	if ref == "" || ref[0] == '#' || e.slot == nil {
		return
	}
	if e.in.bundle != nil {
		list := c.refsOf(e.in.bundle).find(ref, e.in)
		if len(list) > 1 {
			c.errorf(e, outcome.MultipleMatch, "reference-many", "Trong Bundle có nhiều tài nguyên khớp reference này.", "Several resources of the Bundle match this reference.")
			return
		}
		if len(list) == 1 {
			c.found(e, ref, list[0].typ())
			return
		}
	}
	if c.o.Resolve == nil || c.trial > 0 {
		return
	}
	typ, found, err := c.o.Resolve(c.ctx, ref)
	switch {
	case err != nil:
		c.err = err
	case found:
		c.found(e, ref, typ)
	case ours(ref):
		c.errorf(e, outcome.NotFound, "reference-missing", "reference trỏ tới một tài nguyên không có ở đây.", "The reference points at a resource that is not here.")
	}
}

// ours says whether a reference is one that this server should know: a relative one.
func ours(ref string) bool { return !absolute([]byte(ref)) }

// found holds the type of what was found against the element and the reference.
func (c *check) found(e elem, ref, typ string) {
	if named := string(targetType([]byte(ref))); named != "" && named != typ && r4.IsResource(named) {
		c.errorf(e, outcome.Value, "reference-type", "reference nêu %[1]s nhưng trỏ tới %[2]s.", "The reference names a %[1]s and finds a %[2]s.", named, typ)
		return
	}
	for _, t := range e.slot.Types {
		if t.Code != "Reference" || len(t.Targets) == 0 || slices.Contains(t.Targets, typ) || slices.Contains(t.Targets, "Resource") {
			continue
		}
		all := strings.Join(slices.Sorted(slices.Values(t.Targets)), ", ")
		c.errorf(e, outcome.Value, "target", "reference phải trỏ tới: %[1]s.", "The reference must point at: %[1]s.", all)
	}
}
