package rest

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// put writes a resource and remembers it. With later, its references are looked at by the caller.
func (t *turn) put(ctx context.Context, f *fresh, match int, later bool) (*store.Resource, error) {
	p := *f.Prepared // a Prepared serves many Puts, and each has its own condition
	p.Draft.IfMatch = match
	if match == anyVersion {
		r, err := t.r.Read(ctx, f.Draft.Key)
		switch outcome.KindOf(err) {
		case outcome.NotFound, outcome.Deleted:
			return nil, errStale
		}
		if err != nil {
			return nil, err
		}
		p.Draft.IfMatch = r.Version
	}
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
