package resttest

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/validate"
)

// Conformance gives the folder of the published suites. Without it the test is
// skipped and says so, unless YTSO_TEST_REQUIRE is set, as CI does: then it fails.
func Conformance(t testing.TB, part string) string {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	dir = filepath.Join(dir, part)
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatalf("YTSO_CONFORMANCE: %v", err)
		}
		t.Skipf("%s is not beside the project (YTSO_CONFORMANCE)", part)
	}
	return dir
}

// examples reads the official examples of R4.
func examples(t testing.TB) (list [][]byte) {
	t.Helper()
	f, err := os.Open(filepath.Join(Conformance(t, "r4-examples"), "examples.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(all) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			list = append(list, line)
		}
	}
	return list
}

// Examples sends the official examples and reads them back, as JSON and as
// XML: they are what they were but for meta.versionId and meta.lastUpdated.
// The few that break the specification's own rules are refused; put past the
// door, they are read back the same way.
func Examples(t *testing.T, open store.Store) {
	// They name resources that are not among them.
	s := newSite(t, open, func(c *rest.Config) { c.Loose = true })
	list, broken := examples(t), 0
	if len(list) != 721 {
		t.Errorf("%d examples", len(list))
	}
	for _, src := range list {
		doc, err := r4.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		issues, err := s.config.Check.Check(t.Context(), doc, validate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if validate.Failed(issues) {
			broken++
		}
		s.example(t, doc, validate.Failed(issues))
	}
	if broken > 40 { // their names and the rules they break stand in the test of fhir/validate
		t.Errorf("%d examples are refused", broken)
	}
}

func (s *site) example(t *testing.T, doc *r4.Doc, broken bool) {
	path := doc.Type() + "/" + doc.ID()
	r := s.do(t, "PUT", path, string(doc.Source()))
	if broken != (r.Code == 422 || r.Code == 400) || !broken && r.Code != 201 {
		t.Errorf("%s: broken %v, %d %.800s", path, broken, r.Code, r.Body)
		return
	}
	if validate.Failed(validate.Structure(doc)) {
		return // no store takes it
	}
	if s.broken = broken; broken {
		storetest.Put(t, s.store, storetest.All, store.Draft{Key: store.Key{Type: doc.Type(), ID: doc.ID()}, Body: doc.Source()})
	}
	got := s.do(t, "GET", path, "", "Accept", "application/fhir+json").want(200)
	if a, b := members(doc.Root()), members(got.doc.Root()); !maps.Equal(a, b) {
		t.Errorf("%s is not what it was: %s", path, got.Body)
	}
	xml := s.do(t, "GET", path+"?_format=xml", "").want(200)
	pretty := s.do(t, "GET", path+"?_format=xml&_pretty=true", "").want(200)
	if again, err := r4.ParseXML(pretty.Body.Bytes()); err != nil || !bytes.Equal(canonical(nil, doc.Root(), true), canonical(nil, again.Root(), true)) {
		t.Errorf("%s in XML with indents: %v", path, err)
	}
	twin, err := r4.ParseXML(xml.Body.Bytes())
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	if a, b := canonical(nil, doc.Root(), true), canonical(nil, twin.Root(), true); !bytes.Equal(a, b) {
		t.Errorf("%s in XML: %s\n%s", path, a, b)
	}
	if broken {
		return
	}
	back := s.do(t, "PUT", path, xml.Body.String(), "Content-Type", "application/fhir+xml").want(200)
	if back.doc != nil && !bytes.Equal(canonical(nil, doc.Root(), true), canonical(nil, back.doc.Root(), true)) {
		t.Errorf("%s sent as XML: %s", path, back.Body)
	}
}

// Together sends the official examples as one transaction, as JSON, and again
// as XML: what is stored says the same.
func Together(t *testing.T, open store.Store) {
	s := newSite(t, open, func(c *rest.Config) { c.Loose = true })
	var entries [][4]string
	docs := map[string]*r4.Doc{}
	for _, src := range examples(t) {
		doc, err := r4.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		issues, err := s.config.Check.Check(t.Context(), doc, validate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if path := doc.Type() + "/" + doc.ID(); !validate.Failed(issues) && docs[path] == nil {
			docs[path] = doc
			entries = append(entries, [4]string{"PUT " + path, "", "", string(src)})
		}
	}
	body := bundle("transaction", entries...)
	r := s.do(t, "POST", "", body).want(200)
	if n := len(slices.Collect(r.doc.Root().Get("entry").Elems())); n != len(entries) || n < 680 {
		t.Fatalf("%d entries answered of %d", n, len(entries))
	}
	for path, doc := range docs {
		got := s.do(t, "GET", path, "", "Accept", "application/fhir+json").want(200).has("meta.versionId", "1")
		if !maps.Equal(members(doc.Root()), members(got.doc.Root())) {
			t.Errorf("%s is not what it was: %s", path, got.Body)
		}
	}
	whole, err := r4.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	xml, err := whole.AppendXML(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.do(t, "POST", "", string(xml), "Content-Type", "application/fhir+xml", "Accept", "application/fhir+json").want(200).has("entry.0.response.status", "200 OK")
	for path, doc := range docs {
		got := s.do(t, "GET", path, "", "Accept", "application/fhir+json").want(200)
		if a, b := canonical(nil, doc.Root(), true), canonical(nil, got.doc.Root(), true); !bytes.Equal(a, b) {
			t.Errorf("%s in XML: %s\n%s", path, a, b)
		}
	}
}

// members are the texts of a resource's members, without what the server writes.
func members(n r4.Node) map[string]string {
	out := map[string]string{}
	for name, v := range n.Members() {
		if name != "meta" {
			out[name] = string(v.Raw())
			continue
		}
		for name, v := range v.Members() {
			if name != "versionId" && name != "lastUpdated" {
				out["meta."+name] = string(v.Raw())
			}
		}
	}
	return out
}

// canonical writes a value with its members in order of name; numbers keep their text.
func canonical(b []byte, n r4.Node, top bool) []byte {
	switch n.Kind() {
	case r4.Map:
		all := map[string]r4.Node{}
		for name, v := range n.Members() {
			all[name] = v
		}
		b = append(b, '{')
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if top && name == "meta" {
				continue
			}
			b = append(append(append(b, '\n'), name...), ' ')
			b = canonical(b, all[name], false)
		}
		return append(b, '}')
	case r4.Array:
		b = append(b, '[')
		for v := range n.Elems() {
			b = append(canonical(b, v, false), ',')
		}
		return append(b, ']')
	case r4.String:
		return strconv.AppendQuote(b, strings.ReplaceAll(n.Text(), "\r\n", "\n"))
	}
	return append(b, n.Raw()...)
}
