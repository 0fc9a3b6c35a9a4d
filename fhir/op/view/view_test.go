package view_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/op/view"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func engines(t *testing.T, f func(t *testing.T, s *site)) {
	for name, options := range map[string]func(t *testing.T) sqlstore.Options{
		"sqlite": func(t *testing.T) sqlstore.Options {
			return sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}
		},
		"postgres": func(t *testing.T) sqlstore.Options { return sqlstore.Options{URL: pgtest.URL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			st, err := sqlstore.Open(t.Context(), options(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			f(t, newSite(st))
		})
	}
}

type nothing struct{}

func (nothing) Find(context.Context, string, string, string) (*r4.Doc, error) { return nil, nil }

// site is the FHIR interface with $run over a store.
type site struct {
	store  store.Store
	access store.Access
	server *rest.Server
}

func newSite(st store.Store) *site {
	s := &site{store: st, access: storetest.All}
	terms := term.New(nothing{})
	s.server = rest.New(rest.Config{
		Store: st, Check: validate.New(nothing{}, terms), Terms: terms, Source: nothing{}, Now: time.Now,
		Access:     func(context.Context) (store.Access, error) { return s.access, nil },
		Base:       func(*http.Request) string { return "https://ytso.example/fhir" },
		Operations: view.Operations(view.Deps{Store: st}),
	})
	return s
}

func (s *site) put(t *testing.T, typ, id, body string) {
	storetest.Put(t, s.store, storetest.All, store.Draft{Key: store.Key{Type: typ, ID: id}, Body: []byte(`{"resourceType":"` + typ + `","id":"` + id + `",` + body + `}`)})
}

func (s *site) do(t *testing.T, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if err := s.server.Handler(w, r); err != nil {
		t.Fatal(err)
	}
	return w
}

const (
	people  = `{"resourceType":"ViewDefinition","name":"people","resource":"Patient","status":"active","select":[{"column":[{"name":"id","path":"id","type":"id"},{"name":"family","path":"name.family.first()","type":"string"}]}]}`
	results = `{"resource":"Observation","select":[{"column":[{"name":"id","path":"id"},{"name":"who","path":"subject.getReferenceKey(Patient)"},{"name":"v","path":"value.ofType(Quantity).value"}]}]}`
)

// ask writes the Parameters of $run.
func ask(def string, more ...string) string {
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(append([]string{`{"name":"viewResource","resource":` + def + `}`}, more...), ",") + `]}`
}

func (s *site) fill(t *testing.T) {
	for i := range 7 {
		s.put(t, "Patient", fmt.Sprintf("p%d", i), fmt.Sprintf(`"name":[{"family":"Nguyễn %d"}]`, i))
		s.put(t, "Observation", fmt.Sprintf("o%d", i), fmt.Sprintf(`"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p%d"},"valueQuantity":{"value":%d.50}`, i%3, i))
	}
	s.put(t, "Patient", "evil", `"name":[{"family":"=cmd|' /C calc'!A0"}]`)
	s.put(t, "Group", "g", `"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p0"}},{"entity":{"reference":"Patient/p1"},"inactive":true},{"entity":{"reference":"Patient/p2"}}]`)
	s.put(t, "Library", "people", `"status":"active","url":"http://example.org/people","type":{"text":"view"},"content":[{"contentType":"`+view.MediaType+`","data":"`+base64.StdEncoding.EncodeToString([]byte(people))+`"}]`)
}

