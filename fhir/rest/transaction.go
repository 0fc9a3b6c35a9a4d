package rest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// step is one entry of a transaction, as far as it can be known before it runs.
type step struct {
	*entry
	kind  stepKind
	typ   string
	id    string // of the address, "" with when
	fresh string // the id that it gets when it creates
	when  *criteria
	match int
	doc   *r4.Doc
	patch patcher
	act   *act // of other
	asks  bool // has conditional references
	// What was prepared, for the text that it was prepared of.
	src  []byte
	made *fresh
}

type stepKind uint8

// The order of processing (FHIR R4 http.html#trules).
const (
	stepDelete stepKind = iota
	stepCreate
	stepUpdate
	stepPatch
	stepOperation // that changes something
	stepRead
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
		k := guess.keys[st.i]
		if st.kind != stepCreate && st.kind != stepUpdate || st.asks || st.kind == stepCreate && k.ID != st.fresh {
			continue
		}
		if _, err := x.ready(ctx, st, k, guess); err != nil {
			return nil, inEntry(st.i, err)
		}
	}
	writes := slices.ContainsFunc(x.steps, func(st *step) bool { return st.kind != stepRead })
	return &act{writes: writes, action: "transaction", detail: fmt.Sprintf("%d entries", len(entries)), run: x.run}, nil
}

// step reads an entry.
func (s *Server) step(ctx context.Context, e *entry) (*step, error) {
	if e.err != nil {
		return nil, e.err
	}
	q := e.q
	st := &step{entry: e}
	special := len(q.Path) == 0 || !r4.IsResource(q.Path[0]) || len(q.Path) > 2 || len(q.Path) == 2 && (q.Path[1][0] == '$' || q.Path[1][0] == '_')
	if special || q.Method == http.MethodGet || q.Method == http.MethodHead {
		a, err := s.plan(ctx, q)
		if err != nil {
			return nil, err
		}
		st.act, st.kind = a, stepRead
		if a.writes {
			st.kind = stepOperation
		}
		return st, nil
	}
	st.typ = q.Path[0]
	if len(q.Path) == 2 {
		if st.id = q.Path[1]; !validID(st.id) {
			return nil, fail(outcome.Invalid, "id", "Mã tài nguyên không hợp lệ.", "That is no resource id.")
		}
	}
	return st, s.stepBody(ctx, st)
}

// stepBody reads what a step writes and on which condition.
func (s *Server) stepBody(ctx context.Context, st *step) (err error) {
	q := st.q
	switch {
	case q.Method == http.MethodPost && st.id == "":
		st.kind = stepCreate
		if text := q.Header.Get("If-None-Exist"); text != "" {
			st.when, err = s.criteria(ctx, q.Base, st.typ, text[strings.IndexByte(text, '?')+1:])
		}
	case q.Method == http.MethodPut:
		st.kind = stepUpdate
	case q.Method == http.MethodPatch:
		st.kind = stepPatch
		st.patch, err = patcherOf(q)
	case q.Method == http.MethodDelete:
		st.kind = stepDelete
	default:
		err = method("GET", "HEAD", "PUT", "PATCH", "DELETE")
	}
	if err != nil {
		return err
	}
	if st.kind != stepCreate && st.id == "" {
		if st.when, err = s.criteriaOf(ctx, q.Base, st.typ, q.Query); err != nil {
			return err
		}
	}
	if st.kind == stepUpdate {
		st.match, err = updateMatch(q.Header)
	} else {
		st.match, err = ifMatch(q.Header)
	}
	if err != nil || st.kind == stepDelete || st.kind == stepPatch {
		return err
	}
	return st.resource()
}

// resource takes the resource of a create or update.
func (st *step) resource() (err error) {
	if st.doc, err = bodyOf(st.q, st.typ); err != nil {
		return err
	}
	st.fresh = newID()
	if own := st.doc.ID(); st.kind == stepUpdate {
		switch {
		case st.id != "" && own == "":
			return errNoID
		case st.id != "" && own != st.id:
			return errOtherID
		case own != "":
			if !validID(own) {
				return errOtherID
			}
			st.fresh = own
		}
	}
	links(st.doc, func(l link) {
		if l.kind == literal && strings.Contains(l.text, "?") {
			if _, _, ok := conditional(strings.TrimPrefix(l.text, st.q.Base+"/")); ok {
				st.asks = true
			}
		}
	})
	return nil
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
	if slices.ContainsFunc(x.steps, func(st *step) bool { return st.when != nil && (st.kind == stepCreate || st.kind == stepUpdate) }) {
		silent := x.q.Access
		silent.Silent = true
		var a *attempt
		err := x.s.c.Store.View(ctx, silent, func(r store.Reader) error {
			a = &attempt{transaction: x, resolved: x.unresolved(), t: x.s.turn(x.q, r, nil)}
			return a.identify(ctx)
		})
		if err == nil {
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

// ready prepares a create or update, anew only when its text is not the one prepared already.
func (x *transaction) ready(ctx context.Context, st *step, k store.Key, r *resolved) (*fresh, error) {
	src, changes := rewrite(st.doc, toward(st.q.Base, r.change(st)))
	if st.made != nil && st.made.Draft.Key == k && bytes.Equal(src, st.src) {
		return st.made, nil
	}
	doc := st.doc
	if changes {
		var err error
		if doc, err = r4.Parse(src); err != nil {
			return nil, err
		}
	}
	f, err := x.s.readyText(ctx, st.q, k, doc)
	if err != nil {
		return nil, err
	}
	st.src, st.made = src, f
	return f, nil
}
