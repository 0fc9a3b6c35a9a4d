package app

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/ytso/ytso/"

// may says which of our packages a package may import (HOUSE.md, import
// table). The first matching prefix rules; "=" names a package exactly.
// fhir/outcome, fhir/decimal and fhir/fold are the ground: everyone may.
var may = []struct {
	pkg     string
	imports []string
}{
	{"fhir/outcome", nil},
	{"fhir/decimal", nil},
	{"fhir/fold", nil},
	{"fhir/r4", nil},
	{"fhir/ucum", nil},
	{"fhir/fhirpath", []string{"fhir/r4", "fhir/ucum"}},
	{"fhir/canon", []string{"fhir/r4"}},
	{"fhir/pack", []string{"fhir/r4", "fhir/canon"}},
	{"fhir/core", []string{"fhir/r4", "fhir/canon"}}, // tables of definitions
	{"fhir/ips", []string{"fhir/r4", "fhir/canon"}},
	{"fhir/param", []string{"fhir/r4", "fhir/fhirpath", "fhir/ucum"}},
	{"fhir/patch", []string{"fhir/r4", "fhir/fhirpath"}},
	{"fhir/view", []string{"fhir/r4", "fhir/fhirpath"}},
	{"fhir/validate", []string{"fhir/r4", "fhir/fhirpath", "fhir/term", "fhir/canon", "fhir/ucum"}},
	{"fhir/term", []string{"fhir/r4", "fhir/fhirpath", "fhir/canon", "fhir/ucum"}},
	{"fhir/store", []string{"fhir/r4", "fhir/fhirpath", "fhir/canon", "fhir/param", "fhir/validate", "fhir/term", "fhir/store"}},
	{"fhir/rest", []string{"fhir/r4", "fhir/fhirpath", "fhir/canon", "fhir/param", "fhir/patch", "fhir/validate", "fhir/term", "fhir/store", "fhir/rest"}},
	{"fhir/op", []string{"fhir/"}},
	{"spec", nil},
	{"vn/law", []string{"spec"}},
	{"vn/claim/fhirmap", []string{"vn/claim", "vn/law", "vn/person", "vn/addr", "fhir/r4"}},
	{"=vn/profile", []string{"vn/law", "vn/claim/fhirmap/element", "fhir/r4", "fhir/canon"}}, // our own profiles and lists
	{"vn/claim/check", []string{"vn/", "spec"}},
	{"vn/claim", []string{"vn/claim"}},
	{"vn/", []string{"vn/law", "vn/addr", "vn/person", "vn/scan"}},
	{"internal/platform/", []string{"internal/platform/"}},
	{"internal/synth/fault", nil}, // plants faults on finished bytes: it must know no rule and no codec
	{"internal/synth", []string{"vn/", "internal/synth"}},
	{"internal/sqlstore", []string{"fhir/", "internal/platform/", "internal/sqlstore"}},
	{"internal/trust", []string{"fhir/", "internal/platform/", "internal/trust"}},
	{"=internal/room", []string{"internal/platform/"}},
	{"internal/room/", []string{"fhir/", "vn/", "internal/platform/", "internal/trust", "=internal/room", "SELF"}},
	{"internal/edge", []string{"fhir/", "vn/", "internal/platform/", "internal/trust"}},
	{"internal/app", []string{"fhir/", "vn/", "internal/"}},
	{"cmd/", []string{"internal/app", "fhir/", "vn/"}},
	{"=tools/witness", nil}, // shares no code with the server that it watches
	{"tools/", []string{"fhir/", "vn/", "internal/", "tools/", "spec"}},
}

var ground = []string{"fhir/outcome", "fhir/decimal", "fhir/fold"}

func TestImportsPointDown(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if n := d.Name(); n == ".git" || n == "testdata" || n == "docs" || n == "spec" {
			return filepath.SkipDir
		}
		p, err := build.ImportDir(path, 0)
		if err != nil {
			if _, ok := err.(*build.NoGoError); ok {
				return nil
			}
			return err
		}
		rel, _ := filepath.Rel(root, path)
		seen++
		for _, imp := range p.Imports {
			if to, ours := strings.CutPrefix(imp, module); ours && !allowed(filepath.ToSlash(rel), to) {
				t.Errorf("%s must not import %s", rel, to)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 10 {
		t.Fatalf("only %d packages seen from %s", seen, mustGetwd())
	}
}

func mustGetwd() string { d, _ := os.Getwd(); return d }

func allowed(from, to string) bool {
	for _, g := range ground {
		if to == g {
			return true
		}
	}
	for _, rule := range may {
		if !match(rule.pkg, from) {
			continue
		}
		for _, ok := range rule.imports {
			if ok == "SELF" && strings.HasPrefix(to+"/", roomOf(from)+"/") || match(ok, to) {
				return true
			}
		}
		return false
	}
	return false
}

// roomOf gives "internal/room/x" of any package inside that room.
func roomOf(pkg string) string {
	parts := strings.SplitN(pkg, "/", 4)
	if len(parts) < 3 {
		return pkg
	}
	return strings.Join(parts[:3], "/")
}

func match(pattern, pkg string) bool {
	if exact, ok := strings.CutPrefix(pattern, "="); ok {
		return pkg == exact
	}
	return pkg == pattern || strings.HasPrefix(pkg, strings.TrimSuffix(pattern, "/")+"/")
}

func TestImportTableRefuses(t *testing.T) {
	for _, bad := range [][2]string{
		{"internal/room/book", "internal/room/claims"}, {"internal/room/book", "internal/sqlstore"}, {"fhir/r4", "fhir/store"},
		{"internal/synth/fault", "vn/claim/check"}, {"vn/claim", "fhir/r4"}, {"internal/platform/db", "fhir/store"}, {"newcomer", "fhir/r4"},
	} {
		if allowed(bad[0], bad[1]) {
			t.Errorf("the table lets %s import %s", bad[0], bad[1])
		}
	}
}
