package exchange

import (
	"log/slog"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/internal/trust"
)

// Deps is what the room needs of the house.
type Deps struct {
	Store  store.Store
	Gate   trust.Gate
	Check  *validate.Validator
	Terms  *term.Service
	Source canon.Source
	Params func() *param.Registry
	// Operations are those of the API beside the room's own, upon the store as the API sees it.
	Operations func(s *Service, api store.Store) []rest.Operation
	Virtual    map[string]*rest.Virtual // types that are not in the store
	Changed    func(keys []store.Key)   // definitions were written
	Matcher    Matcher                  // of imported Patients; nil: they stay unmatched
	Index      Index                    // nil: there are no search parameters of our own
	SetParams  func(*param.Registry)    // what Params gives from now on
	Shared     bool                     // other processes write to the same database
	Outbox     Outbox                   // nil: nobody is notified
	Endpoints  Endpoints                // where notifications may go
	Key        []byte                   // 32 bytes that seal secrets of subscriptions
	Standing   Standing                 // nil: no account can be revoked
	Clock      clock.Clock
	Log        *slog.Logger
	Software   string // version of the program
	Started    time.Time
}

// Service meets other systems.
type Service struct {
	Deps
	rest     *rest.Server
	system   store.Access // of the room's own tables
	bell     chan struct{}
	learning sync.Mutex
	inHand   sync.Map // jobs that a worker of this process has
	begun    time.Time
	sealer   sealer
	feedBell chan struct{}
	streams  streams
	closing  chan struct{} // closed when streams are to end
	close    func()
	holder   string        // this process, to others that share the database
	patience time.Duration // before a slice that failed is tried again; doubled each time
}

// NewService makes the service; nothing runs behind the doors before Run.
func NewService(d Deps) (*Service, error) {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{
		Deps: d, bell: make(chan struct{}, 1), feedBell: make(chan struct{}, 1), closing: make(chan struct{}),
		begun: d.Clock.Now(), holder: id.UUID(), patience: time.Second,
	}
	s.close = sync.OnceFunc(func() { close(s.closing) })
	var err error
	if s.sealer, err = newSealer(d.Key); err != nil {
		return nil, err
	}
	if err := d.Endpoints.Check(); err != nil {
		return nil, err
	}
	if s.system, err = trust.System(trust.JobExchange); err != nil {
		return nil, err
	}
	api := guarded{d.Store, s}
	list := ownOperations()
	if d.Operations != nil {
		list = append(list, d.Operations(s, api)...)
	}
	s.rest = rest.New(rest.Config{
		Store: api, Access: s.access, Owner: owner, Check: d.Check, Terms: d.Terms, Source: d.Source, Params: d.Params,
		Base: base, Vietnamese: vietnamese, Now: d.Clock.Now, Operations: list, Virtual: d.Virtual,
		Software: d.Software, Started: d.Started, Changed: s.changed, MaxBody: maxBody, Fault: s.fault,
		Together: together(d.Shared), Reference: httpx.RequestID, Security: security,
	})
	return s, nil
}

// together bounds the transactions at once. On PostgreSQL each may take a
// second connection of the pool to look a definition up; SQLite has one writer anyway.
func together(shared bool) int {
	if shared {
		return 12 // half of the pool of internal/sqlstore
	}
	return 0
}

// security says how one gets in (FHIR R4 capabilitystatement-definitions.html#CapabilityStatement.rest.security).
var security = r4.Object{
	{Name: "cors", Value: false},
	{Name: "description", Value: "Bearer token with SMART system scopes (system/Type.cruds), or the session of a page; every request is held against the policy and leaves an audit row."},
}.JSON()

// EndStreams ends the answers that would never end by themselves, so that a
// server which is told to stop need not wait for them.
func (s *Service) EndStreams() { s.close() }
