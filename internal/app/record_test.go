package app

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/op/record"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/trust"
)

// records calls the operations on records over a node's store, on behalf of the operator.
type records struct {
	rest   *rest.Server
	access store.Access
}

const recordBase = "https://may.example/fhir"

func recordsOf(t testing.TB, n *Node) records {
	t.Helper()
	a, err := trust.System(trust.JobImport)
	if err != nil {
		t.Fatal(err)
	}
	params := func() *param.Registry { return param.Official() }
	return records{rest.New(rest.Config{
		Store: n.store, Params: params, Now: n.clock.Now,
		Operations: record.Operations(record.Deps{Store: n.store, Params: params, Now: n.clock.Now, NewID: func() string { return "11111111-2222-4333-8444-555555555555" }, Software: "ytso"}),
	}), a}
}

func (r records) get(t testing.TB, address string) *r4.Doc {
	t.Helper()
	return r.call(t, http.MethodGet, address, "")
}

func (r records) call(t testing.TB, method, address, body string) *r4.Doc {
	t.Helper()
	path, query, _ := strings.Cut(strings.TrimPrefix(address, recordBase+"/"), "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	req := &rest.Request{Method: method, Base: recordBase, Path: strings.Split(path, "/"), Query: q, Header: http.Header{}, Access: r.access}
	if body != "" {
		if req.Doc, err = r4.Parse([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := r.rest.Do(t.Context(), req)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// entries gives the resources of all pages by their addresses.
func (r records) entries(t testing.TB, address string) map[string]r4.Node {
	t.Helper()
	all := map[string]r4.Node{}
	for address != "" {
		doc := r.get(t, address)
		for e := range doc.Root().Get("entry").Elems() {
			all[strings.TrimPrefix(e.Get("fullUrl").Text(), recordBase+"/")] = e.Get("resource")
		}
		address = ""
		for l := range doc.Root().Get("link").Elems() {
			if l.Get("relation").Text() == "next" {
				address = l.Get("url").Text()
			}
		}
	}
	return all
}

// TestRecordOfClaims: what claim files become is a record that $everything
// gives whole and without anybody else's, $lastn and $summary tell of, and the
// summary conforms to the IPS; on both engines.
func TestRecordOfClaims(t *testing.T) {
	files := filepath.Join(t.TempDir(), "province")
	if code, out, errs := call(t, "generate", "--people", "6", "--until", "2025-10-01", "--out", files); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	source := canon.Sources{core.New(), ips.New(), term.Official()}
	check := validate.New(source, term.New(source))
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			p := newPlace(t, engine)
			if code, out, errs := call(t, append([]string{"import", filepath.Join(files, "claims")}, p.args()...)...); code != 0 {
				t.Fatalf("%s%s", out, errs)
			}
			r := recordsOf(t, openNode(t, p))
			golden := r.entries(t, "Patient?_tag=urn:ytso:tag|golden&_count=100")
			if len(golden) < 3 {
				t.Fatalf("%d persons", len(golden))
			}
			several, visits, papers := 0, 0, 0
			for key, patient := range golden {
				if patient.Get("link").Len() > 1 {
					several++
				}
				r.whole(t, key, patient)
				r.last(t, key)
				r.summary(t, check, key)
				r.match(t, key, patient)
				for visit := range r.entries(t, "Encounter?patient="+key) {
					r.visit(t, visit)
					visits++
				}
				for paper := range r.entries(t, "Composition?patient="+key) {
					r.paper(t, check, paper)
					papers++
				}
			}
			r.label(t)
			if several == 0 || visits < 10 || papers == 0 {
				t.Errorf("%d persons with records at several facilities, %d visits, %d papers", several, visits, papers)
			}
		})
	}
}

// visit checks Encounter/$everything: what names the visit is a match, and all its Claim names comes along.
func (r records) visit(t testing.TB, key string) {
	t.Helper()
	got := r.entries(t, key+"/$everything")
	types := map[string]int{}
	for k := range got {
		types[strings.Split(k, "/")[0]]++
	}
	if types["Encounter"] != 1 || types["Patient"] != 1 || types["Claim"] != 1 || types["Provenance"] != 1 || types["Condition"] == 0 || types["Coverage"] == 0 {
		t.Errorf("%s: %v", key, types)
	}
	for typ, n := range types {
		if code := map[string]string{"MedicationDispense": "context", "Observation": "encounter", "MedicationRequest": "encounter", "Procedure": "encounter"}[typ]; code != "" {
			if want := len(r.entries(t, typ+"?"+code+"="+key+"&_count=1000")); n != want {
				t.Errorf("%s: %d %s, want %d", key, n, typ, want)
			}
		}
	}
}

// paper checks Composition/$document of a paper of the visit.
func (r records) paper(t testing.TB, check *validate.Validator, key string) {
	t.Helper()
	doc := r.get(t, key+"/$document")
	r.valid(t, check, key, doc)
	if doc.Root().Get("entry").At(0).Get("resource").Get("resourceType").Text() != "Composition" || doc.Root().Get("entry").Len() < 3 {
		t.Errorf("%s: %d entries", key, doc.Root().Get("entry").Len())
	}
}

// match finds the person again by name, birth date and sex.
func (r records) match(t testing.TB, key string, patient r4.Node) {
	t.Helper()
	var body r4.Object
	for _, name := range []string{"resourceType", "name", "birthDate", "gender"} {
		body.Add(name, r4.Raw(patient.Get(name).Raw()))
	}
	doc := r.call(t, http.MethodPost, "Patient/$match", string(body.JSON()))
	found := false
	for e := range doc.Root().Get("entry").Elems() {
		found = found || e.Get("resource").Get("id").Text() == strings.TrimPrefix(key, "Patient/") && e.Get("search").Get("score").Text() == "0.8"
	}
	if !found {
		t.Errorf("%s is not found by its own traits: %s", key, doc.Source())
	}
}

// label tags a resource and finds the tag in use.
func (r records) label(t testing.TB) {
	t.Helper()
	for key := range r.entries(t, "Coverage?_count=1") {
		r.call(t, http.MethodPost, key+"/$meta-add", `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"system":"urn:x","code":"đã-xem"}]}}]}`)
		if doc := r.get(t, "Coverage/$meta"); !strings.Contains(string(doc.Source()), "đã-xem") {
			t.Errorf("the tag is not in use: %s", doc.Source())
		}
		doc := r.call(t, http.MethodPost, key+"/$meta-delete", `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"system":"urn:x","code":"đã-xem"}]}}]}`)
		if v := doc.Root().Get("parameter").At(0).Get("valueMeta").Get("versionId").Text(); v != "3" {
			t.Errorf("version %s", v)
		}
	}
}

// whole checks $everything against a search of each type, at once and in pages.
func (r records) whole(t testing.TB, key string, patient r4.Node) {
	t.Helper()
	want := []string{key}
	for l := range patient.Get("link").Elems() {
		want = append(want, l.Get("other").Get("reference").Text())
	}
	for typ, code := range map[string]string{
		"Encounter": "patient", "Condition": "patient", "Claim": "patient", "Observation": "patient", "Procedure": "patient", "MedicationRequest": "patient",
		"MedicationDispense": "patient", "DiagnosticReport": "patient", "ServiceRequest": "patient", "CarePlan": "patient", "Coverage": "beneficiary",
		"ClinicalImpression": "patient", "Composition": "patient", "DocumentReference": "patient", "SupplyDelivery": "patient", "QuestionnaireResponse": "patient",
	} {
		for k := range r.entries(t, typ+"?"+code+"="+key+"&_count=1000") {
			want = append(want, k)
		}
	}
	for _, address := range []string{key + "/$everything", key + "/$everything?_count=37"} {
		got := r.entries(t, address)
		for _, k := range want {
			if !got[k].Exists() {
				t.Errorf("%s: %s is missing", address, k)
			}
		}
		for k := range got {
			if !slices.Contains(want, k) && !strings.HasPrefix(k, "Provenance/") && len(r4.PatientCompartment(strings.Split(k, "/")[0])) > 0 {
				t.Errorf("%s: %s is somebody else's", address, k)
			}
		}
	}
}

// last checks that $lastn gives one time of each code.
func (r records) last(t testing.TB, key string) {
	t.Helper()
	at := map[string]string{}
	for k, n := range r.entries(t, "Observation/$lastn?patient="+key+"&category=laboratory") {
		code, when := string(n.Get("code").Get("coding").Raw()), n.Get("effectiveDateTime").Text()
		if other, ok := at[code]; ok && other != when {
			t.Errorf("%s: %s at %s and at %s", k, code, other, when)
		}
		at[code] = when
	}
}

// summary checks $summary against the profiles of the IPS.
func (r records) summary(t testing.TB, check *validate.Validator, key string) {
	t.Helper()
	doc := r.get(t, key+"/$summary")
	r.valid(t, check, key, doc, ips.Bundle)
	if n := doc.Root().Get("entry").Len(); n < 3 {
		t.Errorf("%s: only %d entries", key, n)
	}
	if strings.Contains(string(doc.Source()), `"Patient/`) {
		t.Errorf("%s: a reference leads to a record that the summary does not hold", key)
	}
}

func (r records) valid(t testing.TB, check *validate.Validator, key string, doc *r4.Doc, profiles ...string) {
	t.Helper()
	issues, err := check.Check(t.Context(), doc, validate.Options{Profiles: profiles})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range issues {
		if i.Severity == validate.Error {
			t.Errorf("%s: %s %s: %s", key, i.Key, i.Expression, i.EN)
		}
	}
}

// TestRecordOfFacility: a hospital's token opens the records of that hospital
// and nothing else, whichever operation it asks.
func TestRecordOfFacility(t *testing.T) {
	files := filepath.Join(t.TempDir(), "province")
	if code, out, errs := call(t, "generate", "--people", "6", "--until", "2025-10-01", "--out", files); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	p := newPlace(t, "sqlite")
	if code, out, errs := call(t, append([]string{"import", filepath.Join(files, "claims")}, p.args()...)...); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	n := openNode(t, p)
	web, all := newWeb(t, n), recordsOf(t, n)
	golden, own, other, facility := someone(t, all)
	code, token, errs := call(t, "token", "--scope", "system/*.rs", "--facility", facility, "--key", p.key)
	if code != 0 {
		t.Fatal(errs)
	}
	ask := func(method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, web.URL+"/fhir/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
		req.Header.Set("Content-Type", "application/fhir+json")
		resp, err := web.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	for path, want := range map[string]int{
		own + "/$everything": 200, own + "/$summary": 200, own + "/$meta": 200, other + "/$everything": 404, other + "/$summary": 404, other + "/$meta": 404,
		golden + "/$everything": 404, golden + "/$summary": 404, "Patient/$everything": 422, "Observation/$lastn?patient=" + golden + "&category=laboratory": 200,
	} {
		status, body := ask(http.MethodGet, path, "")
		if status != want || strings.Contains(body, strings.TrimPrefix(other, "Patient/")) {
			t.Errorf("%s: %d, want %d: %.200s", path, status, want, body)
		}
	}
	var who r4.Object
	who.Add("resourceType", "Patient")
	record := all.get(t, other)
	for _, name := range []string{"identifier", "name", "birthDate", "gender"} {
		who.Add(name, r4.Raw(record.Root().Get(name).Raw()))
	}
	status, body := ask(http.MethodPost, "Patient/$match", string(who.JSON()))
	if status != 200 || !strings.Contains(body, own) || strings.Contains(body, other) || strings.Contains(body, golden) {
		t.Errorf("$match: %d, own %v, other %v, golden %v", status, strings.Contains(body, own), strings.Contains(body, other), strings.Contains(body, golden))
	}
	if status, body := ask(http.MethodPost, own+"/$meta-add", `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}`); status != 403 {
		t.Errorf("$meta-add with the right to read: %d %.200s", status, body)
	}
}

// someone is a person with records at two facilities: golden, a record, one of the other facility, and the first one's code.
func someone(t testing.TB, all records) (golden, own, other, facility string) {
	t.Helper()
	for key, patient := range all.entries(t, "Patient?_tag=urn:ytso:tag|golden&_count=100") {
		list := patient.Get("link")
		if list.Len() < 2 {
			continue
		}
		golden, own, other = key, list.At(0).Get("other").Get("reference").Text(), list.At(1).Get("other").Get("reference").Text()
		for id := range all.get(t, own).Root().Get("identifier").Elems() {
			if code, ok := strings.CutPrefix(id.Get("system").Text(), "urn:ytso:id:ma-bn:"); ok {
				facility = code
			}
		}
		if facility != "" {
			return golden, own, other, facility
		}
	}
	t.Fatal("nobody has records at two facilities")
	return "", "", "", ""
}
