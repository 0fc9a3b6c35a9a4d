package trust

import (
	"context"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

type fixedPersons []string

func (f fixedPersons) Expand(context.Context, string) ([]string, error) { return f, nil }

// The issue: citizen reads only; sender writes, deletes nothing; staff look;
// department sees visits and persons, no findings; admin nobody's data; an unknown type nobody.
func TestPolicyRoleTypeAct(t *testing.T) {
	const r, s, c, u, d, h = store.CanRead, store.CanSearch, store.CanCreate, store.CanUpdate, store.CanDelete, store.CanHistory
	for _, tt := range []struct {
		role, purpose string
		types         []string
		want          store.Acts
	}{
		{RoleCitizen, OwnRequest, []string{"Patient", "Observation", "Claim", "Composition"}, r | s | h},
		{RoleMachine, Payment, []string{"Patient", "Claim"}, r | s | h | c | u},
		{RoleHospital, Payment, []string{"Patient", "Claim"}, r | s | h},
		{RoleStation, Treatment, []string{"Encounter"}, r | s | h},
		{RoleDoctor, Treatment, []string{"Condition"}, r | s | h},
		{RoleDepartment, Operations, []string{"Patient", "Encounter", "Organization"}, r | s},
		{RoleDepartment, Operations, []string{"Condition", "Observation", "Composition", "MedicationRequest", "Claim"}, 0},
		{RoleAdmin, SysAdmin, []string{"Patient", "Encounter", "Claim"}, 0},
		{RoleCitizen, OwnRequest, []string{"AuditEvent"}, r | s},
		{RoleMachine, Payment, []string{"AuditEvent"}, r | s},
		{RoleHospital, Treatment, []string{"AuditEvent"}, 0},
		{RoleStation, Treatment, []string{"AuditEvent"}, 0},
		{RoleDoctor, Treatment, []string{"AuditEvent"}, 0},
		{RoleDepartment, Operations, []string{"AuditEvent"}, 0},
		{RoleAdmin, SysAdmin, []string{"AuditEvent"}, 0},
		{RoleCitizen, OwnRequest, []string{"Binary", "Subscription", "Newcomer"}, 0},
		{RoleMachine, Payment, []string{"Binary", "Newcomer"}, 0},
	} {
		ctx := With(t.Context(), Principal{Agent: store.Agent{ID: "g", Role: tt.role, Facility: "01001"}})
		a, err := NewGate(fixedPersons{"g", "s1"}).Access(ctx, tt.purpose)
		if err != nil {
			t.Fatalf("%s %s: %v", tt.role, tt.purpose, err)
		}
		for _, typ := range tt.types {
			for _, act := range []store.Acts{r, s, c, u, d, h} {
				if got, want := a.Filter.May(typ, act), tt.want&act != 0; got != want {
					t.Errorf("%s %s act %06b: %v, want %v", tt.role, typ, act, got, want)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	gate := NewGate(fixedPersons{"g"})
	if _, err := gate.Access(t.Context(), Treatment); outcome.KindOf(err) != outcome.Login {
		t.Errorf("nobody signed in: %v", err)
	}
	for _, tt := range []struct {
		p       Principal
		purpose string
	}{
		{Principal{Agent: store.Agent{ID: "g", Role: RoleCitizen}}, Treatment},
		{Principal{Agent: store.Agent{ID: "x", Role: RoleDoctor, Facility: "01001"}}, Emergency},
		{Principal{Agent: store.Agent{ID: "x", Role: RoleDoctor}}, Treatment}, // no facility
		{Principal{Agent: store.Agent{ID: "x", Role: "operator-token"}}, SysAdmin},
		{Principal{Agent: store.Agent{ID: "x", Role: "newcomer"}}, Treatment},
		{Principal{Agent: store.Agent{ID: "x", Role: RoleMachine, Facility: "01001"}, Scopes: []string{"user/*.cruds"}}, Payment},
	} {
		if _, err := gate.Access(With(t.Context(), tt.p), tt.purpose); outcome.KindOf(err) != outcome.Forbidden {
			t.Errorf("%+v for %s: %v", tt.p, tt.purpose, err)
		}
	}
}
