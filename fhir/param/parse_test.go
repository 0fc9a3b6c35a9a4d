package param

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

// write shows a condition in one line.
func (e *Expr) write() string {
	if e.Clause != nil {
		return e.Clause.brief()
	}
	var parts []string
	for _, p := range e.Parts {
		parts = append(parts, p.write())
	}
	return e.Op + "(" + strings.Join(parts, "; ") + ")"
}

// TestAlternatives: a chain that names no type goes on at each type that has the parameter.
func TestAlternatives(t *testing.T) {
	for query, want := range map[string]string{
		"subject.gender=male":                                                       "", // of Patient alone
		"subject.identifier=x":                                                      "or(subject>Group(identifier eq* |x); subject>Device(identifier eq* |x); subject>Patient(identifier eq* |x); subject>Location(identifier eq* |x))",
		"performer.name=x":                                                          "or(performer>Practitioner(name eq x); performer>Organization(name eq x); performer>Patient(name eq x); performer>RelatedPerson(name eq x))",
		"_has:Provenance:target:agent.name=x":                                       "or(has Provenance.target>(agent>Practitioner(name eq x)); has Provenance.target>(agent>Organization(name eq x)); has Provenance.target>(agent>Patient(name eq x)); has Provenance.target>(agent>RelatedPerson(name eq x)))",
		"encounter.subject.identifier=x":                                            "or(encounter>Encounter(subject>Group(identifier eq* |x)); encounter>Encounter(subject>Patient(identifier eq* |x)))",
		"_filter=subject.name co x":                                                 "and(or(subject>Patient(name:contains eq x); subject>Location(name:contains eq x)))",
		"_filter=subject.identifier eq x and status eq final":                       "and(and(or(subject>Group(identifier eq* |x); subject>Device(identifier eq* |x); subject>Patient(identifier eq* |x); subject>Location(identifier eq* |x)); status eq* |final))",
		"_filter=subject:Patient.name co x":                                         "and(subject>Patient(name:contains eq x))",
		"_filter=subject:Patient[gender eq male].name sw x":                         "and(and(subject>Patient(name:starts eq x); subject>Patient(gender eq* |male)))",
		"_filter=encounter.subject:Patient[not (gender eq male)].birthdate ge 1980": "and(and(encounter>Encounter(subject>Patient(birthdate ge 791231T170000..801231T170000)); not(encounter>Encounter(subject>Patient(gender eq* |male)))))",
	} {
		q, err := parse(t, "Observation", strings.ReplaceAll(url.PathEscape(query), "%3D", "="))
		switch {
		case err != nil:
			t.Errorf("%s: %v", query, err)
		case want == "" && (q.Filter != nil || len(q.Where) != 1):
			t.Errorf("%s: %+v", query, q)
		case want != "" && (q.Filter == nil || q.Filter.write() != want):
			t.Errorf("%s\n got %s\nwant %s", query, q.Filter.write(), want)
		}
	}
}

// TestSystemSearch: over several types a parameter must be known of each and mean the same.
func TestSystemSearch(t *testing.T) {
	for query, want := range map[string]outcome.Kind{
		"_id=x": "", "_tag=x&_lastUpdated=gt2020": "", "_type=Patient,Practitioner&name=x": "", "_type=Patient&gender=male": "",
		"_type=Observation,Encounter&patient=p1&date=2026": "", "_type=Patient,Person&_text=x": "", "_content=x": "",
		"_type=Observation,Encounter&subject.identifier=x": outcome.Invalid, // the references differ
		"name=x":                                    "not-supported",
		"_type=Patient,Observation&name=x":          "not-supported",
		"_type=Patient,Human":                       outcome.Invalid,
		"_type=":                                    outcome.Invalid,
		"_type=Patient&_type=Person":                outcome.Invalid,
		"_type=Patient,Observation&_sort=name":      "not-supported",
		"_type=Patient,Observation&_sort=_id":       "",
		"_sort=-_lastUpdated":                       "",
		"_type=Patient,Practitioner&_elements=name": "",
		"_type=Patient,Observation&_elements=name":  outcome.Invalid,
		"_text=x":                         "not-supported", // Bundle and Binary have none
		"_has:Observation:subject:code=x": "",
		"_type=Patient,Group&_has:Observation:subject:code=x":             "",
		"_type=Patient,Practitioner&_filter=name co x and active eq true": "",
	} {
		q, err := parse(t, "", strings.ReplaceAll(url.PathEscape(query), "%3D", "="))
		if (err == nil) != (want == "") || err != nil && outcome.KindOf(err) != want {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
		if err == nil {
			if again, err := Parse("", q.Self()); err != nil || !reflect.DeepEqual(q, again) {
				t.Errorf("%s: %s: %+v %v", query, q.Self().Encode(), again, err)
			}
		}
	}
	if _, err := parse(t, "Patient", "_type=Patient"); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("_type in a search of one type: %v", err)
	}
}

