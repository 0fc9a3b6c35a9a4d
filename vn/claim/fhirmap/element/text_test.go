package element

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/r4"
)

func through(t interface{ Fatalf(string, ...any) }, text string, f Form) (fhir, back string) {
	o := r4.Object{{Name: "resourceType", Value: "Basic"}}
	Put(&o, "x", text, f)
	d, err := r4.Parse(o.JSON())
	if err != nil {
		t.Fatalf("%q: %v in %s", text, err, o.JSON())
	}
	return string(d.Root().Get("x").Raw()), Get(d.Root(), "x", f)
}

func TestForms(t *testing.T) {
	for _, tt := range []struct {
		text string
		f    Form
		fhir string
	}{
		{"15000.50", Decimal, "15000.50"}, {"007", Decimal, ""}, {"1,5", Decimal, ""}, {"-3", Decimal, "-3"},
		{"20260310", Day, `"2026-03-10"`}, {"20260230", Day, ""}, {"20240229", Day, `"2024-02-29"`}, {"202603", Day, ""},
		{"202603100815", Minute, `"2026-03-10T08:15:00+07:00"`}, {"202603102460", Minute, ""}, {"20260310", Minute, ""},
		{"198500000000", Birth, `"1985"`}, {"198505000000", Birth, `"1985-05"`}, {"198505120000", Birth, `"1985-05-12"`},
		{"202603100815", Birth, `"2026-03-10"`}, {"19850512", Birth, `"1985-05-12"`}, {"198513000000", Birth, ""},
		{"1.01", Token, `"1.01"`}, {"G1 N4", Token, `"G1 N4"`}, {"a  b", Token, ""}, {"a\tb", Token, ""},
		{"100", Percent, "1.00"}, {"80", Percent, "0.80"}, {"5", Percent, "0.05"}, {"0", Percent, "0.00"}, {"47.5", Percent, "0.475"},
		{"080", Percent, ""}, {"-5", Percent, ""}, {"1e2", Percent, ""}, {"5.", Percent, ""},
		{"20260310", DayOfMinute, `"2026-03-10"`}, {"202603100000", DayOfMinute, `"2026-03-10"`}, {"202603109999", DayOfMinute, `"2026-03-10"`}, {"2026", DayOfMinute, ""},
		{" Nguyễn\r\nVăn ", Text, `"Nguyễn\nVăn"`},
	} {
		fhir, back := through(t, tt.text, tt.f)
		if fhir != tt.fhir || back != Clean(tt.text) {
			t.Errorf("%q: %s, back %q", tt.text, fhir, back)
		}
	}
}

// TestBackIsTheSame: whatever a field holds comes back.
func TestBackIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[0-9]{0,13}`), rapid.StringMatching(`-?[0-9]{0,6}\.?[0-9]{0,3}`), rapid.String()).Draw(t, "text")
		f := Form(rapid.IntRange(0, int(DayOfMinute)).Draw(t, "form"))
		if _, back := through(t, text, f); back != Clean(text) {
			t.Fatalf("%q came back as %q", text, back)
		}
	})
}

func TestIDs(t *testing.T) {
	n, err := ParseNamespace("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := n.ID("ab", "c"), n.ID("a", "bc"); a == b || len(a) != 36 || a[14] != '5' {
		t.Errorf("%s %s", a, b)
	}
	if id := n.ID("25901", "LK1"); id != "d8f7a70b-62ad-5d3d-ace0-57c8a6747313" {
		t.Errorf("%s: an id given once stays what it is", id)
	}
	for _, bad := range []string{"", "6ba7", "zba7b810-9dad-11d1-80b4-00c04fd430c8"} {
		if _, err := ParseNamespace(bad); err == nil {
			t.Errorf("%q is no namespace", bad)
		}
	}
}
