package exchange

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// Standing says whether an agent's account is still in force. outcome.Login when it is not.
type Standing interface {
	Standing(ctx context.Context, a store.Agent) error
}

// keptPrincipal is who a piece of work runs for, as it is kept with the work.
type keptPrincipal struct {
	Agent  store.Agent
	Scopes []string // null: not narrowed by scopes
}

// keepPrincipal gives who asks, in the form that is kept.
func keepPrincipal(ctx context.Context) ([]byte, error) {
	p, ok := trust.From(ctx)
	if !ok {
		return nil, errNobody
	}
	return json.Marshal(keptPrincipal{p.Agent, p.Scopes})
}

// whoOf names the account that a piece of work runs for.
func whoOf(kept []byte) string {
	var k keptPrincipal
	if json.Unmarshal(kept, &k) != nil {
		return ""
	}
	return cmp.Or(k.Agent.Name, k.Agent.ID)
}

// behalf compiles anew what the principal of a piece of work may see now. An
// account that was revoked, and a role whose rule is gone, get an error.
func (s *Service) behalf(ctx context.Context, kept []byte, request string) (store.Access, error) {
	var k keptPrincipal
	if err := json.Unmarshal(kept, &k); err != nil {
		return store.Access{}, err
	}
	if s.Standing != nil {
		if err := s.Standing.Standing(ctx, k.Agent); err != nil {
			return store.Access{}, err
		}
	}
	p := trust.Principal{Agent: k.Agent, Scopes: k.Scopes, Request: request}
	return s.Gate.Access(trust.With(ctx, p), purposeOf(p))
}

// clientOf names the client that alone may ask for a piece of work again. A
// token of `ytso token` lives for hours and an export may live longer, so that
// its client is not the token but its rights: facility and scopes.
func clientOf(ctx context.Context) (string, error) {
	p, ok := trust.From(ctx)
	if !ok {
		return "", errNobody
	}
	if p.Scopes == nil {
		return string(p.Agent.Kind) + " " + p.Agent.ID, nil
	}
	scopes := slices.Sorted(slices.Values(p.Scopes))
	return "token " + p.Agent.Facility + " " + strings.Join(slices.Compact(scopes), " "), nil
}

// keptFault is why a piece of work ended, as it is kept: sentences, never a cause that may hold data.
type keptFault struct {
	Kind        outcome.Kind
	Key, VI, EN string
}

func keepFault(err error) string {
	e := outcome.As(err)
	b, fail := json.Marshal(keptFault{e.Kind, e.Key, e.VI, e.EN})
	if fail != nil {
		return "{}"
	}
	return string(b)
}

func faultOf(text string) *outcome.Error {
	if text == "" {
		return nil
	}
	var k keptFault
	if err := json.Unmarshal([]byte(text), &k); err != nil || k.Kind == "" {
		return outcome.As(err)
	}
	return outcome.New(k.Kind, k.Key, k.VI, k.EN)
}
