package validate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// definitionOf writes a StructureDefinition with a differential.
func definitionOf(url, typ, base, elements string, more ...string) string {
	return fmt.Sprintf(`{"resourceType":"StructureDefinition","url":%q,"name":"X","status":"draft","kind":"resource","abstract":false,"type":%q,"baseDefinition":%q,"derivation":"constraint",%s"differential":{"element":[%s]}}`,
		url, typ, base, strings.Join(more, ""), elements)
}

const x, patientBase, obsBase = "http://x.vn/", structures + "Patient", structures + "Observation"

// TestProfiles: one rule of a profile each, what keeps it and what breaks it.
func TestProfiles(t *testing.T) {
	el := func(id, rest string) string {
		return fmt.Sprintf(`{"id":%q,"path":%q%s}`, id, pathOf(id), rest)
	}
	slicedBy := func(kind, path, rules string) string {
		return fmt.Sprintf(`,"slicing":{"discriminator":[{"type":%q,"path":%q}],"rules":%q}`, kind, path, rules)
	}
	ext := definitionOf(x+"tuoi", "Extension", structures+"Extension", el("Extension.value[x]", `,"min":1,"type":[{"code":"integer"}]`), `"context":[{"type":"element","expression":"Patient"}],`)
	inner := definitionOf(x+"inner", "HumanName", structures+"HumanName", el("HumanName.family", `,"min":1`))
	male := definitionOf(x+"male", "Patient", patientBase, el("Patient.gender", `,"min":1,"fixedCode":"male"`))
	for _, c := range []struct {
		name, elements, good, bad, key string
	}{
		{"min", el("Patient.name", `,"min":1`), `"name":[{"text":"a"}]`, `"active":true`, "required"},
		{"min 2", el("Patient.name", `,"min":2`), `"name":[{"text":"a"},{"text":"b"}]`, `"name":[{"text":"a"}]`, "min"},
		{"max", el("Patient.name", `,"max":"1"`), `"name":[{"text":"a"}]`, `"name":[{"text":"a"},{"text":"b"}]`, "max"},
		{"max 0", el("Patient.photo", `,"max":"0"`), `"active":true`, `"photo":[{"url":"http://a"}]`, "max"},
		{"below", el("Patient.name", "") + "," + el("Patient.name.family", `,"min":1`), `"name":[{"family":"a"}]`, `"name":[{"family":"a"},{"text":"b"}]`, "required"},
		{"fixed", el("Patient.gender", `,"fixedCode":"male"`), `"gender":"male"`, `"gender":"female"`, "fixed"},
		{"fixed object", el("Patient.maritalStatus", `,"fixedCodeableConcept":{"text":"a"}`), `"maritalStatus":{"text":"a"}`, `"maritalStatus":{"text":"a","id":"b"}`, "fixed"},
		{"pattern", el("Patient.identifier", `,"patternIdentifier":{"system":"http://a"}`), `"identifier":[{"system":"http://a","value":"1"}]`, `"identifier":[{"system":"http://b","value":"1"}]`, "pattern"},
		{"pattern list", el("Patient.maritalStatus", `,"patternCodeableConcept":{"coding":[{"code":"M"}]}`), `"maritalStatus":{"coding":[{"code":"x","system":"http://y"},{"code":"M","system":"http://z"}]}`, `"maritalStatus":{"coding":[{"code":"N","system":"http://z"}]}`, "pattern"},
		{"type", el("Patient.deceased[x]", `,"type":[{"code":"boolean"}]`), `"deceasedBoolean":false`, `"deceasedDateTime":"2020"`, "type"},
		{"type as path", el("Patient.deceasedBoolean", `,"fixedBoolean":false`), `"deceasedBoolean":false`, `"deceasedBoolean":true`, "fixed"},
		{"type as path leaves no other", el("Patient.deceasedBoolean", ""), `"deceasedBoolean":false`, `"deceasedDateTime":"2020"`, "slice-closed"},
		{"type profile", el("Patient.name", `,"type":[{"code":"HumanName","profile":["`+x+`inner"]}]`), `"name":[{"family":"a"}]`, `"name":[{"text":"a"}]`, "required"},
		{"length", el("Patient.language", `,"maxLength":2`), `"language":"vi"`, `"language":"vi-VN"`, "length"},
		{"least", el("Patient.multipleBirth[x]", `,"minValueInteger":1`), `"multipleBirthInteger":1`, `"multipleBirthInteger":0`, "bound"},
		{"greatest", el("Patient.birthDate", `,"maxValueDate":"2020-05"`), `"birthDate":"2020-05-07"`, `"birthDate":"2020-06"`, "bound"},
		{"binding", el("Patient.language", `,"binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/administrative-gender"}`), `"language":"other"`, `"language":"vi"`, "binding"},
		{"duration", el("Patient.birthDate", `,"minValueDuration":{"value":100,"code":"a"}`), `"birthDate":"2000-01-01"`, `"birthDate":"1890-01-01"`, "bound"},
		{"rule", el("Patient", `,"constraint":[{"key":"x-1","severity":"error","human":"Name or identifier","expression":"name.exists() or identifier.exists()"}]`), `"name":[{"text":"a"}]`, `"active":true`, "invariant"},
		{"target", el("Patient.generalPractitioner", `,"type":[{"code":"Reference","targetProfile":["`+structures+`Organization"]}]`), `"generalPractitioner":[{"reference":"Organization/1"}]`, `"generalPractitioner":[{"reference":"Practitioner/1"}]`, "target"},
		{"target profile", el("Patient.link.other", `,"type":[{"code":"Reference","targetProfile":["`+x+`male"]}]`),
			`"contained":[{"resourceType":"Patient","id":"p","gender":"male"}],"link":[{"type":"seealso","other":{"reference":"#p"}}]`,
			`"contained":[{"resourceType":"Patient","id":"p","gender":"female"}],"link":[{"type":"seealso","other":{"reference":"#p"}}]`, "fixed"},
		{"slice min", el("Patient.identifier", slicedBy("value", "system", "open")) + "," + el("Patient.identifier:cccd", `,"sliceName":"cccd","min":1`) + "," + el("Patient.identifier:cccd.system", `,"fixedUri":"http://cccd"`),
			`"identifier":[{"system":"http://cccd","value":"1"},{"system":"http://b"}]`, `"identifier":[{"system":"http://b"}]`, "required"},
		{"slice max", el("Patient.identifier", slicedBy("value", "system", "open")) + "," + el("Patient.identifier:cccd", `,"sliceName":"cccd","max":"1"`) + "," + el("Patient.identifier:cccd.system", `,"fixedUri":"http://cccd"`),
			`"identifier":[{"system":"http://cccd"},{"system":"http://b"},{"system":"http://b"}]`, `"identifier":[{"system":"http://cccd"},{"system":"http://cccd"}]`, "max"},
		{"slice content", el("Patient.identifier", slicedBy("pattern", "$this", "open")) + "," + el("Patient.identifier:cccd", `,"sliceName":"cccd","patternIdentifier":{"system":"http://cccd"}`) + "," + el("Patient.identifier:cccd.value", `,"min":1`),
			`"identifier":[{"system":"http://cccd","value":"1"},{"system":"http://b"}]`, `"identifier":[{"system":"http://cccd"}]`, "required"},
		{"slice closed", el("Patient.telecom", slicedBy("value", "system", "closed")) + "," + el("Patient.telecom:p", `,"sliceName":"p"`) + "," + el("Patient.telecom:p.system", `,"fixedCode":"phone"`),
			`"telecom":[{"system":"phone","value":"1"}]`, `"telecom":[{"system":"email","value":"1"}]`, "slice-closed"},
		{"slice end", el("Patient.telecom", slicedBy("value", "system", "openAtEnd")) + "," + el("Patient.telecom:p", `,"sliceName":"p"`) + "," + el("Patient.telecom:p.system", `,"fixedCode":"phone"`),
			`"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"1"}]`, `"telecom":[{"system":"email","value":"1"},{"system":"phone","value":"1"}]`, "slice-end"},
		{"slice order", strings.Replace(el("Patient.telecom", slicedBy("value", "system", "open")), `"rules"`, `"ordered":true,"rules"`, 1) + "," + el("Patient.telecom:p", `,"sliceName":"p"`) + "," + el("Patient.telecom:p.system", `,"fixedCode":"phone"`) + "," + el("Patient.telecom:e", `,"sliceName":"e"`) + "," + el("Patient.telecom:e.system", `,"fixedCode":"email"`),
			`"telecom":[{"system":"phone","value":"1"},{"system":"fax","value":"2"},{"system":"email","value":"1"}]`, `"telecom":[{"system":"email","value":"1"},{"system":"phone","value":"1"}]`, "slice-order"},
		{"slice default", el("Patient.telecom", slicedBy("value", "system", "closed")) + "," + el("Patient.telecom:p", `,"sliceName":"p"`) + "," + el("Patient.telecom:p.system", `,"fixedCode":"phone"`) + "," + el("Patient.telecom:@default", `,"sliceName":"@default"`) + "," + el("Patient.telecom:@default.use", `,"min":1`),
			`"telecom":[{"system":"email","value":"1","use":"work"},{"system":"phone","value":"1"}]`, `"telecom":[{"system":"email","value":"1"}]`, "required"},
		{"slice exists", el("Patient.name", slicedBy("exists", "period", "open")) + "," + el("Patient.name:old", `,"sliceName":"old"`) + "," + el("Patient.name:old.period", `,"min":1`) + "," + el("Patient.name:old.text", `,"min":1`) + "," + el("Patient.name:now", `,"sliceName":"now","min":1`) + "," + el("Patient.name:now.period", `,"max":"0"`),
			`"name":[{"family":"a"},{"text":"b","period":{"start":"2020"}}]`, `"name":[{"family":"a"},{"family":"b","period":{"start":"2020"}}]`, "required"},
		{"slice type", el("Patient.deceased[x]", slicedBy("type", "$this", "open")) + "," + el("Patient.deceased[x]:deceasedBoolean", `,"sliceName":"deceasedBoolean","type":[{"code":"boolean"}],"fixedBoolean":false`),
			`"deceasedDateTime":"2020"`, `"deceasedBoolean":true`, "fixed"},
		{"slice resolve", el("Patient.generalPractitioner", slicedBy("type", "resolve()", "open")) + "," + el("Patient.generalPractitioner:o", `,"sliceName":"o","max":"0","type":[{"code":"Reference","targetProfile":["`+structures+`Organization"]}]`),
			`"contained":[{"resourceType":"Practitioner","id":"p"}],"generalPractitioner":[{"reference":"#p"}]`, `"contained":[{"resourceType":"Organization","id":"p","name":"b"}],"generalPractitioner":[{"reference":"#p"}]`, "max"},
		{"slice profile", el("Patient.contained", slicedBy("profile", "$this", "open")) + "," + el("Patient.contained:m", `,"sliceName":"m","max":"1","type":[{"code":"Patient","profile":["`+x+`male"]}]`),
			`"contained":[{"resourceType":"Patient","id":"p","gender":"male"},{"resourceType":"Patient","id":"q","gender":"female"}],"link":[{"type":"seealso","other":{"reference":"#p"}},{"type":"seealso","other":{"reference":"#q"}}]`,
			`"contained":[{"resourceType":"Patient","id":"p","gender":"male"},{"resourceType":"Patient","id":"q","gender":"male"}],"link":[{"type":"seealso","other":{"reference":"#p"}},{"type":"seealso","other":{"reference":"#q"}}]`, "max"},
		{"slice by extension", el("Patient.name", slicedBy("value", "extension('http://x.vn/loai').value", "open")) + "," + el("Patient.name:k", `,"sliceName":"k","max":"1"`) + "," + el("Patient.name:k.extension", "") + "," + el("Patient.name:k.extension:loai", `,"sliceName":"loai"`) + "," + el("Patient.name:k.extension:loai.url", `,"fixedUri":"http://x.vn/loai"`) + "," + el("Patient.name:k.extension:loai.value[x]", `,"fixedCode":"a"`),
			`"name":[{"text":"1","extension":[{"url":"http://x.vn/loai","valueCode":"a"}]},{"text":"2","extension":[{"url":"http://x.vn/loai","valueCode":"b"}]}]`,
			`"name":[{"text":"1","extension":[{"url":"http://x.vn/loai","valueCode":"a"}]},{"text":"2","extension":[{"url":"http://x.vn/loai","valueCode":"a"}]}]`, "max"},
		{"re-slice", el("Patient.identifier", slicedBy("value", "system", "open")) + "," + el("Patient.identifier:a", `,"sliceName":"a"`+slicedBy("value", "use", "open")) + "," + el("Patient.identifier:a.system", `,"fixedUri":"http://a"`) + "," + el("Patient.identifier:a/b", `,"sliceName":"a/b","min":1`) + "," + el("Patient.identifier:a/b.use", `,"fixedCode":"official"`),
			`"identifier":[{"system":"http://a","use":"official"},{"system":"http://a","use":"old"}]`, `"identifier":[{"system":"http://a","use":"old"},{"system":"http://b","use":"official"}]`, "required"},
		{"extension required", el("Patient.extension:tuoi", `,"sliceName":"tuoi","min":1,"type":[{"code":"Extension","profile":["`+x+`tuoi"]}]`), `"extension":[{"url":"http://x.vn/tuoi","valueInteger":7}]`, `"active":true`, "required"},
		{"extension content", el("Patient.active", ""), `"extension":[{"url":"http://x.vn/tuoi","valueInteger":7}]`, `"extension":[{"url":"http://x.vn/tuoi","valueString":"7"}]`, "type"},
		{"extension place", el("Patient.active", ""), `"extension":[{"url":"http://x.vn/tuoi","valueInteger":7}]`, `"name":[{"text":"a","extension":[{"url":"http://x.vn/tuoi","valueInteger":7}]}]`, "extension-context"},
	} {
		v := over(parse(t, ext), parse(t, inner), parse(t, male), parse(t, definitionOf(x+"p", "Patient", patientBase, c.elements)))
		for _, bad := range []bool{false, true} {
			src := patient(map[bool]string{false: c.good, true: c.bad}[bad])
			issues, err := v.Check(t.Context(), parse(t, src), Options{Profiles: []string{x + "p"}})
			if err != nil {
				t.Fatal(c.name, err)
			}
			var keys []string
			for _, i := range issues {
				if i.Severity == Error {
					keys = append(keys, strings.TrimPrefix(i.Key, "validate."))
				}
				if i.VI == "" || i.EN == "" || strings.Contains(i.VI+i.EN, "%!") || i.Line != 1 {
					t.Errorf("%s: %+v", c.name, i)
				}
			}
			if got := strings.Join(keys, " "); bad && !strings.Contains(got, c.key) || !bad && got != "" {
				t.Errorf("%s: %s: %q, want %q\n%+v", c.name, src, got, c.key, issues)
			}
		}
	}
}

