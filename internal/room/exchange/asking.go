package exchange

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

var (
	errNoAsync = outcome.New(outcome.Invalid, "exchange.respond-async",
		"Việc này chạy nền: hãy gửi kèm “Prefer: respond-async”.", "This runs in the background: send “Prefer: respond-async” with it.")
	errParameters = outcome.New(outcome.Structure, "exchange.parameters",
		"Thân yêu cầu phải là một tài nguyên Parameters (JSON hoặc XML).", "The body must be a Parameters resource (JSON or XML).")
	errMediaType = outcome.New(outcome.NotSupported, "exchange.media-type",
		"Kiểu nội dung này không đọc được ở đây.", "This content type is not read here.")
	errBody = outcome.New(outcome.Invalid, "exchange.body", "Thân yêu cầu không đọc được hết.", "The body could not be read to its end.")
)

// prefers says whether a preference stands in the headers Prefer (RFC 7240): "respond-async", "handling=lenient".
func prefers(r *http.Request, what string) bool {
	for _, line := range r.Header.Values("Prefer") {
		for p := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			if strings.EqualFold(strings.ReplaceAll(strings.TrimSpace(p), " ", ""), what) {
				return true
			}
		}
	}
	return false
}

// asked gives the parameters of a kick-off: those of the query and, of a POST,
// those of its Parameters resource. References are their reference.
func asked(r *http.Request) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errBody.Because(err)
	}
	if r.Method != http.MethodPost {
		return q, nil
	}
	doc, err := bodyDoc(r)
	if err != nil || doc == nil {
		return q, err
	}
	if doc.Type() != "Parameters" {
		return nil, errParameters
	}
	for p := range doc.Root().Get("parameter").Elems() {
		v, ok := primitive(p)
		if !ok || p.Get("name").Text() == "" {
			return nil, errParameters.At("Parameters.parameter")
		}
		q.Add(p.Get("name").Text(), v)
	}
	return q, nil
}

// primitive is value[x] of a parameter as text.
func primitive(p r4.Node) (text string, ok bool) {
	for name, v := range p.Members() {
		switch {
		case name == "valueReference":
			return v.Get("reference").Text(), v.Get("reference").Exists()
		case strings.HasPrefix(name, "value") && v.Kind() != r4.Map:
			return v.Text(), true
		}
	}
	return "", false
}

// bodyDoc reads a resource from the body; nil when there is none.
func bodyDoc(r *http.Request) (*r4.Doc, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, err
		}
		return nil, errBody.Because(err)
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return nil, nil
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, errMediaType.Because(err)
	}
	switch kind {
	case "application/fhir+json", "application/json", "text/json":
		return r4.Parse(body)
	case "application/fhir+xml", "application/xml", "text/xml":
		return r4.ParseXML(body)
	}
	return nil, errMediaType
}
