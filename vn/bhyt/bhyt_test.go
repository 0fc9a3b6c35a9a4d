package bhyt

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/person"
)

func on(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, personalFrom.Location())
	if err != nil {
		panic(err)
	}
	return t
}

func keys(list []*outcome.Error) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Key)
	}
	return strings.Join(out, " ")
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]Number{
		"DN4250123456789": {Card, "DN4250123456789", "DN", 4, "25", "0123456789"}, "dn 4 25 0123456789": {Card, "DN4250123456789", "DN", 4, "25", "0123456789"},
		"0123456789": {Insurance, "0123456789", "", 0, "", "0123456789"}, "025085000001": {Kind: Personal, Text: "025085000001"},
		"TE101KT12345678": {Temporary, "TE101KT12345678", "TE", 1, "01", ""}, "ZZ1990123456789": {Card, "ZZ1990123456789", "ZZ", 1, "99", "0123456789"},
	} {
		if got, err := ParseNumber(text); err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]error{
		"": ErrNumberBlank, "DN425012345678": ErrNumberLength, "012345678": ErrNumberLength, "012345678A": ErrNumberLength, "D14250123456789": ErrObject, "DN6250123456789": ErrLevel, "DN0250123456789": ErrLevel,
		"DN4A50123456789": ErrProvince, "DN425012345678X": ErrSocial, "DN425KT12345678": ErrSocial, "TE101KT1234567X": ErrSocial, "ĐN425012345678": ErrNumberSigns, "DN425;0123456789": ErrNumberSigns,
	} {
		if got, err := ParseNumber(text); !errors.Is(err, want) || got != (Number{}) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// TestByDay: group, level and percentage are those of the day, and unknown letters only warn.
func TestByDay(t *testing.T) {
	for _, c := range []struct {
		number, day string
		percent     int
		look        string
	}{
		{"DN4250123456789", "2026-03-01", 80, ""}, {"TE1250123456789", "2026-03-01", 100, ""}, {"HT3250123456789", "2026-03-01", 95, ""},
		{"CN3250123456789", "2025-12-31", 95, ""}, {"CN3250123456789", "2026-01-01", 95, "bhyt.number.level-of-object"}, {"CN2250123456789", "2026-01-01", 100, ""},
		{"LH4250123456789", "2025-12-31", 80, ""}, {"LH2250123456789", "2025-12-31", 100, "bhyt.number.level-of-object"},
		{"ZZ4250123456789", "2026-03-01", 80, "bhyt.number.object-unknown"}, {"DN4990123456789", "2026-03-01", 80, "bhyt.number.province-unknown"},
		{"NK2250123456789", "2026-03-01", 100, ""}, {"0123456789", "2026-03-01", 0, ""}, {"025085000001", "2025-08-14", 0, "bhyt.number.personal-early"}, {"025085000001", "2025-08-15", 0, ""},
	} {
		n, err := ParseNumber(c.number)
		if err != nil {
			t.Fatal(err)
		}
		percent, ok := n.Percent(on(c.day))
		if percent != c.percent || ok != (c.percent > 0) || keys(n.Look(on(c.day))) != c.look {
			t.Errorf("%s on %s: %d percent, %q", c.number, c.day, percent, keys(n.Look(on(c.day))))
		}
	}
	n, _ := ParseNumber("TE1250123456789")
	g, ok := n.Group(on("2026-03-01"))
	p, _ := n.Place()
	if !ok || g.Name == "" || g.Payer != "state_budget" || g.Level != 1 || p.VI != "Tỉnh Phú Thọ" {
		t.Errorf("%+v %+v", g, p)
	}
}

// card is an invented paper card.
func card(name, address, parent string) []string {
	h := func(s string) string { return hex.EncodeToString([]byte(s)) }
	return []string{"TE1250123456789", h(name), "05/03/2021", "2", h(address), "25 - 001", "01/04/2021", "30/09/2027", "02/04/2021", "25001234567", h(parent), "K1", "01/04/2026", "0a1b2c-7102", "$"}
}

func example() []string {
	return card("Lò Thị Ví Dụ", "Bản Ví Dụ, Xã Ví Dụ", "Lò Văn Mẫu")
}

func join(f []string) string { return strings.Join(f, "|") }

func TestPaper(t *testing.T) {
	p, err := Parse(join(example()))
	if err != nil || len(p.Faults)+len(p.Warnings) > 0 {
		t.Fatalf("%v %v", err, p.Faults)
	}
	if p.Number.Object != "TE" || p.Name != "Lò Thị Ví Dụ" || p.Address != "Bản Ví Dụ, Xã Ví Dụ" || p.Parent != "Lò Văn Mẫu" || p.Sex != person.Female || p.Facility != "25001" ||
		p.Birth.String() != "2021-03-05" || p.From.String() != "2021-04-01" || p.To.String() != "2027-09-30" || p.Area != "K1" || p.FiveYears.String() != "2026-04-01" || len(p.Check) != 2 {
		t.Errorf("%+v", p)
	}
	for day, want := range map[string][2]bool{"2021-03-31": {false, false}, "2021-04-01": {true, false}, "2026-03-31": {true, false}, "2026-04-01": {true, true}, "2027-09-30": {true, true}, "2027-10-01": {false, true}} {
		covers, known := p.Covers(on(day))
		five, told := p.FiveYearsOn(on(day))
		if !known || !told || covers != want[0] || five != want[1] {
			t.Errorf("%s: covers %v, five years %v", day, covers, five)
		}
	}
	open := example()
	open[7], open[12], open[10], open[11] = "-", "-", "-", "-"
	p, err = Parse(join(open))
	covers, known := p.Covers(on("2040-01-01"))
	_, told := p.FiveYearsOn(on("2040-01-01"))
	if err != nil || len(p.Faults) > 0 || !covers || !known || told || p.Parent != "" || p.Area != "" {
		t.Errorf("a card without an end: %+v %v", p, err)
	}
}

func TestPaperFaults(t *testing.T) {
	for _, c := range []struct {
		field  int
		text   string
		faults string
	}{
		{1, "4cc3", "bhyt.name"}, {1, "4cc3b", "bhyt.name"}, {1, "", "bhyt.name"}, {1, "L? Th? V", "bhyt.name"}, {1, "Lò Thị Ví Dụ", ""}, {2, "31/02/2021", "bhyt.birth"}, {2, "2021", ""}, {2, "", "bhyt.birth"},
		{3, "9", "bhyt.sex"}, {4, "", ""}, {4, "ffff", "bhyt.address"}, {5, "25-0001", "bhyt.facility"}, {5, "25-001", ""}, {6, "", "bhyt.from"}, {6, "x", "bhyt.from"}, {7, "x", "bhyt.to"}, {8, "x", "bhyt.issued"}, {10, "ff", ""}, {10, "ffff", "bhyt.parent"}, {12, "x", "bhyt.fiveYears"},
	} {
		f := example()
		f[c.field] = c.text
		p, err := Parse(join(f))
		if err != nil || keys(p.Faults) != c.faults || p.Number.Text != "TE1250123456789" {
			t.Errorf("field %d %q: %v %q", c.field, c.text, err, keys(p.Faults))
		}
	}
	f := example()
	f[7] = "01/01/2020"
	if p, _ := Parse(join(f)); keys(p.Warnings) != "bhyt.period" {
		t.Errorf("ends before it starts: %v", p.Warnings)
	}
}

func TestPaperRefused(t *testing.T) {
	bad := example()
	bad[0] = "TE6250123456789"
	for text, want := range map[string]error{
		"": ErrBlank, "\r\n": ErrBlank, "TE1250123456789": ErrNotCard, "https://example.vn/?a|b": ErrNotCard, join(example()[:12]): ErrCut, join(bad): ErrLevel, strings.Repeat("x", maxText+1): ErrTooLong, "\xff|": ErrNotCard,
		"001099000001||NGUYỄN VĂN A|01021999|Nam|Số 1, Phường Ba Đình, Hà Nội|15072021": ErrNotCard,
	} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%.40q: %v, want %v", text, err, want)
		}
	}
}

