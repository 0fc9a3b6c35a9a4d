package cccd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/person"
)

// example is the invented card of spec/vn/01-identity.md §1.2.
const example = "001099000001||NGUYỄN VĂN A|01021999|Nam|Số 1, Phường Ba Đình, Hà Nội|15072021"

func TestParse(t *testing.T) {
	c, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	want := Card{Number: "001099000001", Name: "NGUYỄN VĂN A", Birth: person.Birth{Year: 1999, Month: 2, Day: 1}, Sex: person.Male,
		Address: "Số 1, Phường Ba Đình, Hà Nội", Issued: person.Birth{Year: 2021, Month: 7, Day: 15}}
	if !same(c, want) || len(c.Faults)+len(c.Warnings)+len(c.Repairs)+len(c.OldNumbers)+len(c.Extra) > 0 {
		t.Errorf("%+v", c)
	}
	c, err = Parse("025301000002|012345678 025301000009|LÒ THỊ HOÀ|1999|Nữ|Bản Ví Dụ, xã Ví Dụ|01032024|||CON CỦA|")
	if err != nil || !slices.Equal(c.OldNumbers, []string{"012345678", "025301000009"}) || len(c.Extra) != 4 || c.Extra[2] != "CON CỦA" {
		t.Errorf("%+v %v", c, err)
	}
	if keys(c.Warnings) != "cccd.number.century cccd.number.year" {
		t.Errorf("born 1999 with the number of 2001: %s", keys(c.Warnings))
	}
}

func same(a, b Card) bool {
	return a.Number == b.Number && a.Name == b.Name && a.Birth == b.Birth && a.Sex == b.Sex && a.Address == b.Address && a.Issued == b.Issued
}

func keys(list []*outcome.Error) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Key)
	}
	return strings.Join(out, " ")
}

// latin gives a text as a scanner sends it whose UTF-8 is read as Windows-1252.
func latin(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if r := charmap.Windows1252.DecodeByte(c); r != '\ufffd' {
			b.WriteRune(r)
		} else {
			b.WriteRune(rune(c))
		}
	}
	return b.String()
}

func doubled(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
		b.WriteRune(r)
	}
	return b.String()
}

var damages = map[string]func(string) string{
	"line end":          func(s string) string { return s + "\r\n" },
	"tab":               func(s string) string { return "\t" + s + "\t" },
	"symbology":         func(s string) string { return "]Q1" + s + "\r" },
	"byte order mark":   func(s string) string { return "\ufeff" + s },
	"twice":             func(s string) string { return s + s },
	"twice, two lines":  func(s string) string { return s + "\r\n" + s + "\r\n" },
	"every key doubled": doubled,
	"doubled, line end": func(s string) string { return doubled(s + "\r\n") },
	"Windows-1252":      latin,
	"decomposed":        norm.NFD.String,
	"broken bars":       func(s string) string { return strings.ReplaceAll(s, "|", "¦") },
	"full-width bars":   func(s string) string { return strings.ReplaceAll(s, "|", "\uff5c") },
	"blanks in fields":  func(s string) string { return strings.ReplaceAll(s, "|", " | ") },
}

// TestDamageIsUndone: what can be put right for certain reads as the card itself.
func TestDamageIsUndone(t *testing.T) {
	for name, damage := range damages {
		want, _ := Parse(example)
		got, err := Parse(damage(example))
		if err != nil || !same(got, want) || len(got.Faults)+len(got.Warnings) > 0 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if name != "blanks in fields" && len(got.Repairs) == 0 {
			t.Errorf("%s: the repair is not told", name)
		}
	}
}

func TestRefused(t *testing.T) {
	other := "046199000003||TRẦN THỊ B|02031999|Nữ|Số 2, Phường Ví Dụ, Huế|16072021"
	for text, want := range map[string]error{
		"": ErrBlank, " \r\n": ErrBlank, "https://example.vn": ErrNotCard, "HC4012345678901|4e67|01/01/1999|1": ErrNotCard,
		"001099000001": ErrNotCard, "001099000001||NGUYỄN VĂN A|01021999": ErrCut, strings.Replace(example, "001099", "001O99", 1): ErrNumberDigits,
		strings.Replace(example, "001099000001", "00109900000", 1): ErrNumberShort, strings.Replace(example, "001099000001", "0010990000011", 1): ErrNumberLong,
		strings.Replace(example, "001099000001", "012345678", 1): ErrNumberOld, strings.Replace(example, "001099", "003099", 1): ErrNumberProvince,
		"|" + example: ErrNumberBlank, example + other: ErrSeveral, example + "\n" + other: ErrSeveral, strings.Repeat("x", maxText+1): ErrTooLong,
		"001099000001||NGUY\xe9N|01021999|Nam|x|15072021": ErrEncoding,
	} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", text, err, want)
		}
	}
}

