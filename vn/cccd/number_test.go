package cccd

import (
	"errors"
	"testing"

	"github.com/ytso/ytso/vn/person"
)

// TestNumber holds the vectors of spec/vn/01-identity.md §1.1.
func TestNumber(t *testing.T) {
	for _, c := range []struct {
		text, province, name string
		sex                  person.Sex
		year                 int
	}{
		{"001099000001", "01", "Thành phố Hà Nội", person.Male, 1999}, {"025301000002", "25", "Tỉnh Phú Thọ", person.Female, 2001},
		{"046 199 000 003", "46", "", person.Female, 1999}, {"096.4.12.000001", "96", "Tỉnh Cà Mau", person.Male, 2112}, {"017-085-000001", "17", "", person.Male, 1985},
	} {
		n, err := ParseNumber(c.text)
		p, ok := n.Province()
		if err != nil || !ok || p.Code != c.province || c.name != "" && p.VI != c.name || n.Sex() != c.sex || n.Year() != c.year || n.Abroad() {
			t.Errorf("%s: %v %+v %s %d", c.text, err, p, n.Sex(), n.Year())
		}
	}
	if n, err := ParseNumber("123085000001"); err != nil || !n.Abroad() {
		t.Errorf("registered abroad: %v", err)
	}
}

func TestNumberRefused(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrNumberBlank, "  ": ErrNumberBlank, "00109900000": ErrNumberShort, "0010990000011": ErrNumberLong, "012345678": ErrNumberOld, "00109900000A": ErrNumberDigits,
		"028085000001": ErrNumberProvince, "000085000001": ErrNumberProvince, "099085000001": ErrNumberProvince, "٠٠١٠٩٩٠٠٠٠٠١": ErrNumberDigits,
	} {
		if n, err := ParseNumber(text); !errors.Is(err, want) || n != "" {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	for n := range map[Number]bool{"": true, "x": true, "0010990000": true, "A01099000001": true} {
		if _, ok := n.Province(); ok || n.Sex() != "" || n.Year() != 0 || n.Abroad() {
			t.Errorf("%q tells something", n)
		}
	}
}

func TestAgainst(t *testing.T) {
	n := Number("025085000001")
	for _, c := range []struct {
		birth person.Birth
		sex   person.Sex
		want  string
	}{
		{person.Birth{Year: 1985, Month: 5, Day: 12}, person.Male, ""}, {person.Birth{}, "", ""}, {person.Birth{Year: 1985}, "other", ""},
		{person.Birth{Year: 1985}, person.Female, "cccd.number.sex"}, {person.Birth{Year: 2085}, person.Male, "cccd.number.century"},
		{person.Birth{Year: 1984}, person.Female, "cccd.number.sex cccd.number.year"}, {person.Birth{Year: 2001}, "", "cccd.number.century cccd.number.year"},
	} {
		if got := keys(n.Against(c.birth, c.sex)); got != c.want {
			t.Errorf("%v %s: %s, want %s", c.birth, c.sex, got, c.want)
		}
	}
}

func TestOld(t *testing.T) {
	if n, err := ParseOld("012 345 678"); err != nil || n != "012345678" {
		t.Errorf("%q %v", n, err)
	}
	for _, bad := range []string{"", "12345678", "1234567890", "12345678A"} {
		if _, err := ParseOld(bad); !errors.Is(err, ErrOld) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for value, want := range map[string]bool{"": true, "000000000000": true, "9999999999": true, "12345": true, "025085000001": false} {
		if Filler(value) != want {
			t.Errorf("filler %s: want %v", value, want)
		}
	}
}
