package resttest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
)

const (
	jsonPatch = "application/json-patch+json"
	xmlPatch  = "application/xml-patch+xml"
)

func patching(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"identifier":[{"value":"i"}],"gender":"male","multipleBirthInteger":1`)).want(201)
	s.do(t, "PATCH", "Patient/p", `[{"op":"replace","path":"/gender","value":"female"}]`, "Content-Type", jsonPatch).want(200).has("gender", "female").has("meta.versionId", "2")
	s.do(t, "PATCH", "Patient/p", `[{"op":"replace","path":"/gender","value":"x"}]`, "Content-Type", jsonPatch).want(422)
	s.do(t, "PATCH", "Patient/p", `[{"op":"test","path":"/gender","value":"male"}]`, "Content-Type", jsonPatch).want(422)
	s.do(t, "PATCH", "Patient/p", `{`, "Content-Type", jsonPatch).want(400)
	s.do(t, "PATCH", "Patient/p", `[{"op":"replace","path":"/id","value":"q"}]`, "Content-Type", jsonPatch).want(422)
	s.do(t, "PATCH", "Patient/p", `[]`, "Content-Type", "application/merge-patch+json").want(415)
	s.do(t, "PATCH", "Patient/p", patient("p", `"gender":"male"`)).want(415)
	s.do(t, "PATCH", "Patient/p", `[{"op":"replace","path":"/gender","value":"male"}]`, "Content-Type", jsonPatch, "If-Match", `W/"1"`).want(412)
	s.do(t, "PATCH", "Patient/p", `[{"op":"replace","path":"/gender","value":"male"}]`, "Content-Type", jsonPatch, "If-Match", `W/"2"`).want(200)
	s.do(t, "PATCH", "Patient/p", `<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">other</replace></diff>`, "Content-Type", xmlPatch).want(200).has("gender", "other")
	path := `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"unknown"}]}]}`
	s.do(t, "PATCH", "Patient/p", path).want(200).has("gender", "unknown").has("meta.versionId", "5")
	s.do(t, "PATCH", "Patient/none", path).want(404)
	s.do(t, "PATCH", "Patient?identifier=i", `[{"op":"replace","path":"/gender","value":"male"}]`, "Content-Type", jsonPatch).want(200).has("gender", "male")
	s.do(t, "PATCH", "Patient?identifier=none", path).want(404)
	s.do(t, "PATCH", "Patient", path).want(400)
	s.do(t, "PUT", "Patient/q", patient("q", `"identifier":[{"value":"i"}]`)).want(201)
	s.do(t, "PATCH", "Patient?identifier=i", path).want(412)
	s.do(t, "DELETE", "Patient/q", "").want(204)
	s.do(t, "PATCH", "Patient/q", path).want(410)
	s.do(t, "PATCH", "Patient/p", `[{"op":"add","path":"/managingOrganization","value":{"reference":"Organization/none"}}]`, "Content-Type", jsonPatch).want(422).says("business-rule", "rest.reference")

	// none of many patches is lost, though nobody sends If-Match
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s.do(t, "PATCH", "Patient/p", fmt.Sprintf(`[{"op":"add","path":"/identifier/-","value":{"value":"n%d"}}]`, i), "Content-Type", jsonPatch).want(200)
		})
	}
	wg.Wait()
	if n := s.do(t, "GET", "Patient/p", "").doc.Root().Get("identifier").Len(); n != 21 {
		t.Errorf("%d identifiers, want 21", n)
	}
}

// bundle writes a Bundle; an entry is "METHOD url", members of request, fullUrl, resource.
func bundle(typ string, entries ...[4]string) string {
	var list []string
	for _, e := range entries {
		verb, url, _ := strings.Cut(e[0], " ")
		out := `{`
		if e[2] != "" {
			out += `"fullUrl":"` + e[2] + `",`
		}
		if e[3] != "" {
			out += `"resource":` + e[3] + `,`
		}
		more := ""
		if e[1] != "" {
			more = "," + e[1]
		}
		list = append(list, out+`"request":{"method":"`+verb+`","url":"`+url+`"`+more+`}}`)
	}
	return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(list, ",") + `]}`
}

