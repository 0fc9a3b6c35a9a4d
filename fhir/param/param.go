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
	// Quantity: System, Code (unit code), Text (unit as people read it) and Num.
	// URI: Text; a canonical with a version is two values, with and without it.
	// String: Text as written; the store folds it. Date in a query: Text as written.
	System, Code, Text string
	// OfType is set on Identifier tokens that have a type: "system|code" of each type coding (:of-type).
	OfType []string

	// Date: first instant and the instant after the last, UTC milliseconds.
	Lo, Hi int64
	// Number, Quantity: the value. In a resource NumLo and NumHi equal Num, but of
	// a Range, which is NumLo to NumHi (Num is one of them); OpenLo, OpenHi: that
	// end is not given. In a query they are what the precision of the number
	// stands for, NumLo ≤ x < NumHi: 2.0 is 1.95 to 2.05; of "ap" what lies near.
	Num, NumLo, NumHi decimal.Decimal
	OpenLo, OpenHi    bool
	// Base is a Quantity with a UCUM code in base units, nil when it is in them
	// already or can't be converted. A store writes the value as it is under
	// (System, Code), and with Base once more under (System, Base.Code); a search
	// that names a UCUM unit goes by Base when it has one: so mg meets g.
	Base *Amount

	// Reference: a literal reference on this server is Type and ID; an absolute
	// URL or a canonical is Text; a logical one is System and Code of its
	// identifier. References into the resource itself ("#id") are no values.
	Type, ID string

	// Special "near": a place, in degrees.
	Lat, Long float64

	// Parts of a composite, in the order of its components; each combination is a Value of its own.
	Parts []Value
}

// Amount is a quantity in the base units of UCUM, as Value.Num, NumLo and NumHi.
type Amount struct {
	Code        string // "g", "g.m-3", "1"
	Num, Lo, Hi decimal.Decimal
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
	// List is the id of a List of this server (_list), "" without one. The API
	// layer resolves it into a clause _id: a store that is given one refuses it.
	List string
	// Ignored names the parameters that a lenient reading left out; the self link does not have them.
	Ignored []string
}

// Expr is a condition of _filter (FHIR R4 search_filter.html): a Clause, or
// parts joined by Op "and", "or" or, of one part, "not".
type Expr struct {
	Op     string
	Parts  []*Expr
	Clause *Clause

	source [2]string // for Self: the parameter and the value that it was read from
}

// Clause is one parameter with the values joined by OR.
type Clause struct {
	Param string
	Kind  Kind
	// Modifier is "exact", "missing", "not", …, a resource type, or "". Conditions of
	// _filter that the parameters of a search can't say have modifiers of their own:
	// "equals", "starts", "ends" (a whole string, its beginning, its end, folded),
	// "unequal" (a value that is another one), "overlaps" and "covers" (of dates: has part of that time, has all of it).
	Modifier string
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
	Prefix    string // "eq" when none was given; of dates, numbers and quantities "ne gt lt ge le sa eb ap"
	Value     Value
	Parts     []Match // of a composite, one for each component with its own prefix; Value.Parts is not set
	Radius    float64 // near: metres
	AnySystem bool    // token or quantity without "|": the system is not asked about ("|code" asks for none)
	Missing   bool    // value of :missing
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

	wild bool // one of those that "Type:*" stands for
}
