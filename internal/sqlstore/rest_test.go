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

// TestRESTExamples sends the official examples through the interface and back.
func TestRESTExamples(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) { resttest.Examples(t, openTest(t, options(t))) })
}

// TestRESTTogether sends them all in one transaction.
func TestRESTTogether(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) { resttest.Together(t, openTest(t, options(t))) })
}

func BenchmarkREST(b *testing.B) {
	resttest.Benchmarks(b, openTest(b, Options{Dir: b.TempDir(), Key: testKey}))
}
