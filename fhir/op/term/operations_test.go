package term

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

type defs []*r4.Doc

func (d defs) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	for _, doc := range d {
		if n := doc.Root(); doc.Type() == typ && n.Get("url").Text() == url && (version == "" || n.Get("version").Text() == version) {
			return doc, nil
		}
	}
	return nil, nil
}

const benh = `{"resourceType":"CodeSystem","url":"urn:benh","version":"2026","name":"Benh","language":"vi","status":"active","content":"complete","hierarchyMeaning":"is-a",
"property":[{"code":"inactive","type":"boolean","uri":"http://hl7.org/fhir/concept-properties#inactive"},{"code":"weight","type":"decimal"}],
"concept":[{"code":"A90-A99","display":"Sốt do virus","definition":"Nhóm","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
 {"code":"A90","display":"Sốt xuất huyết Dengue","designation":[{"language":"en","use":{"system":"urn:use","code":"short"},"value":"Dengue fever"}],"property":[{"code":"weight","valueDecimal":1.50}]},
 {"code":"A91","display":"Sốt xuất huyết nặng","designation":[{"language":"en","value":"Severe dengue"}]}]},
 {"code":"B20","display":"Bệnh cũ","property":[{"code":"inactive","valueBoolean":true}]}]}`

const benhVS = `{"resourceType":"ValueSet","url":"urn:benh:vs","version":"1","name":"Benh","status":"active","compose":{"include":[{"system":"urn:benh"}]}}`

const anhXa = `{"resourceType":"ConceptMap","url":"urn:map","status":"active","targetUri":"urn:target:vs","group":[{"source":"urn:benh","target":"urn:t","element":[
 {"code":"A90","target":[{"code":"D1","display":"Một","equivalence":"wider","product":[{"property":"urn:p","system":"urn:q","value":"x"}]},{"code":"D2","equivalence":"equal","dependsOn":[{"property":"urn:sex","system":"urn:s","value":"m"}]}]},
 {"code":"A91","target":[{"equivalence":"unmatched"}]}],"unmapped":{"mode":"fixed","code":"D9","display":"Khác"}}]}`

func parse(t *testing.T, text string) *r4.Doc {
	t.Helper()
	d, err := r4.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return d
}

func operationsOf(t *testing.T) []rest.Operation {
	src := canon.Sources{defs{parse(t, benh), parse(t, benhVS), parse(t, anhXa)}, term.Official()}
	return Operations(Deps{Terms: term.New(src), Now: func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) }})
}

func find(t *testing.T, list []rest.Operation, typ, name string) *rest.Operation {
	t.Helper()
	for i, o := range list {
		if o.Name == name && (o.System || o.Types[0] == typ) {
			return &list[i]
		}
	}
	t.Fatalf("no %s of %s", name, typ)
	return nil
}

// params writes Parameters: name=value of type after a colon ("code:code"), or raw JSON in a "resource:" or "{".
func body(parts ...string) string {
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(parts, ",") + `]}`
}

func code(name, typ, value string) string {
	return `{"name":"` + name + `","value` + typ + `":` + value + `}`
}

type apiCase struct {
	op, in string // "ValueSet/expand"; a query, or Parameters
	want   []string
	kind   outcome.Kind // of an error
}

