package sqlstore

import (
	"testing"

	"github.com/ytso/ytso/fhir/rest/resttest"
	"github.com/ytso/ytso/fhir/store"
)

// TestREST runs the suite of the FHIR interface on both engines.
func TestREST(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		resttest.Run(t, func(t *testing.T) store.Store { return openTest(t, options(t)) })
	})
}
