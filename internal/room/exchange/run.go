package exchange

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

const (
	workers = 2                // jobs at a time
	look    = 30 * time.Second // between looks for jobs that another process left, and for what has expired
	breath  = 5 * time.Millisecond
)

// worker takes one job a slice further.
type worker func(ctx context.Context, j *Job) (step, error)

// Run takes up what an earlier process left unfinished, then works on what
// comes, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	defer s.close()
	var wg sync.WaitGroup
	if s.Outbox != nil {
		wg.Go(func() { s.feed(ctx) })
	}
	for range workers {
		wg.Go(func() { s.work(ctx) })
	}
	wg.Wait()
	return nil
}

// wake tells the workers that there is something to do.
func (s *Service) wake() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

func (s *Service) work(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.bell:
		case <-timer.C:
			s.sweep(ctx)
		}
		for ctx.Err() == nil {
			j, err := s.take(ctx)
			if err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "jobs can't be looked for", "err", err)
			}
			if err != nil || j == nil {
				break
			}
			s.wake() // another worker may take the next one
			s.drive(ctx, j)
		}
		timer.Reset(look)
	}
}

// take claims the oldest job that waits, or that nobody has moved for a while.
func (s *Service) take(ctx context.Context) (*Job, error) {
	var list []*Job
	err := s.Store.View(ctx, s.system, func(r store.Reader) (err error) {
		list, err = jobs(ctx, r, `WHERE state = 'waiting' OR state = 'running' ORDER BY created, id`)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, j := range list {
		if j.State == stateRunning && s.foreign(j, s.Clock.Now()) || !s.hold(j.ID) {
			continue
		}
		switch ours, err := s.claim(ctx, j); {
		case err != nil:
			s.inHand.Delete(j.ID)
			return nil, err
		case ours:
			return j, nil
		}
		s.inHand.Delete(j.ID)
	}
	return nil, nil
}

// claim makes a job ours; false when another process was faster.
func (s *Service) claim(ctx context.Context, j *Job) (won bool, err error) {
	err = s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.take", Entity: j.ID})
		n, err := tx.Exec(ctx, `UPDATE exchange_job SET state = 'running', step = step + 1, updated = $3 WHERE id = $1 AND step = $2`,
			j.ID, j.Step, s.Clock.Now().UnixMilli())
		won = n == 1
		return err
	})
	if won {
		j.Step, j.State = j.Step+1, stateRunning
	}
	return won, err
}

// foreign says that another process seems to work on a job. A job that stood
// still when this process began was left by its predecessor and is free.
func (s *Service) foreign(j *Job, now time.Time) bool {
	return j.Updated.After(s.begun) && now.Sub(j.Updated) < leaseOfStep
}

// hold keeps a job to one worker of this process.
func (s *Service) hold(job string) bool { _, had := s.inHand.LoadOrStore(job, true); return !had }

// maxFaults bounds how often a slice that fails by our fault is tried.
const maxFaults = 5

// drive takes a job to its end, slice by slice. When the process stops the job
// stays where its last slice left it.
func (s *Service) drive(ctx context.Context, j *Job) {
	defer s.inHand.Delete(j.ID)
	for faults := 0; ctx.Err() == nil; {
		st, err := s.workerOf(j.Kind)(ctx, j)
		if err == nil {
			err = s.advance(ctx, j, st)
		}
		switch {
		case err == nil && st.End:
			return
		case err == nil:
			faults = 0
			s.pause(ctx, breath) // others wait for the disk as well
		case errors.Is(err, errLost) || ctx.Err() != nil:
			return
		case ours(err) && faults < maxFaults:
			faults++
			s.Log.WarnContext(ctx, "a slice of a job is tried again", "job", j.ID, "kind", j.Kind, "err", err)
			s.pause(ctx, s.patience<<faults)
		default:
			s.Log.WarnContext(ctx, "a job failed", "job", j.ID, "kind", j.Kind, "err", err)
			if err := s.fail(ctx, j, err); err != nil {
				s.Log.ErrorContext(ctx, "a failed job stays as it is", "job", j.ID, "err", err)
			}
			return
		}
	}
}

// ours says whether an error is no fault of what was asked for.
func ours(err error) bool {
	switch outcome.KindOf(err) {
	case outcome.Exception, outcome.Transient, outcome.Timeout, outcome.Conflict:
		return true
	}
	return false
}

func (s *Service) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (s *Service) workerOf(kind string) worker {
	switch kind {
	case kindExport:
		return s.exportSlice
	case kindImport:
		return s.importSlice
	case kindReindex:
		return s.reindexSlice
	}
	return func(context.Context, *Job) (step, error) { return step{}, errNoJob }
}

// sweep takes away what has expired.
func (s *Service) sweep(ctx context.Context) {
	var list []*Job
	err := s.Store.View(ctx, s.system, func(r store.Reader) (err error) {
		list, err = jobs(ctx, r, `WHERE expires > 0 AND expires < $1 ORDER BY id LIMIT 20`, s.Clock.Now().UnixMilli())
		return err
	})
	for _, j := range list {
		err = errors.Join(err, s.cancel(ctx, s.system, j.ID, ""))
	}
	if err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "expired jobs are not taken away", "err", err)
	}
}