// TestFaults: a field that can't be read is blank and named; the others stand.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ from, to, faults, warnings string }{
		{"NGUYỄN VĂN A", "", "cccd.name", ""}, {"NGUYỄN VĂN A", "NGUY?N V?N A", "cccd.letters", ""}, {"NGUYỄN VĂN A", "NGUY\ufffdN", "cccd.letters", ""},
		{"NGUYỄN VĂN A", "NGUYEN64 VA8N A", "", "cccd.input-method"}, {"01021999", "31021999", "cccd.birth", ""}, {"01021999", "", "cccd.birth", ""},
		{"01021999", "1999", "", ""}, {"01021999", "00001999", "", ""}, {"01021999", "021999", "", ""}, {"Nam", "Nu", "", "cccd.number.sex"}, {"Nam", "X", "cccd.sex", ""}, {"Nam", "", "cccd.sex", ""},
		{"Phường", "Ph??ng", "cccd.address-letters", ""}, {"15072021", "1507", "cccd.issued", ""}, {"15072021", "15071990", "", "cccd.issued-before-birth"},
		{"01021999", "01021899", "", "cccd.number.century"}, {"01021999", "01021998", "", "cccd.number.year"},
	} {
		card, err := Parse(strings.Replace(example, c.from, c.to, 1))
		if err != nil || keys(card.Faults) != c.faults || keys(card.Warnings) != c.warnings {
			t.Errorf("%q for %q: %v, faults %q, warnings %q", c.to, c.from, err, keys(card.Faults), keys(card.Warnings))
		}
		if card.Number != "001099000001" {
			t.Errorf("%q: the rest is lost: %+v", c.to, card)
		}
	}
	card, err := Parse("001099000001||NGUYEN VAN A|01021999|Nam|So 1, Phuong Ba Dinh, Ha Noi|15072021")
	if err != nil || keys(card.Warnings) != "cccd.unmarked" || card.Name != "NGUYEN VAN A" {
		t.Errorf("without marks: %+v %v", card, err)
	}
}

// TestAnyCard: every card reads back, through every damage that can be undone.
func TestAnyCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"NGUYỄN", "LÒ", "THỊ", "VĂN", "ĐẶNG", "H'HEN", "NIÊ", "ẤU", "Y", "Ê"}), 2, 5).Draw(t, "name"), " ")
		sex := rapid.IntRange(0, 1).Draw(t, "sex")
		year := rapid.IntRange(1900, 2099).Draw(t, "year")
		number := []byte("025")
		number = append(number, byte('0'+(year/100-19)*2+sex), byte('0'+year/10%10), byte('0'+year%10))
		number = append(number, rapid.StringMatching(`[0-9]{6}`).Draw(t, "rest")...)
		birth := person.Birth{Year: year, Month: rapid.IntRange(1, 12).Draw(t, "month"), Day: rapid.IntRange(1, 28).Draw(t, "day")}
		issued := person.Birth{Year: 2150, Month: 1, Day: 2}
		text := strings.Join([]string{string(number), rapid.SampledFrom([]string{"", "012345678"}).Draw(t, "old"), name, strings.ReplaceAll(birth.VI(), "/", ""),
			[]string{"Nam", "Nữ"}[sex], rapid.SampledFrom([]string{"Tổ 5, Bản Ví Dụ, Xã Ví Dụ, Sơn La", "Ấp 3, xã Ví Dụ"}).Draw(t, "address"), strings.ReplaceAll(issued.VI(), "/", "")}, "|")
		damage := rapid.SampledFrom([]string{"line end", "symbology", "twice", "twice, two lines", "every key doubled", "Windows-1252", "decomposed", "broken bars"}).Draw(t, "damage")
		c, err := Parse(damages[damage](text))
		if err != nil || c.Name != name || string(c.Number) != string(number) || c.Birth != birth || c.Sex != []person.Sex{person.Male, person.Female}[sex] || len(c.Faults)+len(c.Warnings) > 0 {
			t.Fatalf("%s of %q: %+v %v", damage, text, c, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	for _, d := range damages {
		f.Add(d(example))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			if e := outcome.As(err); e.Key == "exception" || e.VI == "" || e.EN == "" {
				t.Errorf("no sentence: %v", err)
			}
			return
		}
		if n, err := ParseNumber(string(c.Number)); err != nil || n != c.Number {
			t.Errorf("number %q: %v", c.Number, err)
		}
		again, err := Parse(strings.Join([]string{string(c.Number), "", c.Name, strings.ReplaceAll(c.Birth.VI(), "/", ""), c.Sex.VI(), c.Address, strings.ReplaceAll(c.Issued.VI(), "/", "")}, "|"))
		if err == nil && len(c.Faults) == 0 && !same(again, c) {
			t.Errorf("%+v read again: %+v", c, again)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(example); err != nil {
			b.Fatal(err)
		}
	}
}
