package book

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
)

func node(t *testing.T, body string) r4.Node {
	t.Helper()
	d, err := r4.Parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func spoken(t *testing.T, l i18n.Lang) context.Context {
	t.Helper()
	c, err := i18n.Load(ui.Messages(), messages)
	if err != nil {
		t.Fatal(err)
	}
	return c.Bind(t.Context(), l)
}

func on(day, code, text, facility, kindCode string) visit {
	return visit{ID: "e" + day, Start: moment(day + "T08:00:00+07:00"), Facility: facility, Place: "Nơi " + facility, Kind: kind{Code: kindCode, VI: "Hình thức " + kindCode}, Main: text, Diagnoses: []diagnosis{{Code: code, Text: text}}}
}

func TestTimelineFilters(t *testing.T) {
	visits := []visit{
		on("2026-03-01", "I10", "Tăng huyết áp vô căn", "25901", "05"), on("2026-01-05", "J06.9", "Nhiễm khuẩn hô hấp trên cấp", "25001", "01"),
		on("2025-12-31", "I10", "I10", "25901", "05"), on("2025-08-01", "A09", "Tiêu chảy cấp", "25001", "03"),
	}
	medicines := map[string][]string{"e2026-01-05": {"Đường ruột Ví Dụ 5g", "Paracetamol VD 500mg"}}
	for _, tt := range []struct {
		name string
		f    filter
		want string
	}{
		{"all", filter{}, "2026-03-01 2026-01-05 2025-12-31 2025-08-01"},
		{"year", filter{Year: 2025}, "2025-12-31 2025-08-01"},
		{"place", filter{Facility: "25901"}, "2026-03-01 2025-12-31"},
		{"kind", filter{Kind: "03"}, "2025-08-01"},
		{"together", filter{Year: 2026, Kind: "05"}, "2026-03-01"},
		{"words without marks, and the everyday name of a bare code", filter{Text: "tang huyet"}, "2026-03-01 2025-12-31"},
		{"words with marks", filter{Text: "HUYẾT áp"}, "2026-03-01 2025-12-31"},
		{"code", filter{Text: "i10"}, "2026-03-01 2025-12-31"},
		{"medicine", filter{Text: "para"}, "2026-01-05"},
		{"đ is d", filter{Text: "duong ruot"}, "2026-01-05"},
		{"from the start of a word only", filter{Text: "racetamol"}, ""},
		{"every word in the same text", filter{Text: "paracetamol ruot"}, ""},
		{"signs alone ask for nothing", filter{Text: "..."}, "2026-03-01 2026-01-05 2025-12-31 2025-08-01"},
		{"after", filter{After: "e2026-01-05"}, "2025-12-31 2025-08-01"},
		{"after what is gone", filter{After: "e?"}, "2026-03-01 2026-01-05 2025-12-31 2025-08-01"},
	} {
		line := timelineOf(visits, tt.f, medicines)
		var got []string
		for _, y := range line.Years {
			for _, v := range y.Visits {
				got = append(got, strings.TrimPrefix(v.ID, "e"))
			}
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
		if line.Visits != 4 || len(line.AllYears) != 2 || line.AllYears[0].Value != "2026" || line.AllYears[1].Count != 2 || len(line.Facilities) != 2 || len(line.Kinds) != 3 {
			t.Errorf("%s: choices are those of the whole book: %+v", tt.name, line)
		}
	}
	if found := timelineOf(visits, filter{Text: "para"}, medicines).Years[0].Visits[0].Found; !slices.Equal(found, []string{"Paracetamol VD 500mg"}) {
		t.Errorf("found %q", found)
	}
}

// TestTimelinePages: every visit once, in order, whatever the number.
func TestTimelinePages(t *testing.T) {
	for _, n := range []int{0, 1, pageSize, pageSize + 1, 1000} {
		var visits []visit
		for i := range n {
			v := on(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -i).Format(time.DateOnly), "I10", "x", "25901", "01")
			v.ID = fmt.Sprint("e", i)
			visits = append(visits, v)
		}
		seen, f := 0, filter{}
		for pages := 0; ; pages++ {
			line := timelineOf(visits, f, nil)
			for _, y := range line.Years {
				for _, v := range y.Visits {
					if v.ID != fmt.Sprint("e", seen) || v.Start.year() != y.Year {
						t.Fatalf("of %d: %s at place %d in %d", n, v.ID, seen, y.Year)
					}
					seen++
				}
			}
			if f.After = line.Next; f.After == "" || pages > n {
				break
			}
		}
		if seen != n {
			t.Errorf("%d visits shown of %d", seen, n)
		}
	}
}

func TestIllnesses(t *testing.T) {
	visits := []visit{
		on("2026-06-01", "I10", "I10", "1", "05"), on("2026-05-01", "J06.9", "Cảm", "1", "01"), on("2026-04-01", "E11.9", "Đái tháo đường", "1", "05"),
		on("2026-03-01", "I10", "Tăng huyết áp vô căn", "1", "05"), on("2026-02-01", "J06.9", "Cảm", "1", "01"), on("2026-01-15", "E11.5", "Đái tháo đường", "1", "05"),
		on("2026-01-10", "E11", "Đái tháo đường", "1", "05"), on("2025-12-01", "I10", "Tăng huyết áp", "1", "05"), on("2025-11-01", "J06.9", "Cảm", "1", "01"),
		on("2025-10-01", "Z00.0", "Khám sức khỏe", "1", "01"), on("2025-05-01", "Z00.0", "Khám sức khỏe", "1", "01"), on("2025-01-01", "Z00.0", "Khám sức khỏe", "1", "01"),
	}
	visits[0].Diagnoses = append(visits[0].Diagnoses, diagnosis{Code: "I10", Text: "twice in one visit counts once"}, diagnosis{Code: "U50.1", Text: "y học cổ truyền", Traditional: true})
	got := illnessesOf(visits)
	if len(got) != 1 || got[0].Category != "I10" || got[0].Visits != 3 || got[0].Text != "Tăng huyết áp vô căn" || got[0].Since.day() != "01/12/2025" || got[0].LastID != "e2026-06-01" {
		t.Errorf("%+v", got)
	}
	if got := illnessesOf(append(visits, on("2025-12-31", "E11.9", "Đái tháo đường", "1", "05"))); len(got) != 2 || got[0].Visits != 4 {
		t.Errorf("three visits in ninety days and more: %+v", got)
	}
	if got := illnessesOf(nil); got != nil {
		t.Errorf("%+v", got)
	}
}

func TestUsualRanges(t *testing.T) {
	for _, s := range spans() {
		if s.Source == "" || len(s.units) == 0 || len(s.codes) == 0 || !s.hasLow && !s.hasHigh && !s.hasBelow || s.hasLow && s.hasHigh && s.Low.Cmp(s.High) >= 0 {
			t.Errorf("%+v", s)
		}
	}
	grown := about{Sex: "male", Birth: "1960-05-01", On: "2026-03-01"}
	woman := about{Sex: "female", Birth: "1990", On: "2026-03-01"}
	for _, tt := range []struct {
		name             string
		code, label      string
		value, unit      string
		who              about
		want             verdict
		shown, inEnglish string
	}{
		{"at the lower bound", "CREATININ", "Creatinin", "62", "µmol/L", grown, inside, "62 đến 115", "62 to 115"},
		{"below it", "CREATININ", "Creatinin", "61.9", "µmol/L", grown, under, "62 đến 115", ""},
		{"at the upper bound", "CREATININ", "Creatinin", "115.0", "µmol/L", grown, inside, "62 đến 115", ""},
		{"above it", "CREATININ", "Creatinin", "115.1", "µmol/L", grown, over, "62 đến 115", ""},
		{"women have another", "CREATININ", "Creatinin", "98", "umol/l", woman, over, "44 đến 97", ""},
		{"the other sign for micro", "", "Định lượng Creatinin", "60", "μmol/L", woman, inside, "44 đến 97", ""},
		{"an exclusive bound", "HBA1C", "HbA1c", "5.7", "%", grown, over, "dưới 5,7", "under 5,7"},
		{"just under it", "HBA1C", "HbA1c", "5.69", "%", grown, inside, "dưới 5,7", ""},
		{"open above", "HGB", "Huyết sắc tố", "300", "g/L", grown, inside, "từ 130 trở lên", "130 or more"},
		{"open below", "ALT", "ALT", "3", "U/L", grown, inside, "đến 40", "up to 40"},
		{"both kinds", "GLU", "Glucose", "5.6", "mmol/L", grown, over, "3,9 đến dưới 5,6", "3,9 to under 5,6"},
		{"another unit", "GLU", "Glucose", "99", "mg/dL", grown, unknown, "", ""},
		{"another analyte", "NTPROBNP", "NT-proBNP", "99", "pg/mL", grown, unknown, "", ""},
		{"a child", "CREATININ", "Creatinin", "30", "µmol/L", about{Sex: "male", Birth: "2015-01-01", On: "2026-03-01"}, unknown, "", ""},
		{"perhaps a child: only the year is known", "CREATININ", "Creatinin", "30", "µmol/L", about{Sex: "male", Birth: "2008", On: "2026-03-01"}, unknown, "", ""},
		{"birth not known", "CREATININ", "Creatinin", "30", "µmol/L", about{Sex: "male", On: "2026-03-01"}, unknown, "", ""},
		{"sex not known", "CREATININ", "Creatinin", "30", "µmol/L", about{Birth: "1960", On: "2026-03-01"}, unknown, "", ""},
		{"sex does not matter", "HBA1C", "HbA1c", "5", "%", about{Birth: "1960", On: "2026-03-01"}, inside, "dưới 5,7", ""},
		{"with child, a range of its own", "HGB", "Huyết sắc tố", "115", "g/L", about{Sex: "female", Birth: "1990", On: "2026-03-01", Pregnant: true}, inside, "từ 110 trở lên", ""},
		{"with child, no other holds", "CREATININ", "Creatinin", "40", "µmol/L", about{Sex: "female", Birth: "1990", On: "2026-03-01", Pregnant: true}, unknown, "", ""},
		{"not with child", "HGB", "Huyết sắc tố", "115", "g/L", woman, under, "từ 120 trở lên", ""},
	} {
		s := usual(tt.code, tt.label, tt.unit, tt.who)
		if got := s.judge(decimal.MustParse(tt.value)); got != tt.want || s.text(spoken(t, i18n.VI)) != tt.shown {
			t.Errorf("%s: %q %q", tt.name, got, s.text(spoken(t, i18n.VI)))
		}
		if tt.inEnglish != "" && s.text(spoken(t, i18n.EN)) != tt.inEnglish {
			t.Errorf("%s: %q", tt.name, s.text(spoken(t, i18n.EN)))
		}
	}
}

func TestResults(t *testing.T) {
	obs := func(id, code, name, value, day string) r4.Node {
		return node(t, `{"resourceType":"Observation","id":"`+id+`","encounter":{"reference":"Encounter/e`+id+`"},"code":{"coding":[{"system":"urn:ytso:code:ma-chi-so","code":"`+code+`"}],"text":"`+name+`"},`+value+`,"effectiveDateTime":"`+day+`T07:51:00+07:00"}`)
	}
	p := person{Sex: "male", Birth: "1960"}
	var list []result
	for _, o := range []r4.Node{
		obs("1", "HBA1C", "HbA1c", `"valueQuantity":{"value":9.60,"unit":"%"}`, "2025-07-01"), obs("3", "HBA1C", "HbA1c", `"valueQuantity":{"value":6.7,"unit":"%"}`, "2026-05-01"),
		obs("2", "HBA1C", "HbA1c", `"valueString":"không đo được","extension":[{"url":"urn:ytso:ext:don-vi-do","valueString":"%"}]`, "2026-01-01"),
		obs("4", "AGN", "Ấn tượng", `"valueQuantity":{"value":12345.50,"unit":"U/L"}`, "2026-05-01"), obs("5", "GLU", "Glucose", `"valueQuantity":{"value":5,"unit":"mmol/L"}`, "2026-05-01"),
	} {
		list = append(list, resultOf(o, p, nil))
	}
	if list[3].valued() != "12.345,50 U/L" || list[2].valued() != "không đo được %" || list[0].Value != "9,60" {
		t.Errorf("as written: %q %q %q", list[3].valued(), list[2].valued(), list[0].Value)
	}
	groups := analytesOf(slices.Clone(list))
	if len(groups) != 3 || groups[0].Name != "Ấn tượng" || groups[2].Name != "HbA1c" || len(groups[2].Results) != 3 || groups[2].Last.ID != "3" {
		t.Errorf("%+v", groups)
	}
	if out := outside(slices.Clone(list)); len(out) != 1 || out[0].ID != "3" {
		t.Errorf("outside: %+v", out)
	}
	c := courseOf(groups[2].Results, "")
	if len(c.Lines) != 1 || len(c.Lines[0].Points) != 2 || c.Lines[0].Points[0].Y != 9.6 || c.Lines[0].High != 5.7 || len(c.Results) != 3 {
		t.Errorf("%+v", c)
	}
	var many []result
	for i := range 120 {
		many = append(many, result{ID: fmt.Sprint(i), Name: "x", On: moment(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -i).Format(time.DateOnly))})
	}
	if c := courseOf(many, ""); len(c.Shown) != 50 || c.Next != "49" || len(c.Results) != 120 {
		t.Errorf("first page: %d, next %s", len(c.Shown), c.Next)
	}
	if c := courseOf(many, "99"); len(c.Shown) != 20 || c.Next != "" || c.Shown[0].ID != "100" || c.After != "99" {
		t.Errorf("last page: %d, next %s", len(c.Shown), c.Next)
	}
	if list[4].Href() != "/so/ket-qua/GLU" || (result{Name: "Cân nặng"}).Href() != "/so/ket-qua/ten:can%20nang" {
		t.Errorf("%s %s", list[4].Href(), (result{Name: "Cân nặng"}).Href())
	}
}

