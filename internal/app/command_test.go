package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func call(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(t.Context(), args, Streams{Out: &o, Err: &e})
	return code, o.String(), e.String()
}

// TestGenerateThenCheck: what generate writes, check passes; what it spoils, check refuses.
func TestGenerateThenCheck(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "province")
	if code, out, errs := call(t, "generate", "--people", "18", "--until", "2025-09-30", "--out", dir, "--faults"); code != 0 {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if code, out, errs := call(t, "check", "--at", "2025-10-01", filepath.Join(dir, "claims")); code != 0 {
		t.Errorf("clean files: exit %d: %.2000s%s", code, out, errs)
	}
	code, out, _ := call(t, "check", "--at", "2025-10-01", filepath.Join(dir, "faults", "medicine-amount"))
	if code != 1 || !strings.Contains(out, "error COST-001") || !strings.Contains(out, "not checked, no facilities: ID-015") {
		t.Errorf("spoilt files: exit %d: %s", code, out)
	}
	list, err := os.ReadFile(filepath.Join(dir, "faults", "faults.jsonl"))
	if err != nil || bytes.Count(list, []byte("\n")) < 200 {
		t.Errorf("the list of faults: %v, %d lines", err, bytes.Count(list, []byte("\n")))
	}
	if code, _, errs := call(t, "generate", "--out", dir); code != 2 || !strings.Contains(errs, "not empty") {
		t.Errorf("into a folder that is not empty: exit %d: %s", code, errs)
	}
}

// TestWrongCalls: exit code 2 and a word that helps.
func TestWrongCalls(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"fly"}, "no command"}, {[]string{"check"}, "needs a file"}, {[]string{"check", "--at", "1/1/2026", "x"}, "yyyy-mm-dd"},
		{[]string{"check", "--fast", "x"}, "not defined"}, {[]string{"generate"}, "--out"}, {[]string{"help", "fly"}, "no command"},
	} {
		if code, _, errs := call(t, c.args...); code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, %q", c.args, code, errs)
		}
	}
	if code, _, errs := call(t, "check", filepath.Join(t.TempDir(), "no.xml")); code != 1 || errs == "" {
		t.Errorf("a file that is not there: exit %d, %q", code, errs)
	}
	for _, c := range commands() {
		code, out, _ := call(t, "help", c.name)
		if _, all, _ := call(t, "help"); code != 0 || !strings.Contains(out, c.summary) || !strings.Contains(all, c.name) {
			t.Errorf("help %s: exit %d, %q", c.name, code, out)
		}
	}
}
