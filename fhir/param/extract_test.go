package param

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

func doc(t testing.TB, src string) *r4.Doc {
	t.Helper()
	d, err := r4.Parse([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (v Value) brief() string {
	switch v.Kind {
	case Token:
		return fmt.Sprintf("%s=%s|%s %s %s", v.Param, v.System, v.Code, v.Text, strings.Join(v.OfType, ","))
	case Date:
		f := func(ms int64) string {
			if ms == Earliest || ms == Latest {
				return "open"
			}
			return time.UnixMilli(ms).UTC().Format("060102T150405")
		}
		return fmt.Sprintf("%s=%s..%s", v.Param, f(v.Lo), f(v.Hi))
	case Reference:
		return fmt.Sprintf("%s=%s/%s %s%s|%s", v.Param, v.Type, v.ID, v.Text, v.System, v.Code)
	case Quantity:
		return fmt.Sprintf("%s=%s[%s,%s] %s|%s", v.Param, v.Num, v.NumLo, v.NumHi, v.System, v.Code)
	case Composite:
		var parts []string
		for _, p := range v.Parts {
			parts = append(parts, p.brief())
		}
		return v.Param + "{" + strings.Join(parts, "; ") + "}"
	}
	return v.Param + "=" + v.Text
}

func briefs(t testing.TB, src string) []string {
	values, err := Extract(doc(t, src))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range values {
		out = append(out, strings.TrimSpace(v.brief()))
	}
	return out
}

const patient = `{"resourceType":"Patient","id":"p1","meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"active":true,
"identifier":[{"system":"urn:cccd","value":"025080000101","type":{"coding":[{"system":"v2","code":"NI"}],"text":"Căn cước"}}],
"name":[{"text":"Nguyễn Thị Ví Dụ","family":"Nguyễn","given":["Thị","Ví Dụ"]}],"gender":"female","birthDate":"1980",
"telecom":[{"system":"phone","value":"0900000001"}],"address":[{"text":"Khu 1","state":"25"}],"deceasedBoolean":false,
"link":[{"other":{"reference":"Patient/s1"},"type":"seealso"}],"managingOrganization":{"identifier":{"system":"urn:cskcb","value":"25901"}}}`

// TestPatient: the values of search.html's own words, for each kind.
func TestPatient(t *testing.T) {
	got := briefs(t, patient)
	for _, want := range []string{
		"_tag=urn:ytso:tag|golden", "active=|true", "identifier=urn:cccd|025080000101 Căn cước v2|NI", "name=Nguyễn Thị Ví Dụ", "name=Nguyễn", "family=Nguyễn",
		"given=Ví Dụ", "gender=|female", "birthdate=791231T170000..801231T170000", "telecom=|0900000001", "phone=|0900000001", "address=Khu 1", "address-state=25",
		"link=Patient/s1 |", "organization=/ urn:cskcb|25901", "deceased=|false",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	if slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "email=") }) {
		t.Error("a phone number is no e-mail")
	}
}

const hba1c = `{"resourceType":"Observation","id":"o","status":"final","category":[{"coding":[{"code":"laboratory"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"HbA1c"}],"text":"HbA1c"},"subject":{"reference":"Patient/p1"},
"encounter":{"reference":"Encounter/e1/_history/3"},"effectiveDateTime":"2026-03-10T08:00:00+07:00",
"valueQuantity":{"value":6.70,"unit":"%","system":"http://unitsofmeasure.org","code":"%"},"performer":[{"reference":"http://other.example/Organization/x"},{"reference":"#h"}]}`

func TestObservation(t *testing.T) {
	got := briefs(t, hba1c)
	for _, want := range []string{
		"code=http://loinc.org|4548-4 HbA1c", "subject=Patient/p1 |", "patient=Patient/p1 |", "encounter=Encounter/e1 |", "date=260310T010000..260310T010001",
		"value-quantity=6.70[6.70,6.70] http://unitsofmeasure.org|%", "performer=/ http://other.example/Organization/x|",
		"code-value-quantity{code=http://loinc.org|4548-4 HbA1c ; value-quantity=6.70[6.70,6.70] http://unitsofmeasure.org|%}",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not among %q", want, got)
		}
	}
	d := doc(t, hba1c)
	values, err := Extract(d)
	if err != nil {
		t.Fatal(err)
	}
	if ids := PatientCompartment(d, values); !slices.Equal(ids, []string{"p1"}) {
		t.Errorf("compartment %v", ids)
	}
	if ms, ok := ClinicalDate(d); !ok || ms != time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC).UnixMilli() {
		t.Errorf("clinical date %d %v", ms, ok)
	}
	if ids := PatientCompartment(doc(t, patient), nil); !slices.Equal(ids, []string{"p1"}) {
		t.Errorf("a patient is in its own compartment: %v", ids)
	}
}