func request(t *testing.T, name, dose, quantity, at, visit string) r4.Node {
	return node(t, `{"resourceType":"MedicationRequest","encounter":{"reference":"Encounter/`+visit+`"},"authoredOn":"`+at+`","medicationCodeableConcept":{"text":"`+name+`","extension":[{"url":"urn:ytso:ext:ham-luong","valueString":"5mg"}]},"dosageInstruction":[{"text":"`+dose+`","patientInstruction":"Uống sáng"}],"dispenseRequest":{"quantity":{"value":`+quantity+`,"unit":"Viên"}}}`)
}

func TestMedicines(t *testing.T) {
	const morning, evening, next = "2026-03-10T08:00:00+07:00", "2026-03-10T18:00:00+07:00", "2026-03-11T08:00:00+07:00"
	list := medicinesOf([]r4.Node{
		request(t, "A", "1 viên/lần x 2 lần/ngày [1 viên]", "1", morning, "e1"), request(t, "A", "1 viên/lần x 2 lần/ngày [2 viên]", "2", evening, "e1"),
		request(t, "B", "1 viên/lần x 1 lần/ngày [28 viên]", "28", morning, "e1"), request(t, "A", "2 viên/lần x 2 lần/ngày [4 viên]", "4", next, "e1"),
	})
	if len(list) != 3 || len(list[0].Lines) != 2 || list[0].Amount() != "3 viên" || list[0].Dose != "1 viên/lần x 2 lần/ngày" || list[1].Dose != "1 viên/lần x 1 lần/ngày [28 viên]" {
		t.Errorf("%+v", list)
	}
	if list[0].Strength != "5mg" || list[0].How != "Uống sáng" || list[0].On != evening {
		t.Errorf("%+v", list[0])
	}
}

