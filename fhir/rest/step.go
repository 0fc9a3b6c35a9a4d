package rest

import (
	"context"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
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
	links []link // of doc
	patch patcher
	act   *act   // of other
	prior *prior // what was prepared, nil when nothing was
	// questions are the conditional references of doc.
	questions []question
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

// step reads an entry.
func (s *Server) step(ctx context.Context, e *entry) (*step, error) {
	if e.err != nil {
		return nil, e.err
	}
	q := e.q
	st := &step{entry: e}
	special := s.virtual(q.Path) != nil || len(q.Path) == 0 || !r4.IsResource(q.Path[0]) || len(q.Path) > 2 || len(q.Path) == 2 && (q.Path[1][0] == '$' || q.Path[1][0] == '_')
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
	return s.stepResource(ctx, st)
}

// stepResource takes the resource of a create or update.
func (s *Server) stepResource(ctx context.Context, st *step) (err error) {
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
	st.links = linksOf(st.doc)
	for _, l := range st.links {
		text := strings.TrimPrefix(l.text, st.q.Base+"/")
		typ, query, ok := conditional(text)
		if !ok || l.kind != literal {
			continue
		}
		when, err := s.criteria(ctx, st.q.Base, typ, query)
		if err != nil {
			return err
		}
		st.questions = append(st.questions, question{text, when, l.node})
	}
	return nil
}

// question is a conditional reference.
type question struct {
	text string
	when *criteria
	at   r4.Node
}
