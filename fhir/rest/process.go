package rest

import (
	"context"
	"net/http"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// attempt is one run of a transaction.
type attempt struct {
	*transaction
	*resolved
	t    *turn
	resp []*Response
	made []wrote
}

// wrote is a resource that an entry wrote, whose references are looked at when all is written.
type wrote struct {
	entry int
	refs  []named
	*store.Resource
}

// run carries a transaction out in the order of FHIR R4 http.html#trules:
// deletes, creates, updates and patches, then what reads. Resources with
// conditional references are written after those they may name.
func (x *transaction) run(ctx context.Context, t *turn) (*Response, error) {
	a := &attempt{transaction: x, resolved: x.unresolved(), t: t, resp: make([]*Response, len(x.steps))}
	for _, part := range []func(context.Context) error{a.claim, a.deletes, a.identify, a.writes, a.named, a.others} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	out := Bundle{Type: "transaction-response", Total: -1, Now: x.q.now}
	for i, st := range x.steps {
		out.Entries = append(out.Entries, x.s.answer(ctx, st.entry, a.resp[i], nil))
	}
	return &Response{Status: http.StatusOK, Resource: out.JSON()}, nil
}

// claim makes others with the same conditions wait; in one order, so that no two wait for each other.
func (a *attempt) claim(ctx context.Context) error {
	var keys []string
	for _, st := range a.steps {
		if st.when != nil {
			keys = append(keys, st.when.key)
		}
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		if err := a.t.tx.Claim(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (a *attempt) deletes(ctx context.Context) error {
	for _, st := range a.steps {
		if st.kind != stepDelete {
			continue
		}
		k := store.Key{Type: st.typ, ID: st.id}
		if st.when != nil {
			there, err := a.t.one(ctx, st.when)
			if err != nil {
				return inEntry(st.i, err)
			}
			if there == nil {
				a.resp[st.i] = a.s.deleted(ctx, st.q)
				continue
			}
			k = there.Key
		}
		var err error
		if a.resp[st.i], err = a.t.delete(ctx, k, st.match); err != nil {
			return inEntry(st.i, err)
		}
		a.name(st, k)
	}
	return nil
}

// writes carries out what changes resources; those that ask come last, each when what it asks for is there.
func (a *attempt) writes(ctx context.Context) error {
	var asking []*step
	for kind := stepCreate; kind <= stepPatch; kind++ {
		for _, st := range a.steps {
			switch {
			case st.kind != kind:
			case len(st.questions) > 0 && (a.there[st.i] == nil || st.kind == stepUpdate):
				asking = append(asking, st)
			default:
				if err := a.write(ctx, st); err != nil {
					return inEntry(st.i, err)
				}
			}
		}
	}
	for len(asking) > 0 {
		var rest []*step
		var last error
		for _, st := range asking {
			missing, err := a.ask(ctx, st)
			if err != nil {
				return inEntry(st.i, err)
			}
			if missing != nil {
				rest, last = append(rest, st), inEntry(st.i, missing)
				continue
			}
			if err := a.write(ctx, st); err != nil {
				return inEntry(st.i, err)
			}
		}
		if len(rest) == len(asking) {
			return last
		}
		asking = rest
	}
	return nil
}

// ask resolves the conditional references of an entry; missing: one has no match yet.
func (a *attempt) ask(ctx context.Context, st *step) (missing, err error) {
	for _, q := range st.questions {
		if _, done := a.asked[q.text]; done {
			continue
		}
		there, err := a.t.one(ctx, q.when)
		if err != nil {
			return nil, err
		}
		if there == nil {
			return fail(outcome.BusinessRule, "reference-none", "Tham chiếu có điều kiện không khớp tài nguyên nào.",
				"A conditional reference matches nothing.").At(pathOf(q.at)), nil
		}
		a.asked[q.text] = there.Key.String()
	}
	return nil, nil
}

// write carries out a create, an update or a patch.
func (a *attempt) write(ctx context.Context, st *step) (err error) {
	k := a.keys[st.i]
	var f *fresh
	var r *Response
	var made *store.Resource
	switch {
	case st.kind == stepPatch:
		var version int
		if f, version, err = a.t.patched(ctx, st.q, k, st.patch, st.match, a.change(st), st.prior); err != nil {
			return err
		}
		made, err = a.t.put(ctx, f, version, true)
		r = written(made, http.StatusOK, f)
	case st.kind == stepCreate && a.there[st.i] != nil:
		a.resp[st.i] = matched(a.there[st.i])
		return nil
	case st.kind == stepCreate && k.ID != st.fresh: // another entry creates it
		return a.again(ctx, st, k)
	default:
		if f, err = a.ready(ctx, st, k, a.resolved); err != nil {
			return err
		}
		if st.kind == stepUpdate {
			r, made, err = a.t.update(ctx, f, st.match, true)
			break
		}
		made, err = a.t.put(ctx, f, store.IfNone, true)
		r = written(made, http.StatusCreated, f)
	}
	if err != nil {
		return err
	}
	a.resp[st.i] = r
	a.made = append(a.made, wrote{st.i, f.refs, made})
	return nil
}

// again answers a create whose resource another entry has created already.
func (a *attempt) again(ctx context.Context, st *step, k store.Key) error {
	r, err := a.t.r.Read(ctx, k)
	if outcome.KindOf(err) == outcome.NotFound { // its own condition waits for a reference
		return fail(outcome.Invalid, "twice", "Một tài nguyên xuất hiện hai lần trong cùng một transaction.", "A resource occurs twice in one transaction.")
	}
	a.resp[st.i] = matched(r)
	return err
}

// named checks, when all is written, that every reference names something.
func (a *attempt) named(ctx context.Context) error {
	for _, w := range a.made {
		if err := a.t.named(ctx, w.refs, w.Resource); err != nil {
			return inEntry(w.entry, err)
		}
	}
	return nil
}

// others carries out operations and reads, which see what was written.
func (a *attempt) others(ctx context.Context) (err error) {
	var held int64
	for _, kind := range []stepKind{stepOperation, stepRead} {
		for _, st := range a.steps {
			if st.kind != kind {
				continue
			}
			if st.act.alone != nil {
				a.resp[st.i], err = st.act.alone(ctx)
			} else {
				a.resp[st.i], err = st.act.run(ctx, a.t)
			}
			if err == nil && a.resp[st.i].Stream != nil {
				err = fail(outcome.NotSupported, "stream", "Thao tác này trả lời theo luồng nên không gọi được trong Bundle.", "This answers with a stream, so it can't be part of a Bundle.")
			}
			if held += a.resp[st.i].size(); err == nil && held > a.s.c.MaxBody {
				err = errAnswer
			}
			if err != nil {
				return inEntry(st.i, err)
			}
		}
	}
	return nil
}
