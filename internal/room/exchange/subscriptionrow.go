package exchange

import (
	"context"
	"encoding/json"

	"github.com/ytso/ytso/fhir/store"
)

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
