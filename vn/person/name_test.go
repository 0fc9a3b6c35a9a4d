package person

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/fold"
)

func TestSplit(t *testing.T) {
	for text, want := range map[string]Name{
		"Nguyễn Thị Minh Anh": {Family: "Nguyễn", Middle: "Thị Minh", Given: "Anh"}, "  NGUYỄN   AN ": {Family: "NGUYỄN", Given: "AN"}, "An": {Given: "An"}, "": {},
		"H'Hen Niê": {Family: "Niê", Given: "H'Hen"}, "H’Hen Niê Kdăm": {Family: "Niê Kdăm", Given: "H'Hen"}, "Y Blung Ayŭn": {Family: "Ayŭn", Given: "Y Blung"}, "A Thih": {Given: "A Thih"}, "H' Hen Niê": {Family: "Niê", Given: "H' Hen"},
		"Rơ Châm H'Yéo": {Family: "Rơ Châm", Given: "H'Yéo"}, "Giàng A Páo": {Family: "Giàng", Middle: "A", Given: "Páo"}, "Tôn Nữ Thị Mẫu": {Family: "Tôn Nữ", Middle: "Thị", Given: "Mẫu"}, "Rơ Châm": {Family: "Rơ", Given: "Châm"},
		"BS. Trần Văn Mẫu": {Title: "BS.", Family: "Trần", Middle: "Văn", Given: "Mẫu"}, "Maria Nguyễn Thị Mẫu": {Baptism: "Maria", Family: "Nguyễn", Middle: "Thị", Given: "Mẫu"},
		"Linh mục Giuse Trần Mẫu": {Title: "Linh mục", Baptism: "Giuse", Family: "Trần", Given: "Mẫu"}, "Gioan Baotixita Lê Văn Mẫu": {Baptism: "Gioan Baotixita", Family: "Lê", Middle: "Văn", Given: "Mẫu"},
		"Cù Thị Mẫu": {Family: "Cù", Middle: "Thị", Given: "Mẫu"}, "Ông Thị Mẫu": {Family: "Ông", Middle: "Thị", Given: "Mẫu"}, "ông Lò Văn Mẫu": {Title: "ông", Family: "Lò", Middle: "Văn", Given: "Mẫu"}, "Anna Example": {Family: "Anna", Given: "Example"},
		"Con bà Nguyễn Thị Mẫu": {ParentOf: true, Family: "Nguyễn", Middle: "Thị", Given: "Mẫu"}, "CB NGUYỄN THỊ MẪU": {ParentOf: true, Family: "NGUYỄN", Middle: "THỊ", Given: "MẪU"},
	} {
		if got := Split(text); got != want {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestCompareNames(t *testing.T) {
	for _, c := range []struct{ a, b, key string }{
		{"Nguyễn Văn An", "NGUYỄN  VĂN AN", "name.same"}, {"Nguyễn Văn An", norm.NFD.String("nguyễn văn an"), "name.same"}, {"Lò Thị Hoà", "Lò Thị Hòa", "name.spelling"}, {"Lê Thị Mỹ", "Lê Thị Mĩ", "name.spelling"},
		{"H'Hen Niê", "H’ Hen Niê", "name.spelling"}, {"Rơ Châm H'Yéo", "Rơchâm Hyéo", "name.spelling"}, {"Nguyễn Văn An", "NGUYEN VAN AN", "name.unmarked"}, {"Nguyễn Văn Án", "Nguyên Văn Án", "name.unmarked"}, {"Đặng Văn Đạt", "dang van dat", "name.unmarked"},
		{"Maria Nguyễn Thị Mẫu", "Nguyễn Thị Mẫu", "name.addition"}, {"BS. Trần Văn Mẫu", "Trần Văn Mẫu", "name.addition"}, {"Anna Example", "EXAMPLE ANNA", "name.order"}, {"H'Hen Niê", "Niê H'Hen", "name.order"}, {"Minh Ánh Nguyễn", "Nguyễn Minh Ánh", "name.order"}, {"Nguyễn Anh Minh", "Nguyễn Minh Anh", "name.exchanged"},
		{"Nguyễn Thị Minh Anh", "Nguyễn Minh Anh", "name.middle-left-out"}, {"Nguyễn Anh", "NGUYEN THI MINH ANH", "name.middle-left-out"}, {"Nguyễn V. An", "Nguyễn Văn An", "name.initials"}, {"N.V.An", "Nguyễn Văn An", "name.initials"},
		{"Nguyễn Minh Quân", "Nguyễn Minh Quang", "name.one-letter"}, {"Nguyễn Văn Tân", "Nguyễn Văn Tâng", "name.sound"}, {"Lê Thị Xen", "Lê Thị Sen", "name.sound"}, {"Trần Văn Giũ", "Trần Văn Dủ", "name.sound"}, {"Vũ Thị Trâm", "Vũ Thị Châm", "name.sound"}, {"Trần Văn Lam", "Trần Văn Nam", "name.sound"},
		{"Nguyễn Minh Anh", "Nguyễn Minh Ánh", "name.marks"}, {"Bùi Thị Đan", "Bùi Thị Dan", "name.marks"}, {"Nguyễn Văn Hùng", "Nguyễn Văn Hùngg", "name.one-letter"}, {"Nguyễn Văn Dũng", "Nguyễn Vna Dũng", "name.one-letter"},
		{"Nguyễn Thị Bảo Anh", "Trần Thị Bảo Anh", "name.family-differs"}, {"Nguyễn Thị Minh Anh", "Nguyễn Thị Bảo Anh", "name.middle-differs"}, {"Nguyễn Văn Phúc", "Nguyễn Văn Bình", "name.given-differs"}, {"Lò An", "Giàng Páo", "name.differs"}, {"An", "Nguyễn Văn An", "name.differs"},
		{"Con bà Nguyễn Thị Mẫu", "Nguyễn Thị Mẫu", "name.newborn-of"}, {"Con bà Nguyễn Thị Mẫu", "CB NGUYEN THI MAU", "name.newborn"}, {"Con bà Lò Thị Mẫu", "Con bà Nguyễn Thị Mẫu", "name.differs"}, {"", "Nguyễn Văn An", ""}, {"—", "Nguyễn Văn An", ""},
	} {
		x, y := CompareNames(c.a, c.b), CompareNames(c.b, c.a)
		if x.Key != c.key || x != y {
			t.Errorf("%q and %q: %v, %v, want %s", c.a, c.b, x, y, c.key)
		}
	}
}

var anyName = rapid.Custom(func(t *rapid.T) string {
	words := []string{"Nguyễn", "Lò", "Thị", "Văn", "Đặng", "H'Hen", "Niê", "Hoà", "Thủy", "Mỹ", "Ánh", "Anh", "Y", "A", "Rơ", "Châm", "Maria", "bs.", "Quân", "Quang", "Giang", "Xuân", "Sen", "con", "bà"}
	return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 1, 6).Draw(t, "words"), " ")
})

// TestNamesByRule: comparing is symmetric, a name is itself in every spelling, and every category has its sentences.
func TestNamesByRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyName.Draw(t, "a"), anyName.Draw(t, "b")
		x, y := CompareNames(a, b), CompareNames(b, a)
		if x != y || x.VI() == "" || x.EN() == "" || !slices.Contains(Keys(), x.Key) {
			t.Fatalf("%q and %q: %v, %v", a, b, x, y)
		}
		for _, form := range []string{strings.ToUpper(a), norm.NFD.String(a), "  " + a + " ", fold.Key(a)} {
			if s := CompareNames(a, form); !s.AtLeast(Alike) && s.Key != "name.newborn" {
				t.Fatalf("%q and %q: %v", a, form, s)
			}
		}
		if n := Split(a); !n.ParentOf && len(strings.Fields(a)) != len(strings.Fields(n.Title+" "+n.Baptism+" "+n.String())) {
			t.Fatalf("%q lost a word: %+v", a, n)
		}
	})
}

