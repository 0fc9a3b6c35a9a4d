package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// Outbox tells what happened, in the order of commits. A place is two numbers
// that only the outbox understands.
type Outbox interface {
	// After lists up to n events behind a place.
	After(ctx context.Context, commits, seq int64, n int) ([]Happened, error)
	// Head is the place behind everything that happened so far.
	Head(ctx context.Context) (commits, seq int64, err error)
}

// Happened is an event of the outbox and the place behind it.
type Happened struct {
	Topic, Key   string
	Body         []byte
	At           int64 // UTC milliseconds
	Commits, Seq int64
}

// subscription is a row of exchange_subscription.
type subscription struct {
	ID, State, Facility, Fault                                                string
	Version, Commits, Seq, Events, Delivered, Tries, Due, Spoke, Begun, Since int64
	Paused                                                                    bool
	Principal, Secret                                                         []byte
	Spec                                                                      subSpec
}

// States of subscriptions (FHIR R4 valueset-subscription-status.html).
const (
	subRequested = "requested"
	subActive    = "active"
	subError     = "error"
	subOff       = "off"
)

func subscriptions(ctx context.Context, r store.Reader, where string, args ...any) (list []*subscription, err error) {
	rows, err := r.Query(ctx, `SELECT id, version, state, facility, principal, spec, secret, begun, commits, seq, events, delivered, tries, due, spoke, paused, fault, created
		FROM exchange_subscription `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		s := &subscription{}
		var spec []byte
		var paused int64
		if err := rows.Scan(&s.ID, &s.Version, &s.State, &s.Facility, &s.Principal, &spec, &s.Secret, &s.Begun, &s.Commits, &s.Seq, &s.Events,
			&s.Delivered, &s.Tries, &s.Due, &s.Spoke, &paused, &s.Fault, &s.Since); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(spec, &s.Spec); err != nil {
			return nil, err
		}
		s.Paused = paused != 0
		list = append(list, s)
	}
	return list, rows.Err()
}

// find reads subscriptions for the machinery.
func (s *Service) find(ctx context.Context, where string, args ...any) (list []*subscription, err error) {
	err = s.Store.View(ctx, s.system, func(r store.Reader) (err error) {
		list, err = subscriptions(ctx, r, where, args...)
		return err
	})
	return list, err
}

const (
	feedPause  = time.Second // between looks at the outbox when nobody rings
	feedBatch  = 200         // events of the outbox at a time
	quiet      = 50          // events of other types after which the place is kept
	keptEvents = 7 * 24 * time.Hour
)

// wakeFeed tells the feed that something may have happened.
func (s *Service) wakeFeed() {
	select {
	case s.feedBell <- struct{}{}:
	default:
	}
}

// feed matches what happens to subscriptions and has each delivered by itself,
// so that one whose endpoint is dead holds up no other.
func (s *Service) feed(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	swept, heard := time.Time{}, ear{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.feedBell:
		case <-timer.C:
		}
		if err := s.hear(ctx, &heard); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "definitions of other processes are not heard of", "err", err)
		}
		more, err := s.round(ctx, &wg)
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "events are not matched", "err", err)
		}
		if now := s.Clock.Now(); now.Sub(swept) > time.Hour {
			swept = now
			s.forgetEvents(ctx)
		}
		if more && err == nil {
			s.wakeFeed()
		}
		timer.Reset(feedPause)
	}
}

// round takes every subscription a batch further; more says that one has not come to the end.
func (s *Service) round(ctx context.Context, wg *sync.WaitGroup) (more bool, err error) {
	list, err := s.find(ctx, `WHERE state IN ('requested', 'active') ORDER BY id`)
	if err != nil {
		return false, err
	}
	cache := map[[2]int64][]Happened{}
	for _, sub := range list {
		behind, err := s.match(ctx, sub, cache)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "a subscription is not matched", "subscription", sub.ID, "err", err)
			if !ours(err) {
				err = s.settleState(ctx, sub, subError, err)
			}
			if err != nil {
				s.Log.ErrorContext(ctx, "a subscription stays as it is", "subscription", sub.ID, "err", err)
			}
			continue
		}
		more = more || behind
		if s.wants(sub) && s.hold("subscription/"+sub.ID) {
			wg.Go(func() {
				defer s.inHand.Delete("subscription/" + sub.ID)
				s.deliver(ctx, sub.ID)
			})
		}
	}
	s.streams.ring()
	return more, nil
}

