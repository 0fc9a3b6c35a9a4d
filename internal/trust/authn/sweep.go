package authn

import (
	"context"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

// sweepEvery is how often ended rows are taken away. They open nothing before that either.
const sweepEvery = time.Hour

// Run sweeps now and then until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("sweep of sign-in", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Sweep takes away sessions, links and tokens that have ended. Accounts stay:
// their names are not given out again.
func (s *Service) Sweep(ctx context.Context) (err error) {
	defer outcome.Wrap(&err, "authn.Sweep")
	now := s.now().UnixMilli()
	return s.update(ctx, nil, store.Note{Action: "signin.sweep"}, func(tx store.Tx) error {
		for _, sql := range []string{
			`DELETE FROM trust_session WHERE ends <= $1 OR seen + idle <= $1`,
			`DELETE FROM trust_link WHERE expires <= $1 OR used > 0`,
			`DELETE FROM trust_token WHERE expires <= $1`,
		} {
			if _, err := tx.Exec(ctx, sql, now); err != nil {
				return err
			}
		}
		return nil
	})
}
