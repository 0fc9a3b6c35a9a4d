package record

import (
	"bytes"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// target is what a literal reference names on this server.
type target struct {
	store.Key
	Version int // 0: the current one
}

// aim reads a literal reference: relative, or absolute under base. ok is false
// for all others: of other servers, contained, urn:uuid.
func aim(base, ref string) (t target, ok bool) {
	if base != "" {
		ref = strings.TrimPrefix(ref, strings.TrimSuffix(base, "/")+"/")
	}
	part := strings.Split(ref, "/")
	if len(part) != 2 && !(len(part) == 4 && part[2] == "_history") || !r4.IsResource(part[0]) || part[1] == "" {
		return t, false
	}
	t.Key = store.Key{Type: part[0], ID: part[1]}
	if len(part) == 4 {
		v, err := strconv.Atoi(part[3])
		if err != nil || v < 1 {
			return t, false
		}
		t.Version = v
	}
	return t, true
}

// references gives the text of every literal reference of a resource, those of
// contained resources with them, and of every Attachment that is a Binary.
func references(n r4.Node) iter.Seq[r4.Node] {
	return func(yield func(r4.Node) bool) { walkReferences(n, yield) }
}

func walkReferences(n r4.Node, yield func(r4.Node) bool) bool {
	for c := n.First(); c.Exists(); c = c.Next(n) {
		switch c.Kind() {
		case r4.Map, r4.Array:
			if !walkReferences(c, yield) {
				return false
			}
		case r4.String:
			name := string(c.Name())
			if name == "reference" || name == "url" && strings.Contains(c.Text(), "Binary/") {
				if !yield(c) {
					return false
				}
			}
		}
	}
	return true
}

// pathOf writes where a node stands, as FHIRPath.
func pathOf(doc *r4.Doc, n r4.Node) string {
	var b strings.Builder
	b.WriteString(doc.Type())
	at, _ := n.Range()
	for p := doc.Root(); ; {
		next, i := r4.Node{}, 0
		for c := p.First(); c.Exists(); c = c.Next(p) {
			if from, to := c.Range(); from <= at && at < to {
				next = c
				break
			}
			i++
		}
		if !next.Exists() {
			return b.String()
		}
		if p.Kind() == r4.Array {
			b.WriteString("[" + strconv.Itoa(i) + "]")
		} else {
			b.WriteString("." + string(next.Name()))
		}
		p = next
	}
}

// aboutOnly says whether a resource is about one of some Patients or about
// nobody; what is about others does not belong into their record.
func aboutOnly(doc *r4.Doc, patients []string) (bool, error) {
	if len(r4.PatientCompartment(doc.Type())) == 0 {
		return true, nil
	}
	values, err := param.Extract(doc)
	if err != nil {
		return false, err
	}
	about := param.PatientCompartment(doc, values)
	return len(about) == 0 || slices.ContainsFunc(about, func(id string) bool { return slices.Contains(patients, id) }), nil
}

// edit puts text in the place of some bytes.
type edit struct {
	from, to int
	text     []byte
}

// apply makes edits, which must not overlap, in any order.
func apply(src []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		out.Write(src[at:e.from])
		out.Write(e.text)
		at = e.to
	}
	out.Write(src[at:])
	return out.Bytes()
}