// wants says that there is something to deliver, or a handshake or heartbeat due.
func (s *Service) wants(sub *subscription) bool {
	now := s.Clock.Now()
	switch {
	case sub.Paused || sub.Due > now.UnixMilli():
		return false
	case !sub.Spec.End.IsZero() && now.After(sub.Spec.End), sub.State == subRequested:
		return true
	case sub.Spec.Endpoint == "":
		return false
	}
	return sub.Delivered < sub.Events || sub.Spec.Heartbeat > 0 && now.UnixMilli()-sub.Spoke >= sub.Spec.Heartbeat.Milliseconds()
}

// match holds the next events of the outbox against a subscription and numbers
// those that it is told of, in one commit with its place.
func (s *Service) match(ctx context.Context, sub *subscription, cache map[[2]int64][]Happened) (behind bool, err error) {
	defer outcome.Wrap(&err, "exchange.match")
	if sub.Begun == 0 {
		return true, s.begin(ctx, sub)
	}
	at := [2]int64{sub.Commits, sub.Seq}
	list, ok := cache[at]
	if !ok {
		if list, err = s.Outbox.After(ctx, at[0], at[1], feedBatch); err != nil {
			return false, err
		}
		cache[at] = list
	}
	if len(list) == 0 {
		return false, nil
	}
	hits, looked, err := s.hits(ctx, sub, list)
	if err != nil {
		return false, err
	}
	if looked == 0 && len(list) < quiet {
		return false, nil // not worth a commit: they are passed over again
	}
	end := list[len(list)-1]
	err = s.keepEvents(ctx, sub, hits, end)
	return len(list) == feedBatch, err
}

// begin gives a new subscription its place: what happens from now on.
func (s *Service) begin(ctx context.Context, sub *subscription) error {
	commits, seq, err := s.Outbox.Head(ctx)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription.begin", Entity: "Subscription/" + sub.ID})
		_, err := tx.Exec(ctx, `UPDATE exchange_subscription SET begun = $2, commits = $3, seq = $4, spoke = $2 WHERE id = $1 AND begun = 0`,
			sub.ID, s.Clock.Now().UnixMilli(), commits, seq)
		return err
	})
}

// event is a row of exchange_event.
type event struct {
	N, At   int64
	Key     store.Key
	Version int64
	What    string
}

// hits finds which events the subscriber is told of. Each resource is read
// under the subscriber's Access as it is now: what that may not see is no event.
func (s *Service) hits(ctx context.Context, sub *subscription, list []Happened) (hits []event, looked int, err error) {
	conditions, err := sub.Spec.conditions(s.Params())
	if err != nil {
		return nil, 0, err
	}
	var some []event
	for _, h := range list {
		e, ok := eventOf(h)
		if ok && conditions[e.Key.Type] != nil {
			some = append(some, e)
		}
	}
	if len(some) == 0 {
		return nil, 0, nil
	}
	a, err := s.behalf(ctx, sub.Principal, sub.ID)
	if err != nil {
		return nil, 0, err
	}
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "exchange.subscription.match", Entity: "Subscription/" + sub.ID})
		hits = nil
		for _, e := range some {
			told, err := s.told(ctx, r, sub, conditions[e.Key.Type], &e)
			if err != nil {
				return err
			}
			if told {
				hits = append(hits, e)
			}
		}
		return nil
	})
	return hits, len(some), err
}

func eventOf(h Happened) (e event, ok bool) {
	if h.Topic != "resource" {
		return e, false
	}
	var body struct {
		Op      string
		Version int64
	}
	typ, id, ok := strings.Cut(h.Key, "/")
	if !ok || json.Unmarshal(h.Body, &body) != nil {
		return e, false
	}
	e = event{At: h.At, Key: store.Key{Type: typ, ID: id}, Version: body.Version, What: updated}
	switch {
	case body.Op == "delete":
		e.What = deleted
	case body.Version == 1:
		e.What = created
	}
	return e, true
}

