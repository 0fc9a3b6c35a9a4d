// Package trust answers who it is, what they may do, and keeps the proof. It
// is the only maker of store.Access; see Gate.
package trust

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/store"
)

// Roles that the first policy table knows.
const (
	RoleCitizen    = "citizen"
	RoleDoctor     = "doctor"
	RoleStation    = "station"
	RoleHospital   = "hospital"
	RoleDepartment = "department"
	RoleAdmin      = "admin"
	RoleMachine    = "machine"
)

// Principal is who a request comes from, proved by a session, a token or a machine account.
type Principal struct {
	Agent   store.Agent
	Scopes  []string // of a bearer token; nil for a session
	Session string   // SHA-256 of the session token in hex, "" for tokens
	Request string   // correlation id of the request, for the audit row
	Remote  string   // network address of the caller, for the audit row
}

type principalKey struct{}

// With puts the principal into a context. Only the authentication of this package and tests call it.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// From gives the principal of a request; ok is false when nobody has signed in.
func From(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Purposes of use (HL7 v3 PurposeOfUse).
const (
	Treatment  = "TREAT"
	OwnRequest = "PATRQT"
	Payment    = "HPAYMT"
	Operations = "HOPERAT"
	Emergency  = "ETREAT"
	SysAdmin   = "SYSADMIN"
)

// Gate compiles the policy for a principal and a purpose. outcome.Login when
// ctx has no principal, outcome.Forbidden when no rule of the table admits it.
type Gate interface {
	Access(ctx context.Context, purpose string) (store.Access, error)
}

func joinScopes(list []string) string { return strings.Join(list, " ") }
