package validate

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// patient and obs write a resource that is right but for what they are given.
func patient(s string) string { return `{"resourceType":"Patient",` + s + `}` }

func obs(s string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"x"},` + s + `}`
}

func parse(t testing.TB, src string) *r4.Doc {
	d, err := r4.Parse([]byte(src))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return d
}

// TestStructure: each rule finds what breaks it, says where, and is silent about what keeps it.
func TestStructure(t *testing.T) {
	cases := []struct{ src, key, expression, says string }{
		{patient(`"active":true`), "", "", ""},
		{`[1]`, "resource", "Resource", ""},
		{`{"id":"a"}`, "resource-type", "Resource", "missing"},
		{`{"resourceType":"Pacient","id":"a"}`, "resource-type", "Resource", `Did you mean "Patient"?`},
		{`{"resourceType":"HumanName","text":"a"}`, "resource-type", "Resource", ""},
		{`{"resourceType":1,"id":"a"}`, "resource-type", "Resource", ""},
		{patient(`"nmae":[{"text":"a"}]`), "unknown", "Patient", `Did you mean "name"?`},
		{patient(`"name":[{"text":"a","resourceType":"HumanName"}]`), "unknown", "Patient.name[0]", ""},
		{patient(`"_name":[{"id":"a"}]`), "unknown", "Patient", ""},
		{patient(`"extension":[{"url":"http://a","value":"x"}]`), "unknown ext-1", "Patient.extension[0]", `for example "valueBase64Binary"`},
		{patient(`"name":{"text":"a"}`), "array", "Patient.name", ""},
		{patient(`"name":["a"]`), "type", "Patient.name[0]", ""},
		{patient(`"gender":["male"]`), "single", "Patient.gender", ""},
		{patient(`"active":"true"`), "type", "Patient.active", ""},
		{patient(`"active":1`), "type", "Patient.active", ""},
		{patient(`"gender":true`), "type", "Patient.gender", ""},
		{patient(`"multipleBirthInteger":"1"`), "type", "Patient.multipleBirth.ofType(integer)", ""},
		{patient(`"multipleBirthInteger":1.5`), "form", "Patient.multipleBirth.ofType(integer)", ""},
		{patient(`"multipleBirthInteger":2147483648`), "form", "Patient.multipleBirth.ofType(integer)", ""},
		{obs(`"valueQuantity":{"value":-12345678901234567890.10e-999}`), "", "", ""},
		{obs(`"valueQuantity":{"value":1e1000}`), "form", "Observation.value.ofType(Quantity).value", "64"},
		{obs(`"valueQuantity":{"value":0.` + strings.Repeat("1", 80) + `}`), "form", "Observation.value.ofType(Quantity).value", ""},
		{patient(`"gender":"nam"`), "code", "Patient.gender", "female, male, other, unknown"},
		{patient(`"birthDate":"2023-02-29"`), "form", "Patient.birthDate", "YYYY-MM-DD"},
		{patient(`"birthDate":"01/02/2023"`), "form", "Patient.birthDate", ""},
		{patient(`"id":"a_b"`), "form", "Patient.id", ""},
		{patient(`"name":[{"id":"a b","text":"x"}]`), "form", "Patient.name[0].id", ""},
		{patient(`"name":[{"id":"a"}]`), "ele-1", "Patient.name[0]", ""},
		{patient(`"name":[null,{"text":"a"}]`), "null", "Patient.name[0]", ""},
		{patient(`"name":[{"given":["a",null]}]`), "null", "Patient.name[0].given[1]", ""},
		{patient(`"name":[{"given":["a",null],"_given":[null,{"extension":[{"url":"http://a","valueCode":"b"}]}]}]`), "", "", ""},
		{patient(`"name":[{"given":["a",null],"_given":[{"id":"b"},null]}]`), "null", "Patient.name[0].given[1]", ""},
		{patient(`"name":[{"given":["a","b"],"_given":[{"id":"b"}]}]`), "pair", "Patient.name[0].given", ""},
		{patient(`"name":[{"given":["a"],"_given":{"id":"b"}}]`), "array", "Patient.name[0].given", ""},
		{patient(`"birthDate":"2020","_birthDate":[{"id":"b"}]`), "single", "Patient.birthDate", ""},
		{patient(`"birthDate":"2020","_birthDate":{"id":"b"}`), "", "", ""},
		{patient(`"birthDate":"2020","_birthDate":"b"`), "type", "Patient.birthDate", ""},
		{patient(`"_birthDate":{"id":"b"}`), "ele-1", "Patient.birthDate", ""},
		{patient(`"_birthDate":{"extension":[{"url":"http://a","valueCode":"b"}]}`), "", "", ""},
		{patient(`"_birthDate":{"value":"2020"}`), "unknown ele-1", "Patient.birthDate", ""},
		{patient(`"deceasedBoolean":true,"deceasedDateTime":"2020"`), "choice", "Patient", ""},
		{patient(`"deceasedBoolean":true,"_deceasedDateTime":{"extension":[{"url":"http://a","valueCode":"b"}]}`), "choice", "Patient", ""},
		{patient(`"deceasedBoolean":true,"_deceasedBoolean":{"id":"a"}`), "", "", ""},
		{patient(`"communication":[{"preferred":true}]`), "required", "Patient.communication[0]", "language"},
		{`{"resourceType":"Observation","status":"final"}`, "required", "Observation", "code"},
		{`{"resourceType":"Observation","_status":{"extension":[{"url":"http://a","valueCode":"b"}]},"code":{"text":"x"}}`, "", "", ""},
		{`{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"}}`, "required", "MedicationRequest", "medication[x]"},
		{obs(`"subject":{"reference":"Practitioner/1"}`), "target", "Observation.subject", "Device, Group, Location, Patient"},
		{obs(`"subject":{"reference":"http://x.vn/fhir/Practitioner/1/_history/2"}`), "target", "Observation.subject", ""},
		{obs(`"subject":{"reference":"Practitioner?identifier=1"}`), "target", "Observation.subject", ""},
		{obs(`"subject":{"reference":"Foo/1"}`), "reference-type", "Observation.subject", ""},
		{obs(`"subject":{"type":"Practitioner","display":"x"}`), "target", "Observation.subject", ""},
		{obs(`"subject":{"type":"Foo","display":"x"}`), "reference-type", "Observation.subject", ""},
		{obs(`"subject":{"reference":"Patient/1","type":"Group"}`), "reference-type", "Observation.subject", ""},
		{obs(`"subject":{"reference":"#p"}`), "fragment", "Observation.subject", ""},
		{obs(`"subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p"}]`), "", "", ""},
		{obs(`"subject":{"reference":"#p"},"contained":[{"resourceType":"Practitioner","id":"p"}]`), "target", "Observation.subject", ""},
		{obs(`"subject":{"reference":"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}`), "", "", ""},
		{obs(`"contained":[{"resourceType":"Patient","id":"p"},{"resourceType":"Group","id":"p","type":"person","actual":true}]`), "contained-id", "Observation", ""},
		{obs(`"contained":[{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Patient","id":"q"}]}]`), "contained", "Observation.contained[0]", ""},
		{obs(`"contained":[{"id":"p"}]`), "resource-type", "Observation.contained[0]", ""},
		{patient(`"extension":[{"url":"http://a"}]`), "ext-1", "Patient.extension[0]", ""},
		{patient(`"extension":[{"url":"http://a","valueCode":"a","extension":[{"url":"b","valueCode":"c"}]}]`), "ext-1", "Patient.extension[0]", ""},
		{patient(`"extension":[{"url":"http://a","extension":[{"url":"b","valueCode":"c"}]}]`), "", "", ""},
		{patient(`"extension":[{"valueCode":"a"}]`), "required", "Patient.extension[0]", "url"},
		{patient(`"extension":[{"url":"a/b","valueCode":"a"}]`), "extension-url", "Patient.extension[0]", ""},
		{`{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`, "", "", ""},
		{`{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{"coding":[{"system":"http://x","code":"active"}]}}`, "code", "Condition.clinicalStatus", ""},
		{`{"resourceType":"Condition","subject":{"display":"x"},"clinicalStatus":{"text":"active"}}`, "code", "Condition.clinicalStatus", ""},
		{patient(`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}`), "narrative", "Patient.text.div", "script"},
		{obs(`"category":[{"coding":[{"system":"a/b","code":"c"}]}]`), "system", "Observation.category[0].coding[0]", "absolute"},
		{obs(`"category":[{"coding":[{"system":"http://hl7.org/fhir/ValueSet/observation-category","code":"c"}]}]`), "system", "Observation.category[0].coding[0]", "value set"},
		{patient(`"photo":[{"data":"QUJD","size":3},{"data":"QUI=","size":2},{"data":"QQ==\n","size":1}]`), "", "", ""},
		{patient(`"photo":[{"data":"QUJD","size":4}]`), "size", "Patient.photo[0]", "3 bytes"},
		{patient(`"implicitRules":"urn:oid:1.02"`), "form", "Patient.implicitRules", ""},
		{patient(`"implicitRules":"urn:uuid:53FEFA32-fcbb-4ff8-8a92-55ee120877b7"`), "", "", ""},
		{patient(`"implicitRules":"urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b"`), "form", "Patient.implicitRules", ""},
		{`{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"Patient/1","resource":{"resourceType":"Patient","active":true}}]}`, "full-url", "Bundle.entry[0]", ""},
		{`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"x"}}]}`, "code", "Bundle.entry[0].resource.gender", ""},
	}
	for _, c := range cases {
		issues := Structure(parse(t, c.src))
		if c.key == "" {
			if len(issues) > 0 {
				t.Errorf("%s: %+v", c.src, issues)
			}
			continue
		}
		var keys []string
		for _, i := range issues {
			keys = append(keys, strings.TrimPrefix(i.Key, "validate."))
		}
		if strings.Join(keys, " ") != c.key || !strings.HasPrefix(issues[0].Expression, c.expression) || !strings.Contains(issues[0].EN, c.says) {
			t.Errorf("%s: want %s at %s\n%+v", c.src, c.key, c.expression, issues)
		}
		for _, i := range issues {
			if i.Line != 1 || i.Column < 1 || i.Severity != Error || i.VI == "" || i.VI == i.EN || i.Code == "" {
				t.Errorf("%s: %+v", c.src, i)
			}
		}
	}
}

