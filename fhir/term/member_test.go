package term

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// defs is a Source of definitions in a test, by type and url; the last one of a url is the newest.
type defs struct {
	mu   sync.Mutex
	docs []*r4.Doc
	asks int
}

func source(t *testing.T, texts ...string) *defs {
	t.Helper()
	d := &defs{}
	for _, text := range texts {
		doc, err := r4.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		d.docs = append(d.docs, doc)
	}
	return d
}

func (d *defs) Find(_ context.Context, typ, url, version string) (*r4.Doc, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asks++
	for i := len(d.docs) - 1; i >= 0; i-- {
		n := d.docs[i].Root()
		if (typ == "" || d.docs[i].Type() == typ) && n.Get("url").Text() == url && (version == "" || n.Get("version").Text() == version) {
			return d.docs[i], nil
		}
	}
	return nil, nil
}

// Supplements is described at Supplements.
func (d *defs) Supplements(_ context.Context, system string) (list []*r4.Doc, err error) {
	for _, doc := range d.docs {
		if url, _, _ := strings.Cut(doc.Root().Get("supplements").Text(), "|"); url == system {
			list = append(list, doc)
		}
	}
	return list, nil
}

const animals = `{"resourceType":"CodeSystem","url":"urn:a","version":"1","status":"active","content":"complete","caseSensitive":true,"hierarchyMeaning":"is-a",
"property":[{"code":"legs","type":"integer"},{"code":"parent","type":"code"}],
"concept":[
 {"code":"animal","display":"Động vật","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
  {"code":"dog","display":"Chó","designation":[{"language":"en","value":"Dog"}],"property":[{"code":"legs","valueInteger":4}],"concept":[{"code":"puppy","display":"Chó con"}]},
  {"code":"bird","display":"Chim","property":[{"code":"legs","valueInteger":2}]}]},
 {"code":"dodo","display":"Chim dodo","property":[{"code":"parent","valueCode":"bird"},{"code":"inactive","valueBoolean":true}]},
 {"code":"stone","display":"Đá"}]}`

func valueSet(url, compose string) string {
	return `{"resourceType":"ValueSet","url":"` + url + `","version":"1","status":"active","compose":{` + compose + `}}`
}

func filtered(property, op, value string) string {
	return `"include":[{"system":"urn:a","filter":[{"property":"` + property + `","op":"` + op + `","value":"` + value + `"}]}]`
}

var sets = map[string]struct{ compose, codes string }{
	"all":         {`"include":[{"system":"urn:a"}]`, "animal dog puppy bird dodo stone"},
	"active":      {`"inactive":false,"include":[{"system":"urn:a"}]`, "animal dog puppy bird stone"},
	"is-a":        {filtered("concept", "is-a", "animal"), "animal dog puppy bird dodo"},
	"descendent":  {filtered("concept", "descendent-of", "animal"), "dog puppy bird dodo"},
	"is-not-a":    {filtered("concept", "is-not-a", "dog"), "animal bird dodo stone"},
	"generalizes": {filtered("concept", "generalizes", "dodo"), "animal bird dodo"},
	"equal":       {filtered("legs", "=", "4"), "dog"},
	"in":          {filtered("code", "in", "dog,bird"), "dog bird"},
	"not-in":      {filtered("code", "not-in", "dog, bird"), "animal puppy dodo stone"},
	"exists":      {filtered("legs", "exists", "true"), "dog bird"},
	"exists not":  {filtered("legs", "exists", "false"), "animal puppy dodo stone"},
	"regex":       {filtered("code", "regex", "d.*"), "dog dodo"},
	"parent":      {filtered("parent", "=", "bird"), "dodo"},
	"list":        {`"include":[{"system":"urn:a","concept":[{"code":"bird"},{"code":"dog"}]}]`, "bird dog"},
	"exclude":     {`"include":[{"system":"urn:a"}],"exclude":[{"system":"urn:a","filter":[{"property":"concept","op":"is-a","value":"animal"}]}]`, "stone"},
	"import":      {`"include":[{"valueSet":["urn:vs:is-a","urn:vs:regex"]}]`, "dog dodo"},
	"both":        {`"include":[{"system":"urn:a","concept":[{"code":"dog"},{"code":"stone"}],"valueSet":["urn:vs:is-a"]}]`, "dog"},
	"two":         {`"include":[{"valueSet":["urn:vs:list"]},{"valueSet":["urn:vs:equal|1"]},{"system":"urn:a","version":"1","concept":[{"code":"stone"}]}]`, "bird dog stone"},
}

func world(t *testing.T) *defs {
	texts := []string{animals}
	for name, s := range sets {
		texts = append(texts, valueSet("urn:vs:"+name, s.compose))
	}
	return source(t, texts...)
}

