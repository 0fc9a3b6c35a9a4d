package rest

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// compartment is where a search looks; the zero value is everywhere.
type compartment struct{ typ, id string }

// planSearch is FHIR R4 http.html#search: of a type, of several ("" with
// _type), or of a compartment; post: by POST to _search.
func (s *Server) planSearch(q *Request, typ string, in compartment, post bool) (*act, error) {
	if post != (q.Method == http.MethodPost) || !post && q.Method != http.MethodGet && q.Method != http.MethodHead {
		if post {
			return nil, method("POST", "OPTIONS")
		}
		return nil, method("GET", "HEAD", "OPTIONS")
	}
	if post && q.Doc != nil {
		return nil, errMedia
	}
	query, values, err := s.query(q, typ, in)
	if err != nil {
		return nil, err
	}
	view := view{summary: query.Summary, elements: query.Elements}
	return &act{action: "search", detail: values.Encode(), run: func(ctx context.Context, t *turn) (*Response, error) {
		return t.search(ctx, q, query, values, view)
	}}, nil
}

// query reads a search. values are those that were understood.
func (s *Server) query(q *Request, typ string, in compartment) (param.Query, url.Values, error) {
	values := cloneValues(q.Query)
	values.Del("_format")
	values.Del("_pretty")
	query, err := s.c.Params().Parse(typ, values, param.Options{Lenient: preferOf(q.Header).lenient})
	if err != nil {
		return query, nil, err
	}
	for _, name := range query.Ignored {
		values.Del(name)
	}
	query.CompartmentType, query.CompartmentID = in.typ, in.id
	return query, values, nil
}

func (t *turn) search(ctx context.Context, q *Request, query param.Query, values url.Values, view view) (*Response, error) {
	query, err := t.expand(ctx, query)
	if err != nil {
		return nil, err
	}
	page, err := t.r.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	b := Bundle{Type: "searchset", Total: page.Total, Now: q.now, Links: pageLinks(q, values, page.Next)}
	for _, r := range page.Matches {
		body, err := view.apply(r.Body)
		if err != nil {
			return nil, err
		}
		b.Entries = append(b.Entries, Entry{FullURL: q.Base + "/" + r.Key.String(), Resource: body, Mode: "match"})
	}
	view.elements = nil // FHIR R4 search.html#elements: of the matches only
	for _, r := range page.Included {
		body, err := view.apply(r.Body)
		if err != nil {
			return nil, err
		}
		b.Entries = append(b.Entries, Entry{FullURL: q.Base + "/" + r.Key.String(), Resource: body, Mode: "include"})
	}
	if o := t.s.ignored(ctx, query); o != nil && query.Summary != "count" {
		b.Entries = append(b.Entries, Entry{Resource: o, Mode: "outcome"})
	}
	return &Response{Status: http.StatusOK, Resource: b.JSON()}, nil
}

// ignored is the warning about what a lenient reading left out, nil when nothing was.
func (s *Server) ignored(ctx context.Context, query param.Query) []byte {
	if len(query.Ignored) == 0 {
		return nil
	}
	var list []validate.Issue
	for _, name := range query.Ignored {
		if len(name) > 64 {
			name = name[:64]
		}
		name = strings.ToValidUTF8(name, "")
		list = append(list, validate.Issue{
			Severity: validate.Warning, Code: outcome.NotSupported, Key: "rest.ignored",
			VI: "Tham số “" + name + "” không được hỗ trợ và đã bị bỏ qua.", EN: "Parameter “" + name + "” is not supported and was left out.",
		})
	}
	return s.OutcomeOf(ctx, list)
}

// expand puts what only the server knows into a query: lists and value sets.
func (t *turn) expand(ctx context.Context, query param.Query) (param.Query, error) { return query, nil }

// ask runs a search for the server itself.
func (t *turn) ask(ctx context.Context, query param.Query) (*store.Page, error) {
	return t.r.Search(ctx, query)
}
