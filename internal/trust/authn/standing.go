package authn

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

var errRevoked = outcome.New(outcome.Login, "signin.revoked",
	"Tài khoản máy này đã bị thu hồi.", "This machine account has been revoked.")

// Standing says whether an agent who set work going may still have it done.
// outcome.Login for a machine account that was revoked meanwhile. A bearer
// token of the key file has nothing to revoke but the key file itself.
func (s *Service) Standing(ctx context.Context, a store.Agent) (err error) {
	defer outcome.Wrap(&err, "authn.Standing")
	if a.Kind != store.Machine {
		return nil
	}
	var revoked int64
	var found bool
	err = s.view(ctx, store.Note{Action: "signin.standing"}, func(r store.Reader) (err error) {
		found, err = row(ctx, r, `SELECT revoked FROM trust_account WHERE name = $1`, []any{a.ID}, &revoked)
		return err
	})
	if err == nil && (!found || revoked != 0) {
		return errRevoked
	}
	return err
}
