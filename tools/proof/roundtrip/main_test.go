package main

import (
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim"
)

// TestNothingIsLost: a small part of the recorded proof.
func TestNothingIsLost(t *testing.T) {
	p, err := prove(synth.Options{People: 18, Until: time.Date(2025, 10, 1, 0, 0, 0, 0, claim.VietNam)}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	p.write(&out)
	if p.lost > 0 || p.failed > 0 || p.clean < 100 || p.spoilt < 40 || len(p.tables) < 8 {
		t.Error(out.String())
	}
}

// TestADifferenceIsSeen: a field that comes back otherwise, and one that does not come back, count.
func TestADifferenceIsSeen(t *testing.T) {
	p := &proof{tables: map[string]*table{}}
	a := &claim.HOSO{XML1: &claim.XML1{MA_LK: "1", HO_TEN: "Nguyễn Văn Ví Dụ", GHI_CHU: "x"}}
	p.compare("same", a, &claim.HOSO{XML1: &claim.XML1{MA_LK: "1", HO_TEN: "Nguyễn Văn Ví Dụ ", GHI_CHU: "x"}})
	if p.lost != 0 || p.tables["XML1"].fields != 3 {
		t.Errorf("%d lost, %+v", p.lost, p.tables["XML1"])
	}
	p.compare("other", a, &claim.HOSO{XML1: &claim.XML1{MA_LK: "1", HO_TEN: "Nguyễn Văn"}})
	if p.lost < 2 || len(p.examples) < 2 {
		t.Errorf("%d lost, %q", p.lost, p.examples)
	}
}
