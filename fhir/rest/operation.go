package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

var errOperation = status(http.StatusNotFound, fail(outcome.NotSupported, "operation",
	"Không có thao tác này ở địa chỉ này.", "There is no such operation at this address."))

// on says whether an operation is there at the level of an address.
func (o *Operation) on(typ, id string) bool {
	switch {
	case typ == "":
		return o.System
	case o.Types != nil && !slices.Contains(o.Types, typ), o.Types == nil && !r4.IsResource(typ): // ViewDefinition is no resource of R4
		return false
	case id == "":
		return o.Type
	}
	return o.Instance
}

// planOperation is FHIR R4 operations.html#executing; path is "$name".
func (s *Server) planOperation(q *Request, typ, id string, path []string) (*act, error) {
	op := s.operation(path[0][1:], typ, id)
	if op == nil || len(path) != 1 {
		return nil, errOperation
	}
	if q.odd && !op.Formats {
		return nil, errAccept
	}
	get := q.Method == http.MethodGet || q.Method == http.MethodHead
	switch {
	case q.Method == http.MethodPost, get && !op.Affects:
	case op.Affects:
		return nil, method("POST", "OPTIONS")
	default:
		return nil, method("GET", "HEAD", "POST", "OPTIONS")
	}
	in, err := parameters(q)
	if err != nil {
		return nil, err
	}
	return &act{writes: op.Affects, operates: true, action: "operation", run: func(ctx context.Context, t *turn) (*Response, error) {
		c := &Call{Request: q, Type: typ, ID: id, In: in, Reader: t.r, Tx: t.tx, Server: s}
		resp, err := op.Run(ctx, c)
		if err == nil && resp == nil {
			resp = &Response{Status: http.StatusNoContent}
		}
		t.wrote = append(t.wrote, c.wrote...)
		return resp, err
	}}, nil
}

func (s *Server) operation(name, typ, id string) *Operation {
	for i := range s.c.Operations {
		if o := &s.c.Operations[i]; o.Name == name && o.on(typ, id) {
			return o
		}
	}
	return nil
}

// parameters reads what an operation is given: a Parameters resource; any other
// resource alone is the parameter "resource" (FHIR R4 operations.html#request);
// and the query.
func parameters(q *Request) (Parameters, error) {
	v := cloneValues(q.Query)
	v.Del("_format")
	v.Del("_pretty")
	if q.Doc == nil || q.Doc.Type() == "Parameters" {
		if q.Doc != nil {
			if err := validate.Refusal(skeleton(q.Doc)); err != nil {
				return Parameters{}, err
			}
		}
		return Parameters{q.Doc, v}, nil
	}
	if !r4.IsResource(q.Doc.Type()) {
		return Parameters{}, validate.Refusal(validate.Structure(q.Doc))
	}
	wrapped := r4.Object{{Name: "resourceType", Value: "Parameters"}, {Name: "parameter", Value: []r4.Object{
		{{Name: "name", Value: "resource"}, {Name: "resource", Value: r4.Raw(q.Doc.Source())}},
	}}}
	doc, err := r4.Parse(wrapped.JSON())
	return Parameters{doc, v}, err
}

// skeleton checks Parameters but for the resources in them, which may well be
// what is asked about ($validate).
func skeleton(doc *r4.Doc) (list []validate.Issue) {
	for _, i := range validate.Structure(doc) {
		if !strings.Contains(i.Expression, ".resource") {
			list = append(list, i)
		}
	}
	return list
}

// Wrote tells the server of resources that an operation changed, for Config.Changed.
func (c *Call) Wrote(keys ...store.Key) { c.wrote = append(c.wrote, keys...) }