// TestMemberAndCodes: each kind of definition is answered the same one by one and as a list.
func TestMemberAndCodes(t *testing.T) {
	ctx, s := t.Context(), New(world(t))
	for name, c := range sets {
		list, complete, err := s.Codes(ctx, "urn:vs:"+name)
		var got []string
		for _, code := range list {
			got = append(got, code.Code)
			if code.System != "urn:a" {
				t.Errorf("%s: %s is of system %q", name, code.Code, code.System)
			}
		}
		if err != nil || !complete || strings.Join(got, " ") != c.codes {
			t.Errorf("%s: %v (complete %v, %v), want %s", name, got, complete, err, c.codes)
		}
		for _, code := range strings.Fields("animal dog puppy bird dodo stone unicorn") {
			want := NotMember
			if strings.Contains(" "+c.codes+" ", " "+code+" ") {
				want = Member
			}
			for _, one := range []struct {
				c   Code
				any bool
			}{{Code{System: "urn:a", Code: code}, false}, {Code{Code: code}, true}} {
				if got, err := s.Member(ctx, "urn:vs:"+name, one.c, one.any); got != want || err != nil {
					t.Errorf("%s: %+v is %d (%v), want %d", name, one, got, err, want)
				}
			}
			if got, _ := s.Member(ctx, "urn:vs:"+name, Code{System: "urn:b", Code: code}, true); got != NotMember {
				t.Errorf("%s: %s of another system is %d", name, code, got)
			}
		}
	}
	if got, _ := s.Member(ctx, "urn:vs:all", Code{Code: "dog"}, false); got != NotMember {
		t.Errorf("a code without system: %d", got)
	}
}

// TestUnknown: what can't be known is not guessed, and what can be known in spite of it is answered.
func TestUnknown(t *testing.T) {
	snomed := `{"system":"http://snomed.info/sct","filter":[{"property":"concept","op":"is-a","value":"404684003"}]}`
	s := New(source(t, animals,
		valueSet("urn:vs:snomed", `"include":[`+snomed+`]`),
		valueSet("urn:vs:mixed", `"include":[`+snomed+`,{"system":"urn:a"}]`),
		valueSet("urn:vs:loop", `"include":[{"valueSet":["urn:vs:loop2"]}]`),
		valueSet("urn:vs:loop2", `"include":[{"valueSet":["urn:vs:loop"]}]`),
		valueSet("urn:vs:lost", `"include":[{"valueSet":["urn:vs:nowhere"]}]`),
		valueSet("urn:vs:property", filtered("colour", "=", "red")),
		valueSet("urn:vs:version", `"include":[{"system":"urn:a","version":"2"}]`),
		valueSet("urn:vs:without", `"include":[{"system":"urn:a"}],"exclude":[`+snomed+`]`),
		`{"resourceType":"CodeSystem","url":"urn:f","status":"active","content":"fragment","concept":[{"code":"x","concept":[{"code":"y"}]}]}`,
		valueSet("urn:vs:fragment", `"include":[{"system":"urn:f","filter":[{"property":"concept","op":"is-a","value":"x"}]}]`),
	))
	for _, c := range []struct {
		set, system, code string
		want              Verdict
	}{
		{"snomed", "http://snomed.info/sct", "22298006", Unknown}, {"snomed", "urn:a", "dog", NotMember},
		{"mixed", "urn:a", "dog", Member}, {"mixed", "urn:a", "unicorn", NotMember}, {"mixed", "http://snomed.info/sct", "1", Unknown},
		{"loop", "urn:a", "dog", Unknown}, {"lost", "urn:a", "dog", Unknown}, {"nowhere", "urn:a", "dog", Unknown},
		{"property", "urn:a", "dog", Unknown}, {"version", "urn:a", "dog", Unknown}, {"without", "urn:a", "dog", Member},
		{"fragment", "urn:f", "y", Member}, {"fragment", "urn:f", "z", Unknown},
	} {
		if got, err := s.Member(t.Context(), "urn:vs:"+c.set, Code{System: c.system, Code: c.code}, false); got != c.want || err != nil {
			t.Errorf("%s %s: %d (%v), want %d", c.set, c.code, got, err, c.want)
		}
		if _, complete, err := s.Codes(t.Context(), "urn:vs:"+c.set); complete && c.set != "without" || err != nil {
			t.Errorf("%s: said to be complete (%v)", c.set, err)
		}
	}
}

