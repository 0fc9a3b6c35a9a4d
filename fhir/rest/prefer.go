package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// prefer is what the Prefer header asks for (FHIR R4 http.html#ops, RFC 7240).
type prefer struct {
	back    string // "minimal", "representation", "OperationOutcome", ""
	lenient bool
	strict  bool
}

func preferOf(h http.Header) (p prefer) {
	for _, header := range h.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(header, func(r rune) bool { return r == ',' || r == ';' }) {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "return":
				p.back = value
			case "handling":
				p.lenient, p.strict = value == "lenient", value == "strict"
			}
		}
	}
	return p
}

// preferred is the body of a response as the caller prefers it: of a write the
// resource when nothing else was asked for.
func (s *Server) preferred(ctx context.Context, q *Request, resp *Response) []byte {
	if !resp.Written {
		return resp.Resource
	}
	switch preferOf(q.Header).back {
	case "minimal":
		return nil
	case "OperationOutcome":
		return s.OutcomeOf(ctx, resp.Issues)
	}
	return resp.Resource
}

func etag(version int) string { return fmt.Sprintf(`W/"%d"`, version) }

func versionURL(base string, k store.Key, version int) string {
	return fmt.Sprintf("%s/%s/_history/%d", base, k, version)
}
