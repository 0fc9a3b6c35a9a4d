package check_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/op/check"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
)

const base = "https://may.example/fhir"

// shelf is a store with a few resources to read; nothing else is asked of it.
type shelf struct {
	store.Store
	list   map[store.Key]string
	hidden store.Key
}

type shelfReader struct {
	store.Reader
	*shelf
}

func (s *shelf) View(_ context.Context, _ store.Access, f func(store.Reader) error) error {
	return f(shelfReader{nil, s})
}

func (r shelfReader) Audit(store.Note) {}

func (r shelfReader) Read(_ context.Context, k store.Key) (*store.Resource, error) {
	body, ok := r.list[k]
	if !ok || k == r.hidden {
		return nil, outcome.New(outcome.NotFound, "shelf.gone", "", "not there")
	}
	return &store.Resource{Key: k, Version: 3, Body: []byte(body)}, nil
}

// steps is a Reindexer that does ten resources at a call.
type steps struct{ done int64 }

func (s *steps) Reindex(context.Context) (check.Progress, error) {
	s.done += 10
	return check.Progress{Running: s.done < 25, Done: min(s.done, 25), Total: 25}, nil
}

func newServer() *rest.Server {
	source := canon.Sources{core.New(), ips.New(), term.Official()}
	v := validate.New(source, term.New(source))
	hidden := store.Key{Type: "Patient", ID: "hidden"}
	return rest.New(rest.Config{
		Store: &shelf{hidden: hidden, list: map[store.Key]string{
			{Type: "Patient", ID: "an"}: `{"resourceType":"Patient","id":"an","gender":"male","managingOrganization":{"reference":"Organization/none"}}`, hidden: `{"resourceType":"Patient","id":"hidden"}`,
		}},
		Now: time.Now, Vietnamese: func(context.Context) bool { return false },
		Operations: check.Operations(check.Deps{Check: v, Source: source, Reindexer: &steps{}}),
	})
}

var all = store.Access{Filter: store.Filter{All: true, Types: map[string]store.Acts{"*": store.Everything}}}

var reader = store.Access{Filter: store.Filter{All: true, Types: map[string]store.Acts{"*": store.CanRead | store.CanSearch}}}

