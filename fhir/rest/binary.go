package rest

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// rawBinary makes a Binary of a body that is no FHIR resource (FHIR R4
// binary.html#rest). A body of the plain types application/json and
// application/xml is content as well unless it is a Binary itself.
func rawBinary(q *Request, media string) (raw bool, err error) {
	p := q.Path
	create := q.Method == http.MethodPost && len(p) == 1
	update := q.Method == http.MethodPut && len(p) == 2
	if len(p) == 0 || p[0] != "Binary" || !create && !update {
		return false, nil
	}
	header := q.Header.Get("Content-Type")
	if known, ok := formats[media]; ok && (known.fhir || isBinary(q.Body, known.xml)) || header == "" {
		return false, nil
	}
	if len(header) > 200 || media == "" {
		return false, errMedia
	}
	if len(q.Body) == 0 {
		return false, fail(outcome.Invalid, "no-body", "Yêu cầu thiếu nội dung.", "The request has no body.")
	}
	o := r4.Object{{Name: "resourceType", Value: "Binary"}}
	if update {
		o.Add("id", p[1])
	}
	o.Add("contentType", header)
	if context := q.Header.Get("X-Security-Context"); context != "" {
		o.Add("securityContext", r4.Object{{Name: "reference", Value: strings.TrimPrefix(context, q.Base+"/")}})
	}
	o.Add("data", base64.StdEncoding.EncodeToString(q.Body))
	q.Doc, err = r4.Parse(o.JSON())
	return true, err
}

// isBinary says whether a body is a Binary resource in one of the two formats.
func isBinary(body []byte, xml bool) bool {
	var doc *r4.Doc
	var err error
	if xml {
		doc, err = r4.ParseXML(body)
	} else {
		doc, err = r4.Parse(body)
	}
	return err == nil && doc.Type() == "Binary"
}

// writeBinary answers with the content itself when the caller takes its type.
// A browser never runs it: it is an attachment that nothing may guess about,
// in a page without rights.
func (s *Server) writeBinary(w http.ResponseWriter, r *http.Request, f face, resp *Response) (done bool) {
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		return false
	}
	root := doc.Root()
	kind := root.Get("contentType").Text()
	if !f.takes(kind) || !root.Get("data").Exists() {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Disposition", "attachment")
	if c := root.Get("securityContext").Get("reference").Text(); c != "" {
		h.Set("X-Security-Context", c)
	}
	data, escaped := root.Get("data").Quoted()
	if escaped {
		data = []byte(root.Get("data").Text())
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		// What was stored is base64 for certain: the validator has seen it.
		_, _ = io.Copy(w, base64.NewDecoder(base64.StdEncoding, &solid{data}))
	}
	return true
}

// solid reads base64 without the white space that FHIR lets stand in it.
type solid struct{ rest []byte }

func (s *solid) Read(p []byte) (n int, err error) {
	for n < len(p) && len(s.rest) > 0 {
		i := bytes.IndexAny(s.rest, " \t\r\n")
		if i < 0 {
			i = len(s.rest)
		}
		if i == 0 {
			s.rest = s.rest[1:]
			continue
		}
		c := copy(p[n:], s.rest[:i])
		n, s.rest = n+c, s.rest[c:]
	}
	if n == 0 && len(s.rest) == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// takes says whether Accept lets content of a type be sent; without Accept any.
func (f face) takes(contentType string) bool {
	if len(f.accept) == 0 {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	kind, _, _ := strings.Cut(media, "/")
	for _, w := range f.accept {
		if w.q > 0 && (w.media == media || w.media == "*/*" || w.media == kind+"/*") {
			return true
		}
	}
	return false
}
