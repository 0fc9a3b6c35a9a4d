// Package resttest is the suite that the FHIR interface must pass on every
// fhir/store: fhir/rest can't open one itself.
package resttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
)

// Run runs the suite; open gives an empty store.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, *site)
	}{
		{"read", reading},
		{"create", creating},
		{"update", updating},
		{"delete", deleting},
		{"search", searching},
		{"history", histories},
		{"faults", faults},
		{"negotiation", negotiation},
		{"capability", capability},
		{"binary", binary},
		{"operations", operations},
		{"patch", patching},
		{"batch", batches},
		{"transaction", transactions},
		{"identities", identities},
		{"references", conditionalReferences},
		{"atomic", allOrNothing},
		{"audit", audited},
		{"definitions", lookUps},
		{"flood", flooded},
		{"hidden delete", hiddenDelete},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, newSite(t, open(t))) })
	}
	t.Run("overfull", func(t *testing.T) { overfull(t, open(t)) })
}

const base = "https://ytso.example/fhir"

// site is a server upon a store.
type site struct {
	store  store.Store
	server *rest.Server
	config rest.Config
	access store.Access
	wrote  []store.Key
	fault  func(error)
	broken bool // what it holds need not be valid
}

type accessKey struct{}

func newSite(t *testing.T, s store.Store, change ...func(*rest.Config)) *site {
	out := &site{store: s, access: storetest.All}
	out.fault = func(err error) { t.Errorf("fault: %v", err) }
	source := definitions{term.Official()}
	terms := term.New(source)
	out.config = rest.Config{
		Store: s, Check: validate.New(source, terms), Terms: terms, Source: source, Params: func() *param.Registry { return official },
		Access: func(ctx context.Context) (store.Access, error) {
			if a, ok := ctx.Value(accessKey{}).(store.Access); ok {
				return a, nil
			}
			return out.access, nil
		},
		Base:       func(*http.Request) string { return base },
		Vietnamese: func(ctx context.Context) bool { return ctx.Value(vietnamese{}) != nil },
		Now:        time.Now, Software: "test", Started: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Changed:    func(keys []store.Key) { out.wrote = append(out.wrote, keys...) },
		Fault:      func(r *http.Request, err error) { out.fault(fmt.Errorf("%s %s: %w", r.Method, r.URL, err)) },
		Operations: testOperations, Together: 12,
	}
	for _, f := range change {
		f(&out.config)
	}
	out.server = rest.New(out.config)
	return out
}

var official = param.Official()

type vietnamese struct{}

// tree is a code system of a root and a leaf.
const tree = `{"resourceType":"CodeSystem","url":"http://x.example/tree","status":"active","content":"complete","hierarchyMeaning":"is-a",` +
	`"concept":[{"code":"root","concept":[{"code":"leaf"}]}]}`

// definitions is the terminology of R4 and tree.
type definitions struct{ canon.Source }

func (d definitions) Find(ctx context.Context, typ, url, version string) (*r4.Doc, error) {
	if url == "http://x.example/tree" {
		return r4.Parse([]byte(tree))
	}
	return d.Source.Find(ctx, typ, url, version)
}

// reply is an answer of the server.
type reply struct {
	*httptest.ResponseRecorder
	t   *testing.T
	doc *r4.Doc
}

// do sends a request; header is name and value in pairs.
func (s *site) do(t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	return s.doIn(t.Context(), t, method, path, body, header...)
}

func (s *site) doIn(ctx context.Context, t *testing.T, method, path, body string, header ...string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(ctx, method, "/"+path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	if err := s.server.Handler(w, r); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	out := reply{w, t, nil}
	if w.Body.Len() > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/fhir+json") {
		var err error
		if out.doc, err = r4.Parse(w.Body.Bytes()); err != nil {
			t.Fatalf("%s %s answers %d with %v: %.500s", method, path, w.Code, err, w.Body)
		}
		for _, i := range validate.Structure(out.doc) {
			if i.Severity == validate.Error && !s.broken {
				t.Errorf("%s %s answers what is not valid: %s %s", method, path, i.Expression, i.EN)
			}
		}
	}
	return out
}

// want checks the status, and gives the reply on.
func (r reply) want(code int) reply {
	r.t.Helper()
	if r.Code != code {
		r.t.Errorf("status %d, want %d: %.600s", r.Code, code, r.Body)
	}
	return r
}

// has checks that the FHIRPath-like path of member names gives a text.
func (r reply) has(path, text string) reply {
	r.t.Helper()
	if got := r.at(path); got != text {
		r.t.Errorf("%s is %q, want %q: %.600s", path, got, text, r.Body)
	}
	return r
}

// says checks the issue of an OperationOutcome: its code and its key.
func (r reply) says(code, key string) reply {
	r.t.Helper()
	if r.doc == nil || r.doc.Type() != "OperationOutcome" {
		r.t.Errorf("no OperationOutcome: %d %.300s", r.Code, r.Body)
		return r
	}
	if r.at("issue.0.details.text") == "" {
		r.t.Errorf("no sentence: %s", r.Body)
	}
	return r.has("issue.0.code", code).has("issue.0.details.coding.0.code", key)
}

func (r reply) at(path string) string {
	if r.doc == nil {
		return ""
	}
	n := r.doc.Root()
	for step := range strings.SplitSeq(path, ".") {
		var i int
		if _, err := fmt.Sscanf(step, "%d", &i); err == nil {
			n = n.At(i)
		} else {
			n = n.Get(step)
		}
	}
	return n.Text()
}

// ids lists the ids of a Bundle's entries of a search mode.
func (r reply) ids(mode string) (list []string) {
	if r.doc == nil {
		return nil
	}
	for e := range r.doc.Root().Get("entry").Elems() {
		if e.Get("search").Get("mode").Text() == mode {
			list = append(list, e.Get("resource").Get("id").Text())
		}
	}
	return list
}

// link gives a link of a Bundle, as a path for do.
func (r reply) link(relation string) string {
	for l := range r.doc.Root().Get("link").Elems() {
		if l.Get("relation").Text() == relation {
			return strings.TrimPrefix(l.Get("url").Text(), base+"/")
		}
	}
	return ""
}

func patient(id, rest string) string {
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return `{"resourceType":"Patient",` + id + rest + `}`
}
