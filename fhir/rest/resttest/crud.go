package resttest

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/store"
)

func reading(t *testing.T, s *site) {
	src := patient("a", `"name":[{"family":"Nguyễn","given":["Văn","An"]}],"gender":"male","_birthDate":{"extension":[{"url":"http://x.example/e","valueDecimal":1.00}]}`)
	s.do(t, "PUT", "Patient/a", src).want(201)
	got := s.do(t, "GET", "Patient/a", "").want(200).has("id", "a").has("meta.versionId", "1")
	if !strings.Contains(got.Body.String(), `"valueDecimal":1.00`) || got.Header().Get("ETag") != `W/"1"` || got.Header().Get("Last-Modified") == "" {
		t.Errorf("%v %s", got.Header(), got.Body)
	}
	if h := s.do(t, "HEAD", "Patient/a", "").want(200); h.Body.Len() != 0 || h.Header().Get("Content-Length") != got.Header().Get("Content-Length") {
		t.Errorf("HEAD: %v", h.Header())
	}
	for _, path := range []string{"Patient/a", "Patient/a/_history/1"} {
		s.do(t, "GET", path, "", "If-None-Match", `W/"1"`).want(304)
		s.do(t, "GET", path, "", "If-None-Match", `W/"7", W/"1"`).want(304)
		s.do(t, "GET", path, "", "If-None-Match", `W/"2"`).want(200)
		s.do(t, "GET", path, "", "If-Modified-Since", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)).want(304)
		s.do(t, "GET", path, "", "If-Modified-Since", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)).want(200)
	}
	s.do(t, "GET", "Patient/b", "").want(404).says("not-found", "store.not-found")
	s.do(t, "GET", "Patient/a/_history/2", "").want(404)
	s.do(t, "GET", "Patient/a/_history/x", "").want(404)
	s.do(t, "GET", "Patients/a", "").want(404).says("not-supported", "rest.type")
	s.do(t, "GET", "Patient/a_b", "").want(404)
	s.do(t, "GET", "Patient/a/nothing", "").want(404)
	s.do(t, "GET", "_nothing", "").want(404)

	only := s.do(t, "GET", "Patient/a?_elements=gender", "").want(200).has("gender", "male").has("meta.tag.0.code", "SUBSETTED").has("name.0.family", "").has("meta.versionId", "1")
	s.do(t, "PUT", "Patient/a", only.Body.String()).want(422).says("business-rule", "rest.subsetted")
	s.do(t, "GET", "Patient/a?_summary=true", "").want(200).has("gender", "male").has("meta.tag.0.code", "SUBSETTED")
	s.do(t, "GET", "Patient/a?_summary=maybe", "").want(400)
	s.do(t, "GET", "Patient/a?_summary=true&_elements=name", "").want(400)

	s.do(t, "PUT", "Observation/o", `{"resourceType":"Observation","id":"o","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"status":"final","code":{"text":"c"},"note":[{"text":"n"}],"subject":{"reference":"Patient/a"}}`).want(201)
	s.do(t, "GET", "Observation/o?_summary=true", "").has("status", "final").has("code.text", "c").has("text.status", "").has("note.0.text", "")
	s.do(t, "GET", "Observation/o?_summary=text", "").has("status", "final").has("code.text", "c").has("text.status", "generated").has("subject.reference", "")
	s.do(t, "GET", "Observation/o?_summary=data", "").has("note.0.text", "n").has("text.status", "").has("subject.reference", "Patient/a")
	s.do(t, "GET", "Observation/o?_summary=false", "").has("note.0.text", "n").has("meta.tag.0.code", "")
	s.do(t, "GET", "Observation/o?_elements=note", "").has("note.0.text", "n").has("status", "final").has("subject.reference", "")
}

