package rest

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// face is how an answer is to look (FHIR R4 http.html#mime-type).
type face struct {
	xml, pretty bool
	// native: a Binary is wanted as what it holds; accept says what of.
	native bool
	none   bool // only as that: neither format is taken
	accept []wanted
}

const (
	typeJSON = "application/fhir+json; charset=utf-8; fhirVersion=4.0"
	typeXML  = "application/fhir+xml; charset=utf-8; fhirVersion=4.0"
)

func (f face) contentType() string {
	if f.xml {
		return typeXML
	}
	return typeJSON
}

// formats are the names of the two formats; those of FHIR itself mean a resource and no other content.
var formats = map[string]struct{ xml, fhir bool }{
	"json": {false, true}, "application/fhir+json": {false, true}, "application/json": {false, false}, "text/json": {false, false},
	"xml": {true, true}, "application/fhir+xml": {true, true}, "application/xml": {true, false}, "text/xml": {true, false},
	"application/json+fhir": {false, true}, "application/xml+fhir": {true, true}, // of DSTU 2, still sent
}

// wanted is one type of an Accept header.
type wanted struct {
	media string
	q     float64
}

var errAccept = status(http.StatusNotAcceptable, fail(outcome.NotSupported, "accept",
	"Máy chủ chỉ trả lời bằng FHIR R4 ở dạng application/fhir+json hoặc application/fhir+xml.",
	"The server answers in FHIR R4 as application/fhir+json or application/fhir+xml only."))

// negotiate reads _format, _pretty and Accept; _format rules (FHIR R4 http.html#parameters).
func negotiate(r *http.Request) (f face, err error) {
	q := r.URL.Query()
	f.pretty = q.Get("_pretty") == "true"
	if v := q.Get("_format"); v != "" {
		name, ok := mediaType(strings.ReplaceAll(v, " ", "+")) // "+" in a query is a space
		if !ok {
			return f, errAccept
		}
		known, ok := formats[name]
		if !ok {
			return f, errAccept
		}
		f.xml = known.xml
		return f, nil
	}
	f.accept = accepted(r.Header.Values("Accept"))
	if len(f.accept) == 0 {
		f.native = true
		return f, nil
	}
	return f.choose()
}

// choose takes the format of the highest q; of equal ones the first that is named.
func (f face) choose() (face, error) {
	best := 0.0
	f.native = true
	for _, w := range f.accept {
		if known, ok := formats[w.media]; ok {
			if known.fhir && w.q > 0 {
				f.native = false
			}
			if w.q > best {
				best, f.xml = w.q, known.xml
			}
			continue
		}
		if any := w.media == "*/*" || w.media == "application/*" || w.media == "text/*"; any && w.q > best {
			best, f.xml = w.q, w.media == "text/*"
		}
	}
	if f.none = best == 0; f.none {
		return f, errAccept
	}
	return f, nil
}

// accepted reads Accept headers (RFC 9110 §12.5.1); types of another FHIR version are refused ones.
func accepted(headers []string) (list []wanted) {
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ",") {
			media, params, err := mime.ParseMediaType(part)
			if err != nil || len(list) > 40 {
				continue
			}
			w := wanted{media, 1}
			if q, ok := params["q"]; ok {
				if w.q, err = strconv.ParseFloat(q, 64); err != nil || w.q < 0 || w.q > 1 {
					continue
				}
			}
			if v, ok := params["fhirversion"]; ok && !version4(v) {
				w.q = 0
			}
			list = append(list, w)
		}
	}
	return list
}

// version4 says whether a fhirVersion parameter means R4 (FHIR R4 http.html#version-parameter).
func version4(v string) bool { return v == "4.0" || v == "4.0.1" }

// mediaType reads a media type of UTF-8 and of FHIR R4.
func mediaType(v string) (string, bool) {
	media, params, err := mime.ParseMediaType(v)
	if err != nil {
		return "", false
	}
	if c := strings.ToLower(params["charset"]); c != "" && c != "utf-8" && c != "utf8" && c != "us-ascii" {
		return media, false
	}
	if v, ok := params["fhirversion"]; ok && !version4(v) {
		return media, false
	}
	return media, true
}

// render writes a resource, which is JSON, in the format.
func (f face) render(body []byte) ([]byte, error) {
	if !f.xml {
		if !f.pretty {
			return body, nil
		}
		var b bytes.Buffer
		if err := json.Indent(&b, body, "", "  "); err != nil {
			return nil, err
		}
		b.WriteByte('\n')
		return b.Bytes(), nil
	}
	doc, err := r4.Parse(body)
	if err != nil {
		return nil, err
	}
	out, err := doc.AppendXML(append(make([]byte, 0, 2*len(body)), `<?xml version="1.0" encoding="UTF-8"?>`...))
	if err == nil && f.pretty {
		out = indentXML(out)
	}
	return out, err
}

// indentXML puts each element on its own line, but for a narrative, whose white space is content.
func indentXML(src []byte) []byte {
	out := make([]byte, 0, len(src)*3/2)
	depth := 0
	line := func(d int) {
		out = append(out, '\n')
		for range d {
			out = append(out, "  "...)
		}
	}
	for i := 0; i < len(src); {
		end := bytes.IndexByte(src[i:], '>')
		if src[i] != '<' || end < 0 {
			return append(out, src[i:]...) // the writer makes nothing but tags outside a narrative
		}
		tag := src[i : i+end+1]
		switch {
		case tag[1] == '?':
		case bytes.HasPrefix(tag, []byte("<div")):
			line(depth)
			close := bytes.LastIndex(src[i:narrativeEnd(src, i)], []byte("</div>")) + len("</div>")
			tag = src[i : i+close]
		case tag[1] == '/':
			depth--
			line(depth)
		case tag[len(tag)-2] == '/':
			line(depth)
		default:
			line(depth)
			depth++
		}
		out = append(out, tag...)
		i += len(tag)
	}
	return append(out, '\n')
}

// narrativeEnd is where the text element behind a div is closed.
func narrativeEnd(src []byte, from int) int {
	if n := bytes.Index(src[from:], []byte("</div></text>")); n >= 0 {
		return from + n + len("</div>")
	}
	return len(src)
}
