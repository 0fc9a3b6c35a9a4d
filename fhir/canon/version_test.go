package canon

import "testing"

func TestCompare(t *testing.T) {
	order := []string{"", "0.9", "1.0.0-ballot", "1.0.0-ballot2", "1.0.0", "1.9.2", "1.10.0", "2024-07-01", "2025-01-01", "2025-07-01", "2025-07-02"}
	for i, a := range order {
		for j, b := range order {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := Compare(a, b); got != want {
				t.Errorf("%q against %q: %d", a, b, got)
			}
		}
	}
	if Compare("1.0.0+a", "1.0.0+b") != 0 || Compare("R4", "R5") >= 0 {
		t.Error("builds or names")
	}
}
