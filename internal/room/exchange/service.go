package exchange

import (
	"log/slog"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
)

// Deps is what the room needs of the house.
type Deps struct {
	Store      store.Store
	Gate       trust.Gate
	Check      *validate.Validator
	Terms      *term.Service
	Source     canon.Source
	Params     func() *param.Registry
	Operations []rest.Operation
	Changed    func(keys []store.Key) // definitions were written
	Clock      clock.Clock
	Log        *slog.Logger
	Software   string // version of the program
	Started    time.Time
}

// Service meets other systems.
type Service struct {
	Deps
	rest *rest.Server
}

// NewService makes the service; nothing runs behind the doors before Run.
func NewService(d Deps) *Service {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: d}
	s.rest = rest.New(rest.Config{
		Store: d.Store, Access: s.access, Owner: owner, Check: d.Check, Terms: d.Terms, Source: d.Source, Params: d.Params,
		Base: base, Vietnamese: vietnamese, Now: d.Clock.Now, Operations: d.Operations,
		Software: d.Software, Started: d.Started, Changed: d.Changed,
	})
	return s
}
