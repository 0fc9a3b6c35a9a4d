package ident

import (
	"testing"
	"time"

	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		a, b  string
		agree bool
	}{
		{"Nguyễn Văn An", "NGUYEN VAN AN", true}, {"Nguyễn Văn An", "nguyễn văn an", true}, {"Nguyễn Thị Thuý", "Nguyễn Thị Thúy", true}, {"Lò Thị Hoà", "Lò Thị Hòa", true},
		{"Nguyễn Thị Minh Anh", "Nguyễn Minh Anh", true}, {"Lê Thị Mỹ", "Lê Thị Mĩ", true}, {"Anna Example", "EXAMPLE ANNA", true}, {"", "Nguyễn Văn An", true},
		{"Nguyễn Văn An", "Nguyễn Văn Bình", false}, {"Nguyễn Văn An", "Trần Văn An", false}, {"Nguyễn Thị Minh Anh", "Nguyễn Thị Bảo Anh", false},
		{"Nguyễn Minh Anh", "Nguyễn Minh Ánh", false}, {"Nguyễn Minh Quân", "Nguyễn Minh Quang", false}, {"Bùi Thị Đan", "Bùi Thị Dan", false},
		{"Nguyễn Thị Ví Dụ", "Con bà Nguyễn Thị Ví Dụ", false}, {"An", "Nguyễn Văn An", false}, {"Nguyễn Anh Minh", "Nguyễn Minh Anh", false}, {"Con bà Ví Dụ", "CON BA VI DU", true},
	} {
		if namesAgree(c.a, c.b) != c.agree || namesAgree(c.b, c.a) != c.agree {
			t.Errorf("%q and %q: want %v", c.a, c.b, c.agree)
		}
	}
}

func TestAgainst(t *testing.T) {
	an := facts{"Nguyễn Văn An", "1985-05-12", "male"}
	for _, c := range []struct {
		b     facts
		why   string
		alike bool
	}{
		{an, "", true}, {facts{"NGUYEN VAN AN", "1985-05-12", "male"}, "", true}, {facts{"Nguyễn Văn An", "1985", "male"}, "", false}, {facts{"Nguyễn Văn An", "", ""}, "", false},
		{facts{"Nguyễn An", "1985-05-12", "male"}, "", false}, {facts{"", "1985-05-12", "male"}, "", false}, {facts{"Nguyễn Văn An", "1985-05-12", ""}, "", false},
		{facts{"Nguyễn Văn An", "1955-05-12", "male"}, "birth-date-differs", false}, {facts{"Nguyễn Văn An", "1985-05-12", "female"}, "sex-differs", false},
		{facts{"Nguyễn Văn Bình", "1985-05-12", "male"}, "name-differs", false},
	} {
		if why := against(an, c.b); why != c.why {
			t.Errorf("%v: %q, want %q", c.b, why, c.why)
		}
		if alike(an, c.b) != c.alike || alike(c.b, an) != c.alike {
			t.Errorf("%v: alike, want %v", c.b, c.alike)
		}
	}
}

func TestFits(t *testing.T) {
	man := facts{"Nguyễn Văn An", "1985-05-12", "male"}
	for _, c := range []struct {
		system, value string
		f             facts
		baby          bool
		cards         []string
		want          bool
	}{
		{element.CCCD, "025085000001", man, false, nil, true}, {element.CCCD, "025185000001", man, false, nil, false}, {element.CCCD, "025084000001", man, false, nil, false},
		{element.CCCD, "025285000001", man, false, nil, false}, {element.CCCD, "025326000001", facts{"", "2026", "female"}, true, nil, true}, {element.CCCD, "025085000001", facts{}, false, nil, true},
		{element.CCCD, "02508500001", man, false, nil, false}, {element.CCCD, "02508500000X", man, false, nil, false},
		{element.BHXH, "2512345678", man, false, nil, true}, {element.BHXH, "2512345678", man, true, nil, false},
		{element.BHXH, "2512345678", man, true, []string{"TE1252512345678"}, true}, {element.BHXH, "2512345678", man, true, []string{"DN4252512345678"}, false},
		{element.Passport, "X1234567", man, true, nil, true},
	} {
		if got := fits(c.system, c.value, c.f, c.baby, c.cards); got != c.want {
			t.Errorf("%s %s of %v: %v", c.system, c.value, c.f, got)
		}
	}
}

func TestInfant(t *testing.T) {
	on := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	for birth, want := range map[string]bool{
		"2026-03-09": true, "2025-03-10": true, "2025-03-08": false, "2025-03": true, "2025-02": false, "2025": true, "2024": false, "": false, "2025-02-30": false, "1985-05-12": false,
	} {
		if got := infant(birth, on); got != want {
			t.Errorf("%q: %v", birth, got)
		}
	}
}

// TestDecide: one person that nothing speaks against, or nobody.
func TestDecide(t *testing.T) {
	an, son := facts{"Nguyễn Văn An", "1985-05-12", "male"}, facts{"Nguyễn Văn An", "2010-01-02", "male"}
	year := facts{"Nguyễn Văn An", "1985", "male"}
	for name, c := range map[string]struct {
		f      facts
		list   []candidate
		person string
		doubts []doubt
	}{
		"nobody":                       {an, nil, "", nil},
		"the same":                     {an, []candidate{{"p", an, plain}}, "p", nil},
		"known by year":                {year, []candidate{{"p", an, plain}}, "p", nil},
		"known by year, weak number":   {year, []candidate{{"p", an, strict}}, "", []doubt{{"p", "not-alike-enough"}}},
		"alike, weak number":           {an, []candidate{{"p", an, strict}}, "p", nil},
		"alike, infant's number":       {an, []candidate{{"p", an, never}}, "", []doubt{{"p", "number-of-another"}}},
		"father":                       {son, []candidate{{"p", an, plain}}, "", []doubt{{"p", "birth-date-differs"}}},
		"father and son share":         {son, []candidate{{"p", an, plain}, {"q", son, plain}}, "q", []doubt{{"p", "birth-date-differs"}}},
		"shared and not alike enough":  {year, []candidate{{"p", an, plain}, {"q", son, plain}}, "", []doubt{{"p", "not-alike-enough"}, {"q", "birth-date-differs"}}},
		"two persons with one's facts": {an, []candidate{{"p", an, plain}, {"q", an, plain}}, "", []doubt{{"p", "several-alike"}, {"q", "several-alike"}}},
	} {
		person, doubts := decide(record{facts: c.f}, c.list)
		if person != c.person || len(doubts) != len(c.doubts) {
			t.Errorf("%s: %q %v", name, person, doubts)
			continue
		}
		for i, d := range doubts {
			if d != c.doubts[i] {
				t.Errorf("%s: %v, want %v", name, d, c.doubts[i])
			}
		}
	}
}
