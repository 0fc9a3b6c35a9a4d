package rest

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
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
func (s *Server) planSearch(ctx context.Context, q *Request, typ string, in compartment, post bool) (*act, error) {
	if post != (q.Method == http.MethodPost) || !post && q.Method != http.MethodGet && q.Method != http.MethodHead {
		if post {
			return nil, method("POST", "OPTIONS")
		}
		return nil, method("GET", "HEAD", "OPTIONS")
	}
	if post && q.Doc != nil {
		return nil, errMedia
	}
	query, values, err := s.query(ctx, q, typ, in)
	if err != nil {
		return nil, err
	}
	find, err := s.finder(ctx, q, query)
	if err != nil {
		return nil, err
	}
	view := view{summary: query.Summary, elements: query.Elements}
	return &act{action: "search", detail: told(query, values), run: func(ctx context.Context, t *turn) (*Response, error) {
		return t.search(ctx, q, query, find, values, view)
	}}, nil
}

// query reads a search. values are what the self link says: what was understood.
func (s *Server) query(ctx context.Context, q *Request, typ string, in compartment) (param.Query, url.Values, error) {
	values := cloneValues(q.Query)
	values.Del("_format")
	values.Del("_pretty")
	query, err := s.c.Params().Parse(typ, values, param.Options{Lenient: preferOf(q.Header).lenient, Now: q.now, Base: []string{q.Base + "/"}})
	if err != nil {
		return query, nil, err
	}
	if err := within(&query, in); err != nil {
		return query, nil, err
	}
	self := query.Self() // before terms, which puts codes in the place of what was asked
	if query.Summary == "count" && query.Count == 0 && q.Query.Get("_count") == "0" {
		self.Del("_summary")
		self.Set("_count", "0")
	}
	return query, self, s.terms(ctx, &query)
}

// private are token parameters whose values name a person.
var private = []string{"identifier", "phone", "email", "telecom"}

// told is what of a search stands in the audit: names, numbers of papers and
// free text are left out, since the audit is read by others than the record.
func told(query param.Query, values url.Values) string {
	shown := map[string]bool{"_type": true, "_sort": true, "_count": true, "_summary": true, "_total": true, "_elements": true, "_include": true, "_revinclude": true, "_list": true}
	for _, c := range query.Where {
		name := c.Param
		if c.Modifier != "" {
			name += ":" + c.Modifier
		}
		coded := c.Kind == param.Token && !slices.Contains(private, c.Param) && c.Modifier != "text" && c.Modifier != "of-type"
		if c.Chain == nil && c.HasType == "" && (coded || c.Kind == param.Date || c.Kind == param.Reference && c.Modifier != "identifier") {
			shown[name] = true
		}
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, v := range values[name] {
			if !shown[name] {
				v = "…"
			}
			b.WriteString(name + "=" + v + " ")
		}
	}
	return strings.TrimSpace(b.String())
}

// within keeps a query in a compartment (FHIR R4 http.html#vsearch).
func within(query *param.Query, in compartment) error {
	if in.typ == "" {
		return nil
	}
	member := param.Compartment(in.typ)
	if member == nil {
		return status(http.StatusNotFound, fail(outcome.NotSupported, "compartment", "Loại tài nguyên này không có khoang (compartment).", "There is no compartment of this type."))
	}
	query.CompartmentType, query.CompartmentID = in.typ, in.id
	if query.Type != "" {
		if _, ok := member[query.Type]; !ok {
			return status(http.StatusNotFound, fail(outcome.NotSupported, "compartment-type", "Loại tài nguyên này không nằm trong khoang đó.", "Resources of this type are not in that compartment."))
		}
		return nil
	}
	if len(query.Types) == 0 {
		query.Types = slices.Sorted(maps.Keys(member))
		return nil
	}
	query.Types = slices.DeleteFunc(slices.Clone(query.Types), func(t string) bool { _, ok := member[t]; return !ok })
	if len(query.Types) == 0 {
		return fail(outcome.NotSupported, "compartment-type", "Không loại nào trong _type nằm trong khoang đó.", "None of _type is in that compartment.")
	}
	return nil
}

func (t *turn) search(ctx context.Context, q *Request, query param.Query, find Find, values url.Values, view view) (*Response, error) {
	query, err := t.listed(ctx, query)
	if err != nil {
		return nil, err
	}
	var page *store.Page
	if find != nil {
		page, err = find(ctx, t.look(q))
	} else {
		page, err = t.r.Search(ctx, query)
	}
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
