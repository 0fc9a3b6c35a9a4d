package r4

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

func TestNode(t *testing.T) {
	src := `{ "resourceType":"Patient", "id":"a","n":1.00, "given":["Ánh",null,"\u0110\ud83d\ude00\n"],"_given":[null,{"id":"x"},null],"active":true}`
	d, err := Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	r := d.Root()
	if d.Type() != "Patient" || d.ID() != "a" || r.Get("n").Text() != "1.00" || !r.Get("active").Bool() {
		t.Errorf("%s %s %s", d.Type(), d.ID(), r.Get("n").Text())
	}
	given := r.Get("given")
	if given.Len() != 3 || given.At(0).Text() != "Ánh" || given.At(1).Kind() != Null || given.At(2).Text() != "Đ😀\n" || given.At(3).Exists() {
		t.Errorf("given: %s", given.Raw())
	}
	if r.Get("x").Get("y").At(3).Text() != "" || r.Get("id").Len() != 0 {
		t.Error("what is absent stays absent")
	}
	var names []string
	for name := range r.Members() {
		names = append(names, name)
	}
	if strings.Join(names, " ") != "resourceType id n given _given active" {
		t.Errorf("order: %v", names)
	}
	n := 0
	for range r.Get("id").Elems() {
		n++
	}
	if n != 1 {
		t.Error("a single value is its own only item")
	}
}

// TestStrict: what FHIR R4 json.html forbids is an error with its place.
func TestStrict(t *testing.T) {
	for src, want := range map[string]string{
		``: "json.syntax", `{}`: "json.empty", `{"a":""}`: "json.empty", `{"a":[]}`: "json.empty", `{"a":{}}`: "json.empty", `{"a":null}`: "json.null",
		`{"a":[null]}`: "json.null", `{"a":1,"a":2}`: "json.duplicate", `{"a":01}`: "json.number", `{"a":1.}`: "json.number", `{"a":+1}`: "json.syntax",
		`{"a":NaN}`: "json.syntax", "{\"a\":\"\t\"}": "json.control", `{"a":"\x"}`: "json.syntax", `{"a":1,}`: "json.syntax", `{"a":1} 2`: "json.trailing",
		`{"a":"\u12"}`: "json.syntax", `{'a':1}`: "json.syntax", "{\"a\":\"\xff\"}": "json.utf8", "\ufeff{\"a\":1}": "json.syntax", `{"":1}`: "json.duplicate",
		strings.Repeat("[", 200): "json.depth", `{"a":"x`: "json.syntax", `{"a"`: "json.syntax", `{"a":tru}`: "json.syntax", `{"\u0061":1}`: "json.name",
	} {
		_, err := Parse([]byte(src))
		var e *outcome.Error
		if !errors.As(err, &e) || e.Key != want {
			t.Errorf("%.40q: %v, want %s", src, err, want)
		}
	}
	var wide strings.Builder
	for n := range 600 {
		fmt.Fprintf(&wide, `,"a%d":1`, n)
	}
	if _, err := Parse([]byte("{" + wide.String()[1:] + "}")); outcome.As(err).Key != "json.members" {
		t.Errorf("600 members: %v", err)
	}
	_, err := Parse([]byte("{\"name\":[{\"given\":[\"A\",\"B\"]},\n {\"given\":[\"\"]}]}"))
	e := outcome.As(err)
	if len(e.Expression) != 1 || e.Expression[0] != "name[1].given[0]" || !strings.Contains(e.EN, "line 2, column 12") {
		t.Errorf("%v", e)
	}
}

// official examples of R4, one a line; the test is skipped when they are not beside the project.
func examples(t testing.TB) [][]byte {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	f, err := os.Open(filepath.Join(dir, "r4-examples", "examples.ndjson.gz"))
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatal("the official examples are not there")
		}
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
	}
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
	out := slices.Collect(bytes.Lines(all))
	if len(out) != 721 {
		t.Fatalf("%d examples, want 721", len(out))
	}
	return out
}

// TestOfficialExamples: each official example of R4 parses, and says what encoding/json says.
func TestOfficialExamples(t *testing.T) {
	for n, line := range examples(t) {
		d, err := Parse(line)
		if err != nil {
			t.Errorf("example %d: %v", n+1, err)
			continue
		}
		if got, want := canonical(t, rebuild(d.Root(), nil)), canonical(t, line); !bytes.Equal(got, want) {
			t.Errorf("example %d: rebuilt from the tree it differs", n+1)
		}
	}
}

// rebuild writes a node anew from what the tree says of it.
func rebuild(n Node, b []byte) []byte {
	switch n.Kind() {
	case Map:
		b = append(b, '{')
		for name, m := range n.Members() {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(AppendString(b, name), ':')
			b = rebuild(m, b)
		}
		return append(b, '}')
	case Array:
		b = append(b, '[')
		for i := range n.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = rebuild(n.At(i), b)
		}
		return append(b, ']')
	case String:
		return AppendString(b, n.Text())
	}
	return append(b, n.Raw()...)
}

func canonical(t testing.TB, b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,null,{"b":"\u00e9"}]}`, `[1e5]`, `"x"`, `{"a":"\ud800"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q is not JSON", b)
		}
		if got, want := canonical(t, rebuild(d.Root(), nil)), canonical(t, b); !bytes.Equal(got, want) {
			t.Fatalf("%s is not %s", got, want)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	src := []byte(`{"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}]},` +
		`"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2026-03-10T08:00:00+07:00","valueQuantity":{"value":6.70,"unit":"%","system":"http://unitsofmeasure.org","code":"%"},` +
		`"referenceRange":[{"low":{"value":4.0},"high":{"value":6.0}}]}`)
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			if _, err := Parse(src); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			var v map[string]any
			if err := json.Unmarshal(src, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
