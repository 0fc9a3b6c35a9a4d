// Package canon finds definitions by their canonical url: profiles, value sets,
// code systems, concept maps, search parameters, questionnaires. The validator
// and the terminology ask a Source; packages, the store and generated tables are Sources.
//
// Source: FHIR R4 references.html#canonical.
package canon

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// Source finds definitions.
type Source interface {
	// Find gives the definition of a type ("" for any type) with the url; the
	// newest one when version is "". (nil, nil) when there is none; an error only
	// when it could not be looked for.
	Find(ctx context.Context, typ, url, version string) (*r4.Doc, error)
}

// Sources asks one after the other and takes the first answer.
type Sources []Source

// Find is described at Source.
func (s Sources) Find(ctx context.Context, typ, url, version string) (*r4.Doc, error) {
	for _, one := range s {
		if d, err := one.Find(ctx, typ, url, version); d != nil || err != nil {
			return d, err
		}
	}
	return nil, nil
}

// Split cuts "url|version#fragment".
func Split(canonical string) (url, version, fragment string) {
	canonical, fragment, _ = strings.Cut(canonical, "#")
	url, version, _ = strings.Cut(canonical, "|")
	return url, version, fragment
}
