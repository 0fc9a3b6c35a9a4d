package resttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// nothingLeft fails the test when the store holds a resource of a type.
func (s *site) nothingLeft(t *testing.T, typ string) {
	t.Helper()
	s.do(t, "GET", typ+"?_summary=count", "").want(200).has("total", "0")
}

func faults(t *testing.T, s *site) {
	for _, c := range []struct {
		body string
		code int
	}{
		{`{`, 400}, {`[]`, 400}, {`"x"`, 400}, {`{"resourceType":"Patient","gender":"male","gender":"male"}`, 400},
		{`{"resourceType":"Patient","nonsense":1}`, 400}, {`{"resourceType":"Patient","name":[]}`, 400}, {`{"resourceType":"Patient","active":"true"}`, 400},
		{`{"resourceType":"Patient","gender":"man"}`, 422}, {`{"resourceType":"Nothing"}`, 400}, {`{}`, 400}, {"\xff", 400},
		{`{"resourceType":"Patient","managingOrganization":{"reference":"Organization/none"}}`, 422},
		{`{"resourceType":"Patient","managingOrganization":{"reference":"` + base + `/Organization/none"}}`, 422},
		{`{"resourceType":"Patient","link":[{"other":{"reference":"Patient/none/_history/1"},"type":"seealso"}]}`, 422},
		{strings.Repeat(`{"resourceType":"Patient","contained":[`, 200), 400},
	} {
		r := s.do(t, "POST", "Patient", c.body).want(c.code)
		if r.doc == nil || r.doc.Type() != "OperationOutcome" || r.at("issue.0.severity") != "error" {
			t.Errorf("%.60s: %s", c.body, r.Body)
		}
	}
	s.nothingLeft(t, "Patient")
	r := s.do(t, "POST", "Patient", "{\"resourceType\":\"Patient\",\n  \"gender\":\"man\"}").want(422).has("issue.0.expression.0", "Patient.gender").has("issue.0.diagnostics", "line 2, column 12")
	vn := s.doIn(context.WithValue(t.Context(), vietnamese{}, true), t, "POST", "Patient", `{"resourceType":"Patient","gender":"man"}`).want(422)
	if a, b := r.at("issue.0.details.text"), vn.at("issue.0.details.text"); a == b || !strings.Contains(b, "bộ mã") {
		t.Errorf("%q %q", a, b)
	}
	s.do(t, "POST", "Patient", `x`, "Content-Type", "text/plain").want(415)
	s.do(t, "POST", "Patient", `{}`, "Content-Type", "application/fhir+json; charset=iso-8859-1").want(415)
	s.do(t, "POST", "Patient", `{}`, "Content-Type", "application/fhir+json; fhirVersion=3.0").want(415)
	s.do(t, "POST", "Patient", "").want(400)
	s.do(t, "POST", "Patient", "", "Content-Type", "application/fhir+json").want(400)
	if a := s.do(t, "TRACE", "Patient", "").want(405); a.Header().Get("Allow") == "" {
		t.Errorf("no Allow")
	}
	s.do(t, "GET", "Patient/a/b/c/d/e/f/g/h/i", "").want(404)
	s.do(t, "GET", "Patient//a", "").want(404)

	// a reference to this server by its address becomes one that holds when the address changes
	s.do(t, "PUT", "Organization/o", `{"resourceType":"Organization","id":"o","name":"x"}`).want(201)
	s.do(t, "POST", "Patient", patient("", `"managingOrganization":{"reference":"`+base+`/Organization/o"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">ô</div>"}`)).want(201).
		has("managingOrganization.reference", "Organization/o")

	bound := newSite(t, s.store, func(c *rest.Config) { c.MaxBody = 2000 })
	bound.do(t, "POST", "Basic", `{"resourceType":"Basic","code":{"text":"`+strings.Repeat("x", 3000)+`"}}`).want(413).says("too-long", "rest.too-long")
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write([]byte(`{"resourceType":"Basic","code":{"text":"` + strings.Repeat("x", 900<<10) + `"}}`))
	_ = z.Close()
	if bomb.Len() > 10000 {
		t.Fatalf("%d bytes", bomb.Len())
	}
	newSite(t, s.store, func(c *rest.Config) { c.MaxBody = 10000 }).do(t, "POST", "Basic", bomb.String(), "Content-Encoding", "gzip").want(413)
	s.do(t, "POST", "Basic", bomb.String()[:100], "Content-Encoding", "gzip").want(400)
	s.do(t, "POST", "Basic", "x", "Content-Encoding", "br").want(415)
	s.nothingLeft(t, "Basic")
	late, cancel := context.WithCancel(t.Context())
	cancel()
	hurried := newSite(t, s.store)
	hurried.fault = func(error) {}
	for _, body := range []string{bundle("batch", [4]string{"POST Basic", "", "", `{"resourceType":"Basic","code":{"text":"x"}}`}), bundle("transaction", [4]string{"POST Basic", "", "", `{"resourceType":"Basic","code":{"text":"x"}}`})} {
		if r := hurried.doIn(late, t, "POST", "", body).want(503).says("timeout", "rest.time"); r.Header().Get("Retry-After") == "" {
			t.Errorf("%v", r.Header())
		}
	}
	s.nothingLeft(t, "Basic")
	s.do(t, "POST", "Basic", bomb.String(), "Content-Encoding", "gzip").want(201)
	gate(t, s)
}

