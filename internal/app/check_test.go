package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestChecksOfHandWrittenFiles runs `ytso check` over small files written by
// hand from the words of the law. Each says why it is there and what must be
// found: nothing more and nothing less, among the groups that are implemented.
func TestChecksOfHandWrittenFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/law/*.txt")
	if err != nil || len(names) < 30 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			parts := map[string]string{}
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range ar.Files {
				parts[f.Name] = string(f.Data)
			}
			want := strings.Split(strings.TrimSpace(parts["expect"]), "\n")
			if want[0] == "clean" {
				want = nil
			}
			file := filepath.Join(t.TempDir(), "claim.xml")
			if err := os.WriteFile(file, []byte(parts["claim.xml"]), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			code := Main(t.Context(), []string{"check", "--json", "--at", "2026-03-12", file}, Streams{Out: &out, Err: &errs})
			var got checked
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
			}
			var found []string
			for _, f := range got.Findings {
				found = append(found, fmt.Sprintf("%s %s %s %s", f.Severity, f.Rule, f.Table, f.Field))
			}
			slices.Sort(found)
			slices.Sort(want)
			if !slices.Equal(slices.Compact(found), want) {
				t.Errorf("%s\ngot  %q\nwant %q", strings.TrimSpace(parts["why"]), found, want)
			}
			wantCode := 0
			for _, w := range want {
				if strings.HasPrefix(w, "error") {
					wantCode = 1
				}
			}
			if code != wantCode {
				t.Errorf("exit code %d, want %d", code, wantCode)
			}
			for _, f := range got.Findings {
				if strings.ContainsAny(f.VI+f.EN+f.MendVI, "{}") || f.VI == "" || f.EN == "" || f.MendVI == "" {
					t.Errorf("%s: a sentence has a hole: %q %q %q", f.Rule, f.VI, f.EN, f.MendVI)
				}
			}
		})
	}
}
