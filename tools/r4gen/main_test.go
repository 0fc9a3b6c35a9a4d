package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestTablesAreCurrent: the tables that package r4 embeds are what the official package gives.
func TestTablesAreCurrent(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../shared/conformance"
	}
	want, err := tables(filepath.Join(dir, "spec-packages", "hl7.fhir.r4.core-4.0.1.tgz"))
	if errors.Is(err, fs.ErrNotExist) {
		if os.Getenv("CI") == "true" {
			t.Fatal("the official package is not there")
		}
		t.Skip("the official package is not beside the project (YTSO_CONFORMANCE)")
	}
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.ReadFile("../../fhir/r4/tables.zst")
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	got, err := dec.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("fhir/r4/tables.zst is not what tools/r4gen makes: run it")
	}
}
