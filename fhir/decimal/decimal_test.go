package decimal

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseKeepsTextAndRefusesJunk(t *testing.T) {
	for _, s := range []string{"1.00", "-0.5", "1e2", "1.0E-3", "47.5", "0"} {
		d, err := Parse(s)
		if err != nil || d.String() != s {
			t.Errorf("Parse(%q) = %q, %v", s, d.String(), err)
		}
	}
	for _, s := range []string{"", " 1", "+1", ".5", "5.", "1,000", "NaN", "Infinity", "1e", "0x1", "1_0", strings.Repeat("9", 65), "1e999999999"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) accepted", s)
		}
	}
}

func TestRoundHalfUp(t *testing.T) {
	for in, want := range map[string]string{"1.005": "1.01", "2.675": "2.68", "-1.005": "-1.01", "1": "1.00", "0.004": "0.00"} {
		if got := MustParse(in).Round(2).String(); got != want {
			t.Errorf("Round(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(-1e15, 1e15).Draw(t, "a"), rapid.Int64Range(-1e15, 1e15).Draw(t, "b")
		x, y := FromInt(a), FromInt(b)
		if !x.Add(y).Sub(y).Equal(x) {
			t.Fatal("x+y-y != x")
		}
		if got, _ := x.Add(y).Int64(); got != a+b {
			t.Fatalf("%d+%d = %d", a, b, got)
		}
		if !x.Percent(FromInt(100)).Equal(x) {
			t.Fatal("100 percent of x is not x")
		}
	})
}
