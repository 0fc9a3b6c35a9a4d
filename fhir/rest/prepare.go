package rest

import (
	"context"
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

// ready checks and indexes a resource outside any transaction. References to
// this server by its address are made relative, so that they hold when the
// address changes and are found by searches.
func (s *Server) ready(ctx context.Context, q *Request, k store.Key, doc *r4.Doc) (*fresh, error) {
	return s.readyWith(ctx, q, k, doc, nil)
}

// readyWith also changes other links, when change says so.
func (s *Server) readyWith(ctx context.Context, q *Request, k store.Key, doc *r4.Doc, change func(link) (string, bool)) (*fresh, error) {
	src, changes, refs := rewrite(doc, linksOf(doc), toward(q.Base, change))
	return s.readyText(ctx, q, k, doc, src, changes, refs)
}

// patients adds the Patients that the index finds in a resource, in whatever
// element: it is by the index that a record is in a person's compartment.
func patients(doc *r4.Doc, p *store.Prepared, refs []named) []named {
	known := make(map[store.Key]bool, len(refs))
	for _, n := range refs {
		known[n.key] = true
	}
	for _, v := range p.Values {
		if k := (store.Key{Type: v.Type, ID: v.ID}); v.Type == "Patient" && validID(v.ID) && !known[k] {
			known[k] = true
			refs = append(refs, named{key: k, at: doc.Root()})
		}
	}
	return refs
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

// readyText is ready for a resource after rewrite.
func (s *Server) readyText(ctx context.Context, q *Request, k store.Key, doc *r4.Doc, src []byte, changes bool, refs []named) (*fresh, error) {
	if len(refs) > maxReferences {
		return nil, fail(outcome.TooCostly, "references", "Tài nguyên có quá nhiều tham chiếu.", "The resource names too many others.")
	}
	if changes {
		changed, err := r4.Parse(src)
		if err != nil {
			return nil, err
		}
		doc = changed
	}
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
	p, err := s.c.Store.Prepare(store.Draft{Key: k, Body: doc.Source(), Doc: doc, Owner: q.Owner})
	if err != nil {
		return nil, err
	}
	return &fresh{Prepared: p, issues: issues, refs: patients(doc, p, refs)}, nil
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
