package app

import (
	"context"
	"flag"
	"io"
	"strings"
	"testing"
)

func fhirpathLines(t *testing.T, in string, flags ...string) (string, error) {
	t.Helper()
	c := fhirpathCommand()
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	run := c.define(fs)
	if err := fs.Parse(flags); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := run(context.Background(), Streams{In: strings.NewReader(in), Out: &out, Err: io.Discard}, fs.Args())
	return out.String(), err
}

func TestFHIRPathLines(t *testing.T) {
	const patient = `{"resourceType":"Patient","active":true,"name":[{"given":["Ánh","<b>"]}],"birthDate":"1974-12-25"}`
	in := strings.Join([]string{
		`{"id":"1","expression":"name.given","resource":` + patient + `}`,
		``,
		`{"id":2,"expression":"1.50 + 1.50"}`,
		`{"id":"c","expression":"name","resource":` + patient + `}`,
		`{"id":"d","expression":"birthDate | 1 'mg' | {}","resource":` + patient + `}`,
		`{"id":"e","expression":"name.suffix","resource":` + patient + `}`,
		`{"id":"f","expression":"name.nothing","resource":` + patient + `}`,
		`{"id":"g","expression":"1 +"}`,
		`{"id":"h","expression":"1","resource":{"a":[]}}`,
		`not json`,
		`{"id":"i","expression":"active.not()","resource":` + patient + `}`,
	}, "\n")
	want := strings.Join([]string{
		`{"id":"1","result":[{"type":"string","value":"Ánh"},{"type":"string","value":"<b>"}]}`,
		`{"id":2,"result":[{"type":"System.Decimal","value":"3.00"}]}`,
		`{"id":"c","result":[{"type":"HumanName","value":"{\"given\":[\"Ánh\",\"<b>\"]}"}]}`,
		`{"id":"d","result":[{"type":"date","value":"1974-12-25"},{"type":"System.Quantity","value":"1 'mg'"}]}`,
		`{"id":"e","result":[]}`,
		`{"id":"f","error":"fhirpath.element: HumanName has no element \"nothing\" (character 6 of the FHIRPath expression)."}`,
		`{"id":"g","error":"fhirpath.syntax: The expression is not well-formed (character 4 of the FHIRPath expression)."}`,
		`{"id":"h","error":"json.empty: An empty array is not allowed. (line 1, column 7)"}`,
		`{"id":null,"error":"jsonl: invalid character 'o' in literal null (expecting 'u')"}`,
		`{"id":"i","result":[{"type":"System.Boolean","value":"false"}]}`,
	}, "\n") + "\n"
	got, err := fhirpathLines(t, in, "--jsonl")
	if err != nil || got != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if _, err := fhirpathLines(t, ""); err == nil {
		t.Error("without --jsonl there is nothing to do")
	}
}