func batches(t *testing.T, s *site) {
	r := s.do(t, "POST", "", bundle("batch",
		[4]string{"PUT Patient/a", "", "", patient("a", `"gender":"male"`)},
		[4]string{"POST Patient", "", "", patient("", `"gender":"man"`)},
		[4]string{"GET Patient/a", "", "", ""},
		[4]string{"GET Patient?gender=male", "", "", ""},
		[4]string{"GET Patient/none", "", "", ""},
		[4]string{"GET Patient/a", `"ifNoneMatch":"W/\"1\""`, "", ""},
		[4]string{"FETCH Patient/a", "", "", ""},
		[4]string{"GET http://elsewhere.example/Patient/a", "", "", ""},
		[4]string{"POST /", "", "", `{"resourceType":"Bundle","type":"batch"}`},
		[4]string{"GET metadata", "", "", ""},
		[4]string{"GET Patient/$echo?n=5", "", "", ""},
		[4]string{"PATCH Patient/a", "", "", `{"resourceType":"Binary","contentType":"` + jsonPatch + `","data":"` + base64.StdEncoding.EncodeToString([]byte(`[{"op":"replace","path":"/gender","value":"other"}]`)) + `"}`},
		[4]string{"DELETE Patient/a", `"ifMatch":"W/\"1\""`, "", ""},
		[4]string{"DELETE Patient/a", `"ifMatch":"W/\"2\""`, "", ""},
	)).want(200).has("type", "batch-response")
	for i, want := range []string{"201", "422", "200", "200", "404", "304", "400", "400", "400", "200", "200", "200", "412", "204"} {
		if got := r.at(fmt.Sprintf("entry.%d.response.status", i)); !strings.HasPrefix(got, want) {
			t.Errorf("entry %d: %q, want %s", i, got, want)
		}
	}
	r.has("entry.0.response.location", base+"/Patient/a/_history/1").has("entry.0.response.etag", `W/"1"`).has("entry.0.resource.id", "").
		has("entry.1.response.outcome.issue.0.expression.0", "Patient.gender").has("entry.2.resource.gender", "male").
		has("entry.3.resource.entry.0.resource.id", "a").has("entry.9.resource.resourceType", "CapabilityStatement").has("entry.10.resource.parameter.1.valueString", "5")
	s.do(t, "POST", "", bundle("batch", [4]string{"PUT Patient/b", "", "", patient("b", `"gender":"male"`)}), "Prefer", "return=representation").want(200).has("entry.0.resource.gender", "male")
	s.do(t, "POST", "", strings.Replace(bundle("batch", [4]string{"GET Patient/a", "", "", ""}), "batch", "collection", 1)).want(400)
	s.do(t, "POST", "", `{"resourceType":"Bundle","type":"batch","nonsense":1}`).want(400)
	s.do(t, "POST", "", `{"resourceType":"Bundle","type":"batch","entry":[{"nonsense":1}]}`).want(400).has("issue.0.expression.0", "Bundle.entry[0]")
	s.do(t, "POST", "", patient("", `"gender":"male"`)).want(400)
	s.do(t, "POST", "", `{"resourceType":"Bundle","type":"batch"}`).want(200)
	few := newSite(t, s.store, func(c *rest.Config) { c.MaxEntries = 2 })
	get := [4]string{"GET Patient/a", "", "", ""}
	few.do(t, "POST", "", bundle("batch", get, get, get)).want(422).says("too-costly", "rest.entries")
}

const u1, u2, u3 = "urn:uuid:11111111-1111-4111-8111-111111111111", "urn:uuid:22222222-2222-4222-8222-222222222222", "urn:uuid:33333333-3333-4333-8333-333333333333"

