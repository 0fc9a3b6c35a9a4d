package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/audit"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const facilities = "urn:ytso:id:ma-cskcb"

// people are two persons with their records: what trust.NewPersons reads from links.
type people map[string][]string

func (p people) Expand(_ context.Context, golden string) ([]string, error) {
	if list, ok := p[golden]; ok {
		return list, nil
	}
	return nil, outcome.New(outcome.NotFound, "test", "không có", "none")
}

var two = people{"golden-an": {"golden-an", "an-1", "an-2"}, "golden-binh": {"golden-binh", "binh-1"}}

// desk is the FHIR interface upon a store.
type desk struct {
	store  *sqlstore.Store
	server *rest.Server
	check  *validate.Validator
}

func engines(t *testing.T, f func(*testing.T, *desk)) {
	t.Run("sqlite", func(t *testing.T) {
		f(t, newDesk(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}))
	})
	t.Run("postgres", func(t *testing.T) { f(t, newDesk(t, sqlstore.Options{URL: pgtest.URL(t)})) })
}

func newDesk(t testing.TB, o sqlstore.Options) *desk {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	source := canon.Sources{term.Official(), core.New()}
	terms := term.New(source)
	d := &desk{store: s, check: validate.New(source, terms)}
	log, err := audit.New(audit.Deps{Namespace: s.Namespace(), Facility: facilities, Persons: two, Params: param.Official})
	if err != nil {
		t.Fatal(err)
	}
	gate := trust.NewGate(two)
	purposes := map[string]string{trust.RoleCitizen: trust.OwnRequest, trust.RoleMachine: trust.Treatment, trust.RoleDepartment: trust.Operations, trust.RoleAdmin: trust.SysAdmin}
	d.server = rest.New(rest.Config{
		Store: s, Check: d.check, Terms: terms, Source: source, Software: "test", Loose: true,
		Base: func(*http.Request) string { return "https://ytso.example/fhir" },
		Access: func(ctx context.Context) (store.Access, error) {
			p, _ := trust.From(ctx)
			purpose := purposes[p.Agent.Role]
			if purpose == "" {
				purpose = trust.Treatment
			}
			return gate.Access(ctx, purpose)
		},
		Owner:   func(ctx context.Context) string { p, _ := trust.From(ctx); return p.Agent.Facility },
		Fault:   func(r *http.Request, err error) { t.Errorf("%s %s: %v", r.Method, r.URL, err) },
		Virtual: map[string]*rest.Virtual{"AuditEvent": log.Virtual()},
	})
	return d
}

func machine(id, facility string) trust.Principal {
	return trust.Principal{Agent: store.Agent{Kind: store.Machine, ID: id, Name: "Máy gửi " + facility, Facility: facility, Role: trust.RoleMachine}, Request: "req-" + id, Remote: "192.0.2.7"}
}

func citizen(golden, name string) trust.Principal {
	return trust.Principal{Agent: store.Agent{Kind: store.Citizen, ID: golden, Name: name, Role: trust.RoleCitizen}, Request: "req-" + golden, Remote: "2001:db8::1"}
}

func staff(role, facility string) trust.Principal {
	return trust.Principal{Agent: store.Agent{Kind: store.Staff, ID: role + ":" + facility, Name: "Bác sĩ Nguyễn Thị Ánh", Facility: facility, Role: role}}
}

func operator(scope string) trust.Principal {
	return trust.Principal{Agent: store.Agent{Kind: store.System, ID: "token/1", Name: "ytso token", Role: trust.RoleMachine}, Scopes: []string{scope}, Request: "req-op", Remote: "127.0.0.1"}
}

