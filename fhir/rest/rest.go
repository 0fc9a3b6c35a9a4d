// Package rest is the RESTful API of FHIR R4 over a fhir/store: every
// interaction of http.html, alone and inside a Bundle, and the operations that
// it is given.
//
// One interaction is one Request that becomes one Response (Server.Do), whether
// it came over HTTP or as an entry of a Bundle; only the door (Server.Handler)
// knows HTTP. What can be done outside a transaction (reading, checking,
// indexing a body) is done before it begins, so that the writer only writes.
//
// Source: FHIR R4 http.html, search.html, operations.html, bundle.html.
package rest

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
)

// Config is what the API stands on.
type Config struct {
	Store store.Store
	// Access is the gate: on whose behalf the request runs and what it may see.
	Access func(context.Context) (store.Access, error)
	// Owner is the facility whose records the caller writes, "" for none.
	Owner func(context.Context) string
	// Check validates what is written.
	Check *validate.Validator
	Terms *term.Service
	// Source finds definitions (packages, generated tables, the store).
	Source canon.Source
	// Params are the search parameters in force.
	Params func() *param.Registry
	// Base is the address of the API as the caller sees it, "https://host/fhir".
	Base func(*http.Request) string
	// Vietnamese says whether sentences are to be Vietnamese.
	Vietnamese func(context.Context) bool
	Now        func() time.Time
	Operations []Operation
	// Virtual are the resource types that are not in the store, by name.
	Virtual  map[string]*Virtual
	Software string // version, for the CapabilityStatement
	Started  time.Time
	// Security is CapabilityStatement.rest.security as JSON, nil for none.
	Security []byte
	// Loose lets references name what is not on this server. A Patient that the
	// caller may not see can't be named even so.
	Loose bool
	// Bounds of one request; 0: the package's own (64 MB, 10,000 entries).
	MaxBody    int64
	MaxEntries int
	// Together bounds the transactions at once; 0: no bound. Where each holds a
	// connection and may want another one for a definition (PostgreSQL), it must
	// be less than the connections, or all could wait for each other.
	Together int
	// Reference is the number of the request that a caller may name to us, the id
	// of each OperationOutcome about a failure; nil: none.
	Reference func(context.Context) string
	// Fault is told of errors that are ours (status 5xx), for the log; nil: nobody.
	Fault func(*http.Request, error)
	// Changed is told of conformance resources that were written (SearchParameter, ValueSet, …), after the commit.
	Changed func(keys []store.Key)
}

// Request is one interaction.
type Request struct {
	Method string // GET, HEAD, POST, PUT, PATCH, DELETE
	Base   string // see Config.Base
	Path   []string
	Query  url.Values
	// Header holds If-Match, If-None-Match, If-None-Exist, If-Modified-Since, Prefer, Content-Type, Accept.
	Header http.Header
	Body   []byte  // as received (PATCH, Binary); of resources in JSON form
	Doc    *r4.Doc // the resource in the body, nil without one
	Inner  bool    // an entry of a Bundle
	Access store.Access
	Owner  string
	now    time.Time
	fault  func(error) // tells of an error of ours in one entry of a batch
	odd    bool        // a form is wanted that no resource has: for an operation with Formats only
}

// Response is its answer.
type Response struct {
	Status       int
	Resource     []byte // JSON of a resource, nil without a body
	Raw          []byte // instead of Resource: a body of another type, with ContentType
	ContentType  string
	Key          store.Key // what was read or written, for Location and ETag
	Version      int
	LastModified time.Time
	Header       http.Header // further headers
	// Issues are the warnings about what was written, for Prefer: return=OperationOutcome.
	Issues []validate.Issue
	// Written says that the interaction is one that Prefer: return speaks of (create, update, patch, transaction).
	Written bool
	// Stream writes a body that is not held in memory (ndjson, Binary); Status and ContentType are set before.
	Stream func(http.ResponseWriter) error
}

// Operation is one $operation.
type Operation struct {
	Name       string   // without "$"
	Definition string   // canonical of its OperationDefinition, "" when it is our own without one
	Types      []string // resource types that have it at type or instance level; nil with Type or Instance: all types
	System     bool     // /$name
	Type       bool     // /Patient/$name
	Instance   bool     // /Patient/1/$name
	Affects    bool     // changes state: POST only, and runs in an Update
	Formats    bool     // reads _format and Accept itself: it answers in forms that no resource has (csv)
	// Run carries it out. Errors are outcome.Errors.
	Run func(ctx context.Context, c *Call) (*Response, error)
}

// Call is one call of an operation.
type Call struct {
	*Request
	Type, ID string // "" at higher levels
	// In are the parameters: of the body's Parameters resource, or of the query as strings.
	In Parameters
	// Run is inside a transaction of the store and must begin no other Update.
	// Reader reads under the caller's Access; Tx also writes and is nil when the Operation doesn't Affect.
	Reader store.Reader
	Tx     store.Tx
	Server *Server
	wrote  []store.Key
}

// Parameters are the parts of a Parameters resource by name.
type Parameters struct {
	doc   *r4.Doc
	query url.Values
}

// Resource gives a parameter that is a resource, the zero Node when it is not there.
func (p Parameters) Resource(name string) r4.Node { return p.part(name).Get("resource") }

// Value gives the value[x] of a parameter as a node, the zero Node when it is not there or came in the query.
func (p Parameters) Value(name string) r4.Node {
	for key, v := range p.part(name).Members() {
		if len(key) > 5 && key[:5] == "value" {
			return v
		}
	}
	return r4.Node{}
}

// Text gives a primitive parameter as text, "" when it is not there.
func (p Parameters) Text(name string) string {
	if v := p.Value(name); v.Exists() {
		return v.Text()
	}
	return p.query.Get(name)
}

// Texts gives all values of a primitive parameter.
func (p Parameters) Texts(name string) (list []string) {
	for _, n := range p.All(name) {
		for key, v := range n.Members() {
			if len(key) > 5 && key[:5] == "value" {
				list = append(list, v.Text())
			}
		}
	}
	return append(list, p.query[name]...)
}

// All gives the parameter parts with a name (objects with name, value[x], resource, part).
func (p Parameters) All(name string) (list []r4.Node) {
	if p.doc == nil {
		return nil
	}
	for n := range p.doc.Root().Get("parameter").Elems() {
		if n.Get("name").Text() == name {
			list = append(list, n)
		}
	}
	return list
}

func (p Parameters) part(name string) r4.Node {
	if all := p.All(name); len(all) > 0 {
		return all[0]
	}
	return r4.Node{}
}

// Server answers the API.
type Server struct {
	c      Config
	memo   memory
	places chan struct{}
	// operations are the places of those that run an operation.
	operations chan struct{}
}

// New makes a server.
func New(c Config) *Server {
	if c.Params == nil {
		official := param.Official()
		c.Params = func() *param.Registry { return official }
	}
	if c.Vietnamese == nil {
		c.Vietnamese = func(context.Context) bool { return false }
	}
	if c.Owner == nil {
		c.Owner = func(context.Context) string { return "" }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.MaxBody, c.MaxEntries = cmp.Or(c.MaxBody, 64<<20), cmp.Or(c.MaxEntries, 10_000)
	s := &Server{c: c, operations: make(chan struct{}, maxOperations)}
	if c.Together > 0 {
		s.places = make(chan struct{}, c.Together)
	}
	return s
}

// Config is what the server was made with.
func (s *Server) Config() Config { return s.c }
