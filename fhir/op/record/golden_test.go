package record_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/ytso/ytso/fhir/op/record"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

var update = flag.Bool("update", false, "write the answers into the golden files")

const base = "https://may.example/fhir"

// now is the time of every call: a morning in June.
var now = time.Date(2026, 6, 30, 1, 0, 0, 0, time.UTC)

func newServer(m *memory) *rest.Server {
	return rest.New(rest.Config{
		Store: m, Params: func() *param.Registry { return param.Official() }, Now: func() time.Time { return now },
		Operations: record.Operations(record.Deps{
			Store: m, Params: func() *param.Registry { return param.Official() }, Now: func() time.Time { return now },
			NewID: func() string { return "11111111-2222-4333-8444-555555555555" }, Software: "ytso", Version: "1.0",
			House: &record.House{Name: "Trung tâm Y tế Ví Dụ", System: "urn:ytso:id:ma-cskcb", Code: "25001"},
		}),
	})
}

// accessOf makes the access of "operator", "citizen ID…", "staff FACILITY", "department".
func accessOf(who string) store.Access {
	word, rest, _ := strings.Cut(who, " ")
	a := store.Access{Agent: store.Agent{Kind: store.Staff, ID: "x"}, Purpose: "TREAT", Right: word, Filter: store.Filter{Public: true, Types: map[string]store.Acts{"*": store.Everything}}}
	switch word {
	case "operator":
		a.Filter.All = true
	case "citizen":
		ids := strings.Fields(rest)
		a.Agent = store.Agent{Kind: store.Citizen, ID: ids[0]}
		a.Filter.Patients, a.Filter.Types["*"] = ids, store.CanRead|store.CanSearch
	case "staff":
		a.Filter.Owners = []string{rest}
	case "department":
		a.Filter.All, a.Filter.Types = true, map[string]store.Acts{"Patient": store.CanRead | store.CanSearch, "Encounter": store.CanRead | store.CanSearch}
	}
	return a
}

// call carries out "METHOD path?query" with a body on behalf of somebody.
func call(t testing.TB, s *rest.Server, a store.Access, line, body string) (*rest.Response, error) {
	t.Helper()
	method, address, _ := strings.Cut(line, " ")
	path, query, _ := strings.Cut(strings.TrimPrefix(address, base+"/"), "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	req := &rest.Request{Method: method, Base: base, Path: strings.Split(path, "/"), Query: q, Header: http.Header{}, Access: a}
	if strings.TrimSpace(body) != "" {
		if req.Doc, err = r4.Parse([]byte(body)); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		req.Body = []byte(body)
	}
	return s.Do(t.Context(), req)
}

// TestGolden: each file holds a record, calls and their answers. A searchset is
// shown by a line an entry; anything else as it is.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory()
	s := newServer(m)
	out := &txtar.Archive{Comment: a.Comment}
	for _, f := range a.Files {
		switch {
		case strings.HasPrefix(f.Name, "record"):
			m.fill(t, string(f.Data))
			out.Files = append(out.Files, f)
		case strings.HasPrefix(f.Name, "call"):
			head, body, _ := strings.Cut(string(f.Data), "\n")
			who, line, _ := strings.Cut(head, ": ")
			resp, err := call(t, s, accessOf(who), line, body)
			answer := txtar.File{Name: "answer" + strings.TrimPrefix(f.Name, "call"), Data: shown(t, f.Name, resp, err)}
			out.Files = append(out.Files, f, answer)
			for _, want := range a.Files {
				if want.Name == answer.Name && !*update && !bytes.Equal(bytes.TrimSpace(want.Data), bytes.TrimSpace(answer.Data)) {
					t.Errorf("%s\n got:\n%s\nwant:\n%s", head, answer.Data, want.Data)
				}
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if len(out.Files) != len(a.Files) {
		t.Errorf("%d parts, and %d with all answers: run with -update", len(a.Files), len(out.Files))
	}
}

func shown(t testing.TB, name string, resp *rest.Response, err error) []byte {
	t.Helper()
	if err != nil {
		e := outcome.As(err)
		return fmt.Appendf(nil, "%d %s %v\n%s\n%s\n", rest.StatusOf(err), e.Key, e.Expression, e.VI, e.EN)
	}
	doc, err := r4.Parse(resp.Resource)
	if err != nil {
		t.Fatalf("%s: %v", resp.Resource, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d", resp.Status)
	if resp.Version > 0 {
		fmt.Fprintf(&b, " %s/_history/%d", resp.Key, resp.Version)
	}
	b.WriteByte('\n')
	root := doc.Root()
	if strings.HasPrefix(name, "call sections") {
		sectionsOf(&b, root)
		return b.Bytes()
	}
	if root.Get("type").Text() != "searchset" {
		if err := json.Indent(&b, resp.Resource, "", " "); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
		return b.Bytes()
	}
	if n := root.Get("total"); n.Exists() {
		fmt.Fprintf(&b, "total %s\n", n.Text())
	}
	for l := range root.Get("link").Elems() {
		fmt.Fprintf(&b, "%s %s\n", l.Get("relation").Text(), l.Get("url").Text())
	}
	for e := range root.Get("entry").Elems() {
		r := e.Get("resource")
		fmt.Fprintf(&b, "%s %s", e.Get("search").Get("mode").Text(), strings.TrimPrefix(e.Get("fullUrl").Text(), base+"/"))
		if x := e.Get("search").Get("score"); x.Exists() {
			fmt.Fprintf(&b, " %s %s", x.Text(), e.Get("search").Get("extension").At(0).Get("valueCode").Text())
		}
		if r.Get("resourceType").Text() == "OperationOutcome" {
			fmt.Fprintf(&b, " %s", r.Get("issue").At(0).Get("details").Get("text").Text())
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// sectionsOf writes a line for each section of a document: its title and what it holds.
func sectionsOf(b *bytes.Buffer, bundle r4.Node) {
	names := map[string]string{}
	for e := range bundle.Get("entry").Elems() {
		names[e.Get("fullUrl").Text()] = e.Get("resource").Get("resourceType").Text() + "/" + e.Get("resource").Get("id").Text()
	}
	for s := range bundle.Get("entry").At(0).Get("resource").Get("section").Elems() {
		b.WriteString(s.Get("title").Text() + ":")
		for e := range s.Get("entry").Elems() {
			b.WriteString(" " + names[e.Get("reference").Text()])
		}
		b.WriteByte('\n')
	}
}

// answers runs some calls of a golden file and gives the resources that they answer with.
func answers(t testing.TB, file string, calls ...string) map[string][]byte {
	t.Helper()
	a, err := txtar.ParseFile("testdata/" + file + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	m, out := newMemory(), map[string][]byte{}
	for _, f := range a.Files {
		name := strings.TrimPrefix(f.Name, "call ")
		switch {
		case f.Name == "record":
			m.fill(t, string(f.Data))
		case name != f.Name && slices.Contains(calls, name):
			head, body, _ := strings.Cut(string(f.Data), "\n")
			who, line, _ := strings.Cut(head, ": ")
			resp, err := call(t, newServer(m), accessOf(who), line, body)
			if err != nil {
				t.Fatalf("%s: %v", head, err)
			}
			out[name] = resp.Resource
		}
	}
	if len(out) != len(calls) {
		t.Fatalf("%s has %d of the calls %v", file, len(out), calls)
	}
	return out
}
