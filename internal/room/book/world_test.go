package book

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// world is a store with books of invented people.
type world struct {
	t     testing.TB
	store *sqlstore.Store
	book  *Book
	mux   *http.ServeMux
	words *i18n.Catalogue
	dress *ui.Assets
}

// today of the tests.
var today = time.Date(2026, 6, 15, 9, 0, 0, 0, clock.VietNam)

// names knows two facilities.
type names struct{}

func (names) Names(_ context.Context, _ store.Reader, codes ...string) (map[string]string, error) {
	known := map[string]string{"25001": "Bệnh viện đa khoa tỉnh Ví Dụ", "25901": "Trạm y tế xã Suối Mây", "25011": "Bệnh viện đa khoa khu vực Sông Mơ"}
	out := map[string]string{}
	for _, c := range codes {
		if known[c] != "" {
			out[c] = known[c]
		}
	}
	return out, nil
}

func newWorld(t testing.TB) *world { return worldIn(t, t.TempDir()) }

func worldIn(t testing.TB, dir string) *world {
	t.Helper()
	st, err := sqlstore.Open(context.Background(), sqlstore.Options{Dir: dir, Key: bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, store: st, mux: http.NewServeMux()}
	w.book = New(Deps{Store: st, Gate: trust.NewGate(trust.NewPersons(st)), Facilities: names{}, Clock: clock.Fixed(today)})
	r := w.book.Room()
	if w.words, err = i18n.Load(ui.Messages(), r.Messages); err != nil {
		t.Fatal(err)
	}
	if w.dress, err = ui.NewAssets("", ui.Dress{Name: r.Name, Style: r.Style}); err != nil {
		t.Fatal(err)
	}
	for _, route := range r.Routes {
		w.mux.Handle(route.Pattern, w.edge(route.Handler))
	}
	return w
}

type faultKey struct{}

// edge stands for that of httpx: it hands the error of a handler to the test.
func (w *world) edge(h httpx.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := h(rw, r); err != nil {
			if p, ok := r.Context().Value(faultKey{}).(*error); ok {
				*p = err
			}
		}
	})
}

// ask opens a page as a citizen.
func (w *world) ask(person, path string, l i18n.Lang) (*httptest.ResponseRecorder, error) {
	var fault error
	ctx := trust.With(context.Background(), trust.Principal{Agent: store.Agent{Kind: store.Citizen, ID: person, Role: trust.RoleCitizen}, Request: "r"})
	ctx = context.WithValue(w.dress.Bind(w.words.Bind(ctx, l)), faultKey{}, &fault)
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, httptest.NewRequest("GET", path, nil).WithContext(ctx))
	return rec, fault
}

// page gives a page as a tree.
func (w *world) page(person, path string) *html.Node { return w.pageIn(person, path, i18n.VI) }

