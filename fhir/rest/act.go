package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// act is an interaction made ready: what needs no transaction is done.
type act struct {
	writes   bool
	operates bool   // runs an operation
	action   string // of the audit row
	detail   string
	// run does the rest inside one transaction. It may run more than once.
	run func(ctx context.Context, t *turn) (*Response, error)
	// alone is run instead, without one: what needs none, or several.
	alone func(ctx context.Context) (*Response, error)
}

// turn is one transaction.
type turn struct {
	s     *Server
	q     *Request
	r     store.Reader
	tx    store.Tx // nil in a View
	wrote []store.Key
	// there is what references were found to name, in this transaction.
	there map[store.Key]bool
	note  store.Note // of the audit row
}

func (s *Server) turn(q *Request, r store.Reader, tx store.Tx) *turn {
	return &turn{s: s, q: q, r: r, tx: tx, there: map[store.Key]bool{}}
}

// Do carries out one interaction in a transaction of its own.
func (s *Server) Do(ctx context.Context, q *Request) (*Response, error) {
	if q.now.IsZero() {
		q.now = s.c.Now()
	}
	a, err := s.plan(ctx, q)
	if err != nil {
		return nil, s.refused(ctx, q, err)
	}
	if a.alone != nil {
		return a.alone(ctx)
	}
	ctx, leave, err := s.enter(ctx, a)
	if err != nil {
		return nil, err
	}
	defer leave()
	var resp *Response
	var wrote []store.Key
	note := store.Note{Action: "fhir." + a.action, Entity: strings.Join(q.Path, "/"), Detail: a.detail}
	if a.writes {
		err = s.c.Store.Update(ctx, q.Access, func(tx store.Tx) error {
			tx.Audit(note)
			t := s.turn(q, tx, tx)
			t.note = note
			resp, err = a.run(ctx, t)
			wrote = t.wrote
			return err
		})
	} else {
		err = s.c.Store.View(ctx, q.Access, func(r store.Reader) error {
			r.Audit(note)
			t := s.turn(q, r, nil)
			t.note = note
			resp, err = a.run(ctx, t)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	s.changed(wrote)
	return resp, nil
}

// refused leaves an audit row of a request that did not come as far as a
// transaction of its own: what was tried and not done is told as well.
func (s *Server) refused(ctx context.Context, q *Request, err error) error {
	if q.Access.Right == "" { // nobody has signed in, or it is open to anybody
		return err
	}
	note := store.Note{Action: "fhir.refused", Entity: strings.Join(q.Path, "/"), Detail: q.Method}
	if again := s.c.Store.View(ctx, q.Access, func(r store.Reader) error { r.Audit(note); return err }); StatusOf(again) != StatusOf(err) {
		return again
	}
	return err
}

type inside struct{}

// maxOperations bounds the operations at once. One may look definitions up in
// the store while its own View is open, so they must be fewer than the views
// that a store lets be open side by side (SQLite: 4), or all would wait for each other.
const maxOperations = 3

// enter waits until there is room for an interaction. What runs inside one that
// has entered needs no place of its own.
func (s *Server) enter(ctx context.Context, a *act) (context.Context, func(), error) {
	if ctx.Value(inside{}) != nil {
		return ctx, func() {}, nil
	}
	var taken []chan struct{}
	leave := func() {
		for _, places := range taken {
			<-places
		}
	}
	want := []chan struct{}{s.places}
	if a.operates {
		want = []chan struct{}{s.operations, s.places}
	}
	for _, places := range want {
		if places == nil {
			continue
		}
		select {
		case places <- struct{}{}:
			taken = append(taken, places)
		case <-ctx.Done():
			leave()
			return nil, nil, ctx.Err()
		}
	}
	return context.WithValue(ctx, inside{}, true), leave, nil
}

func storeKey(typ, id string) store.Key { return store.Key{Type: typ, ID: id} }

// definitions are the types of which Config.Changed is told.
var definitions = strings.Fields(`CapabilityStatement CodeSystem CompartmentDefinition ConceptMap GraphDefinition ImplementationGuide Library
	NamingSystem OperationDefinition Questionnaire SearchParameter StructureDefinition StructureMap Subscription TerminologyCapabilities ValueSet`)

func (s *Server) changed(wrote []store.Key) {
	if s.c.Changed == nil {
		return
	}
	wrote = slices.DeleteFunc(slices.Clone(wrote), func(k store.Key) bool { return !slices.Contains(definitions, k.Type) })
	if len(wrote) > 0 {
		s.c.Changed(wrote)
	}
}

var errType = status(http.StatusNotFound, fail(outcome.NotSupported, "type",
	"FHIR R4 không có loại tài nguyên này.", "FHIR R4 has no such resource type."))

// method refuses what an address does not take.
func method(allow ...string) error {
	return status(http.StatusMethodNotAllowed, fail(outcome.NotSupported, "method",
		"Địa chỉ này không nhận phương thức đó.", "This address does not take that method."), "Allow", strings.Join(allow, ", "))
}

// plan finds what a request asks for (FHIR R4 http.html#summary).
func (s *Server) plan(ctx context.Context, q *Request) (*act, error) {
	if q.Method == http.MethodOptions {
		return s.options(q)
	}
	p := q.Path
	if len(p) == 0 {
		return s.planRoot(ctx, q)
	}
	switch head := p[0]; {
	case head[0] == '$':
		return s.planOperation(q, "", "", p)
	case head == "metadata" && len(p) == 1:
		return s.planMetadata(q)
	case head == "_history" && len(p) == 1:
		return s.planHistory(q, nil)
	case head == "_search" && len(p) == 1:
		return s.planSearch(ctx, q, "", compartment{}, true)
	case !r4.IsResource(head) && len(p) == 2 && p[1][0] == '$':
		return s.planOperation(q, head, "", p[1:])
	case !r4.IsResource(head) && len(p) == 3 && p[2][0] == '$' && validID(p[1]):
		return s.planOperation(q, head, p[1], p[2:])
	case !r4.IsResource(head):
		if head[0] == '_' || head == "metadata" {
			return nil, errAddress
		}
		return nil, errType
	}
	return s.planType(ctx, q, p[0], p[1:])
}

func (s *Server) planRoot(ctx context.Context, q *Request) (*act, error) {
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		return s.planSearch(ctx, q, "", compartment{}, false)
	case http.MethodPost:
		return s.planBundle(ctx, q)
	}
	return nil, method("GET", "HEAD", "POST", "OPTIONS")
}

// planType finds what is asked of a type; rest is the path behind it.
func (s *Server) planType(ctx context.Context, q *Request, typ string, rest []string) (*act, error) {
	if v := s.virtual(q.Path); v != nil {
		return s.planVirtual(ctx, q, v, typ, rest)
	}
	switch {
	case len(rest) == 0:
		return s.planAll(ctx, q, typ)
	case rest[0][0] == '$':
		return s.planOperation(q, typ, "", rest)
	case rest[0] == "_search" && len(rest) == 1:
		return s.planSearch(ctx, q, typ, compartment{}, true)
	case rest[0] == "_history" && len(rest) == 1:
		return s.planHistory(q, []string{typ})
	}
	k := store.Key{Type: typ, ID: rest[0]}
	if !validID(k.ID) {
		return nil, status(http.StatusNotFound, fail(outcome.NotFound, "id", "Mã tài nguyên không hợp lệ.", "That is no resource id."))
	}
	if rest = rest[1:]; len(rest) == 0 {
		return s.planOne(ctx, q, k)
	}
	switch {
	case rest[0][0] == '$':
		return s.planOperation(q, k.Type, k.ID, rest)
	case rest[0] == "_history" && len(rest) == 1:
		return s.planInstanceHistory(q, k)
	case rest[0] == "_history" && len(rest) == 2:
		return s.planVersion(q, k, rest[1])
	case rest[0] == "*" || r4.IsResource(rest[0]):
		in := compartment{k.Type, k.ID}
		if post := len(rest) == 2 && rest[1] == "_search"; len(rest) == 1 || post {
			return s.planSearch(ctx, q, strings.TrimSuffix(rest[0], "*"), in, post)
		}
	}
	return nil, errAddress
}

// planAll is an address of a type: search, create, and the conditional ones.
func (s *Server) planAll(ctx context.Context, q *Request, typ string) (*act, error) {
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		return s.planSearch(ctx, q, typ, compartment{}, false)
	case http.MethodPost:
		return s.planCreate(ctx, q, typ)
	case http.MethodPut:
		return s.planConditionalUpdate(ctx, q, typ)
	case http.MethodPatch:
		return s.planConditionalPatch(ctx, q, typ)
	case http.MethodDelete:
		return s.planConditionalDelete(ctx, q, typ)
	}
	return nil, method("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}

// planOne is an address of one resource.
func (s *Server) planOne(ctx context.Context, q *Request, k store.Key) (*act, error) {
	switch q.Method {
	case http.MethodGet, http.MethodHead:
		return s.planRead(q, k)
	case http.MethodPut:
		return s.planUpdate(ctx, q, k)
	case http.MethodPatch:
		return s.planPatch(ctx, q, k)
	case http.MethodDelete:
		return s.planDelete(q, k)
	}
	return nil, method("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
}

// validID says whether a text may be a logical id (FHIR R4 datatypes.html#id).
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}
