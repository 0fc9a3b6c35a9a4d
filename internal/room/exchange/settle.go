package exchange

import (
	"context"
	"errors"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// delivered keeps that the endpoint took everything up to an event, and lets a new subscription begin.
func (s *Service) delivered(ctx context.Context, sub *subscription, last int64) error {
	if sub.State == subRequested {
		return s.settleState(ctx, sub, subActive, nil)
	}
	return s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription.delivered", Entity: "Subscription/" + sub.ID})
		_, err := tx.Exec(ctx, `UPDATE exchange_subscription SET delivered = $2, tries = 0, due = 0, spoke = $3, fault = '' WHERE id = $1 AND holder = $4`,
			sub.ID, last, s.Clock.Now().UnixMilli(), s.holder)
		return err
	})
}

// inVain keeps that a try failed: it is made again later, and at last the
// subscription is set to error, from which its owner can take it back.
func (s *Service) inVain(ctx context.Context, sub *subscription, why error) error {
	if sub.Tries++; sub.Tries >= maxTries || !ours(why) {
		return errors.Join(why, s.settleState(ctx, sub, subError, why))
	}
	pause := min(firstPause<<(sub.Tries-1), longestPause)
	err := s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription.in-vain", Entity: "Subscription/" + sub.ID, Detail: outcome.As(why).Key})
		_, err := tx.Exec(ctx, `UPDATE exchange_subscription SET tries = $2, due = $3, fault = $4 WHERE id = $1 AND holder = $5`,
			sub.ID, sub.Tries, s.Clock.Now().Add(pause).UnixMilli(), keepFault(why), s.holder)
		return err
	})
	return errors.Join(why, err)
}

// settleState sets the status of a Subscription, in the resource and in our
// row, in one commit. A resource that its owner has changed meanwhile is left alone.
func (s *Service) settleState(ctx context.Context, sub *subscription, state string, why error) error {
	a, err := trustedSubscription()
	if err != nil {
		return err
	}
	key := store.Key{Type: "Subscription", ID: sub.ID}
	fault, text := "", ""
	if why != nil {
		fault, text = keepFault(why), outcome.As(why).EN
	}
	var res *store.Resource
	if err := s.Store.View(ctx, a, func(r store.Reader) (err error) { res, err = r.Read(ctx, key); return err }); err != nil {
		return err
	}
	if int64(res.Version) != sub.Version {
		return nil
	}
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return err
	}
	p, err := s.Store.Prepare(store.Draft{Key: key, Body: withStatus(doc.Root(), state, text), Owner: res.Owner, IfMatch: res.Version})
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription." + state, Entity: key.String()})
		put, err := tx.Put(ctx, p)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE exchange_subscription SET state = $2, fault = $3, version = $4, tries = 0, due = 0, spoke = $5 WHERE id = $1 AND version = $6`,
			sub.ID, state, fault, int64(put.Version), s.Clock.Now().UnixMilli(), sub.Version)
		return err
	})
	if outcome.KindOf(err) == outcome.Stale {
		return nil
	}
	return err
}
