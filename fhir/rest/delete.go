package rest

import (
	"context"
	"net/http"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// planDelete is FHIR R4 http.html#delete. Deleting what is gone, or never was, is a success.
func (s *Server) planDelete(q *Request, k store.Key) (*act, error) {
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "delete", run: func(ctx context.Context, t *turn) (*Response, error) {
		return t.delete(ctx, k, match)
	}}, nil
}

func (t *turn) delete(ctx context.Context, k store.Key, match int) (*Response, error) {
	if demands(match) { // the store says nothing about what is not there
		_, err := t.r.Read(ctx, k)
		if kind := outcome.KindOf(err); kind == outcome.NotFound || kind == outcome.Deleted {
			return nil, fail(outcome.Stale, "gone", "Phiên bản nêu trong If-Match không còn hiện hành.", "The version that If-Match names is not current.")
		}
	}
	switch err := t.tx.Delete(ctx, k, max(match, 0)); {
	case outcome.KindOf(err) == outcome.NotFound: // somebody else's: the answer is that to what never was
		return t.s.deleted(ctx, t.q), nil
	case err != nil:
		return nil, err
	}
	t.there[k] = false
	t.wrote = append(t.wrote, k)
	return t.s.deleted(ctx, t.q), nil
}

// deleted answers 204, or 200 with an OperationOutcome for who prefers one.
func (s *Server) deleted(ctx context.Context, q *Request) *Response {
	if preferOf(q.Header).back == "OperationOutcome" {
		return &Response{Status: http.StatusOK, Resource: s.information(ctx, "deleted", "Đã xóa.", "Deleted.")}
	}
	return &Response{Status: http.StatusNoContent}
}

// planConditionalDelete is FHIR R4 http.html#cdelete for a single match, as the
// CapabilityStatement declares: several are refused with 412.
func (s *Server) planConditionalDelete(ctx context.Context, q *Request, typ string) (*act, error) {
	when, err := s.criteriaOf(ctx, q.Base, typ, q.Query)
	if err != nil {
		return nil, err
	}
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "delete", run: func(ctx context.Context, t *turn) (*Response, error) {
		there, err := t.claim(ctx, when)
		if err != nil {
			return nil, err
		}
		if there == nil {
			return s.deleted(ctx, q), nil
		}
		return t.delete(ctx, there.Key, match)
	}}, nil
}