func TestLasts(t *testing.T) {
	for _, tt := range []struct{ dose, quantity, want string }{
		{"1 viên/lần x 1 lần/ngày [28 viên]", "28", "06/04/2026"},
		{"1 viên/lần x 2 lần/ngày [56 viên]", "56", "06/04/2026"},
		{"0,5 viên/lần * 2 lần/ngày * 10 ngày [10 viên]", "10", "19/03/2026"},
		{"2 viên/lần x 1 lần/ngày", "3", "10/03/2026"},
		{"2 viên/lần x 1 lần/ngày", "1", ""},
		{"Uống khi đau", "10", ""},
		{"1 viên/lần x 1 lần/ngày, nghỉ cuối tuần", "28", ""},
		{"0 viên/lần x 1 lần/ngày", "28", ""},
		{"1 viên/lần x 1 lần/ngày", "9999", ""},
	} {
		m := medicine{Dose: tt.dose, Quantity: decimal.MustParse(tt.quantity), On: "2026-03-10T08:00:00+07:00"}
		got := ""
		if u := lasts(m); !u.IsZero() {
			got = ui.Day(u)
		}
		if got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.dose, tt.quantity, got, tt.want)
		}
	}
}

func TestNotUsedUp(t *testing.T) {
	requests := []r4.Node{
		request(t, "A", "1 viên/lần x 1 lần/ngày [7 viên]", "7", "2026-06-10T08:00:00+07:00", "new"), request(t, "B", "1 viên/lần x 1 lần/ngày [60 viên]", "60", "2026-06-10T08:00:00+07:00", "new"),
		request(t, "A", "1 viên/lần x 1 lần/ngày [90 viên]", "90", "2026-05-01T08:00:00+07:00", "old"), request(t, "C", "1 viên/lần x 1 lần/ngày [90 viên]", "90", "2026-05-01T08:00:00+07:00", "stay"),
	}
	given := handoutsOf(requests, map[string]visit{"new": {Place: "Trạm", Kind: kind{Code: "05"}}, "old": {Kind: kind{Code: "05"}}, "stay": {Kind: kind{Code: "03"}}})
	if len(given) != 3 || given[0].Place != "Trạm" || len(given[0].Medicines) != 2 {
		t.Fatalf("%+v", given)
	}
	now := notUsedUp(given, time.Date(2026, 6, 20, 23, 0, 0, 0, time.UTC))
	if len(now) != 1 || now[0].Name != "B" {
		t.Errorf("the newest handout of a medicine counts, and not what was taken inside: %+v", now)
	}
	if now = notUsedUp(given, today); len(now) != 2 {
		t.Errorf("%+v", now)
	}
}

