package profile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
	"github.com/ytso/ytso/vn/profile"
)

func services() (*validate.Validator, *term.Service) {
	source := canon.Sources{term.Official(), core.New(), profile.New()}
	terms := term.New(source)
	return validate.New(source, terms), terms
}

func errorsOf(t testing.TB, v *validate.Validator, doc *r4.Doc, profiles ...string) (list []string) {
	t.Helper()
	issues, err := v.Check(t.Context(), doc, validate.Options{Profiles: profiles})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range issues {
		if i.Severity == "error" || i.Severity == "fatal" {
			list = append(list, fmt.Sprintf("%s at %s: %+v", i.Code, i.Expression, i))
		}
	}
	return list
}

// TestDefinitions: what this package says in FHIR is itself valid FHIR.
func TestDefinitions(t *testing.T) {
	v, _ := services()
	s := profile.New()
	check := func(typ, url string) {
		d, err := s.Find(t.Context(), typ, url, "")
		if err != nil || d == nil {
			t.Errorf("%s: %v", url, err)
			return
		}
		for _, e := range errorsOf(t, v, d) {
			t.Errorf("%s: %s", url, e)
		}
	}
	for _, name := range profile.Names() {
		check("StructureDefinition", profile.Profiles+name)
	}
	for _, name := range []string{"dan-toc", "ham-luong", "claim-text", "ket-qua-dtri"} {
		check("StructureDefinition", element.Extension+name)
	}
	for _, name := range law.Names() {
		if shipped, ok := law.Ship(name); !ok || len(shipped.List.Every()) > 200 {
			continue
		}
		check("CodeSystem", element.List+name)
		check("ValueSet", profile.ValueSets+name)
		check("ValueSet", profile.ValueSets+name+profile.All)
	}
	for _, c := range [][3]string{{"ValueSet", element.List + "ma_loai_kcb", ""}, {"CodeSystem", element.List + "nothing", ""}, {"CodeSystem", element.List + "ma_loai_kcb", "1999"}, {"", "urn:ytso:", ""}, {"", "http://hl7.org/fhir/StructureDefinition/Patient", ""}} {
		if d, err := s.Find(t.Context(), c[0], c[1], c[2]); d != nil || err != nil {
			t.Errorf("%v is found", c)
		}
	}
}

// TestDays: the list of the day of the event holds.
func TestDays(t *testing.T) {
	_, terms := services()
	for _, c := range []struct {
		list, day, lang, filter string
		total                   int // -1: none is known
		want                    string
	}{
		{"ma_loai_kcb", "2026-07-31", "", "", 10, ""}, {"ma_loai_kcb", "2026-08-01", "", "", 16, ""}, {"ma_loai_kcb", "", "", "", 16, ""},
		{"vn:provinces_2025", "2025-07-01", "", "", 34, ""}, {"vn:provinces_2025", "2025-06-30", "", "", -1, ""}, {"ma_tinh_062024", "2025-06-30", "", "", 63, ""},
		{"ma_tinh_062024", "2025-07-01", "", "", -1, ""}, {"ma_nhom", "2024-06-30", "", "", 19, ""}, {"ma_nhom", "2024-07-01", "", "", 15, ""},
		{"gioi_tinh", "2026-01-01", "en", "", 3, "Male"}, {"gioi_tinh", "2026-01-01", "vi", "", 3, "Nam"}, {"ma_dantoc", "2026-01-01", "", "xo dang", 1, "Xơ-Đăng"},
		{"vn:communes_2025", "2026-01-01", "", "phuong", -2, ""}, // some
	} {
		x, err := terms.Expand(t.Context(), term.Expand{URL: profile.ValueSets + c.list, At: term.At{Day: c.day, Language: c.lang}, Filter: c.filter, Count: term.NoCount})
		switch {
		case c.total == -1:
			if err == nil {
				t.Errorf("%s on %s: %d codes", c.list, c.day, x.Total)
			}
		case err != nil:
			t.Errorf("%s on %s: %v", c.list, c.day, err)
		case c.total >= 0 && x.Total != c.total, c.total == -2 && x.Total < 100:
			t.Errorf("%s on %s: %d codes, want %d", c.list, c.day, x.Total, c.total)
		case c.want != "" && !strings.Contains(fmt.Sprint(x.Entries), c.want):
			t.Errorf("%s: %v", c.list, x.Entries)
		}
	}
	for _, c := range []struct {
		set, code string
		want      term.Verdict
	}{{"ma_loai_kcb:all", "14", term.Member}, {"ma_dantoc:all", "01", term.Member}, {"ma_dantoc:all", "99", term.NotMember}, {"gioi_tinh:all", "9", term.NotMember}, {"ma_khoa:all", "XX", term.Unknown}} {
		name, _, _ := strings.Cut(c.set, ":")
		if got, err := terms.Member(t.Context(), profile.ValueSets+c.set, term.Code{System: element.List + name, Code: c.code}, false); got != c.want || err != nil {
			t.Errorf("%s %s: %d %v", c.set, c.code, got, err)
		}
	}
}