// told says whether one event is one of the subscription. Of what was deleted
// the last version before counts.
func (s *Service) told(ctx context.Context, r store.Reader, sub *subscription, any []param.Query, e *event) (bool, error) {
	version := int(e.Version)
	if e.What == deleted {
		version--
	}
	if e.What == updated {
		if _, err := r.ReadVersion(ctx, e.Key, version-1); outcome.KindOf(err) == outcome.Deleted {
			e.What = created // it is there again
		}
	}
	if !sub.Spec.tells(e.What) {
		return false, nil
	}
	res, err := r.ReadVersion(ctx, e.Key, version)
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Forbidden, outcome.Deleted:
		return false, nil // not for this subscriber
	}
	if err != nil {
		return false, err
	}
	return s.holds(res, any)
}

func (s *Service) holds(res *store.Resource, any []param.Query) (bool, error) {
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return false, err
	}
	params := s.Params()
	values, err := params.Extract(doc)
	if err != nil {
		return false, err
	}
	values = append(values, param.Meta{ID: res.Key.ID, Updated: res.Updated}.Values()...)
	for _, q := range any {
		all := true
		for _, c := range q.Where {
			ok, err := params.Holds(c, res.Key.Type, values)
			if err != nil {
				return false, err
			}
			all = all && ok
		}
		if all {
			return true, nil
		}
	}
	return false, nil
}

// errMoved ends a commit whose subscription was moved on by another process or deleted.
var errMoved = errors.New("the subscription was moved on by another process")

// keepEvents numbers events and moves the place, in one commit.
func (s *Service) keepEvents(ctx context.Context, sub *subscription, hits []event, end Happened) error {
	err := s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.subscription.events", Entity: "Subscription/" + sub.ID})
		n, err := tx.Exec(ctx, `UPDATE exchange_subscription SET commits = $4, seq = $5, events = events + $6
			WHERE id = $1 AND commits = $2 AND seq = $3`, sub.ID, sub.Commits, sub.Seq, end.Commits, end.Seq, int64(len(hits)))
		if err != nil {
			return err
		}
		if n == 0 {
			return errMoved
		}
		for i, e := range hits {
			if _, err := tx.Exec(ctx, `INSERT INTO exchange_event (sub, n, at, typ, id, version, what) VALUES ($1,$2,$3,$4,$5,$6,$7)`,
				sub.ID, sub.Events+int64(i)+1, e.At, e.Key.Type, e.Key.ID, e.Version, e.What); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errMoved) {
		return nil
	}
	if err == nil {
		sub.Commits, sub.Seq, sub.Events = end.Commits, end.Seq, sub.Events+int64(len(hits))
	}
	return err
}

// events lists those of a subscription with numbers above after, in order.
func events(ctx context.Context, r store.Reader, sub string, after, upTo int64, n int) (list []event, err error) {
	rows, err := r.Query(ctx, `SELECT n, at, typ, id, version, what FROM exchange_event WHERE sub = $1 AND n > $2 AND n <= $3 ORDER BY n LIMIT $4`,
		sub, after, upTo, int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e event
		if err := rows.Scan(&e.N, &e.At, &e.Key.Type, &e.Key.ID, &e.Version, &e.What); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// forgetEvents takes away what could have been delivered or read long ago. An
// endpoint that was dead for longer learns from the numbers that it missed some.
func (s *Service) forgetEvents(ctx context.Context) {
	before := s.Clock.Now().Add(-keptEvents).UnixMilli()
	var n int64
	err := s.Store.View(ctx, s.system, func(r store.Reader) (err error) {
		n, err = number(ctx, r, `SELECT COUNT(*) FROM exchange_event WHERE at < $1`, before)
		return err
	})
	if err == nil && n > 0 {
		err = s.Store.Update(ctx, s.system, func(tx store.Tx) error {
			tx.Audit(store.Note{Action: "exchange.subscription.forget"})
			_, err := tx.Exec(ctx, `DELETE FROM exchange_event WHERE at < $1`, before)
			return err
		})
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "old events are not taken away", "err", err)
	}
}
