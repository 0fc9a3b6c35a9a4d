package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// memory keeps the CapabilityStatement, which is large, until the search parameters change.
type memory struct{ last atomic.Pointer[capability] }

type capability struct {
	params *param.Registry
	base   string
	body   []byte
}

// planMetadata is FHIR R4 http.html#capabilities.
func (s *Server) planMetadata(q *Request) (*act, error) {
	if err := reads(q); err != nil {
		return nil, err
	}
	switch q.Query.Get("mode") {
	case "", "full", "normative":
	case "terminology":
		return &act{alone: func(context.Context) (*Response, error) {
			return &Response{Status: http.StatusOK, Resource: s.terminology(q.Base), LastModified: s.c.Started}, nil
		}}, nil
	default:
		return nil, badValue("mode", "chỉ nhận full, normative, terminology", "takes full, normative or terminology")
	}
	view, err := viewOf(q.Query)
	if err != nil {
		return nil, err
	}
	return &act{alone: func(context.Context) (*Response, error) {
		body, err := view.apply(s.Capability(q.Base))
		return &Response{Status: http.StatusOK, Resource: body, LastModified: s.c.Started}, err
	}}, nil
}

// options answers OPTIONS at any address.
func (s *Server) options(q *Request) (*act, error) {
	allow := "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	if len(q.Path) > 0 && q.Path[0] == "metadata" {
		allow = "GET, HEAD, OPTIONS"
	}
	return &act{alone: func(context.Context) (*Response, error) {
		return &Response{Status: http.StatusNoContent, Header: http.Header{"Allow": {allow}}}, nil
	}}, nil
}

// Capability is the CapabilityStatement: computed from what is there, never written by hand.
func (s *Server) Capability(base string) []byte {
	params := s.c.Params()
	if c := s.memo.last.Load(); c != nil && c.params == params && c.base == base {
		return c.body
	}
	c := &capability{params, base, s.capability(base, params)}
	s.memo.last.Store(c)
	return c.body
}

func (s *Server) capability(base string, params *param.Registry) []byte {
	rest := r4.Object{{Name: "mode", Value: "server"}, {Name: "security", Value: r4.Raw(s.c.Security)}}
	lists, reverse := map[string][]param.Info{}, map[string][]string{}
	for _, typ := range r4.ResourceTypes() {
		lists[typ] = params.List(typ)
		for _, p := range lists[typ] {
			for _, to := range p.Targets {
				if s.c.Virtual[typ] == nil {
					reverse[to] = append(reverse[to], typ+":"+p.Code)
				}
			}
		}
	}
	var types []r4.Object
	for _, typ := range r4.ResourceTypes() {
		types = append(types, s.capabilityOf(typ, lists[typ], reverse[typ]))
	}
	rest.Add("resource", types)
	rest.Add("interaction", codes("transaction", "batch", "search-system", "history-system"))
	rest.Add("searchParam", searchParams(slices.DeleteFunc(slices.Clone(lists["Basic"]), func(p param.Info) bool { return p.Code[0] != '_' })))
	rest.Add("operation", s.operationsAt(func(o *Operation) bool { return o.System }))
	rest.Add("compartment", compartments())
	o := r4.Object{
		{Name: "resourceType", Value: "CapabilityStatement"}, {Name: "id", Value: "server"}, {Name: "url", Value: base + "/metadata"},
		{Name: "version", Value: s.c.Software}, {Name: "name", Value: "Ytso"}, {Name: "title", Value: "ytso FHIR R4"}, {Name: "status", Value: "active"},
		{Name: "date", Value: s.c.Started.UTC().Format("2006-01-02T15:04:05Z")}, {Name: "kind", Value: "instance"},
		{Name: "software", Value: r4.Object{{Name: "name", Value: "ytso"}, {Name: "version", Value: s.c.Software}}},
		{Name: "implementation", Value: r4.Object{{Name: "description", Value: "ytso"}, {Name: "url", Value: base}}},
		{Name: "fhirVersion", Value: "4.0.1"}, {Name: "format", Value: []string{"application/fhir+json", "application/fhir+xml", "json", "xml"}},
		{Name: "patchFormat", Value: patchFormats()}, {Name: "rest", Value: []r4.Object{rest}},
	}
	return o.JSON()
}

func compartments() (list []string) {
	for _, typ := range []string{"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"} {
		if param.Compartment(typ) != nil {
			list = append(list, "http://hl7.org/fhir/CompartmentDefinition/"+strings.ToLower(typ[:1])+typ[1:])
		}
	}
	return list
}

func codes(list ...string) (out []r4.Object) {
	for _, c := range list {
		out = append(out, r4.Object{{Name: "code", Value: c}})
	}
	return out
}

