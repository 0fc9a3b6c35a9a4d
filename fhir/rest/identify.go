package rest

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// identify finds which resources the entries are. Two creates under the same
// condition are one resource, as when one came after the other.
func (a *attempt) identify(ctx context.Context) error {
	first := map[string]store.Key{}
	for _, st := range a.steps {
		if st.kind == stepDelete || st.kind > stepPatch {
			continue
		}
		k := store.Key{Type: st.typ, ID: st.id}
		if st.when == nil && st.id == "" {
			k.ID = st.fresh
		}
		if st.when != nil {
			var err error
			if k, err = a.matched(ctx, st, first); err != nil {
				return inEntry(st.i, err)
			}
		}
		a.name(st, k)
	}
	return a.once()
}

// matched resolves the condition of a create, update or patch.
func (a *attempt) matched(ctx context.Context, st *step, first map[string]store.Key) (k store.Key, err error) {
	k = store.Key{Type: st.typ, ID: st.fresh}
	there, err := a.t.one(ctx, st.when)
	switch {
	case err != nil:
		return k, err
	case there != nil:
		if own := st.doc; st.kind == stepUpdate && own.ID() != "" && own.ID() != there.Key.ID {
			return k, errOtherID
		}
		a.there[st.i] = there
		return there.Key, nil
	case st.kind == stepPatch:
		return k, errNone
	case st.kind == stepUpdate && demands(st.match):
		return k, errStale
	case st.kind == stepUpdate && st.doc.ID() != "":
		if taken, err := a.t.sees(ctx, k); err != nil || taken {
			return k, cmpErr(err, fail(outcome.Conflict, "taken", "id này đã có nhưng tài nguyên đó không khớp điều kiện.", "The id exists, but that resource does not match the condition."))
		}
	case st.kind == stepCreate:
		if before, ok := first[st.when.key]; ok {
			return before, nil
		}
		first[st.when.key] = k
	}
	return k, nil
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// once refuses that two entries change the same resource.
func (a *attempt) once() error {
	seen := map[store.Key]bool{}
	for _, st := range a.steps {
		k := a.keys[st.i]
		if k.ID == "" || st.kind == stepCreate && st.when != nil {
			continue
		}
		if seen[k] {
			return inEntry(st.i, errTwice)
		}
		seen[k] = true
	}
	return nil
}
