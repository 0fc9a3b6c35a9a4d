package claims

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// Matcher finds whose record a source Patient is, in the transaction that
// wrote it, and gives the id of the person (golden Patient). seen is the time
// that the visit tells of: the newest of a person's sources shows, whichever file came last.
type Matcher interface {
	MatchSeen(ctx context.Context, tx store.Tx, source *store.Resource, seen time.Time) (person string, err error)
}

// Mapper turns a HOSO into resources; fhirmap.Mapper is one.
type Mapper interface {
	Map(h *claim.HOSO, src fhirmap.Source) (*fhirmap.Visit, error)
}

// CheckInMapper is a Mapper that can turn a check-in into resources as well.
// With one that can't, check-ins are kept as they came.
type CheckInMapper interface {
	CheckIn(row *claim.XML0, src fhirmap.Source) (*fhirmap.Visit, error)
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
	Workers int // HOSO processed side by side; 0: see defaultWorkers
}

// defaultWorkers is the number of HOSO processed side by side. Each waits for
// the disk at its end, and those that wait together share one commit, so there
// are more of them than processors (BenchmarkStore).
func defaultWorkers() int { return max(8, 4*runtime.NumCPU()) }

// Service receives and processes claim files.
type Service struct {
	Deps
	line  *line
	pause time.Duration // before an unlucky HOSO is tried again; doubled each time
}

// NewService makes the service; nothing is processed before Run.
func NewService(d Deps) *Service {
	if d.Workers <= 0 {
		d.Workers = defaultWorkers()
	}
	return &Service{Deps: d, line: newLine(), pause: 100 * time.Millisecond}
}

// Drain waits until everything received so far has its answer, or until Run has ended.
func (s *Service) Drain() { s.line.drain() }
