// Package check holds the operations that look after what is stored: $validate,
// which tells whether a resource would be accepted, and $reindex, which makes
// the index of a search parameter that came later.
//
// Source: FHIR R4 resource-operation-validate.html.
package check

import (
	"context"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/validate"
)

// Deps is what the operations need beside the call.
type Deps struct {
	Check  *validate.Validator
	Source canon.Source // finds the profiles that are asked for
	// Reindexer does the work of $reindex; nil: there is no such operation.
	Reindexer Reindexer
}

// Reindexer makes the index anew for all resources, as a job that goes on where
// it stopped.
type Reindexer interface {
	// Reindex starts the job, or goes on with it, unless it is running already,
	// and tells at once how far it is. It never waits for the end.
	Reindex(ctx context.Context) (Progress, error)
}

// Progress is how far the job is.
type Progress struct {
	Running bool
	Done    int64 // resources looked at
	Total   int64 // resources to look at; 0: not counted yet
}

// Operations gives the operations for rest.Config.
func Operations(d Deps) []rest.Operation {
	o := &operations{d}
	list := []rest.Operation{{
		Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate", Type: true, Instance: true, Run: o.validate,
	}}
	if d.Reindexer != nil {
		list = append(list, rest.Operation{Name: "reindex", System: true, Run: o.reindex})
	}
	return list
}

type operations struct{ Deps }
