package fhirpath

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// TestSearchExpressionsCompile: every search expression of R4 compiles.
func TestSearchExpressionsCompile(t *testing.T) {
	n := 0
	for _, typ := range []string{"Patient", "Observation", "Encounter", "Condition", "MedicationRequest", "Claim", "Composition", "Group", "Bundle", "DomainResource", "Resource", "ActivityDefinition", "ConceptMap", "StructureDefinition", "Questionnaire", "Person", "RelatedPerson", "Immunization", "Procedure", "Goal"} {
		for _, p := range r4.SearchParameters(typ) {
			if p.Expression == "" {
				continue
			}
			n++
			if _, err := Compile(p.Expression); err != nil {
				t.Errorf("%s %s: %s: %v", typ, p.Code, p.Expression, err)
			}
		}
	}
	if n < 300 {
		t.Errorf("only %d expressions seen", n)
	}
}

const observation = `{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"code":"a"},{"code":"b"}]},
"subject":{"reference":"Patient/p"},"performer":[{"reference":"http://x.example/fhir/Practitioner/d/_history/2"},{"reference":"Organization/h"}],
"valueQuantity":{"value":6.70,"unit":"%"},"effectivePeriod":{"start":"2026-01-01"},
"component":[{"code":{"text":"c"},"valueString":"x"}],"extension":[{"url":"urn:a","valueCode":"z"}]}`

func eval(t *testing.T, expr string) string {
	t.Helper()
	d, err := r4.Parse([]byte(observation))
	if err != nil {
		t.Fatal(err)
	}
	e, err := Compile(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	var out []string
	for _, i := range e.Eval(d) {
		s := i.Text()
		if s == "" {
			s = string(i.Node.Raw())
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestEval(t *testing.T) {
	for expr, want := range map[string]string{
		"Observation.code.coding.code":                                     "a b",
		"Patient.code":                                                     "",
		"(Observation.value as Quantity).value":                            "6.70",
		"Observation.value.as(Quantity).unit":                              "%",
		"Observation.value.ofType(string)":                                 "",
		"(Observation.value as CodeableConcept)":                           "",
		"Observation.effective.start":                                      "2026-01-01",
		"Observation.component.value":                                      "x",
		"Observation.subject.where(resolve() is Patient).reference":        "Patient/p",
		"Observation.subject.where(resolve() is Group).reference":          "",
		"Observation.performer.where(resolve() is Practitioner).reference": "http://x.example/fhir/Practitioner/d/_history/2",
		"Observation.code.coding[1].code | Observation.status":             "b final",
		"Observation.code.coding.where(code = 'b').code":                   "b",
		"Observation.extension('urn:a').value":                             "z",
		"Observation.hasExtension('urn:b')":                                "false",
		"Observation.code.exists() and Observation.status != 'x'":          "true",
		"Observation.stat":                                                 "",
		"Observation.code.coding.first().code":                             "a",
		"Observation.note.empty() or false":                                "true",
	} {
		if got := eval(t, expr); got != want {
			t.Errorf("%s = %q, want %q", expr, got, want)
		}
	}
}

// TestRefused: what is not FHIRPath, or needs more than is here, fails when it is compiled.
func TestRefused(t *testing.T) {
	for expr, want := range map[string]outcome.Kind{
		"": outcome.Invalid, "a.": outcome.Invalid, "a b": outcome.Invalid, "(a": outcome.Invalid, "a.where(": outcome.Invalid, "'a": outcome.Invalid, "a[": outcome.Invalid, "a.repeat(b": outcome.Invalid,
		"a # b": outcome.Invalid, strings.Repeat("(", 500): outcome.Invalid, "a.where()": outcome.Invalid, "a is 'b'": outcome.Invalid,
		"a.rePeat(b)": outcome.NotSupported, "a +": outcome.Invalid, "%": outcome.Invalid, "a.$that": outcome.Invalid, "2147483649": outcome.Invalid, "@2014-13": outcome.Invalid,
		"@2014-02-30": outcome.Invalid, "@T25": outcome.Invalid, "a as nothing": outcome.Invalid, "\"a\"": outcome.Invalid, "and": outcome.Invalid, "{a}": outcome.Invalid,
		strings.Repeat("-", 500) + "1": outcome.Invalid, strings.Repeat("a", 10_001): outcome.TooLong, "a.first(1)": outcome.Invalid,
	} {
		if _, err := Compile(expr); outcome.KindOf(err) != want || err == nil {
			t.Errorf("%.30q: %v, want %s", expr, err, want)
		}
	}
}

// FuzzCompile: whatever stands in an expression, it ends soon and without a panic.
func FuzzCompile(f *testing.F) {
	f.Add("Observation.value.as(Quantity) | a.where(b = 'c')")
	for _, s := range []string{"@2014 + 1 'a'", "(1|2).sort(-$this desc)", "1.5 'mg' * 2 '/L'", "'a'.replaceMatches('(a)', '$1$1')", "%`ext-x` & {}", "aggregate($total + $this, 0)", "repeat($this)", "combine($this).combine($this)", "10.power(400) / 3", "@T10:30.highBoundary(9)", "-2147483648 div -1", "descendants().descendants().descendants()"} {
		f.Add(s)
	}
	if cases, _ := readSuite(); len(cases) > 0 {
		for _, c := range cases {
			f.Add(c.Expression)
		}
	}
	d, err := r4.Parse([]byte(observation))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Compile(s)
		if err != nil {
			return
		}
		e.Eval(d)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		out, err := e.Run(ctx, Root(d), &Env{MaxSteps: 50_000, Lenient: len(s)%2 == 0})
		if ctx.Err() != nil {
			t.Fatalf("not over after 20 s: %q", s)
		}
		for _, i := range out {
			_, _ = i.Text(), i.TypeName()
		}
		if err != nil && outcome.KindOf(err) == outcome.Exception {
			t.Errorf("%q: %v", s, err)
		}
	})
}
