package httpx

import (
	"strings"
	"testing"
)

// TestOutcomeForm: an error below /fhir comes in the form that was asked for, also before any handler.
func TestOutcomeForm(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct{ target, accept, want string }{
		{"/fhir/Patient", "application/fhir+xml", "xml"},
		{"/fhir/Patient", "text/xml", "xml"},
		{"/fhir/Patient?_format=xml", "application/fhir+json", "xml"},
		{"/fhir/Patient?_format=application%2Ffhir%2Bjson", "application/fhir+xml", "json"},
		{"/fhir/Patient", "application/fhir+json, application/fhir+xml;q=0.5", "json"},
		{"/fhir/Patient", "", "json"},
		{"/fhir/Patient", "text/html,application/xml;q=0.9", "json"}, // a browser
	} {
		r := h.ask("GET", tt.target, "", "Accept: "+tt.accept, "Accept-Language: en")
		body := text(t, r)
		if ct := r.Header.Get("Content-Type"); r.StatusCode != 401 || ct != "application/fhir+"+tt.want+"; charset=utf-8" ||
			r.Header.Get("WWW-Authenticate") == "" || r.Header.Get("Vary") == "" {
			t.Errorf("%s as %q: %d %s", tt.target, tt.accept, r.StatusCode, ct)
		}
		id := r.Header.Get("X-Request-Id")
		xml := `<OperationOutcome xmlns="http://hl7.org/fhir"><id value="` + id + `"></id><issue><severity value="error"></severity>` +
			`<code value="login"></code><details><text value="Please sign in to see this page."></text></details></issue></OperationOutcome>`
		if tt.want == "xml" && !strings.HasSuffix(body, xml) {
			t.Errorf("%s", body)
		}
	}
}
