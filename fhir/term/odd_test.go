package term

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// TestManyImports: sets that each import the next one twice would take 2^30 steps; the work is bounded.
func TestManyImports(t *testing.T) {
	texts := []string{animals, valueSet("urn:vs:30", `"include":[{"system":"urn:a","concept":[{"code":"nothing"}]}]`)}
	for i := range 30 {
		texts = append(texts, valueSet(fmt.Sprintf("urn:vs:%d", i), fmt.Sprintf(`"include":[{"valueSet":["urn:vs:%d"]},{"valueSet":["urn:vs:%d"]}]`, i+1, i+1)))
	}
	s := New(source(t, texts...))
	if _, err := s.Member(t.Context(), "urn:vs:0", Code{System: "urn:a", Code: "dog"}, false); outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("member: %v", err)
	}
	if _, err := s.Expand(t.Context(), Expand{URL: "urn:vs:0", Count: NoCount}); outcome.KindOf(err) != outcome.TooCostly {
		t.Errorf("expand: %v", err)
	}
	if got, err := s.Member(t.Context(), "urn:vs:20", Code{System: "urn:a", Code: "dog"}, false); got != NotMember || err != nil {
		t.Errorf("ten sets deep: %d %v", got, err)
	}
}

// TestStoredExpansion: a set that has nothing but an expansion is answered from
// it, when it is whole; one with a definition asks it where the definition can't be worked out.
func TestStoredExpansion(t *testing.T) {
	set := func(name, more, expansion string) string {
		return `{"resourceType":"ValueSet","url":"urn:x:` + name + `","status":"active",` + more + `"expansion":{"timestamp":"2026-01-01",` + expansion +
			`"contains":[{"system":"urn:s","code":"a","contains":[{"system":"urn:s","code":"b","display":"Bê"}]},{"abstract":true,"display":"nhóm"}]}}`
	}
	snomed := `"compose":{"include":[{"system":"http://snomed.info/sct","filter":[{"property":"concept","op":"is-a","value":"1"}]}]},`
	s := New(source(t, set("whole", "", ""), set("total", "", `"total":3,`), set("page", "", `"total":9,"offset":0,`), set("more", "", `"offset":2,`),
		set("filtered", "", `"parameter":[{"name":"filter","valueString":"x"}],`),
		set("open", "", `"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/valueset-unclosed","valueBoolean":true}],`), set("snomed", snomed, "")))
	for name, absent := range map[string]Verdict{"whole": NotMember, "total": NotMember, "page": Unknown, "more": Unknown, "filtered": Unknown, "open": Unknown, "snomed": NotMember} {
		for code, want := range map[string]Verdict{"a": Member, "b": Member, "c": absent} {
			got, err := s.Member(t.Context(), "urn:x:"+name, Code{System: "urn:s", Code: code}, false)
			if name == "snomed" { // its definition says that urn:s is no part of it, whatever was listed
				want = NotMember
			}
			if got != want || err != nil {
				t.Errorf("%s %s: %d %v, want %d", name, code, got, err, want)
			}
		}
		x, err := s.Expand(t.Context(), Expand{URL: "urn:x:" + name, Count: NoCount})
		if (err == nil) != (name == "whole" || name == "total") {
			t.Errorf("%s: %+v %v", name, x, err)
		}
		if err == nil && (x.Total != 2 || x.Entries[1].Display != "Bê") {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// TestTranslateOn: what a map doesn't have is as its group says: kept, fixed, or of another map; a circle of maps ends.
func TestTranslateOn(t *testing.T) {
	m := func(name, unmapped string) string {
		return `{"resourceType":"ConceptMap","url":"urn:m:` + name + `","status":"active","group":[{"source":"urn:s","target":"urn:t","element":[{"code":"` + name + `","target":[{"code":"T` + name + `","equivalence":"equal"}]}],"unmapped":` + unmapped + `}]}`
	}
	s := New(source(t, m("kept", `{"mode":"provided"}`), m("fixed", `{"mode":"fixed","code":"X"}`), m("on", `{"mode":"other-map","url":"urn:m:kept"}`),
		m("round", `{"mode":"other-map","url":"urn:m:round"}`), m("lost", `{"mode":"other-map","url":"urn:m:nowhere"}`),
		`{"resourceType":"ValueSet","url":"urn:only","status":"active","compose":{"include":[{"system":"urn:t","concept":[{"code":"q"}]}]}}`))
	for _, c := range []struct{ name, code, target, want string }{
		{"kept", "kept", "", "Tkept"}, {"kept", "q", "", "q"}, {"kept", "kept", "urn:only", ""}, {"kept", "q", "urn:only", "q"}, {"fixed", "q", "", "X"},
		{"on", "on", "", "Ton"}, {"on", "kept", "", "Tkept"}, {"on", "q", "", "q"}, {"round", "q", "", "business-rule"}, {"lost", "q", "", "not-found"},
	} {
		list, err := s.Translate(t.Context(), Translate{URL: "urn:m:" + c.name, Codes: []Code{{System: "urn:s", Code: c.code}}, Target: c.target})
		got := ""
		if err != nil {
			got = string(outcome.KindOf(err))
		} else if len(list) > 0 {
			got = list[0].Code.Code
		}
		if got != c.want {
			t.Errorf("%+v: %q (%v)", c, got, err)
		}
	}
}

// TestCase: codes of a system in which case doesn't matter, and a code that stands twice.
func TestCase(t *testing.T) {
	s := New(source(t, `{"resourceType":"CodeSystem","url":"urn:i","status":"active","content":"complete","caseSensitive":false,"concept":[{"code":"Abc","display":"Một"},{"code":"ABC","display":"Hai"}]}`,
		valueSet("urn:i:all", `"include":[{"system":"urn:i"}]`), valueSet("urn:i:list", `"include":[{"system":"urn:i","concept":[{"code":"Abc"}]}]`)))
	for _, set := range []string{"urn:i:all", "urn:i:list"} {
		if got, err := s.Member(t.Context(), set, Code{System: "urn:i", Code: "aBC"}, false); got != Member || err != nil {
			t.Errorf("%s: %d %v", set, got, err)
		}
	}
	if k, err := s.Lookup(t.Context(), Code{System: "urn:i", Code: "abc"}, At{}); err != nil || k.Display != "Một" || k.Code.Code != "Abc" {
		t.Errorf("%+v %v", k, err)
	}
}

// dated is a Source that has another edition of urn:a up to 2020.
type dated struct {
	*defs
	old *r4.Doc
}

// FindOn is described at Dated.
func (d *dated) FindOn(_ context.Context, typ, url, day string) (*r4.Doc, error) {
	if typ == "CodeSystem" && url == "urn:a" && day < "2020" {
		return d.old, nil
	}
	return nil, nil
}

// TestLockedDate: a set with a locked date is of the systems of that day, or of none when it isn't known what they were.
func TestLockedDate(t *testing.T) {
	src := &dated{defs: source(t, animals, valueSet("urn:old", `"lockedDate":"2019-05-01","include":[{"system":"urn:a"}]`), valueSet("urn:lost", `"lockedDate":"2021-05-01","include":[{"system":"urn:a"}]`))}
	var err error
	if src.old, err = r4.Parse([]byte(`{"resourceType":"CodeSystem","url":"urn:a","version":"0","status":"active","content":"complete","concept":[{"code":"mammoth"}]}`)); err != nil {
		t.Fatal(err)
	}
	s := New(src)
	for _, c := range []struct {
		set, code string
		want      Verdict
	}{{"urn:old", "mammoth", Member}, {"urn:old", "dog", NotMember}, {"urn:lost", "dog", Unknown}} {
		if got, err := s.Member(t.Context(), c.set, Code{System: "urn:a", Code: c.code}, false); got != c.want || err != nil {
			t.Errorf("%+v: %d %v", c, got, err)
		}
	}
	if x, err := s.Expand(t.Context(), Expand{URL: "urn:old", Count: NoCount}); err != nil || x.Total != 1 || x.Entries[0].Code.Code != "mammoth" {
		t.Errorf("%+v %v", x, err)
	}
	if _, err := s.Expand(t.Context(), Expand{URL: "urn:lost", Count: NoCount}); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("of a day that nobody knows: %v", err)
	}
	if list, complete, err := s.Codes(t.Context(), "urn:lost"); len(list) > 0 || complete || err != nil {
		t.Errorf("%v %v %v", list, complete, err)
	}
}

// TestCountries: ISO 3166 is known as far as R4 lists it.
func TestCountries(t *testing.T) {
	s := New(Official())
	for code, want := range map[string]Verdict{"VN": Member, "VNM": Unknown, "XX": Unknown} {
		if got, err := s.Member(t.Context(), "http://hl7.org/fhir/ValueSet/jurisdiction", Code{System: "urn:iso:std:iso:3166", Code: code}, false); got != want || err != nil {
			t.Errorf("%s: %d %v", code, got, err)
		}
	}
}

// FuzzSet: whatever a client calls a value set or a code system, asking it neither panics nor goes on for ever.
func FuzzSet(f *testing.F) {
	f.Add(valueSet("urn:vs", filtered("concept", "is-a", "animal")), "dog")
	f.Add(valueSet("urn:vs", `"include":[{"valueSet":["urn:vs"]}],"exclude":[{"system":"urn:a","concept":[{"code":"a"}]}]`), "")
	f.Add(animals, "dog")
	f.Add(`{"resourceType":"ValueSet","url":"urn:vs","expansion":{"contains":[{"code":"a","contains":[{"code":"b"}]}]}}`, "a")
	f.Add(valueSet("urn:vs", filtered("code", "regex", `(a|b)*c{1000}`)), "abc")
	base, err := r4.Parse([]byte(animals))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		doc, err := r4.Parse([]byte(text))
		if err != nil {
			return
		}
		s := New(&defs{docs: []*r4.Doc{base, doc}})
		q := Check{Codes: []Code{{System: "urn:a", Code: code}, {System: doc.Root().Get("url").Text(), Code: code}}}
		x, err := s.Expand(t.Context(), Expand{Inline: doc.Root(), Count: 10, Filter: code})
		if err == nil && len(x.Entries) > min(10, x.Total) {
			t.Errorf("%d entries of %d", len(x.Entries), x.Total)
		}
		for _, fault := range []error{err, second(s.ValidateInSet(t.Context(), "", doc.Root(), q)), second(s.ValidateInSystem(t.Context(), "", "", doc.Root(), q)),
			second(s.Translate(t.Context(), Translate{Inline: doc.Root(), Codes: q.Codes}))} {
			if fault != nil && outcome.KindOf(fault) == outcome.Exception {
				t.Errorf("%v of %s", fault, strings.ToValidUTF8(text, "?"))
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }
