package claims

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

// maxTries bounds how often a HOSO that failed by our fault is tried.
const maxTries = 4

// giveUp bounds how often a HOSO is tried while the store takes not even its
// failure, half a minute apart in the end; then it waits for the next start.
const giveUp = 20

// Run takes up what an earlier process left unfinished, then processes what
// comes, until ctx ends. It returns when the HOSO in hand are answered.
func (s *Service) Run(ctx context.Context) error {
	defer close(s.line.stopped)
	left, err := s.unfinished(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	s.line.restore(left)
	items := make(chan item)
	var wg sync.WaitGroup
	for range s.Workers {
		wg.Go(func() {
			for it := range items {
				s.answer(ctx, it)
			}
		})
	}
	for {
		j, ok := s.line.take(ctx)
		if !ok {
			break
		}
		s.feed(ctx, j, items)
	}
	close(items)
	wg.Wait()
	return nil
}

// unfinished lists the receipts with HOSO that have no answer, or one that is
// our fault and not tried too often.
func (s *Service) unfinished(ctx context.Context) (list []string, err error) {
	err = s.Store.View(ctx, s.System, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claims.resume"})
		list = nil
		rows, err := r.Query(ctx, `SELECT id FROM claims_receipt WHERE state = 'waiting' OR failed > 0 AND EXISTS
			(SELECT 1 FROM claims_hoso h WHERE h.receipt = claims_receipt.id AND h.state = 'failed' AND h.tries < $1) ORDER BY seq`, int64(maxTries))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var receipt string
			if err := rows.Scan(&receipt); err != nil {
				return err
			}
			list = append(list, receipt)
		}
		return rows.Err()
	})
	return list, err
}

// batch is a receipt in hand: its file, and how many of its HOSO are not answered yet.
type batch struct {
	rec     Receipt
	file    *claim.File
	reports []check.Report // of the rows of a check-in or assessment table
	again   map[int]bool   // the HOSO that failed before, by number from 0
	left    atomic.Int64
	given   atomic.Bool // a HOSO was given up for this time: the receipt stays as it is
	closed  atomic.Bool // the last HOSO closed the receipt in its own commit
}

// item is one HOSO to answer; n counts from 0.
type item struct {
	b *batch
	n int
}

func (it item) ordinal() int64 { return int64(it.n + 1) }

// feed hands the HOSO of a receipt to the workers, and waits while all of them are busy.
func (s *Service) feed(ctx context.Context, j job, items chan<- item) {
	b, waiting, err := s.open(ctx, j)
	if err != nil || len(waiting) == 0 {
		if err == nil {
			err = s.finish(ctx, b)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "a receipt waits for the next start", "receipt", j.receipt, "err", err)
		}
		s.line.answered(j.receipt)
		return
	}
	b.left.Store(int64(len(waiting)))
	for _, n := range waiting {
		select {
		case items <- item{b, n}:
		case <-ctx.Done():
			return // the rest waits for the next start
		}
	}
}

// open makes a job ready: the file, and which of its HOSO wait.
func (s *Service) open(ctx context.Context, j job) (b *batch, waiting []int, err error) {
	defer outcome.Wrap(&err, "claims.open %s", j.receipt)
	b = &batch{}
	if j.known != nil {
		b.rec, b.file = j.known.rec, j.known.file
		for n := range count(b.file) {
			waiting = append(waiting, n)
		}
	} else if waiting, err = s.read(ctx, j.receipt, b); err != nil {
		return nil, nil, err
	}
	if b.file.Kind != claim.Claim {
		b.reports = rowReports(b.file, check.Envelope(b.file, s.options(b.rec)))
	}
	return b, waiting, nil
}

func (s *Service) options(r Receipt) check.Options {
	return check.Options{At: r.Received, Context: s.Context}
}

// read gets the receipt, the original and the HOSO without an answer from the store.
func (s *Service) read(ctx context.Context, receipt string, b *batch) (waiting []int, err error) {
	var body []byte
	b.again = map[int]bool{}
	err = s.Store.View(ctx, s.System, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.process", Entity: receipt})
		waiting = waiting[:0]
		if b.rec, err = findReceipt(ctx, r, receipt, ""); err != nil {
			return err
		}
		rows, err := r.Query(ctx, `SELECT ordinal, tries FROM claims_hoso WHERE receipt = $1 AND (state = 'waiting' OR state = 'failed' AND tries < $2) ORDER BY ordinal`,
			receipt, int64(maxTries))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n, tries int64
			if err := rows.Scan(&n, &tries); err != nil {
				return err
			}
			waiting = append(waiting, int(n-1))
			if tries > 0 {
				b.again[int(n-1)] = true
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		body, err = blob.Get(ctx, r, b.rec.Blob)
		return err
	})
	if err != nil {
		return nil, err
	}
	if b.file, err = claim.Decode(body, s.Limits); err != nil {
		return nil, err
	}
	if n := len(waiting); n > 0 && waiting[n-1] >= count(b.file) {
		return nil, fmt.Errorf("the original holds %d HOSO, number %d waits", count(b.file), waiting[n-1]+1)
	}
	return waiting, nil
}

// answer processes one HOSO to its end. What only others' work or the disk
// stands in the way of is tried again; what can't be answered now is left for the next start.
func (s *Service) answer(ctx context.Context, it item) {
	in := context.WithoutCancel(ctx) // what is in hand is finished
	for try := 0; ; try++ {
		err := s.process(in, it, try)
		if err == nil {
			break
		}
		if ctx.Err() != nil || try >= giveUp && outcome.KindOf(err) != outcome.Transient {
			s.Log.ErrorContext(ctx, "a HOSO waits for the next start", "receipt", it.b.rec.ID, "ordinal", it.ordinal(), "err", err)
			it.b.given.Store(true)
			break
		}
		select {
		case <-time.After(s.pause << min(try, 8)):
		case <-ctx.Done():
		}
	}
	if it.b.left.Add(-1) > 0 {
		return
	}
	if !it.b.given.Load() {
		if err := s.finish(in, it.b); err != nil {
			s.Log.ErrorContext(ctx, "a receipt waits for the next start", "receipt", it.b.rec.ID, "err", err)
		}
	}
	s.line.answered(it.b.rec.ID)
}

// finish closes a receipt whose HOSO all have an answer.
func (s *Service) finish(ctx context.Context, b *batch) error {
	if b.closed.Load() {
		return nil
	}
	return s.Store.Update(ctx, s.System, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "claims.finish", Entity: b.rec.ID})
		return closeReceipt(ctx, tx, b.rec.ID)
	})
}

func closeReceipt(ctx context.Context, tx store.Tx, receipt string) error {
	_, err := tx.Exec(ctx, `UPDATE claims_receipt SET state = 'done',
		stored    = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'stored'),
		unchanged = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'unchanged'),
		older     = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'older'),
		kept      = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'kept'),
		bad       = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'refused'),
		failed    = (SELECT COUNT(*) FROM claims_hoso WHERE receipt = $1 AND state = 'failed')
		WHERE id = $1`, receipt)
	return err
}
