package claim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
)

// TestTables holds the generated tables against spec/qd3176/tables.csv, which has 479 fields.
func TestTables(t *testing.T) {
	fields := 0
	for n, table := range Tables {
		if table.Number != n || table.Name != fmt.Sprintf("XML%d", n) {
			t.Errorf("table %d is %s", n, table.Name)
		}
		fields += len(table.Fields)
		for i, f := range table.Fields {
			if i > 0 && f.Order <= table.Fields[i-1].Order {
				t.Errorf("%s.%s is out of order", table.Name, f.Name)
			}
		}
	}
	if fields != 479 {
		t.Errorf("%d fields, want 479", fields)
	}
}

// text draws what a foreign program may put into a field: XML's characters, no white space around.
func text() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09.;,<>&'\"]đĐễ ắ\t\n-/%|")), 0, 20, -1).Draw(t, "s")
		return strings.TrimSpace(s)
	})
}

func fill(t *rapid.T, r Record) {
	for i := range r.Table().Fields {
		r.Set(i, text().Draw(t, r.Table().Fields[i].Name))
	}
}

func anyFile() *rapid.Generator[*File] {
	return rapid.Custom(func(t *rapid.T) *File {
		f := &File{Kind: rapid.SampledFrom([]Kind{Claim, Claim, Claim, CheckIn, Assessment}).Draw(t, "kind")}
		rows := rapid.IntRange(1, 2)
		switch f.Kind {
		case CheckIn:
			f.CheckIns = make([]XML0, rows.Draw(t, "rows"))
			for i := range f.CheckIns {
				fill(t, &f.CheckIns[i])
			}
		case Assessment:
			f.Assessments = make([]XML12, rows.Draw(t, "rows"))
			for i := range f.Assessments {
				fill(t, &f.Assessments[i])
			}
		case Claim:
			f.MACSKCB, f.NGAYLAP = "25901", "20260310"
			for ordinal := range rows.Draw(t, "hosos") {
				h := &HOSO{Ordinal: ordinal + 1}
				fill(t, h.Add(1))
				for range rapid.IntRange(0, 5).Draw(t, "parts") {
					n := rapid.SampledFrom([]int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15}).Draw(t, "table")
					if Tables[n].List == "" && len(h.Of(n)) > 0 {
						continue
					}
					fill(t, h.Add(n))
				}
				f.HOSO = append(f.HOSO, h)
			}
		}
		return f
	})
}

// rows flattens all rows of a file to compare by value.
func rows(f *File) (out [][]string) {
	add := func(r Record) {
		line := []string{r.Table().Name}
		for i := range r.Table().Fields {
			line = append(line, r.Get(i))
		}
		out = append(out, line)
	}
	for i := range f.CheckIns {
		add(&f.CheckIns[i])
	}
	for i := range f.Assessments {
		add(&f.Assessments[i])
	}
	for _, h := range f.HOSO {
		out = append(out, []string{fmt.Sprint("HOSO ", h.Ordinal)})
		for _, r := range h.Rows() {
			add(r)
		}
	}
	return out
}

// TestRoundTrip: what is written reads back the same, for every table and any text, and writes the same bytes again.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFile().Draw(t, "file")
		b, err := Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rows(f), rows(got)); d != "" {
			t.Fatal(d)
		}
		again, err := Encode(got)
		if err != nil || !bytes.Equal(b, again) {
			t.Fatalf("written again it differs: %v", err)
		}
		for i, h := range f.HOSO {
			if !bytes.Equal(Canonical(h), Canonical(got.HOSO[i])) {
				t.Fatal("canonical bytes differ")
			}
			if len(got.HOSO[i].Problems) > 0 {
				t.Fatal(got.HOSO[i].Problems)
			}
		}
	})
}

func sample(t testing.TB) (*File, []byte) {
	t.Helper()
	f := &File{Kind: Claim, MACSKCB: "25901", NGAYLAP: "20260310"}
	h := &HOSO{Ordinal: 1}
	x := h.Add(1).(*XML1)
	x.MA_LK, x.HO_TEN, x.DIA_CHI = "LK1", "Nguyễn Thị Ví Dụ", "Thôn <A> & B"
	h.Add(2).(*XML2).TEN_THUOC = "Paracetamol"
	f.HOSO = []*HOSO{h}
	b, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, b
}

