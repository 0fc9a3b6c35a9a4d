package param

import (
	"net/url"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

func parse(t testing.TB, typ, query string) (Query, error) {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(typ, v)
}

// brief writes a clause with its values for the table below.
func (c Clause) brief() string {
	s := c.Param
	if c.HasType != "" {
		s = "has " + c.HasType + "." + s
	}
	if c.Modifier != "" {
		s += ":" + c.Modifier
	}
	if c.Chain != nil {
		return s + ">" + c.ChainType + "(" + c.Chain.brief() + ")"
	}
	for i, m := range c.Values {
		if i > 0 {
			s += " or"
		}
		any := ""
		if m.AnySystem {
			any = "*"
		}
		if m.Parts != nil {
			s += " " + m.Prefix
		}
		for j, p := range m.Parts {
			if j > 0 {
				s += " &"
			}
			c := Clause{Param: p.Value.Param, Kind: p.Value.Kind, Values: []Match{p}}
			s += " " + c.brief()
		}
		if m.Parts == nil {
			s += " " + m.Prefix + any + " " + strings.TrimPrefix(strings.TrimSpace(m.Value.brief()), m.Value.Param+"=")
		}
	}
	return s
}

// TestParse reads what search.html gives as examples of each kind.
func TestParse(t *testing.T) {
	for _, c := range []struct{ typ, query, want string }{
		{"Patient", "identifier=urn:cccd|025080000101", "identifier eq urn:cccd|025080000101"},
		{"Patient", "identifier=025080000101", "identifier eq* |025080000101"},
		{"Patient", "identifier=|025080000101", "identifier eq |025080000101"},
		{"Patient", "identifier:of-type=v2|NI|1234", "identifier:of-type eq |1234  v2|NI"},
		{"Patient", "gender=male,female", "gender eq* |male or eq* |female"},
		{"Patient", `name=a\,b`, "name eq a,b"},
		{"Patient", "name:exact=Ví Dụ", "name:exact eq Ví Dụ"},
		{"Patient", "birthdate=ge1980", "birthdate ge 791231T170000..801231T170000"},
		{"Patient", "_id=a,b", "_id eq* |a or eq* |b"},
		{"Observation", "patient=p1", "patient eq Patient/p1 |"},
		{"Observation", "subject:Patient=p1", "subject:Patient eq Patient/p1 |"},
		{"Observation", "subject=Patient/p1", "subject eq Patient/p1 |"},
		{"Observation", "subject:identifier=urn:a|b", "subject:identifier eq / urn:a|b"},
		{"Observation", "value-quantity=lt5.40|http://unitsofmeasure.org|mg", "value-quantity lt 5.40[5.395,5.405] http://unitsofmeasure.org|mg"},
		{"Observation", "subject:Patient.name=x", "subject>Patient(name eq x)"},
		{"Observation", "patient.general-practitioner:Practitioner.family=x", "patient>Patient(general-practitioner>Practitioner(family eq x))"},
		{"Patient", "_has:Observation:patient:code=1234-5", "has Observation.patient>(code eq* |1234-5)"},
		{"Observation", "code:missing=true", "code:missing eq |"},
		{"Observation", "code-value-quantity=a|b$gt3", "code-value-quantity eq code eq a|b & value-quantity gt* 3[2.5,3.5] |"},
	} {
		q, err := parse(t, c.typ, strings.ReplaceAll(url.PathEscape(c.query), "%3D", "="))
		if err != nil || len(q.Where) != 1 {
			t.Errorf("%s?%s: %v", c.typ, c.query, err)
			continue
		}
		if got := q.Where[0].brief(); got != c.want {
			t.Errorf("%s?%s\n got %s\nwant %s", c.typ, c.query, got, c.want)
		}
	}
	q, err := parse(t, "Encounter", "_sort=-date,_id&_count=20&_total=accurate&_include=Encounter:patient&_revinclude=Observation:encounter&_summary=data")
	if err != nil || len(q.Where) != 0 || q.Count != 20 || len(q.Sort) != 2 || !q.Sort[0].Desc || q.Total != "accurate" || len(q.Includes) != 2 || !q.Includes[1].Reverse || q.Summary != "data" {
		t.Errorf("%+v %v", q, err)
	}
	if q, err := parse(t, "Encounter", "_count=0"); err != nil || q.Summary != "count" {
		t.Errorf("_count=0 asks for the number: %+v %v", q, err)
	}
}

// TestNeverWider: what is not known or not right is an error; nothing is passed over.
func TestNeverWider(t *testing.T) {
	for query, want := range map[string]outcome.Kind{
		"colour=red": outcome.NotSupported, "gender:exactly=male": outcome.Invalid, "birthdate=1/2/1980": outcome.Invalid, "name=": outcome.Invalid,
		"_sort=colour": outcome.NotSupported, "_count=x": outcome.Invalid, "_count=-1": outcome.Invalid, "_total=some": outcome.Invalid, "_summary=x": outcome.Invalid,
		"name.family=x": outcome.Invalid, "_include=Patient": outcome.Invalid, "_include=Patient:name": outcome.Invalid, "_has:Observation:code:status=final": outcome.Invalid,
		"_has:Observation=1": outcome.Invalid, "active:missing=maybe": outcome.Invalid, "link:Group=1": outcome.Invalid, "near=1": outcome.NotSupported,
		"general-practitioner.colour=x": outcome.NotSupported, "gender=" + strings.Repeat("a,", 300) + "a": outcome.Invalid,
	} {
		if _, err := parse(t, "Patient", query); err == nil || outcome.KindOf(err) != want {
			t.Errorf("%.60s: %v, want %s", query, err, want)
		}
	}
	if _, err := Parse("Human", nil); outcome.KindOf(err) != outcome.NotSupported {
		t.Errorf("a type that does not exist: %v", err)
	}
}
