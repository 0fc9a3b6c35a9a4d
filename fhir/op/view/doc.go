// Package view is the operation $run of SQL on FHIR v2: a ViewDefinition over
// what the caller may see, as json, ndjson or csv.
//
//	POST /ViewDefinition/$run       viewResource or viewReference in a Parameters
//	GET|POST /ViewDefinition/{id}/$run
//	POST /$viewdefinition-run       the same, by its earlier name
//
// Rows are streamed page by page. Each page is a search of its own under the
// caller's Access, with its own audit row; the first is read before the answer
// begins, so that what is wrong with a view is an error and no broken table.
// Pages are keyset pages: what others write meanwhile neither repeats nor
// loses a row of what stood there before.
//
// R4 has no resource ViewDefinition. One that is to be kept is put into a
// Library as content of type application/json+viewdefinition; ViewDefinition/x
// in a path or a viewReference means the Library x, a URL the Library of that url.
//
// Source: SQL on FHIR v2, OperationDefinition $run.
package view

import (
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// MediaType is the type of a Library's content that is a ViewDefinition.
const MediaType = "application/json+viewdefinition"

// Deps is what the operation needs beside the call.
type Deps struct {
	// Store is read page by page while the answer is under way.
	Store store.Store
	// Params are the search parameters in force; nil: the official ones.
	Params func() *param.Registry
	Now    func() time.Time // nil: the clock
}

// Operations gives the operations for rest.Config.
func Operations(d Deps) []rest.Operation {
	if d.Params == nil {
		d.Params = param.Official
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	o := &operations{d}
	return []rest.Operation{
		{Name: "run", Types: []string{"ViewDefinition"}, Type: true, Instance: true, Formats: true, Run: o.run},
		{Name: "viewdefinition-run", System: true, Formats: true, Run: o.run},
	}
}

type operations struct{ Deps }
