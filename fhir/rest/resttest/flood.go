package resttest

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// flooded: what one resource may name is bounded in time as well, while the writer waits.
func flooded(t *testing.T, s *site) {
	var refs []string
	for i := range 20_000 {
		refs = append(refs, fmt.Sprintf(`{"reference":"Observation/none-%d"}`, i))
	}
	began := time.Now()
	s.do(t, "POST", "Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"derivedFrom":[`+strings.Join(refs, ",")+`]}`).want(422)
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("20,000 references took %v", d)
	}
	var codings []string
	for i := range 1_000 {
		codings = append(codings, fmt.Sprintf(`{"code":"c%d"}`, i))
	}
	list := `{"coding":[` + strings.Join(codings, ",") + `]}`
	s.do(t, "POST", "Observation", `{"resourceType":"Observation","status":"final","code":`+list+`,"valueCodeableConcept":`+list+`}`).says("too-costly", "param.combinations")
}
