package addr

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/law"
)

func on(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, law.Merger().Location())
	if err != nil {
		panic(err)
	}
	return t
}

// told writes the places of an address: "old 00001 | new 00004".
func told(a Address) string {
	var out []string
	for _, p := range a.Places {
		era := "new "
		if p.Old() {
			era = "old "
		}
		out = append(out, era+p.Smallest().Code)
	}
	return strings.Join(out, " | ")
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, rest, want string }{
		{"Số 1 phố Ví Dụ, Phường Phúc Xá, Quận Ba Đình, Thành phố Hà Nội", "Số 1 phố Ví Dụ", "old 00001"},
		{"Số 1 phố Ví Dụ phường Phúc Xá quận Ba Đình TP. Hà Nội", "Số 1 phố Ví Dụ", "old 00001"},
		{"so 1 pho vi du, phuong phuc xa, quan ba dinh, ha noi", "so 1 pho vi du", "old 00001"},
		{"Số 1, P.Phúc Xá, Q.Ba Đình, HN", "Số 1", "old 00001"}, {"Số 1 - P. Phúc Xá - Q. Ba Đình - Hà Nội", "Số 1", "old 00001"},
		{"Phường Ba Đình, Thành phố Hà Nội", "", "new 00004"}, {"Ba Đình, Hà Nội", "", "new 00004 | old 001"}, {"Quận 1, TP.HCM", "", "old 760"}, {"Q1 TPHCM", "", "old 760"}, {"Q.1, tp hồ chí minh", "", "old 760"},
		{"Phường Bến Nghé, Quận 1, Sài Gòn", "", "old 26740"}, {"TP. Vũng Tàu, tỉnh Bà Rịa - Vũng Tàu", "", "old 747"}, {"Phường 05, Quận 8, TP. Hồ Chí Minh", "", "old 27418"},
		{"Thành phố Hà Tĩnh, tỉnh Hà Tĩnh", "", "old 436"}, {"Huyện Quan Hóa, Tỉnh Thanh Hoá", "", "old 385"}, {"huyen quan hoa, tinh thanh hoa", "", "old 385"}, {"Phú Thọ", "", "new 25 | old 25"}, {"Tỉnh Hoà Bình", "", "old 17"},
		{"Tỉnh Phú Thọ, Việt Nam", "", "new 25 | old 25"}, {"phường Ví Dụ Không Có, quận Ba Đình, Hà Nội", "phường Ví Dụ Không Có", "old 001"},
	} {
		a, err := Parse(c.text, time.Time{})
		if err != nil || a.Rest != c.rest || told(a) != c.want {
			t.Errorf("%q: rest %q, %s, %v; want %q, %s", c.text, a.Rest, told(a), err, c.rest, c.want)
		}
	}
	for _, text := range []string{"", "—", "Số 1 phố Ví Dụ", "quận", "tỉnh Không Có Đâu"} {
		if a, err := Parse(text, time.Time{}); !errors.Is(err, ErrNoUnit) || len(a.Places) > 0 {
			t.Errorf("%q: %s %v", text, told(a), err)
		}
	}
	if _, err := Parse(strings.Repeat("x", maxText+1), time.Time{}); !errors.Is(err, ErrTooLong) {
		t.Error("a text without end is read")
	}
}

// TestDayOfWriting: what was written before the merger can't mean a place of after it; what came after may mean both.
func TestDayOfWriting(t *testing.T) {
	for day, want := range map[string]string{"2025-06-30": "old 24", "2025-07-01": "new 24 | old 27"} {
		text := "Tỉnh Bắc Ninh"
		if day == "2025-06-30" {
			text = "Tỉnh Bắc Giang"
		}
		if a, err := Parse(text, on(day)); err != nil || told(a) != want {
			t.Errorf("%s on %s: %s %v", text, day, told(a), err)
		}
	}
	a, err := Parse("Xã Vĩnh Đồng, huyện Kim Bôi, tỉnh Phú Thọ", on("2026-01-01")) // of Hoà Bình before
	if err != nil || len(a.Places) != 1 || !a.Places[0].Old() || a.Places[0].Province.Name != "Hoà Bình" {
		t.Errorf("an old commune in a province of today: %s %v", told(a), err)
	}
}

// TestEveryPlaceReadsBack: each unit of the tables, written whole, is among what is read, and nothing of another name is.
func TestEveryPlaceReadsBack(t *testing.T) {
	several, all := map[bool]int{}, 0 // by Old
	for _, u := range law.Places() {
		if u.Until != "" && u.Until < lastOld {
			continue
		}
		p := tables().of(u)
		a, err := Parse(p.String(), time.Time{})
		if err != nil || !slices.Contains(a.Places, p) {
			t.Errorf("%s %s: %s %v", u.Code, p, told(a), err)
		}
		all++
		if len(a.Places) > 1 {
			several[u.Old]++
		}
		for _, q := range a.Places {
			if keyOf(q.Smallest().Name) != keyOf(u.Name) {
				t.Errorf("%s is read as %s", p, q)
			}
		}
	}
	// A commune of today without a district may be written for an old one of its name.
	t.Logf("%d places; of today %d mean several, of before %d", all, several[false], several[true])
	if all != 34+3321+63+696+10035 || several[false] > 3355/2 || several[true] > 150 {
		t.Errorf("%d places; of today %d mean several, of before %d", all, several[false], several[true])
	}
}

