package record

import (
	"net/http"
	"net/url"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// searchset is an answer in the form of a search (FHIR R4 bundle.html#searchset).
type searchset struct {
	base  string
	total int // -1: not told
	links []r4.Object
	list  []r4.Object
	met   map[store.Key]bool
}

func newSearchset(base string) *searchset {
	return &searchset{base: base, total: -1, met: map[store.Key]bool{}}
}

// add appends a resource once; mode is "match" or "include". It says whether it was new.
func (s *searchset) add(r *store.Resource, mode string) bool {
	if s.met[r.Key] {
		return false
	}
	s.met[r.Key] = true
	s.entry(r, r4.Object{{Name: "mode", Value: mode}})
	return true
}

func (s *searchset) entry(r *store.Resource, search r4.Object) {
	s.list = append(s.list, r4.Object{
		{Name: "fullUrl", Value: s.base + "/" + r.Key.String()}, {Name: "resource", Value: r4.Raw(r.Body)}, {Name: "search", Value: search},
	})
}

// tell adds an OperationOutcome with a sentence for whoever asked.
func (s *searchset) tell(severity, code, vi, en string) {
	issue := r4.Object{
		{Name: "severity", Value: severity}, {Name: "code", Value: code},
		{Name: "details", Value: r4.Object{{Name: "text", Value: vi}}}, {Name: "diagnostics", Value: en},
	}
	o := r4.Object{{Name: "resourceType", Value: "OperationOutcome"}, {Name: "issue", Value: []r4.Object{issue}}}
	s.list = append(s.list, r4.Object{
		{Name: "resource", Value: o}, {Name: "search", Value: r4.Object{{Name: "mode", Value: "outcome"}}},
	})
}

// link adds a link to the operation at path with a query.
func (s *searchset) link(relation, path string, q url.Values) {
	u := s.base + "/" + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	s.links = append(s.links, r4.Object{{Name: "relation", Value: relation}, {Name: "url", Value: u}})
}

func (s *searchset) response() *rest.Response {
	o := r4.Object{{Name: "resourceType", Value: "Bundle"}, {Name: "type", Value: "searchset"}}
	if s.total >= 0 {
		o.Add("total", s.total)
	}
	o.Add("link", s.links)
	o.Add("entry", s.list)
	return &rest.Response{Status: http.StatusOK, Resource: o.JSON()}
}
