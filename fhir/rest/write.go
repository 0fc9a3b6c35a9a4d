package rest

import (
	"cmp"
	"net/http"
)

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
		h.Set("Cache-Control", "no-store") // a clinic's PC serves many: who wants to ask again with an ETag keeps the copy itself
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