// TestShortFormsReadBack: without marks, with short forms, without commas.
func TestShortFormsReadBack(t *testing.T) {
	places := law.Places()
	short := strings.NewReplacer("Thành phố ", "TP.", "Thị xã ", "TX. ", "Thị trấn ", "TT. ", "Phường ", "P.", "Quận ", "Q.", "Huyện ", "H. ", "Xã ", "X. ", "Tỉnh ", "T. ")
	rapid.Check(t, func(t *rapid.T) {
		u := places[rapid.IntRange(0, len(places)-1).Draw(t, "place")]
		p := tables().of(u)
		text := "Số 1, " + p.String()
		switch rapid.IntRange(0, 3).Draw(t, "form") {
		case 0:
			text = short.Replace(text)
		case 1:
			text = strings.ToUpper(text)
		case 2:
			text = strings.ReplaceAll(text, ", ", " - ")
		case 3:
			var parts []string
			for _, s := range strings.Split(text, ", ") {
				parts = append(parts, fold.Key(s))
			}
			text = strings.Join(parts, ", ")
		}
		a, err := Parse(text, time.Time{})
		if err != nil || !slices.ContainsFunc(a.Places, func(q Place) bool { return q.Smallest().Code == u.Code || keyOf(q.String()) == keyOf(p.String()) }) {
			t.Fatalf("%q (%s): %s %v", text, u.Code, told(a), err)
		}
	})
}

func TestToday(t *testing.T) {
	for _, c := range []struct {
		level     law.PlaceLevel
		old, want string
	}{
		{law.CommuneLevel, "00001", "00097"}, {law.CommuneLevel, "00004", "00004"}, {law.ProvinceLevel, "17", "25"}, {law.ProvinceLevel, "24", "24"}, {law.DistrictLevel, "001", "01"},
	} {
		p, ok := Find(c.level, c.old, on(lastOld))
		list, err := Today(p)
		if !ok || err != nil || list[0].Place.Smallest().Code != c.want || !list[0].Main || list[0].Place.Old() {
			t.Errorf("%s: %v %v", c.old, list, err)
		}
	}
	whole, divided := 0, 0
	for _, u := range law.Places() {
		list, err := Today(tables().of(u))
		switch {
		case !u.Old && (err != nil || len(list) != 1 || list[0].Place.Smallest() != u):
			t.Errorf("%s is not itself: %v %v", u.Full, list, err)
		case u.Until != "" && u.Until < lastOld:
			if !errors.Is(err, ErrUnknownFate) {
				t.Errorf("%s, merged away in %s: %v %v", u.Full, u.Until, list, err)
			}
		case err != nil || !list[0].Main || list[0].Place.Smallest().Code == "" || slices.ContainsFunc(list[1:], func(b Became) bool { return b.Main }):
			t.Errorf("%s %s: %v %v", u.Code, u.Full, list, err)
		case u.Level == law.CommuneLevel && u.Old && len(list) == 1:
			whole++
		case u.Level == law.CommuneLevel && u.Old:
			divided++
		}
		for _, b := range list {
			if u.Old && u.Level == law.CommuneLevel && !slices.ContainsFunc(Before(b.Place), func(x Became) bool { return x.Place.Smallest().Code == u.Code }) {
				t.Errorf("%s came from elsewhere", b.Place)
			}
		}
	}
	if whole+divided != 10035 || divided == 0 {
		t.Errorf("%d whole and %d divided communes", whole, divided)
	}
}

func TestFindByDay(t *testing.T) {
	for _, c := range []struct {
		level     law.PlaceLevel
		code, day string
		want      string
	}{
		{law.ProvinceLevel, "24", "2025-06-30", "Tỉnh Bắc Giang"}, {law.ProvinceLevel, "24", "2025-07-01", "Tỉnh Bắc Ninh"}, {law.ProvinceLevel, "17", "2025-07-01", ""}, {law.DistrictLevel, "001", "2025-07-01", ""},
		{law.CommuneLevel, "00004", "2025-06-30", "Phường Trúc Bạch, Quận Ba Đình, Thành phố Hà Nội"}, {law.CommuneLevel, "00004", "2025-07-01", "Phường Ba Đình, Thành phố Hà Nội"},
		{law.CommuneLevel, "00010", "2024-01-01", "Phường Nguyễn Trung Trực, Quận Ba Đình, Thành phố Hà Nội"}, {law.CommuneLevel, "00010", "2025-06-30", ""},
	} {
		p, ok := Find(c.level, c.code, on(c.day))
		if ok != (c.want != "") || p.String() != c.want {
			t.Errorf("%s on %s: %s %v", c.code, c.day, p, ok)
		}
	}
	p, _ := Find(law.ProvinceLevel, "75", on("2026-05-01"))
	if p.Province.KindOn(on("2026-04-29")) != "tỉnh" || p.Province.KindOn(on("2026-04-30")) != "thành phố" {
		t.Errorf("Đồng Nai became a city on 30/04/2026: %+v", p.Province)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("Số 1 - P. Phúc Xá - Q.Ba Đình - TP.HCM")
	f.Add("quan quan xa xa, tinh .,; - Q1")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := Parse(text, time.Time{})
		if e := outcome.As(err); err != nil && e.Key == "exception" || err == nil && len(a.Places) == 0 {
			t.Errorf("%v %v", a, err)
		}
		for _, p := range a.Places {
			if p.Province.Code == "" {
				t.Errorf("no province: %v", p)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	tables()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("Số 1 phố Ví Dụ, Phường Phúc Xá, Quận Ba Đình, Thành phố Hà Nội", time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
