package rest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// fresh is a resource that is ready to be written.
type fresh struct {
	*store.Prepared
	issues []validate.Issue // warnings
	refs   []named
}

// named is a resource of this server that a literal reference names.
type named struct {
	key store.Key // the zero Key: an address that only an entry of the same Bundle could have had
	at  r4.Node   // one place that names it
}

// maxReferences bounds what one resource may name: each is looked up while the writer waits.
const maxReferences = 50_000

// ready checks and indexes a resource outside any transaction. References to
// this server by its address are made relative, so that they hold when the
// address changes and are found by searches.
func (s *Server) ready(ctx context.Context, q *Request, k store.Key, doc *r4.Doc) (*fresh, error) {
	return s.readyWith(ctx, q, k, doc, nil)
}

// readyWith also changes other links, when change says so.
func (s *Server) readyWith(ctx context.Context, q *Request, k store.Key, doc *r4.Doc, change func(link) (string, bool)) (*fresh, error) {
	src, changes := rewrite(doc, toward(q.Base, change))
	if changes {
		changed, err := r4.Parse(src)
		if err != nil {
			return nil, err
		}
		doc = changed
	}
	return s.readyText(ctx, q, k, doc)
}

// toward makes references to this server relative, where change says nothing else.
func toward(base string, change func(link) (string, bool)) func(link) (string, bool) {
	base += "/"
	return func(l link) (string, bool) {
		if change != nil {
			if with, ok := change(l); ok {
				return with, true
			}
		}
		if l.kind != literal {
			return "", false
		}
		return strings.CutPrefix(l.text, base)
	}
}

// readyText is ready for a resource whose links are as they are to be.
func (s *Server) readyText(ctx context.Context, q *Request, k store.Key, doc *r4.Doc) (*fresh, error) {
	if subset(doc) {
		return nil, errSubset
	}
	issues, err := s.check(ctx, doc)
	if err != nil {
		return nil, err
	}
	if err := validate.Refusal(issues); err != nil {
		return nil, err
	}
	refs := references(doc)
	if len(refs) > maxReferences {
		return nil, fail(outcome.TooCostly, "references", "Tài nguyên có quá nhiều tham chiếu.", "The resource names too many others.")
	}
	p, err := s.c.Store.Prepare(store.Draft{Key: k, Body: doc.Source(), Owner: q.Owner})
	if err != nil {
		return nil, err
	}
	return &fresh{Prepared: p, issues: issues, refs: refs}, nil
}

var errSubset = fail(outcome.BusinessRule, "subsetted", "Tài nguyên mang nhãn SUBSETTED chỉ là một phần, ghi lại sẽ làm mất phần kia.",
	"A resource tagged SUBSETTED is only a part; writing it would lose the rest.").At("meta.tag")

// subset says that a resource is what _summary or _elements left of it (FHIR R4 search.html#elements).
func subset(doc *r4.Doc) bool {
	for t := range doc.Root().Get("meta").Get("tag").Elems() {
		if t.Get("code").Text() == "SUBSETTED" && t.Get("system").Text() == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue" {
			return true
		}
	}
	return false
}

func (s *Server) check(ctx context.Context, doc *r4.Doc) ([]validate.Issue, error) {
	if s.c.Check == nil {
		return validate.Structure(doc), nil
	}
	return s.c.Check.Check(ctx, doc, validate.Options{})
}

// references lists what a resource names on this server, each once.
func references(doc *r4.Doc) (list []named) {
	seen := map[store.Key]bool{}
	links(doc, func(l link) {
		if l.kind != literal || l.text == "" || l.text[0] == '#' {
			return
		}
		k, ok := local("", l.text)
		ok = ok || strings.HasPrefix(l.text, "urn:uuid:") || strings.HasPrefix(l.text, "urn:oid:") // of a Bundle's entry, which is not here
		if ok && !seen[k] {
			seen[k] = true
			list = append(list, named{key: k, at: l.node})
		}
	})
	return list
}

// pathOf writes the FHIRPath of a node by walking to it.
func pathOf(to r4.Node) string {
	at, _ := to.Range()
	n := to.Root()
	path := n.Get("resourceType").Text()
	for {
		next, name := r4.Node{}, ""
		for v := n.First(); v.Exists(); v = v.Next(n) {
			if from, end := v.Range(); from <= at && at < end {
				next, name = v, string(v.Name())
				if n.Kind() == r4.Array {
					name = fmt.Sprintf("[%d]", index(n, v))
				} else {
					name = "." + name
				}
				break
			}
		}
		if !next.Exists() {
			return path
		}
		path += name
		n = next
	}
}