// gate: what the caller may not see is not there for references either.
func gate(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/mine", patient("mine", `"gender":"male"`)).want(201)
	s.do(t, "PUT", "Patient/theirs", patient("theirs", `"gender":"male"`)).want(201)
	narrow := store.Access{Agent: store.Agent{Kind: store.Citizen, ID: "x"}, Purpose: "PATRQT", Right: "test",
		Filter: store.Filter{Patients: []string{"mine"}, Types: map[string]store.Acts{"*": store.Everything}}}
	obs := func(p string) string {
		return `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"Patient/` + p + `"}}`
	}
	for _, loose := range []bool{false, true} {
		site := newSite(t, s.store, func(c *rest.Config) { c.Loose = loose })
		site.access = narrow
		site.do(t, "GET", "Patient/theirs", "").want(404)
		site.do(t, "POST", "Observation", obs("mine")).want(201)
		both := strings.Replace(obs("mine"), `"code"`, `"focus":[{"reference":"Patient/theirs"}],"code"`, 1)
		site.do(t, "POST", "Observation", both).want(422).says("business-rule", "rest.reference").has("issue.0.expression.0", "Observation.focus[0].reference")
		if got := site.do(t, "POST", "Observation", obs("theirs")); got.Code < 400 {
			t.Errorf("loose %v: written to somebody else's record", loose)
		}
	}
	owned(t, s)
	closed := newSite(t, s.store, func(c *rest.Config) {
		c.Access = func(context.Context) (store.Access, error) {
			return store.Access{}, outcome.New(outcome.Login, "trust.login", "Cần đăng nhập.", "Sign in.")
		}
	})
	if r := closed.do(t, "GET", "Patient", "").want(401); r.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%v", r.Header())
	}
	closed.do(t, "GET", "metadata", "").want(200)
}

// owned: a record stays with the facility whose it is, whoever changes it.
func owned(t *testing.T, s *site) {
	of := func(facility string, all bool) *site {
		out := newSite(t, s.store, func(c *rest.Config) { c.Owner = func(context.Context) string { return facility } })
		out.access = store.Access{Agent: store.Agent{Kind: store.Staff, ID: facility, Facility: facility}, Purpose: "TREAT", Right: "test",
			Filter: store.Filter{All: all, Owners: []string{facility}, Types: map[string]store.Acts{"*": store.Everything}}}
		return out
	}
	a, b, authority := of("A", false), of("B", false), of("C", true)
	a.do(t, "PUT", "Basic/of-a", `{"resourceType":"Basic","id":"of-a","code":{"text":"1"}}`).want(201)
	b.do(t, "GET", "Basic/of-a", "").want(404)
	b.do(t, "PUT", "Basic/of-a", `{"resourceType":"Basic","id":"of-a","code":{"text":"b"}}`).want(403)
	authority.do(t, "PUT", "Basic/of-a", `{"resourceType":"Basic","id":"of-a","code":{"text":"2"}}`).want(200)
	authority.do(t, "PATCH", "Basic/of-a", `[{"op":"replace","path":"/code/text","value":"3"}]`, "Content-Type", jsonPatch).want(200)
	authority.do(t, "POST", "", bundle("transaction", [4]string{"PUT Basic/of-a", "", "", `{"resourceType":"Basic","id":"of-a","code":{"text":"4"}}`})).want(200)
	a.do(t, "GET", "Basic/of-a", "").want(200).has("code.text", "4")
	b.do(t, "GET", "Basic/of-a", "").want(404)
	for _, entry := range [][4]string{
		{"DELETE Basic/of-a", "", "", ""}, {"PUT Basic/of-a", "", "", `{"resourceType":"Basic","id":"of-a","code":{"text":"x"}}`}, {"GET Basic/of-a", "", "", ""},
		{"POST Observation", "", "", `{"resourceType":"Observation","status":"final","code":{"text":"c"},"focus":[{"reference":"Basic/of-a"}]}`},
	} {
		if r := b.do(t, "POST", "", bundle("transaction", entry)); r.Code < 400 && entry[0] != "DELETE Basic/of-a" {
			t.Errorf("%s by another: %d %s", entry[0], r.Code, r.Body)
		}
	}
	b.do(t, "PUT", "Patient/of-b", patient("of-b", `"identifier":[{"value":"shared"}]`)).want(201)
	a.do(t, "POST", "", bundle("transaction", [4]string{"POST Observation", "", "", `{"resourceType":"Observation","status":"final","code":{"text":"c"},"subject":{"reference":"Patient?identifier=shared"}}`})).want(422).says("business-rule", "rest.reference-none")
	a.do(t, "PUT", "Patient?identifier=shared", patient("", `"identifier":[{"value":"shared"}]`)).want(201) // it can't see that there is one
	a.do(t, "GET", "Basic/of-a", "").want(200)
}

