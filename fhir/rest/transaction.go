package rest

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// planTransaction makes ready all that needs no transaction: the writer only writes.
func (s *Server) planTransaction(ctx context.Context, q *Request, entries []*entry) (*act, error) {
	x := &transaction{s: s, q: q}
	for _, e := range entries {
		st, err := s.step(ctx, e)
		if err != nil {
			return nil, inEntry(e.i, err)
		}
		x.steps = append(x.steps, st)
	}
	if err := x.distinct(); err != nil {
		return nil, err
	}
	guess := x.guess(ctx)
	for _, st := range x.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := x.try(ctx, st, guess); err != nil {
			return nil, inEntry(st.i, err)
		}
	}
	writes := slices.ContainsFunc(x.steps, func(st *step) bool { return st.kind != stepRead })
	operates := slices.ContainsFunc(x.steps, func(st *step) bool { return st.act != nil && st.act.operates })
	return &act{writes: writes, operates: operates, action: "transaction", detail: fmt.Sprintf("%d entries", len(entries)), run: x.run}, nil
}

// transaction is a transaction Bundle ready to run. Nothing of it changes while
// it runs but what is prepared, which depends on its text only.
type transaction struct {
	s     *Server
	q     *Request
	steps []*step
}

// distinct refuses identities that occur twice (FHIR R4 http.html#trules, bundle.html bdl-7).
func (x *transaction) distinct() error {
	urls, keys := map[string]bool{}, map[store.Key]bool{}
	for _, st := range x.steps {
		if st.fullURL != "" && st.kind <= stepPatch {
			if urls[st.fullURL] {
				return inEntry(st.i, errTwice)
			}
			urls[st.fullURL] = true
		}
		if k := (store.Key{Type: st.typ, ID: st.id}); st.id != "" {
			if keys[k] {
				return inEntry(st.i, errTwice)
			}
			keys[k] = true
		}
	}
	return nil
}

var errTwice = fail(outcome.Invalid, "twice", "Một tài nguyên xuất hiện hai lần trong cùng một transaction.", "A resource occurs twice in one transaction.")

// try prepares an entry as far as that can be done before the transaction begins.
func (x *transaction) try(ctx context.Context, st *step, guess *resolved) error {
	k := guess.keys[st.i]
	switch {
	case st.kind == stepPatch && guess.there[st.i] != nil:
		st.prior = x.s.triedOn(ctx, st.q, guess.there[st.i], st.patch, guess.change(st))
	case st.kind != stepCreate && st.kind != stepUpdate || st.kind == stepCreate && k.ID != st.fresh:
	case slices.ContainsFunc(st.questions, func(q question) bool { return guess.asked[q.text] == "" }):
		_, err := x.s.check(ctx, st.doc) // another entry makes what it names: later, but then with the definitions at hand
		return err
	default:
		_, err := x.ready(ctx, st, k, guess)
		return err
	}
	return nil
}

// ready prepares a create or update, anew only when its text is not the one prepared already.
func (x *transaction) ready(ctx context.Context, st *step, k store.Key, r *resolved) (*fresh, error) {
	src, changes, refs := rewrite(st.doc, st.links, toward(st.q.Base, r.change(st)))
	if st.prior != nil && st.prior.made.Draft.Key == k && bytes.Equal(src, st.prior.src) {
		return st.prior.made, nil
	}
	f, err := x.s.readyText(ctx, st.q, k, st.doc, src, changes, refs)
	if err != nil {
		return nil, err
	}
	st.prior = &prior{src, f}
	return f, nil
}