// terminology is the TerminologyCapabilities: what of the terminology service is there.
func (s *Server) terminology(base string) []byte {
	has := func(name string) bool {
		return slices.ContainsFunc(s.c.Operations, func(o Operation) bool { return o.Name == name })
	}
	o := r4.Object{
		{Name: "resourceType", Value: "TerminologyCapabilities"}, {Name: "id", Value: "server"}, {Name: "url", Value: base + "/metadata?mode=terminology"},
		{Name: "version", Value: s.c.Software}, {Name: "name", Value: "Ytso"}, {Name: "title", Value: "ytso FHIR R4"}, {Name: "status", Value: "active"},
		{Name: "date", Value: s.c.Started.UTC().Format("2006-01-02T15:04:05Z")}, {Name: "description", Value: "ytso"}, {Name: "kind", Value: "instance"},
		{Name: "software", Value: r4.Object{{Name: "name", Value: "ytso"}, {Name: "version", Value: s.c.Software}}},
		{Name: "implementation", Value: r4.Object{{Name: "description", Value: "ytso"}, {Name: "url", Value: base}}},
	}
	if has("expand") {
		o.Add("expansion", r4.Object{{Name: "paging", Value: true}, {Name: "incomplete", Value: false}})
	}
	if has("validate-code") {
		o.Add("validateCode", r4.Object{{Name: "translations", Value: false}})
	}
	if has("translate") {
		o.Add("translation", r4.Object{{Name: "needsMap", Value: true}})
	}
	if has("closure") {
		o.Add("closure", r4.Object{{Name: "translation", Value: false}})
	}
	return o.JSON()
}

func (s *Server) capabilityOf(typ string, list []param.Info, reverse []string) r4.Object {
	profile := r4.Field{Name: "profile", Value: "http://hl7.org/fhir/StructureDefinition/" + typ}
	if v := s.c.Virtual[typ]; v != nil {
		list = slices.DeleteFunc(slices.Clone(list), func(p param.Info) bool { return !slices.Contains(v.Params, p.Code) })
		return r4.Object{
			{Name: "type", Value: typ}, profile, {Name: "interaction", Value: codes("read", "search-type")}, {Name: "versioning", Value: "no-version"},
			{Name: "conditionalRead", Value: "full-support"}, {Name: "searchParam", Value: searchParams(list)}, {Name: "operation", Value: s.operationsOf(typ)},
		}
	}
	o := r4.Object{
		{Name: "type", Value: typ}, profile,
		{Name: "interaction", Value: codes("read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type")},
		{Name: "versioning", Value: "versioned-update"}, {Name: "readHistory", Value: true}, {Name: "updateCreate", Value: true},
		{Name: "conditionalCreate", Value: true}, {Name: "conditionalRead", Value: "full-support"}, {Name: "conditionalUpdate", Value: true},
		{Name: "conditionalDelete", Value: "single"}, {Name: "referencePolicy", Value: s.referencePolicy()},
	}
	var include []string
	for _, p := range list {
		if p.Kind == param.Reference {
			include = append(include, typ+":"+p.Code)
		}
	}
	o.Add("searchInclude", include)
	o.Add("searchRevInclude", reverse)
	o.Add("searchParam", searchParams(list))
	o.Add("operation", s.operationsOf(typ))
	return o
}

func (s *Server) operationsOf(typ string) []r4.Object {
	return s.operationsAt(func(op *Operation) bool {
		return (op.Type || op.Instance) && (op.Types == nil || slices.Contains(op.Types, typ))
	})
}

func (s *Server) referencePolicy() []string {
	if s.c.Loose {
		return []string{"literal", "logical", "resolves", "local"}
	}
	return []string{"literal", "logical", "resolves", "enforced", "local"}
}

var kindNames = map[param.Kind]string{
	param.Token: "token", param.String: "string", param.Date: "date", param.Reference: "reference", param.Number: "number",
	param.Quantity: "quantity", param.URI: "uri", param.Composite: "composite", param.Special: "special",
}

func searchParams(list []param.Info) (out []r4.Object) {
	for _, p := range list {
		out = append(out, r4.Object{{Name: "name", Value: p.Code}, {Name: "definition", Value: p.URL}, {Name: "type", Value: kindNames[p.Kind]}})
	}
	return out
}

// operationsAt lists those that have a definition: CapabilityStatement requires one.
func (s *Server) operationsAt(at func(*Operation) bool) (out []r4.Object) {
	for i := range s.c.Operations {
		if o := &s.c.Operations[i]; at(o) && o.Definition != "" {
			out = append(out, r4.Object{{Name: "name", Value: o.Name}, {Name: "definition", Value: o.Definition}})
		}
	}
	slices.SortFunc(out, func(a, b r4.Object) int { return strings.Compare(a[0].Value.(string), b[0].Value.(string)) })
	return out
}