// nested turns the base64 of a file into elements in place, with CDATA and a declaration dropped or kept.
func nested(t testing.TB, b []byte, edit func(string) string) []byte {
	t.Helper()
	const open = "<NOIDUNGFILE>"
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(string(b), open)
		out.WriteString(before)
		if !found {
			return []byte(out.String())
		}
		text, rest, _ := strings.Cut(rest, "<")
		doc, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(open + edit(string(doc)))
		b = []byte("<" + rest)
	}
}

// TestTolerance: the forms that envelope.md §2 and §3 say a reader must accept give the same HOSO.
func TestTolerance(t *testing.T) {
	f, clean := sample(t)
	want := Canonical(f.HOSO[0])
	back := func(doc string) string { return base64.StdEncoding.EncodeToString([]byte(doc)) }
	for name, b := range map[string][]byte{
		"byte-order mark":          append([]byte("\xef\xbb\xbf"), clean...),
		"no declaration":           bytes.TrimPrefix(clean, []byte(declaration)),
		"base64 around everything": []byte(base64.StdEncoding.EncodeToString(clean)),
		"nested elements":          nested(t, clean, func(d string) string { return d }),
		"declaration inside":       nested(t, clean, func(d string) string { return back(declaration + d) }),
		"byte-order mark inside":   nested(t, clean, func(d string) string { return back("\ufeff" + d) }),
		"base64 in lines":          nested(t, clean, func(d string) string { return "\n" + strings.Join(strings.SplitAfter(back(d), "A"), "\r\n ") + "\n" }),
		"CDATA":                    nested(t, clean, func(d string) string { return back(strings.ReplaceAll(d, ">LK1<", "><![CDATA[LK1]]><")) }),
		"blanks around values":     nested(t, clean, func(d string) string { return back(strings.ReplaceAll(d, ">LK1<", ">\n LK1\t<")) }),
		"blank element left out":   nested(t, clean, func(d string) string { return back(strings.ReplaceAll(d, "<NHOM_MAU></NHOM_MAU>", "")) }),
		"blank element closed":     nested(t, clean, func(d string) string { return back(strings.ReplaceAll(d, "<NHOM_MAU></NHOM_MAU>", "<NHOM_MAU/>")) }),
		"other order": nested(t, clean, func(d string) string {
			return back(strings.Replace(strings.ReplaceAll(d, "<MA_LK>LK1</MA_LK>", ""), "</TONG_HOP>", "<MA_LK>LK1</MA_LK></TONG_HOP>", 1))
		}),
	} {
		got, err := Decode(b, Limits{})
		if err != nil || len(got.HOSO) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(Canonical(got.HOSO[0]), want) {
			t.Errorf("%s: the HOSO differs:\n%s", name, cmp.Diff(string(want), string(Canonical(got.HOSO[0]))))
		}
	}
}

// TestRefusals: what refuses a whole file, and what is still known about it.
func TestRefusals(t *testing.T) {
	_, clean := sample(t)
	s := string(clean)
	for _, c := range []struct {
		name, file string
		want       *outcome.Error
	}{
		{"empty", "", ErrCutOff},
		{"not XML", "xin chào", ErrNotXML},
		{"cut off", s[:len(s)/2], ErrCutOff},
		{"cut before the last tag", strings.TrimSuffix(strings.TrimSpace(s), "</GIAMDINHHS>"), ErrCutOff},
		{"DTD", `<!DOCTYPE a [<!ENTITY b "c">]>` + s, ErrEntity},
		{"entity", strings.Replace(s, "25901", "&b;", 1), ErrEntity},
		{"UTF-16", "\xff\xfe<\x00", ErrNotXML},
		{"Latin-1", strings.Replace(s, "25901", "\xe9", 1), ErrNotXML},
		{"other root", "<a/>", ErrUnknownRoot},
		{"fewer than declared", strings.Replace(s, "<SOLUONGHOSO>1", "<SOLUONGHOSO>2", 1), ErrCount},
		{"no count", strings.Replace(s, "<SOLUONGHOSO>1", "<SOLUONGHOSO>", 1), ErrCount},
		{"no facility", strings.Replace(s, "25901", " ", 1), ErrNoFacility},
		{"4210", strings.NewReplacer("XML1", "XML1").Replace(string(nested(t, clean, func(d string) string {
			return strings.Replace(d, "CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", 2)
		}))), ErrOldFormat},
		{"too deep", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), ErrTooLarge},
	} {
		_, err := Decode([]byte(c.file), Limits{})
		var e *outcome.Error
		if !errors.As(err, &e) || e.Key != c.want.Key {
			t.Errorf("%s: %v, want %s", c.name, err, c.want.Key)
		}
	}
	if f, _ := Decode([]byte(strings.Replace(s, "<SOLUONGHOSO>1", "<SOLUONGHOSO>2", 1)), Limits{}); f.MACSKCB != "25901" || len(f.HOSO) != 1 {
		t.Error("a refused file should still tell its sender")
	}
}