func creating(t *testing.T, s *site) {
	r := s.do(t, "POST", "Patient", patient("chosen", `"meta":{"versionId":"9","lastUpdated":"2001-01-01T00:00:00Z","tag":[{"system":"http://t.example","code":"t"}]},"gender":"male"`)).want(201).has("meta.versionId", "1").has("meta.tag.0.code", "t")
	id := r.at("id")
	if id == "chosen" || r.Header().Get("Location") != base+"/Patient/"+id+"/_history/1" || r.Header().Get("ETag") != `W/"1"` {
		t.Errorf("id %s, %v", id, r.Header())
	}
	if strings.Contains(r.at("meta.lastUpdated"), "2001") {
		t.Errorf("lastUpdated of the client is kept")
	}
	if m := s.do(t, "POST", "Patient", patient("", `"gender":"male"`), "Prefer", "return=minimal").want(201); m.Body.Len() != 0 {
		t.Errorf("minimal: %s", m.Body)
	}
	s.do(t, "POST", "Patient", patient("", `"gender":"male"`), "Prefer", "return=OperationOutcome").want(201).has("resourceType", "OperationOutcome")

	one := patient("", `"identifier":[{"system":"http://id.example","value":"1"}]`)
	const cond = "identifier=http://id.example|1"
	first := s.do(t, "POST", "Patient", one, "If-None-Exist", cond).want(201)
	s.do(t, "POST", "Patient", one, "If-None-Exist", cond).want(200).has("id", first.at("id"))
	s.do(t, "POST", "Patient", one, "If-None-Exist", "?"+cond).want(200)
	s.do(t, "POST", "Patient", one).want(201)
	s.do(t, "POST", "Patient", one, "If-None-Exist", cond).want(412).says("multiple-matches", "rest.many")
	s.do(t, "POST", "Patient", one, "If-None-Exist", "nonsense=1").want(400)
	s.do(t, "POST", "Patient", one, "If-None-Exist", "_count=1").want(400)
	race(t, s)
}

// race: of many who create under the same condition one wins, and all learn of the same resource.
func race(t *testing.T, s *site) {
	const many = 40
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids, made := map[string]bool{}, 0
	for range many {
		wg.Go(func() {
			r := s.do(t, "POST", "Patient", patient("", `"identifier":[{"system":"http://id.example","value":"race"}]`), "If-None-Exist", "identifier=http://id.example|race")
			mu.Lock()
			defer mu.Unlock()
			ids[r.at("id")] = true
			switch r.Code {
			case 201:
				made++
			case 200:
			default:
				t.Errorf("status %d: %s", r.Code, r.Body)
			}
		})
	}
	wg.Wait()
	if made != 1 || len(ids) != 1 {
		t.Errorf("%d created, ids %v", made, ids)
	}
}