func TestSpan(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"2026-03-10T08:00:00Z": time.Second, "2026-03-10T08:00:00.5Z": 100 * time.Millisecond, "2026-03-10T08:00:00.123456+07:00": time.Millisecond,
		"2026-03-10T08:00": time.Minute, "2026-03-10": 24 * time.Hour, "2026-02": 28 * 24 * time.Hour, "2024": 366 * 24 * time.Hour,
	} {
		if lo, hi, ok := span(s); !ok || time.Duration(hi-lo)*time.Millisecond != want {
			t.Errorf("%s: %d..%d %v", s, lo, hi, ok)
		}
	}
	if lo, hi, ok := span("2016-12-31T23:59:60Z"); !ok || hi-lo != 1000 || lo != time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() {
		t.Errorf("a leap second: %d..%d %v", lo, hi, ok)
	}
	for _, s := range []string{"", "2026-13", "2026-02-30", "26", "10/03/2026", "2026-03-10 08:00", "0000"} {
		if _, _, ok := span(s); ok {
			t.Errorf("%q is no date", s)
		}
	}
}

// TestEveryTypeCompiles: the parameters of each resource type can be run.
func TestEveryTypeCompiles(t *testing.T) {
	n := 0
	for _, typ := range r4.ResourceTypes() {
		list, err := Official().of(typ)
		if err != nil {
			t.Fatal(err)
		}
		n += len(list.list)
	}
	if n < 1400 {
		t.Errorf("%d parameters", n)
	}
}

// TestOfficialExamples: extraction runs over each official example, gives the
// same twice, and finds something in nearly all.
func TestOfficialExamples(t *testing.T) {
	all := conformance(t, "r4-examples/examples.ndjson.gz")
	n, with := 0, 0
	for line := range bytes.Lines(all) {
		n++
		a, b := briefs(t, string(line)), briefs(t, string(line))
		if !slices.Equal(a, b) {
			t.Fatal("extraction is not the same twice")
		}
		if len(a) > 0 {
			with++
		}
	}
	if with < n*95/100 {
		t.Errorf("values in %d of %d examples", with, n)
	}
}

func BenchmarkExtract(b *testing.B) {
	for name, src := range map[string]string{"Patient": patient, "Observation": hba1c} {
		d := doc(b, src)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Extract(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestIsClinicalDate: parameters that have one value at most, which is the clinical date.
func TestIsClinicalDate(t *testing.T) {
	for _, tt := range []struct {
		typ, code string
		want      bool
	}{
		{"Encounter", "date", true}, {"MedicationRequest", "authoredon", true}, {"Composition", "date", true},
		{"Observation", "date", false},        // a Timing has many
		{"AllergyIntolerance", "date", false}, // recordedDate, while the clinical date is the onset
		{"Encounter", "location-period", false}, {"Encounter", "status", false}, {"Encounter", "x", false}, {"Organization", "date", false},
	} {
		if got := IsClinicalDate(tt.typ, tt.code); got != tt.want {
			t.Errorf("%s.%s: %v", tt.typ, tt.code, got)
		}
	}
}

// TestExtractFlood: a resource of very many values takes time in proportion to
// them, and combinations that would outgrow the memory are refused.
func TestExtractFlood(t *testing.T) {
	var b strings.Builder
	for i := range 40_000 {
		fmt.Fprintf(&b, `{"value":"%d"},`, i%39_999)
	}
	began := time.Now()
	list, err := Extract(doc(t, `{"resourceType":"Patient","identifier":[`+strings.TrimSuffix(b.String(), ",")+`]}`))
	list = slices.DeleteFunc(list, func(v Value) bool { return v.Param != "identifier" })
	if n := len(list); err != nil || n != 39_999 {
		t.Errorf("%d identifiers, %v; want 39,999", n, err)
	}
	if d := time.Since(began); d > 4*time.Second {
		t.Errorf("took %v", d)
	}
	b.Reset()
	for i := range 2_000 {
		fmt.Fprintf(&b, `{"code":"c%d"},`, i)
	}
	codes := `{"coding":[` + strings.TrimSuffix(b.String(), ",") + `]}`
	_, err = Extract(doc(t, `{"resourceType":"Observation","status":"final","code":`+codes+`,"valueCodeableConcept":`+codes+`}`))
	if outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("four million combinations: %v", err)
	}
	part := strings.Repeat(`{"code":{"coding":[{"code":"a"},{"code":"b"}]},"valueCodeableConcept":{"coding":[{"code":"c"},{"code":"d"}]}},`, 10_000)
	_, err = Extract(doc(t, `{"resourceType":"Observation","status":"final","code":{"text":"x"},"component":[`+strings.TrimSuffix(part, ",")+`]}`))
	if outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("the same combinations again and again: %v", err)
	}
}
