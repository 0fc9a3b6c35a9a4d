package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func validateLines(t *testing.T, in string, flags ...string) []string {
	t.Helper()
	f := flag.NewFlagSet("validate", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	run := validateCommand().define(f)
	if err := f.Parse(flags); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), Streams{In: strings.NewReader(in), Out: &out, Err: io.Discard}, f.Args()); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n")
}

func TestValidateLines(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	quoted := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	profile := file("profile.json", `{"resourceType":"StructureDefinition","url":"http://example.vn/p","name":"P","status":"draft","kind":"resource","abstract":false,
		"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","differential":{"element":[{"id":"Patient.name","path":"Patient.name","min":1}]}}`)
	form := `{"resourceType":"Questionnaire","url":"http://example.vn/q","status":"active","item":[{"linkId":"1","type":"integer","required":true}]}`
	in := strings.Join([]string{
		`{"id":1,"file":{"resourceType":"Patient","gender":"x"}}`,
		`{"id":"b","file":` + quoted(file("p.xml", `<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>`)) + `,"format":"xml"}`,
		`{"id":"c","file":{"resourceType":"Patient","active":true},"profile":` + quoted(profile) + `}`,
		`{"id":"d","file":{"resourceType":"Patient","active":true},"supporting":[` + quoted(profile) + `],"profile":"http://example.vn/p"}`,
		`{"id":"e","file":{"resourceType":"Patient","active":true},"profile":"http://example.vn/nowhere"}`,
		`{"id":"f","file":{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"http://example.vn/q"},"supporting":[` + form + `]}`,
		`{"id":"g","file":{"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"1","answer":[{"valueInteger":1}]}]},"questionnaire":` + form + `}`,
		`{"id":"h","file":"{\"resourceType\":\"Patient\",}"}`,
		`{"id":"i","file":"nowhere.json"}`,
		`nonsense`,
	}, "\n")
	want := []string{
		`{"id":1,"issues":[{"severity":"error","code":"value","expression":["Patient.gender"],"text":"The code is not in the required value set: female, male, other, unknown."}]}`,
		`{"id":"b","issues":[]}`,
		`{"id":"c","issues":[{"severity":"error","code":"required","expression":["Patient"],"text":"The required element name is missing."}]}`,
		`{"id":"d","issues":[{"severity":"error","code":"required","expression":["Patient"],"text":"The required element name is missing."}]}`,
		`{"id":"e","issues":[{"severity":"error","code":"not-found","expression":["Patient"],"text":"The definition of the profile http://example.vn/nowhere is not at hand."}]}`,
		`{"id":"f","issues":[{"severity":"error","code":"required","expression":["QuestionnaireResponse"],"text":"The required item \"1\" is not answered."}]}`,
		`{"id":"g","issues":[]}`,
		`{"id":"h","issues":[{"severity":"error","code":"structure","text":"A member`,
		`{"id":"i","error":"jsonl.file: There is no such file."}`,
		`{"id":null,"error":"jsonl: `,
	}
	for i, line := range validateLines(t, in, "--jsonl") {
		if i >= len(want) || !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d: %s", i+1, line)
		}
	}
	if line := validateLines(t, `{"id":1,"file":{"resourceType":"Patient","gender":"x"}}`, "--jsonl", "--lang", "vi")[0]; !strings.Contains(line, "Mã không thuộc") {
		t.Error(line)
	}
}
