package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

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