// TestSupplements: each Vietnamese name is of a code that R4 has, and is what is shown when Vietnamese is asked for.
func TestSupplements(t *testing.T) {
	v, terms := services()
	for _, system := range profile.Supplemented() {
		docs, err := profile.New().Supplements(t.Context(), system)
		if err != nil || len(docs) != 1 {
			t.Fatal(system, err)
		}
		for _, e := range errorsOf(t, v, docs[0]) {
			t.Errorf("%s: %s", system, e)
		}
		for c := range docs[0].Root().Get("concept").Elems() {
			code, want := c.Get("code").Text(), c.Get("designation").At(0).Get("value").Text()
			k, err := terms.Lookup(t.Context(), term.Code{System: system, Code: code}, term.At{Language: "vi"})
			if err != nil || k.Display != want || want == "" {
				t.Errorf("%s %s: %v, want %s", system, code, err, want)
			}
			if k, err := terms.Lookup(t.Context(), term.Code{System: system, Code: code}, term.At{}); err != nil || k.Display == want {
				t.Errorf("%s %s: %v: Vietnamese was not asked for", system, code, err)
			}
		}
	}
	x, err := terms.Expand(t.Context(), term.Expand{URL: "http://hl7.org/fhir/ValueSet/administrative-gender", At: term.At{Language: "vi"}, Filter: "nu", Count: term.NoCount})
	if err != nil || x.Total != 1 || x.Entries[0].Display != "Nữ" {
		t.Errorf("%+v %v", x, err)
	}
}

var profileOf = map[string]string{
	"Patient": "patient", "Encounter": "encounter", "Condition": "condition", "Coverage": "coverage", "MedicationRequest": "medication-request",
	"MedicationDispense": "medication-dispense", "Observation": "observation", "DiagnosticReport": "diagnostic-report", "Procedure": "procedure",
	"ServiceRequest": "service-request", "Claim": "claim",
}

