package scan

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestTidy(t *testing.T) {
	for text, want := range map[string]struct {
		text    string
		repairs []Repair
	}{
		"": {"", nil}, "a|b": {"a|b", nil}, " a|b\r\n": {"a|b", []Repair{FrameDropped}}, "]Q1a|b": {"a|b", []Repair{FrameDropped}}, "]Q": {"]Q", nil}, "]Q9a|b": {"]Q9a|b", nil},
		"aabb": {"aabb", nil}, "1122334455667788||990011": {"12345678|901", []Repair{UndoneDouble}}, "a¦b": {"a|b", []Repair{BarsRestored}}, "a¦b|c": {"a¦b|c", nil},
		"0123456789|A0123456789|A": {"0123456789|A", []Repair{OneOfTwoScans}}, "x|y\nx|y\n": {"x|y", []Repair{FrameDropped, OneOfTwoScans}}, "x|y\nx|z": {"x|y\nx|z", nil},
		"NGUYá»„N": {"NGUYỄN", []Repair{UTF8Restored}}, "Ã": {"Ã", nil}, "NGUYỄN": {"NGUYỄN", nil}, "hoa\u0300": {"hoà", []Repair{MarksComposed}},
	} {
		got, repairs := Tidy(text)
		if got != want.text || !slices.Equal(repairs, want.repairs) {
			t.Errorf("%q: %q %v", text, got, repairs)
		}
	}
	if !Lost("NGUY?N") || !Lost("a\ufffd") || Lost("NGUYỄN") {
		t.Error("lost letters are told wrongly")
	}
}

// TestVietnameseIsLeft: a text of Vietnamese words is never taken for damage.
func TestVietnameseIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := "001|" + rapid.StringOfN(rapid.RuneFrom([]rune("AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXYÀÁẠẢÃẾỄỆỐỘỚỨỰỲÝ aăâđêôơưàáảãạ,0123456789")), 1, 40, -1).Draw(t, "text") + "|x"
		if got, repairs := Tidy(s); got != s {
			t.Fatalf("%q became %q by %v", s, got, repairs)
		}
	})
}
