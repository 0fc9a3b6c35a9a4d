package exchange

import (
	"context"

	"github.com/ytso/ytso/fhir/store"
)

// event is a row of exchange_event.
type event struct {
	N, At   int64
	Key     store.Key
	Version int64
	What    string
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
