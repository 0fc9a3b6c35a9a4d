package rest

import (
	"maps"
	"net/url"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// NewParameters gives the parameters of a call: those of the query and, when
// body is a Parameters resource, those of the body. nil is no body.
func NewParameters(body *r4.Doc, query url.Values) Parameters {
	p := Parameters{query: query}
	if body != nil && body.Type() == "Parameters" {
		p.doc = body
	}
	return p
}

// Values gives all parameters of primitive type as those of a query, for an
// operation that takes search parameters ($lastn).
func (p Parameters) Values() url.Values {
	all := maps.Clone(p.query)
	if all == nil {
		all = url.Values{}
	}
	if p.doc == nil {
		return all
	}
	for n := range p.doc.Root().Get("parameter").Elems() {
		for key, v := range n.Members() {
			if text := v.Text(); strings.HasPrefix(key, "value") && text != "" {
				name := n.Get("name").Text()
				all[name] = append(all[name][:len(all[name]):len(all[name])], text)
			}
		}
	}
	return all
}
