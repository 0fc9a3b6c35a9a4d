package list

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

const mapping = `{"url":"urn:icd","version":"2026-01-01","name":"ICD10VN","title":"ICD-10 tiếng Việt","language":"vi","code":"MA","display":"TEN","displays":{"en":"NAME"},
"parent":"CHA","validFrom":"TU","validTo":"DEN","properties":{"GIOI":{"code":"sex","type":"code"},"GIA":{"code":"price","type":"decimal"},"KE":{"code":"prescribed","type":"boolean"}}}`

const header = "MA;TEN;NAME;CHA;TU;DEN;GIOI;GIA;KE\r\n"

func mapped(t *testing.T) *Mapping {
	t.Helper()
	m, err := ReadMapping([]byte(mapping))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRead(t *testing.T) {
	text := "\uFEFF" + header +
		"A90-A99;Sốt do virus;;;;;;;\r\n" +
		"A90;\"Sốt xuất huyết; \"\"Dengue\"\"\r\ncổ điển\";Dengue fever;A90-A99;01/07/2025;2026-12-31;M;1.50;x\r\n" +
		";;;;;;;;\r\n" +
		"A91;So\u0302\u0301t nặng;;A90-A99;20250701;;;;Không\r\n"
	l, err := Read(strings.NewReader(text), mapped(t))
	if err != nil {
		t.Fatal(err)
	}
	body, parts := l.CodeSystem()
	if l.Len() != 3 || parts != nil {
		t.Fatalf("%d rows, %d parts", l.Len(), len(parts))
	}
	for _, want := range []string{
		`"hierarchyMeaning":"is-a","content":"complete","count":3`, `{"code":"A90-A99","display":"Sốt do virus"}`,
		`"display":"Sốt xuất huyết; \"Dengue\" cổ điển","designation":[{"language":"en","value":"Dengue fever"}]`,
		`{"code":"parent","valueCode":"A90-A99"},{"code":"effectiveDate","valueDateTime":"2025-07-01"},{"code":"deprecationDate","valueDateTime":"2026-12-31"},{"code":"sex","valueCode":"M"},{"code":"price","valueDecimal":1.50},{"code":"prescribed","valueBoolean":true}`,
		`"display":"Sốt nặng"`, `"prescribed","valueBoolean":false`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s not in %s", want, body)
		}
	}
	for _, b := range [][]byte{body, l.ValueSet()} {
		if _, err := r4.Parse(b); err != nil {
			t.Error(err)
		}
	}
}

// TestTraps: each fault of a list is told with its line.
func TestTraps(t *testing.T) {
	row := func(code, parent string) string { return code + ";T;;" + parent + ";;;;;\n" }
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {"", "empty"},
		"cp1258":     {header + "A90;S\xf4\xect;;;;;;;\n", "Line 2: not UTF-8"},
		"utf16":      {"\xff\xfeM\x00", "not UTF-8"},
		"excel":      {"PK\x03\x04....", "spreadsheet"},
		"no column":  {"MA;TEN;NAME\nA;B;C\n", `Line 1: there is no column "CHA"`},
		"column two": {"MA;MA;TEN;NAME;CHA;TU;DEN;GIOI;GIA;KE\n", "stands twice"},
		"fields":     {header + row("A", "") + "B;T\n", "Line 3: the number of fields"},
		"quote":      {header + row("A", "") + "B;\"T;;;;;;;\n", "Line 3: a quote is not closed"},
		"bare quote": {header + "B;T\"x;;;;;;;\n", "Line 2: a quote"},
		"no code":    {header + ";T;;;;;;;\n", "Line 2: the code is empty"},
		"twice":      {header + row("A", "") + row("B", "") + row("A", ""), `Line 4: the code "A" stands in line 2 already`},
		"parent":     {header + row("A", "Z"), `Line 2: there is no parent "Z"`},
		"itself":     {header + row("A", "A"), `Line 2: the code "A" is below itself`},
		"circle":     {header + row("R", "") + row("A", "B") + row("B", "C") + row("C", "A"), "is below itself"},
		"day":        {header + "A;T;;;31/02/2026;;;;\n", `Line 2: "31/02/2026" is no day`},
		"decimal":    {header + "A;T;;;;;;1,5;\n", `Line 2: "1,5" is no decimal`},
		"boolean":    {header + "A;T;;;;;;;maybe\n", `is no boolean`},
		"long":       {header + "A;" + strings.Repeat("x", MaxField+1) + ";;;;;;;\n", "Line 2: a field is too long"},
		"long line":  {header + strings.Repeat("x", 100_000), "too long"},
		"nul":        {header + "A\x00;T;;;;;;;\n", "Line 2: not UTF-8"},
	} {
		l, err := Read(strings.NewReader(c.text), mapped(t))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v %v, want %s", name, l, err, c.want)
			continue
		}
		if e := outcome.As(err); e.VI == "" || e.Kind == outcome.Exception {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestMapping(t *testing.T) {
	for _, text := range []string{``, `{}`, `{"url":"u","version":"1","code":"A"}`, `{"url":"u v","version":"1","code":"A","display":"B"}`, `{"url":"u","version":"1","code":"A","display":"B","parnt":"C"}`,
		`{"url":"u","version":"1","code":"A","display":"B","properties":{"C":{"code":"c","type":"money"}}}`, `{"url":"u","version":"1","code":"A","display":"B","hierarchyMeaning":"x"}`,
		`{"url":"u","version":"1","code":"A","display":"B","separator":";;"}`, `{"url":"u","version":"1","code":"A","display":"B","properties":{"C":{"code":"parent","type":"code"}}}`} {
		if _, err := ReadMapping([]byte(text)); err == nil || outcome.KindOf(err) == outcome.Exception {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestLarge: a list of medicines of a country: 70,000 rows become parts, the thousandth and the last among them.
func TestLarge(t *testing.T) {
	const n = 70_000
	var b strings.Builder
	b.WriteString("MA,TEN,HAM LUONG\n")
	for i := range n {
		fmt.Fprintf(&b, "T%05d,\"Thuốc số %d, viên nén\",%d mg\n", i, i, i%500)
	}
	m, err := ReadMapping([]byte(`{"url":"urn:thuoc","version":"2026","code":"MA","display":"TEN","properties":{"HAM LUONG":{"code":"strength","type":"string"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(strings.NewReader(b.String()), m)
	if err != nil {
		t.Fatal(err)
	}
	body, parts := l.CodeSystem()
	if len(parts) != 7 || !strings.Contains(string(body), `"content":"not-present","count":70000`) {
		t.Errorf("%d parts, %s", len(parts), body)
	}
	seen := 0
	for _, p := range parts {
		d, err := r4.Parse(p)
		if err != nil {
			t.Fatal(err)
		}
		seen += d.Root().Get("concept").Len()
	}
	if seen != n || !strings.Contains(string(parts[0]), `"T01000","display":"Thuốc số 1000, viên nén"`) || !strings.Contains(string(parts[6]), `"T69999"`) {
		t.Errorf("%d concepts", seen)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(header + "A;B;;;;;;;\n")
	f.Add("MA,TEN\n\"a\"\"\",b")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ReadMapping([]byte(`{"url":"u","version":"1","code":"MA","display":"TEN"}`))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Read(strings.NewReader(text), m)
		if err != nil {
			return
		}
		body, _ := l.CodeSystem()
		if _, err := r4.Parse(body); err != nil {
			t.Errorf("%v in %s", err, body)
		}
	})
}
