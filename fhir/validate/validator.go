package validate

import (
	"context"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// Validator checks resources against the base definitions and profiles.
type Validator struct {
	source canon.Source
	terms  *term.Service
}

// New makes a validator over profiles and terminology.
func New(source canon.Source, terms *term.Service) *Validator {
	return &Validator{source: source, terms: terms}
}

// Options say what to check beyond the structure.
type Options struct {
	// Profiles to check besides those of meta.profile.
	Profiles []string
	// Resolve tells the resource type that a literal reference names and whether
	// it is there (and visible to who asks). nil: references are not looked up.
	Resolve func(ctx context.Context, reference string) (typ string, found bool, err error)
	// Questionnaire and other canonicals are found in the Validator's Source.
}

// Check gives everything that is wrong with a resource; nil: nothing. The error
// is of ctx or of a Source, never of the resource.
func (v *Validator) Check(ctx context.Context, doc *r4.Doc, o Options) ([]Issue, error) {
	return Structure(doc), ctx.Err()
}