// TestClaimsConform: what the mapping makes of claims without faults conforms to the profiles.
func TestClaimsConform(t *testing.T) {
	v, _ := services()
	ns, err := element.ParseNamespace("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	if err != nil {
		t.Fatal(err)
	}
	mapper, seen, told := fhirmap.New(ns), map[string]int{}, map[string]bool{}
	for f := range synth.New(synth.Options{People: 40}).Files() {
		for _, h := range f.Claim.HOSO {
			visit, err := mapper.Map(h, fhirmap.Source{Facility: string(h.XML1.MA_CSKCB), BlobSHA256: "00aa", Ordinal: 1, Received: time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range append(append([]element.Resource{visit.Patient}, visit.Shared...), visit.Own...) {
				name := profileOf[r.Type]
				if name == "" || seen[r.Type] >= 150 {
					continue
				}
				seen[r.Type]++
				doc, err := r4.Parse(r.Body)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range errorsOf(t, v, doc, profile.Profiles+name) {
					if !told[e] && len(told) < 20 {
						told[e] = true
						t.Errorf("%s: %s\n%s", r.Type, e, r.Body)
					}
				}
			}
		}
	}
	for typ := range profileOf {
		if seen[typ] < 10 {
			t.Errorf("only %d of %s were seen", seen[typ], typ)
		}
	}
}

// TestRefused: each rule of the profiles is broken once.
func TestRefused(t *testing.T) {
	v, _ := services()
	patient := `{"resourceType":"Patient","identifier":[{"system":"` + element.CCCD + `","value":"001090000001"}],"name":[{"text":"Nguyễn Thị Ví Dụ"}],"gender":"female","birthDate":"1990"}`
	encounter := `{"resourceType":"Encounter","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"identifier":[{"system":"` + element.MALK + `","value":"1"}],
"subject":{"reference":"Patient/1"},"type":[{"coding":[{"system":"urn:ytso:code:ma_loai_kcb","code":"01"}]}],"period":{"start":"2026-01-01T08:00:00+07:00"},"serviceProvider":{"identifier":{"system":"` + element.MACSKCB + `","value":"25901"}}}`
	condition := `{"resourceType":"Condition","subject":{"reference":"Patient/1"},"encounter":{"reference":"Encounter/1"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"encounter-diagnosis"}]}],"code":{"coding":[{"system":"` + element.ICD10 + `","code":"E11.9"}]},"recordedDate":"2026-01-01"}`
	organization := `{"resourceType":"Organization","identifier":[{"system":"` + element.MACSKCB + `","value":"25901"}],"name":"Trạm y tế Ví Dụ"}`
	claim := `{"resourceType":"Claim","identifier":[{"system":"` + element.MALK + `","value":"1"}],"status":"active","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"institutional"}]},
"use":"claim","patient":{"reference":"Patient/1"},"billablePeriod":{"start":"2026-01-01"},"created":"2026-01-01","provider":{"identifier":{"system":"` + element.MACSKCB + `","value":"25901"}},
"priority":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/processpriority","code":"normal"}]},"insurance":[{"sequence":1,"focal":true,"coverage":{"reference":"Coverage/1"}}],"total":{"value":1.50,"currency":"VND"}}`
	ethnic := strings.Replace(patient, `"identifier"`, `"extension":[{"url":"`+element.Extension+`dan-toc","valueCodeableConcept":{"coding":[{"system":"`+element.List+`ma_dantoc","code":"01"}]}}],"identifier"`, 1)
	for _, c := range []struct{ name, body, from, to string }{
		{"claim", claim, "", ""}, {"claim", claim, `"VND"`, `"USD"`}, {"claim", claim, `1.50`, `-1`}, {"claim", claim, `"value":"25901"`, `"use":"usual"`}, {"claim", claim, `"billablePeriod":{"start":"2026-01-01"},`, ""},
		{"patient", ethnic, "", ""}, {"patient", ethnic, `"code":"01"`, `"code":"99"`}, {"patient", ethnic, `"valueCodeableConcept":{"coding":[{"system":"` + element.List + `ma_dantoc","code":"01"}]}`, `"valueString":"Kinh"`},
		{"patient", patient, "", ""}, {"encounter", encounter, "", ""}, {"condition", condition, "", ""}, {"organization", organization, "", ""},
		{"patient", patient, `"001090000001"`, `"00109000001"`}, {"patient", patient, element.CCCD, ""}, {"patient", patient, `,"gender":"female"`, ""}, {"patient", patient, `,"birthDate":"1990"`, ""},
		{"patient", patient, `"name":[{"text":"Nguyễn Thị Ví Dụ"}],`, ""}, {"patient", patient, `"text":"Nguyễn Thị Ví Dụ"`, `"use":"official"`},
		{"patient", patient, `"value":"001090000001"}`, `"value":"001090000001"},{"system":"` + element.BHYT + `","value":"DN4"}`},
		{"encounter", encounter, element.MALK, ""}, {"encounter", encounter, `"type":[{"coding":[{"system":"urn:ytso:code:ma_loai_kcb","code":"01"}]}],`, ""},
		{"encounter", encounter, `"period":{"start":"2026-01-01T08:00:00+07:00"},`, ""}, {"encounter", encounter, `"system":"` + element.MACSKCB + `"`, `"system":"urn:x"`},
		{"encounter", encounter, `,"serviceProvider":{"identifier":{"system":"` + element.MACSKCB + `","value":"25901"}}`, ""}, {"encounter", encounter, `"reference":"Patient/1"`, `"display":"x"`},
		{"condition", condition, `E11.9`, `11.9`}, {"condition", condition, `,"recordedDate":"2026-01-01"`, ""}, {"condition", condition, `"encounter":{"reference":"Encounter/1"},`, ""},
		{"organization", organization, `,"name":"Trạm y tế Ví Dụ"`, ""}, {"organization", organization, `25901`, `x`},
	} {
		text := strings.Replace(c.body, c.from, c.to, 1)
		if c.from != "" && !strings.Contains(c.body, c.from) {
			t.Fatalf("%q is not in %s", c.from, c.body)
		}
		if c.from == element.CCCD || c.from == element.MALK { // an identifier without its system
			text = strings.Replace(c.body, `"system":"`+c.from+`",`, "", 1)
		}
		doc, err := r4.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if list := errorsOf(t, v, doc, profile.Profiles+c.name); len(list) > 0 != (c.from != "") {
			t.Errorf("%s, %q for %q: %v", c.name, c.to, c.from, list)
		}
	}
}
