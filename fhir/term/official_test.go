package term

import (
	"slices"
	"testing"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
)

// TestOfficial: every code system and value set of R4 compiles, and those that
// base types bind as required have the codes that package r4 has of them.
func TestOfficial(t *testing.T) {
	table := Official()
	s := New(table)
	count := map[string]int{}
	for _, typ := range []string{"CodeSystem", "ValueSet", "ConceptMap"} {
		list, err := table.List(typ)
		if err != nil {
			t.Fatal(err)
		}
		count[typ] = len(list)
	}
	if count["CodeSystem"] < 1050 || count["ValueSet"] < 1300 || count["ConceptMap"] < 75 {
		t.Errorf("the table holds %v", count)
	}
	sets, _ := table.List("ValueSet")
	unlisted, compared := 0, 0
	for _, canonical := range sets {
		list, complete, err := s.Codes(t.Context(), canonical)
		if err != nil {
			t.Fatalf("%s: %v", canonical, err)
		}
		if !complete {
			unlisted++
		}
		url, _, _ := canon.Split(canonical)
		want := r4.CodesOf(url)
		if want == nil {
			continue
		}
		compared++
		var got, need []string
		for _, c := range list {
			got = append(got, c.Code)
		}
		slices.Sort(got)
		need = want.List()
		slices.Sort(need)
		if got = slices.Compact(got); !slices.Equal(got, need) {
			t.Errorf("%s: %d codes, package r4 has %d", url, len(got), len(need))
		}
	}
	if compared < 200 || unlisted > 260 {
		t.Errorf("%d compared, %d not listed of %d", compared, unlisted, len(sets))
	}
	t.Logf("%d value sets, %d of them need what R4 doesn't hold; %d compared with package r4", len(sets), unlisted, compared)
}

func TestOfficialMember(t *testing.T) {
	s := New(Official())
	const vs, tho = "http://hl7.org/fhir/ValueSet/", "http://terminology.hl7.org/CodeSystem/"
	for _, c := range []struct {
		set, system, code string
		want              Verdict
	}{
		{vs + "administrative-gender", "http://hl7.org/fhir/administrative-gender", "female", Member},
		{vs + "administrative-gender|4.0.1", "http://hl7.org/fhir/administrative-gender", "F", NotMember},
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", tho + "v3-ActCode", "AMB", Member},
		{"http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", tho + "v3-ActCode", "ALC", NotMember},
		{vs + "condition-code", "http://snomed.info/sct", "22298006", Unknown},
		{vs + "currencies", "urn:iso:std:iso:4217", "VND", Member},
		{vs + "mimetypes", "urn:ietf:bcp:13", "application/pdf", Member},
		{vs + "ucum-units", "http://unitsofmeasure.org", "mmol/L", Member},
		{vs + "languages", "urn:ietf:bcp:47", "vi", NotMember}, // of common ones, preferred only
		{vs + "all-languages", "urn:ietf:bcp:47", "vi", Member},
		{vs + "condition-clinical", tho + "condition-clinical", "active", Member},
	} {
		if got, err := s.Member(t.Context(), c.set, Code{System: c.system, Code: c.code}, false); got != c.want || err != nil {
			t.Errorf("%s %s: %d (%v), want %d", c.set, c.code, got, err, c.want)
		}
	}
}
