package paper

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

var tables = []int{6, 7, 8, 9, 10, 11, 13, 14, 15}

func visit(t testing.TB) Visit {
	ns, err := element.ParseNamespace("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	if err != nil {
		t.Fatal(err)
	}
	return Visit{IDs: ns, Facility: "25901", Key: "LK1", Patient: "p1", Encounter: "e1", Ended: time.Date(2026, 3, 12, 3, 0, 0, 0, time.UTC)}
}

// anyText draws what a foreign program may put into a field.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.Just(""),
		rapid.StringOfN(rapid.RuneFrom([]rune("aZ09.;,<>&'\"]đĐễ ắ\t\r\n-/%|+é")), 0, 20, -1),
		rapid.StringMatching(`-?[0-9]{0,12}(\.[0-9]{0,3})?`),
		rapid.String(),
	)
}

// good draws a value as the law wants it in the field.
func good(f *claim.Field) *rapid.Generator[string] {
	one := map[claim.Type]string{
		claim.TNumber: `[1-9][0-9]{0,2}`, claim.TNumberList: `[1-9][0-9]{3}`, claim.TDate8: `20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])`, claim.TDate8List: `20[0-9]{2}0[1-9]1[0-9]`,
		claim.TDate12: `20[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|2[0-8])(0[0-9]|2[0-3])[0-5][0-9]`, claim.TDate12List: `20260[1-9]1[0-9]0[0-9][0-5][0-9]`,
		claim.TBirthDate12: `19[0-9]{2}(00000000|0[1-9]000000|0[1-9]1[0-9]0000|0[1-9]1[0-9]0815)`,
	}[f.Type]
	if one == "" {
		one = `[A-Z][0-9]{2}(\.[0-9])?`
	}
	if f.Separator != "" {
		one += `(;` + one + `){0,3}`
	}
	return rapid.StringMatching(one)
}

func fill(t *rapid.T, r claim.Record) {
	for i := range r.Table().Fields {
		f := &r.Table().Fields[i]
		r.Set(i, rapid.OneOf(anyText(), good(f)).Draw(t, f.Name))
	}
	for range rapid.IntRange(0, 3).Draw(t, "extras") {
		name := rapid.SampledFrom([]string{"PP_DIEU_TRI", "MA_NOI_DEN", "MA_LK", "TRƯỜNG_LẠ"}).Draw(t, "extra")
		r.Rest().Extra = append(r.Rest().Extra, claim.Extra{Name: name, Text: anyText().Draw(t, "text")})
	}
}

func anyPapers() *rapid.Generator[*claim.HOSO] {
	return rapid.Custom(func(t *rapid.T) *claim.HOSO {
		h := new(claim.HOSO)
		for range rapid.IntRange(0, 4).Draw(t, "rows") {
			n := rapid.SampledFrom(tables).Draw(t, "table")
			if claim.Tables[n].List == "" && len(h.Of(n)) > 0 {
				continue
			}
			fill(t, h.Add(n))
		}
		return h
	})
}

func mapped(t interface{ Fatalf(string, ...any) }, v Visit, rows []claim.Record) (docs []*r4.Doc) {
	list, err := Map(v, rows)
	if err != nil {
		t.Fatalf("%v", err)
	}
	for _, r := range list {
		d, err := r4.Parse(r.Body)
		if err != nil {
			t.Fatalf("%v in %s", err, r.Body)
		}
		if d.ID() != r.ID || d.Type() != r.Type {
			t.Fatalf("%s/%s is written as %s/%s", r.Type, r.ID, d.Type(), d.ID())
		}
		docs = append(docs, d)
	}
	return docs
}

