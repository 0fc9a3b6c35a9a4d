package resttest

import (
	"fmt"
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
	s.do(t, "GET", "Patient/p/_history?_since=yesterday", "").want(400)
	s.do(t, "GET", "Patient/p/_history?gender=male", "").want(400)
	s.do(t, "GET", "Patient/p/_history?_since=2099-01-01T00:00:00Z", "").want(200).has("entry.0.fullUrl", "")
	s.do(t, "GET", "Patient/none/_history", "").want(404)
	s.do(t, "DELETE", "Patient/p/_history", "").want(405)
}
