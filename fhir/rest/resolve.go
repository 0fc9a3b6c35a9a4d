package rest

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// resolved is what the entries turned out to be.
type resolved struct {
	keys  []store.Key       // by entry; the zero Key of what is no resource
	there []*store.Resource // what a condition matched
	urls  map[string]store.Key
	asked map[string]string // conditional reference → literal one
}

func (x *transaction) unresolved() *resolved {
	return &resolved{keys: make([]store.Key, len(x.steps)), there: make([]*store.Resource, len(x.steps)), urls: map[string]store.Key{}, asked: map[string]string{}}
}

// guess resolves the conditions before the transaction begins, so that the
// writer need not prepare what they change. It decides nothing: the
// transaction resolves them again, and who reads here is told nothing by it.
func (x *transaction) guess(ctx context.Context) *resolved {
	if slices.ContainsFunc(x.steps, func(st *step) bool {
		return st.when != nil && st.kind != stepDelete || st.kind == stepPatch || len(st.questions) > 0
	}) {
		var a *attempt
		if x.s.silent(ctx, x.q, func(ctx context.Context, t *turn) error {
			a = &attempt{transaction: x, resolved: x.unresolved(), t: t}
			return a.foresee(ctx)
		}) {
			return a.resolved
		}
	}
	r := x.unresolved()
	for _, st := range x.steps { // nothing matches
		if st.kind > stepPatch {
			continue
		}
		id := st.id
		if id == "" {
			id = st.fresh
		}
		r.name(st, store.Key{Type: st.typ, ID: id})
	}
	return r
}

// foresee resolves what can be resolved before anything is written.
func (a *attempt) foresee(ctx context.Context) error {
	if err := a.identify(ctx); err != nil {
		return err
	}
	for _, st := range a.steps {
		if st.kind == stepPatch && a.there[st.i] == nil {
			r, err := a.t.r.Read(ctx, a.keys[st.i])
			if err != nil {
				return err
			}
			a.there[st.i] = r
		}
		if _, err := a.ask(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolved) name(st *step, k store.Key) {
	r.keys[st.i] = k
	if st.fullURL != "" && st.kind != stepDelete && k.ID != "" {
		r.urls[st.fullURL] = k
	}
}

// change says what becomes of a link in the resource of an entry (FHIR R4
// http.html#trules: "Replace temporary identifiers").
func (r *resolved) change(st *step) func(link) (string, bool) {
	return func(l link) (string, bool) {
		switch l.kind {
		case narrative:
			return r.narrative(l.text)
		case address: // a canonical may well be the address of another entry, and must stay
			if !strings.HasPrefix(l.text, "urn:") {
				return "", false
			}
		case literal:
			if to, ok := r.asked[strings.TrimPrefix(l.text, st.q.Base+"/")]; ok {
				return to, true
			}
		}
		text, fragment, cut := strings.Cut(l.text, "#")
		k, ok := r.urls[text]
		if !ok && l.kind == literal {
			k, ok = r.urls[beside(st, text)]
		}
		if !ok || text == "" {
			return "", false
		}
		if cut {
			return k.String() + "#" + fragment, true
		}
		return k.String(), true
	}
}

// beside makes a relative reference absolute by the fullUrl of the entry that holds it (FHIR R4 bundle.html#references).
func beside(st *step, ref string) string {
	at := strings.LastIndex(st.fullURL, "/"+st.typ+"/")
	if at < 0 || !strings.HasPrefix(st.fullURL, "http") {
		return ""
	}
	return st.fullURL[:at+1] + ref
}

// narrative changes the links of a narrative.
func (r *resolved) narrative(div string) (string, bool) {
	if !strings.Contains(div, "urn:") {
		return "", false
	}
	var b strings.Builder
	rest, changes := div, false
	for {
		i := strings.Index(rest, "urn:")
		if i < 0 {
			break
		}
		end := i + strings.IndexAny(rest[i:]+`"`, `"'#<`)
		k, ok := r.urls[rest[i:end]]
		if quoted := i > 1 && (rest[i-1] == '"' || rest[i-1] == '\'') && rest[i-2] == '='; ok && quoted {
			b.WriteString(rest[:i] + k.String())
			changes = true
		} else {
			b.WriteString(rest[:end])
		}
		rest = rest[end:]
	}
	b.WriteString(rest)
	return b.String(), changes
}