var cases = []apiCase{
	{"CodeSystem/lookup", "system=urn:benh&code=A90", []string{`"name":"name","valueString":"Benh"`, `"valueString":"2026"`, `"display","valueString":"Sốt xuất huyết Dengue"`,
		`"valueCode":"parent"},{"name":"value","valueCode":"A90-A99"`, `"value","valueDecimal":1.50`, `"language","valueCode":"en"`, `"Dengue fever"`, `"use","valueCoding":{"system":"urn:use"`}, ""},
	{"CodeSystem/lookup", "system=urn:benh&code=A90&displayLanguage=en&property=weight", []string{`"display","valueString":"Dengue fever"`, "1.50", `!"parent"`, `!designation`}, ""},
	{"CodeSystem/lookup", body(code("coding", "Coding", `{"system":"urn:benh","code":"A90-A99"}`)), []string{`"valueCode":"child"},{"name":"value","valueCode":"A90"`, `"definition"`, `"notSelectable"`}, ""},
	{"CodeSystem/lookup", "system=http://loinc.org&code=4548-4", nil, outcome.NotFound},
	{"CodeSystem/lookup", "system=urn:benh&code=Z99", nil, outcome.NotFound},
	{"CodeSystem/lookup", "code=Z99", nil, outcome.Invalid},
	{"CodeSystem/lookup", "system=urn:benh", nil, outcome.Invalid},
	{"CodeSystem/lookup", "system=http://unitsofmeasure.org&code=mg/dL", []string{`"display","valueString":"mg/dL"`}, ""},
	{"CodeSystem/lookup", "system=urn:benh&code=A90&contxt=x", nil, outcome.NotSupported},
	{"CodeSystem/lookup", "system=http://hl7.org/fhir/administrative-gender&code=female", []string{`"Female"`, `"4.0.1"`}, ""},

	{"CodeSystem/validate-code", "url=urn:benh&code=A90", []string{`"result","valueBoolean":true`, `"Sốt xuất huyết Dengue"`, "!message"}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&code=A9", []string{`"result","valueBoolean":false`, `"message"`}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&version=2020&code=A90", nil, outcome.NotFound},
	{"CodeSystem/validate-code", "url=urn:benh&code=A90&display=" + url.QueryEscape("sốt  xuất huyết dengue"), []string{`"result","valueBoolean":true`}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&code=A90&display=" + url.QueryEscape("sot xuat huyet dengue"), []string{`"result","valueBoolean":false`, `"display","valueString":"Sốt xuất huyết Dengue"`}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&code=A90&display=dengue+FEVER", []string{`"result","valueBoolean":true`}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&code=A90-A99&abstract=false", []string{`"result","valueBoolean":false`}, ""},
	{"CodeSystem/validate-code", "url=urn:benh&code=B20", []string{`"result","valueBoolean":true`, "not active"}, ""},
	{"CodeSystem/validate-code", body(code("codeableConcept", "CodeableConcept", `{"coding":[{"system":"urn:x","code":"1"},{"system":"urn:benh","code":"A91"}]}`), code("url", "Uri", `"urn:benh"`)), []string{`true`, `nặng`}, ""},
	{"CodeSystem/validate-code", body(`{"name":"codeSystem","resource":{"resourceType":"CodeSystem","url":"urn:own","status":"active","content":"complete","concept":[{"code":"o"}]}}`, code("code", "Code", `"o"`)), []string{`true`}, ""},
	{"CodeSystem/validate-code", "url=http://snomed.info/sct&code=22298006", nil, outcome.NotSupported},

	{"CodeSystem/subsumes", "system=urn:benh&codeA=A90-A99&codeB=A90", []string{`"outcome","valueCode":"subsumes"`}, ""},
	{"CodeSystem/subsumes", "system=urn:benh&codeA=A90&codeB=A90-A99", []string{`"subsumed-by"`}, ""},
	{"CodeSystem/subsumes", "system=urn:benh&codeA=A90&codeB=A90", []string{`"equivalent"`}, ""},
	{"CodeSystem/subsumes", "system=urn:benh&codeA=A90&codeB=A91", []string{`"not-subsumed"`}, ""},
	{"CodeSystem/subsumes", body(code("codingA", "Coding", `{"system":"urn:benh","code":"A90-A99"}`), code("codingB", "Coding", `{"system":"urn:benh","code":"A91"}`)), []string{`"subsumes"`}, ""},
	{"CodeSystem/subsumes", "system=urn:benh&codeA=A90&codeB=Q1", nil, outcome.NotFound},
	{"CodeSystem/subsumes", "codeA=A90&codeB=A91", nil, outcome.Invalid},

	{"ValueSet/expand", "url=urn:benh:vs", []string{`"total":4`, `"system":"urn:benh","abstract":true,"code":"A90-A99"`, `"inactive":true,"code":"B20"`, `"valueUri":"urn:benh|2026"`, "!designation", `!compose`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&filter=sot+xuat+huyet", []string{`"total":2`, `"A90"`, `"A91"`, `!"B20"`, `"filter","valueString":"sot xuat huyet"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&filter=" + url.QueryEscape("XUẤT nặng"), []string{`"total":1`, `"A91"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&filter=a9", []string{`"total":3`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&filter=huyet2", []string{`"total":0`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&offset=1&count=2", []string{`"total":4`, `"offset":1`, `"A90"`, `"A91"`, `!"B20"`, `!"code":"A90-A99"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&count=0", []string{`"total":4`, "!contains"}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&activeOnly=true&excludeNotForUI=true&displayLanguage=en", []string{`"total":2`, `"Severe dengue"`, `!"Sốt`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&includeDesignations=true&includeDefinition=true", []string{`"designation":[{"language":"en","use":`, `"compose"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&designation=urn:use|short", []string{`"Dengue fever"`, `!"Severe dengue"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&check-system-version=urn:benh|2025", nil, outcome.BusinessRule},
	{"ValueSet/expand", "url=urn:benh:vs&force-system-version=urn:benh|2025", nil, outcome.NotSupported},
	{"ValueSet/expand", "url=urn:benh:vs&exclude-system=urn:benh", []string{`"total":0`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&date=2026-01-01", nil, outcome.NotSupported},
	{"ValueSet/expand", "url=http://hl7.org/fhir/ValueSet/administrative-gender&date=2009-01-01", nil, outcome.NotSupported},
	{"ValueSet/expand", "url=urn:benh:vs&count=-1", nil, outcome.Invalid},
	{"ValueSet/expand", "url=urn:benh:vs&valueSetVersion=9", nil, outcome.NotFound},
	{"ValueSet/expand", "url=urn:nowhere", nil, outcome.NotFound},
	{"ValueSet/expand", "", nil, outcome.Invalid},
	{"ValueSet/expand", "url=http://hl7.org/fhir/ValueSet/mimetypes", nil, outcome.TooCostly},
	{"ValueSet/expand", "url=http://hl7.org/fhir/ValueSet/condition-code", nil, outcome.NotSupported},
	{"ValueSet/expand", "url=http://hl7.org/fhir/ValueSet/administrative-gender&date=2026-01-01", []string{`"total":4`, `"Other"`}, ""},
	{"ValueSet/expand", "url=http://hl7.org/fhir/ValueSet/service-category", []string{`valueset-unclosed`, `"code":"1"`}, ""},
	{"ValueSet/expand", "url=urn:benh:vs&context=http://x", nil, outcome.NotSupported},
	{"ValueSet/expand", body(`{"name":"valueSet","resource":` + strings.Replace(benhVS, `"system":"urn:benh"`, `"system":"urn:benh","filter":[{"property":"concept","op":"descendent-of","value":"A90-A99"}]`, 1) + `}`), []string{`"total":2`}, ""},
	{"ValueSet/expand", body(`{"name":"resource","resource":` + benh + `}`), nil, outcome.Invalid},

	{"ValueSet/validate-code", "url=urn:benh:vs&system=urn:benh&code=A91", []string{`true`, "nặng"}, ""},
	{"ValueSet/validate-code", "url=urn:benh:vs&system=urn:other&code=A91", []string{`"result","valueBoolean":false`, "message"}, ""},
	{"ValueSet/validate-code", "url=urn:benh:vs&code=A91", nil, outcome.Invalid},
	{"ValueSet/validate-code", "url=urn:benh:vs&code=A91&inferSystem=true", []string{`true`, "nặng"}, ""},
	{"ValueSet/validate-code", "url=urn:benh:vs&system=urn:benh&code=A91&display=x", []string{`"result","valueBoolean":false`, "nặng"}, ""},
	{"ValueSet/validate-code", "url=urn:benh:vs&system=urn:benh&code=A91&systemVersion=1999", nil, outcome.NotSupported},
	{"ValueSet/validate-code", "url=http://hl7.org/fhir/ValueSet/condition-code&system=http://snomed.info/sct&code=22298006", nil, outcome.NotSupported},
	{"ValueSet/validate-code", body(code("url", "Uri", `"http://hl7.org/fhir/ValueSet/marital-status"`), code("coding", "Coding", `{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}`)), []string{`true`, "Married"}, ""},

	{"ConceptMap/translate", "url=urn:map&system=urn:benh&code=A90", []string{`"result","valueBoolean":true`, `"equivalence","valueCode":"wider"`, `"concept","valueCoding":{"system":"urn:t","code":"D1","display":"Một"}`,
		`"source","valueUri":"urn:map"`, `"element","valueUri":"urn:p"`, `!"D2"`}, ""},
	{"ConceptMap/translate", body(code("url", "Uri", `"urn:map"`), code("coding", "Coding", `{"system":"urn:benh","code":"A90"}`),
		`{"name":"dependency","part":[{"name":"element","valueUri":"urn:sex"},{"name":"concept","valueCodeableConcept":{"coding":[{"system":"urn:s","code":"m"}]}}]}`), []string{`"D1"`, `"D2"`}, ""},
	{"ConceptMap/translate", "url=urn:map&system=urn:benh&code=A91", []string{`"result","valueBoolean":false`, `"unmatched"`, `!"concept"`}, ""},
	{"ConceptMap/translate", "url=urn:map&system=urn:benh&code=B20", []string{`true`, `"D9"`}, ""},
	{"ConceptMap/translate", "url=urn:map&system=urn:t&code=D1&reverse=true", []string{`true`, `"narrower"`, `"urn:benh","code":"A90"`}, ""},
	{"ConceptMap/translate", "url=urn:map&system=urn:other&code=A90", []string{`"result","valueBoolean":false`}, ""},
	{"ConceptMap/translate", "system=urn:benh&code=A90&target=urn:target:vs", nil, outcome.NotSupported},
	{"ConceptMap/translate", "url=urn:map&system=urn:benh&code=A90&target=urn:nowhere", nil, outcome.NotFound},
	{"ConceptMap/translate", "url=urn:nomap&system=urn:benh&code=A90", nil, outcome.NotFound},
	{"ConceptMap/translate", "url=http://hl7.org/fhir/ConceptMap/101&system=http://hl7.org/fhir/address-use&code=home", []string{`true`, `v3-AddressUse","code":"H"`}, ""},
}

// TestOperations: each case as GET and, when it is a query, also as POST with Parameters; what is answered is valid.
func TestOperations(t *testing.T) {
	list := operationsOf(t)
	for _, c := range cases {
		typ, name, _ := strings.Cut(c.op, "/")
		op := find(t, list, typ, name)
		call := &rest.Call{Request: &rest.Request{}, Type: typ}
		if strings.HasPrefix(c.in, "{") {
			call.In = rest.NewParameters(parse(t, c.in), nil)
		} else {
			q, err := url.ParseQuery(c.in)
			if err != nil {
				t.Fatal(err)
			}
			call.In = rest.NewParameters(nil, q)
		}
		resp, err := op.Run(t.Context(), call)
		if c.kind != "" {
			if err == nil || outcome.KindOf(err) != c.kind {
				t.Errorf("%s %s: %v, want %s", c.op, c.in, err, c.kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.op, c.in, err)
			continue
		}
		for _, w := range c.want {
			no, text := strings.HasPrefix(w, "!"), strings.TrimPrefix(w, "!")
			if strings.Contains(string(resp.Resource), text) == no {
				t.Errorf("%s %s: %s in %s", c.op, c.in, w, resp.Resource)
			}
		}
		for _, i := range validate.Structure(parse(t, string(resp.Resource))) {
			t.Errorf("%s %s: %+v", c.op, c.in, i)
		}
	}
}

// TestInstanceAndClosure need a store.
func TestInstanceAndClosure(t *testing.T) {
	run := func(name string, opt sqlstore.Options) {
		t.Run(name, func(t *testing.T) {
			opt.Sets = []db.Set{{Room: Name, FS: Migrations()}}
			s, err := sqlstore.Open(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			instances(t, s)
			closures(t, s)
		})
	}
	run("sqlite", sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	run("postgres", sqlstore.Options{URL: pgtest.URL(t)})
}

func instances(t *testing.T, s store.Store) {
	list := operationsOf(t)
	for typ, text := range map[string]string{"CodeSystem": benh, "ValueSet": benhVS, "ConceptMap": anhXa} {
		storetest.Put(t, s, storetest.All, store.Draft{Key: store.Key{Type: typ, ID: "x"}, Body: []byte(strings.Replace(text, `"url"`, `"id":"x","url"`, 1))})
	}
	for _, c := range []struct{ typ, op, query, want string }{
		{"CodeSystem", "validate-code", "code=A90", `true`}, {"CodeSystem", "subsumes", "codeA=A90-A99&codeB=A91", `"subsumes"`},
		{"ValueSet", "expand", "count=1", `"total":4`}, {"ValueSet", "validate-code", "system=urn:benh&code=B2", `"valueBoolean":false`},
		{"ConceptMap", "translate", "code=A90&system=urn:benh", `"D1"`},
	} {
		err := s.View(t.Context(), storetest.All, func(r store.Reader) error {
			q, _ := url.ParseQuery(c.query)
			resp, err := find(t, list, c.typ, c.op).Run(t.Context(), &rest.Call{Request: &rest.Request{}, Type: c.typ, ID: "x", In: rest.NewParameters(nil, q), Reader: r})
			if err == nil && !strings.Contains(string(resp.Resource), c.want) {
				t.Errorf("%s: %s", c.op, resp.Resource)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
		}
	}
}

func closures(t *testing.T, s store.Store) {
	op := find(t, operationsOf(t), "", "closure")
	call := func(agent string, parts ...string) (out string, err error) {
		a := storetest.All
		a.Agent.ID = agent
		err = s.Update(t.Context(), a, func(tx store.Tx) error {
			resp, err := op.Run(t.Context(), &rest.Call{Request: &rest.Request{Access: a}, In: rest.NewParameters(parse(t, body(parts...)), nil), Reader: tx, Tx: tx})
			if err == nil {
				out = string(resp.Resource)
			}
			return err
		})
		return out, err
	}
	name := code("name", "String", `"của tôi"`)
	concept := func(c string) string { return code("concept", "Coding", `{"system":"urn:benh","code":"`+c+`"}`) }
	poor := storetest.All
	poor.Filter = store.Filter{All: true, Types: map[string]store.Acts{"*": store.CanRead | store.CanSearch}}
	if _, err := op.Run(t.Context(), &rest.Call{Request: &rest.Request{Access: poor}, In: rest.NewParameters(parse(t, body(name)), nil)}); outcome.KindOf(err) != outcome.Forbidden {
		t.Errorf("who may only read: %v", err)
	}
	for i, c := range []struct {
		agent string
		parts []string
		want  string // of it, or the kind of an error
	}{
		{"a", []string{name}, `"version":"0"`},
		{"a", []string{name, concept("A90")}, `"version":"1"`},
		{"a", []string{name, concept("A90-A99"), concept("B20")}, `"version":"2","name":"của tôi","status":"active","experimental":true,"date":"2026-03-01T00:00:00.000Z","group":[{"source":"urn:benh","target":"urn:benh","element":[{"code":"A90","target":[{"code":"A90-A99","equivalence":"subsumes"}]}]}]`},
		{"a", []string{name, concept("A91")}, `"element":[{"code":"A91","target":[{"code":"A90-A99","equivalence":"subsumes"}]}]`},
		{"a", []string{name, concept("A91")}, `"version":"3"`},
		{"b", []string{name, concept("A91")}, `"version":"1"`}, // a table of its own
		{"a", []string{name, code("version", "String", `"1"`)}, `"element":[{"code":"A90",`},
		{"a", []string{name, code("version", "String", `"2"`)}, `"element":[{"code":"A91",`},
		{"a", []string{name, concept("Q")}, "not-found"},
		{"a", []string{concept("A90")}, "invalid"},
		{"a", []string{name}, `"version":"0"`},
		{"a", []string{name, concept("A90")}, `"version":"1"`},
	} {
		got, err := call(c.agent, c.parts...)
		if err != nil {
			got = string(outcome.KindOf(err))
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("step %d: %s, want %s", i, got, c.want)
		}
	}
}
