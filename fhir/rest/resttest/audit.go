package resttest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
)

// rows gives the audit rows as text: action, outcome, entity, detail.
func (s *site) rows(t *testing.T) (list []string) {
	t.Helper()
	err := s.store.View(t.Context(), storetest.All, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), `SELECT action, outcome, entity, detail FROM audit ORDER BY seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var action, outcome, entity, detail string
			if err := rows.Scan(&action, &outcome, &entity, &detail); err != nil {
				return err
			}
			if strings.HasPrefix(action, "fhir.") {
				list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", action, outcome, entity, detail)))
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// audited: each interaction leaves its row, also one that is refused, and none names a person.
func audited(t *testing.T, s *site) {
	s.do(t, "PUT", "Patient/p", patient("p", `"name":[{"family":"Nguyễn"}],"identifier":[{"value":"079123456789"}]`)).want(201)
	s.do(t, "GET", "Patient/p", "").want(200)
	s.do(t, "GET", "Patient/none", "").want(404)
	s.do(t, "GET", "Patient?name=Nguyễn&identifier=079123456789&gender=male&_count=3", "").want(200)
	s.do(t, "GET", "Observation?patient=Patient/p&patient.name=Nguyễn&status=final", "").want(200)
	s.do(t, "POST", "", bundle("batch", [4]string{"GET Patient/p", "", "", ""}, [4]string{"DELETE Patient/x", "", "", ""})).want(200)
	s.do(t, "POST", "", bundle("transaction", [4]string{"PUT Patient/p", "", "", patient("p", `"gender":"male"`)}, [4]string{"GET Patient/p", "", "", ""})).want(200)
	s.do(t, "POST", "Patient", patient("", `"managingOrganization":{"reference":"Organization/none"}`)).want(422)
	s.do(t, "GET", "Patient/p/_history", "").want(200)
	s.do(t, "GET", "Patient/p/_history/1", "").want(200)
	s.do(t, "GET", "Patient/$echo", "").want(200)
	s.do(t, "DELETE", "Patient/p", "").want(204)
	want := []string{
		"fhir.update ok Patient/p", "fhir.read ok Patient/p", "fhir.read not-found Patient/none",
		"fhir.search ok Patient _count=3 gender=male identifier=… name=…", "fhir.search ok Observation patient=Patient/p patient:Patient.name=… status=final",
		"fhir.read ok Patient/p", "fhir.delete ok Patient/x", "fhir.transaction ok  2 entries", "fhir.create business-rule Patient",
		"fhir.history ok Patient/p/_history", "fhir.vread ok Patient/p/_history/1", "fhir.operation ok Patient/$echo", "fhir.delete ok Patient/p",
	}
	got := s.rows(t)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("audit:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
