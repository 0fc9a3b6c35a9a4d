package param

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

const ethnic = `{"resourceType":"SearchParameter","url":"http://ytso.vn/fhir/SearchParameter/patient-ethnic","name":"ethnic","status":"active","description":"x","code":"ethnic","base":["Patient"],"type":"token","expression":"Patient.extension.where(url = 'http://ytso.vn/fhir/ethnic').value","multipleOr":false,"multipleAnd":false,"modifier":["not","missing"]}`

// TestWith: a parameter of the server's own is extracted, read, asked, listed, and leaves the official ones as they are.
func TestWith(t *testing.T) {
	pair := `{"resourceType":"SearchParameter","url":"urn:sp:gender-ethnic","name":"x","status":"active","description":"x","code":"gender-ethnic","base":["Patient"],"type":"composite","expression":"Patient",
"component":[{"definition":"http://hl7.org/fhir/SearchParameter/individual-gender","expression":"gender"},{"definition":"http://ytso.vn/fhir/SearchParameter/patient-ethnic","expression":"extension.where(url = 'http://ytso.vn/fhir/ethnic').value"}]}`
	reg, err := Official().With([]*r4.Doc{doc(t, pair), doc(t, ethnic)}) // in any order
	if err != nil {
		t.Fatal(err)
	}
	d := doc(t, `{"resourceType":"Patient","id":"p","gender":"male","extension":[{"url":"http://ytso.vn/fhir/ethnic","valueCoding":{"system":"urn:dt","code":"03","display":"Tày"}}]}`)
	values, err := reg.Extract(d)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]bool{"ethnic=03": true, "ethnic=urn:dt|03": true, "ethnic=01": false, "ethnic:not=01": true, "gender=male": true, "gender-ethnic=male$03": true, "gender-ethnic=female$03": false} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		q, err := reg.Parse("Patient", v, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := reg.Holds(q.Where[0], "Patient", values); err != nil || ok != want {
			t.Errorf("%s: %v %v", query, ok, err)
		}
	}
	for _, v := range []url.Values{{"ethnic": {"01,03"}}, {"ethnic": {"01", "03"}}, {"ethnic:text": {"tay"}}} {
		if _, err := reg.Parse("Patient", v, Options{}); outcome.KindOf(err) != outcome.Invalid {
			t.Errorf("%v: %v", v, err)
		}
	}
	if _, err := Parse("Patient", url.Values{"ethnic": {"03"}}); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("the official ones have no such parameter: %v", err)
	}
	if len(reg.List("Patient")) != len(Official().List("Patient"))+2 {
		t.Errorf("%d and %d parameters", len(reg.List("Patient")), len(Official().List("Patient")))
	}
	changed, err := reg.With([]*r4.Doc{doc(t, strings.NewReplacer(`"multipleOr":false`, `"multipleOr":true`).Replace(ethnic))})
	if err != nil {
		t.Fatal("the same url takes the place of the one before:", err)
	}
	if _, err := changed.Parse("Patient", url.Values{"ethnic": {"01,03"}}, Options{}); err != nil {
		t.Error(err)
	}
	gone, err := Official().With([]*r4.Doc{doc(t, strings.Replace(ethnic, `"active"`, `"retired"`, 1))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gone.Parse("Patient", url.Values{"ethnic": {"03"}}, Options{}); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("a retired parameter: %v", err)
	}
	own, err := Official().With([]*r4.Doc{doc(t, `{"resourceType":"SearchParameter","url":"http://hl7.org/fhir/SearchParameter/individual-gender","status":"active","code":"gender","base":["Patient"],"type":"token","expression":"Patient.gender | Patient.contact.gender"}`)})
	if err != nil {
		t.Fatal("an official parameter may be given anew under its url:", err)
	}
	if values, err = own.Extract(doc(t, `{"resourceType":"Patient","contact":[{"gender":"male"}]}`)); err != nil || len(values) == 0 || values[0].Code != "male" {
		t.Errorf("%+v %v", values, err)
	}
}

// TestWithRefuses names the element that is wrong.
func TestWithRefuses(t *testing.T) {
	for change, at := range map[string]string{
		`"code":"ethnic" → "code":"gender"`:                                                            "base[0]",
		`"code":"ethnic" → "code":"_ethnic"`:                                                           "code",
		`"code":"ethnic" → "code":"a.b"`:                                                               "code",
		`"code":"ethnic" → "code":"a:b"`:                                                               "code",
		`"type":"token" → "type":"tokens"`:                                                             "type",
		`"type":"token" → "type":"special"`:                                                            "type",
		`"type":"token" → "type":"composite"`:                                                          "component",
		`["Patient"] → ["Human"]`:                                                                      "base[0]",
		`"code":"ethnic","base":["Patient"] → "code":"gender","base":["DomainResource"]`:               "base[0]",
		`"expression":"Patient → "expression":"Patient..`:                                              "expression",
		`"expression":"Patient.extension → "expression":"Patient.extensions`:                           "expression",
		`"expression":"Patient.extension → "expression":"frob()`:                                       "expression",
		`"type":"token" → "type":"token","target":["Human"]`:                                           "target[0]",
		`"resourceType":"SearchParameter" → "resourceType":"Basic"`:                                    "resourceType",
		`"url":"http://ytso.vn/fhir/SearchParameter/patient-ethnic", → "id":"x",`:                      "url",
		`"type":"token" → "type":"composite","component":[{"definition":"urn:none","expression":"x"}]`: "component[0].definition",
	} {
		old, fresh, _ := strings.Cut(change, " → ")
		_, err := Official().With([]*r4.Doc{doc(t, strings.Replace(ethnic, old, fresh, 1))})
		if e := outcome.As(err); err == nil || e.Kind != outcome.Value || len(e.Expression) != 1 || e.Expression[0] != "SearchParameter."+at {
			t.Errorf("%s: %v, want %s", change, err, at)
		}
	}
	if _, err := Official().With([]*r4.Doc{doc(t, ethnic), doc(t, ethnic)}); outcome.KindOf(err) != outcome.Value {
		t.Errorf("twice the same url: %v", err)
	}
	if _, err := Official().With([]*r4.Doc{doc(t, ethnic), doc(t, strings.Replace(ethnic, "patient-ethnic", "other", 1))}); outcome.KindOf(err) != outcome.Value {
		t.Errorf("twice the same code: %v", err)
	}
}
