package fhirpath

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

const bundle = `{"resourceType":"Bundle","type":"collection","entry":[
{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p","active":true,"name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"u","valueCode":"x"}]}]}],
 "_birthDate":{"extension":[{"url":"http://example.org/reason","valueString":"unknown"}]},"gender":"female"}},
{"fullUrl":"http://example.org/fhir/Observation/o","resource":{"resourceType":"Observation","id":"o","subject":{"reference":"urn:uuid:1"},"performer":[{"reference":"#c"},{"reference":"Practitioner/q"}],
 "contained":[{"resourceType":"Practitioner","id":"c","gender":"male"}],"valueQuantity":{"value":6.70,"unit":"%","system":"http://unitsofmeasure.org","code":"%"},
 "effectiveDateTime":"2026-01-02T03:04:05+07:00","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p></div>"},
 "component":[{"code":{"text":"a"},"valueInteger":3},{"code":{"text":"b"},"valueDateTime":"2026"}]}}]}`

func parsed(t testing.TB, src string) *r4.Doc {
	t.Helper()
	d, err := r4.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// show runs an expression and writes its result, or the key of its error.
func show(t testing.TB, src string, d *r4.Doc, env *Env) string {
	t.Helper()
	e, err := Compile(src)
	var out []Item
	if err == nil {
		var focus Item
		if d != nil {
			focus = Root(d)
		}
		out, err = e.Run(t.Context(), focus, env)
	}
	if err != nil {
		return "!" + strings.TrimPrefix(outcome.As(err).Key, "fhirpath.")
	}
	var texts []string
	for _, i := range out {
		if i.Complex() {
			texts = append(texts, i.TypeName())
		} else {
			texts = append(texts, i.Text())
		}
	}
	return strings.Join(texts, " ")
}

// TestLanguage: what the suite does not ask.
func TestLanguage(t *testing.T) {
	for _, tt := range [][2]string{
		// numbers are exact
		{"0.1 + 0.2", "0.3"}, {"0.1 + 0.2 = 0.3", "true"}, {"1 / 3", "0.3333333333333333333333333333"}, {"1.50 * 2", "3.00"}, {"2147483647 + 1", ""}, {"-2147483648 div -1", ""},
		{"10.power(400)", ""}, {"2.power(-1)", "0.5"}, {"2.power(0.5)", "1.414213562373095048801688724"}, {"0.power(0)", "1"}, {"(-0.06).floor()", "-1"}, {"0.06.ceiling()", "1"}, {"(-0.5).round()", "-1"},
		{"1000.ln().exp().round(20)", "1000.00000000000000000000"}, {"1e5", "!syntax"}, {"7 mod -3", "1"}, {"-7 div 2", "-3"}, {"5.5 mod 2", "1.5"}, {"1.25.round(1)", "1.3"}, {"1.2.round(-1)", "!operand"},
		{"-2147483648", "-2147483648"}, {"2147483648", "2147483648"}, {"0.5.highBoundary(0)", "1"}, {"12345678901234567890123456789.0 + 0.1", "12345678901234567890123456789.1"},
		{"0.0034.highBoundary(1)", "0.0"}, {"100.log(0)", ""}, {"0.ln()", ""}, {"9999999999.0.exp()", ""}, {"'1'.abs()", "!operand"}, {"true + 1", "!operand"}, {"-true", "!operand"},
		// quantities
		{"1 'kg' = 1000 'g'", "true"}, {"1 'kg' = 1 'm'", ""}, {"1 'kg' ~ 1 'm'", "false"}, {"1 'kg' < 1 'm'", ""}, {"1 'km' + 1 'm'", "1001 'm'"}, {"1 'm' - 1 'km'", "-999 'm'"}, {"1 'kg' + 1 'm'", ""},
		{"37 'Cel' = 310.15 'K'", "true"}, {"1 year = 12 months", "true"}, {"1 year = 1 'a'", ""}, {"1 year ~ 1 'a'", "true"}, {"1 year > 1 month", "true"}, {"1 month > 29 days", "true"}, {"24 hours = 1 day", "true"},
		{"2 'mg' * 3", "6 'mg'"}, {"6 'mg' / 2 'mg'", "3 '1'"}, {"6 'mg' / 0", ""}, {"1 'nonsense' = 1 'nonsense'", "true"}, {"1 'nonsense' < 2 'other'", ""}, {"2 weeks", "2 weeks"}, {"1 'mg' div 2", "!operand"},
		{"'5.5 \\'mg\\''.toQuantity('g')", "0.0055 'g'"}, {"1 'mg'.toQuantity('m')", ""}, {"(3 'm').value", "3"}, {"98.6 '[degF]'.toQuantity('Cel')", "37 'Cel'"}, {"1 = 1 '1'", "true"}, {"-(2 'mg')", "-2 'mg'"},
		// dates
		{"@2012 = @2012-01", ""}, {"@2012 = @2013-01", "false"}, {"@2012-01-01T10:00Z = @2012-01-01T17:00+07:00", "true"}, {"@2012-01-01T10:00Z < @2012-01-03T10:00", "true"}, {"@2012-01-01T10:00Z < @2012-01-01T20:00", ""},
		{"@2016-02-29 + 1 year", "2017-02-28"}, {"@2016-01-31 + 1 month", "2016-02-29"}, {"@2014 + 24 months", "2016"}, {"@2014 + 23 months", "2015"}, {"@2016 + 365 days", "2017"}, {"@2016-01-01 + 1 hour", "!operand"},
		{"@T23:30 + 1 hour", "00:30"}, {"@T10:00 + 1 day", "!operand"}, {"@2014-01-01T10:00 + 90 seconds", "2014-01-01T10:01"}, {"@9999-12-31 + 1 day", ""}, {"@2014-01-01 - 1 day", "2013-12-31"}, {"@2014-01-01T00:00:00 + 0.5 's'", "2014-01-01T00:00:00.500"},
		{"@2014-01-01 < @T10:00", "!operand"}, {"@2014-02-30", "!syntax"}, {"@2014-02.highBoundary()", "2014-02-28"}, {"@2014T.highBoundary(6)", "2014-12"}, {"@2014.highBoundary(9)", ""}, {"@T10.lowBoundary()", "10:00:00.000"},
		{"@2014-01-01T10:00:00.5Z.toDate()", "2014-01-01"}, {"'2014-13'.toDate()", ""}, {"'10:61'.toTime()", ""}, {"@2014-01-05T10:30:00.1 = @2014-01-05T10:30:00.10", "true"}, {"@2014-06-01 + 999999999999999 years", ""}, {"@2014-01-01T00:00Z + 400000 hours", "2059-08-19T16:00Z"}, {"@2014-01-01T00:00:00Z - 86400000 seconds", "2011-04-07T00:00:00Z"}, {"@2014-01-01 + 4000000 years", ""},
		{"@2014-01-01T00:00:00.000 + 1.5 'ms'", "2014-01-01T00:00:00.001"}, {"@T00:10 - 3 hours", "21:10"},
		{"@2012 ~ @2012-01", "false"}, {"@2015-02-04T14.lowBoundary(12)", "2015-02-04T14:00+14:00"},
		{"@2012-03-04T05:06:07.089-07:30.select(yearOf() | monthOf() | dayOf() | hourOf() | minuteOf() | secondOf() | millisecondOf())", "2012 3 4 5 6 7 89"}, {"@2012.monthOf()", ""}, {"@T05.dayOf()", ""}, {"@2012-03-04T05:06-07:30.timezoneOffsetOf()", "-7.5"},
		{"@2012-03-04T05:06-07:30.dateOf()", "2012-03-04"}, {"@2012-03-04T05:06-07:30.timeOf()", "05:06"}, {"@2012-03.timeOf()", ""}, {"1.yearOf()", "!operand"},
		// logic
		{"{} and false", "false"}, {"{} or true", "true"}, {"{} implies true", "true"}, {"true implies {}", ""}, {"false and (1|2)", "false"}, {"true and (1|2)", "!singleton"}, {"(1|2) and true", "!singleton"}, {"{}.all($this)", "true"}, {"{}.not()", ""},
		{"{}.allTrue()", "true"}, {"{}.anyTrue()", "false"}, {"(true|false).anyFalse()", "true"}, {"(false).allFalse()", "true"}, {"{} in (1|2)", ""}, {"1 in {}", "false"}, {"(1|2) in (1|2)", "!singleton"},
		// collections and text
		{"(1|2|2.0|1).count()", "2"}, {"1.combine(1.0).distinct()", "1"}, {"('b'|'a'|'c').sort($this desc)", "c b a"}, {"(3|1|2).sort()", "1 2 3"}, {"(1|'a').sort()", "!operand"}, {"(1|2|3)[1]", "2"}, {"(1|2)[5]", ""}, {"(1|2)['a']", "!operand"},
		{"(1|2|3).select($index)", "0 1 2"}, {"(1|2|3).where($index > 0).select($this * 10)", "20 30"}, {"(1|2).aggregate($total + $this, 10)", "13"}, {"(1|2).single()", "!singleton"}, {"'đá'.length()", "2"}, {"'đáy'.substring(1,1)", "á"}, {"'xđá'.indexOf('á')", "2"},
		{"'a'.matches('(')", "!pattern"}, {"'aXbX'.lastIndexOf('X')", "3"}, {"'ab'.replaceMatches('(a)(b)', '$2$1x')", "bax"}, {"'\\u0041\\uD83D\\uDE00'", "A😀"}, {"'a'.encode('nothing')", ""}, {"'zz'.decode('hex')", ""}, {"1 & 'a'", "!operand"}, {"'a' & {}", "a"},
		{"'\\p'", "p"}, {"'a'.toChars().join('-')", "a"}, {"iif({}, 1)", ""}, {"1 'mg'.type().name", "Quantity"}, {"(1).foo()", "!not-supported"}, {"%nothing", "!variable"}, {"'a'.foo", ""}, {"$total", ""}, {"today() is Date and now() is DateTime and timeOfDay() is Time", "true"},
		{"1 is Any", "true"}, {"1 is System.Decimal", "false"}, {"1 is Nothing", "!type"}, {"1 as Integer", "1"}, {"('a'|1).ofType(Integer)", "1"}, {"a.where()", "!arguments"}, {"`a", "!syntax"},
	} {
		if got := show(t, tt[0], nil, nil); got != tt[1] {
			t.Errorf("%s = %q, want %q", tt[0], got, tt[1])
		}
	}
}

// TestFHIR: types, choices, primitives with extensions, and FHIR's own functions.
func TestFHIR(t *testing.T) {
	d := parsed(t, bundle)
	const obs, pat = "entry[1].resource.", "entry[0].resource."
	for _, tt := range [][2]string{
		{pat + "name.given", "A "}, {pat + "name.given.hasValue()", "false"}, {pat + "name.given.select(hasValue())", "true false"}, {pat + "name.given.extension('u').value", "x"}, {pat + "birthDate.extension.value", "unknown"},
		{pat + "birthDate.exists()", "true"}, {pat + "birthDate.hasValue()", "false"}, {pat + "birthDate = @2012", ""}, {pat + "birthDate < @2012", ""}, {pat + "birthDate is date", "true"}, {pat + "birthDate.single().exists()", "true"}, {pat + "birthDate.lowBoundary()", ""}, {pat + "birthDate.toString()", ""}, {pat + "gender is code", "true"}, {pat + "gender is string", "true"}, {pat + "gender.as(string)", ""}, {pat + "active is Boolean", "false"},
		{pat + "active.type().baseType", "FHIR.Element"}, {pat + "name.type().name", "HumanName"}, {obs + "component.type().name", "BackboneElement BackboneElement"}, {obs + "ofType(DomainResource).id", "o"}, {obs + "is(Resource)", "true"}, {obs + "is(Patient)", "false"},
		{obs + "subject.resolve().id", "p"}, {obs + "subject.resolve() is Patient", "true"}, {obs + "performer.resolve().gender", ""}, {obs + "value.value", "6.70"}, {obs + "value > 5 '%'", "true"}, {obs + "value is Quantity", "true"}, {obs + "component.value", "3 2026"},
		{obs + "component.value.ofType(integer) + 1", "4"}, {obs + "effective.is(dateTime)", "true"}, {obs + "effective < @2027", "true"}, {obs + "effective.toString()", "2026-01-02T03:04:05+07:00"}, {obs + "text.`div`.htmlChecks()", "true"}, {"entry.resource.getResourceKey()", "Patient/p Observation/o"},
		{obs + "performer.getReferenceKey(Practitioner)", "Practitioner/q"}, {obs + "performer.getReferenceKey(Patient)", ""}, {"entry.nothing", "!element"}, {"entry.resource.nothing", ""}, {"Patient.name", "!element"}, {"children().first()", "!order"}, {"entry.request.url.nothing", "!element"},
		{obs + "conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", "false"}, {obs + "code.memberOf('x')", ""}, {pat + "gender.memberOf('x')", "!unanswered"}, {pat + "gender.subsumes('x')", "!unanswered"}, {"%resource.type", "collection"}, {"%context.type", "collection"},
		{"descendants().ofType(Quantity).unit", "%"}, {obs + "value = " + obs + "value", "true"}, {obs + "value = 0.0670 '1'", "true"}, {pat + "name.slice('x', 'y')", "!unanswered"}, {"entry.resource.descendants().where($this is code).count() > 1", "true"}, {obs + "subject.hasExtension('x')", "false"}, {obs + "checkModifiers('x').id", "o"}, {pat + "gender.getValue() is System.String", "true"},
	} {
		if got := show(t, tt[0], d, nil); got != tt[1] {
			t.Errorf("%s = %q, want %q", tt[0], got, tt[1])
		}
	}
	if got := show(t, "entry.nothing", d, &Env{Lenient: true}); got != "" {
		t.Errorf("lenient: %q", got)
	}
}

// TestEnv: what the world around answers, and its errors, come through.
func TestEnv(t *testing.T) {
	d := parsed(t, bundle)
	env := &Env{
		Now:  time.Date(2026, 11, 25, 20, 0, 0, 0, time.FixedZone("", 7*3600)),
		Vars: map[string][]Item{"limit": {Root(d)}},
		Resolve: func(_ context.Context, ref string) (*r4.Doc, error) {
			if ref == "Practitioner/q" {
				return parsed(t, `{"resourceType":"Practitioner","id":"q"}`), nil
			}
			return nil, nil
		},
		MemberOf: func(_ context.Context, vs string, i Item) (bool, error) {
			return vs == "v" && i.Text() == "female", nil
		},
		Subsumes: func(_ context.Context, _, a, b string) (bool, error) { return strings.HasPrefix(b, a), nil },
		Conforms: func(context.Context, string, Item) (bool, error) { return false, errors.New("down") },
	}
	var traced []string
	env.Trace = func(name string, items []Item) { traced = append(traced, name) }
	for _, tt := range [][2]string{
		{"now()", "2026-11-25T20:00:00.000+07:00"}, {"today()", "2026-11-25"}, {"timeOfDay()", "20:00:00.000"}, {"%limit.type", "collection"}, {"entry[1].resource.performer.resolve().id", "q"},
		{"entry[0].resource.gender.memberOf('v')", "true"}, {"entry[0].resource.gender.subsumes('female-x')", "true"}, {"entry[0].resource.gender.subsumedBy('x')", "false"}, {"conformsTo('x')", "!exception"}, {"type.trace('t')", "collection"},
	} {
		if got := show(t, tt[0], d, env); got != tt[1] {
			t.Errorf("%s = %q, want %q", tt[0], got, tt[1])
		}
	}
	if len(traced) != 1 {
		t.Errorf("traced %v", traced)
	}
	inner := Root(d).child("entry", nil)[1].child("resource", nil)[0]
	e, err := Compile("performer.resolve().gender | %resource.id | %rootResource.type")
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Run(t.Context(), inner, &Env{Resource: inner, Root: Root(d)})
	if err != nil || len(out) != 3 || out[0].Text() != "male" || out[1].Text() != "o" || out[2].Text() != "collection" {
		t.Errorf("%v %v", out, err)
	}
}

// TestElement: an element alone answers as it does in its resource.
func TestElement(t *testing.T) {
	d := parsed(t, bundle)
	patient := d.Root().Get("entry").At(0).Get("resource")
	for _, tt := range []struct {
		item       Item
		expression string
		want       string
	}{
		{Element(patient.Get("name").At(0), r4.Node{}, "HumanName"), "given.first() & type().name", "AHumanName"},
		{Element(patient.Get("birthDate"), patient.Get("_birthDate"), "date"), "hasValue() or (children().count() > id.count())", "true"},
		{Element(patient.Get("name").At(0).Get("given").At(1), patient.Get("name").At(0).Get("_given").At(1), "string"), "extension('u').value", "x"},
		{Element(patient, r4.Node{}, "Resource"), "name.exists() and $this is Patient", "true"},
		{Element(patient.Get("gender"), r4.Node{}, "code"), "$this is code and %resource is Bundle", "true"},
	} {
		e, err := Compile(tt.expression)
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.Run(t.Context(), tt.item, nil)
		if err != nil || len(out) != 1 || out[0].Text() != tt.want {
			t.Errorf("%s: %v %v", tt.expression, out, err)
		}
		if val, known := Truth(out); !val || !known {
			t.Errorf("%s: %v %v", tt.expression, val, known)
		}
	}
	if _, known := Truth(nil); known {
		t.Error("nothing is no answer")
	}
	if val, known := Truth(append(boolean(true), boolean(true)...)); val || !known {
		t.Error("several are no truth")
	}
}

// TestBounds: an expression that would never end, or fill the memory, ends with an error.
func TestBounds(t *testing.T) {
	d := parsed(t, bundle)
	grow := "'" + strings.Repeat("a", 100) + "'" + strings.Repeat(".replace('a','aaaaaaaaaa')", 6)
	double := "descendants()" + strings.Repeat(".combine(%context.descendants())", 200) + strings.Repeat(".select(%context.descendants())", 3)
	for _, src := range []string{grow, double, strings.Repeat("(1|2|3|4|5|6|7|8|9).select(", 9) + "$this" + strings.Repeat(")", 9)} {
		if got := show(t, src, d, nil); got != "!too-costly" {
			t.Errorf("%.60s: %q", src, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e, err := Compile("descendants().select(%context.descendants()).count()")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Run(ctx, Root(d), nil); outcome.KindOf(err) != outcome.Timeout || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got := show(t, "1 + 1 + 1 + 1", d, &Env{MaxSteps: 2}); got != "!too-costly" {
		t.Errorf("bounded: %q", got)
	}
}

// TestPlace: an error names the character at fault, in both languages.
func TestPlace(t *testing.T) {
	e, err := Compile("1 + (2 | 3)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Run(t.Context(), Item{}, nil)
	if o := outcome.As(err); !strings.Contains(o.EN, "(character 3 of") || !strings.Contains(o.VI, "(ký tự 3 của") {
		t.Errorf("%v", err)
	}
}

// TestConcurrent: one compiled expression serves many at once.
func TestConcurrent(t *testing.T) {
	d := parsed(t, bundle)
	e, err := Compile("entry.resource.where(id.matches('o|p')).select(id | descendants().count().toString()).join(',')")
	if err != nil {
		t.Fatal(err)
	}
	want, err := e.Run(t.Context(), Root(d), nil)
	if err != nil || len(want) != 1 {
		t.Fatal(want, err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := e.Run(t.Context(), Root(d), nil); err != nil || got[0].Text() != want[0].Text() {
					t.Errorf("%v %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestHTMLChecks: the narrative is checked, not only read.
func TestHTMLChecks(t *testing.T) {
	for div, want := range map[string]string{"<p>x</p>": "true", "<script>x</script>": "false", " ": "false"} {
		d := parsed(t, `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">`+div+`</div>"}}`)
		if got := show(t, "text.`div`.htmlChecks()", d, nil); got != want {
			t.Errorf("%s: %s", div, got)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	d := parsed(b, bundle)
	for name, src := range map[string]string{"path": "entry.resource.name.given", "invariant": "entry.where(fullUrl.exists()).select(fullUrl & resource.meta.versionId).isDistinct()", "arithmetic": "1.5 * 3 + 2 / 7"} {
		e, err := Compile(src)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := e.Run(b.Context(), Root(d), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
