// Package param knows the search parameters of FHIR R4: it finds their values
// in a resource (Extract), and reads a query (Parse). Both come from the
// generated table of official definitions in package r4.
//
// Source: FHIR R4 search.html, searchparameter-registry.html.
package param

import "github.com/ytso/ytso/fhir/decimal"

// Kind is the type of a search parameter.
type Kind uint8

// Kinds (FHIR R4 search.html#ptypes).
const (
	Token Kind = iota + 1
	String
	Date
	Reference
	Number
	Quantity
	URI
	Composite
	Special
)

// Value is one value of one search parameter found in a resource.
type Value struct {
	Param string // code, for example "identifier"
	Kind  Kind

	// Token: System and Code; Text is the display or text for :text.
	// Quantity: System, Code (unit code, or unit when it has none) and Num.
	// URI: Text. String: Text as written; the store folds it.
	System, Code, Text string
	// OfType is set on Identifier tokens that have a type: "system|code" of each type coding (:of-type).
	OfType []string

	// Date: first instant and the instant after the last, UTC milliseconds.
	Lo, Hi int64
	// Number, Quantity: value and the implicit range of its precision.
	Num, NumLo, NumHi decimal.Decimal

	// Reference: a literal reference on this server is Type and ID; an absolute
	// URL or a canonical is Text; a logical one is System and Code of its
	// identifier. References into the resource itself ("#id") are no values.
	Type, ID string

	// Parts of a composite, in the order of its components; each combination is a Value of its own.
	Parts []Value
}

// Query is a search as read and checked. A parameter that the server does not
// have, or a value it can't answer exactly, is an error and never a wider result.
type Query struct {
	Type     string // resource type; "" searches all types in Types
	Types    []string
	Where    []Clause // all must hold
	Sort     []Sort
	Count    int // page size; 0: the store's default; _count=0 means Summary "count"
	Summary  string
	Elements []string
	Total    string // "none", "estimate", "accurate"
	Includes []Include
	Cursor   string // opaque, from a page's Next
	Filter   *Expr  // of _filter, nil without one
	// Compartment: only what is in it (FHIR R4 compartmentdefinition.html), "" without one.
	CompartmentType, CompartmentID string
	// Ignored names the parameters that a lenient reading left out; the self link does not have them.
	Ignored []string
}

// Expr is a condition of _filter (FHIR R4 search_filter.html): a Clause, or
// parts joined by Op "and", "or" or, of one part, "not".
type Expr struct {
	Op     string
	Parts  []*Expr
	Clause *Clause
}

// Clause is one parameter with the values joined by OR.
type Clause struct {
	Param    string
	Kind     Kind
	Modifier string // "exact", "missing", "not", …, a resource type, or ""
	Values   []Match
	// Chain: the clause holds for a resource of type ChainType that Param refers to.
	ChainType string
	Chain     *Clause
	// Golden persons are expanded by the store in every reference to a Patient.
	// Has: reverse chain: a resource of HasType whose reference Param names this one, for which Chain holds.
	HasType string
}

// Match is one value asked for.
type Match struct {
	Prefix    string // "eq" when none was given
	Value     Value
	AnySystem bool // token or quantity without "|": the system is not asked about ("|code" asks for none)
	Missing   bool // value of :missing
}

// Sort is one sort key.
type Sort struct {
	Param string
	Desc  bool
}

// Include is one _include or _revinclude.
type Include struct {
	Reverse, Iterate      bool
	Source, Param, Target string
}