func TestMoney(t *testing.T) {
	m := amounts(map[string]string{"T_TONGCHI_BV": "100000.50", "T_BHTT": "80000.50", "T_BNCCT": "15000", "T_BNTT": "5000", "T_NGUONKHAC": "x"})
	if cash(m.You()) != "20.000 ₫" || cash(m.Total) != "100.001 ₫" || !m.some() || (money{}).some() {
		t.Errorf("%+v", m)
	}
	last, keys := 0, []string{}
	for _, s := range m.slices() {
		if s.From != last || s.To <= s.From {
			t.Errorf("%+v does not begin at %d", s, last)
		}
		last, keys = s.To, append(keys, s.Key)
	}
	if last != barWidth || strings.Join(keys, " ") != "insurance share self" {
		t.Errorf("bar ends at %d: %v", last, keys)
	}
	if (money{}).slices() != nil {
		t.Error("no money, no bar")
	}
}

func TestCosts(t *testing.T) {
	claim := func(visit, total string) r4.Node {
		return node(t, `{"resourceType":"Claim","total":{"value":`+total+`,"currency":"VND"},"extension":[{"url":"urn:ytso:ext:so-tien:T_BHTT","valueMoney":{"value":`+total+`}}],"item":[{"sequence":1,"encounter":[{"reference":"Encounter/`+visit+`"}]}]}`)
	}
	visits := map[string]visit{"a": on("2026-01-01", "I10", "x", "1", "01"), "b": on("2025-01-01", "I10", "x", "1", "01")}
	c := costsOf([]r4.Node{claim("a", "100.00"), claim("b", "50"), claim("a", "1"), claim("gone", "7"), claim("b", "0")}, visits, 2025)
	if cash(c.Total.Total) != "151 ₫" || len(c.Years) != 2 || c.Years[0].Year != 2026 || cash(c.Years[0].Money.Insurance) != "101 ₫" || c.Open != 2025 {
		t.Errorf("%+v", c)
	}
	if c := costsOf([]r4.Node{claim("a", "1")}, visits, 1999); c.Open != 2026 {
		t.Errorf("open %d", c.Open)
	}
}

