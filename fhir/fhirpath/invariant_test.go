package fhirpath

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/r4"
)

type invariant struct {
	Key, Severity, Expression string
	compiled                  *Expression
}

// invariants are those of the official package, by the path of the element that defines its children.
func invariants(t *testing.T) map[string][]*invariant {
	f, err := os.Open(filepath.Join(suiteDir(), "..", "spec-packages", "hl7.fhir.r4.core-4.0.1.tgz"))
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the official package is not beside the project: %v", err)
		}
		t.Skipf("the official package is not beside the project: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]*invariant{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(filepath.Base(h.Name), "StructureDefinition-") {
			continue
		}
		var d struct {
			Derivation, Kind string
			Snapshot         struct {
				Element []struct {
					Path       string
					Constraint []*invariant
				}
			}
		}
		if err := json.NewDecoder(r).Decode(&d); err != nil {
			t.Fatalf("%s: %v", h.Name, err)
		}
		if d.Derivation == "constraint" || d.Kind == "logical" {
			continue
		}
		for _, e := range d.Snapshot.Element {
			for _, i := range e.Constraint {
				if i.Expression != "" {
					out[e.Path] = append(out[e.Path], i)
				}
			}
		}
	}
}

// odd are invariants and examples of R4 that contradict R4 itself.
var odd = map[string]string{
	"cid-0": "ChargeItemDefinition has no element name",
	"ras-1": "stands on a choice, but speaks of one of its types only",
	"que-7 Questionnaire.item.enableWhen Questionnaire/bb": "asks whether a FHIR.boolean is a System.Boolean, which it is not (suite: testType14)",
}

// TestInvariants: every invariant of R4 compiles, asks for no element that R4
// lacks, and holds of the official examples.
func TestInvariants(t *testing.T) {
	all, n := invariants(t), 0
	for path, list := range all {
		types := typesAt(path)
		for _, i := range list {
			n++
			var err error
			if i.compiled, err = Compile(i.Expression); err != nil {
				t.Errorf("%s %s: %v", path, i.Key, err)
				continue
			}
			for _, c := range types {
				if err := i.compiled.check(Item{class: c}); err != nil && odd[i.Key] == "" {
					t.Errorf("%s %s: %v", path, i.Key, err)
				}
			}
		}
	}
	if n < 5000 {
		t.Errorf("only %d invariants seen", n)
	}
	asked, failed, start := 0, map[string]int{}, time.Now()
	for d := range examples(t) {
		env := Env{Filters: true}
		walk(Root(d), &env, func(i Item) {
			if i.class == nil {
				return
			}
			for _, inv := range all[i.class.name] {
				if inv.Severity != "error" || odd[inv.Key] != "" {
					continue
				}
				asked++
				out, err := inv.compiled.Run(t.Context(), i, &env)
				switch {
				case err != nil:
					failed[inv.Key+" "+i.class.name+" "+d.Type()+"/"+d.ID()+": "+err.Error()]++
				case len(out) == 1 && out[0].v != true:
					failed[inv.Key+" "+i.class.name+" "+d.Type()+"/"+d.ID()]++
				}
			}
		})
	}
	for what, n := range failed {
		if odd[what] == "" {
			t.Errorf("%s (%d times)", what, n)
		}
	}
	if asked < 50_000 {
		t.Errorf("only %d invariants asked", asked)
	}
	t.Logf("%d invariants, asked %d times in %s", n, asked, time.Since(start))
}

// examples gives the official examples.
func examples(t *testing.T) iter.Seq[*r4.Doc] {
	f, err := os.Open(filepath.Join(suiteDir(), "..", "r4-examples", "examples.ndjson.gz"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*r4.Doc) bool) {
		s := bufio.NewScanner(z)
		s.Buffer(nil, 64<<20)
		for s.Scan() {
			d, err := r4.Parse(bytes.Clone(s.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			if !yield(d) {
				return
			}
		}
	}
}

// walk visits an item and what is below it, with the resource that each is in.
func walk(i Item, env *Env, f func(Item)) {
	before := *env
	if i.class != nil && i.class.resource {
		env.Resource = i
		if !before.Root.Node.Exists() || before.Root.class.name == "Bundle" {
			env.Root = i
		}
	}
	f(i)
	for _, c := range i.children(nil) {
		walk(c, env, f)
	}
	*env = before
}

// typesAt are the classes that an element may have.
func typesAt(path string) (out []*class) {
	e, ok := r4.ElementAt(path)
	if !ok {
		return nil
	}
	if c := classOf(path); len(c.fields) > 0 {
		return []*class{c}
	}
	for _, t := range e.Types {
		if c := classOf(t.Code); c != nil && !c.abstract {
			out = append(out, c)
		}
	}
	return out
}
