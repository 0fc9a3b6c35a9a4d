package claims

import (
	"context"
	"log/slog"
	"sync"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// Matcher finds whose record a source Patient is, in the transaction that
// wrote it, and gives the id of the person (golden Patient).
type Matcher interface {
	Match(ctx context.Context, tx store.Tx, source *store.Resource) (person string, err error)
}

// Mapper turns a HOSO into resources; fhirmap.Mapper is one.
type Mapper interface {
	Map(h *claim.HOSO, src fhirmap.Source) (*fhirmap.Visit, error)
}

// Deps is what the room needs of the house.
type Deps struct {
	Store   store.Store
	Gate    trust.Gate
	System  store.Access // for the work behind the door, right "claims.process"
	Matcher Matcher
	Mapper  Mapper
	Context check.Context
	Limits  claim.Limits
	Clock   clock.Clock
	Log     *slog.Logger
	Workers int // HOSO prepared side by side; 0: 2
}

// Service receives and processes claim files.
type Service struct {
	store   store.Store
	gate    trust.Gate
	system  store.Access
	matcher Matcher
	mapper  Mapper
	context check.Context
	limits  claim.Limits
	clock   clock.Clock
	log     *slog.Logger
	workers int

	queue   chan job
	stopped chan struct{} // closed when Run ends
	pending sync.WaitGroup
}

// NewService makes the service; nothing is processed before Run.
func NewService(d Deps) *Service {
	if d.Workers == 0 {
		d.Workers = 2
	}
	return &Service{
		store: d.Store, gate: d.Gate, system: d.System, matcher: d.Matcher, mapper: d.Mapper, context: d.Context,
		limits: d.Limits, clock: d.Clock, log: d.Log, workers: d.Workers, queue: make(chan job, 256), stopped: make(chan struct{}),
	}
}

// Run takes up what an earlier process left unfinished, then processes what
// comes, until ctx ends. It returns when the HOSO in hand are answered.
func (s *Service) Run(ctx context.Context) error {
	defer close(s.stopped)
	left, err := s.unfinished(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for range s.workers {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case j := <-s.queue:
					s.do(ctx, j)
				}
			}
		})
	}
	for _, r := range left {
		s.pending.Add(1)
		select {
		case s.queue <- job{receipt: r}:
		case <-ctx.Done():
			s.pending.Done()
		}
	}
	wg.Wait()
	return nil
}

func (s *Service) do(ctx context.Context, j job) {
	defer s.pending.Done()
	if err := s.process(ctx, j); err != nil && ctx.Err() == nil {
		s.log.ErrorContext(ctx, "a receipt stays unfinished until the next start", "receipt", j.receipt.ID, "err", err)
	}
}

// offer hands a job to the workers. When the queue is full the sender waits:
// that is the back pressure which keeps memory bounded. After Run has ended the
// receipt is left Waiting, for the next start.
func (s *Service) offer(j job) {
	s.pending.Add(1)
	select {
	case s.queue <- j:
	case <-s.stopped:
		s.pending.Done()
	}
}

// Drain waits until everything received so far has its answer.
func (s *Service) Drain() { s.pending.Wait() }

func (s *Service) unfinished(ctx context.Context) (list []Receipt, err error) {
	err = s.store.View(ctx, s.system, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claim.resume"})
		rows, err := r.Query(ctx, `SELECT `+receiptColumns+` FROM claims_receipt WHERE state = $1 ORDER BY received, id`, string(Waiting))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			rec, err := scanReceipt(rows)
			if err != nil {
				return err
			}
			list = append(list, rec)
		}
		return rows.Err()
	})
	return list, err
}