func TestMoments(t *testing.T) {
	for _, tt := range []struct {
		m         moment
		day, full string
		year      int
	}{
		{"1985", "1985", "1985", 1985}, {"1985-05", "05/1985", "05/1985", 1985}, {"1985-05-12", "12/05/1985", "12/05/1985", 1985},
		{"2025-12-31T20:00:00Z", "01/01/2026", "03:00 01/01/2026", 2026}, {"2026-03-10T08:15:00+07:00", "10/03/2026", "08:15 10/03/2026", 2026}, {"", "", "", 0},
	} {
		if tt.m.day() != tt.day || tt.m.full() != tt.full || tt.m.year() != tt.year {
			t.Errorf("%s: %q %q %d", tt.m, tt.m.day(), tt.m.full(), tt.m.year())
		}
	}
	for _, tt := range []struct {
		birth       moment
		least, most int
	}{{"2000-03-01", 26, 26}, {"2000-03-02", 25, 25}, {"2000", 25, 26}, {"2000-03", 25, 26}} {
		if a, b, ok := ageAt(tt.birth, "2026-03-01"); !ok || a != tt.least || b != tt.most {
			t.Errorf("%s: %d to %d", tt.birth, a, b)
		}
	}
}

// TestWhen: the hour that the form alone knows is not told as the hour somebody went home.
func TestWhen(t *testing.T) {
	ctx := spoken(t, i18n.VI)
	for _, tt := range []struct {
		kind, start, end, want string
	}{
		{"01", "2026-05-26T07:00:00+07:00", "2026-05-26T08:20:00+07:00", "07:00 đến 08:20, ngày 26/05/2026"},
		{"01", "2026-05-26T07:00:00+07:00", "2026-05-26T23:59:00+07:00", "07:00 đến 23:59, ngày 26/05/2026"},
		{"05", "2026-05-26T07:00:00+07:00", "2026-05-26T23:59:00+07:00", "07:00 26/05/2026"},
		{"05", "2026-05-26T07:00:00+07:00", "2026-05-26T09:00:00+07:00", "07:00 đến 09:00, ngày 26/05/2026"},
		{"02", "2026-05-26T07:00:00+07:00", "2026-05-30T23:59:00+07:00", "07:00 26/05/2026 đến 30/05/2026"},
		{"03", "2026-05-26T07:00:00+07:00", "2026-05-30T23:59:00+07:00", "07:00 26/05/2026 đến 23:59 30/05/2026"},
	} {
		if got := (visit{Kind: kind{Code: tt.kind}, Start: moment(tt.start), End: moment(tt.end)}).when(ctx); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.kind, tt.end, got, tt.want)
		}
	}
}

