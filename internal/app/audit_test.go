package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/trust"
)

// TestAuditEvents: what leaves the house beside plain reads leaves its row as
// well (SECURITY.md attack case 39): exports and their files, events of a
// subscription, and who is refused by the gate. A person sees the looks at the
// own record and no other's. On both engines, over HTTP.
func TestAuditEvents(t *testing.T) {
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
			sender, operator, narrow := token("system/*.cruds", "25001"), token("system/AuditEvent.rs", ""), token("system/Patient.rs", "25001")
			count := func(query string) int {
				status, body, _ := fhirCall(t, base, operator, "GET", "/fhir/AuditEvent?_summary=count&"+query, "")
				var b struct{ Total int }
				if err := json.Unmarshal([]byte(body), &b); err != nil || status != 200 {
					t.Fatalf("%s: %d %s", query, status, body)
				}
				return b.Total
			}
			if status, body, _ := fhirCall(t, base, sender, "POST", "/fhir/Subscription", `{"resourceType":"Subscription","status":"requested","reason":"Thử",
				"criteria":"urn:ytso:topic:resource-new","_criteria":{"extension":[{"url":"http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-filter-criteria","valueString":"Patient?_id=a,b"}]},
				"channel":{"type":"rest-hook"}}`); status != 201 {
				t.Fatalf("%d %s", status, body)
			}
			sub := idOf(t, base, sender, "/fhir/Subscription")
			until(t, "it is active", func() bool {
				_, body, _ := fhirCall(t, base, sender, "GET", "/fhir/Subscription/"+sub, "")
				return strings.Contains(body, `"status":"active"`)
			})
			for _, id := range []string{"a", "b"} {
				if status, body, _ := fhirCall(t, base, sender, "PUT", "/fhir/Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","name":[{"text":"Người Thử"}]}`); status != 201 {
					t.Fatalf("%d %s", status, body)
				}
			}
			until(t, "the events are there", func() bool {
				_, body, _ := fhirCall(t, base, sender, "GET", "/fhir/Subscription/"+sub+"/$events?content=full-resource", "")
				return strings.Contains(body, "/fhir/Patient/a") && strings.Contains(body, "/fhir/Patient/b")
			})
			if got := exported(t, base, sender); got != 2 {
				t.Fatalf("%d exported", got)
			}
			for _, query := range []string{
				"patient=a&action=U", "patient=a&subtype=exchange.export.read", "patient=b&subtype=exchange.export.read", "subtype=exchange.file",
				"subtype=exchange.export", "patient=a&entity-name=Subscription/" + sub, "subtype=signin.link&_total=none",
			} {
				if query == "subtype=signin.link&_total=none" {
					if _, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleAdmin}); err != nil {
						t.Fatal(err)
					}
				}
				if count(query) == 0 {
					t.Errorf("no row of %s", query)
				}
			}
			if status, _, _ := fhirCall(t, base, narrow, "GET", "/fhir/AuditEvent", ""); status != 403 {
				t.Errorf("a narrow token reads the log: %d", status)
			}
			if status, _, _ := fhirCall(t, base, sender, "GET", "/fhir/$export?_type=AuditEvent", "", "Prefer: respond-async"); status != 403 {
				t.Errorf("the log is exported: %d", status)
			}
			// A citizen whom no book belongs to is refused by the gate itself, and that is told.
			before := count("subtype=fhir.refused")
			l, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleAdmin})
			if err != nil {
				t.Fatal(err)
			}
			b := newBrowser(t, base)
			b.signIn(l.Path)
			if status, body := get(t, b.Client, base+"/fhir/AuditEvent"); status != 403 {
				t.Errorf("the administrator reads the log: %d %.300s", status, body)
			}
			if status, _ := get(t, b.Client, base+"/fhir/Nonsense"); status != 404 {
				t.Errorf("nonsense: %d", status)
			}
			if after := count("subtype=fhir.refused"); after != before+2 {
				t.Errorf("%d refusals are told, want 2", after-before)
			}
			status, body, _ := fhirCall(t, base, "", "GET", "/fhir/metadata", "")
			if status != 200 || !strings.Contains(body, `"type":"AuditEvent"`) {
				t.Error("the CapabilityStatement has no AuditEvent")
			}
			for _, method := range []string{"PUT", "DELETE"} {
				if status, _, _ := fhirCall(t, base, operator, method, "/fhir/AuditEvent/"+fmt.Sprintf("%032d", 1), `{"resourceType":"AuditEvent"}`); status != 405 {
					t.Errorf("%s: %d", method, status)
				}
			}
		})
	}
}

// TestAuditOfOwnBook: a citizen with a session reads who opened the own book,
// and nothing about another person, by the links as the store has them.
func TestAuditOfOwnBook(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1)
	p, first := fill(t, n, 2, september)
	second := goldenOf(t, &inflow{node: n, province: p}, p.Person(1))
	logs := map[string]string{}
	for i, golden := range []string{first, second} {
		l, err := n.SignInLink(t.Context(), linkFor{Role: trust.RoleCitizen, Person: golden, Name: p.Person(i).Name})
		if err != nil {
			t.Fatal(err)
		}
		b := newBrowser(t, base)
		b.signIn(l.Path)
		if status, _ := get(t, b.Client, base+"/so"); status != 200 {
			t.Fatalf("the book: %d", status)
		}
		status, body := get(t, b.Client, base+"/fhir/AuditEvent?_count=500&_total=accurate&patient="+golden)
		if status != 200 {
			t.Fatalf("%d %s", status, body)
		}
		logs[golden] = body
		for _, want := range []string{`"code":"book.open"`, `"code":"signin.`, `"code":"claims.`, "Patient/" + golden, p.Person(i).Name} {
			if !strings.Contains(body, want) {
				t.Errorf("person %d does not see %s", i, want)
			}
		}
	}
	for golden, body := range logs {
		other := first + second
		other = strings.Replace(other, golden, "", 1)
		if strings.Contains(body, other) {
			t.Errorf("%s sees %s", golden, other)
		}
		if !strings.Contains(body, "system/claims") {
			t.Error("the job of the server is not named")
		}
	}
}