func TestPlaceInXML(t *testing.T) {
	d, err := r4.ParseXML([]byte("<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"x\"/>\n</Patient>"))
	if err != nil {
		t.Fatal(err)
	}
	issues := Structure(d)
	if len(issues) != 1 || issues[0].Line != 2 || issues[0].Column != 3 {
		t.Errorf("%+v", issues)
	}
	issues = Structure(parse(t, "{\"resourceType\":\"Patient\",\n \"name\":[\n{\"text\":7}]}"))
	if len(issues) != 1 || issues[0].Line != 3 || issues[0].Column != 9 || issues[0].Code != outcome.Structure {
		t.Errorf("%+v", issues)
	}
}

func TestIssuesAreBounded(t *testing.T) {
	src := `{"resourceType":"Patient","name":[` + strings.Repeat(`{"x":1},`, 5000) + `{"x":1}]}`
	if n := len(Structure(parse(t, src))); n != MaxIssues {
		t.Errorf("%d issues", n)
	}
}

// TestHostileSizes: what is wide costs no more than its length.
func TestHostileSizes(t *testing.T) {
	const n = 60000
	limit := 5 * time.Second // a second at most; minutes when it grows with the square
	if raced() {
		limit *= 10
	}
	for name, src := range map[string]string{
		"nulls":     `{"resourceType":"Patient","name":[{"given":["a"` + strings.Repeat(`,null`, n) + `],"_given":[null` + strings.Repeat(`,{"extension":[{"url":"http://a","valueCode":"b"}]}`, n) + `]}]}`,
		"contained": `{"resourceType":"Patient","generalPractitioner":[{"reference":"#x"}` + strings.Repeat(`,{"reference":"#q"}`, n) + `],"contained":[{"resourceType":"Practitioner","id":"x"},{"resourceType":"Practitioner","id":"q"}` + numbered(n) + `]}`,
		"unknown":   `{"resourceType":"Patient","name":[{"text":"a"}` + strings.Repeat(`,{"xyzzy":1,"yzzy":2}`, n) + `]}`,
	} {
		d := parse(t, src)
		start := time.Now()
		issues := Structure(d)
		if took := time.Since(start); took > limit {
			t.Errorf("%s: %v", name, took)
		}
		if (name == "unknown") != (len(issues) == MaxIssues) || name != "unknown" && len(issues) > 0 {
			t.Errorf("%s: %d issues", name, len(issues))
		}
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"resourceType":"Practitioner","id":"p%d"}`, i)
	}
	return b.String()
}

// patterns are the regexes of the specification (FHIR R4 datatypes.html#primitive), of types whose form has no further rule.
var patterns = map[r4.Primitive]string{
	r4.Base64Binary: `(\s*([0-9a-zA-Z\+/=]){4}\s*)+`,
	r4.Code:         `[^\s]+(\s[^\s]+)*`,
	r4.Date:         `([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1]))?)?`,
	r4.DateTime:     `([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?`,
	r4.Instant:      `([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))`,
	r4.Time:         `([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?`,
	r4.ID:           `[A-Za-z0-9\-\.]{1,64}`,
	r4.OID:          `urn:oid:[0-2](\.(0|[1-9][0-9]*))+`,
	r4.UUID:         `urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
	r4.URI:          `\S*`,
	r4.Text:         `[ \r\n\t\S]+`,
}

// TestForms: a text near to the pattern is of the form exactly when the pattern says so, but for days that don't exist and padding in the middle.
func TestForms(t *testing.T) {
	stricter := regexp.MustCompile(`-(0[2469]|11)-(29|3[01])|=`)
	for p, pattern := range patterns {
		whole := regexp.MustCompile(`\A(?:` + pattern + `)\z`)
		near := rapid.StringMatching(pattern)
		rapid.Check(t, func(t *rapid.T) {
			s := near.Draw(t, "text")
			s = strings.Map(func(r rune) rune { // the prose forbids control characters, the patterns forget them
				if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
					return 'x'
				}
				return r
			}, s)
			if len(s) > 0 && rapid.Bool().Draw(t, "change") {
				i := rapid.IntRange(0, len(s)-1).Draw(t, "at")
				s = s[:i] + rapid.StringOfN(rapid.RuneFrom([]rune("0123456789 -:.TZ+=aA\t\n")), 0, 2, -1).Draw(t, "with") + s[i+1:]
			}
			got, want := form(p, []byte(s)), whole.MatchString(s)
			if got != want && !(want && stricter.MatchString(s)) && p != r4.Text && p != r4.URI {
				t.Fatalf("%v %q: %v, want %v", p, s, got, want)
			}
		})
	}
	for s, want := range map[string]bool{"2024-02-29": true, "2023-02-29": false, "1900-02-29": false, "2000-02-29": true, "2024-04-31": false, "0000": false, "0001": true, "2024-": false, "2024-1": false} {
		if form(r4.Date, []byte(s)) != want {
			t.Errorf("date %s", s)
		}
	}
	for s, want := range map[string]bool{"AAA=": true, "AA==": true, "A===": false, "AA=A": false, "AAAA AAAA": true, "AA AA": false, "AAAAA": false, "====": false, " ": false} {
		if form(r4.Base64Binary, []byte(s)) != want {
			t.Errorf("base64 %q", s)
		}
	}
}

// TestPrimitives: the values of other people's suite are accepted and refused
// as it says, as the value of an extension.
func TestPrimitives(t *testing.T) {
	// What the suite reflects of its own limits, against the specification.
	differs := map[string]string{
		`xhtml valid ""`:     "FHIR R4 json.html: no empty strings",
		`xhtml invalid null`: "null is the absent value, as in the 'valid' files of all other types",
	}
	names := []string{"base64_binary", "boolean", "canonical", "code", "date", "date_time", "decimal", "id", "instant", "integer", "markdown", "oid",
		"positive_int", "reference", "string", "time", "unsigned_int", "uri", "url", "uuid", "xhtml"}
	n := 0
	for _, name := range names {
		for _, verdict := range []string{"valid", "invalid"} {
			for line := range bytes.Lines(conformance(t, "primitives", name+"."+verdict+".ndjson")) {
				value := strings.TrimSuffix(string(line), "\n")
				n++
				if value == "null" && verdict == "valid" || differs[fmt.Sprintf("%s %s %s", name, verdict, value)] != "" {
					continue
				}
				if got := accepted(name, value); got != (verdict == "valid") {
					t.Errorf("%s: %s is %s", name, value, verdict)
				}
			}
		}
	}
	if n != 64+97 {
		t.Errorf("%d values, want 161", n)
	}
}

func accepted(name, value string) bool {
	member := "value"
	for part := range strings.SplitSeq(name, "_") {
		member += strings.ToUpper(part[:1]) + part[1:]
	}
	src := `{"resourceType":"Basic","code":{"text":"x"},"contained":[{"resourceType":"Patient","id":"p1"}],"extension":[{"url":"http://x",` + `"` + member + `":` + value + `}]}`
	if name == "xhtml" {
		src = `{"resourceType":"Basic","code":{"text":"x"},"text":{"status":"generated","div":` + value + `}}`
	}
	d, err := r4.Parse([]byte(src))
	return err == nil && !Failed(Structure(d))
}

// FuzzStructure: nothing panics, and every issue names a place.
func FuzzStructure(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"x"}]}],"contained":[{"resourceType":"Group"}],"gender":"x"}`))
	f.Add([]byte(`{"resourceType":"Observation","valueString":"a","_valueString":{"extension":[{"url":"a"}]},"subject":{"reference":"#"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := r4.Parse(b)
		if err != nil {
			return
		}
		for _, i := range Structure(d) {
			if i.Line < 1 || i.Column < 1 || i.Expression == "" {
				t.Fatalf("%+v", i)
			}
		}
	})
}
