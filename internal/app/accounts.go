package app

import (
	"context"

	"github.com/ytso/ytso/internal/trust/authn"
)

// AddAccount is described at operator.
func (n *Node) AddAccount(ctx context.Context, facility string) (a account, err error) {
	a.User, a.Secret, err = n.authn.AddAccount(ctx, facility)
	return a, err
}

// SignInLink is described at operator.
func (n *Node) SignInLink(ctx context.Context, l linkFor) (link, error) {
	got, err := n.authn.NewLink(ctx, authn.LinkFor{Role: l.Role, Facility: l.Facility, Person: l.Person, Name: l.Name})
	return link(got), err
}
