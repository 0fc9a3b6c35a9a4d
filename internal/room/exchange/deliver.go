package exchange

import (
	"context"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

const (
	maxTries     = 10               // in vain, then the subscription is set to error
	firstPause   = 2 * time.Second  // after the first; doubled each time
	longestPause = 10 * time.Minute // ten tries reach over half an hour
	holdFor      = 2 * time.Minute  // a process that delivers keeps others away
	atATime      = 16               // deliveries of one subscription in a row before another may come
)

var (
	errAnswer = outcome.New(outcome.Transient, "exchange.endpoint-answer",
		"Nơi nhận thông báo không nhận (mã trả lời không phải 2xx).", "The endpoint did not take the notification (its answer was not 2xx).")
	errUnreachable = outcome.New(outcome.Transient, "exchange.endpoint-unreachable",
		"Không kết nối được tới nơi nhận thông báo.", "The endpoint could not be reached.")
)

// deliver brings a subscription's events to its endpoint, in order, each until
// it is taken: an event that is not taken is sent again and none behind it is
// sent before (at least once, in order).
func (s *Service) deliver(ctx context.Context, subID string) {
	for range atATime {
		sub, err := s.lease(ctx, subID)
		if err != nil || sub == nil || !s.wants(sub) {
			s.logDelivery(ctx, subID, err)
			return
		}
		if now := s.Clock.Now(); !sub.Spec.End.IsZero() && now.After(sub.Spec.End) {
			s.logDelivery(ctx, subID, s.settleState(ctx, sub, subOff, nil))
			return
		}
		last, err := s.deliverNext(ctx, sub)
		if err == nil {
			err = s.delivered(ctx, sub, last)
		} else if ctx.Err() == nil {
			err = s.inVain(ctx, sub, err)
		}
		if err != nil {
			s.logDelivery(ctx, subID, err)
			return
		}
	}
	s.wakeFeed()
}

func (s *Service) logDelivery(ctx context.Context, subID string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "a subscription is not delivered", "subscription", subID, "err", err)
	}
}

// lease reads a subscription and keeps other processes from delivering it; nil when one does.
func (s *Service) lease(ctx context.Context, subID string) (sub *subscription, err error) {
	now := s.Clock.Now()
	err = s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		sub = nil
		tx.Audit(store.Note{Action: "exchange.subscription.lease", Entity: "Subscription/" + subID})
		n, err := tx.Exec(ctx, `UPDATE exchange_subscription SET lease = $2, holder = $3 WHERE id = $1 AND (lease < $4 OR holder = $3)`,
			subID, now.Add(holdFor).UnixMilli(), s.holder, now.UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		list, err := subscriptions(ctx, tx, `WHERE id = $1`, subID)
		if err == nil && len(list) == 1 {
			sub = list[0]
		}
		return err
	})
	return sub, err
}

// deliverNext sends what is next: the handshake, events, or a heartbeat. It
// gives the number of the last event that was taken.
func (s *Service) deliverNext(ctx context.Context, sub *subscription) (last int64, err error) {
	switch {
	case sub.State == subRequested:
		if sub.Spec.Endpoint == "" || sub.Spec.Topic == "" {
			return sub.Delivered, nil // R4 by itself knows no handshake
		}
		return sub.Delivered, s.send(ctx, sub, notification(sub, notifyHandshake, nil, s.Clock.Now()))
	case sub.Delivered >= sub.Events:
		return sub.Delivered, s.send(ctx, sub, notification(sub, notifyHeartbeat, nil, s.Clock.Now()))
	}
	a, err := s.behalf(ctx, sub.Principal, sub.ID)
	if err != nil {
		return 0, err
	}
	var list []shown
	last = sub.Events // when all between was forgotten
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "exchange.subscription.deliver", Entity: "Subscription/" + sub.ID})
		found, err := events(ctx, r, sub.ID, sub.Delivered, sub.Events, max(1, sub.Spec.Max))
		if err != nil {
			return err
		}
		list, err = s.lookAt(ctx, r, sub, found)
		return err
	})
	if err != nil || len(list) == 0 {
		return last, err
	}
	last = list[len(list)-1].N
	if sub.Spec.Topic == "" {
		return last, s.sendPlain(ctx, sub, list[0])
	}
	return last, s.send(ctx, sub, notification(sub, notifyEvent, list, s.Clock.Now()))
}
