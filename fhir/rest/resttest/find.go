package resttest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func searching(t *testing.T, s *site) {
	for i := range 7 {
		id := fmt.Sprintf("p%d", i)
		s.do(t, "PUT", "Patient/"+id, patient(id, `"gender":"male","name":[{"family":"Nguyễn"}]`)).want(201)
	}
	s.do(t, "PUT", "Patient/f", patient("f", `"gender":"female"`)).want(201)
	r := s.do(t, "GET", "Patient?gender=male&_count=3&_total=accurate", "").want(200).has("type", "searchset").has("total", "7")
	seen := r.ids("match")
	for next := r.link("next"); next != ""; next = r.link("next") {
		r = s.do(t, "GET", next, "").want(200)
		seen = append(seen, r.ids("match")...)
		if len(seen) > 7 || r.link("first") == "" {
			t.Fatalf("pages: %v, %s", seen, r.Body)
		}
	}
	slices.Sort(seen)
	if strings.Join(slices.Compact(seen), " ") != "p0 p1 p2 p3 p4 p5 p6" {
		t.Errorf("pages: %v", seen)
	}
	one := s.do(t, "GET", "Patient?_id=p3", "").want(200).has("entry.0.fullUrl", base+"/Patient/p3").has("entry.0.search.mode", "match")
	if one.link("self") != "Patient?_id=p3" {
		t.Errorf("self %q", one.link("self"))
	}
	s.do(t, "POST", "Patient/_search", "gender=female", "Content-Type", "application/x-www-form-urlencoded").want(200).has("entry.0.resource.id", "f").has("entry.1.resource.id", "")
	s.do(t, "POST", "Patient/_search?gender=female", "name=nobody", "Content-Type", "application/x-www-form-urlencoded").want(200).has("entry.0.resource.id", "")
	s.do(t, "POST", "Patient/_search", `{"resourceType":"Patient"}`).want(415)
	s.do(t, "GET", "Patient/_search?gender=female", "").want(405)
	s.do(t, "GET", "Patient?gender=female&_summary=count", "").want(200).has("total", "1").has("entry.0.resource.id", "")
	s.do(t, "GET", "Patient?_id=p1&_elements=gender", "").has("entry.0.resource.gender", "male").has("entry.0.resource.name.0.family", "").has("entry.0.resource.meta.tag.0.code", "SUBSETTED")
	s.do(t, "GET", "Patient?nonsense=1", "").want(400)
	s.do(t, "GET", "Patient?nonsense=1", "", "Prefer", "handling=strict").want(400)
	s.do(t, "GET", "Patient?birthdate=gibberish", "").want(400)
	s.do(t, "GET", "Patient?gender=%zz", "").want(400)
	lenient := s.do(t, "GET", "Patient?nonsense=1&gender=female", "", "Prefer", "handling=lenient").want(200).has("entry.0.resource.id", "f").
		has("entry.1.search.mode", "outcome").has("entry.1.resource.issue.0.severity", "warning")
	if lenient.link("self") != "Patient?gender=female" {
		t.Errorf("self %q", lenient.link("self"))
	}
	s.do(t, "GET", "Patient?birthdate=gibberish", "", "Prefer", "handling=lenient").want(400)
	lists(t, s)
	s.do(t, "PUT", "Patient", "").want(400)
}

func histories(t *testing.T, s *site) {
	for _, g := range []string{"male", "female", "other"} {
		s.do(t, "PUT", "Patient/p", patient("p", `"gender":"`+g+`"`))
	}
	s.do(t, "DELETE", "Patient/p", "").want(204)
	r := s.do(t, "GET", "Patient/p/_history", "").want(200).has("type", "history").has("total", "4").
		has("entry.0.request.method", "DELETE").has("entry.0.response.etag", `W/"4"`).has("entry.0.resource.id", "").
		has("entry.1.resource.gender", "other").has("entry.3.request.method", "PUT").has("entry.3.response.status", "201 Created")
	if len(slices.Collect(r.doc.Root().Get("entry").Elems())) != 4 {
		t.Errorf("%s", r.Body)
	}
	r = s.do(t, "GET", "Patient/p/_history?_count=3", "").want(200)
	s.do(t, "GET", r.link("next"), "").want(200).has("entry.0.response.etag", `W/"1"`).has("entry.1.fullUrl", "")
	all := s.do(t, "GET", "Patient/p/_history", "")
	first := all.at("entry.3.response.lastModified")
	s.do(t, "GET", "Patient/p/_history?_at="+url.QueryEscape(first), "").want(200).has("entry.0.fullUrl", base+"/Patient/p")
	s.do(t, "GET", "Patient/p/_history?_at=1999", "").want(200).has("entry.0.fullUrl", "")
	s.do(t, "GET", "Patient/p/_history?_at=gibberish", "").want(400)
	s.do(t, "GET", "Patient/p/_history?_summary=true", "").want(200).has("entry.1.resource.meta.tag.0.code", "SUBSETTED")
	s.do(t, "PUT", "Group/g", `{"resourceType":"Group","id":"g","type":"person","actual":true}`).want(201)
	for path, n := range map[string]int{"Patient/_history": 4, "Group/_history": 1, "_history": 5, "Basic/_history": 0} {
		r := s.do(t, "GET", path, "").want(200).has("type", "history")
		if got := len(slices.Collect(r.doc.Root().Get("entry").Elems())); got != n {
			t.Errorf("%s: %d entries, want %d: %s", path, got, n, r.Body)
		}
	}
	seen, path := 0, "_history?_count=2"
	for path != "" && seen < 9 {
		r := s.do(t, "GET", path, "").want(200)
		seen += len(slices.Collect(r.doc.Root().Get("entry").Elems()))
		path = r.link("next")
	}
	if seen != 5 {
		t.Errorf("%d versions on the pages of the history of all", seen)
	}
	s.do(t, "GET", "_history?_since=2099-01-01T00:00:00Z", "").want(200).has("entry.0.fullUrl", "")
	s.do(t, "GET", "_history?_cursor=nonsense", "").want(400)
	s.do(t, "GET", "Patient/p/_history?_cursor=-1", "").want(400)
	s.do(t, "GET", "Patient/p/_history?_since=yesterday", "").want(400)
	s.do(t, "GET", "Patient/p/_history?gender=male", "").want(400)
	s.do(t, "GET", "Patient/p/_history?_since=2099-01-01T00:00:00Z", "").want(200).has("entry.0.fullUrl", "")
	s.do(t, "GET", "Patient/none/_history", "").want(404)
	s.do(t, "DELETE", "Patient/p/_history", "").want(405)
}

