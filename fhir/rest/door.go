package rest

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// Handler answers one HTTP request below the base; the path has no "/fhir" any
// more. It always answers itself: the error is nil, and is there for the shape
// of handlers that take one.
func (s *Server) Handler(w http.ResponseWriter, r *http.Request) error {
	f, err := negotiate(r)
	odd := err != nil && strings.Contains(r.URL.Path, "/$") // an operation may take it
	if err != nil && !odd && (!f.none || !strings.HasPrefix(strings.TrimPrefix(r.URL.Path, "/"), "Binary/")) {
		s.writeError(w, r, face{}, err)
		return nil
	}
	q, err := s.request(r, &f)
	if err != nil {
		s.writeError(w, r, f, err)
		return nil
	}
	q.odd = odd
	resp, err := s.Do(r.Context(), q)
	if err != nil {
		s.writeError(w, r, f, err)
		return nil
	}
	s.write(w, r, f, q, resp)
	return nil
}

// headers are those that interactions read.
var headers = []string{"If-Match", "If-None-Match", "If-None-Exist", "If-Modified-Since", "Prefer", "Content-Type", "Accept", "X-Security-Context"}

// request reads an HTTP request; who asks and the body are read only when an interaction wants them.
func (s *Server) request(r *http.Request, f *face) (*Request, error) {
	q := &Request{Method: r.Method, Base: strings.TrimSuffix(s.c.Base(r), "/"), Header: http.Header{}, now: s.c.Now()}
	if s.c.Fault != nil {
		q.fault = func(err error) { s.c.Fault(r, err) }
	}
	for _, name := range headers {
		if v := r.Header.Values(name); len(v) > 0 {
			q.Header[name] = v
		}
	}
	var err error
	if q.Path, err = segments(r.URL.EscapedPath()); err != nil {
		return nil, err
	}
	if q.Query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, fail(outcome.Invalid, "query", "Phần truy vấn của địa chỉ sai cách viết.", "The query of the address is malformed.").Because(err)
	}
	if open(q) {
		return q, nil
	}
	if q.Access, err = s.c.Access(r.Context()); err != nil {
		return nil, err
	}
	q.Owner = s.c.Owner(r.Context())
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete {
		return q, nil
	}
	if q.Body, err = s.body(r); err == nil {
		err = s.content(q, f)
	}
	if err != nil {
		return nil, s.refused(r.Context(), q, err)
	}
	return q, nil
}

// open says that a request is answered to anybody: what the server can do.
func open(q *Request) bool {
	return q.Method == http.MethodOptions || len(q.Path) == 1 && q.Path[0] == "metadata"
}

// segments parts a path below the base.
func segments(escaped string) ([]string, error) {
	var out []string
	escaped = strings.Trim(escaped, "/")
	if escaped == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(escaped, "/") {
		p, err := url.PathUnescape(part)
		if err != nil || p == "" || len(out) == 8 {
			return nil, errAddress
		}
		out = append(out, p)
	}
	return out, nil
}

var errAddress = fail(outcome.NotFound, "address", "Giao diện FHIR không có địa chỉ này.", "The FHIR interface has no such address.")