func TestRun(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		s.fill(t)
		var csv strings.Builder
		csv.WriteString("id,family\r\n")
		for i := range 7 {
			fmt.Fprintf(&csv, "p%d,Nguyễn %d\r\n", i, i)
		}
		all := csv.String() + "evil,'=cmd|' /C calc'!A0\r\n"
		format := func(f string) string { return `{"name":"_format","valueCode":"` + f + `"}` }
		patient := func(p string) string {
			return `{"name":"patient","valueReference":{"reference":"Patient/` + p + `"}}`
		}
		for _, c := range []struct{ name, method, path, body, media, want string }{
			{"csv", "POST", "/ViewDefinition/$run", ask(people, format("csv")), "text/csv; charset=utf-8", all},
			{"without header", "POST", "/ViewDefinition/$run?header=false&_format=csv", ask(people), "text/csv; charset=utf-8", strings.TrimPrefix(all, "id,family\r\n")},
			{"by its earlier name", "POST", "/$viewdefinition-run", ask(people, patient("p1")), "application/x-ndjson", `{"id":"p1","family":"Nguyễn 1"}` + "\n"},
			{"json", "POST", "/ViewDefinition/$run", ask(people, format("json"), patient("p1")), "application/json", "[\n" + `{"id":"p1","family":"Nguyễn 1"}` + "\n]\n"},
			{"of one patient", "POST", "/ViewDefinition/$run", ask(results, patient("p2")), "application/x-ndjson", `{"id":"o2","who":"Patient/p2","v":2.50}` + "\n" + `{"id":"o5","who":"Patient/p2","v":5.50}` + "\n"},
			{"of a group", "POST", "/ViewDefinition/$run?_format=csv&header=false", ask(results, `{"name":"group","valueReference":{"reference":"Group/g"}}`), "text/csv; charset=utf-8",
				"o0,Patient/p0,0.50\r\no3,Patient/p0,3.50\r\no6,Patient/p0,6.50\r\no2,Patient/p2,2.50\r\no5,Patient/p2,5.50\r\n"},
			{"the patient", "POST", "/ViewDefinition/$run", ask(people, patient("p2")), "application/x-ndjson", `{"id":"p2","family":"Nguyễn 2"}` + "\n"},
			{"kept in a Library", "GET", "/ViewDefinition/people/$run?_format=csv", "", "text/csv; charset=utf-8", all},
			{"by reference", "GET", "/ViewDefinition/$run?viewReference=ViewDefinition/people&_format=csv", "", "text/csv; charset=utf-8", all},
			{"by canonical", "GET", "/ViewDefinition/$run?viewReference=http://example.org/people&_format=text/csv", "", "text/csv; charset=utf-8", all},
			{"nothing changed lately", "POST", "/ViewDefinition/$run", ask(people, `{"name":"_since","valueInstant":"2999-01-01T00:00:00Z"}`), "application/x-ndjson", ""},
			{"over what is given", "POST", "/ViewDefinition/$run", ask(people, `{"name":"resource","resource":{"resourceType":"Patient","id":"x"}}`, `{"name":"resource","resource":{"resourceType":"Group","id":"y","actual":true,"type":"person"}}`), "application/x-ndjson", `{"id":"x","family":null}` + "\n"},
		} {
			w := s.do(t, c.method, c.path, c.body)
			if w.Code != 200 || w.Header().Get("Content-Type") != c.media || sorted(w.Body.String()) != sorted(c.want) {
				t.Errorf("%s: %d %s\n%s\nwant %s", c.name, w.Code, w.Header().Get("Content-Type"), w.Body, c.want)
			}
		}
		if w := s.do(t, "GET", "/ViewDefinition/people/$run", "", "Accept", "text/csv"); sorted(w.Body.String()) != sorted(all) {
			t.Errorf("by Accept: %d %s", w.Code, w.Body)
		}
		if w := s.do(t, "HEAD", "/ViewDefinition/people/$run", ""); w.Code != 200 || w.Body.Len() > 0 {
			t.Errorf("HEAD: %d %s", w.Code, w.Body)
		}
	})
}

// sorted orders the lines behind the first: a view gives no order.
func sorted(text string) string {
	lines := strings.SplitAfter(text, "\n")
	if strings.HasPrefix(text, "id,") {
		slices.Sort(lines[1:])
	} else {
		slices.Sort(lines)
	}
	return strings.Join(lines, "")
}