func TestPhone(t *testing.T) {
	for text, want := range map[string]Phone{
		"0912345678": {"+84912345678", true, false}, "+84 912 345 678": {"+84912345678", true, false}, "84912345678": {"+84912345678", true, false}, "0084.912.345.678": {"+84912345678", true, false}, "912345678": {"+84912345678", true, false},
		"+84 (0) 912-345-678": {"+84912345678", true, false}, "01641234567": {"+84341234567", true, true}, "+841641234567": {"+84341234567", true, true}, "0120 123 4567": {"+84701234567", true, true}, "0199 1234567": {"+84591234567", true, true},
		"02103123456": {"+842103123456", false, false}, "+856 20 1234 5678": {"+8562012345678", false, false}, "": {},
	} {
		if got, err := ParsePhone(text); err != nil || got != want {
			t.Errorf("%q: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]error{
		"09123abc": ErrPhoneSigns, "0912345678/0987654321": ErrPhoneSigns, "+": ErrPhoneSigns, "091234567": ErrPhoneLength, "09123456789": ErrPhoneLength, "0210312345": ErrPhoneLength, "0164123456": ErrPhoneLength,
		"01301234567": ErrPhonePrefix, "0412345678": ErrPhonePrefix, "0612345678": ErrPhonePrefix, "113": ErrPhoneLength, "+012345678": ErrPhoneLength,
	} {
		if got, err := ParsePhone(text); err != want || got != (Phone{}) {
			t.Errorf("%q: %+v %v, want %v", text, got, err, want)
		}
	}
	for _, c := range []struct{ a, b, key string }{
		{"01641234567", "0341234567", "phone.renumbered"}, {"0912345678", "+84912345678", "phone.same"}, {"0912345678", "0912345679", "phone.one-digit"}, {"0912345678", "0987654321", "phone.differs"}, {"", "0912345678", ""},
	} {
		a, _ := ParsePhone(c.a)
		b, _ := ParsePhone(c.b)
		if got := ComparePhones(a, b); got.Key != c.key || got != ComparePhones(b, a) {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

// TestPhoneReadsBack: what is read is read again from how it is written, and the old prefixes are one to one.
func TestPhoneReadsBack(t *testing.T) {
	seen := map[string]bool{}
	for from, to := range renumbered {
		if seen[to] || len(from) != 4 || len(to) != 3 {
			t.Errorf("%s to %s", from, to)
		}
		seen[to] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		p, err := ParsePhone(rapid.StringMatching(`(0|\+84|84|0084)([35789][0-9]{8}|1[0-9]{9}|2[0-9]{9})`).Draw(t, "phone"))
		if err != nil {
			return
		}
		for _, form := range []string{p.Number, p.VI()} {
			again, err := ParsePhone(form)
			if err != nil || again.Number != p.Number || again.Mobile != p.Mobile || again.Renumbered {
				t.Fatalf("%+v as %q: %+v %v", p, form, again, err)
			}
		}
	})
}

func FuzzCompareNames(f *testing.F) {
	f.Add("Nguyễn Thị Minh Anh", "H'Hen Niê")
	f.Add("Con bà ", "\xff'")
	f.Fuzz(func(t *testing.T, a, b string) {
		if x, y := CompareNames(a, b), CompareNames(b, a); x != y || x.Key != "" && x.VI() == "" {
			t.Errorf("%q and %q: %v, %v", a, b, x, y)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Read("Nguyễn Thị Minh Anh")
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := Read("Nguyễn Thị Minh Anh"), Read("Nguyễn Thị Bảo Ánh")
	b.ReportAllocs()
	for b.Loop() {
		x.Compare(y)
	}
}
