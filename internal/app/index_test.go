package app

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)

// TestIndex holds spec/index.txt against the code: each line names a place
// that exists, and each line called done a test that exists.
func TestIndex(t *testing.T) {
	root := filepath.Join("..", "..")
	f, err := os.Open(filepath.Join(root, "spec", "index.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done, seen := 0, map[string]bool{}
	for n, lines := 1, bufio.NewScanner(f); lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		col := strings.Split(line, "|")
		for i := range col {
			col[i] = strings.TrimSpace(col[i])
		}
		if len(col) != 5 {
			t.Errorf("line %d: %d columns, want: name | what | status | where | test", n, len(col))
			continue
		}
		if seen[col[0]] {
			t.Errorf("line %d: %s stands twice", n, col[0])
		}
		seen[col[0]] = true
		switch col[2] {
		case "done", "part":
			if _, err := os.Stat(filepath.Join(root, col[3])); err != nil {
				t.Errorf("line %d: %s: %v", n, col[0], err)
			}
			if col[2] == "done" {
				done++
				if !hasTest(t, root, col[4]) {
					t.Errorf("line %d: %s is called done, but there is no test %s", n, col[0], col[4])
				}
			}
		case "open":
		default:
			t.Errorf("line %d: status %q, want done, part or open", n, col[2])
		}
	}
	if done == 0 {
		t.Error("nothing is done")
	}
}

// hasTest finds "folder:TestName".
func hasTest(t *testing.T, root, name string) bool {
	dir, fn, ok := strings.Cut(name, ":")
	if !ok {
		return false
	}
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range testFunc.FindAllSubmatch(text, -1) {
			if string(m[1]) == fn {
				return true
			}
		}
	}
	return false
}
