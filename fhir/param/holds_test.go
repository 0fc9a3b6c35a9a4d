package param

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

var noon = time.Date(2026, 6, 30, 5, 0, 0, 0, time.UTC)

// holds asks a query of one resource.
func holds(t testing.TB, d *r4.Doc, query string) (bool, error) {
	t.Helper()
	v, err := url.ParseQuery(strings.NewReplacer("+", "%2B", "|", "%7C", " ", "%20", ";", "%3B").Replace(query))
	if err != nil {
		t.Fatal(err)
	}
	q, err := Official().Parse(d.Type(), v, Options{Now: noon})
	if err != nil {
		return false, err
	}
	return Official().Meets(q, d, Meta{d.ID(), time.Date(2026, 3, 10, 1, 0, 0, 5e6, time.UTC)}, nil)
}

// TestHolds reads testdata/holds.txt: a resource, then what is true of it and what is not.
func TestHolds(t *testing.T) {
	text, err := os.ReadFile("testdata/holds.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var d *r4.Doc
	for i, line := range strings.Split(string(text), "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
			continue
		case "resource":
			d = doc(t, rest)
			continue
		}
		n++
		ok, err := holds(t, d, rest)
		got := map[bool]string{true: "yes", false: "no"}[ok]
		if err != nil {
			got = string(outcome.KindOf(err))
		}
		if got != word {
			t.Errorf("line %d: %s: %s, want %s (%v)", i+1, rest, got, word, err)
		}
	}
	if n < 250 {
		t.Errorf("%d cases", n)
	}
}

// conformance opens a file of the suites beside the project.
func conformance(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		if os.Getenv("CI") == "true" || os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
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
	return all
}

// asking writes queries that a value must meet: key and text.
func asking(v Value) (out [][2]string) {
	add := func(modifier, text string) {
		if modifier != "" {
			modifier = ":" + modifier
		}
		out = append(out, [2]string{v.Param + modifier, text})
	}
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
	switch v.Kind {
	case Token:
		if v.Code != "" {
			add("", escape(v.Code))
			add("", escape(v.System)+"|"+escape(v.Code))
		}
		if v.System != "" {
			add("", escape(v.System)+"|")
		}
		if v.Text != "" {
			add("text", escape(v.Text))
		}
		for _, o := range v.OfType {
			s, c, _ := strings.Cut(o, "|")
			add("of-type", escape(s)+"|"+escape(c)+"|"+escape(v.Code))
		}
	case String:
		add("", escape(v.Text))
		add("exact", escape(v.Text))
		add("contains", escape(v.Text))
	case Date:
		if v.Lo != Earliest {
			add("", "sa"+at(v.Lo-1))
			add("", "ge"+at(v.Lo))
			add("", "gt"+at(v.Lo-1))
		}
		if v.Hi != Latest {
			add("", "eb"+at(v.Hi))
			add("", "le"+at(v.Hi))
			add("", "lt"+at(v.Hi))
		}
	case Reference:
		switch {
		case v.ID != "":
			add("", v.Type+"/"+v.ID)
			add(v.Type, v.ID)
		case v.Text != "":
			add("", escape(v.Text))
		default:
			add("identifier", escape(v.System)+"|"+escape(v.Code))
		}
	case Number, Quantity:
		if v.OpenLo || v.OpenHi || !v.NumLo.Equal(v.NumHi) {
			add("", "ge"+v.NumLo.String())
			add("", "le"+v.NumHi.String())
			return out
		}
		unit := ""
		if v.Code != "" {
			unit = "|" + escape(v.System) + "|" + escape(v.Code)
			add("", v.Num.String()+"||"+escape(v.Code))
		}
		for _, p := range []string{"", "ap", "ge", "le"} {
			add("", p+v.Num.String()+unit)
			add("", p+v.Num.String())
		}
	case URI:
		add("", escape(v.Text))
		if !strings.HasPrefix(v.Text, "urn:") {
			add("below", escape(v.Text))
			add("above", escape(v.Text)+"/more")
		}
	case Composite:
		combos := []string{""}
		for i, p := range v.Parts {
			texts := asking(p)
			if len(texts) == 0 {
				return nil
			}
			text := ""
			for _, x := range texts {
				if !strings.Contains(x[0], ":") {
					text = x[1]
					break
				}
			}
			if text == "" {
				return nil
			}
			if i > 0 {
				combos[0] += "$"
			}
			combos[0] += text
		}
		add("", combos[0])
	case Special:
		add("", fmt.Sprintf("%v|%v|1|m", v.Lat, v.Long))
	}
	add("missing", "false")
	return out
}

// TestExamplesHold: of each official example, each query made from one of its
// values holds, its contrary does not, and reading Self again gives the same.
func TestExamplesHold(t *testing.T) {
	n, kinds := 0, map[Kind]int{}
	for line := range bytes.Lines(conformance(t, "r4-examples/examples.ndjson.gz")) {
		d, err := r4.Parse(bytes.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		values, err := Extract(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			for _, a := range asking(v) {
				q, err := Official().Parse(d.Type(), url.Values{a[0]: {a[1]}}, Options{Now: noon})
				if err != nil {
					if strings.TrimSpace(strings.Trim(a[1], ".-_*?!")) == "" || v.Kind == Date || v.Kind == Reference && outcome.KindOf(err) != outcome.Exception || v.Kind == String {
						continue
					}
					t.Errorf("%s %s?%s=%s: %v", d.ID(), d.Type(), a[0], a[1], err)
					continue
				}
				ok, err := Official().Holds(q.Where[0], d.Type(), values)
				if err != nil || !ok {
					t.Errorf("%s %s?%s=%s: %v %v", d.ID(), d.Type(), a[0], a[1], ok, err)
				}
				n++
				kinds[v.Kind]++
				again, err := Official().Parse(d.Type(), q.Self(), Options{Now: noon})
				if err != nil || !reflect.DeepEqual(q, again) {
					t.Errorf("%s?%s=%s: Self %s gives %+v %v", d.Type(), a[0], a[1], q.Self().Encode(), again, err)
				}
				if v.Kind == Token && !strings.Contains(a[0], ":") {
					q.Where[0].Modifier = "not"
					if ok, err := Official().Holds(q.Where[0], d.Type(), values); err != nil || ok {
						t.Errorf("%s?%s:not=%s: %v %v", d.Type(), a[0], a[1], ok, err)
					}
				}
			}
		}
	}
	t.Log(n, kinds)
	if n < 27000 || len(kinds) < 9 {
		t.Errorf("%d queries of %d kinds", n, len(kinds))
	}
}
