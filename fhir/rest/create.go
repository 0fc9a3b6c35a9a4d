package rest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// newID is a random UUID (RFC 9562 version 4): the id of what the server names.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// planCreate is FHIR R4 http.html#create, and #ccreate with If-None-Exist.
func (s *Server) planCreate(ctx context.Context, q *Request, typ string) (*act, error) {
	doc, err := bodyOf(q, typ)
	if err != nil {
		return nil, err
	}
	var when *criteria
	if text := q.Header.Get("If-None-Exist"); text != "" {
		if when, err = s.criteria(ctx, q.Base, typ, text[strings.IndexByte(text, '?')+1:]); err != nil {
			return nil, err
		}
	}
	f, err := s.ready(ctx, q, store.Key{Type: typ, ID: newID()}, doc)
	if err != nil {
		return nil, err
	}
	return &act{writes: true, action: "create", run: func(ctx context.Context, t *turn) (*Response, error) {
		if when != nil {
			if there, err := t.claim(ctx, when); there != nil || err != nil {
				return matched(there), err
			}
		}
		r, err := t.put(ctx, f, store.IfNone, false)
		return written(r, http.StatusCreated, f), err
	}}, nil
}

// written answers a write.
func written(r *store.Resource, code int, f *fresh) *Response {
	if r == nil {
		return nil
	}
	return &Response{Status: code, Key: r.Key, Version: r.Version, LastModified: r.Updated, Resource: r.Body, Issues: f.issues, Written: true}
}

// matched answers a conditional create that found what was to be created.
func matched(r *store.Resource) *Response {
	if r == nil {
		return nil
	}
	return &Response{Status: http.StatusOK, Key: r.Key, Version: r.Version, LastModified: r.Updated, Resource: r.Body, Written: true}
}

// criteria are the search of a conditional interaction.
type criteria struct {
	query param.Query
	key   string // the same for the same search, however it is written
}

var errCriteria = fail(outcome.Invalid, "criteria", "Điều kiện tìm kiếm trống, sẽ trúng mọi tài nguyên; xin ghi ít nhất một tham số.",
	"The condition is blank and would match everything; name at least one search parameter.")

// criteria reads them strictly: a parameter passed over would widen the match (FHIR R4 http.html#ccreate).
func (s *Server) criteria(ctx context.Context, base, typ, text string) (*criteria, error) {
	v, err := url.ParseQuery(text)
	if err != nil {
		return nil, fail(outcome.Invalid, "criteria", "Điều kiện tìm kiếm sai cách viết.", "The condition is malformed.").Because(err)
	}
	return s.criteriaOf(ctx, base, typ, v)
}

func (s *Server) criteriaOf(ctx context.Context, base, typ string, v url.Values) (*criteria, error) {
	v = cloneValues(v)
	for _, name := range []string{"_format", "_pretty"} {
		v.Del(name)
	}
	query, err := s.c.Params().Parse(typ, v, param.Options{Now: s.c.Now(), Base: []string{base + "/"}})
	if err != nil {
		return nil, err
	}
	if len(query.Where) == 0 && query.Filter == nil && query.List == "" {
		return nil, errCriteria
	}
	if len(query.Includes) > 0 || len(query.Sort) > 0 || query.Cursor != "" || query.Summary != "" || query.Total != "" || query.Count != 0 {
		return nil, fail(outcome.NotSupported, "criteria-control", "Điều kiện chỉ gồm các tham số tìm, không gồm tham số trình bày kết quả.",
			"A condition holds search parameters only, none that say how results are shown.")
	}
	key := query.Self().Encode()
	if err := s.terms(ctx, &query); err != nil {
		return nil, err
	}
	query.Count = 2
	return &criteria{query: query, key: typ + "?" + key}, nil
}

func cloneValues(v url.Values) url.Values {
	out := make(url.Values, len(v))
	for name, list := range v {
		out[name] = slices.Clone(list)
	}
	return out
}

var errMany = fail(outcome.MultipleMatch, "many", "Điều kiện trúng nhiều tài nguyên nên không thực hiện.",
	"The condition matches several resources, so nothing was done.")

// one gives the resource that the criteria match, nil when there is none; several are an error (412).
func (t *turn) one(ctx context.Context, c *criteria) (*store.Resource, error) {
	query, err := t.listed(ctx, c.query)
	if err != nil {
		return nil, err
	}
	page, err := t.r.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	switch {
	case len(page.Matches) > 1 || page.Next != "":
		return nil, errMany
	case len(page.Matches) == 0:
		return nil, nil
	}
	return page.Matches[0], nil
}

// claim is one, after those who claimed the same criteria before have ended.
func (t *turn) claim(ctx context.Context, c *criteria) (*store.Resource, error) {
	if err := t.tx.Claim(ctx, c.key); err != nil {
		return nil, err
	}
	return t.one(ctx, c)
}
