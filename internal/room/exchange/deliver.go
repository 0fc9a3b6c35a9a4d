package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
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

// send posts a notification Bundle.
func (s *Service) send(ctx context.Context, sub *subscription, bundle []byte) error {
	body, err := inFormat(bundle, sub.Spec.Mime)
	if err != nil {
		return err
	}
	return s.call(ctx, sub, http.MethodPost, sub.Spec.Endpoint, sub.Spec.Mime, body)
}

// sendPlain notifies as R4 by itself does: an empty POST, or with a payload the
// resource as an update (FHIR R4 subscription.html#rest-hook).
func (s *Service) sendPlain(ctx context.Context, sub *subscription, e shown) error {
	if sub.Spec.Mime == "" {
		return s.call(ctx, sub, http.MethodPost, sub.Spec.Endpoint, "", nil)
	}
	if !e.focus || e.body == nil {
		return nil // not to be seen any more
	}
	body, err := inFormat(e.body, sub.Spec.Mime)
	if err != nil {
		return err
	}
	at, err := url.JoinPath(sub.Spec.Endpoint, e.Key.Type, e.Key.ID)
	if err != nil {
		return errEndpointForm.Because(err)
	}
	return s.call(ctx, sub, http.MethodPut, at, sub.Spec.Mime, body)
}

// call sends one request to an endpoint that the operator still allows.
func (s *Service) call(ctx context.Context, sub *subscription, method, address, mime string, body []byte) error {
	_, entry, err := s.Endpoints.admit(address)
	if err != nil {
		return err
	}
	secret, err := s.secretOf(sub)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return errEndpointForm.Because(err)
	}
	for _, name := range sub.Spec.Headers {
		req.Header.Set(name, secret[strings.ToLower(name)])
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", mime+"; charset=utf-8")
	}
	req.Header.Set("User-Agent", "ytso")
	c := s.Endpoints.client(entry)
	defer c.CloseIdleConnections()
	resp, err := c.Do(req)
	if err != nil {
		if e := (*outcome.Error)(nil); errors.As(err, &e) {
			return e
		}
		return errUnreachable.Because(reason(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // what it says is not looked at
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return errAnswer.Because(fmt.Errorf("status %d", resp.StatusCode))
	}
	return nil
}

// reason is why a call failed without its address, which may hold a secret.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

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