func TestRunPages(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		for i := range 450 {
			s.put(t, "Patient", fmt.Sprintf("p%d", i), `"active":true`)
		}
		w := s.do(t, "POST", "/ViewDefinition/$run", ask(people))
		seen := map[string]bool{}
		for line := range strings.Lines(w.Body.String()) {
			seen[line] = true
		}
		if len(seen) != 450 || strings.Count(w.Body.String(), "\n") != 450 {
			t.Errorf("%d rows, %d of them different, instead of 450", strings.Count(w.Body.String(), "\n"), len(seen))
		}
		w = s.do(t, "POST", "/ViewDefinition/$run", ask(people, `{"name":"_limit","valueInteger":333}`))
		if n := strings.Count(w.Body.String(), "\n"); n != 333 {
			t.Errorf("%d rows instead of 333", n)
		}
	})
}

func TestRunUnderTheGate(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		s.fill(t)
		s.access.Filter = store.Filter{Patients: []string{"p1"}, Types: map[string]store.Acts{"*": store.Everything}}
		if w := s.do(t, "POST", "/ViewDefinition/$run", ask(people)); w.Body.String() != `{"id":"p1","family":"Nguyễn 1"}`+"\n" {
			t.Errorf("a citizen sees %s", w.Body)
		}
		if w := s.do(t, "POST", "/ViewDefinition/$run", ask(results, `{"name":"patient","valueReference":{"reference":"Patient/p2"}}`)); strings.Contains(w.Body.String(), "o2") {
			t.Errorf("somebody else's results: %s", w.Body)
		}
		s.access.Filter = store.Filter{All: true, Types: map[string]store.Acts{"Patient": store.Everything}}
		if w := s.do(t, "POST", "/ViewDefinition/$run", ask(results)); w.Code != 403 {
			t.Errorf("a type that may not be searched: %d %s", w.Code, w.Body)
		}
	})
}

func TestRunInBundle(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		s.fill(t)
		w := s.do(t, "POST", "/", `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"ViewDefinition/people/$run"}}]}`)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "view.inner") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestRunRefuses(t *testing.T) {
	engines(t, func(t *testing.T, s *site) {
		s.fill(t)
		s.put(t, "Group", "kind", `"type":"person","actual":false`)
		s.put(t, "Library", "empty", `"status":"active","type":{"text":"x"}`)
		for _, c := range []struct {
			path, body string
			code       int
		}{
			{"/ViewDefinition/$run", `{"resourceType":"Parameters"}`, 400},
			{"/ViewDefinition/$run?viewReference=Library/people", ask(people), 400},
			{"/ViewDefinition/$run", ask(`{"resource":"Patient"}`), 400},
			{"/ViewDefinition/$run", ask(`{"resourceType":"Patient"}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"_format","valueCode":"parquet"}`), 400},
			{"/ViewDefinition/$run?_format=xml", ask(people), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"source","valueString":"s3://x"}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"filter","valueString":"x"}`), 400},
			{"/ViewDefinition/$run?name=x", ask(people), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"_limit","valueInteger":0}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"_since","valueDate":"2020"}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"header","valueString":"maybe"}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"patient","valueReference":{"reference":"Practitioner/x"}}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"group","valueReference":{"reference":"Group/kind"}}`), 400},
			{"/ViewDefinition/$run", ask(people, `{"name":"group","valueReference":{"reference":"Group/none"}}`), 404},
			{"/ViewDefinition/$run", ask(strings.Replace(people, `"Patient"`, `"Organization"`, 1), `{"name":"patient","valueReference":{"reference":"Patient/p1"}}`), 400},
			{"/ViewDefinition/$run", ask(strings.Replace(results, "getReferenceKey(Patient)", "reference | id", 1)), 422},
			{"/ViewDefinition/empty/$run", "", 404},
			{"/ViewDefinition/none/$run", "", 404},
			{"/ViewDefinition/$run?viewReference=http://example.org/none", "", 404},
			{"/ViewDefinition/$meta", "", 404},
			{"/Nothing/$run", "", 404},
			{"/Patient/$run", "", 404},
		} {
			w := s.do(t, "POST", c.path, c.body)
			if w.Code != c.code || !strings.Contains(w.Body.String(), "OperationOutcome") {
				t.Errorf("%s %s: %d instead of %d: %.300s", c.path, c.body, w.Code, c.code, w.Body)
			}
		}
	})
}