// TestControls: what says how to answer.
func TestControls(t *testing.T) {
	for query, want := range map[string]outcome.Kind{
		"_contained=false": "", "_contained=true": outcome.NotSupported, "_contained=maybe": outcome.Invalid, "_query=x": outcome.NotSupported,
		"_list=42": "", "_list=List/42": "", "_list=$current-allergies": outcome.NotSupported, "_list=a/b": outcome.Invalid,
		"_count=+5": outcome.Invalid, "_count=5&_count=6": outcome.Invalid, "_summary=true&_summary=text": outcome.Invalid, "_count:max=5": outcome.Invalid, "_sort:asc=name": outcome.Invalid,
		"_elements=name,birthDate": "", "_elements=deceased": "", "_elements=colour": outcome.Invalid, "_elements=name.family": outcome.Invalid, "_elements=": outcome.Invalid,
		"_sort=name,-birthdate": "", "_sort=name,-name": outcome.Invalid, "_sort=": outcome.NotSupported, "_sort=_score": outcome.NotSupported, "_sort=_text": outcome.NotSupported,
		"_include=*": "", "_include=Patient:*": "", "_include:iterate=Patient:general-practitioner:Organization": "", "_include:recurse=Patient:link": outcome.Invalid,
		"_include=Patient:general-practitioner:Patient": outcome.Invalid, "_include=Patient:link:Human": outcome.Invalid, "_include=Human:link": outcome.Invalid, "_include=Patient:link:": outcome.Invalid, "_include=:link": outcome.Invalid,
		"_revinclude=*": outcome.Invalid, "_revinclude=Observation:*": "", "_revinclude=Observation:encounter": outcome.Invalid, "_revinclude:iterate=Observation:encounter": "", "_revinclude=Observation:patient": "",
		"_format=xml&_pretty=true": "", "_containedType=contained&_contained=false": "",
		"_has:Observation:patient:_has:Provenance:target:recorded=2026": "", "_has::patient:code=x": outcome.Invalid, "_has:Observation:patient:": outcome.NotSupported,
		"general-practitioner:Organization.partof.partof.partof.partof.name=x": "", "general-practitioner:Organization.partof.partof.partof.partof.partof.name=x": outcome.Invalid,
		"general-practitioner=" + strings.Repeat("a", 65): outcome.Invalid, "name=" + strings.Repeat("a", 20000): outcome.Invalid,
		"organization=x": "", "link=x": "", "link=Patient/x": "", "link=x y": outcome.Invalid,
	} {
		q, err := parse(t, "Patient", strings.ReplaceAll(url.PathEscape(query), "%3D", "="))
		if (err == nil) != (want == "") || err != nil && outcome.KindOf(err) != want {
			t.Errorf("%.80s: %v, want %q", query, err, want)
		}
		if err == nil {
			if again, err := Parse("Patient", q.Self()); err != nil || !reflect.DeepEqual(q, again) {
				t.Errorf("%s: %s:\n%+v\n%+v %v", query, q.Self().Encode(), q, again, err)
			}
		}
	}
	many := url.Values{}
	for i := range 101 {
		many.Add("name", fmt.Sprint("a", i))
	}
	if _, err := Parse("Patient", many); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("101 parameters: %v", err)
	}
	if q, err := parse(t, "Patient", "_count=0&_summary=true"); err != nil || q.Summary != "count" {
		t.Errorf("nothing but the count: %+v %v", q, err)
	}
	if q, err := parse(t, "Patient", "_count=99999"); err != nil || q.Self().Get("_count") != "1000" {
		t.Errorf("the self link says the page that is given: %+v %v", q, err)
	}
	if q, err := parse(t, "Provenance", "_include=Provenance:*"); err != nil || len(q.Includes) != 5 || len(q.Self()["_include"]) != 1 {
		t.Errorf("%+v %v", q.Includes, err)
	}
	for query, want := range map[string]string{
		"subject=p1":                       "subject=Group%2Fp1%2CDevice%2Fp1%2CPatient%2Fp1%2CLocation%2Fp1",
		"patient=p1&_count=5&_pretty=true": "_count=5&patient=Patient%2Fp1",
		"date=ap2026-03-10&code=a":         "code=a&date=ap2026-03-10",
		"value-quantity=eq5.40||mg":        "value-quantity=5.40%7C%7Cmg",
		`value-string=a\,b,c`:              "value-string=a%5C%2Cb%2Cc",
		"code-value-quantity=a$gt3":        "code-value-quantity=a%24gt3",
	} {
		q, err := parse(t, "Observation", query)
		if err != nil || q.Self().Encode() != want {
			t.Errorf("%s: %s %v", query, q.Self().Encode(), err)
		}
	}
}

