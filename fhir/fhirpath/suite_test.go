package fhirpath

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// suiteCase is a case of FHIR/fhir-test-cases, r4/fhirpath.
type suiteCase struct {
	ID, InputFile, Expression, Invalid, Mode string
	Outputs                                  []struct{ Type, Value string }
	Ordered                                  *bool
	Predicate                                bool
}

// listed are the cases of the suite that contradict the specification, with what it says.
var listed = map[string]string{
	"testPlus/testPlusDate19": `N1 §6.7.1: "For precisions above seconds, the decimal portion of the time-valued quantity is ignored": of seconds it is not.` +
		` The suite of R5 expects .100 of the same expression.`,
	"HighBoundary/HighBoundaryDateTimeMillisecond1": highHour,
	"HighBoundary/HighBoundaryDateTimeMillisecond3": highHour,
}

const highHour = `FHIRPath 2.1 highBoundary(): "The greatest possible value of the input to the specified precision", with the example` +
	` "@2014-01-01T08.highBoundary(17) // @2014-01-01T08:59:59.999"; the suite leaves the minutes at 00.`

func suiteDir() string {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	return filepath.Join(dir, "fhirpath")
}

func readSuite() (cases []suiteCase, err error) {
	f, err := os.Open(filepath.Join(suiteDir(), "cases.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		var c suiteCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			return nil, err
		}
		c.InputFile = strings.TrimSuffix(strings.TrimSuffix(c.InputFile, ".xml"), ".json")
		cases = append(cases, c)
	}
	return cases, s.Err()
}

func suite(t testing.TB) (cases []suiteCase, docs map[string]*r4.Doc) {
	cases, err := readSuite()
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the conformance data is not beside the project: %v", err)
		}
		t.Skipf("the conformance data is not beside the project: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	docs = map[string]*r4.Doc{"": nil}
	for _, c := range cases {
		if _, ok := docs[c.InputFile]; ok {
			continue
		}
		src, err := os.ReadFile(filepath.Join(suiteDir(), "input", c.InputFile+".json"))
		if err != nil {
			t.Fatal(err)
		}
		if docs[c.InputFile], err = r4.Parse(src); err != nil {
			t.Fatalf("%s: %v", c.InputFile, err)
		}
	}
	return cases, docs
}

func TestSuite(t *testing.T) {
	cases, docs := suite(t)
	passed, seen := 0, map[string]bool{}
	for _, c := range cases {
		err := c.run(docs[c.InputFile])
		reason, isListed := listed[c.ID]
		seen[c.ID] = true
		switch {
		case err == nil && isListed:
			t.Errorf("%s passes now: take it off the list", c.ID)
		case err == nil:
			passed++
		case !isListed:
			t.Errorf("%s: %s: %v", c.ID, c.Expression, err)
		default:
			t.Logf("listed: %s: %s: %v (%s)", c.ID, c.Expression, err, reason)
		}
	}
	for id := range listed {
		if !seen[id] {
			t.Errorf("%s is listed but not in the suite", id)
		}
	}
	t.Logf("FHIRPath suite of R4: %d of %d pass, %d listed", passed, len(cases), len(listed))
	if len(cases) != 935 {
		t.Errorf("%d cases", len(cases))
	}
}

func (c suiteCase) run(d *r4.Doc) error {
	got, err := evaluate(c.Expression, d)
	if c.Invalid != "" {
		if err == nil {
			return fmt.Errorf("no error, but %v", got)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if c.Predicate { // as a truth value
		truth := len(got) > 0
		if len(got) == 1 {
			if b, ok := got[0].value().(bool); ok {
				truth = b
			}
		}
		if truth != (len(c.Outputs) > 0 && c.Outputs[0].Value != "false") {
			return fmt.Errorf("%v", got)
		}
		return nil
	}
	var have, want []string
	for _, i := range got {
		have = append(have, i.Text())
	}
	for _, o := range c.Outputs {
		want = append(want, strings.TrimPrefix(strings.TrimPrefix(o.Value, "@"), "T"))
	}
	if c.Ordered != nil && !*c.Ordered {
		slices.Sort(have)
		slices.Sort(want)
	}
	if !slices.Equal(have, want) {
		return fmt.Errorf("%q, want %q", have, want)
	}
	for k, o := range c.Outputs {
		if o.Type != "" && plainType(got[k].TypeName()) != plainType(o.Type) {
			return fmt.Errorf("type %s, want %s", got[k].TypeName(), o.Type)
		}
	}
	return nil
}

func plainType(s string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(s, "System."), "FHIR."))
}

func evaluate(src string, d *r4.Doc) ([]Item, error) {
	e, err := Compile(src)
	if err != nil {
		return nil, err
	}
	var focus Item
	if d != nil {
		focus = Root(d)
	}
	return e.Run(context.Background(), focus, nil)
}
