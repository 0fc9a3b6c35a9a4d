package person

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
)

func TestParseBirth(t *testing.T) {
	for text, want := range map[string]Birth{
		"12051985": {1985, 5, 12}, "051985": {1985, 5, 0}, "1985": {1985, 0, 0}, "12/05/1985": {1985, 5, 12}, "5/1985": {1985, 5, 0}, "1-5-1985": {1985, 5, 1}, "12.05.1985": {1985, 5, 12},
		"1985-05-12": {1985, 5, 12}, "1985-05": {1985, 5, 0}, "00001985": {1985, 0, 0}, "00051985": {1985, 5, 0}, "29022000": {2000, 2, 29}, "": {}, "  ": {}, " 1985 ": {1985, 0, 0},
	} {
		if got, err := ParseBirth(text); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
	for _, bad := range []string{"31021999", "29021999", "13/13/1985", "12001985", "85", "12/05/85", "19850512", "0", "x", "12/05/1985/1", "1799", "0000", "-1/05/1985", "+1/05/1985", "1985-05-12T00:00", "/", "٠١٠١١٩٩٠"} {
		if got, err := ParseBirth(bad); outcome.KindOf(err) != outcome.Value || got != (Birth{}) {
			t.Errorf("%q: %v %v", bad, got, err)
		}
	}
}

var anyBirth = rapid.Custom(func(t *rapid.T) Birth {
	b := Birth{Year: rapid.IntRange(1900, 2030).Draw(t, "year"), Month: rapid.IntRange(0, 12).Draw(t, "month")}
	if b.Month > 0 {
		b.Day = rapid.IntRange(0, 28).Draw(t, "day")
	}
	return b
})

func TestBirthReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := anyBirth.Draw(t, "birth")
		for _, text := range []string{b.String(), b.VI(), strings.ReplaceAll(b.VI(), "/", ""), strings.ReplaceAll(b.VI(), "/", "-")} {
			if got, err := ParseBirth(text); err != nil || got != b {
				t.Fatalf("%v as %q: %v %v", b, text, got, err)
			}
		}
		if b.Last().Before(b.First()) || b.Whole() != (b.First().Equal(b.Last())) || b.First().Year() != b.Year || b.Last().Year() != b.Year {
			t.Fatalf("%v: %v to %v", b, b.First(), b.Last())
		}
		c := anyBirth.Draw(t, "other")
		x, y := CompareBirth(b, c), CompareBirth(c, b)
		if x != y || x.VI() == "" || (x.Level >= Alike) != (!b.First().After(c.Last()) && !c.First().After(b.Last())) {
			t.Fatalf("%v and %v: %v, %v", b, c, x, y)
		}
	})
}

func TestCompareBirth(t *testing.T) {
	for _, c := range []struct{ a, b, key string }{
		{"12/05/1985", "12/05/1985", "birth.same"}, {"12/05/1985", "1985", "birth.as-far-as-known"}, {"1985", "1985", "birth.as-far-as-known"}, {"05/1985", "12/05/1985", "birth.as-far-as-known"},
		{"01/01/1985", "12/05/1985", "birth.january"}, {"05/12/1985", "12/05/1985", "birth.swapped"}, {"12/05/1985", "12/05/1986", "birth.one-digit"}, {"12/05/1985", "13/05/1985", "birth.one-digit"},
		{"12/05/1985", "20/11/1985", "birth.year"}, {"06/1985", "12/05/1985", "birth.year"}, {"12/05/1985", "12/05/2011", "birth.day-and-month"}, {"01/01/1985", "01/01/1960", "birth.differs"},
		{"12/05/1985", "13/06/1999", "birth.differs"}, {"1985", "1986", "birth.differs"}, {"", "1985", ""},
	} {
		a, _ := ParseBirth(c.a)
		b, _ := ParseBirth(c.b)
		if got := CompareBirth(a, b); got.Key != c.key {
			t.Errorf("%s and %s: %v, want %s", c.a, c.b, got, c.key)
		}
	}
}

func TestSex(t *testing.T) {
	for text, want := range map[string]Sex{"Nam": Male, "NỮ": Female, "nu": Female, "1": Male, "2": Female, "3": "", "": "", "male": Male} {
		if got, ok := ParseSex(text); !ok || got != want {
			t.Errorf("%q: %q %v", text, got, ok)
		}
	}
	if _, ok := ParseSex("M"); ok {
		t.Error("M is read")
	}
	if CompareSex(Male, Male).Level != Same || CompareSex(Male, Female).Level != Differs || CompareSex(Male, "other").Level != Unknown || CompareSex("", "").Key != "" {
		t.Error("sex compared wrongly")
	}
}
