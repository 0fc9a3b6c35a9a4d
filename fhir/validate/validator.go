package validate

import (
	"context"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// Validator checks resources against the base definitions and profiles.
type Validator struct {
	source   canon.Source
	terms    *term.Service
	profiles cache
	codes    codeCache
	rules    sync.Map // path → []*constraint
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
	// Fetch gives what a literal reference points at outside the document, for
	// profiles that ask something of it; nil document: not at hand.
	Fetch func(ctx context.Context, reference string) (*r4.Doc, error)
	// Questionnaire is held against the answers of a QuestionnaireResponse instead
	// of the one that it names. Canonicals are found in the Validator's Source.
	Questionnaire string
	// KnownExtensions refuses extensions whose definition is not at hand, as the
	// official validator does, but for those of HL7's own packages and of
	// examples. A server lets them through (FHIR R4 extensibility.html).
	KnownExtensions bool
	// VitalSigns holds an Observation with a LOINC code of a vital sign against
	// the profile for it (FHIR R4 observation-vitalsigns.html), claimed or not.
	VitalSigns bool
	// Now is what now() and today() of a rule give; zero: the clock.
	Now time.Time
}

// Check gives everything that is wrong with a resource; nil: nothing. The error
// is of ctx or of a Source, never of the resource.
func (v *Validator) Check(ctx context.Context, doc *r4.Doc, o Options) ([]Issue, error) {
	c := &check{v: v, ctx: ctx, o: o, issues: Structure(doc), now: o.Now, began: time.Now()}
	if c.now.IsZero() {
		c.now = time.Now()
	}
	if root, ok := rootElem(doc); ok {
		c.walk(root)
		for _, url := range o.Profiles {
			c.wanted(root, url)
		}
	}
	if c.err == nil {
		c.err = ctx.Err()
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.issues, nil
}
