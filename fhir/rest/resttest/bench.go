package resttest

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/store"
)

// Benchmarks measures the interface over a store: one request each, and a transaction by resource.
func Benchmarks(b *testing.B, open store.Store) {
	s := newSite(nil, open)
	s.fault = func(err error) { b.Error(err) }
	send := func(b *testing.B, method, path, body string, code int) {
		r := httptest.NewRequestWithContext(b.Context(), method, "/"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/fhir+json")
		w := httptest.NewRecorder()
		_ = s.server.Handler(w, r)
		if w.Code != code {
			b.Fatalf("%s %s: %d %.500s", method, path, w.Code, w.Body)
		}
	}
	send(b, "PUT", "Patient/p", patient("p", `"gender":"male","name":[{"family":"Nguyễn","given":["Văn","An"]}]`), 201)
	obs := `{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],` +
		`"code":{"coding":[{"system":"http://loinc.org","code":"2345-7","display":"Glucose"}],"text":"Glucose"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2026-03-10T08:00:00+07:00",` +
		`"valueQuantity":{"value":5.60,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"referenceRange":[{"low":{"value":3.9},"high":{"value":6.4}}]}`
	b.Run("create", func(b *testing.B) {
		for b.Loop() {
			send(b, "POST", "Observation", obs, 201)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			send(b, "GET", "Patient/p", "", 200)
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			send(b, "GET", "Observation?patient=Patient/p&code=2345-7&_count=20", "", 200)
		}
	})
	b.Run("transaction", func(b *testing.B) {
		entries := [][4]string{{"POST Patient", "", u1, patient("", `"gender":"male"`)}}
		for range 99 {
			entries = append(entries, [4]string{"POST Observation", "", "", strings.Replace(obs, "Patient/p", u1, 1)})
		}
		body, n := bundle("transaction", entries...), 0
		for b.Loop() {
			send(b, "POST", "", body, 200)
			n += len(entries)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/resource")
	})
}