func TestRelatives(t *testing.T) {
	s := New(source(t, animals, `{"resourceType":"CodeSystem","url":"urn:c","status":"active","content":"complete","concept":[
		{"code":"a","property":[{"code":"parent","valueCode":"c"}]},{"code":"b","property":[{"code":"parent","valueCode":"a"}]},{"code":"c","property":[{"code":"parent","valueCode":"b"}]}]}`,
		`{"resourceType":"CodeSystem","url":"urn:p","status":"active","content":"complete","hierarchyMeaning":"part-of","concept":[{"code":"a","concept":[{"code":"b"}]}]}`))
	for _, c := range []struct{ system, code, below, above string }{
		{"urn:a", "animal", "animal dog puppy bird dodo", "animal"}, {"urn:a", "dodo", "dodo", "dodo bird animal"},
		{"urn:a", "unicorn", "", ""}, {"urn:nowhere", "x", "", ""}, {"urn:c", "a", "a b c", "a c b"}, {"urn:p", "a", "", ""},
		{"http://unitsofmeasure.org", "mg/dL", "mg/dL", "mg/dL"}, {"http://unitsofmeasure.org", "mgg", "", ""},
	} {
		below, ok, err := s.Descendants(t.Context(), c.system, c.code)
		if strings.Join(below, " ") != c.below || ok != (c.below != "") || err != nil {
			t.Errorf("below %s: %v %v %v", c.code, below, ok, err)
		}
		above, _, err := s.Ancestors(t.Context(), c.system, c.code)
		if strings.Join(above, " ") != c.above || err != nil {
			t.Errorf("above %s: %v %v", c.code, above, err)
		}
	}
}

func TestGrammars(t *testing.T) {
	s := New(source(t,
		valueSet("urn:units", `"include":[{"system":"http://unitsofmeasure.org"}]`), valueSet("urn:mime", `"include":[{"system":"urn:ietf:bcp:13"}]`),
		valueSet("urn:lang", `"include":[{"system":"urn:ietf:bcp:47"}]`), valueSet("urn:money", `"include":[{"system":"urn:iso:std:iso:4217"}]`)))
	for _, c := range []struct {
		set, good, bad string // parted by blanks
	}{
		{"urn:units", "mg/dL 10*9/L mm[Hg] {tablet} 1 Cel", "mgg µg viên"},
		{"http://unitsofmeasure.org/vs/mg", "g kg ug t", "mL mol 1"},
		{"urn:mime", "text/plain application/fhir+json image/svg+xml text/plain;charset=utf-8", "xml text/ /plain text/pl@in text/plain;charset"},
		{"urn:lang", "vi en en-US zh-Hans-CN de-CH-1996", "vi_VN xx-toolongsubtag english! qqqq"},
		{"urn:money", "VND USD EUR", "DONG vnd"},
	} {
		for code := range strings.FieldsSeq(c.good) {
			if got, err := s.Member(t.Context(), c.set, Code{Code: code}, true); got != Member || err != nil {
				t.Errorf("%s %s: %d %v", c.set, code, got, err)
			}
		}
		for code := range strings.FieldsSeq(c.bad) {
			if got, err := s.Member(t.Context(), c.set, Code{Code: code}, true); got != NotMember || err != nil {
				t.Errorf("%s %s: %d %v", c.set, code, got, err)
			}
		}
	}
}

// TestForget: definitions are read once until Forget, by many at a time.
func TestForget(t *testing.T) {
	src := world(t)
	s := New(src)
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 100 {
				if got, err := s.Member(context.Background(), "urn:vs:import", Code{System: "urn:a", Code: "dog"}, false); got != Member || err != nil {
					t.Errorf("%d %v", got, err)
				}
			}
		})
	}
	work.Wait()
	asked := src.asks
	if asked > 4 {
		t.Errorf("the source was asked %d times", asked)
	}
	src.docs = src.docs[:0]
	if got, _ := s.Member(t.Context(), "urn:vs:import", Code{System: "urn:a", Code: "dog"}, false); got != Member || src.asks != asked {
		t.Error("what is compiled is not kept")
	}
	s.Forget()
	if got, _ := s.Member(t.Context(), "urn:vs:import", Code{System: "urn:a", Code: "dog"}, false); got != Unknown {
		t.Error("what was forgotten is still there")
	}
}

func BenchmarkMember(b *testing.B) {
	doc, err := r4.Parse([]byte(animals))
	if err != nil {
		b.Fatal(err)
	}
	vs, err := r4.Parse([]byte(valueSet("urn:vs", filtered("concept", "is-a", "animal"))))
	if err != nil {
		b.Fatal(err)
	}
	s := New(&defs{docs: []*r4.Doc{doc, vs}})
	b.ReportAllocs()
	for b.Loop() {
		if got, _ := s.Member(b.Context(), "urn:vs", Code{System: "urn:a", Code: "puppy"}, false); got != Member {
			b.Fatal(got)
		}
	}
}