func TestDiagnoses(t *testing.T) {
	e := node(t, `{"resourceType":"Encounter","id":"e","period":{"start":"2026-03-10T07:30:00+07:00"},"diagnosis":[
		{"condition":{"reference":"Condition/c","display":"Ho và sốt"},"use":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/diagnosis-role","code":"AD"}]}},
		{"condition":{"reference":"Condition/b","display":"I10"},"rank":2},{"condition":{"reference":"Condition/a","display":"E11.9 Đái tháo đường típ 2"},"rank":1},
		{"condition":{"reference":"Condition/d","display":"U62.392 Tiêu khát"},"rank":3},{"condition":{"reference":"Condition/f","display":"Bệnh không có mã"}}]}`)
	v := visitOf(e, nil)
	want := []diagnosis{{"a", "E11.9", "Đái tháo đường típ 2", false, 1}, {"b", "I10", "I10", false, 2}, {"d", "U62.392", "Tiêu khát", true, 3}, {"f", "", "Bệnh không có mã", false, 1 << 30}}
	if !slices.Equal(v.Diagnoses, want) || v.Main != "Đái tháo đường típ 2" || v.OnArrival != "Ho và sốt" {
		t.Errorf("%+v", v)
	}
	whole := visitOf(e, []r4.Node{node(t, `{"resourceType":"Condition","id":"b","code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"I10"}],"text":"Tăng huyết áp độ 2"}}`)})
	if whole.Diagnoses[1].Text != "Tăng huyết áp độ 2" || whole.Diagnoses[0].Text != want[0].Text {
		t.Errorf("%+v", whole.Diagnoses)
	}
	if p := pregnanciesOf([]visit{v, {ID: "o", Diagnoses: []diagnosis{{Code: "Z34.9"}}}, {ID: "p", Diagnoses: []diagnosis{{Code: "I10"}, {Code: "O80"}}}}); len(p) != 2 || !p["o"] || !p["p"] {
		t.Errorf("%v", p)
	}
}