// ask sends a request and reads the answer.
func (d *desk) ask(t testing.TB, p trust.Principal, method, path, body string, header ...string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(trust.With(t.Context(), p), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if err := d.server.Handler(w, r); err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Body.String()
}

type bundle struct {
	Total *int
	Link  []struct{ Relation, URL string }
	Entry []struct {
		FullURL  string
		Resource json.RawMessage
		Response struct{ Status string }
	}
}

func (b bundle) next() string {
	for _, l := range b.Link {
		if l.Relation == "next" {
			return strings.TrimPrefix(l.URL, "https://ytso.example/fhir")
		}
	}
	return ""
}

func (d *desk) search(t testing.TB, p trust.Principal, path string) (b bundle) {
	t.Helper()
	code, body := d.ask(t, p, "GET", path, "")
	if code != 200 {
		t.Fatalf("%s: %d %s", path, code, body)
	}
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// fill writes two persons' records and lets several look at them.
func (d *desk) fill(t testing.TB) {
	t.Helper()
	a, b := machine("may-a", "25001"), machine("may-b", "25002")
	put := func(p trust.Principal, path, body string) {
		if code, answer := d.ask(t, p, "PUT", path, body); code != 201 {
			t.Fatalf("%s: %d %s", path, code, answer)
		}
	}
	put(a, "/Patient/an-1", `{"resourceType":"Patient","id":"an-1","name":[{"text":"Trần Văn Ẩn"}]}`)
	put(b, "/Patient/an-2", `{"resourceType":"Patient","id":"an-2","name":[{"text":"Trần Văn Ẩn"}]}`)
	put(a, "/Patient/binh-1", `{"resourceType":"Patient","id":"binh-1","name":[{"text":"Lê Thị Bình"}]}`)
	put(a, "/Observation/o1", `{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"Đường huyết"},"subject":{"reference":"Patient/an-1"}}`)
	put(a, "/Observation/o2", `{"resourceType":"Observation","id":"o2","status":"final","code":{"text":"Đường huyết"},"subject":{"reference":"Patient/binh-1"}}`)
	for _, x := range []struct {
		p            trust.Principal
		method, path string
		body         string
		code         int
	}{
		{a, "GET", "/Patient/an-1", "", 200},
		{a, "HEAD", "/Patient/an-1", "", 200},
		{a, "GET", "/Observation?code:text=duong&status=final", "", 200}, // of both persons
		{a, "GET", "/Observation?subject=Patient/an-1", "", 200},
		{a, "GET", "/Patient/an-2", "", 404}, // another facility's
		{a, "GET", "/Patient/none", "", 404},
		{a, "DELETE", "/Observation/o1", "", 403},
		{b, "GET", "/Patient/an-2/_history/1", "", 200},
		{b, "POST", "/", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"PUT","url":"Observation/o3"},"resource":{"resourceType":"Observation","id":"o3","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/an-2"}}}]}`, 200},
		{b, "GET", "/Observation?nonsense=1", "", 400},
		{citizen("golden-an", "Trần Văn Ẩn"), "GET", "/Patient/an-1", "", 200},
		{citizen("golden-binh", "Lê Thị Bình"), "GET", "/Patient/an-1", "", 404},
		{operator("system/*.cruds"), "GET", "/Patient/binh-1", "", 200},
	} {
		if code, answer := d.ask(t, x.p, x.method, x.path, x.body); code != x.code {
			t.Fatalf("%s %s: %d %s", x.method, x.path, code, answer)
		}
	}
	d.note(t, staff(trust.RoleDoctor, "25001"), trust.Treatment, store.Note{Action: "book.visit", Patients: []string{"golden-an"}, Entity: "Encounter/e1", Detail: "lý do: khám"}, nil)
	d.note(t, staff(trust.RoleHospital, "25001"), trust.Treatment, store.Note{Action: "exchange.file", Entity: "f1", Detail: "Patient"}, nil)
	d.note(t, staff(trust.RoleAdmin, ""), trust.SysAdmin, store.Note{Action: "package.add", Entity: "a <b> & \"c\".tgz", Detail: "2 definitions"}, outcome.New(outcome.Exception, "x", "lỗi", "fault"))
}

// note writes one row of the log.
func (d *desk) note(t testing.TB, p trust.Principal, purpose string, n store.Note, fault error) {
	t.Helper()
	a, err := trust.NewGate(two).Access(trust.With(t.Context(), p), purpose)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.store.View(t.Context(), a, func(r store.Reader) error { r.Audit(n); return fault }); outcome.KindOf(err) != outcome.KindOf(fault) {
		t.Fatal(err)
	}
}

var everything = operator("system/*.cruds")

// TestValid: rows of every kind are valid AuditEvents for every viewer.
func TestValid(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		d.fill(t)
		subtypes := map[string]int{}
		for _, p := range []trust.Principal{everything, citizen("golden-an", "Trần Văn Ẩn"), machine("may-a", "25001")} {
			for _, e := range d.search(t, p, "/AuditEvent?_count=200").Entry {
				doc, err := r4.Parse(e.Resource)
				if err != nil {
					t.Fatal(err)
				}
				issues, err := d.check.Check(t.Context(), doc, validate.Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range issues {
					if i.Severity == validate.Error || i.Severity == validate.Warning && !strings.Contains(i.EN, "urn:ytso") && !strings.Contains(i.EN, "profiles.ihe.net") && i.Expression != "AuditEvent.meta.profile[0]" {
						t.Errorf("%s %s: %s\n%s", i.Severity, i.Expression, i.EN, e.Resource)
					}
				}
				for s := range doc.Root().Get("subtype").Elems() {
					subtypes[s.Get("code").Text()]++
				}
			}
		}
		for _, want := range []string{"read", "vread", "search-type", "update", "delete", "transaction", "fhir.refused", "book.visit", "exchange.file", "package.add"} {
			if subtypes[want] == 0 {
				t.Errorf("no row of %s: %v", want, subtypes)
			}
		}
	})
}

// TestRoles: who sees which rows, and that nobody counts, finds or reads another's.
func TestRoles(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		d.fill(t)
		all := d.search(t, everything, "/AuditEvent?_count=500")
		an, binh := citizen("golden-an", "Trần Văn Ẩn"), citizen("golden-binh", "Lê Thị Bình")
		seen := map[string][]string{}
		for name, x := range map[string]struct {
			p        trust.Principal
			may, not []string // words of the rows
		}{
			"an": {an, []string{"Patient/an-1", "Patient/golden-an", "25001", "25002", "Nguyễn Thị Ánh", "urn:ytso:right:doctor.own-facility"},
				[]string{"binh", "may-a", "may-b", "192.0.2.7", "status=final", "Bình", "doctor:25001", "lý do"}},
			"binh":  {binh, []string{"Patient/binh-1", "25001", "ytso token"}, []string{"an-2", "Ẩn", "192.0.2.7", "25002", "token/1"}},
			"may-a": {machine("may-a2", "25001"), []string{"may-a", "an-1", "binh-1", "192.0.2.7"}, []string{"25002", "may-b", "golden-binh", "ytso token"}},
		} {
			code, body := d.ask(t, x.p, "GET", "/AuditEvent?_count=500&_total=accurate", "")
			if code != 200 {
				t.Fatalf("%s: %d %s", name, code, body)
			}
			var b bundle
			if err := json.Unmarshal([]byte(body), &b); err != nil {
				t.Fatal(err)
			}
			for _, e := range b.Entry {
				seen[name] = append(seen[name], e.FullURL)
			}
			if b.Total == nil || *b.Total != len(b.Entry) || len(b.Entry) == 0 {
				t.Errorf("%s: total %v of %d", name, b.Total, len(b.Entry))
			}
			for _, w := range x.may {
				if !strings.Contains(body, w) {
					t.Errorf("%s does not see %q", name, w)
				}
			}
			for _, w := range x.not {
				if strings.Contains(body, w) {
					t.Errorf("%s sees %q in %s", name, w, line(b, w))
				}
			}
			for _, e := range all.Entry { // each row alone
				id := strings.TrimPrefix(e.FullURL, "https://ytso.example/fhir")
				want := 404
				if slices.Contains(seen[name], e.FullURL) {
					want = 200
				}
				if code, _ := d.ask(t, x.p, "GET", id, ""); code != want {
					t.Errorf("%s reads %s: %d, want %d: %s", name, id, code, want, e.Resource)
				}
			}
		}
		for _, p := range []trust.Principal{staff(trust.RoleDepartment, ""), staff(trust.RoleAdmin, ""), staff(trust.RoleDoctor, "25001"), staff(trust.RoleHospital, "25001"), operator("system/Patient.rs")} {
			for _, path := range []string{"/AuditEvent", "/AuditEvent?_summary=count", strings.TrimPrefix(all.Entry[0].FullURL, "https://ytso.example/fhir")} {
				if code, body := d.ask(t, p, "GET", path, ""); code != 403 {
					t.Errorf("%s %v at %s: %d %s", p.Agent.Role, p.Scopes, path, code, body)
				}
			}
		}
		// Others can't be asked about: by person, account, address or what was searched.
		for _, q := range []string{"patient=Patient/binh-1", "patient=Patient/golden-binh", "agent:identifier=urn:ytso:account|may-a", "address=192.0.2.7", "entity=Patient/binh-1", "entity=Observation/o2"} {
			if b := d.search(t, an, "/AuditEvent?_total=accurate&"+q); len(b.Entry) != 0 || *b.Total != 0 {
				t.Errorf("%s finds %d", q, len(b.Entry))
			}
		}
		if b := d.search(t, an, "/Patient/binh-1/AuditEvent"); len(b.Entry) != 0 {
			t.Errorf("another's compartment has %d", len(b.Entry))
		}
		if b, c := d.search(t, everything, "/Patient/golden-an/AuditEvent?_count=500&date=lt2100&subtype=read"), d.search(t, an, "/AuditEvent?_count=500&subtype=read"); len(b.Entry) == 0 || len(c.Entry) == 0 {
			t.Errorf("compartment %d, own %d", len(b.Entry), len(c.Entry))
		}
	})
}

func line(b bundle, word string) string {
	for _, e := range b.Entry {
		if strings.Contains(string(e.Resource), word) {
			return string(e.Resource)
		}
	}
	return "the Bundle"
}

// TestSearch: each parameter finds what it says.
func TestSearch(t *testing.T) {
	engines(t, func(t *testing.T, d *desk) {
		d.fill(t)
		newest := d.search(t, everything, "/AuditEvent?_count=1")
		id := newest.Entry[0].FullURL[strings.LastIndex(newest.Entry[0].FullURL, "/")+1:]
		for _, x := range []struct {
			query string
			want  int // -1: some
		}{
			{"action=C", 0}, {"action=D", 1}, {"action=U", -1}, {"subtype=vread", 1}, {"subtype=book.visit", 1},
			{"subtype=http://hl7.org/fhir/restful-interaction|delete", 1}, {"outcome=8", 1}, {"outcome=12", 1}, {"outcome:not=0&outcome=4", 4},
			{"patient=Patient/golden-an&action=D", 0}, {"patient=golden-an&subtype=transaction", 1}, {"patient=Patient/an-1", -1},
			{"agent=Patient/golden-binh", 1}, {"agent:identifier=urn:ytso:account|may-b", 4}, {"agent-name=nguyen", -1}, {"agent-name=Nguyễn Thị Ánh", -1},
			{"agent-role=urn:ytso:role|doctor", 1}, {"entity=Patient/none", 1}, {"entity-name=f1", 1}, {"policy=urn:ytso:right:doctor.own-facility", 1},
			{"address=2001:db8::1", 2}, {"type=http://dicom.nema.org/resources/ontology/DCM|110106", 1},
			{"date=lt2020", 0}, {"date=gt2020", -1}, {"date=ge" + time.Now().UTC().AddDate(0, 0, -1).Format("2006-01-02") + "&subtype=vread", 1},
			{"_id=" + id, 1}, {"_id=" + id + ",00000000000000000000000000000000", 1}, {"_id=1", 0}, {"_sort=-date&subtype=vread", 1}, {"source:missing=true", -1},
		} {
			q := strings.ReplaceAll(x.query, " ", "%20")
			b := d.search(t, everything, "/AuditEvent?_total=accurate&_count=500&"+q)
			if got := len(b.Entry); x.want >= 0 && got != x.want || x.want < 0 && got == 0 || *b.Total != got {
				t.Errorf("%s finds %d (total %d), want %d", x.query, got, *b.Total, x.want)
			}
		}
		for _, x := range []struct {
			method, path, body string
			code               int
		}{
			{"GET", "/AuditEvent?_sort=date", "", 400}, {"GET", "/AuditEvent?_total=estimate", "", 400}, {"GET", "/AuditEvent?_include=AuditEvent:patient", "", 400},
			{"GET", "/AuditEvent?patient.name=a", "", 400}, {"GET", "/AuditEvent?_lastUpdated=gt2020", "", 400}, {"GET", "/AuditEvent?_has:Provenance:target:_id=1", "", 400},
			{"GET", "/Patient?_revinclude=AuditEvent:patient", "", 400}, {"GET", "/Patient?_has:AuditEvent:patient:action=R", "", 400}, {"GET", "/?_type=AuditEvent", "", 400},
			{"GET", "/AuditEvent?_cursor=abc", "", 400}, {"GET", "/AuditEvent?_filter=action%20eq%20R", "", 400}, {"GET", "/AuditEvent?_list=1", "", 400},
			{"GET", "/AuditEvent/_history", "", 405}, {"GET", "/AuditEvent/" + id + "/_history", "", 405}, {"GET", "/AuditEvent/" + id + "/_history/1", "", 405},
			{"POST", "/AuditEvent", `{"resourceType":"AuditEvent"}`, 405}, {"PUT", "/AuditEvent/" + id, `{"resourceType":"AuditEvent","id":"` + id + `"}`, 405},
			{"DELETE", "/AuditEvent/" + id, "", 405}, {"PATCH", "/AuditEvent/" + id, `{"resourceType":"Parameters"}`, 405}, {"DELETE", "/AuditEvent?_id=" + id, "", 405},
			{"GET", "/AuditEvent/00000000000000000000000000000000", "", 404}, {"GET", "/AuditEvent/1", "", 404}, {"GET", "/Practitioner/1/AuditEvent", "", 400},
			{"POST", "/", `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"AuditEvent/` + id + `"}}]}`, 405},
		} {
			code, body := d.ask(t, everything, x.method, x.path, x.body)
			if code != x.code || !strings.Contains(body, "OperationOutcome") {
				t.Errorf("%s %s: %d %s", x.method, x.path, code, body)
			}
		}
		for _, kind := range []string{"batch", "transaction"} {
			code, body := d.ask(t, everything, "POST", "/", `{"resourceType":"Bundle","type":"`+kind+`","entry":[{"request":{"method":"GET","url":"AuditEvent/`+id+`"}},{"request":{"method":"GET","url":"AuditEvent?subtype=vread"}}]}`)
			if code != 200 || strings.Count(body, `"status":"200 OK"`) != 2 || !strings.Contains(body, `"searchset"`) {
				t.Errorf("%s: %d %s", kind, code, body)
			}
		}
		if code, _ := d.ask(t, everything, "GET", "/AuditEvent/"+id, "", "If-None-Match", `W/"1"`); code != 304 {
			t.Errorf("conditional read: %d", code)
		}
		if code, body := d.ask(t, everything, "POST", "/AuditEvent/_search?subtype=vread", ""); code != 200 || !strings.Contains(body, "vread") {
			t.Errorf("by POST: %d %s", code, body)
		}
	})
}

// TestCapability: the statement says what there is and no more.
func TestCapability(t *testing.T) {
	d := newDesk(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	var c struct {
		Rest []struct {
			Resource []struct {
				Type             string
				Interaction      []struct{ Code string }
				SearchParam      []struct{ Name string }
				SearchRevInclude []string
			}
		}
	}
	if err := json.Unmarshal(d.server.Capability("https://ytso.example/fhir"), &c); err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rest[0].Resource {
		if r.Type == "AuditEvent" {
			if fmt.Sprint(r.Interaction) != "[{read} {search-type}]" || len(r.SearchParam) != 19 {
				t.Errorf("%v, %d parameters %v", r.Interaction, len(r.SearchParam), r.SearchParam)
			}
		}
		if slices.ContainsFunc(r.SearchRevInclude, func(s string) bool { return strings.HasPrefix(s, "AuditEvent:") }) {
			t.Errorf("%s offers %v", r.Type, r.SearchRevInclude)
		}
	}
}