// TestDamagedPartSpareNeighbours: one damaged part is a Problem and the rest is read.
func TestDamagedPartSparesNeighbours(t *testing.T) {
	_, clean := sample(t)
	for name, c := range map[string]struct {
		edit func(string) string
		want ProblemCode
	}{
		"not base64":   {func(string) string { return "P!!!" }, BadBase64},
		"not XML":      {func(string) string { return base64.StdEncoding.EncodeToString([]byte("P<a")) }, BadXML},
		"wrong root":   {func(string) string { return base64.StdEncoding.EncodeToString([]byte("<a/>")) }, WrongRoot},
		"entity":       {func(string) string { return base64.StdEncoding.EncodeToString([]byte("<!DOCTYPE a><a/>")) }, Entity},
		"ten to the n": {func(string) string { return base64.StdEncoding.EncodeToString([]byte(bomb)) }, Entity},
	} {
		n := 0
		b := nested(t, clean, func(d string) string {
			if n++; n == 2 { // the second part, XML2
				return c.edit(d)
			}
			return d
		})
		f, err := Decode(b, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		h := f.HOSO[0]
		if h.XML1 == nil || string(h.XML1.MA_LK) != "LK1" || len(h.XML2) != 0 {
			t.Errorf("%s: XML1 should be read and XML2 not", name)
		}
		found := false
		for _, p := range h.Problems {
			found = found || p.Code == c.want && p.Table == "XML2"
		}
		if !found {
			t.Errorf("%s: problems %v, want %s", name, h.Problems, c.want)
		}
		if last := h.Parts[len(h.Parts)-1]; last.Raw == nil {
			t.Errorf("%s: the damaged part is not kept", name)
		}
	}
}

const bomb = `<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;">]><a>&d;</a>`

// TestUnknownIsKept: unknown parts and fields stay with the HOSO.
func TestUnknownIsKept(t *testing.T) {
	_, clean := sample(t)
	b := nested(t, clean, func(d string) string {
		return strings.Replace(d, "</TONG_HOP>", "<TRUONG_LA>x</TRUONG_LA><MA_LK>LK2</MA_LK></TONG_HOP>", 1)
	})
	b = bytes.Replace(b, []byte("</HOSO>"), []byte("<FILEHOSO><LOAIHOSO>XML16</LOAIHOSO><NOIDUNGFILE>QUJD</NOIDUNGFILE></FILEHOSO></HOSO>"), 1)
	f, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	h := f.HOSO[0]
	if want := []Extra{{"TRUONG_LA", "x"}, {"MA_LK", "LK2"}}; !cmp.Equal(h.XML1.rest.Extra, want) {
		t.Errorf("extra %v, want %v", h.XML1.rest.Extra, want)
	}
	if last := h.Parts[len(h.Parts)-1]; last.LOAIHOSO != "XML16" || string(last.Raw) != "QUJD" {
		t.Errorf("last part %+v", last)
	}
	var codes []ProblemCode
	for _, p := range h.Problems {
		if p.Code != NestedContent {
			codes = append(codes, p.Code)
		}
	}
	if want := []ProblemCode{UnknownField, RepeatedField, UnknownPart}; !cmp.Equal(codes, want) {
		t.Errorf("problems %v, want %v", codes, want)
	}
}

// TestLegacyReferral: names of 4750 are read into those of 3176 and kept (tables_legacy.csv).
func TestLegacyReferral(t *testing.T) {
	f, _ := sample(t)
	f.HOSO[0].Add(13)
	clean, err := Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := nested(t, clean, func(d string) string {
		d = strings.ReplaceAll(d, "<MA_CSKCB_DEN></MA_CSKCB_DEN>", "<MA_NOI_DEN>25001</MA_NOI_DEN>")
		return strings.ReplaceAll(d, "<TINH_TRANG_CT></TINH_TRANG_CT>", "<PP_DIEU_TRI>Nội khoa</PP_DIEU_TRI>")
	})
	got, err := Decode(b, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	x := got.HOSO[0].XML13[0]
	if x.MA_CSKCB_DEN != "25001" || x.TINH_TRANG_CT != "Nội khoa" || len(x.rest.Extra) != 2 || got.Release() != QD4750 {
		t.Errorf("%q %q %v %s", x.MA_CSKCB_DEN, x.TINH_TRANG_CT, x.rest.Extra, got.Release())
	}
}

func TestLimits(t *testing.T) {
	_, clean := sample(t)
	for name, lim := range map[string]Limits{"file": {FileBytes: 100}, "depth": {Depth: 3}} {
		if _, err := Decode(clean, lim); outcome.KindOf(err) != outcome.TooLong {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := Decode(clean, Limits{PartBytes: 50})
	if err == nil && (len(f.HOSO[0].Problems) == 0 || f.HOSO[0].Problems[0].Code != TooLarge) {
		t.Errorf("part: %v", f.HOSO[0].Problems)
	}
}

func TestBirthDate(t *testing.T) {
	for s, want := range map[string]Precision{
		"198500000000": ToYear, "19850000": ToYear, "198505000000": ToMonth, "198505120000": ToDay, "198505120815": ToMinute,
		"": NoDate, "198513000000": NoDate, "198502310000": NoDate, "000000000000": NoDate, "1985": NoDate, "198500120000": NoDate, "198500000815": NoDate,
	} {
		if _, got := BirthDate12(s).Time(); got != want {
			t.Errorf("%q: precision %d, want %d", s, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	_, clean := sample(f)
	f.Add(clean)
	f.Add(nested(f, clean, func(d string) string { return d }))
	f.Add([]byte("<CHI_TIEU_TRANG_THAI_KCB><DSACH_TRANG_THAI_KCB><TRANG_THAI_KCB><MA_LK>1</MA_LK></TRANG_THAI_KCB></DSACH_TRANG_THAI_KCB></CHI_TIEU_TRANG_THAI_KCB>"))
	f.Add([]byte(bomb))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Decode(b, Limits{})
		if err != nil {
			return
		}
		out, err := Encode(file)
		if err != nil {
			return // control characters can be read by reference but not written
		}
		again, err := Decode(out, Limits{})
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if d := cmp.Diff(rows(file), rows(again)); d != "" {
			t.Fatal(d)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	src := big(b)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		if _, err := Decode(src, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	f, err := Decode(big(b), Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Encode(f); err != nil {
			b.Fatal(err)
		}
	}
}

// big is one HOSO of 30 rows.
func big(b *testing.B) []byte {
	f, _ := sample(b)
	h := f.HOSO[0]
	for range 10 {
		for _, n := range []int{2, 3, 4} {
			r := h.Add(n)
			for i := range r.Table().Fields {
				r.Set(i, "20260310")
			}
		}
	}
	src, err := Encode(f)
	if err != nil {
		b.Fatal(err)
	}
	return src
}

// TestGeneratedTables: the committed tables are those of the generator's input.
func TestGeneratedTables(t *testing.T) {
	csv, err := os.ReadFile("../../spec/qd3176/tables.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range Tables {
		for _, f := range table.Fields {
			if !bytes.Contains(csv, []byte(fmt.Sprintf(",%d,%s,", f.Order, f.Name))) {
				t.Errorf("%s.%s is not in tables.csv", table.Name, f.Name)
			}
		}
	}
}