func call(t *testing.T, a store.Access, line, body string, header ...string) (*r4.Doc, int, error) {
	t.Helper()
	method, address, _ := strings.Cut(line, " ")
	path, query, _ := strings.Cut(address, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	req := &rest.Request{Method: method, Base: base, Path: strings.Split(path, "/"), Query: q, Header: http.Header{}, Access: a}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if body != "" {
		if req.Doc, err = r4.Parse([]byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := newServer().Do(t.Context(), req)
	if err != nil {
		return nil, rest.StatusOf(err), err
	}
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		t.Fatal(err)
	}
	return doc, resp.Status, nil
}

// shown writes issues as "severity code key expression line:column".
func shown(d *r4.Doc) string {
	var list []string
	for i := range d.Root().Get("issue").Elems() {
		s := fmt.Sprintf("%s %s %s %s", i.Get("severity").Text(), i.Get("code").Text(), i.Get("details").Get("coding").At(0).Get("code").Text(), i.Get("expression").At(0).Text())
		if e := i.Get("extension"); e.Exists() {
			s += fmt.Sprintf(" %s:%s", e.At(0).Get("valueInteger").Text(), e.At(1).Get("valueInteger").Text())
		}
		list = append(list, strings.TrimSpace(s))
	}
	return strings.Join(list, "; ")
}

const fine = "information informational check.valid"

func wrap(resource string, more ...string) string {
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(append(more, "\n "+`{"name":"resource","resource":`+resource+"}"), ",") + `]}`
}

func TestValidate(t *testing.T) {
	const good, bad = `{"resourceType":"Patient","id":"an","gender":"male"}`, `{"resourceType":"Patient","id":"an",` + "\n" + `"gender":"man"}`
	mode := func(m string) string { return `{"name":"mode","valueCode":"` + m + `"}` }
	for _, c := range []struct {
		name, line, body string
		access           store.Access
		want             string
	}{
		{"bare", "POST Patient/$validate", good, all, fine},
		{"bare bad", "POST Patient/$validate", bad, all, "error value validate.code Patient.gender 2:10"},
		{"wrapped", "POST Patient/$validate", wrap(good), all, fine},
		{"wrapped bad: the place is that in what was sent", "POST Patient/$validate", wrap(bad), all, "error value validate.code Patient.gender 3:10"},
		{"wrapped bad on its first line", "POST Patient/$validate", wrap(`{"resourceType":"Patient","gender":"man"}`), all, "error value validate.code Patient.gender 2:67"},
		{"of another type", "POST Observation/$validate", good, all, "error invalid check.other-type Patient"},
		{"no resource type at all", "POST Patient/$validate", wrap(`{"resourceType":"Nonsense"}`), all, "error structure validate.resource-type"},
		{"unknown element", "POST Patient/$validate", `{"resourceType":"Patient","nonsense":1}`, all, "error structure validate.unknown Patient"},
		{"create", "POST Patient/$validate", wrap(good, mode("create")), all, fine},
		{"create, not allowed", "POST Patient/$validate?mode=create", good, reader, "error forbidden check.forbidden"},
		{"update", "POST Patient/an/$validate", wrap(good, mode("update")), all, fine},
		{"update, other id", "POST Patient/an/$validate?mode=update", `{"resourceType":"Patient","id":"binh"}`, all, "error value check.other-id Patient.id"},
		{"update, not allowed", "POST Patient/an/$validate?mode=update", good, reader, "error forbidden check.forbidden"},
		{"delete", "POST Patient/an/$validate?mode=delete", "", all, fine},
		{"delete, not allowed", "POST Patient/an/$validate?mode=delete", "", reader, "error forbidden check.forbidden"},
		{"what is stored, whose reference leads nowhere", "GET Patient/an/$validate", "", all, "error not-found validate.reference-missing Patient.managingOrganization"},
		{"a profile", "POST Patient/$validate?profile=" + ips.Base + "Patient-uv-ips", good, all, "error required validate"},
		{"a profile of what is stored", "POST Patient/an/$validate?mode=profile&profile=" + ips.Base + "Patient-uv-ips", "", all, "error not-found validate.reference-missing Patient.managingOrganization; error required validate.required Patient"},
		{"a reference to what is hidden", "POST Patient/$validate", `{"resourceType":"Patient","link":[{"other":{"reference":"Patient/hidden"},"type":"seealso"}]}`, all, "error not-found validate.reference-missing Patient.link[0].other"},
		{"references elsewhere", "POST Patient/$validate", `{"resourceType":"Patient","managingOrganization":{"reference":"https://other.example/fhir/Organization/1"},"link":[{"other":{"reference":"` + base + `/Patient/an"},"type":"seealso"}]}`, all, fine},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, status, err := call(t, c.access, c.line, c.body)
			if err != nil || status != 200 {
				t.Fatalf("%d %v", status, err)
			}
			if got := shown(d); !strings.HasPrefix(got, c.want) || c.want == fine && got != fine {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestStaleUpdate(t *testing.T) {
	const body = `{"resourceType":"Patient","id":"an"}`
	for match, want := range map[string]string{`W/"3"`: fine, `W/"2"`: "error conflict check.stale", "": fine} {
		d, _, err := call(t, all, "POST Patient/an/$validate?mode=update", body, "If-Match", match)
		if err != nil || shown(d) != want {
			t.Errorf("%s: %v %v", match, err, d)
		}
	}
}

// TestRefused: nothing could be found out.
func TestRefused(t *testing.T) {
	const good = `{"resourceType":"Patient","id":"an"}`
	for _, c := range []struct {
		line, body string
		status     int
	}{
		{"POST Patient/$validate", "", 422},
		{"POST Patient/$validate?mode=nonsense", good, 422},
		{"POST Patient/$validate?mode=update", good, 400},
		{"POST Patient/$validate?mode=delete", "", 400},
		{"POST Patient/an/$validate?mode=update", "", 422},
		{"POST Patient/an/$validate?mode=profile", "", 400},
		{"POST Patient/an/$validate?mode=profile&profile=" + ips.Base + "Patient-uv-ips", good, 400},
		{"POST Patient/$validate?mode=create&mode=update", good, 400},
		{"POST Patient/$validate?profile=http://x.example/none", good, 400},
		{"POST Patient/nobody/$validate?mode=delete", "", 404},
		{"POST Patient/hidden/$validate?mode=delete", "", 404},
		{"POST Patient/hidden/$validate?mode=update", `{"resourceType":"Patient","id":"hidden"}`, 404},
		{"GET Patient/hidden/$validate", "", 404},
		{"POST Patient/$validate?profil=x", good, 400},
		{"POST $validate", good, 404},
	} {
		if _, status, err := call(t, all, c.line, c.body); status != c.status || err == nil {
			t.Errorf("%s: %d, want %d: %v", c.line, status, c.status, err)
		}
	}
}

func TestReindex(t *testing.T) {
	s := newServer()
	do := func(method string, a store.Access) (*rest.Response, error) {
		return s.Do(t.Context(), &rest.Request{Method: method, Base: base, Path: []string{"$reindex"}, Query: url.Values{}, Header: http.Header{}, Access: a})
	}
	if _, err := do("GET", all); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("GET: %v", err)
	}
	if _, err := do("POST", reader); outcome.KindOf(err) != outcome.Forbidden {
		t.Errorf("reader: %v", err)
	}
	for i, want := range []string{`202 true 10 25`, `202 true 20 25`, `200 false 25 25`} {
		resp, err := do("POST", all)
		if err != nil {
			t.Fatal(err)
		}
		d, err := r4.Parse(resp.Resource)
		if err != nil {
			t.Fatal(err)
		}
		p := d.Root().Get("parameter")
		got := fmt.Sprintf("%d %s %s %s", resp.Status, p.At(0).Get("valueBoolean").Text(), p.At(1).Get("valueDecimal").Text(), p.At(2).Get("valueDecimal").Text())
		if got != want || len(validate.Structure(d)) != 0 {
			t.Errorf("call %d: %s, want %s", i, got, want)
		}
	}
	if list := check.Operations(check.Deps{}); len(list) != 1 {
		t.Errorf("without a Reindexer: %d operations", len(list))
	}
}
