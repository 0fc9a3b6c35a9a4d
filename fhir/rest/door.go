package rest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
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
	if q.Body, err = s.body(r); err != nil {
		return nil, err
	}
	if err := s.content(q, f); err != nil {
		return nil, err
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

// body reads what was sent within its bound, unpacked when it came as gzip: a
// small body that unpacks to a huge one ends at the same bound.
func (s *Server) body(r *http.Request) ([]byte, error) {
	in := io.Reader(r.Body)
	if r.Body == nil {
		return nil, nil
	}
	if r.ContentLength > s.c.MaxBody {
		return nil, errTooLong
	}
	switch e := strings.ToLower(r.Header.Get("Content-Encoding")); e {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, unpacked(err)
		}
		in = z
	default:
		return nil, status(http.StatusUnsupportedMediaType, fail(outcome.NotSupported, "encoding",
			"Máy chủ chỉ nhận nội dung không nén hoặc nén gzip.", "The server takes bodies that are plain or packed with gzip."), "Accept-Encoding", "gzip")
	}
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0)+1, 1<<20)))
	n, err := b.ReadFrom(io.LimitReader(in, s.c.MaxBody+1))
	switch {
	case err != nil:
		return nil, unpacked(err)
	case n > s.c.MaxBody:
		return nil, errTooLong
	}
	return b.Bytes(), nil
}

// unpacked says what is wrong with a body that could not be read.
func unpacked(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return err
	}
	return fail(outcome.Invalid, "body", "Không đọc hết được nội dung gửi lên.", "What was sent could not be read to its end.").Because(err)
}

var errMedia = status(http.StatusUnsupportedMediaType, fail(outcome.NotSupported, "media-type",
	"Content-Type phải là application/fhir+json hoặc application/fhir+xml (UTF-8, FHIR R4).",
	"Content-Type must be application/fhir+json or application/fhir+xml (UTF-8, FHIR R4)."), "Accept", "application/fhir+json, application/fhir+xml")

// content reads the body as its Content-Type says.
func (s *Server) content(q *Request, f *face) error {
	header := q.Header.Get("Content-Type")
	media, ok := mediaType(header)
	if raw, err := rawBinary(q, media); raw || err != nil {
		return err
	}
	if media == "application/x-www-form-urlencoded" && q.Method == http.MethodPost {
		return form(q, f)
	}
	if q.Method == http.MethodPatch && patchTypes[media] != "" {
		if !ok {
			return errMedia
		}
		return nil
	}
	if len(q.Body) == 0 && header == "" { // an operation or a search without a body
		return nil
	}
	known, isResource := formats[media]
	if !ok || !isResource {
		if header == "" && len(q.Body) > 0 && (q.Body[0] == '{' || q.Body[0] == '<') {
			known.xml = q.Body[0] == '<' // nobody said, but it shows
		} else {
			return errMedia
		}
	}
	if len(q.Body) == 0 {
		return nil
	}
	return parse(q, known.xml)
}

// parse reads the resource of a body.
func parse(q *Request, xml bool) (err error) {
	if xml {
		q.Doc, err = r4.ParseXML(q.Body)
	} else {
		q.Doc, err = r4.Parse(q.Body)
	}
	return err
}

// form reads the parameters of POST _search, which may stand in the query as well (FHIR R4 http.html#search).
func form(q *Request, f *face) error {
	v, err := url.ParseQuery(string(q.Body))
	if err != nil {
		return fail(outcome.Invalid, "form", "Nội dung biểu mẫu sai cách viết.", "The form is malformed.").Because(err)
	}
	if q.Query == nil {
		q.Query = url.Values{}
	}
	for name, values := range v {
		q.Query[name] = append(slices.Clip(q.Query[name]), values...)
	}
	if v.Get("_format") == "" && v.Get("_pretty") == "" {
		return nil
	}
	given := http.Request{URL: &url.URL{RawQuery: url.Values{"_format": v["_format"], "_pretty": v["_pretty"]}.Encode()}}
	g, err := negotiate(&given)
	if err != nil {
		return err
	}
	if v.Get("_format") != "" {
		f.xml = g.xml
	}
	f.pretty = f.pretty || g.pretty
	return nil
}

// write answers with a Response.
func (s *Server) write(w http.ResponseWriter, r *http.Request, f face, q *Request, resp *Response) {
	h := w.Header()
	for name, values := range resp.Header {
		h[name] = values
	}
	if resp.Version > 0 {
		h.Set("ETag", etag(resp.Version))
		if resp.Written && resp.Key.Type != "" {
			name := "Content-Location"
			if resp.Status == http.StatusCreated {
				name = "Location"
			}
			h.Set(name, versionURL(q.Base, resp.Key, resp.Version))
		}
	}
	if !resp.LastModified.IsZero() {
		h.Set("Last-Modified", resp.LastModified.UTC().Format(http.TimeFormat))
	}
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			h.Set("Cache-Control", "private, no-cache")
		}
	}
	h.Add("Vary", "Accept, Accept-Language, Prefer")
	code := cmp.Or(resp.Status, http.StatusOK)
	switch {
	case resp.Stream != nil:
		s.stream(w, r, resp, code)
		return
	case resp.Raw != nil:
		h.Set("Content-Type", resp.ContentType)
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(code)
		_, _ = w.Write(resp.Raw)
		return
	case f.native && resp.Key.Type == "Binary" && resp.Resource != nil && code == http.StatusOK && !resp.Written:
		if done := s.writeBinary(w, r, f, resp); done {
			return
		}
	}
	if f.none && resp.Resource != nil {
		s.writeError(w, r, face{}, errAccept)
		return
	}
	body := s.preferred(r.Context(), q, resp)
	if body == nil || code == http.StatusNotModified || code == http.StatusNoContent {
		w.WriteHeader(code)
		return
	}
	s.send(w, r, f, code, body)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, resp *Response, code int) {
	w.Header().Set("Content-Type", resp.ContentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	if r.Method == http.MethodHead {
		return
	}
	if err := resp.Stream(w); err != nil {
		if s.c.Fault != nil {
			s.c.Fault(r, err)
		}
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}