func (w *world) pageIn(person, path string, l i18n.Lang) *html.Node {
	w.t.Helper()
	rec, err := w.ask(person, path, l)
	if err != nil {
		w.t.Fatalf("GET %s: %v", path, err)
	}
	if rec.Code != http.StatusOK {
		w.t.Fatalf("GET %s: %d", path, rec.Code)
	}
	n, err := html.Parse(rec.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if s := text(n); strings.Contains(s, "book.") {
		w.t.Errorf("GET %s: a message is missing: %s", path, s[max(0, strings.Index(s, "book.")-20):min(len(s), strings.Index(s, "book.")+40)])
	}
	return n
}

// put writes resources.
func (w *world) put(owner string, list ...element.Resource) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), storetest.All, func(tx store.Tx) error {
		for _, r := range list {
			p, err := w.store.Prepare(store.Draft{Key: store.Key{Type: r.Type, ID: r.ID}, Body: r.Body, Owner: owner})
			if err != nil {
				return err
			}
			if _, err := tx.Put(context.Background(), p); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
}

// golden writes the person of some source records; body holds further members.
func (w *world) golden(id, body string, sources ...string) {
	w.t.Helper()
	b := `{"resourceType":"Patient","id":"` + id + `","meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]}`
	for i, s := range sources {
		if i == 0 {
			b += `,"link":[`
		} else {
			b += ","
		}
		b += `{"other":{"reference":"Patient/` + s + `"},"type":"seealso"}`
	}
	if len(sources) > 0 {
		b += "]"
	}
	w.put("", element.Resource{Type: "Patient", ID: id, Body: []byte(b + body + "}")})
}

var namespace, _ = element.ParseNamespace("6ba7b810-9dad-11d1-80b4-00c04fd430c8")

// receive maps a HOSO and writes what it becomes.
func (w *world) receive(h *claim.HOSO, facility string) *fhirmap.Visit {
	w.t.Helper()
	v := w.mapped(h, facility)
	w.put(facility, resources(v)...)
	return v
}

func (w *world) mapped(h *claim.HOSO, facility string) *fhirmap.Visit {
	w.t.Helper()
	v, err := fhirmap.New(namespace).Map(h, fhirmap.Source{Facility: facility, BlobSHA256: "00", Ordinal: 1, Received: time.Date(2026, 6, 1, 2, 0, 0, 0, time.UTC), NGAYLAP: "20260601"})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func resources(v *fhirmap.Visit) []element.Resource {
	return append(append([]element.Resource{v.Patient}, v.Shared...), v.Own...)
}

// someone is an invented person with a book.
type someone struct {
	golden string
	visits []*fhirmap.Visit
}

// people lets the visits of a province flow in whose story is wanted (nil: all); people are told apart by their names.
func (w *world) people(n int, wanted func(*claim.HOSO) bool) map[string]*someone {
	w.t.Helper()
	out := map[string]*someone{}
	sources, bodies := map[string][]string{}, map[string][]byte{}
	waiting := map[string][]element.Resource{} // by facility: many visits in one commit
	for f := range synth.New(synth.Options{People: n}).Files() {
		for _, h := range f.Claim.HOSO {
			if wanted != nil && !wanted(h) {
				continue
			}
			v := w.mapped(h, f.Facility)
			if waiting[f.Facility] = append(waiting[f.Facility], resources(v)...); len(waiting[f.Facility]) > 1000 {
				w.put(f.Facility, waiting[f.Facility]...)
				delete(waiting, f.Facility)
			}
			name := string(h.XML1.HO_TEN) + string(h.XML1.NGAY_SINH)
			if out[name] == nil {
				out[name] = &someone{golden: namespace.ID("golden", name)}
			}
			out[name].visits = append(out[name].visits, v)
			sources[name] = append(sources[name], v.Patient.ID)
			bodies[name] = v.Patient.Body
		}
	}
	for f, list := range waiting {
		w.put(f, list...)
	}
	for name, s := range out {
		w.golden(s.golden, members(w.t, bodies[name], "identifier", "name", "gender", "birthDate", "address"), unique(sources[name])...)
	}
	return out
}

func unique(list []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range list {
		if !seen[s] {
			out, seen[s] = append(out, s), true
		}
	}
	return out
}

// members copies members of a resource as JSON text that begins with a comma.
func members(t testing.TB, body []byte, list ...string) string {
	d, err := r4.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	s := ""
	for _, m := range list {
		if n := d.Root().Get(m); n.Exists() {
			s += `,"` + m + `":` + string(n.Raw())
		}
	}
	return s
}

// busiest gives the person with most visits.
func busiest(people map[string]*someone) *someone {
	var best *someone
	for _, s := range people {
		if best == nil || len(s.visits) > len(best.visits) || len(s.visits) == len(best.visits) && s.golden < best.golden {
			best = s
		}
	}
	return best
}

// select_ gives the elements that have a class, or a tag when it begins with "<".
func select_(n *html.Node, what string) (list []*html.Node) {
	for c := range n.Descendants() {
		if c.Type != html.ElementNode {
			continue
		}
		if tag, ok := strings.CutPrefix(what, "<"); ok && c.Data == tag {
			list = append(list, c)
		} else if id, ok := strings.CutPrefix(what, "#"); ok && attr(c, "id") == id {
			list = append(list, c)
		} else if !ok && hasClass(c, what) {
			list = append(list, c)
		}
	}
	return list
}

func hasClass(n *html.Node, class string) bool {
	for c := range strings.FieldsSeq(attr(n, "class")) {
		if c == class {
			return true
		}
	}
	return false
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// one gives the only element of a kind.
func one(t testing.TB, n *html.Node, what string) *html.Node {
	t.Helper()
	list := select_(n, what)
	if len(list) != 1 {
		t.Fatalf("%d elements %s, want 1", len(list), what)
	}
	return list[0]
}