func transactions(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/old", patient("old", `"gender":"male","identifier":[{"value":"old"}]`)).want(201)
	s.do(t, "PUT", "Patient/gone", patient("gone", `"identifier":[{"value":"same"}]`)).want(201)
	obs := `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"` + u1 + `"},"encounter":{"reference":"` + u2 + `"},` +
		`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"` + u1 + `\">` + u1 + `</a></div>"},` +
		`"extension":[{"url":"http://x.example/u","valueUri":"` + u1 + `"},{"url":"http://x.example/s","valueString":"` + u1 + `"}]}`
	enc := `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},"subject":{"reference":"` + u1 + `"}}`
	// in an order in which nothing is there yet when it is named, and the delete after what replaces the deleted
	r := s.do(t, "POST", "", bundle("transaction",
		[4]string{"GET Patient?gender=female", "", "", ""},
		[4]string{"POST Observation", "", u3, obs},
		[4]string{"POST Encounter", "", u2, enc},
		[4]string{"POST Patient", `"ifNoneExist":"identifier=same"`, u1, patient("", `"identifier":[{"value":"same"}],"gender":"female"`)},
		[4]string{"PATCH Patient?identifier=old", "", "", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"other"}]}]}`},
		[4]string{"DELETE Patient?identifier=same", "", "", ""},
		[4]string{"PUT Patient/new", "", "", patient("new", `"link":[{"other":{"reference":"`+u1+`"},"type":"seealso"}]`)},
		[4]string{"GET Patient/new", "", "", ""},
	), "Prefer", "return=representation").want(200).has("type", "transaction-response")
	for i, want := range []string{"200", "201", "201", "201", "200", "204", "201", "200"} {
		if got := r.at(fmt.Sprintf("entry.%d.response.status", i)); !strings.HasPrefix(got, want) {
			t.Errorf("entry %d: %q, want %s", i, got, want)
		}
	}
	id := r.at("entry.3.resource.id")
	r.has("entry.0.resource.entry.0.resource.id", id).has("entry.1.resource.subject.reference", "Patient/"+id).
		has("entry.1.resource.encounter.reference", "Encounter/"+r.at("entry.2.resource.id")).has("entry.2.resource.subject.reference", "Patient/"+id).
		has("entry.1.resource.extension.0.valueUri", "Patient/"+id).has("entry.1.resource.extension.1.valueString", u1).
		has("entry.1.resource.text.div", `<div xmlns="http://www.w3.org/1999/xhtml"><a href="Patient/`+id+`">`+u1+`</a></div>`).
		has("entry.4.resource.gender", "other").has("entry.6.resource.link.0.other.reference", "Patient/"+id).has("entry.7.resource.id", "new")
	s.do(t, "GET", "Patient/gone", "").want(410)

	m := s.do(t, "POST", "", bundle("transaction",
		[4]string{"POST Patient", `"ifNoneExist":"identifier=same"`, u1, patient("", `"identifier":[{"value":"same"}]`)},
		[4]string{"POST Encounter", "", u2, enc},
		[4]string{"PUT Patient?identifier=fresh", "", u3, patient("", `"identifier":[{"value":"fresh"}]`)},
	)).want(200).has("entry.0.response.status", "200 OK").has("entry.0.resource.id", "")
	if loc := m.at("entry.0.response.location"); loc != base+"/Patient/"+id+"/_history/1" {
		t.Errorf("location %s", loc)
	}
	s.do(t, "GET", "Encounter?subject=Patient/"+id+"&_summary=count", "").has("total", "2")
	s.do(t, "GET", "Patient?identifier=fresh&_summary=count", "").has("total", "1")
	twins := s.do(t, "POST", "", bundle("transaction",
		[4]string{"POST Patient", `"ifNoneExist":"identifier=twin"`, u1, patient("", `"identifier":[{"value":"twin"}]`)},
		[4]string{"POST Patient", `"ifNoneExist":"identifier=twin"`, u2, patient("", `"identifier":[{"value":"twin"}]`)},
		[4]string{"POST Encounter", "", u3, enc},
	)).want(200)
	if twins.at("entry.0.response.location") != twins.at("entry.1.response.location") {
		t.Errorf("%s", twins.Body)
	}
	// references relative to the address of the entry that holds them, and absolute ones
	far := "http://far.example/fhir/"
	f := s.do(t, "POST", "", bundle("transaction",
		[4]string{"POST Patient", "", far + "Patient/7", patient("7", `"gender":"male"`)},
		[4]string{"POST Encounter", "", far + "Encounter/7", strings.Replace(enc, u1, "Patient/7", 1)},
		[4]string{"POST Encounter", "", "", strings.Replace(enc, u1, far+"Patient/7", 1)},
	), "Prefer", "return=representation").want(200)
	f.has("entry.1.resource.subject.reference", "Patient/"+f.at("entry.0.resource.id")).has("entry.2.resource.subject.reference", "Patient/"+f.at("entry.0.resource.id"))
	s.do(t, "POST", "", bundle("transaction", [4]string{"GET Patient/old", "", "", ""})).want(200).has("entry.0.resource.id", "old")
	s.do(t, "POST", "", `{"resourceType":"Bundle","type":"transaction"}`).want(200)
}

func identities(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/a", patient("a", `"identifier":[{"value":"a"}]`)).want(201)
	put := [4]string{"PUT Patient/a", "", "", patient("a", `"gender":"male"`)}
	for name, c := range map[string]struct {
		code    int
		entries [][4]string
	}{
		"put twice":           {400, [][4]string{put, put}},
		"put and delete":      {400, [][4]string{put, {"DELETE Patient/a", "", "", ""}}},
		"put and conditional": {400, [][4]string{put, {"PUT Patient?identifier=a", "", "", patient("", `"gender":"male"`)}}},
		"delete by condition": {400, [][4]string{put, {"DELETE Patient?identifier=a", "", "", ""}}},
		"same fullUrl":        {400, [][4]string{{"POST Patient", "", u1, patient("", `"gender":"male"`)}, {"POST Patient", "", u1, patient("", `"gender":"male"`)}}},
		"other id":            {400, [][4]string{{"PUT Patient/a", "", "", patient("b", `"gender":"male"`)}}},
		"no resource":         {400, [][4]string{{"PUT Patient/a", "", "", ""}}},
		"stale":               {412, [][4]string{{"PUT Patient/a", `"ifMatch":"W/\"9\""`, "", patient("a", `"gender":"male"`)}}},
		"stale delete":        {412, [][4]string{{"DELETE Patient/a", `"ifMatch":"W/\"9\""`, "", ""}}},
		"unknown urn":         {422, [][4]string{{"POST Observation", "", "", `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"` + u2 + `"}}`}}},
		"missing":             {404, [][4]string{{"GET Patient/none", "", "", ""}}},
		"bad method":          {400, [][4]string{{"FETCH Patient/a", "", "", ""}}},
		"patch of nothing":    {404, [][4]string{{"PATCH Patient/none", "", "", `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.gender"}]}]}`}}},
		"blank condition":     {400, [][4]string{{"DELETE Patient", "", "", ""}}},
	} {
		r := s.do(t, "POST", "", bundle("transaction", c.entries...))
		if r.Code != c.code || r.at("resourceType") != "OperationOutcome" || !strings.HasPrefix(r.at("issue.0.expression.0"), "Bundle.entry[") {
			t.Errorf("%s: status %d, want %d: %s", name, r.Code, c.code, r.Body)
		}
	}
	s.do(t, "GET", "Patient/a", "").has("meta.versionId", "1")
	s.nothingLeft(t, "Observation")
}

