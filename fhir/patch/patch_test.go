package patch

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// person is an invented patient: odd order, odd spaces, numbers and escapes to be kept.
const person = `{"resourceType":"Patient", "id":"p1", "name":[{"text":"Nguy\u1ec5n Văn  An","given":["Văn","An"],"_given":[null,{"id":"g2"}]}],
 "active" : true, "birthDate":"1980-02-03","_birthDate":{"extension":[{"url":"http://example.org/x","valueDecimal":1.50}]}}`

func doc(t testing.TB, text string) *r4.Doc {
	t.Helper()
	d, err := r4.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestUntouchedBytesStay(t *testing.T) {
	got, err := JSON(doc(t, person), []byte(`[{"op":"replace","path":"/active","value":false}]`))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(person, `"active" : true`, `"active":false`, 1)
	want = strings.Replace(strings.Replace(want, `, "id"`, `,"id"`, 1), `, "name"`, `,"name"`, 1)
	want = strings.Replace(want, `, "birthDate"`, `,"birthDate"`, 1)
	if want = strings.Replace(want, ",\n \"active\"", `,"active"`, 1); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got, err = XML(doc(t, person), []byte(`<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Patient/f:active/@value">false</replace></diff>`))
	if err != nil || string(got) != want {
		t.Errorf("by XML: %v\ngot  %s\nwant %s", err, got, want)
	}
	got, err = FHIRPath(doc(t, person), doc(t, parameters(`{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":false}`)))
	if err != nil || string(got) != want {
		t.Errorf("by FHIRPath: %v\ngot  %s\nwant %s", err, got, want)
	}
}

func parameters(parts ...string) string {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Parameters","parameter":[`)
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"name":"operation","part":[` + p + `]}`)
	}
	b.WriteString(`]}`)
	return b.String()
}

// op writes the parts of a FHIRPath operation: verb, path, then name=JSON pairs.
func op(verb, path string, more ...string) string {
	s := fmt.Sprintf(`{"name":"type","valueCode":%q},{"name":"path","valueString":%q}`, verb, path)
	for i := 0; i < len(more); i += 2 {
		s += fmt.Sprintf(`,{"name":%q,%s}`, more[i], more[i+1])
	}
	return s
}

func TestFHIRPathPrimitivesAndChoices(t *testing.T) {
	observation := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}`
	for _, c := range []struct{ name, in, ops, want string }{
		{"the second given name goes with what stands beside it", person, op("delete", "Patient.name[0].given[1]"),
			`{"resourceType":"Patient","id":"p1","name":[{"text":"Nguy\u1ec5n Văn  An","given":["Văn"]}],"active":true,"birthDate":"1980-02-03","_birthDate":{"extension":[{"url":"http://example.org/x","valueDecimal":1.50}]}}`},
		{"names move with what stands beside them", person, op("move", "Patient.name[0].given", "source", `"valueInteger":1`, "destination", `"valueInteger":0`),
			`{"resourceType":"Patient","id":"p1","name":[{"text":"Nguy\u1ec5n Văn  An","given":["An","Văn"],"_given":[{"id":"g2"},null]}],"active":true,"birthDate":"1980-02-03","_birthDate":{"extension":[{"url":"http://example.org/x","valueDecimal":1.50}]}}`},
		{"a primitive is replaced as a whole", person, op("replace", "Patient.birthDate", "value", `"valueDate":"1981"`),
			`{"resourceType":"Patient","id":"p1","name":[{"text":"Nguy\u1ec5n Văn  An","given":["Văn","An"],"_given":[null,{"id":"g2"}]}],"active":true,"birthDate":"1981"}`},
		{"the last extension takes its holder away", person, op("delete", "Patient.birthDate.extension[0]"),
			`{"resourceType":"Patient","id":"p1","name":[{"text":"Nguy\u1ec5n Văn  An","given":["Văn","An"],"_given":[null,{"id":"g2"}]}],"active":true,"birthDate":"1980-02-03"}`},
		{"an extension is added to a primitive", `{"resourceType":"Patient","active":true}`,
			op("add", "Patient.active", "name", `"valueString":"extension"`, "value", `"part":[{"name":"url","valueUri":"http://example.org/y"},{"name":"value[x]","valueString":"có"}]`),
			`{"resourceType":"Patient","active":true,"_active":{"extension":[{"url":"http://example.org/y","valueString":"có"}]}}`},
		{"an extension is added to one of several", `{"resourceType":"Patient","name":[{"given":["a","b"]}]}`,
			op("add", "Patient.name.given[1]", "name", `"valueString":"id"`, "value", `"valueString":"b1"`),
			`{"resourceType":"Patient","name":[{"given":["a","b"],"_given":[null,{"id":"b1"}]}]}`},
		{"a choice changes its type", observation, op("replace", "Observation.value", "value", `"valueString":"cao"`),
			`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"cao"}`},
		{"a choice is added by its name", `{"resourceType":"Observation","status":"final","code":{"text":"x"}}`, op("add", "Observation", "name", `"valueString":"value"`, "value", `"valueInteger":3`),
			`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueInteger":3}`},
		{"nothing to delete is no error", observation, op("delete", "Observation.note"), observation},
		{"insert into a list that is not there", `{"resourceType":"Patient","active":true}`, op("insert", "Patient.name", "index", `"valueInteger":0`, "value", `"valueHumanName":{"text":"An"}`),
			`{"resourceType":"Patient","active":true,"name":[{"text":"An"}]}`},
		{"parts of parts", `{"resourceType":"Questionnaire","status":"draft"}`, op("add", "Questionnaire", "name", `"valueString":"item"`,
			"value", `"part":[{"name":"linkId","valueString":"1"},{"name":"type","valueCode":"group"},{"name":"item","part":[{"name":"linkId","valueString":"1.1"},{"name":"type","valueCode":"string"}]}]`),
			`{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"group","item":[{"linkId":"1.1","type":"string"}]}]}`},
		{"a contained resource", `{"resourceType":"Patient","active":true}`, op("add", "Patient", "name", `"valueString":"contained"`, "value", `"resource":{"resourceType":"Organization","id":"o","name":"TYT"}`),
			`{"resourceType":"Patient","active":true,"contained":[{"resourceType":"Organization","id":"o","name":"TYT"}]}`},
		{"inside a contained resource", `{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"TYT"}]}`, op("replace", "Patient.contained.name", "value", `"valueString":"Trạm"`),
			`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"Trạm"}]}`},
		{"what holds nothing any more goes", `{"resourceType":"Patient","active":true,"contact":[{"name":{"text":"x"}}]}`, op("delete", "Patient.contact.name.text"), `{"resourceType":"Patient","active":true}`},
		{"a name without a value and its extension", `{"resourceType":"Patient","active":true,"name":[{"text":"x","given":["a",null],"_given":[null,{"id":"u","extension":[{"url":"http://x.y","valueCode":"z"}]}]}]}`, op("delete", "Patient.name.given[1]"),
			`{"resourceType":"Patient","active":true,"name":[{"text":"x","given":["a"]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FHIRPath(doc(t, c.in), doc(t, parameters(c.ops)))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestFHIRPathRefuses(t *testing.T) {
	for _, c := range []struct {
		ops  string
		kind outcome.Kind
	}{
		{op("replace", "Patient.id", "value", `"valueString":"p2"`), outcome.Value},
		{op("delete", "Patient.id"), outcome.Value},
		{op("delete", "Patient"), outcome.Value},
		{op("delete", "Patient.name.given"), outcome.Value},
		{op("replace", "Patient.name.given", "value", `"valueString":"x"`), outcome.Value},
		{op("replace", "Patient.gender", "value", `"valueCode":"male"`), outcome.Value},
		{op("replace", "Patient.name.count()", "value", `"valueInteger":1`), outcome.Value},
		{op("replace", "Patient.active", "value", `"valueString":"yes"`), outcome.Value},
		{op("replace", "Patient.name[0]", "value", `"valueAddress":{"text":"x"}`), outcome.Value},
		{op("add", "Patient", "name", `"valueString":"birthDate"`, "value", `"valueDate":"1990"`), outcome.Value},
		{op("add", "Patient", "name", `"valueString":"nosuch"`, "value", `"valueDate":"1990"`), outcome.Value},
		{op("add", "Patient", "name", `"valueString":"gender"`, "value", `"part":[{"name":"x","valueCode":"y"}]`), outcome.Value},
		{op("insert", "Patient.name", "index", `"valueInteger":2`, "value", `"valueHumanName":{"text":"x"}`), outcome.Value},
		{op("insert", "Patient.name[0].given.where($this='An')", "index", `"valueInteger":0`, "value", `"valueString":"x"`), outcome.Value},
		{op("move", "Patient.name[0].given", "source", `"valueInteger":2`, "destination", `"valueInteger":0`), outcome.Value},
		{op("move", "Patient.address", "source", `"valueInteger":0`, "destination", `"valueInteger":0`), outcome.Value},
		{op("move", "Patient.name"), outcome.Invalid},
		{op("add", "Patient", "value", `"valueDate":"1990"`), outcome.Invalid},
		{op("insert", "Patient.name", "index", `"valueInteger":-1`, "value", `"valueHumanName":{"text":"x"}`), outcome.Invalid},
		{op("upsert", "Patient.name"), outcome.Invalid},
		{op("delete", "Patient..name"), outcome.Invalid},
		{op("delete", "Patient.nosuch"), outcome.Invalid},
		{op("delete", "Patient.birthDate", "path", `"valueString":"Patient.id"`), outcome.Invalid},
		{op("delete", "Patient.birthDate", "value", `"valueInteger":1,"resource":{"resourceType":"Patient","id":"x"}`) + `,{"name":"other","valueCode":"x"}`, outcome.Invalid},
		{op("replace", "Patient.birthDate", "value", `"valueDate":"1990","valueString":"x"`), outcome.Invalid},
	} {
		_, err := FHIRPath(doc(t, person), doc(t, parameters(op("replace", "Patient.active", "value", `"valueBoolean":true`), c.ops)))
		if outcome.KindOf(err) != c.kind {
			t.Errorf("%s: %v, want %s", c.ops, err, c.kind)
			continue
		}
		if e := outcome.As(err); len(e.Expression) == 0 || e.Expression[0] != "Parameters.parameter[1]" && e.Expression[0] != "id" {
			t.Errorf("%s: expression %v", c.ops, e.Expression)
		}
	}
	if _, err := FHIRPath(doc(t, person), doc(t, person)); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("a patch that is no Parameters: %v", err)
	}
}

func TestJSONRefuses(t *testing.T) {
	for _, c := range []struct {
		patch string
		kind  outcome.Kind
	}{
		{`[{"op":"replace","path":"/id","value":"p2"}]`, outcome.Value},
		{`[{"op":"replace","path":"/resourceType","value":"Person"}]`, outcome.Value},
		{`[{"op":"remove","path":"/id"}]`, outcome.Value},
		{`[{"op":"remove","path":""}]`, outcome.Value},
		{`[{"op":"replace","path":"","value":{"resourceType":"Patient"}}]`, outcome.Value},
		{`[{"op":"replace","path":"","value":[1]}]`, outcome.Value},
		{`[{"op":"remove","path":"/name/0"}]`, outcome.Value}, // leaves an empty array
		{`[{"op":"add","path":"/meta","value":{}}]`, outcome.Value},
		{`[{"op":"add","path":"/active","value":null}]`, outcome.Value},
		{`[{"op":"remove","path":"/name/1"}]`, outcome.Value},
		{`[{"op":"remove","path":"/name/-"}]`, outcome.Value},
		{`[{"op":"remove","path":"/name/00"}]`, outcome.Value},
		{`[{"op":"remove","path":"/active/x"}]`, outcome.Value},
		{`[{"op":"add","path":"/name/2","value":{}}]`, outcome.Value},
		{`[{"op":"add","path":"/active/x","value":{}}]`, outcome.Value},
		{`[{"op":"replace","path":"/gender","value":"male"}]`, outcome.Value},
		{`[{"op":"move","from":"/name","path":"/name/0"}]`, outcome.Value},
		{`[{"op":"test","path":"/active","value":"true"}]`, outcome.Value},
		{`[{"op":"test","path":"/gender","value":null}]`, outcome.Value},
		{`[{"op":"test","path":"/active"}]`, outcome.Invalid},
		{`[{"op":"add","path":"/x"}]`, outcome.Invalid},
		{`[{"op":"add","value":1}]`, outcome.Invalid},
		{`[{"op":"add","path":"active","value":1}]`, outcome.Invalid},
		{`[{"op":"add","path":"/~2","value":1}]`, outcome.Invalid},
		{`[{"op":"add","path":"/~","value":1}]`, outcome.Invalid},
		{`[{"op":"add","op":"remove","path":"/active","value":1}]`, outcome.Invalid}, // RFC 6902 A.13
		{`[{"op":"spin","path":"/active"}]`, outcome.Invalid},
		{`[1]`, outcome.Invalid}, {`{}`, outcome.Invalid}, {``, outcome.Invalid}, {"[{\"op\":\"\xff\"}]", outcome.Invalid},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), outcome.Invalid},
	} {
		if out, err := JSON(doc(t, person), []byte(c.patch)); outcome.KindOf(err) != c.kind {
			t.Errorf("%s: %v %s, want %s", c.patch, err, out, c.kind)
		}
	}
}

func TestNumbersAreEqualByValue(t *testing.T) {
	in := `{"resourceType":"Observation","valueQuantity":{"value":1.50}}`
	for value, ok := range map[string]bool{`1.5`: true, `15e-1`: true, `1.500`: true, `1.51`: false, `"1.50"`: false, `1e999999999`: false} {
		got, err := JSON(doc(t, in), []byte(`[{"op":"test","path":"/valueQuantity/value","value":`+value+`}]`))
		if (err == nil) != ok || ok && string(got) != in {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestWorkIsBounded(t *testing.T) {
	bomb := `[{"op":"add","path":"/a","value":"` + strings.Repeat("x", 1<<16) + `"}`
	for i := range 40 {
		bomb += fmt.Sprintf(`,{"op":"copy","from":"","path":"/a%d"}`, i)
	}
	if _, err := JSON(doc(t, person), []byte(bomb+`]`)); outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("a bomb of copies: %v", err)
	}
	many := strings.Repeat(`{"op":"test","path":"/active","value":true},`, MaxOperations+1)
	if _, err := JSON(doc(t, person), []byte(`[`+many[:len(many)-1]+`]`)); outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("too many operations: %v", err)
	}
	if _, err := JSON(doc(t, person), make([]byte, MaxPatch+1)); outcome.KindOf(err) != outcome.TooLong {
		t.Errorf("too long a patch: %v", err)
	}
}

func TestXML(t *testing.T) {
	in := `{"resourceType":"Patient","id":"p1","text":{"status":"generated","div":"<div xmlns='http://www.w3.org/1999/xhtml'>a&#160;b<br></br></div>"},"name":[{"family":"Lê","given":["Văn"]},{"family":"Trần"}]}`
	for _, c := range []struct{ name, diff, want string }{
		{"by a value below", `<remove sel="f:Patient/f:name[f:family/@value='Trần']"/>`, strings.Replace(in, `,{"family":"Trần"}`, ``, 1)},
		{"default namespace", `<remove xmlns="http://hl7.org/fhir" sel="/Patient/name[2]"/>`, strings.Replace(in, `,{"family":"Trần"}`, ``, 1)},
		{"any", `<remove sel="*/*[4]"/>`, strings.Replace(in, `,{"family":"Trần"}`, ``, 1)},
		{"after", `<add sel="f:Patient/f:name[2]" pos="after"><gender xmlns="http://hl7.org/fhir" value="male"/></add>`, strings.TrimSuffix(in, "}") + `,"gender":"male"}`},
		{"prefix of the patch", `<add sel="f:Patient" xmlns:q="http://hl7.org/fhir"><q:gender value="male"/></add>`, strings.TrimSuffix(in, "}") + `,"gender":"male"}`},
		{"attribute", `<replace sel="f:Patient/f:name/f:given/@value">Thị &amp; Hoa</replace>`, strings.Replace(in, "Văn", "Thị & Hoa", 1)},
		{"prepend", `<add sel="f:Patient/f:name[1]" pos="prepend"><use xmlns="http://hl7.org/fhir" value="usual"/></add>`, strings.Replace(in, `"given":["Văn"]`, `"given":["Văn"],"use":"usual"`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := XML(doc(t, in), []byte(`<diff>`+c.diff+`</diff>`))
			if err != nil || string(got) != c.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, c.want)
			}
		})
	}
	for diff, kind := range map[string]outcome.Kind{
		`<replace sel="f:Patient/f:id/@value">p2</replace>`: outcome.Value,
		`<remove sel="f:Patient"/>`:                         outcome.Value,
		`<remove sel="f:Patient/f:name"/>`:                  outcome.Value,
		`<remove sel="f:Patient/f:gender"/>`:                outcome.Value,
		`<add sel="f:Patient"><gender xmlns="http://hl7.org/fhir" value="male"/><b xmlns="urn:x"/></add>`:      outcome.Value,
		`<add sel="f:Patient" pos="before"><gender xmlns="http://hl7.org/fhir" value="male"/></add>`:           outcome.Value,
		`<add sel="f:Patient/f:name[1]/f:family/@value">x</add>`:                                               outcome.Value,
		`<add sel="f:Patient/f:name[1]/f:family" type="@value">x</add>`:                                        outcome.Value,
		`<remove sel="f:Patient/f:name[1]" ws="before"/>`:                                                      outcome.Value,
		`<remove sel="g:Patient/f:name[1]"/>`:                                                                  outcome.Invalid,
		`<add sel="f:Patient" pos="inside"/>`:                                                                  outcome.Invalid,
		`<swap sel="f:Patient"/>`:                                                                              outcome.Invalid,
		`<remove sel="f:Patient/f:name[1]/f:family"><`:                                                         outcome.Invalid,
		`<!DOCTYPE x [<!ENTITY a "b">]>`:                                                                       outcome.Invalid,
		`<remove sel="//f:name"/>`:                                                                             outcome.NotSupported,
		`<remove sel="f:Patient/f:name[count(f:given)=1]"/>`:                                                   outcome.NotSupported,
		`<remove sel="f:Patient/f:name[0]"/>`:                                                                  outcome.NotSupported,
		`<remove sel=""/>`:                                                                                     outcome.NotSupported,
		`<remove sel="f:Patient/@value/f:name"/>`:                                                              outcome.NotSupported,
		`<replace sel="f:Patient/f:name[2]">text</replace>`:                                                    outcome.Invalid,
		`<replace sel="f:Patient/f:name[2]"><a xmlns="http://hl7.org/fhir"/><b/></replace>`:                    outcome.Invalid,
		`<add sel="f:Patient" type="@x y">1</add>`:                                                             outcome.NotSupported,
		`<add sel="f:Patient" type="namespace::f">urn:x</add><add sel="f:Patient" type="namespace::f">y</add>`: outcome.Value,
	} {
		if out, err := XML(doc(t, in), []byte(`<diff>`+diff+`</diff>`)); outcome.KindOf(err) != kind {
			t.Errorf("%s: %v %s, want %s", diff, err, out, kind)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add(`[{"op":"move","from":"/name/0/given/0","path":"/name/0/given/-"}]`)
	f.Add(`<diff xmlns:f="http://hl7.org/fhir"><add sel="f:Patient/f:name[1]" pos="before"><!--x--></add><remove sel="f:Patient/*[f:given/@value='An']/text()[1]" ws="both"/></diff>`)
	f.Add(parameters(op("delete", "Patient.name.given[1]"), op("move", "Patient.name", "source", `"valueInteger":0`, "destination", `"valueInteger":0`)))
	f.Add(parameters(op("add", "Patient.name.given[1]", "name", `"valueString":"extension"`, "value", `"part":[{"name":"url","valueUri":"x"}]`)))
	f.Fuzz(func(t *testing.T, patch string) {
		d := doc(t, person)
		for _, apply := range []func() ([]byte, error){
			func() ([]byte, error) { return JSON(d, []byte(patch)) },
			func() ([]byte, error) { return XML(d, []byte(patch)) },
			func() ([]byte, error) {
				p, err := r4.Parse([]byte(patch))
				if err != nil {
					return nil, err
				}
				return FHIRPath(d, p)
			},
		} {
			out, err := apply()
			if err != nil {
				continue
			}
			if v, err := readValue(out); err != nil || v.get("id").text() != "p1" || v.get("resourceType").text() != "Patient" {
				t.Errorf("%q leaves %s", patch, out)
			}
		}
	})
}
