package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestTablesAreCurrent: the tables that packages term, core and ips embed are what the official packages give.
func TestTablesAreCurrent(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	core := filepath.Join(dir, "spec-packages", "hl7.fhir.r4.core-4.0.1.tgz")
	for _, c := range []struct {
		kind, from, file string
		most             int // bytes
	}{
		{"terms", core, "../../fhir/term/tables.zst", 400 << 10}, {"profiles", core, "../../fhir/core/tables.zst", 200 << 10},
		{"ips", filepath.Join(dir, "ips", "profiles"), "../../fhir/ips/tables.zst", 20 << 10},
	} {
		want, err := generate(c.kind, c.from)
		if errors.Is(err, fs.ErrNotExist) {
			if os.Getenv("CI") == "true" || os.Getenv("YTSO_TEST_REQUIRE") != "" {
				t.Fatal("the official package is not there")
			}
			t.Skip("the official package is not beside the project (YTSO_CONFORMANCE)")
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(c.file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what tools/canongen makes: run it", c.file)
		}
		if len(got) > c.most {
			t.Errorf("%s has %d bytes", c.file, len(got))
		}
	}
}
