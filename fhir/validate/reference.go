package validate

import (
	"bytes"
	"slices"
	"strings"

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