// pathOf gives the path of an element from its id.
func pathOf(id string) string {
	parts := strings.Split(id, ".")
	for i, p := range parts {
		parts[i], _, _ = strings.Cut(p, ":")
	}
	return strings.Join(parts, ".")
}

// TestWanted: a profile that is asked for must be at hand, one that is claimed need not.
func TestWanted(t *testing.T) {
	v := over()
	d := parse(t, patient(`"meta":{"profile":["http://x.vn/no"]}`))
	issues, err := v.Check(t.Context(), d, Options{})
	if err != nil || len(issues) != 1 || issues[0].Severity != Warning || issues[0].Expression != "Patient.meta.profile[0]" {
		t.Errorf("%+v %v", issues, err)
	}
	if issues, _ = v.Check(t.Context(), d, Options{Profiles: []string{"http://x.vn/no"}}); !Failed(issues) {
		t.Errorf("%+v", issues)
	}
	if issues, _ = v.Check(t.Context(), d, Options{Profiles: []string{obsBase}}); !Failed(issues) {
		t.Errorf("%+v", issues)
	}
	v = over(parse(t, definitionOf(x+"p", "Patient", patientBase, `{"path":"Patient.name","type":[{"code":"HumanName","profile":["http://x.vn/no"]}]}`)))
	d = parse(t, patient(`"meta":{"profile":["http://x.vn/p"]},"name":[{"text":"a"}]`))
	if issues, _ = v.Check(t.Context(), d, Options{}); Failed(issues) || len(issues) != 1 {
		t.Errorf("%+v", issues)
	}
	if issues, _ = v.Check(t.Context(), d, Options{Profiles: []string{x + "p"}}); !Failed(issues) {
		t.Errorf("%+v", issues)
	}
}

