package app

import (
	"context"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestViewLines(t *testing.T) {
	const patient = `{"resourceType":"Patient","id":"p","name":[{"given":["Ánh","<b>"]},{"family":"Lê"}]}`
	in := strings.Join([]string{
		`{"id":"1","view":{"resource":"Patient","select":[{"column":[{"name":"id","path":"id"}]},{"forEach":"name","column":[{"name":"given","path":"given","collection":true},{"name":"family","path":"family"},{"name":"a","path":"1.50"}]}]},"resources":[` + patient + `,{"resourceType":"Group","id":"g","active":true}]}`,
		`{"id":2,"view":{"resource":"Patient","select":[{"column":[{"name":"id","path":"id"}]}]},"resources":[]}`,
		`{"id":3,"view":{"resource":"Patient","select":[{"column":[{"name":"given","path":"name.given"}]}]},"resources":[` + patient + `]}`,
		`{"id":4,"view":{"select":[{"column":[{"name":"given","path":"name.given"}]}]},"resources":[]}`,
		`{"id":5,"resources":[]}`,
		`[]`,
	}, "\n")
	want := strings.Join([]string{
		`{"id":"1","rows":[{"id":"p","given":["Ánh","<b>"],"family":null,"a":1.50},{"id":"p","given":[],"family":"Lê","a":1.50}],"columns":["id","given","family","a"]}`,
		`{"id":2,"rows":[],"columns":["id"]}`,
		`{"id":3,"error":"view.collection: The column given has several values: it wants collection = true or a forEach."}`,
		`{"id":4,"error":"view.invalid: A ViewDefinition must name a resource type of FHIR R4."}`,
		`{"id":5,"error":"json.syntax: This is not JSON. (line 1, column 1)"}`,
		`{"id":null,"error":"jsonl: json: cannot unmarshal array into Go value of type app.viewQuestion"}`,
	}, "\n") + "\n"
	c := viewCommand()
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	run := c.define(fs)
	if err := fs.Parse([]string{"--jsonl"}); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(context.Background(), Streams{In: strings.NewReader(in), Out: &out, Err: io.Discard}, fs.Args()); err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
	if err := c.define(flag.NewFlagSet("", flag.ContinueOnError))(context.Background(), Streams{}, nil); err == nil {
		t.Error("without --jsonl there is nothing to do")
	}
}
