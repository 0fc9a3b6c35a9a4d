// Package authn answers who it is: sessions of people, the one-time links by
// which they sign in, machine accounts of hospitals' senders, and signed
// bearer tokens (DESIGN.md decision 13). People have no passwords.
//
// Of every secret only a hash is stored. What is looked up here opens nothing
// and leaves no audit row (store.Access.Silent); what is changed leaves one
// whose action begins with "signin.", and so does what is refused.
//
// Law: Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15 (access control and its log).
package authn

import (
	"context"
	"embed"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations brings the tables trust_session, trust_link, trust_account and trust_token, of the room "trust".
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Deps is what authn needs. Keys must be there, and Store for all but signing and reading bearer tokens.
type Deps struct {
	Store store.Store
	Keys  *keyfile.Keys
	Clock clock.Clock
	Log   *slog.Logger

	// Proxies are the addresses of reverse proxies whose X-Forwarded-Proto is
	// believed. None by default: then a forwarded request counts as not encrypted.
	Proxies []netip.Prefix
}

// Service knows who asks.
type Service struct {
	Deps
	key          []byte // signs bearer tokens
	known        verified
	cost         cost   // of a hash
	dummy        string // hash that no secret fits, for accounts that do not exist
	slots        chan struct{}
	byAddress    *httpx.Limiter
	byAccount    *httpx.Limiter
	beingTouched sync.Map // hash of a session whose last-seen time is being written
}

// New makes the service.
func New(d Deps) (s *Service, err error) {
	defer outcome.Wrap(&err, "authn.New")
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s = &Service{
		Deps: d, cost: standard, dummy: hopeless(standard), slots: make(chan struct{}, hashers),
		byAddress: httpx.NewLimiter(d.Clock, addressEvery, addressBurst), byAccount: httpx.NewLimiter(d.Clock, accountEvery, accountBurst),
	}
	s.key, err = d.Keys.Derive(keyfile.Token, keySize)
	return s, err
}

func (s *Service) now() time.Time { return s.Clock.Now() }

// access is the right of this package's own look-ups and changes, on behalf of
// whoever is known to ask.
func (s *Service) access(ctx context.Context) (store.Access, error) {
	a, err := trust.System(trust.JobSignIn)
	if err != nil {
		return a, err
	}
	a.Request = httpx.RequestID(ctx)
	if p, ok := trust.From(ctx); ok {
		a.Agent, a.Request, a.Remote = p.Agent, p.Request, p.Remote
	}
	return a, nil
}

func (s *Service) view(ctx context.Context, note store.Note, f func(store.Reader) error) error {
	a, err := s.access(ctx)
	if err != nil {
		return err
	}
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(note)
		return f(r)
	})
}

// update changes rows; with, when not nil, completes who acts for the audit row.
func (s *Service) update(ctx context.Context, with func(*store.Access), note store.Note, f func(store.Tx) error) error {
	a, err := s.access(ctx)
	if err != nil {
		return err
	}
	if with != nil {
		with(&a)
	}
	return s.Store.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(note)
		return f(tx)
	})
}

// refuse leaves the audit row of a refusal and gives back why.
func (s *Service) refuse(ctx context.Context, remote string, note store.Note, why error) error {
	return s.update(ctx, func(a *store.Access) { a.Remote = remote }, note, func(store.Tx) error { return why })
}

// row reads one row; found is false when there is none.
func row(ctx context.Context, r store.Reader, sql string, args []any, dest ...any) (found bool, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	return true, rows.Scan(dest...)
}