func TestReturns(t *testing.T) {
	plan := func(visit string, days ...string) r4.Node {
		s := ""
		for _, d := range days {
			s += `,{"detail":{"kind":"Appointment","scheduledPeriod":{"start":"` + d + `"}}}`
		}
		return node(t, `{"resourceType":"CarePlan","encounter":{"reference":"Encounter/`+visit+`"},"activity":[{"detail":{"description":"Nội khoa"}}`+s+`]}`)
	}
	visits := []visit{{ID: "a"}, {ID: "b"}}
	plans := []r4.Node{plan("a", "2026-07-01", "2026-06-20"), plan("b", "2026-06-14"), plan("gone", "2026-06-15"), plan("b")}
	planned(visits, plans)
	if len(visits[0].FollowUps) != 2 || visits[0].FollowUps[1].day() != "20/06/2026" || len(visits[1].FollowUps) != 1 {
		t.Errorf("%+v", visits)
	}
	newest := []year{{2026, 2, visits}}
	if v, on := nextReturn(newest, today); v == nil || v.ID != "a" || on != "2026-06-20" {
		t.Errorf("%v %s", v, on)
	}
	if v, on := nextReturn(newest, time.Date(2026, 6, 19, 18, 0, 0, 0, time.UTC)); v == nil || on != "2026-06-20" {
		t.Errorf("in Viet Nam the day itself still lies ahead: %v %s", v, on)
	}
	if v, _ := nextReturn(newest, today.AddDate(0, 1, 0)); v != nil {
		t.Errorf("what is past is no return: %v", v)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{"": "", "123": "•••", "1234": "••••", "012345678901": "••••••••8901"} {
		if got := mask(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestVitalSigns(t *testing.T) {
	ctx := spoken(t, i18n.VI)
	for _, tt := range []struct{ in, text, signs string }{
		{"Khó thở. CSST<M73_T37.4_HA131/80>", "Khó thở.", "Mạch 73 lần/phút|Nhiệt độ 37,4 °C|Huyết áp 131/80 mmHg"},
		{"CSST<NT18_SP98_HL5>", "", "Nhịp thở 18 lần/phút|SpO₂ 98 %|HL5"},
		{"CSST<M_T_HA>", "", ""},
		{"Tỉnh táo", "Tỉnh táo", ""},
		{"CSST<M", "CSST<M", ""},
	} {
		text, signs := readable(ctx, tt.in)
		if text != tt.text || strings.Join(signs, "|") != tt.signs {
			t.Errorf("%s: %q %q", tt.in, text, signs)
		}
	}
}

func TestEverydayNames(t *testing.T) {
	if n := len(diseases()); n < 30 {
		t.Fatalf("%d names", n)
	}
	vi, en := spoken(t, i18n.VI), spoken(t, i18n.EN)
	for _, tt := range []struct{ text, code, vi, en string }{
		{"I10", "I10", "Tăng huyết áp", "High blood pressure"}, {"E11.9", "E11.9", "Đái tháo đường típ 2", "Type 2 diabetes"},
		{"Suy tim độ 2", "I50.0", "Suy tim độ 2", "Suy tim độ 2"}, {"Q99.9", "Q99.9", "Mã bệnh Q99.9", "Illness code Q99.9"}, {"", "", "", ""},
	} {
		if called(vi, tt.text, tt.code) != tt.vi || called(en, tt.text, tt.code) != tt.en {
			t.Errorf("%s: %s, %s", tt.code, called(vi, tt.text, tt.code), called(en, tt.text, tt.code))
		}
	}
}

func TestReportsTogether(t *testing.T) {
	one := func(id string) result { return result{ID: id, Value: "1"} }
	list := together([]report{
		{Name: "A", On: "2026-03-01T08:00:00+07:00", Results: []result{one("1")}}, {Name: "B", On: "2026-03-01T08:00:00+07:00", Results: []result{one("2")}},
		{Name: "C", On: "2026-03-01T07:00:00+07:00", Results: []result{one("3"), one("4")}}, {Name: "D", On: "2026-03-01T08:00:00+07:00", Conclusion: "bình thường"},
		{Name: "E", On: "2026-03-01T08:00:00+07:00", Results: []result{{ID: "5", Value: "1", Vital: true}}},
	})
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprint(r.Name, len(r.Results)))
	}
	if strings.Join(got, " ") != "C2 2 D0 1" {
		t.Errorf("%v", got)
	}
}
