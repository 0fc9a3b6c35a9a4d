package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/trust"
)

// fhirCall asks the interface with a token.
func fhirCall(t testing.TB, base, token, method, path, body string, header ...string) (status int, answer string, h http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	for _, line := range header {
		name, v, _ := strings.Cut(line, ": ")
		req.Header.Set(name, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

// TestFHIRInterface: the whole way of another system over HTTP with real
// tokens: what it can do is said, what it writes it reads, exports and hears
// of, and another facility gets none of it. On both engines.
func TestFHIRInterface(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			n := openNode(t, newPlace(t, engine))
			base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1)
			token := func(scope, facility string) string {
				text, err := n.authn.IssueToken(t.Context(), scope, facility, time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			own, foreign, operator := token("system/*.cruds", "25001"), token("system/*.cruds", "25002"), token("system/*.cruds", "")
			status, body, _ := fhirCall(t, base, "", "GET", "/fhir/metadata", "")
			for _, word := range []string{`"bulkdata`, "/OperationDefinition/export", "Patient-everything", "backport-subscription-status", "CodeSystem-lookup"} {
				if status != 200 || !strings.Contains(strings.Replace(body, "uv/bulkdata", `"bulkdata`, 1), word) {
					t.Errorf("metadata %d lacks %s", status, word)
				}
			}
			if status, body, h := fhirCall(t, base, "", "GET", "/fhir/Patient", ""); status != 401 || h.Get("WWW-Authenticate") == "" || !strings.Contains(body, "OperationOutcome") {
				t.Errorf("%d %s", status, body)
			}
			if status, body, _ := fhirCall(t, base, own, "POST", "/fhir/Subscription", `{"resourceType":"Subscription","status":"requested","reason":"Thử",
				"criteria":"urn:ytso:topic:resource-new","_criteria":{"extension":[{"url":"http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria","valueString":"Patient?gender=female"}]},
				"channel":{"type":"rest-hook"}}`); status != 201 {
				t.Fatalf("%d %s", status, body)
			}
			sub := idOf(t, base, own, "/fhir/Subscription")
			until(t, "it is active", func() bool {
				_, body, _ := fhirCall(t, base, own, "GET", "/fhir/Subscription/"+sub, "")
				return strings.Contains(body, `"status":"active"`)
			})
			for id, gender := range map[string]string{"a": "female", "b": "male"} {
				if status, body, _ := fhirCall(t, base, own, "PUT", "/fhir/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","gender":"`+gender+`","name":[{"text":"Người Thử"}]}`); status != 201 {
					t.Fatalf("%d %s", status, body)
				}
			}
			until(t, "the event is there", func() bool {
				_, body, _ := fhirCall(t, base, own, "GET", "/fhir/Subscription/"+sub+"/$events?content=id-only", "")
				return strings.Contains(body, "/fhir/Patient/a") && !strings.Contains(body, "/fhir/Patient/b")
			})
			for _, path := range []string{"/fhir/Patient/a", "/fhir/Subscription/" + sub, "/fhir/Subscription/" + sub + "/$events"} {
				if status, body, _ := fhirCall(t, base, foreign, "GET", path, ""); status != 404 || strings.Contains(body, "Người") {
					t.Errorf("another facility at %s: %d %s", path, status, body)
				}
			}
			for who, want := range map[string]int{own: 2, foreign: 0, operator: 2} {
				if got := exported(t, base, who); got != want {
					t.Errorf("%d patients exported, want %d", got, want)
				}
			}
			l, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleAdmin})
			if err != nil {
				t.Fatal(err)
			}
			b := newBrowser(t, base)
			b.signIn(l.Path)
			if status, page := get(t, b.Client, base+"/quan-tri/lien-thong"); status != 200 || !strings.Contains(page, "Cơ sở 25001") || strings.Contains(page, "exchange.") {
				t.Errorf("%d %.500s", status, page)
			}
		})
	}
}

// exported counts the patients that a token exports.
func exported(t testing.TB, base, token string) (n int) {
	t.Helper()
	status, body, h := fhirCall(t, base, token, "GET", "/fhir/$export?_type=Patient", "", "Prefer: respond-async")
	if status != 202 {
		t.Fatalf("%d %s", status, body)
	}
	at := strings.TrimPrefix(h.Get("Content-Location"), base)
	until(t, "the export ends", func() bool {
		status, body, _ = fhirCall(t, base, token, "GET", at, "")
		return status != 202
	})
	var m struct {
		Output []struct{ URL string }
	}
	if err := json.Unmarshal([]byte(body), &m); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for _, f := range m.Output {
		_, body, _ := fhirCall(t, base, token, "GET", strings.TrimPrefix(f.URL, base), "")
		n += strings.Count(body, "\n")
	}
	return n
}

// idOf is the id of the first resource that a search finds.
func idOf(t testing.TB, base, token, path string) string {
	t.Helper()
	_, body, _ := fhirCall(t, base, token, "GET", path, "")
	var b struct {
		Entry []struct{ Resource struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil || len(b.Entry) == 0 {
		t.Fatalf("%s", body)
	}
	return b.Entry[0].Resource.ID
}

// until waits for what happens behind the doors.
func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
