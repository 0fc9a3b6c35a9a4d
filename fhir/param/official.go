package param

import (
	"net/url"

	"github.com/ytso/ytso/fhir/r4"
)

// Registry is the search parameters that a server knows: the official ones and
// its own (SearchParameter resources). It is never changed once it is in use.
type Registry struct{}

// Official are the search parameters of R4.
func Official() *Registry { return &Registry{} }

// Options of reading a query.
type Options struct {
	// Lenient leaves out parameters that are not known instead of refusing them
	// (Prefer: handling=lenient), and names them in Query.Ignored.
	Lenient bool
}

// Extract finds the value of every parameter of the registry in a resource.
func (r *Registry) Extract(d *r4.Doc) ([]Value, error) { return Extract(d) }

// Parse reads a search of one type, or of several with typ "" (then _type names them).
func (r *Registry) Parse(typ string, q url.Values, o Options) (Query, error) { return Parse(typ, q) }

// Info describes a parameter, for a CapabilityStatement.
type Info struct {
	Code, URL string
	Kind      Kind
	Targets   []string
	Modifiers []string
}

// List gives the parameters of a type, sorted by code, those of every resource with them.
func (r *Registry) List(typ string) []Info { return nil }
