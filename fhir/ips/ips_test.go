package ips

import (
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
)

func TestProfiles(t *testing.T) {
	table := New()
	list, err := table.List("StructureDefinition")
	if err != nil || len(list) < 29 {
		t.Fatalf("%d profiles, %v", len(list), err)
	}
	slices := 0
	for _, canonical := range list {
		url, version, _ := canon.Split(canonical)
		d, err := table.Find(t.Context(), "", url, version)
		if err != nil || d == nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		slices += strings.Count(string(d.Source()), `"slicing"`)
	}
	if slices < 20 {
		t.Errorf("%d slicings", slices)
	}
	if d, err := table.Find(t.Context(), "StructureDefinition", Bundle, ""); err != nil || !strings.Contains(string(d.Source()), "Composition-uv-ips") {
		t.Errorf("Bundle: %v", err)
	}
}
