package trust

import (
	"context"
	"sync"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// PolicyGate compiles the policy table for whoever has signed in. It holds no
// cache of what may change: links of a person and rights are looked up anew for
// each call, so that an un-merge or a revoked right holds from the next call
// on. What the table itself says of a role and its scopes never changes while
// the program runs, so that is worked out once.
type PolicyGate struct {
	persons Persons
	mu      sync.Mutex
	table   map[string]map[string]store.Acts // by right and scopes
}

// maxTable bounds what is kept of the table: scopes are a caller's words.
const maxTable = 256

// types gives the acts by type; the map is shared and must not be changed.
func (g *PolicyGate) types(pol policy, scopes []Scope, words []string, scoped bool) map[string]store.Acts {
	key := pol.right
	if scoped {
		key += "\n" + joinScopes(words)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if t, ok := g.table[key]; ok {
		return t
	}
	if g.table == nil || len(g.table) >= maxTable {
		g.table = map[string]map[string]store.Acts{}
	}
	t := pol.types(scopes, scoped)
	g.table[key] = t
	return t
}

// Persons tells which Patients are one person.
type Persons interface {
	// Expand gives the ids of the golden Patient that the id stands for now and
	// of all its linked source records. outcome.NotFound when there is none.
	Expand(ctx context.Context, golden string) ([]string, error)
}

// NewGate makes the gate.
func NewGate(p Persons) *PolicyGate { return &PolicyGate{persons: p} }

var errLogin = outcome.New(outcome.Login, "trust.login",
	"Bạn cần đăng nhập để xem trang này.", "You need to sign in to see this page.")

var errPurpose = outcome.New(outcome.Forbidden, "trust.purpose",
	"Vai trò đang dùng không được truy cập dữ liệu với mục đích này.",
	"The role in use may not open data for this purpose.")

// Access is described at Gate.
func (g *PolicyGate) Access(ctx context.Context, purpose string) (a store.Access, err error) {
	p, ok := From(ctx)
	if !ok {
		return a, errLogin
	}
	pol, ok := policyFor(p)
	if !ok {
		return a, errNoRule
	}
	if !pol.admits(purpose) {
		return a, errPurpose
	}
	f, err := g.filter(ctx, p, pol)
	if err != nil {
		return a, err
	}
	return store.Access{
		Agent: p.Agent, Purpose: purpose, Right: pol.right, Filter: f, Request: p.Request, Remote: p.Remote,
	}, nil
}

func (g *PolicyGate) filter(ctx context.Context, p Principal, pol policy) (f store.Filter, err error) {
	var scopes []Scope
	if p.Scopes != nil {
		if scopes, err = ParseScopes(joinScopes(p.Scopes)); err != nil {
			return f, errNoRule.Because(err)
		}
	}
	f = store.Filter{Public: true, Types: g.types(pol, scopes, p.Scopes, p.Scopes != nil)}
	switch pol.reach {
	case ownPerson:
		if p.Agent.ID == "" {
			return store.Filter{}, errNoRule
		}
		f.Patients, err = g.persons.Expand(ctx, p.Agent.ID)
	case ownFacility:
		if p.Agent.Facility == "" {
			return store.Filter{}, errNoFacility
		}
		f.Owners = []string{p.Agent.Facility}
	case everyRecord:
		f.All = true
	}
	if err != nil {
		return store.Filter{}, err
	}
	return f, nil
}

var errNoFacility = outcome.New(outcome.Forbidden, "trust.no-facility",
	"Tài khoản không thuộc cơ sở nào nên không có hồ sơ để xem.",
	"The account belongs to no facility, so it has no records to see.")
