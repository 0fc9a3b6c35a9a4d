package view

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"testing"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
)

// suite is a file of the published tests (FHIR/sql-on-fhir-v2, tests).
type suite struct {
	Title     string
	Resources []json.RawMessage
	Tests     []struct {
		Title         string
		View          json.RawMessage
		Expect        []map[string]any
		ExpectError   bool
		ExpectColumns []string
	}
}

func suites(t *testing.T) map[string]suite {
	t.Helper()
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "conformance")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "sql-on-fhir", "tests", "*.json"))
	if len(files) == 0 {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatalf("the SQL on FHIR tests must be in %s", dir)
		}
		t.Skipf("the SQL on FHIR tests are not beside the project (%s)", dir)
	}
	out := map[string]suite{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var s suite
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&s); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out[filepath.Base(f)] = s
	}
	return out
}

func TestSuite(t *testing.T) {
	n := 0
	for file, s := range suites(t) {
		for _, c := range s.Tests {
			n++
			t.Run(file+"/"+c.Title, func(t *testing.T) {
				v, rows, err := rowsOf(c.View, s.Resources)
				if (err != nil) != c.ExpectError {
					t.Fatalf("error %v, expected one: %v", err, c.ExpectError)
				}
				if err != nil {
					return
				}
				if got, want := texts(t, rows), texts(t, c.Expect); !slices.Equal(got, want) {
					t.Errorf("got  %s\nwant %s", got, want)
				}
				for i, name := range c.ExpectColumns {
					if len(v.Columns()) != len(c.ExpectColumns) || v.Columns()[i].Name != name {
						t.Errorf("columns %v, want %v", v.Columns(), c.ExpectColumns)
					}
				}
			})
		}
	}
	if n != 134 {
		t.Errorf("%d tests instead of 134", n)
	}
}

func rowsOf(def []byte, resources []json.RawMessage) (*View, []map[string]any, error) {
	v, err := Compile(def)
	if err != nil {
		return nil, nil, err
	}
	out := []map[string]any{}
	for _, res := range resources {
		d, err := r4.Parse(res)
		if err != nil {
			return nil, nil, err
		}
		for row, err := range v.Rows(context.Background(), d, Options{}) {
			if err != nil {
				return nil, nil, err
			}
			var m map[string]any
			dec := json.NewDecoder(bytes.NewReader(v.AppendRow(nil, row)))
			dec.UseNumber()
			if err := dec.Decode(&m); err != nil {
				return nil, nil, err
			}
			out = append(out, m)
		}
	}
	return v, out, nil
}

// texts writes rows with sorted names, sorted: their order does not matter.
func texts(t *testing.T, rows []map[string]any) []string {
	t.Helper()
	out := []string{}
	for _, r := range rows {
		for name, v := range r {
			if n, ok := v.(json.Number); ok { // 0.95000000 and 0.95 are one number
				r[name] = json.Number(decimal.MustParse(n.String()).Plain())
			}
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	sort.Strings(out)
	return out
}
