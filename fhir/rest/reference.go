package rest

import (
	"bytes"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// A link is a place in a resource that may name another one.
type link struct {
	node r4.Node
	kind linkKind
	text string
}

type linkKind uint8

const (
	literal   linkKind = iota // Reference.reference
	address                   // uri, url, canonical
	narrative                 // the whole text of a div
)

// linksOf lists the links of a resource: all literal references, and of
// addresses and narratives those that a transaction could change. Resources
// inside a Bundle or Parameters that is itself the content are left alone: what
// they name is theirs to say (FHIR R4 bundle.html#references).
func linksOf(doc *r4.Doc) []link {
	var l linker
	l.resource(doc.Root())
	return l.list
}

type linker struct{ list []link }

func (l *linker) resource(n r4.Node) {
	name, _ := n.Get("resourceType").Quoted()
	if s := r4.ResourceShape(name); s != nil {
		l.object(n, s)
	}
}

func (l *linker) object(n r4.Node, s *r4.Shape) {
	for v := n.First(); v.Exists(); v = v.Next(n) {
		name := v.Name()
		if len(name) > 0 && name[0] == '_' {
			l.each(v, func(x r4.Node) { l.object(x, r4.ShapeAt("Element")) })
			continue
		}
		m := s.Member(name)
		if m == nil {
			continue
		}
		l.member(v, s, m)
	}
}

func (l *linker) member(v r4.Node, s *r4.Shape, m *r4.Member) {
	switch {
	case s.Path == "Reference" && m.Name == "reference":
		l.list = append(l.list, link{v, literal, v.Text()})
	case m.Primitive == r4.URI || m.Primitive == r4.URL || m.Primitive == r4.Canonical: // in an oid or uuid no address may stand
		l.each(v, func(x r4.Node) { l.temporary(x, address) })
	case m.Primitive == r4.XHTML:
		l.temporary(v, narrative)
	case m.Primitive != r4.None:
	case m.Shape() == nil:
		if m.Name == "contained" {
			l.each(v, l.resource)
		}
	default:
		l.each(v, func(x r4.Node) { l.object(x, m.Shape()) })
	}
}

// temporary adds what may hold the address that an entry has inside its Bundle only.
func (l *linker) temporary(v r4.Node, kind linkKind) {
	raw, escaped := v.Quoted()
	if kind == address && !bytes.HasPrefix(raw, urn) && !escaped || kind == narrative && !bytes.Contains(raw, urn) {
		return
	}
	l.list = append(l.list, link{v, kind, v.Text()})
}

var urn = []byte("urn:")

func (l *linker) each(v r4.Node, f func(r4.Node)) {
	if v.Kind() != r4.Array {
		f(v)
		return
	}
	for x := v.First(); x.Exists(); x = x.Next(v) {
		f(x)
	}
}

// local gives the resource of this server that a literal reference names, and
// the version when it names one: "Type/id", "Type/id/_history/1".
func local(ref string) (k store.Key, version string, ok bool) {
	ref, _, _ = strings.Cut(ref, "#")
	typ, rest, ok := strings.Cut(ref, "/")
	if !ok || !r4.IsResource(typ) {
		return k, "", false
	}
	id, version, has := strings.Cut(rest, "/")
	version, versioned := strings.CutPrefix(version, "_history/")
	if has && !versioned || !validID(id) {
		return k, "", false
	}
	return store.Key{Type: typ, ID: id}, version, true
}

// conditional says that a reference is a search (FHIR R4 http.html#trules).
func conditional(ref string) (typ, query string, ok bool) {
	typ, query, ok = strings.Cut(ref, "?")
	return typ, query, ok && r4.IsResource(typ)
}

// edit replaces the bytes from..to of a text.
type edit struct {
	from, to int
	with     string // becomes a JSON string
}

// edited applies edits, which are in the order of their places.
func edited(src []byte, edits []edit) []byte {
	if len(edits) == 0 {
		return src
	}
	out := make([]byte, 0, len(src)+32*len(edits))
	at := 0
	for _, e := range edits {
		out = append(out, src[at:e.from]...)
		out = r4.AppendString(out, e.with)
		at = e.to
	}
	return append(out, src[at:]...)
}

// rewrite gives the text of a resource with its links changed as change says,
// whether any was, and what the resource then names.
func rewrite(doc *r4.Doc, list []link, change func(link) (string, bool)) (src []byte, changes bool, refs []named) {
	var edits []edit
	var seen map[string]bool
	for _, l := range list {
		if with, ok := change(l); ok && with != l.text {
			from, to := l.node.Range()
			edits = append(edits, edit{from, to, with})
			l.text = with
		}
		if n, ok := namedBy(l); ok && !seen[n.key.String()+n.version] {
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[n.key.String()+n.version] = true
			refs = append(refs, n)
		}
	}
	return edited(doc.Source(), edits), len(edits) > 0, refs
}