// TestBackIsTheSame: whatever the rows hold comes back, whatever order the resources come in.
func TestBackIsTheSame(t *testing.T) {
	v := visit(t)
	rapid.Check(t, func(t *rapid.T) {
		h := anyPapers().Draw(t, "papers")
		if rapid.Bool().Draw(t, "open visit") {
			v.Ended = time.Time{}
		}
		docs := mapped(t, v, h.Rows())
		ids := map[string]bool{}
		for _, d := range docs {
			if key := d.Type() + "/" + d.ID(); ids[key] {
				t.Fatalf("%s is given twice", key)
			} else {
				ids[key] = true
			}
			conforms(t, d)
		}
		if len(docs) > 0 {
			docs = rapid.Permutation(docs).Draw(t, "order")
		}
		rows, err := Back(docs)
		if err != nil {
			t.Fatal(err)
		}
		back := new(claim.HOSO)
		for _, r := range rows {
			copyRow(back.Add(r.Table().Number), r)
		}
		if want, got := string(claim.Canonical(h)), string(claim.Canonical(back)); want != got {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

func copyRow(to, from claim.Record) {
	for i := range from.Table().Fields {
		to.Set(i, from.Get(i))
	}
	to.Rest().Extra = from.Rest().Extra
}

// conforms: every member is an element of R4, of the kind and number that the definitions give it.
func conforms(t *rapid.T, d *r4.Doc) {
	var walk func(n r4.Node, path, shown string)
	walk = func(n r4.Node, path, shown string) {
		if n.Kind() != r4.Map {
			return
		}
		for name, m := range n.Members() {
			if name == "resourceType" && path == d.Type() {
				continue
			}
			e, typ, ok := elementOf(path, strings.TrimPrefix(name, "_"))
			if !ok {
				t.Fatalf("%s.%s is no element of R4", shown, name)
			}
			if (m.Kind() == r4.Array) != (e.Max != "1") {
				t.Fatalf("%s.%s may be there %s times", shown, name, e.Max)
			}
			if strings.HasPrefix(name, "_") {
				typ = "Element"
			}
			for i := range m.Elems() {
				walk(i, typ, shown+"."+name)
			}
		}
	}
	walk(d.Root(), d.Type(), d.Type())
}

// elementOf finds an element and the path below which its own are found.
func elementOf(path, name string) (e *r4.Element, below string, ok bool) {
	if e, ok = r4.ElementAt(path + "." + name); ok {
		switch {
		case e.SameAs != "":
			return e, e.SameAs, true
		case len(e.Types) == 1 && e.Types[0].Code != "BackboneElement" && e.Types[0].Code != "Element":
			return e, e.Types[0].Code, true
		}
		return e, e.Path, true
	}
	for i := 1; i < len(name); i++ {
		if e, ok = r4.ElementAt(path + "." + name[:i] + "[x]"); ok {
			for _, typ := range e.Types {
				if strings.EqualFold(typ.Code, name[i:]) {
					return e, typ.Code, true
				}
			}
		}
	}
	return nil, "", false
}

// birth is the certificate of an invented child.
func birth(h *claim.HOSO, number, name string) {
	*h.Add(9).(*claim.XML9) = claim.XML9{
		MA_LK: "LK1", HO_TEN_NND: "Nguyễn Thị Ví Dụ", NGAYSINH_NND: "19950101", MA_DANTOC_NND: "01", MATINH_CU_TRU: "25", HO_TEN_CON: claim.Text(name), GIOI_TINH_CON: "2",
		CAN_NANG_CON: "3100", NGAY_SINH_CON: "202603110815", SINHCON_PHAUTHUAT: "0", NGAY_CT: "20260312", SO: claim.Text(number), QUYEN_SO: "01/2026", MA_TTDV: "000123/PT-GPHN",
	}
}

// TestFound: the three resources are found by visit, person, kind, number and day, and belong to the patient.
func TestFound(t *testing.T) {
	h := new(claim.HOSO)
	birth(h, "77", "Bé Ví Dụ")
	for _, d := range mapped(t, visit(t), h.Rows()) {
		values, err := param.Extract(d)
		if err != nil {
			t.Fatal(err)
		}
		if ids := param.PatientCompartment(d, values); !slices.Equal(ids, []string{"p1"}) {
			t.Errorf("%s: compartment %v", d.Type(), ids)
		}
		var got []string
		for _, v := range values {
			switch v.Kind {
			case param.Reference:
				got = append(got, v.Param+"="+v.Type+"/"+v.ID+v.Code)
			case param.Token:
				got = append(got, v.Param+"="+v.System+"|"+v.Code)
			case param.Date:
				got = append(got, v.Param+"="+time.UnixMilli(v.Lo).In(claim.VietNam).Format(time.DateOnly))
			case param.URI:
				got = append(got, v.Param+"="+v.Text)
			}
		}
		want := map[string][]string{
			"QuestionnaireResponse": {"encounter=Encounter/e1", "subject=Patient/p1", "patient=Patient/p1", "authored=2026-03-12", "status=|completed", "author=/000123/PT-GPHN"},
			"Composition": {"encounter=Encounter/e1", "subject=Patient/p1", "type=urn:ytso:code:giay-to|xml9", "date=2026-03-12", "identifier=urn:ytso:id:giay-to:xml9:so:25901|77/01/2026",
				"author=/000123/PT-GPHN", "attester=/000123/PT-GPHN"},
			"DocumentReference": {"encounter=Encounter/e1", "subject=Patient/p1", "type=urn:ytso:code:giay-to|xml9", "date=2026-03-12", "identifier=urn:ytso:id:giay-to:xml9:so:25901|77/01/2026",
				"period=2026-03-11", "custodian=/25901"},
		}[d.Type()]
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: %q is not among %q", d.Type(), w, got)
			}
		}
		if ms, ok := param.ClinicalDate(d); !ok || time.UnixMilli(ms).In(claim.VietNam).Format(time.DateOnly) != "2026-03-12" {
			t.Errorf("%s: clinical date %d", d.Type(), ms)
		}
	}
}

// TestIDsStay: a resend gives the same ids, also when another paper has come before the known one.
func TestIDsStay(t *testing.T) {
	one, two := new(claim.HOSO), new(claim.HOSO)
	birth(one, "78", "Bé Hai")
	birth(two, "77", "Bé Một")
	birth(two, "78", "Bé Hai")
	a, b := mapped(t, visit(t), one.Rows()), mapped(t, visit(t), two.Rows())
	for i, d := range a {
		if d.ID() != b[3+i].ID() || d.ID() == b[i].ID() {
			t.Errorf("%s %s became %s", d.Type(), d.ID(), b[3+i].ID())
		}
	}
	again := mapped(t, visit(t), two.Rows())
	for i := range b {
		if string(b[i].Source()) != string(again[i].Source()) {
			t.Errorf("%s differs the second time", b[i].Type())
		}
	}
}

// TestAnswers: the types of FHIR, and the text of the claim where FHIR has no such value.
func TestAnswers(t *testing.T) {
	for _, c := range []struct{ table, field, text, want string }{
		{"XML7", "NGAY_CT", "20260312", `"valueDate":"2026-03-12"`},
		{"XML7", "NGAY_VAO", "202603100815", `"valueDateTime":"2026-03-10T08:15:00+07:00"`},
		{"XML7", "TUOI_THAI", "12", `"valueInteger":12`},
		{"XML7", "TUOI_THAI", "012", `"_valueInteger":{"extension":[{"url":"urn:ytso:ext:claim-text","valueString":"012"}]}`},
		{"XML7", "TUOI_THAI", "3000000000", `"_valueInteger"`},
		{"XML7", "MA_KHOA_RV", "K01", `"valueCoding":{"system":"urn:ytso:code:ma_khoa","code":"K01","display":"Khoa Khám bệnh"}`},
		{"XML7", "MA_KHOA_RV", "K  1", `"_code"`},
		{"XML7", "MA_KHOA_RV", "K\t1", `"_code"`},
		{"XML7", "MA_BS", "000123/PT-GPHN", `"valueReference":{"type":"Practitioner","identifier":{"system":"http://fhir.hl7.org.vn/core/sid/cchn","value":"000123/PT-GPHN"}}`},
		{"XML9", "MATINH_CU_TRU", "25", `"valueCoding":{"system":"urn:ytso:code:vn:provinces_2025","code":"25","display":"Tỉnh Phú Thọ"}`},
		{"XML9", "CAN_NANG_CON", "3100;2900", `"answer":[{"valueInteger":3100},{"valueInteger":2900}]`},
		{"XML9", "CAN_NANG_CON", "3100; 2900", `"answer":[{"valueString":"3100; 2900"}]`},
		{"XML13", "MA_BENH_KT", "I10;E11.9", `"answer":[{"valueCoding":{"system":"http://hl7.org/fhir/sid/icd-10","code":"I10"}},{"valueCoding"`},
		{"XML13", "MA_CSKCB_DEN", "25001", `"valueReference":{"type":"Organization","identifier":{"system":"urn:ytso:id:ma-cskcb","value":"25001"}}`},
		{"XML14", "NGAY_SINH", "198500000000", `"valueDate":"1985"`},
	} {
		r := new(claim.HOSO).Add(tableNumber(c.table))
		r.Set(slices.IndexFunc(r.Table().Fields, func(f claim.Field) bool { return f.Name == c.field }), c.text)
		body := string(mapped(t, visit(t), []claim.Record{r})[0].Source())
		if !strings.Contains(body, c.want) {
			t.Errorf("%s.%s %q: no %s in %s", c.table, c.field, c.text, c.want, body)
		}
	}
}

func tableNumber(name string) int {
	return slices.IndexFunc(claim.Tables[:], func(t claim.Table) bool { return t.Name == name })
}

// TestOldCodes: a code bears the name that it had on the day of the paper.
func TestOldCodes(t *testing.T) {
	for day, want := range map[string]string{"20250312": "urn:ytso:code:ma_tinh_062024", "20260312": "urn:ytso:code:vn:provinces_2025"} {
		h := new(claim.HOSO)
		*h.Add(9).(*claim.XML9) = claim.XML9{MATINH_CU_TRU: "25", NGAY_CT: claim.Date8(day)}
		if body := string(mapped(t, visit(t), h.Rows())[0].Source()); !strings.Contains(body, want) {
			t.Errorf("%s: no %s in %s", day, want, body)
		}
	}
}

// TestDates: a paper is dated by its day of issue, else by the end of the visit, else by its own fields; else it says that it does not know.
func TestDates(t *testing.T) {
	open := visit(t)
	open.Ended = time.Time{}
	for _, c := range []struct {
		v         Visit
		row       claim.XML7
		date, doc string
	}{
		{visit(t), claim.XML7{NGAY_CT: "20260311", NGAY_RA: "202603100900"}, "2026-03-11", "2026-03-11T00:00:00+07:00"},
		{visit(t), claim.XML7{NGAY_CT: "20261311"}, "2026-03-12T10:00:00+07:00", "2026-03-12T10:00:00+07:00"},
		{open, claim.XML7{NGAY_RA: "202603100900"}, "2026-03-10T09:00:00+07:00", "2026-03-10T09:00:00+07:00"},
		{open, claim.XML7{NGAY_CT: "00000101"}, "", ""},
	} {
		docs := mapped(t, c.v, []claim.Record{&c.row})
		if got := docs[1].Root().Get("date").Text(); got != c.date {
			t.Errorf("%q, want %q", got, c.date)
		}
		if unknown := docs[1].Root().Get("_date").Exists(); unknown != (c.date == "") {
			t.Errorf("%q: data-absent-reason %v", c.date, unknown)
		}
		if got := docs[2].Root().Get("date").Text(); got != c.doc {
			t.Errorf("reference %q, want %q", got, c.doc)
		}
	}
}

// TestSecret: all three resources of a paper that tells of HIV carry the label, others none.
func TestSecret(t *testing.T) {
	for _, c := range []struct {
		row  claim.Record
		want bool
	}{
		{&claim.XML6{}, true}, {&claim.XML15{PHANLOAI_LAO_HIV: "2"}, false}, {&claim.XML15{PHANLOAI_LAO_HIV: " 1"}, true}, {&claim.XML15{NGAYKD_HIV: "20230310"}, true},
		{&claim.XML13{MA_BENH_KT: "I10; b20.1"}, true}, {&claim.XML14{MA_BENH_CHINH: "Z21"}, true}, {&claim.XML13{MA_BENH_CHINH: "B25", MA_BENH_KT: "B2"}, false}, {&claim.XML7{}, false},
	} {
		for _, d := range mapped(t, visit(t), []claim.Record{c.row}) {
			got := element.Code(r4coding(d.Root().Get("meta")), hivLabels[0][0].Value.(string))
			if (got == "R") != c.want {
				t.Errorf("%s of %s: label %q, want %v", d.Type(), c.row.Table().Name, got, c.want)
			}
		}
	}
}

// r4coding lets element.Code read meta.security.
func r4coding(meta r4.Node) r4.Node {
	d, err := r4.Parse([]byte(`{"coding":` + string(meta.Get("security").Raw()) + `}`))
	if err != nil {
		return r4.Node{}
	}
	return d.Root()
}

func TestRefusals(t *testing.T) {
	if _, err := Map(visit(t), []claim.Record{&claim.XML2{}}); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("XML2 is no paper: %v", err)
	}
	d, err := r4.Parse([]byte(`{"resourceType":"QuestionnaireResponse","id":"x","questionnaire":"urn:ytso:form:xml9","status":"completed"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Back([]*r4.Doc{d}); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("a paper without its place: %v", err)
	}
	other, err := r4.Parse([]byte(`{"resourceType":"QuestionnaireResponse","id":"x","questionnaire":"urn:ytso:form:xml2","status":"completed"}`))
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := Back([]*r4.Doc{other}); err != nil || rows != nil {
		t.Errorf("another form: %v %v", rows, err)
	}
}

// TestLabels: each field of the nine tables has a Vietnamese and an English label, and no line of the table is idle.
func TestLabels(t *testing.T) {
	used := map[string]bool{}
	for _, n := range tables {
		table := &claim.Tables[n]
		if Title(n) == "" {
			t.Errorf("%s has no title", table.Name)
		}
		seen := map[string]string{}
		for _, f := range table.Fields {
			vi := labelVI(table.Name, f.Name)
			if vi == "" || f.MeaningEN == "" || element.Clean(vi) != vi {
				t.Errorf("%s.%s: labels %q, %q", table.Name, f.Name, vi, f.MeaningEN)
			}
			if other := seen[vi]; other != "" {
				t.Errorf("%s: %s and %s are both called %q", table.Name, other, f.Name, vi)
			}
			seen[vi] = f.Name
			used["."+f.Name], used[table.Name+"."+f.Name] = true, true
		}
	}
	for key := range labels() {
		if !used[key] {
			t.Errorf("labels.csv: no field %s", key)
		}
	}
	if Title(12) != "" || Title(1) != "" {
		t.Error("XML12 and XML1 are no papers")
	}
}

// TestFields: a paper as people read it.
func TestFields(t *testing.T) {
	h := new(claim.HOSO)
	*h.Add(14).(*claim.XML14) = claim.XML14{
		MA_LK: "LK1", SO_GIAYHEN_KL: "5", NGAY_SINH: "198505120000", GIOI_TINH: "2", GT_THE_DEN: "20261231;2027", NGAY_VAO: "202603100815", NGAY_HEN_KL: "20260410",
		MA_BENH_CHINH: "I10", NGAY_CT: "10/03/2026",
	}
	h.XML14[0].Rest().Extra = []claim.Extra{{Name: "LOI_DAN", Text: "Uống thuốc đều"}, {Name: "LOI_DAN", Text: "Ăn nhạt"}}
	docs := mapped(t, visit(t), h.Rows())
	var got []string
	for _, f := range Fields(docs[0].Root()) {
		got = append(got, fmt.Sprintf("%s: %s", f.LabelVI, f.Text))
	}
	want := []string{
		"Mã lần khám chữa bệnh: LK1", "Số giấy hẹn khám lại: 5", "Ngày sinh: 12/05/1985", "Giới tính: Nữ", "Thẻ có giá trị đến ngày: 31/12/2026; 2027",
		"Thời điểm đến khám: 08:15 10/03/2026", "Hẹn khám lại ngày: 10/04/2026", "Mã bệnh chính (ICD-10): I10", "Ngày cấp giấy: 10/03/2026",
		"Ngoài biểu mẫu: LOI_DAN: Uống thuốc đều; Ăn nhạt",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if Fields(docs[1].Root()) != nil {
		t.Error("a Composition has no fields")
	}
}

func BenchmarkMap(b *testing.B) {
	h := new(claim.HOSO)
	birth(h, "77", "Bé Ví Dụ")
	v := visit(b)
	for b.Loop() {
		if _, err := Map(v, h.Rows()); err != nil {
			b.Fatal(err)
		}
	}
}
