package synth

import "testing"

// TestFacilities: every sender of a file is in the list, once, with a name and a level.
func TestFacilities(t *testing.T) {
	p := New(Options{People: 40})
	known := map[string]Facility{}
	for _, f := range p.Facilities() {
		if known[f.Code] != (Facility{}) || f.Name == "" {
			t.Errorf("%+v", f)
		}
		known[f.Code] = f
	}
	levels := map[string]int{}
	for f := range p.Files() {
		if known[f.Facility].Name == "" {
			t.Fatalf("%s is sent by a facility that is not listed", f.Name)
		}
		levels[known[f.Facility].Level]++
	}
	if levels["province"] == 0 || levels["district"] == 0 || levels["station"] == 0 || len(levels) != 3 {
		t.Errorf("levels of the files: %v", levels)
	}
}
