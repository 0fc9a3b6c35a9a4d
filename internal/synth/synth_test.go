package synth

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

func encode(t *testing.T, p *Province) (out []byte, n int) {
	t.Helper()
	for f := range p.Files() {
		b, err := claim.Encode(f.Claim)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, f.Name...), b...)
		n++
	}
	return out, n
}

// TestSameSeedSameBytes: options decide every byte; another seed is another province.
func TestSameSeedSameBytes(t *testing.T) {
	a, n := encode(t, New(Options{People: 40}))
	b, _ := encode(t, New(Options{People: 40}))
	if !bytes.Equal(a, b) {
		t.Error("the same options gave other bytes")
	}
	if c, _ := encode(t, New(Options{People: 40, Seed: 2})); bytes.Equal(a, c) {
		t.Error("another seed gave the same bytes")
	}
	if n < 1000 {
		t.Errorf("%d files: the named persons alone have more", n)
	}
}

// TestFilesPassTheChecks: no rule that is implemented finds anything, each
// file reads back as it was made, and every field that the law demands without
// condition is filled.
func TestFilesPassTheChecks(t *testing.T) {
	last := time.Time{}
	files := 0
	for f := range New(Options{People: 300}).Files() {
		files++
		b, err := claim.Encode(f.Claim)
		if err != nil {
			t.Fatal(err)
		}
		got, err := claim.Decode(b, claim.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if len(got.HOSO[0].Problems) > 0 || !bytes.Equal(claim.Canonical(got.HOSO[0]), claim.Canonical(f.Claim.HOSO[0])) {
			t.Fatalf("%s does not read back: %v", f.Name, got.HOSO[0].Problems)
		}
		r := check.File(context.Background(), got, check.Options{At: f.Sent})
		for _, x := range r.Findings {
			t.Errorf("%s: %s %s %d %s: %s", f.Name, x.Rule, x.Table, x.Row, x.Field, x.VI)
		}
		for _, rec := range got.HOSO[0].Rows() {
			for i, field := range rec.Table().Fields {
				if field.Demand == claim.Required && rec.Get(i) == "" {
					t.Errorf("%s: %s.%s is blank", f.Name, rec.Table().Name, field.Name)
				}
			}
		}
		if f.Sent.Before(begin) {
			t.Errorf("%s is sent before the province begins", f.Name)
		}
		last = f.Sent
		if t.Failed() && files > 50 {
			t.FailNow()
		}
	}
	if last.After(DefaultUntil.AddDate(0, 0, 1)) {
		t.Errorf("the last file is of %s", last)
	}
}

// TestStories: the named persons live what the table says.
func TestStories(t *testing.T) {
	p := New(Options{People: 20})
	visits := map[string]int{}
	drugs := 0
	var hba []string
	papers := map[string]bool{}
	for f := range p.Files() {
		h := f.Claim.HOSO[0]
		visits[string(h.XML1.HO_TEN)]++
		drugs = max(drugs, len(h.XML2))
		for _, r := range h.Rows() {
			papers[r.Table().Name] = true
		}
		if h.XML1.MA_BENH_CHINH == "E11.9" && strings.HasSuffix(string(h.XML1.MA_BN), "0000002") {
			for _, x := range h.XML4 {
				if x.MA_CHI_SO == "HBA1C" {
					hba = append(hba, string(x.GIA_TRI))
				}
			}
		}
	}
	if n := len(p.plan(p.Person(10))); n != 1000 {
		t.Errorf("person 11 has %d visits, want 1000", n)
	}
	if n := len(p.plan(p.Person(2))); n < 40 {
		t.Errorf("person 3 has %d visits, want at least 40", n)
	}
	if drugs != 500 {
		t.Errorf("the longest list of medicines has %d lines, want 500", drugs)
	}
	if len(hba) < 10 || slices.Max(hba) != hba[0] && hba[0] < "9" || hba[len(hba)-1] > "7.5" {
		t.Errorf("HbA1c does not fall: %v", hba)
	}
	for _, table := range []string{"XML1", "XML2", "XML3", "XML4", "XML5", "XML6", "XML7", "XML8", "XML9", "XML10", "XML11", "XML13", "XML14", "XML15"} {
		if !papers[table] {
			t.Errorf("nobody has %s", table)
		}
	}
}
