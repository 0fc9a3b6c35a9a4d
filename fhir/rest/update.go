package rest

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

var (
	errNoID = fail(outcome.Invalid, "no-id", "Khi cập nhật, tài nguyên phải có id bằng id trong địa chỉ.",
		"A resource that is updated must have the id of the address.").At("id")
	errOtherID = fail(outcome.Invalid, "other-id", "id trong nội dung khác id trong địa chỉ.", "The id in the body is not the id of the address.").At("id")
)

// planUpdate is FHIR R4 http.html#update, which also creates (#upsert).
func (s *Server) planUpdate(ctx context.Context, q *Request, k store.Key) (*act, error) {
	doc, err := bodyOf(q, k.Type)
	if err != nil {
		return nil, err
	}
	switch id := doc.ID(); {
	case id == "":
		return nil, errNoID
	case id != k.ID:
		return nil, errOtherID
	}
	match, err := updateMatch(q.Header)
	if err != nil {
		return nil, err
	}
	f, err := s.ready(ctx, q, k, doc)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "update", run: func(ctx context.Context, t *turn) (*Response, error) {
		resp, _, err := t.update(ctx, f, match, false)
		return resp, err
	}}, nil
}

// updateMatch reads the conditions of an update: If-Match, or If-None-Match: * for what must not exist (RFC 9110 §13.1.2).
func updateMatch(h http.Header) (int, error) {
	if strings.TrimSpace(h.Get("If-None-Match")) == "*" && h.Get("If-Match") == "" {
		return store.IfNone, nil
	}
	return ifMatch(h)
}

// update writes: 201 when it was not there, or was deleted.
func (t *turn) update(ctx context.Context, f *fresh, match int, later bool) (*Response, *store.Resource, error) {
	r, err := t.put(ctx, f, match, later)
	if err != nil {
		return nil, nil, err
	}
	code := http.StatusOK
	if r.Version == 1 && r.Changed {
		code = http.StatusCreated
	} else if r.Changed {
		if _, err := t.r.ReadVersion(ctx, r.Key, r.Version-1); outcome.KindOf(err) == outcome.Deleted {
			code = http.StatusCreated
		}
	}
	return written(r, code, f), r, nil
}

// planConditionalUpdate is FHIR R4 http.html#cond-update.
func (s *Server) planConditionalUpdate(ctx context.Context, q *Request, typ string) (*act, error) {
	doc, err := bodyOf(q, typ)
	if err != nil {
		return nil, err
	}
	when, err := s.criteriaOf(ctx, q.Base, typ, q.Query)
	if err != nil {
		return nil, err
	}
	match, err := ifMatch(q.Header)
	if err != nil {
		return nil, err
	}
	k := store.Key{Type: typ, ID: cmp.Or(doc.ID(), newID())}
	unmatched := k
	if doc.ID() == "" { // what it will most likely be, so that the writer only writes
		s.silent(ctx, q, func(ctx context.Context, t *turn) error {
			there, err := t.one(ctx, when)
			if there != nil {
				k = there.Key
			}
			return err
		})
	}
	guess, err := s.ready(ctx, q, k, doc)
	if err != nil {
		return nil, err
	}
	prepared := func(ctx context.Context, k store.Key) (*fresh, error) {
		if guess.Draft.Key == k {
			return guess, nil
		}
		return s.ready(ctx, q, k, doc)
	}
	return &act{writes: true, action: "update", run: func(ctx context.Context, t *turn) (*Response, error) {
		there, err := t.claim(ctx, when)
		if err != nil {
			return nil, err
		}
		if there == nil {
			f, err := prepared(ctx, unmatched)
			if err != nil {
				return nil, err
			}
			return t.updateNone(ctx, f, doc, match)
		}
		if doc.ID() != "" && doc.ID() != there.Key.ID {
			return nil, errOtherID
		}
		f, err := prepared(ctx, there.Key)
		if err != nil {
			return nil, err
		}
		resp, _, err := t.update(ctx, f, match, false)
		return resp, err
	}}, nil
}

// updateNone is a conditional update that matches nothing: it creates; with an
// id of the client as an update-as-create, unless that id is taken (R4: 409).
func (t *turn) updateNone(ctx context.Context, f *fresh, doc *r4.Doc, match int) (*Response, error) {
	if demands(match) {
		return nil, fail(outcome.Stale, "none", "Không có tài nguyên nào khớp điều kiện để đối chiếu If-Match.", "Nothing matches the condition, so If-Match does not hold.")
	}
	if doc.ID() != "" {
		if ok, err := t.sees(ctx, f.Draft.Key); err != nil {
			return nil, err
		} else if ok {
			return nil, fail(outcome.Conflict, "taken", "id này đã có nhưng tài nguyên đó không khớp điều kiện.", "The id exists, but that resource does not match the condition.")
		}
	}
	r, err := t.put(ctx, f, store.IfNone, false)
	return written(r, http.StatusCreated, f), err
}
