package record

import (
	"context"
	"slices"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// ours says whether a match names one of the patients. The search has seen to
// that; but another person's record in this one would be the worst of all
// faults, and nobody would notice.
func (e *everything) ours(doc *r4.Doc) bool {
	if !e.compartment || doc.Type() == "Patient" && slices.Contains(e.patients, doc.ID()) {
		return true
	}
	for n := range references(doc.Root()) {
		if t, ok := aim(e.Base, n.Text()); ok && t.Type == "Patient" && slices.Contains(e.patients, t.ID) {
			return true
		}
	}
	return false
}

// include adds what some resources refer to, and what that refers to.
func (e *everything) include(ctx context.Context, docs []*r4.Doc) error {
	for range maxDepth {
		var more []*r4.Doc
		for _, doc := range docs {
			for n := range references(doc.Root()) {
				t, ok := aim(e.Base, n.Text())
				if !ok || e.out.met[t.Key] || e.passed[t.Key] {
					continue
				}
				e.passed[t.Key] = true
				found, err := e.fetch(ctx, t.Key)
				if err != nil {
					return err
				}
				if found != nil {
					more = append(more, found)
				}
			}
		}
		if docs = more; len(docs) == 0 {
			break
		}
	}
	return nil
}

// fetch adds what may be included. It gives back what belongs to nobody, whose
// own references are of use also when its type is not wanted.
func (e *everything) fetch(ctx context.Context, k store.Key) (*r4.Doc, error) {
	personal := len(r4.PatientCompartment(k.Type)) > 0
	switch {
	case personal && e.referred == nil: // a match of its own, or another person's
		return nil, nil
	case k.Type == "Patient" && !slices.Contains(e.patients, k.ID):
		return nil, nil
	}
	r, err := e.Reader.Read(ctx, k)
	if unseen(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, err
	}
	if personal && k.Type != "Patient" {
		if ok, err := aboutOnly(doc, e.patients); !ok || err != nil || !e.referred(doc) {
			return nil, err
		}
	}
	if e.wants(k.Type) {
		e.out.add(r, "include")
	}
	if personal {
		return nil, nil
	}
	return doc, nil
}
