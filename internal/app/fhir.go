package app

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/core"
	"github.com/ytso/ytso/fhir/ips"
	"github.com/ytso/ytso/fhir/op/check"
	"github.com/ytso/ytso/fhir/op/record"
	opterm "github.com/ytso/ytso/fhir/op/term"
	opview "github.com/ytso/ytso/fhir/op/view"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/canonical"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/internal/room/exchange"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/audit"
	"github.com/ytso/ytso/internal/trust/keyfile"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/profile"
)

// knowledge is what the FHIR interface knows of definitions, terms and rules:
// the tables of the program first, so that nobody can write another meaning of
// what R4, the patient summary or the law define, then what the store keeps.
type knowledge struct {
	stored *canonical.Source
	terms  *term.Service
	check  *validate.Validator
	params atomic.Pointer[param.Registry]
	source canon.Source
}

func newKnowledge(s store.Store) *knowledge {
	k := &knowledge{stored: canonical.New(s, func() (store.Access, error) { return trust.System(trust.JobDefine) })}
	k.source = canon.Sources{term.Official(), core.New(), ips.New(), profile.New(), k.stored}
	k.terms = term.New(k.source)
	k.check = validate.New(k.source, k.terms)
	k.params.Store(param.Official())
	return k
}

// changed forgets what was known of definitions that were written.
func (k *knowledge) changed([]store.Key) {
	k.stored.Forget()
	k.terms.Forget()
	k.check.Forget() // last: it must not be made anew of what the others still knew
}

// meetOthers makes the FHIR interface and the room that serves it.
func (h *house) meetOthers() (err error) {
	k := newKnowledge(h.store)
	key, err := h.keys.Derive(keyfile.Exchange, 32)
	if err != nil {
		return err
	}
	log, err := audit.New(audit.Deps{
		Namespace: h.store.Namespace(), Facility: element.MACSKCB, Persons: trust.NewPersons(h.store), Params: k.params.Load,
	})
	if err != nil {
		return err
	}
	h.exchange, err = exchange.NewService(exchange.Deps{
		Store: h.store, Gate: h.gate, Check: k.check, Terms: k.terms, Source: k.source, Params: k.params.Load, Changed: k.changed,
		Virtual:    map[string]*rest.Virtual{"AuditEvent": log.Virtual()},
		Operations: func(s *exchange.Service, api store.Store) []rest.Operation { return h.operations(k, s, api) },
		Index:      h.store, SetParams: k.params.Store,
		Standing: h.authn, Matcher: h.matcher, Outbox: outbox{h.store}, Shared: h.shared, Endpoints: h.endpoints, Key: key,
		Clock: h.clock, Log: h.log.With("room", "exchange"), Software: version(), Started: h.clock.Now(),
	})
	return err
}

// operations of the interface, upon the store as it sees it.
func (h *house) operations(k *knowledge, s *exchange.Service, api store.Store) []rest.Operation {
	vietnamese := func(ctx context.Context) bool { return i18n.Of(ctx) == i18n.VI }
	return slices.Concat(
		check.Operations(check.Deps{Check: k.check, Source: k.source, Reindexer: s}),
		record.Operations(record.Deps{Store: api, Params: k.params.Load, Now: h.clock.Now, NewID: id.UUID, Terms: k.terms, Software: "ytso", Version: version()}),
		opterm.Operations(opterm.Deps{Terms: k.terms, Now: h.clock.Now, Vietnamese: vietnamese}),
		opview.Operations(opview.Deps{Store: api, Params: k.params.Load, Now: h.clock.Now}),
	)
}

// outbox is the store's outbox as the room reads it.
type outbox struct{ *sqlstore.Store }

// After is described at exchange.Outbox.
func (o outbox) After(ctx context.Context, commits, seq int64, n int) ([]exchange.Happened, error) {
	list, err := o.Outbox(ctx, sqlstore.Cursor{Commit: commits, Seq: seq}, n)
	if err != nil {
		return nil, err
	}
	out := make([]exchange.Happened, len(list))
	for i, p := range list {
		out[i] = exchange.Happened{Topic: p.Topic, Key: p.Key, Body: p.Body, At: p.At, Commits: p.After.Commit, Seq: p.After.Seq}
	}
	return out, nil
}

// Head is described at exchange.Outbox.
func (o outbox) Head(ctx context.Context) (commits, seq int64, err error) {
	at, err := o.Store.Head(ctx)
	return at.Commit, at.Seq, err
}
