package resttest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// Doors are the ways in that Send tries: method, path, type of the body.
var Doors = [][3]string{
	{"POST", "", "application/fhir+json"}, {"POST", "", "application/fhir+xml"}, {"POST", "Patient", "application/fhir+json"}, {"PUT", "Patient/p", "application/fhir+xml"},
	{"PATCH", "Patient/p", jsonPatch}, {"PATCH", "Patient/p", xmlPatch}, {"PATCH", "Patient/p", "application/fhir+json"}, {"POST", "Patient/_search", "application/x-www-form-urlencoded"},
	{"POST", "Binary", "application/pdf"}, {"POST", "Patient/$echo", "application/fhir+json"},
}

// Bodies are seeds for Send.
var Bodies = []string{
	patient("p", `"gender":"male"`), `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/p"}}]}`,
	bundle("transaction", [4]string{"POST Patient", `"ifNoneExist":"identifier=a"`, u1, patient("", `"identifier":[{"value":"a"}]`)}, [4]string{"PUT Patient?identifier=b", "", u2, patient("", `"link":[{"other":{"reference":"`+u1+`"},"type":"seealso"}]`)}, [4]string{"DELETE Patient/x", "", "", ""}),
	`[{"op":"replace","path":"/gender","value":"female"}]`, `<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:gender/@value">other</replace></diff>`,
	`{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.gender"}]}]}`,
	`<Patient xmlns="http://hl7.org/fhir"><id value="p"/><gender value="male"/></Patient>`, `<Bundle xmlns="http://hl7.org/fhir"><type value="batch"/><entry><request><method value="GET"/><url value="Patient"/></request></entry></Bundle>`,
	`gender=male&_count=1`, "\x00", "{", "[]", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"Patient"}}]}`,
}

// Queries are seeds for Ask.
var Queries = []string{
	"Patient?gender=male", "?_type=Patient", "Patient/p/_history?_since=2020-01-01T00:00:00Z&_at=2020", "_history?_count=1&_cursor=x", "Patient/p?_elements=a&_format=xml",
	"Patient?_cursor=abc", "Patient?_list=x", "Patient/p/Observation?code:in=a", "Patient?_filter=name eq \"a\"", "Patient?_has:Observation:patient:code=1", "metadata?_summary=true",
	"Patient/p/*?_type=A", "$echo?n=1", "Patient?_include=*&_sort=-_id", "Patient?name:contains=nguyễn", "Binary/x", "Patient?birthdate=ap2020&_pretty=true",
}

// Send sends a body and gives the status. The test fails when that is the server's fault.
func Send(t *testing.T, s store.Store, kind int, body []byte) int {
	door := Doors[uint(kind)%uint(len(Doors))]
	r := httptest.NewRequestWithContext(t.Context(), door[0], "/"+door[1], bytes.NewReader(body))
	r.Header.Set("Content-Type", door[2])
	return newSite(t, s).answer(t, r).Code
}

// Ask reads an address. The test fails when the answer is none, or the server's fault.
func Ask(t *testing.T, s store.Store, address string) {
	u, err := url.Parse("/" + address)
	if err != nil {
		return
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.URL = u
	newSite(t, s).answer(t, r)
}

func (s *site) answer(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	if err := s.server.Handler(w, r); err != nil {
		t.Error(err)
	}
	if w.Code >= 500 {
		t.Errorf("%s %s: %d %.300s", r.Method, r.URL, w.Code, w.Body)
	}
	if w.Code >= 400 {
		var doc *r4.Doc
		var err error
		if bytes.HasPrefix(w.Body.Bytes(), []byte("<")) {
			doc, err = r4.ParseXML(w.Body.Bytes())
		} else {
			doc, err = r4.Parse(w.Body.Bytes())
		}
		if err != nil || doc.Type() != "OperationOutcome" {
			t.Errorf("%s %s: %d without an OperationOutcome: %v %.300s", r.Method, r.URL, w.Code, err, w.Body)
		}
	}
	return w
}