func negotiation(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"male","multipleBirthInteger":2`)).want(201)
	xml := func(r reply) bool {
		return strings.HasPrefix(r.Header().Get("Content-Type"), "application/fhir+xml") && strings.Contains(r.Body.String(), `<gender value="male"/>`)
	}
	for _, c := range []struct {
		path, accept string
		xml          bool
		code         int
	}{
		{"Patient/p", "", false, 200}, {"Patient/p", "*/*", false, 200}, {"Patient/p", "application/fhir+xml", true, 200}, {"Patient/p", "text/xml", true, 200},
		{"Patient/p", "application/fhir+xml;q=0.5, application/fhir+json;q=0.9", false, 200}, {"Patient/p", "application/fhir+json;q=0.5, application/xml", true, 200},
		{"Patient/p", "text/html,application/xhtml+xml,*/*;q=0.8", false, 200}, {"Patient/p", "application/fhir+turtle", false, 406}, {"Patient/p", "image/png", false, 406},
		{"Patient/p", "application/fhir+json; fhirVersion=3.0", false, 406}, {"Patient/p", "application/fhir+xml; fhirVersion=4.0", true, 200},
		{"Patient/p?_format=xml", "application/fhir+json", true, 200}, {"Patient/p?_format=application/fhir%2Bxml", "", true, 200}, {"Patient/p?_format=application/fhir+xml", "", true, 200},
		{"Patient/p?_format=json", "application/fhir+xml", false, 200}, {"Patient/p?_format=ttl", "", false, 406},
	} {
		r := s.do(t, "GET", c.path, "", "Accept", c.accept).want(c.code)
		if c.code == 200 && xml(r) != c.xml {
			t.Errorf("%s %q: %v %s", c.path, c.accept, r.Header(), r.Body)
		}
	}
	if r := s.do(t, "GET", "Patient/none?_format=xml", "").want(404); !strings.Contains(r.Body.String(), "<OperationOutcome") {
		t.Errorf("%s", r.Body)
	}
	numbered := newSite(t, s.store, func(c *rest.Config) { c.Reference = func(context.Context) string { return "ABCD-EFGH" } })
	numbered.do(t, "GET", "Patient/none", "").want(404).has("id", "ABCD-EFGH")
	w := httptest.NewRecorder()
	numbered.server.WriteError(w, httptest.NewRequest("GET", "/any?_format=xml", nil), outcome.New(outcome.Throttled, "x.y", "Chậm lại.", "Slow down."))
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `<text value="Slow down."/>`) || !strings.Contains(w.Body.String(), `<code value="throttled"/>`) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if r := s.do(t, "GET", "Patient/p?_pretty=true", ""); !strings.Contains(r.Body.String(), "\n  \"gender\": \"male\"") {
		t.Errorf("%s", r.Body)
	}
	r := s.do(t, "GET", "Patient/p?_pretty=true&_format=xml", "")
	if !strings.Contains(r.Body.String(), "\n  <gender value=\"male\"/>\n") {
		t.Errorf("%s", r.Body)
	}
	s.do(t, "PUT", "Patient/p", strings.Replace(r.Body.String(), "male", "female", 1), "Content-Type", "application/fhir+xml").want(200).has("gender", "female").has("multipleBirthInteger", "2")
	s.do(t, "PUT", "Patient/p", "<Patient", "Content-Type", "application/fhir+xml").want(400)
	div := `<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p> <div>b</div></div>`
	s.do(t, "PUT", "Patient/n", patient("n", `"text":{"status":"generated","div":"`+strings.ReplaceAll(div, `"`, `\"`)+`"},"contact":[{"gender":"male","name":{"text":"a>b</text> <div> & \\\"c\\\""}}]`)).want(201)
	pretty := s.do(t, "GET", "Patient/n?_pretty=true&_format=xml", "").want(200)
	doc, err := r4.ParseXML(pretty.Body.Bytes())
	if err != nil || doc.Root().Get("text").Get("div").Text() != div {
		t.Errorf("%v %s", err, pretty.Body)
	}
	s.do(t, "POST", "Patient/_search", "_format=xml", "Content-Type", "application/x-www-form-urlencoded").want(200)
}

func capability(t *testing.T, s *site) {
	r := s.do(t, "GET", "metadata", "").want(200).has("resourceType", "CapabilityStatement").has("fhirVersion", "4.0.1").has("implementation.url", base)
	types := 0
	for res := range r.doc.Root().Get("rest").At(0).Get("resource").Elems() {
		types++
		if res.Get("type").Text() == "Patient" && (res.Get("searchParam").Len() < 10 || res.Get("searchRevInclude").Len() < 20) {
			t.Errorf("Patient: %s", res.Raw())
		}
	}
	if types != len(r4.ResourceTypes()) {
		t.Errorf("%d types", types)
	}
	for _, doc := range []*r4.Doc{r.doc, s.do(t, "GET", "metadata?mode=terminology", "").want(200).has("resourceType", "TerminologyCapabilities").doc} {
		issues, err := s.config.Check.Check(t.Context(), doc, validate.Options{})
		if err != nil || validate.Failed(issues) {
			t.Errorf("%s is not valid: %v %+v", doc.Type(), err, issues)
		}
	}
	s.do(t, "GET", "metadata?mode=x", "").want(400)
	s.do(t, "POST", "metadata", "").want(405)
	if h := s.do(t, "OPTIONS", "", "").want(204); h.Header().Get("Allow") == "" {
		t.Errorf("%v", h.Header())
	}
	if x := s.do(t, "GET", "metadata?_format=xml", "").want(200); !strings.Contains(x.Body.String(), "<CapabilityStatement") {
		t.Errorf("%.200s", x.Body)
	}
}

func binary(t *testing.T, s *site) {
	data := "%PDF-1.4\n\x00\x01\xff<script>alert(1)</script>"
	s.do(t, "PUT", "Patient/p", patient("p", `"gender":"male"`)).want(201)
	r := s.do(t, "POST", "Binary", data, "Content-Type", "application/pdf", "X-Security-Context", base+"/Patient/p").want(201).
		has("contentType", "application/pdf").has("securityContext.reference", "Patient/p").has("data", base64.StdEncoding.EncodeToString([]byte(data)))
	path := "Binary/" + r.at("id")
	for _, accept := range []string{"", "*/*", "application/pdf", "application/*"} {
		got := s.do(t, "GET", path, "", "Accept", accept).want(200)
		h := got.Header()
		if got.Body.String() != data || h.Get("Content-Type") != "application/pdf" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Disposition") != "attachment" ||
			!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Security-Context") != "Patient/p" || h.Get("ETag") != `W/"1"` {
			t.Errorf("accept %q: %v %q", accept, h, got.Body)
		}
	}
	s.do(t, "GET", path, "", "Accept", "application/fhir+json").want(200).has("resourceType", "Binary")
	s.do(t, "GET", path, "", "Accept", "image/png").want(406)
	s.do(t, "GET", path+"?_format=json", "", "Accept", "application/pdf").want(200).has("resourceType", "Binary")
	if h := s.do(t, "HEAD", path, "").want(200); h.Body.Len() != 0 || h.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("%v", h.Header())
	}
	s.do(t, "PUT", path, "<html>", "Content-Type", "text/html").want(200).has("contentType", "text/html")
	s.do(t, "PUT", path, `{"a":1}`, "Content-Type", "application/json").want(200).has("contentType", "application/json")
	s.do(t, "POST", "Binary", `{"resourceType":"Binary","contentType":"text/plain","data":"eA=="}`, "Content-Type", "application/json").want(201).has("contentType", "text/plain")
	s.do(t, "POST", "Binary", "x", "Content-Type", "text/plain", "X-Security-Context", "Patient/none").want(422)
	s.do(t, "POST", "Binary", "", "Content-Type", "text/plain").want(400)
}

var testOperations = []rest.Operation{
	{Name: "echo", Definition: "http://x.example/OperationDefinition/echo", System: true, Type: true, Instance: true, Types: []string{"Patient"}, Run: func(_ context.Context, c *rest.Call) (*rest.Response, error) {
		out := r4.Object{{Name: "resourceType", Value: "Parameters"}, {Name: "parameter", Value: []r4.Object{
			{{Name: "name", Value: "level"}, {Name: "valueString", Value: c.Type + "/" + c.ID}}, {{Name: "name", Value: "n"}, {Name: "valueString", Value: c.In.Text("n")}},
			{{Name: "name", Value: "res"}, {Name: "valueString", Value: c.In.Resource("resource").Get("resourceType").Text()}},
		}}}
		return &rest.Response{Status: http.StatusOK, Resource: out.JSON()}, nil
	}},
	{Name: "broken", System: true, Run: func(context.Context, *rest.Call) (*rest.Response, error) {
		return nil, errors.New("disk of Nguyễn Văn An")
	}},
	{Name: "define", System: true, Run: func(ctx context.Context, c *rest.Call) (*rest.Response, error) {
		time.Sleep(2 * time.Millisecond) // an operation takes its time: others come in between
		_, err := c.Server.Config().Source.Find(ctx, "StructureDefinition", "http://x.example/"+c.In.Text("n"), "")
		return &rest.Response{Status: http.StatusNoContent}, err
	}},
	{Name: "write", Type: true, Affects: true, Run: func(ctx context.Context, c *rest.Call) (*rest.Response, error) {
		p, err := c.Server.Config().Store.Prepare(store.Draft{Key: store.Key{Type: "Basic", ID: "made"}, Body: []byte(`{"resourceType":"Basic","code":{"text":"x"}}`)})
		if err != nil {
			return nil, err
		}
		_, err = c.Tx.Put(ctx, p)
		return nil, err
	}},
}

func operations(t *testing.T, s *site) {
	s.do(t, "GET", "$echo?n=7", "").want(200).has("parameter.0.valueString", "/").has("parameter.1.valueString", "7")
	s.do(t, "GET", "Patient/$echo", "").want(200).has("parameter.0.valueString", "Patient/")
	s.do(t, "POST", "Patient/a/$echo", `{"resourceType":"Parameters","parameter":[{"name":"n","valueInteger":8}]}`).want(200).has("parameter.0.valueString", "Patient/a").has("parameter.1.valueString", "8")
	s.do(t, "POST", "Patient/$echo", `{"resourceType":"Group"}`).want(200).has("parameter.2.valueString", "Group")
	s.do(t, "POST", "Patient/$echo", `{"resourceType":"Parameters","nonsense":1}`).want(400)
	s.do(t, "GET", "Group/$echo", "").want(404).says("not-supported", "rest.operation")
	s.do(t, "GET", "$nothing", "").want(404)
	s.do(t, "GET", "Patient/a/$echo/more", "").want(404)
	s.do(t, "DELETE", "$echo", "").want(405)
	s.do(t, "GET", "Basic/$write", "").want(405)
	s.do(t, "POST", "Basic/$write", "").want(204)
	s.do(t, "GET", "Basic/made", "").want(200)
	told := 0
	s.fault = func(error) { told++ }
	for _, r := range []reply{
		s.do(t, "GET", "$broken", "").want(500), s.do(t, "POST", "", bundle("transaction", [4]string{"GET $broken", "", "", ""})).want(500),
		s.do(t, "POST", "", bundle("batch", [4]string{"GET $broken", "", "", ""}, [4]string{"GET Basic/made", "", "", ""})).want(200).has("entry.0.response.status", "500 Internal Server Error").has("entry.1.resource.id", "made"),
	} {
		if strings.Contains(r.Body.String(), "Nguyễn") || !strings.Contains(r.Body.String(), `"fatal"`) {
			t.Errorf("%s", r.Body)
		}
	}
	if told != 3 {
		t.Errorf("told of %d faults", told)
	}
	cap := s.do(t, "GET", "metadata", "")
	var names []string
	for o := range cap.doc.Root().Get("rest").At(0).Get("operation").Elems() {
		names = append(names, o.Get("name").Text())
	}
	if !slices.Equal(names, []string{"echo"}) {
		t.Errorf("operations %v", names)
	}
}
