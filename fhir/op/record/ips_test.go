package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
)

func newValidator() *validate.Validator {
	source := canon.Sources{core.New(), ips.New(), term.Official()}
	return validate.New(source, term.New(source))
}

// conforms checks a document, against profiles too, and gives its errors.
func conforms(t testing.TB, v *validate.Validator, body []byte, profiles ...string) (errors []string) {
	t.Helper()
	doc, err := r4.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	issues, err := v.Check(t.Context(), doc, validate.Options{Profiles: profiles, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range issues {
		if i.Severity == validate.Error {
			errors = append(errors, fmt.Sprintf("%s %s: %s", i.Key, i.Expression, i.EN))
		}
	}
	return errors
}

// profileOf is the profile that the IPS has for a resource of a summary.
func profileOf(n r4.Node) string {
	coded := func(member, code string) bool {
		return strings.Contains(string(n.Get(member).Raw()), `"`+code+`"`)
	}
	switch typ := n.Get("resourceType").Text(); typ {
	case "Observation":
		for _, p := range [][3]string{
			{"category", "laboratory", ips.Base + "Observation-results-laboratory-pathology-uv-ips"}, {"category", "imaging", ips.Base + "Observation-results-radiology-uv-ips"},
			{"category", "vital-signs", "http://hl7.org/fhir/StructureDefinition/vitalsigns"}, {"code", "72166-2", ips.Base + "Observation-tobaccouse-uv-ips"},
			{"code", "74013-4", ips.Base + "Observation-alcoholuse-uv-ips"}, {"code", "82810-3", ips.Base + "Observation-pregnancy-status-uv-ips"},
			{"code", "11636-8", ips.Base + "Observation-pregnancy-outcome-uv-ips"},
		} {
			if coded(p[0], p[1]) {
				return p[2]
			}
		}
		return ""
	case "Flag":
		return ips.Base + "Flag-alert-uv-ips"
	case "CarePlan", "ClinicalImpression", "Consent", "ImmunizationRecommendation":
		return ""
	case "Device":
		if !n.Get("type").Exists() {
			return "" // the author
		}
		fallthrough
	default:
		return ips.Base + typ + "-uv-ips"
	}
}

// conformsWhole checks a summary, and each of its resources by the profile of the IPS.
func conformsWhole(t testing.TB, v *validate.Validator, body []byte) []string {
	t.Helper()
	errors := conforms(t, v, body, ips.Bundle)
	doc, err := r4.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	for e := range doc.Root().Get("entry").Elems() {
		n := e.Get("resource")
		if p := profileOf(n); p != "" {
			errors = append(errors, conforms(t, v, n.Raw(), p)...)
		}
	}
	return errors
}

// TestSummaryConforms: what $summary makes is valid, and so by the profiles of
// the IPS, for every record of the golden files; and the check is not blind.
func TestSummaryConforms(t *testing.T) {
	v := newValidator()
	harmed := 0
	for file, call := range map[string]string{"summary": "summary", "summary-empty": "summary", "summary-whole": "summary", "summary-visits": "sections"} {
		for name, body := range answers(t, file, call) {
			if errors := conformsWhole(t, v, body); errors != nil {
				t.Errorf("%s %s:\n%s", file, name, strings.Join(errors, "\n"))
			}
			throughXML(t, body)
			for cut, with := range map[string]string{
				`"11450-4"`: `"11450-5"`, `"emptyReason"`: `"orderedBy"`, `"_birthDate"`: `"_gender"`, `"_performedDateTime"`: `"_status"`, `"performer":[{"reference"`: `"focus":[{"reference"`,
			} {
				broken := strings.ReplaceAll(string(body), cut, with)
				if broken == string(body) {
					continue
				}
				harmed++
				if conformsWhole(t, v, []byte(broken)) == nil {
					t.Errorf("%s %s: without %s it still conforms", file, name, cut)
				}
			}
		}
	}
	if harmed < 8 {
		t.Errorf("only %d documents were harmed", harmed)
	}
}

// TestDocumentConforms: what $document makes meets the rules of a document.
func TestDocumentConforms(t *testing.T) {
	for name, body := range answers(t, "document", "made", "persist") {
		if errors := conforms(t, newValidator(), body); errors != nil {
			t.Errorf("%s:\n%s", name, strings.Join(errors, "\n"))
		}
	}
}

// throughXML writes a resource as XML and reads it back: the narratives stand that as well.
func throughXML(t testing.TB, body []byte) {
	t.Helper()
	doc, err := r4.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	xml, err := doc.AppendXML(nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := r4.ParseXML(xml)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.AppendXML(nil)
	if err != nil || string(again) != string(xml) || back.Root().Get("entry").Len() != doc.Root().Get("entry").Len() {
		t.Errorf("through XML: %v, %d bytes and %d", err, len(xml), len(again))
	}
}