// TestResolve: what a reference finds must be there, and of a type that the element allows.
func TestResolve(t *testing.T) {
	v := over()
	world := map[string]string{"Patient/1": "Patient", "Patient/2": "Group", "Group/3": "Group"}
	o := Options{Resolve: func(_ context.Context, ref string) (string, bool, error) { typ, ok := world[ref]; return typ, ok, nil }}
	for ref, key := range map[string]string{"Patient/1": "", "Patient/9": "reference-missing", "Patient/2": "reference-type", "Group/3": "", "http://elsewhere.vn/fhir/Patient/9": ""} {
		issues, err := v.Check(t.Context(), parse(t, obs(`"subject":{"reference":"`+ref+`"}`)), o)
		if err != nil {
			t.Fatal(err)
		}
		if key == "" && len(issues) > 0 || key != "" && (len(issues) != 1 || issues[0].Key != "validate."+key || issues[0].Expression != "Observation.subject") {
			t.Errorf("%s: %+v", ref, issues)
		}
	}
	broken := errors.New("broken")
	o.Resolve = func(context.Context, string) (string, bool, error) { return "", false, broken }
	if _, err := v.Check(t.Context(), parse(t, obs(`"subject":{"reference":"Patient/1"}`)), o); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestEndless: profiles that point at each other, or ask without end, end.
func TestEndless(t *testing.T) {
	el := func(path, rest string) string { return fmt.Sprintf(`{"path":%q%s}`, path, rest) }
	a := definitionOf(x+"a", "Patient", x+"b", el("Patient.link.other", `,"type":[{"code":"Reference","targetProfile":["`+x+`b"]}]`))
	b := definitionOf(x+"b", "Patient", x+"a", el("Patient.link.other", `,"type":[{"code":"Reference","targetProfile":["`+x+`a"]}]`))
	self := definitionOf(x+"self", "Patient", x+"self", el("Patient.name", `,"min":1`))
	costly := definitionOf(x+"costly", "Patient", patientBase, el("Patient", `,"constraint":[{"key":"c-1","severity":"error","human":"h","expression":"repeat('a').exists() or (1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select((1|2|3|4|5|6|7|8).select(1))))))).empty()"}]`))
	v := over(parse(t, a), parse(t, b), parse(t, self), parse(t, costly))
	d := parse(t, patient(`"contained":[{"resourceType":"Patient","id":"p","link":[{"type":"seealso","other":{"reference":"#p"}}]}],"link":[{"type":"seealso","other":{"reference":"#p"}}]`))
	start := time.Now()
	for _, url := range []string{x + "a", x + "b", x + "self", x + "costly"} {
		if _, err := v.Check(t.Context(), d, Options{Profiles: []string{url}}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Check(ctx, d, Options{Profiles: []string{x + "a"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestForget: definitions that changed are read anew once they are forgotten.
func TestForget(t *testing.T) {
	shelf := &shifting{}
	shelf.set(parse(t, definitionOf(x+"p", "Patient", patientBase, `{"path":"Patient.name","min":1}`)))
	v := New(shelf, nil)
	d := parse(t, patient(`"active":true`))
	refused := func() bool {
		issues, err := v.Check(t.Context(), d, Options{Profiles: []string{x + "p"}})
		if err != nil {
			t.Fatal(err)
		}
		return Failed(issues)
	}
	if !refused() {
		t.Error("no name")
	}
	shelf.set(parse(t, definitionOf(x+"p", "Patient", patientBase, `{"path":"Patient.name","min":0}`)))
	if !refused() {
		t.Error("kept until it is forgotten")
	}
	if v.Forget(); refused() {
		t.Error("the old definition is still used")
	}
}

type shifting struct {
	mu sync.Mutex
	d  *r4.Doc
}

func (s *shifting) set(d *r4.Doc) { s.mu.Lock(); s.d = d; s.mu.Unlock() }

func (s *shifting) Find(context.Context, string, string, string) (*r4.Doc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.d, nil
}

// TestTogether: one Validator serves many at once, also while it forgets.
func TestTogether(t *testing.T) {
	v, all := overIPS(), examples(t)
	var group sync.WaitGroup
	for k := range 4 {
		group.Go(func() {
			for i := k; i < len(all); i += 7 {
				if _, err := v.Check(t.Context(), all[i], Options{}); err != nil {
					t.Error(err)
				}
				if i%50 == 0 {
					v.Forget()
				}
			}
		})
	}
	group.Wait()
}

// FuzzCheck: whatever stands in a resource, Check tells and does not fall over.
func FuzzCheck(f *testing.F) {
	v := overIPS()
	for _, name := range []string{"Bundle-bundle-minimal.json", "Patient-66033.json", "Observation-urine-wbc-range.json"} {
		f.Add(ipsFiles(f)[name])
	}
	f.Add([]byte(`{"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[{"resourceType":"Questionnaire","id":"q","status":"active","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"choice","enableWhen":[{"question":"1","operator":"=","answerBoolean":true}]}]}]}],"item":[{"linkId":"1","item":[{"linkId":"2","answer":[{"valueCoding":{"code":"a"}}]}]}]}`))
	f.Add([]byte(`{"resourceType":"StructureDefinition","differential":{"element":[{"path":"A.b","slicing":{"discriminator":[{"type":"value","path":"c"}]}}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) { mustTell(t, v, b) })
}

func mustTell(t *testing.T, v *Validator, b []byte) {
	d, err := r4.Parse(b)
	if err != nil {
		return
	}
	issues, err := v.Check(t.Context(), d, Options{})
	if err != nil && outcome.KindOf(err) != outcome.TooCostly {
		t.Fatalf("%v\n%s", err, b)
	}
	for _, i := range issues {
		if i.VI == "" || i.EN == "" || i.Expression == "" || i.Line < 0 {
			t.Fatalf("%+v", i)
		}
	}
}

// TestCheckOfSpoilt: the examples with a piece cut out, doubled or changed never make Check fall over.
func TestCheckOfSpoilt(t *testing.T) {
	v, random := overIPS(), rand.New(rand.NewPCG(3, 4))
	docs := examples(t)
	for range 3000 {
		d := docs[random.IntN(len(docs))]
		p := &spoiler{src: d.Source()}
		s := r4.ResourceShape([]byte(d.Type()))
		if len(p.src) > 40_000 {
			continue
		}
		p.object(d.Root(), s)
		if len(p.out) == 0 {
			continue
		}
		m := p.out[random.IntN(len(p.out))]
		mustTell(t, v, []byte(string(p.src[:m.from])+m.with+string(p.src[m.to:])))
	}
}

// TestLarge: what is large but right is not refused for its size.
func TestLarge(t *testing.T) {
	const n = 60_000
	var codes, entries strings.Builder
	for i := range n {
		fmt.Fprintf(&codes, `,{"code":"C%d"}`, i)
		fmt.Fprintf(&entries, `,{"fullUrl":"urn:uuid:53fefa32-fcbb-4ff8-8a92-%012d","resource":{"resourceType":"Patient","active":true,"link":[{"type":"seealso","other":{"reference":"urn:uuid:53fefa32-fcbb-4ff8-8a92-%012d"}}]}}`, i, (i+1)%n)
	}
	v := over()
	for _, src := range []string{
		`{"resourceType":"CodeSystem","url":"http://x.vn/cs","status":"active","content":"complete","name":"X","concept":[` + codes.String()[1:] + `]}`,
		`{"resourceType":"Bundle","type":"collection","entry":[` + entries.String()[1:] + `]}`,
	} {
		start := time.Now()
		issues, err := v.Check(t.Context(), parse(t, src), Options{})
		if err != nil || len(issues) > 0 {
			t.Errorf("%.60s: %v %+v", src, err, issues)
		}
		t.Logf("%d bytes: %v", len(src), time.Since(start))
	}
	issues, err := v.Check(t.Context(), parse(t, `{"resourceType":"CodeSystem","status":"active","content":"complete","concept":[{"code":"a","concept":[{"code":"b"}]},{"code":"b"}]}`), Options{})
	if err != nil || len(issues) != 1 || !strings.Contains(issues[0].EN, "(csd-1)") {
		t.Errorf("%+v %v", issues, err)
	}
	issues, err = v.Check(t.Context(), parse(t, `{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient","active":true}},{"fullUrl":"urn:x:1","resource":{"resourceType":"Patient","active":true}}]}`), Options{})
	if err != nil || len(issues) != 1 || !strings.Contains(issues[0].EN, "(bdl-7)") {
		t.Errorf("%+v %v", issues, err)
	}
}