func index(list, item r4.Node) (i int) {
	from, _ := item.Range()
	for v := list.First(); v.Exists(); v = v.Next(list) {
		if at, _ := v.Range(); at == from {
			return i
		}
		i++
	}
	return -1
}

// named refuses references to what is not there or not visible to the caller.
// A Patient that the caller may not see can't be named even where references
// are Loose: the record would appear in that person's compartment. What the
// version before named already may have gone since, but for a Patient.
func (t *turn) named(ctx context.Context, refs []named, made *store.Resource) error {
	var issues []validate.Issue
	for _, ref := range refs {
		if t.s.c.Loose && (ref.key.Type != "Patient" || t.q.Access.Filter.All) {
			continue
		}
		ok, err := false, error(nil)
		if ref.key.Type != "" {
			ok, err = t.sees(ctx, ref.key)
		}
		if !ok && err == nil {
			ok, err = t.before(ctx, ref.key, made)
		}
		if err != nil {
			return err
		}
		if !ok && len(issues) < validate.MaxIssues {
			issues = append(issues, validate.Issue{
				Severity: validate.Error, Code: outcome.BusinessRule, Expression: pathOf(ref.at), Key: "rest.reference",
				VI: "Tham chiếu trỏ tới một tài nguyên không có trên máy chủ, đã bị xóa, hoặc bạn không được xem.",
				EN: "The reference names a resource that is not on this server, was deleted, or is not yours to see.",
			})
		}
	}
	return validate.Refusal(issues)
}

// before says whether the version before the one made named a resource too.
func (t *turn) before(ctx context.Context, k store.Key, made *store.Resource) (bool, error) {
	if k.Type == "Patient" || k.Type == "" {
		return false, nil
	}
	if !made.Changed || made.Version < 2 {
		return !made.Changed, nil
	}
	old, err := t.r.ReadVersion(ctx, made.Key, made.Version-1)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	doc, err := r4.Parse(old.Body)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(references(doc), func(n named) bool { return n.key == k }), nil
}

// sees says whether a resource is there and visible, which one transaction asks once.
func (t *turn) sees(ctx context.Context, k store.Key) (bool, error) {
	if ok, known := t.there[k]; known {
		return ok, nil
	}
	_, err := t.r.Read(ctx, k)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		t.there[k] = false
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.there[k] = true
	return true, nil
}

// put writes a resource and remembers it. With later, its references are looked at by the caller.
func (t *turn) put(ctx context.Context, f *fresh, match int, later bool) (*store.Resource, error) {
	p := *f.Prepared // a Prepared serves many Puts, and each has its own condition
	p.Draft.IfMatch = match
	if match != store.IfNone {
		if err := t.keepOwner(ctx, &p.Draft); err != nil {
			return nil, err
		}
	}
	r, err := t.tx.Put(ctx, &p)
	if err != nil {
		return nil, err
	}
	t.there[r.Key] = true
	if r.Changed {
		t.wrote = append(t.wrote, r.Key)
	}
	if later {
		return r, nil
	}
	return r, t.named(ctx, f.refs, r)
}

// keepOwner leaves a record with the facility whose it is when another one
// changes it: the doctor who may, or an authority. Who sees nothing but what
// is their own changes nobody else's.
func (t *turn) keepOwner(ctx context.Context, d *store.Draft) error {
	f := t.q.Access.Filter
	if d.Owner == "" || !f.All && len(f.Patients) == 0 && len(f.Owners) == 1 && f.Owners[0] == d.Owner {
		return nil
	}
	r, err := t.r.Read(ctx, d.Key)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		return nil
	}
	if err == nil && r.Owner != "" {
		d.Owner = r.Owner
	}
	return err
}

// bodyOf gives the resource that a write must have.
func bodyOf(q *Request, typ string) (*r4.Doc, error) {
	if q.Doc == nil {
		return nil, fail(outcome.Invalid, "no-body", "Yêu cầu thiếu nội dung tài nguyên.", "The request has no resource in its body.")
	}
	got := q.Doc.Type()
	switch {
	case !r4.IsResource(got):
		return q.Doc, validate.Refusal(validate.Structure(q.Doc)) // it says what is wrong with resourceType, and where
	case got != typ:
		return nil, fail(outcome.Invalid, "other-type", "Loại tài nguyên trong nội dung khác với loại trong địa chỉ.",
			"The resource in the body is of another type than the address.").At("resourceType")
	}
	return q.Doc, nil
}