// TestLenient leaves out what is not known, and nothing else.
func TestLenient(t *testing.T) {
	read := func(typ, query string) (Query, error) {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		return Official().Parse(typ, v, Options{Lenient: true})
	}
	q, err := read("Patient", "colour=red&colour=blue&shape:exact=x&gender=male&size.width=3")
	if err != nil || len(q.Where) != 1 || !slices.Equal(q.Ignored, []string{"colour", "shape:exact", "size.width"}) || q.Self().Encode() != "gender=male" {
		t.Errorf("%+v %v", q, err)
	}
	if q, err := read("", "_type=Patient,Observation&name=x&_id=1"); err != nil || len(q.Where) != 1 || len(q.Ignored) != 1 {
		t.Errorf("%+v %v", q, err)
	}
	for _, query := range []string{"birthdate=soon", "gender:exactly=male", "general-practitioner:Organization.colour=x", "_count=x", "_sort=colour", "_include=Patient:colour", "_has:Observation:patient:colour=x", "_filter=colour eq red", "near=1", "_summary=x"} {
		if q, err := read("Patient", query); query != "near=1" && err == nil {
			t.Errorf("%s: %+v", query, q)
		}
	}
}

// TestBase: a reference below an address of the server is one of its resources.
func TestBase(t *testing.T) {
	o := Options{Base: []string{"https://a.example/fhir/"}}
	for text, want := range map[string]string{
		"https://a.example/fhir/Patient/1": "Patient/1", "https://b.example/fhir/Patient/1": "https://b.example/fhir/Patient/1", "https://a.example/fhir/x/Patient/1": "https://a.example/fhir/x/Patient/1",
	} {
		q, err := Official().Parse("Observation", url.Values{"subject": {text}}, o)
		if err != nil || q.Self().Get("subject") != want {
			t.Errorf("%s: %s %v", text, q.Self().Get("subject"), err)
		}
	}
	q, err := Official().Parse("Observation", url.Values{"date": {"2026-03-10T08:00:00 07:00"}}, o)
	if err != nil || q.Where[0].Values[0].Value.Text != "2026-03-10T08:00:00+07:00" {
		t.Errorf("a plus that became a blank: %+v %v", q, err)
	}
}

