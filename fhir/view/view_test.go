package view

import (
	"context"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

func TestCompileRefuses(t *testing.T) {
	for def, at := range map[string]string{
		`{"resourceType":"Patient","resource":"Patient","select":[{"column":[{"name":"a","path":"id"}]}]}`: "ViewDefinition",
		`{"resource":"Nothing","select":[{"column":[{"name":"a","path":"id"}]}]}`:                          "ViewDefinition.resource",
		`{"resource":"Patient"}`: "ViewDefinition.select",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id"},{"name":"A","path":"id"}]}]}`:                                               "ViewDefinition.select",
		`{"resource":"Patient","select":[{"column":[{"name":"a b","path":"id"}]}]}`:                                                                      "ViewDefinition.select[0].column[0].name",
		`{"resource":"Patient","select":[{"column":[{"name":"=a","path":"id"}]}]}`:                                                                       "ViewDefinition.select[0].column[0].name",
		`{"resource":"Patient","select":[{"column":[{"name":"a"}]}]}`:                                                                                    "ViewDefinition.select[0].column[0].path",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id ="}]}]}`:                                                                      "ViewDefinition.select[0].column[0].path",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"%b"}]}]}`:                                                                        "ViewDefinition.select[0].column[0].path",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id"}],"forEach":"name","forEachOrNull":"name"}]}`:                                "ViewDefinition.select[0]",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id"}],"forEach":"name","repeat":["name"]}]}`:                                     "ViewDefinition.select[0]",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id"}],"repeat":"name"}]}`:                                                        "ViewDefinition.select[0].repeat",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id"}],"limit":1}]}`:                                                              "ViewDefinition.select[0]",
		`{"resource":"Patient","select":[{"column":[{"name":"a","path":"id","modifierExtension":[{"url":"x"}]}]}]}`:                                      "ViewDefinition.select[0].column[0]",
		`{"resource":"Patient","where":[{"path":"id","not":true}],"select":[{"column":[{"name":"a","path":"id"}]}]}`:                                     "ViewDefinition.where[0]",
		`{"resource":"Patient","constant":[{"name":"x","valuePeriod":{"start":"2020"}}],"select":[{"column":[{"name":"a","path":"id"}]}]}`:               "ViewDefinition.constant[0]",
		`{"resource":"Patient","constant":[{"name":"x","valueCode":"a","valueString":"b"}],"select":[{"column":[{"name":"a","path":"id"}]}]}`:            "ViewDefinition.constant[0]",
		`{"resource":"Patient","constant":[{"name":"rowIndex","valueInteger":1}],"select":[{"column":[{"name":"a","path":"id"}]}]}`:                      "ViewDefinition.constant[0].name",
		`{"resource":"Patient","constant":[{"name":"x","valueCode":"a"},{"name":"x","valueCode":"b"}],"select":[{"column":[{"name":"a","path":"id"}]}]}`: "ViewDefinition.constant[1].name",
	} {
		_, err := Compile([]byte(def))
		if e := outcome.As(err); err == nil || e.Kind != outcome.Invalid || len(e.Expression) != 1 || e.Expression[0] != at {
			t.Errorf("%s: %v, want a fault at %s", def, err, at)
		}
	}
	deep := strings.Repeat(`{"select":[`, maxDepth+2) + `{"column":[{"name":"a","path":"id"}]}` + strings.Repeat(`]}`, maxDepth+2)
	if _, err := Compile([]byte(`{"resource":"Patient","select":[` + deep + `]}`)); err == nil {
		t.Error("a view without bottom was compiled")
	}
}

func compiled(t *testing.T, def string) *View {
	t.Helper()
	v, err := Compile([]byte(def))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBounds(t *testing.T) {
	names := strings.TrimSuffix(strings.Repeat(`{"family":"x"},`, 400), ",")
	d, err := r4.Parse([]byte(`{"resourceType":"Patient","id":"p","name":[` + names + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, def := range []string{
		`{"resource":"Patient","select":[{"forEach":"name","column":[{"name":"a","path":"family"}]},{"forEach":"name","column":[{"name":"b","path":"family"}]}]}`,
		`{"resource":"Patient","select":[{"repeat":["$this"],"column":[{"name":"a","path":"1"}]}]}`,
		`{"resource":"Patient","select":[{"repeat":["name","$this.name"],"column":[{"name":"a","path":"1"}]},{"forEach":"name","select":[{"forEach":"%resource.name","column":[{"name":"b","path":"1"}]}]}]}`,
	} {
		v := compiled(t, def)
		for _, err := range v.Rows(context.Background(), d, Options{}) {
			if outcome.KindOf(err) != outcome.TooCostly {
				t.Errorf("%s: %v", def, err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v := compiled(t, `{"resource":"Patient","select":[{"column":[{"name":"a","path":"name.select(%resource.name.select(family)).count()"}]}]}`)
	for _, err := range v.Rows(ctx, d, Options{}) {
		if err == nil {
			t.Error("a run that was cancelled went on")
		}
	}
}

func TestWriters(t *testing.T) {
	v := compiled(t, `{"resource":"Patient","select":[{"column":[{"name":"id","path":"id"},{"name":"name","path":"name.text"},{"name":"n","path":"multipleBirth.ofType(integer)"},{"name":"all","path":"name.given","collection":true},{"name":"whole","path":"name"}]}]}`)
	var rows []Row
	for _, text := range []string{
		`{"resourceType":"Patient","id":"a","name":[{"text":"=1+2; -x","given":["Văn",
		"An"]}],"multipleBirthInteger":-1}`,
		`{"resourceType":"Patient","id":"b","name":[{"text":"Nguyễn \"Bé\", An\tB\u0007"}]}`,
		`{"resourceType":"Patient","id":"c"}`,
	} {
		d, err := r4.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range v.Rows(context.Background(), d, Options{}) {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	for format, want := range map[string]string{
		"csv": "id,name,n,all,whole\r\na,'=1+2;' -x,-1,\"[\"\"Văn\"\",\"\"An\"\"]\",\"{\"\"text\"\":\"\"=1+2;' -x\"\",\"\"given\"\":[\"\"Văn\"\",   \"\"An\"\"]}\"\r\n" +
			"b,\"Nguyễn \"\"Bé\"\", An B \",,[],\"{\"\"text\"\":\"\"Nguyễn \\\"\"Bé\\\"\", An\\tB\\u0007\"\"}\"\r\nc,,,[],\r\n",
		"ndjson": `{"id":"a","name":"=1+2; -x","n":-1,"all":["Văn","An"],"whole":{"text":"=1+2; -x","given":["Văn",		"An"]}}` + "\n" +
			`{"id":"b","name":"Nguyễn \"Bé\", An\tB\u0007","n":null,"all":[],"whole":{"text":"Nguyễn \"Bé\", An\tB\u0007"}}` + "\n" + `{"id":"c","name":null,"n":null,"all":[],"whole":null}` + "\n",
	} {
		var b strings.Builder
		w, err := NewWriter(&b, v, format, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || b.String() != want {
			t.Errorf("%v\ngot  %q\nwant %q", err, b.String(), want)
		}
	}
	for n, want := range map[int]string{0: "[]\n", 2: "[\n{\"id\":\"c\",\"name\":null,\"n\":null,\"all\":[],\"whole\":null},\n{\"id\":\"c\",\"name\":null,\"n\":null,\"all\":[],\"whole\":null}\n]\n"} {
		var b strings.Builder
		w, _ := NewWriter(&b, v, "json", true)
		for range n {
			if err := w.Write(rows[2]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil || b.String() != want {
			t.Errorf("%v %q", err, b.String())
		}
	}
	if _, err := NewWriter(nil, v, "parquet", true); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("a format that nobody has: %v", err)
	}
}

func TestContentType(t *testing.T) {
	for in, want := range map[string]string{"csv": "csv", "text/csv;header=present": "csv", "application/x-ndjson": "ndjson", " JSON ": "json", "application/fhir+json": "json", "xml": "", "": ""} {
		if got, _ := ContentType(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzView(f *testing.F) {
	f.Add(`{"resource":"Patient","constant":[{"name":"u","valueCode":"usual"}],"where":[{"path":"active"}],"select":[{"forEachOrNull":"name.where(use=%u)","column":[{"name":"a","path":"%rowIndex + 1"}],"unionAll":[{"repeat":["given"],"column":[{"name":"b","path":"$this"}]},{"column":[{"name":"b","path":"family"}]}]}]}`)
	d, err := r4.Parse([]byte(`{"resourceType":"Patient","id":"p","active":true,"name":[{"family":"Lê","given":["a","b"]},{"use":"usual","text":"x"}]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, def string) {
		v, err := Compile([]byte(def))
		if err != nil {
			return
		}
		for row, err := range v.Rows(context.Background(), d, Options{}) {
			if err == nil && len(row) != len(v.Columns()) {
				t.Fatalf("%d cells for %d columns by %s", len(row), len(v.Columns()), def)
			}
		}
	})
}
