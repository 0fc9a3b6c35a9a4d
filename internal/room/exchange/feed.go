package exchange

import (
	"context"
	"sync"
	"time"
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
