package trust

import (
	"slices"

	"github.com/ytso/ytso/fhir/store"
)

// The policy table. A rule lets a role do some acts on some types for some
// purposes; nothing else is allowed. What is not written here is refused.
//
// Law: Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15 (health data is sensitive; the
// person's own right to see it), Luật Khám bệnh, chữa bệnh 15/2023/QH15 điều
// 10 and 69 (the patient's right to the record; who may use it and what for).

// reach says whose resources of the allowed types are visible.
type reach uint8

const (
	nobody      reach = iota // no resource of any person
	ownPerson                // the golden Patient of who signed in, with its linked source records
	ownFacility              // records of the facility of who signed in
	everyRecord              // all
)

// Acts used by the table.
const (
	look  = store.CanRead | store.CanSearch | store.CanHistory
	find  = store.CanRead | store.CanSearch
	write = store.CanCreate | store.CanUpdate
)

// rule is one line of the policy.
type rule struct {
	types []string // resource types; classes are written out by typesOf
	acts  store.Acts
}

// policy is everything one role may do.
type policy struct {
	right    string   // its name in the audit log
	purposes []string // HL7 v3 PurposeOfUse; a call for another purpose is refused
	reach    reach
	rules    []rule
}

// policies by role.
//
//   - A citizen looks at the own book and at the registers that explain it, and writes nothing.
//   - A machine account is a hospital's sender: it writes and reads what belongs to its facility, and deletes nothing
//     but its facility's Subscriptions. Of the machinery it has these alone: they tell its own system of its own
//     facility's records, go only where the operator allows, and are delivered under its right as it is then.
//   - Staff of a hospital, a doctor and a station look at the records of their own facility. Records of the same person
//     at other facilities need the person's consent or an emergency, which are not built yet and so are refused.
//   - The department makes figures: visits and persons, not what was found in them. The store cannot yet leave out
//     records by security label, so clinical types, which hold HIV, mental and reproductive health among the rest, are closed to it.
//   - The audit log is looked at by the citizen (who looked at my book), a facility's machine (its own agents) and the
//     operator's token; by nobody else yet, and written by nobody (internal/trust/audit says what of a row each sees).
//   - An administrator runs the server and sees nobody's data.
var policies = map[string]policy{
	RoleCitizen: {
		right: "citizen.own-book", purposes: []string{OwnRequest}, reach: ownPerson,
		rules: []rule{{typesOf(aboutPerson), look}, {typesOf(register, definition, journal), find}},
	},
	RoleMachine: {
		right: "machine.own-facility", purposes: []string{Payment, Treatment}, reach: ownFacility,
		rules: []rule{{typesOf(aboutPerson), look | write}, {typesOf(register, definition, journal), find}, {[]string{"Subscription"}, store.Everything}},
	},
	RoleHospital: {
		right: "hospital.own-facility", purposes: []string{Treatment, Payment, Operations}, reach: ownFacility,
		rules: []rule{{typesOf(aboutPerson), look}, {typesOf(register, definition), find}},
	},
	RoleStation: {
		right: "station.own-facility", purposes: []string{Treatment, Operations}, reach: ownFacility,
		rules: []rule{{typesOf(aboutPerson), look}, {typesOf(register, definition), find}},
	},
	RoleDoctor: {
		right: "doctor.own-facility", purposes: []string{Treatment}, reach: ownFacility,
		rules: []rule{{typesOf(aboutPerson), look}, {typesOf(register, definition), find}},
	},
	RoleDepartment: {
		right: "department.figures", purposes: []string{Operations}, reach: everyRecord,
		rules: []rule{{[]string{"Patient", "Encounter"}, find}, {typesOf(register, definition), find}},
	},
	RoleAdmin: {
		right: "admin.server", purposes: []string{SysAdmin}, reach: nobody,
		rules: []rule{{typesOf(register, definition), find}},
	},
	operatorToken: {
		right: "operator.token", purposes: []string{Treatment, Payment, Operations, SysAdmin}, reach: everyRecord,
		rules: []rule{{typesOf(aboutPerson, register, definition, machinery), store.Everything}, {typesOf(journal), find}},
	},
}

// operatorToken is the policy of a bearer token without a facility. It is made
// with the machine's key file, whose holder has the whole data directory
// anyway; its scopes narrow it. It is no role that a person can sign in with.
const operatorToken = "operator-token"

// policyFor picks the policy of a principal.
func policyFor(p Principal) (policy, bool) {
	role := p.Agent.Role
	if role == RoleMachine && p.Agent.Kind == store.System && p.Scopes != nil && p.Agent.Facility == "" {
		role = operatorToken
	} else if role == operatorToken {
		return policy{}, false
	}
	pol, ok := policies[role]
	return pol, ok
}

// admits says whether the policy knows the purpose.
func (p policy) admits(purpose string) bool { return slices.Contains(p.purposes, purpose) }

// types compiles the rules: acts by type. A scope list, when there is one, only takes away.
func (p policy) types(scopes []Scope, scoped bool) map[string]store.Acts {
	t := make(map[string]store.Acts)
	for _, r := range p.rules {
		for _, name := range r.types {
			acts := r.acts
			if scoped {
				acts &= actsOf(scopes, name)
			}
			if acts != 0 {
				t[name] |= acts
			}
		}
	}
	return t
}
