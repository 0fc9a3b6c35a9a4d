package validate

import (
	"runtime/debug"
	"slices"
	"testing"

	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/r4"
)

// TestNoAllocation: what is right costs no memory.
func TestNoAllocation(t *testing.T) {
	if raced() {
		t.Skip("the race detector lets pools forget what they hold")
	}
	docs := right(t)
	for range 2 {
		for _, d := range docs {
			Structure(d) // the tables and the buffers of the types used are made
		}
	}
	bad := 0
	for _, d := range docs {
		if n := testing.AllocsPerRun(3, func() { Structure(d) }); n >= 1 {
			bad++
			if bad < 10 {
				t.Errorf("%s/%s: %v allocations", d.Type(), d.ID(), n)
			}
		}
	}
}

func raced() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// right are the official examples without any issue.
func right(t testing.TB) (out []*r4.Doc) {
	for _, d := range examples(t) {
		if len(Structure(d)) == 0 {
			out = append(out, d)
		}
	}
	return out
}

// BenchmarkExamples compares the check with the reading of the same 700 resources.
func BenchmarkExamples(b *testing.B) {
	docs := right(b)
	size := 0
	for _, d := range docs {
		size += len(d.Source())
	}
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, d := range docs {
				if _, err := r4.Parse(d.Source()); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("check", func(b *testing.B) { // invariants, extensions and the profiles of meta.profile on top
		v := over()
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, d := range docs {
				if _, err := v.Check(b.Context(), d, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(docs)), "µs/resource")
	})
	b.Run("structure", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, d := range docs {
				if Structure(d) != nil {
					b.Fatal("an issue")
				}
			}
		}
	})
}

// BenchmarkSummary holds a patient summary of some fifty resources against the profiles of IPS.
func BenchmarkSummary(b *testing.B) {
	v := overIPS()
	d, err := r4.Parse(ipsFiles(b)["Bundle-bundle-ips-all-sections.json"])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(d.Source())))
	for b.Loop() {
		issues, err := v.Check(b.Context(), d, Options{Profiles: []string{ips.Bundle}})
		if err != nil || Failed(issues) {
			b.Fatal(err, issues)
		}
	}
}
