package rest

import (
	"bytes"
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