// lists: what a List names, read under the gate, is a condition; value sets are whole or an error.
func lists(t *testing.T, s *site) {
	entry := func(ref, more string) string { return `{"item":{"reference":"` + ref + `"}` + more + `}` }
	s.do(t, "PUT", "Group/g", `{"resourceType":"Group","id":"g","type":"person","actual":true}`).want(201)
	s.do(t, "PUT", "List/l", `{"resourceType":"List","id":"l","status":"current","mode":"changes","entry":[`+entry("Patient/p1", "")+","+entry("Patient/p2", `,"deleted":true`)+","+entry("Group/g", "")+`]}`).want(201)
	s.do(t, "GET", "Patient?_list=l", "").want(200).has("entry.0.resource.id", "p1").has("entry.1.resource.id", "")
	s.do(t, "GET", "Patient?_list=l&gender=female", "").want(200).has("entry.0.resource.id", "")
	s.do(t, "GET", "Group?_list=l", "").want(200).has("entry.0.resource.id", "g")
	s.do(t, "GET", "Basic?_list=l", "").want(200).has("entry.0.resource.id", "")
	s.do(t, "GET", "Patient?_list=none", "").want(404)
	s.do(t, "GET", "Patient?_list=$current-problems", "").want(400)

	s.do(t, "GET", "Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender&_summary=count", "").want(200).has("total", "8")
	s.do(t, "GET", "Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender&_summary=count", "").want(200).has("total", "0")
	s.do(t, "GET", "Patient?gender:in=http://x.example/none", "").want(400).says("not-supported", "rest.terms")
	s.do(t, "GET", "Patient?language:below=vi", "").want(400).says("not-supported", "rest.terms")
	s.do(t, "PUT", "Observation/o", `{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://x.example/tree","code":"leaf"}]},"subject":{"reference":"Patient/p1"}}`).want(201)
	s.do(t, "GET", "Observation?code:below=http://x.example/tree|root", "").want(200).has("entry.0.resource.id", "o")
	s.do(t, "GET", "Observation?code:above=http://x.example/tree|root", "").want(200).has("entry.0.resource.id", "")
	s.do(t, "GET", "Observation?code:below=http://x.example/tree|nowhere", "").want(400)

	s.do(t, "GET", "Patient/p1/Observation", "").want(200).has("entry.0.resource.id", "o")
	s.do(t, "GET", "Patient/p2/Observation", "").want(200).has("entry.0.resource.id", "")
	s.do(t, "GET", "Patient/p1/Observation?code=leaf", "").want(200).has("entry.0.resource.id", "o")
	s.do(t, "POST", "Patient/p1/Observation/_search", "code=twig", "Content-Type", "application/x-www-form-urlencoded").want(200).has("entry.0.resource.id", "")
	s.do(t, "GET", "Patient/p1/*?_type=Observation", "").want(200).has("entry.0.resource.id", "o")
	s.do(t, "GET", "Patient/p1/ValueSet", "").want(404)
	s.do(t, "GET", "Organization/p1/Patient", "").want(404)
	s.do(t, "GET", "?_type=Group,Observation&_summary=count", "").want(200).has("total", "2")
	s.do(t, "GET", "Observation?_include=Observation:subject", "").want(200).has("entry.1.resource.id", "p1").has("entry.1.search.mode", "include")
	s.do(t, "GET", "Observation?_include=Observation:subject&_elements=status", "").want(200).has("entry.0.resource.subject.reference", "").has("entry.1.resource.gender", "male")
}