// TestEach visits every clause, and what it changes is changed.
func TestEach(t *testing.T) {
	v := url.Values{"code:in": {"urn:vs"}, "subject:Patient.gender:not": {"male"}, "_filter": {"not (category in urn:vs2) and encounter.class eq x"}, "_has:Provenance:target:agent": {"Practitioner/x"}}
	q, err := Parse("Observation", v)
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	err = q.Each(func(c *Clause) error {
		seen = append(seen, c.Param)
		if c.Modifier == "in" {
			c.Modifier, c.Values = "", []Match{{Prefix: "eq", AnySystem: true, Value: Value{Param: c.Param, Kind: Token, Code: "expanded"}}}
		}
		return nil
	})
	slices.Sort(seen)
	if err != nil || strings.Join(seen, " ") != "agent category class code encounter gender subject target" {
		t.Errorf("%v %v", seen, err)
	}
	if q.Where[1].Values[0].Value.Code != "expanded" || !strings.Contains(q.Filter.write(), "category eq* |expanded") {
		t.Errorf("%+v %s", q.Where, q.Filter.write())
	}
	stop := outcome.New(outcome.NotSupported, "x", "x", "x")
	if err := q.Each(func(*Clause) error { return stop }); err != stop {
		t.Error(err)
	}
}

// TestLists: what a CapabilityStatement says of each type is what can be asked.
func TestLists(t *testing.T) {
	n := 0
	for _, i := range Official().List("Observation") {
		n++
		for _, m := range i.Modifiers {
			text := map[string]string{"missing": "true", "of-type": "a|b|c", "identifier": "a|b"}[m]
			if i.Code == "_id" {
				text = "a"
			}
			if text == "" {
				text = "http://x.example/y"
			}
			if _, err := Parse("Observation", url.Values{i.Code + ":" + m: {text}}); err != nil {
				t.Errorf("%s:%s: %v", i.Code, m, err)
			}
		}
	}
	if n < 45 || Official().List("Human") != nil {
		t.Errorf("%d parameters", n)
	}
	if list := Official().List(""); len(list) != 7 {
		t.Errorf("of every resource: %+v", list)
	}
}

// FuzzParse: no query is a panic, and what is read is written so that it is read the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"name=x&birthdate=ge1980", "_filter=name co x and not (gender eq male)", "general-practitioner.name=x", "_has:Observation:patient:code=a|b", "identifier:of-type=a|b|c",
		`name=a\,b,c\\`, "_include=Patient:*&_sort=-name&_count=0", "_lastUpdated=ap2026-01&_id=1", "_content=\"a b\" c", "link=Patient/1&organization:identifier=a|b", "_profile:below=http://x/"} {
		f.Add("Patient", s)
	}
	f.Add("Observation", "value-quantity=ap5.4|http://unitsofmeasure.org|mg&code-value-quantity=a$lt3e-5")
	f.Add("Location", "near=1|2|3|km")
	f.Add("", "_type=Patient,Group&_id=x")
	f.Fuzz(func(t *testing.T, typ, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := Official().Parse(typ, v, Options{Now: noon})
		if err != nil {
			if outcome.KindOf(err) == outcome.Exception {
				t.Fatal(err)
			}
			return
		}
		again, err := Official().Parse(typ, q.Self(), Options{Now: noon})
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%s\n%s\n%+v\n%+v\n%v", query, q.Self().Encode(), q, again, err)
		}
	})
}

// FuzzFilter: no filter is a panic or an error without a kind.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{`name co "pet"`, `subject:Patient[gender eq male and (active eq true)].name sw "a\u0301"`, "not(code eq a|b)", "characteristic[code eq a].value eq b", "a eq b or c eq d and e pr true"} {
		f.Add(s)
	}
	d := doc(f, hba1c)
	values, err := Extract(d)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, filter string) {
		q, err := Official().Parse("Observation", url.Values{"_filter": {filter}}, Options{Now: noon})
		if err == nil {
			_, err = Official().Meets(q, d, Meta{ID: "o", Updated: noon}, values)
		}
		if err != nil && outcome.KindOf(err) == outcome.Exception {
			t.Fatal(err)
		}
	})
}