func conditionalReferences(t *testing.T, s *site) {
	obs := func(ref string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"` + ref + `"}}`
	}
	s.do(t, "PUT", "Patient/a", patient("a", `"identifier":[{"system":"http://id.example","value":"a"}]`)).want(201)
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Observation", "", "", obs("Patient?identifier=http://id.example|a")}), "Prefer", "return=representation").want(200).has("entry.0.resource.subject.reference", "Patient/a")
	s.do(t, "POST", "Observation", obs("Patient?identifier=http://id.example|a")).want(422).says("business-rule", "rest.reference")
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Observation", "", "", obs("Patient?identifier=none")})).want(422).says("business-rule", "rest.reference-none")
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Observation", "", "", obs("Patient?nonsense=none")})).want(400)
	// one that the same transaction creates, through another that waits as well
	r := s.do(t, "POST", "", bundle("transaction",
		[4]string{"POST Observation", "", "", strings.Replace(obs("Patient?identifier=b"), `"subject"`, `"encounter":{"reference":"Encounter?identifier=e"},"subject"`, 1)},
		[4]string{"POST Encounter", "", "", `{"resourceType":"Encounter","identifier":[{"value":"e"}],"status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient?identifier=b"}}`},
		[4]string{"PUT Patient/b", "", "", patient("b", `"identifier":[{"value":"b"}]`)},
	), "Prefer", "return=representation").want(200).has("entry.0.resource.subject.reference", "Patient/b").has("entry.1.resource.subject.reference", "Patient/b")
	r.has("entry.0.resource.encounter.reference", "Encounter/"+r.at("entry.1.resource.id"))
	s.do(t, "PUT", "Patient/c", patient("c", `"identifier":[{"value":"b"}]`)).want(201)
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Observation", "", "", obs("Patient?identifier=b")})).want(412)
	s.do(t, "GET", "Observation?_summary=count", "").has("total", "2")
}

func allOrNothing(t *testing.T, s *site) {
	good, bad := patient("", `"gender":"male"`), patient("", `"gender":"man"`)
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Patient", "", "", good}, [4]string{"POST Patient", "", "", bad})).want(422).has("issue.0.expression.0", "Bundle.entry[1].resource.gender")
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Patient", "", "", good}, [4]string{"POST Observation", "", "", `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/none"}}`})).want(422).has("issue.0.expression.0", "Bundle.entry[1].resource.subject.reference")
	s.do(t, "POST", "", bundle("transaction", [4]string{"POST Patient", "", "", good}, [4]string{"PUT Patient/x", `"ifMatch":"W/\"3\""`, "", patient("x", `"gender":"male"`)})).want(412)
	s.nothingLeft(t, "Patient")
	if len(s.wrote) != 0 {
		t.Errorf("told of %v", s.wrote)
	}
	// two who send the same conditional transaction at once: one creates, and both are answered the same
	var wg sync.WaitGroup
	var mu sync.Mutex
	at := map[string]int{}
	for range 20 {
		wg.Go(func() {
			r := s.do(t, "POST", "", bundle("transaction",
				[4]string{"POST Organization", `"ifNoneExist":"identifier=o"`, u2, `{"resourceType":"Organization","identifier":[{"value":"o"}],"name":"x"}`},
				[4]string{"POST Patient", `"ifNoneExist":"identifier=race"`, u1, patient("", `"identifier":[{"value":"race"}],"managingOrganization":{"reference":"`+u2+`"}`)})).want(200)
			mu.Lock()
			at[r.at("entry.1.response.location")]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(at) != 1 {
		t.Errorf("%v", at)
	}
	s.do(t, "GET", "Patient?identifier=race&_summary=count", "").has("total", "1")
}

// kept is a canon.Source that asks the store, as a server's does.
type kept struct {
	canon.Source
	store store.Store
	asked *atomic.Int64
}

func (k kept) Find(ctx context.Context, typ, url, version string) (*r4.Doc, error) {
	if d, err := k.Source.Find(ctx, typ, url, version); d != nil || err != nil {
		return d, err
	}
	a := storetest.All
	a.Silent = true
	k.asked.Add(1)
	return nil, k.store.View(ctx, a, func(r store.Reader) error {
		_, err := r.Read(ctx, store.Key{Type: "StructureDefinition", ID: "none"})
		if outcome.KindOf(err) == outcome.NotFound {
			err = nil
		}
		return err
	})
}

// lookUps: the validator looks definitions up in the store itself, and however
// many write at once none of them waits for another's connection.
func lookUps(t *testing.T, s *site) {
	var asked atomic.Int64
	many := newSite(t, s.store, func(c *rest.Config) {
		source := kept{definitions{term.Official()}, s.store, &asked}
		c.Source, c.Terms = source, term.New(source)
		c.Check = validate.New(source, c.Terms)
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	body := func(id string, n int) string {
		return patient(id, fmt.Sprintf(`"meta":{"profile":["http://x.example/%s/%d"]},"identifier":[{"value":"i%d"}]`, id, n, n%4))
	}
	for i := range 4 {
		many.do(t, "PUT", fmt.Sprintf("Patient/d%d", i), body(fmt.Sprintf("d%d", i), i)).want(201)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			id := fmt.Sprintf("d%d", i%4)
			many.doIn(ctx, t, "PATCH", "Patient/"+id, fmt.Sprintf(`[{"op":"add","path":"/meta/profile/-","value":"http://x.example/p/%d"}]`, i), "Content-Type", jsonPatch).want(200)
			many.doIn(ctx, t, "GET", fmt.Sprintf("$define?n=%d", i), "").want(204)
			many.doIn(ctx, t, "POST", "", bundle("transaction", [4]string{fmt.Sprintf("GET $define?n=t%d", i), "", "", ""})).want(200)
			many.doIn(ctx, t, "PUT", fmt.Sprintf("Patient?identifier=i%d", i%4), body("", i)).want(200)
			many.doIn(ctx, t, "POST", "", bundle("transaction",
				[4]string{"POST Patient", fmt.Sprintf(`"ifNoneExist":"identifier=n%d"`, i%5), u1, patient("", fmt.Sprintf(`"meta":{"profile":["http://x.example/t/%d"]},"identifier":[{"value":"n%d"}]`, i, i%5))},
				[4]string{"PATCH Patient/" + id, "", "", `{"resourceType":"Binary","contentType":"` + jsonPatch + `","data":"` + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `[{"op":"add","path":"/birthDate","value":"19%02d"}]`, i)) + `"}`},
				[4]string{"POST Observation", "", "", `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"Patient?identifier=i1"},"focus":[{"reference":"` + u1 + `"}]}`},
			)).want(200)
		})
	}
	wg.Wait()
	if asked.Load() == 0 {
		t.Error("nothing was looked up")
	}
}
