package resttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
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

// overfull: the answers to the entries of a Bundle don't outgrow what one request may hold.
func overfull(t *testing.T, st store.Store) {
	s := newSite(t, st, func(c *rest.Config) { c.MaxBody = 20_000 })
	s.do(t, "PUT", "Patient/p", patient("p", `"name":[{"text":"`+strings.Repeat("ư", 4_000)+`"}]`)).want(201)
	read := [4]string{"GET Patient/p", "", "", ""}
	r := s.do(t, "POST", "", bundle("batch", read, read, read, read, read, [4]string{"PUT Patient/q", "", "", patient("q", `"active":true`)})).want(200)
	for i, want := range []string{"200", "200", "200", "422", "422", "201"} {
		if got := r.at(fmt.Sprintf("entry.%d.response.status", i)); !strings.HasPrefix(got, want) {
			t.Errorf("entry %d: %s, want %s", i, got, want)
		}
	}
	s.do(t, "POST", "", bundle("transaction", read, read, read, read)).says("too-costly", "rest.answer")
}

// hiddenDelete: to delete what belongs to another facility is answered as what never was, and deletes nothing.
func hiddenDelete(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"active":true`)).want(201)
	all := s.access
	s.access.Filter = store.Filter{Owners: []string{"25002"}, Types: map[string]store.Acts{"Patient": store.Everything}}
	for _, id := range []string{"p", "never"} {
		s.do(t, "DELETE", "Patient/"+id, "").want(204)
		s.do(t, "DELETE", "Patient/"+id, "", "If-Match", `W/"1"`).want(412)
		s.do(t, "POST", "", bundle("transaction", [4]string{"DELETE Patient/" + id, "", "", ""})).want(200).has("entry.0.response.status", "204 No Content")
	}
	s.access = all
	s.do(t, "GET", "Patient/p", "").want(200)
}