func updating(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"male"`)).want(201)
	r := s.do(t, "PUT", "Patient/p", patient("p", `"gender":"female"`)).want(200).has("meta.versionId", "2")
	if r.Header().Get("ETag") != `W/"2"` {
		t.Errorf("%v", r.Header())
	}
	s.do(t, "PUT", "Patient/p", patient("q", `"gender":"male"`)).want(400).says("invalid", "rest.other-id")
	s.do(t, "PUT", "Patient/p", patient("", `"gender":"male"`)).want(400).says("invalid", "rest.no-id")
	s.do(t, "PUT", "Patient/p", `{"resourceType":"Group","id":"p","type":"person","actual":true}`).want(400).says("invalid", "rest.other-type")
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"other"`), "If-Match", `W/"1"`).want(412)
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"other"`), "If-Match", `nonsense`).want(400)
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"other"`), "If-Match", `W/"2"`).want(200)
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"other"`), "If-None-Match", `*`).want(412)
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"other"`), "If-Match", `*`).want(200)
	for _, match := range []string{`W/"1"`, `*`} {
		s.do(t, "PUT", "Patient/none", patient("none", `"gender":"other"`), "If-Match", match).want(412)
		s.do(t, "PUT", "Patient?identifier=none", patient("", `"gender":"other"`), "If-Match", match).want(412)
		s.do(t, "DELETE", "Patient/none", "", "If-Match", match).want(412)
		s.do(t, "POST", "", bundle("transaction", [4]string{"PUT Patient/none", `"ifMatch":"` + strings.ReplaceAll(match, `"`, `\"`) + `"`, "", patient("none", `"gender":"other"`)})).want(412)
	}
	s.do(t, "GET", "Patient/none", "").want(404)

	// what a version named may have gone by the next one, but nothing new that is gone is named
	s.do(t, "PUT", "Organization/o", `{"resourceType":"Organization","id":"o","name":"x"}`).want(201)
	at := func(gender string) string {
		return patient("at", `"managingOrganization":{"reference":"Organization/o"},"gender":"`+gender+`"`)
	}
	s.do(t, "PUT", "Patient/at", at("male")).want(201)
	s.do(t, "DELETE", "Organization/o", "").want(204)
	s.do(t, "PUT", "Patient/at", at("male")).want(200).has("meta.versionId", "1")
	s.do(t, "PUT", "Patient/at", at("female")).want(200).has("meta.versionId", "2")
	s.do(t, "POST", "Patient", at("female")).want(422)
	s.do(t, "POST", "", bundle("transaction", [4]string{"PUT Patient/at", "", "", at("other")})).want(200)

	obs := func(status string) string {
		return `{"resourceType":"Observation","id":"of","status":"` + status + `","code":{"text":"c"},"subject":{"reference":"Patient/left"}}`
	}
	s.do(t, "PUT", "Patient/left", patient("left", `"gender":"male"`)).want(201)
	s.do(t, "PUT", "Observation/of", obs("final")).want(201)
	s.do(t, "DELETE", "Patient/left", "").want(204)
	s.do(t, "PUT", "Observation/of", obs("entered-in-error")).want(200)
	about := func(ref string) string {
		return `{"resourceType":"Provenance","target":[{"reference":"` + ref + `"}],"recorded":"2026-03-10T08:00:00Z","agent":[{"who":{"display":"x"}}]}`
	}
	for ref, code := range map[string]int{"Patient/left": 422, "Patient/left/_history/1": 201, "Patient/left/_history/2": 201, "Patient/left/_history/3": 422, "Patient/left/_history/x": 422, base + "/Patient/left/_history/1": 201} {
		s.do(t, "POST", "Provenance", about(ref)).want(code)
	}

	body := func(id, v string) string {
		return patient(id, `"identifier":[{"system":"http://id.example","value":"`+v+`"}]`)
	}
	made := s.do(t, "PUT", "Patient?identifier=http://id.example|u1", body("", "u1")).want(201)
	s.do(t, "PUT", "Patient?identifier=http://id.example|u1", body("", "u1")).want(200).has("id", made.at("id"))
	s.do(t, "PUT", "Patient?identifier=http://id.example|u1", body("other", "u1")).want(400)
	s.do(t, "PUT", "Patient?identifier=http://id.example|u2", body("mine", "u2")).want(201).has("id", "mine")
	s.do(t, "PUT", "Patient?identifier=http://id.example|u3", body("mine", "u3")).want(409)
	s.do(t, "PUT", "Patient?identifier=http://id.example|u2", body("mine", "u2"), "If-Match", `W/"8"`).want(412)
	s.do(t, "PUT", "Patient/twin", body("twin", "u2")).want(201)
	s.do(t, "PUT", "Patient?identifier=http://id.example|u2", body("", "u2")).want(412)
	s.do(t, "PUT", "Patient", body("", "u2")).want(400)
	s.do(t, "PUT", "Patient?_count=3", body("", "u2")).want(400)

	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 40 {
		wg.Go(func() {
			r := s.do(t, "PUT", "Patient/p", patient("p", fmt.Sprintf(`"multipleBirthInteger":%d`, i)), "If-Match", `W/"3"`)
			mu.Lock()
			defer mu.Unlock()
			if r.Code == 200 {
				won++
			} else if r.Code != 412 {
				t.Errorf("status %d: %s", r.Code, r.Body)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d of 40 writers won", won)
	}
	s.do(t, "PUT", "ValueSet/v", `{"resourceType":"ValueSet","id":"v","status":"draft"}`).want(201)
	if len(s.wrote) != 1 || s.wrote[0] != (store.Key{Type: "ValueSet", ID: "v"}) {
		t.Errorf("told of %v", s.wrote)
	}
}

func deleting(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"male"`)).want(201)
	s.do(t, "DELETE", "Patient/p", "", "If-Match", `W/"5"`).want(412)
	s.do(t, "DELETE", "Patient/p", "", "If-Match", `x`).want(400)
	s.do(t, "DELETE", "Patient/p", "", "If-Match", `W/"1"`).want(204)
	gone := s.do(t, "GET", "Patient/p", "").want(410).says("deleted", "store.deleted")
	if gone.Header().Get("ETag") != `W/"2"` {
		t.Errorf("%v", gone.Header())
	}
	if v := s.do(t, "GET", "Patient/p/_history/2", "").want(410); v.Header().Get("ETag") != `W/"2"` {
		t.Errorf("%v", v.Header())
	}
	s.do(t, "GET", "Patient/p/_history/1", "").want(200)
	s.do(t, "DELETE", "Patient/p", "").want(204)
	s.do(t, "DELETE", "Patient/never", "").want(204)
	s.do(t, "DELETE", "Patient/p", "", "Prefer", "return=OperationOutcome").want(200).has("resourceType", "OperationOutcome")
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"male"`)).want(201).has("meta.versionId", "3")

	for _, id := range []string{"x1", "x2"} {
		s.do(t, "PUT", "Patient/"+id, patient(id, `"identifier":[{"value":"x"},{"value":"`+id+`"}]`)).want(201)
	}
	s.do(t, "DELETE", "Patient?identifier=x", "").want(412)
	s.do(t, "DELETE", "Patient", "").want(400)
	s.do(t, "DELETE", "Patient?unknown=x", "").want(400)
	s.do(t, "DELETE", "Patient?identifier=x1", "").want(204)
	s.do(t, "DELETE", "Patient?identifier=x1", "").want(204)
	s.do(t, "GET", "Patient/x1", "").want(410)
	s.do(t, "GET", "Patient/x2", "").want(200)
}