func TestAnyPaper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"Nguyễn", "Lò", "Thị", "Văn", "Đặng", "H'Hen", "Niê", "Ấu", "Y"}), 2, 5)
		name := strings.Join(words.Draw(t, "name"), " ")
		address := strings.Join(words.Draw(t, "address"), ", ")
		text := join(card(name, address, ""))
		switch rapid.IntRange(0, 3).Draw(t, "damage") {
		case 1:
			text = "]Q1" + text + "\r\n"
		case 2:
			text += "\n" + text
		case 3:
			var b strings.Builder
			for _, r := range text {
				b.WriteRune(r)
				b.WriteRune(r)
			}
			text = b.String()
		}
		p, err := Parse(text)
		if err != nil || p.Name != name || p.Address != address || len(p.Faults) > 0 {
			t.Fatalf("%+v %v", p, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(join(example()))
	f.Add("DN4250123456789")
	f.Fuzz(func(t *testing.T, text string) {
		for _, err := range []error{func() error { _, err := Parse(text); return err }(), func() error { _, err := ParseNumber(text); return err }()} {
			if e := outcome.As(err); err != nil && (e.Key == "exception" || e.VI == "" || e.EN == "") {
				t.Errorf("no sentence: %v", err)
			}
		}
		if n, err := ParseNumber(text); err == nil {
			if again, err := ParseNumber(n.Text); err != nil || again != n {
				t.Errorf("%q: %+v, then %+v %v", text, n, again, err)
			}
			n.Look(personalFrom)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := join(example())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}
