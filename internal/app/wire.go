package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	opterm "github.com/ytso/ytso/fhir/op/term"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/canonical"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/room/claims"
	"github.com/ytso/ytso/internal/room/door"
	"github.com/ytso/ytso/internal/room/exchange"
	"github.com/ytso/ytso/internal/room/ident"
	"github.com/ytso/ytso/internal/room/registry"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
	"github.com/ytso/ytso/internal/trust/keyfile"
	"github.com/ytso/ytso/internal/trust/ledger"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Options say where a node's data lie and what it is given instead of taking it from the machine.
type Options struct {
	Data, Database string             // a folder, or postgres://…
	Key            string             // key file
	Proxies        []netip.Prefix     // our own, whose word on caller and encryption is taken
	Endpoints      exchange.Endpoints // where notifications of subscriptions may go; none by default
	Clock          clock.Clock
	Log            *slog.Logger
	// Tour makes the first page one of a demonstration.
	Tour func(context.Context) *door.Tour
}

// Node is one installation: a store and the rooms upon it. Nothing of it is
// global, so that several run in one process.
type Node struct {
	house
	rooms   []room.Room
	routes  []httpx.Route
	handler http.Handler
	started time.Time
	socket  *control // nil on PostgreSQL, which others can open as well
	stop    context.CancelFunc
	work    sync.WaitGroup
	once    sync.Once
	closed  error
}

// house is what the rooms are given.
type house struct {
	store     *sqlstore.Store
	keys      *keyfile.Keys
	gate      trust.Gate
	authn     *authn.Service
	ledger    *ledger.Ledger
	clock     clock.Clock
	log       *slog.Logger
	matcher   *ident.Matcher
	claims    *claims.Service
	places    *registry.Registry
	exchange  *exchange.Service
	tour      func(context.Context) *door.Tour
	proxies   []netip.Prefix
	endpoints exchange.Endpoints
	shared    bool // other processes may have the same database
	workers   int  // HOSO processed side by side; 0: what the room thinks right
}

// liteWorkers is so many since SQLite's writer commits for all who wait at
// once: the fuller the group, the cheaper each of it (ytso bench).
const liteWorkers = 48

// Open opens an installation, makes it when it is new, and starts the work
// behind its doors. outcome.Conflict when another process has the folder.
func Open(ctx context.Context, o Options) (n *Node, err error) {
	defer outcome.Wrap(&err, "app.Open")
	h := house{clock: o.Clock, log: o.Log, tour: o.Tour, proxies: o.Proxies, endpoints: o.Endpoints, shared: o.Database != ""}
	if h.clock == nil {
		h.clock = clock.System{}
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if o.Database == "" {
		h.workers = liteWorkers
	}
	if h.keys, err = keyfile.Open(o.Key); err != nil {
		return nil, err
	}
	if err := h.openStore(ctx, o); err != nil {
		return nil, err
	}
	if err := h.furnish(); err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	if err := h.exchange.Learn(ctx); err != nil { // before anything is written that would miss from the index
		return nil, errors.Join(err, h.store.Close())
	}
	n = &Node{house: h, rooms: rooms(&h), started: h.clock.Now()}
	if err := n.open(o.Data); err != nil {
		return nil, errors.Join(err, h.store.Close())
	}
	return n, nil
}

func (h *house) openStore(ctx context.Context, o Options) error {
	key, err := h.keys.Derive(keyfile.Database, 32)
	if err != nil {
		return err
	}
	h.store, err = sqlstore.Open(ctx, sqlstore.Options{Dir: o.Data, Key: key, URL: o.Database, Sets: migrations(), Clock: h.clock})
	return err
}

// furnish makes the services that several rooms or the commands use.
func (h *house) furnish() (err error) {
	h.gate = trust.NewGate(trust.NewPersons(h.store))
	h.authn, err = authn.New(authn.Deps{
		Store: h.store, Keys: h.keys, Clock: h.clock, Log: h.log, Proxies: h.proxies,
	})
	if err != nil {
		return err
	}
	if h.ledger, err = ledger.New(ledger.Deps{Base: h.store, Keys: h.keys, Clock: h.clock, Log: h.log}); err != nil {
		return err
	}
	ids := element.Namespace(h.store.Namespace())
	h.places = registry.New(registry.Deps{Store: h.store, IDs: ids})
	h.matcher = &ident.Matcher{Deps: ident.Deps{Store: h.store, Clock: h.clock, Numbers: element.Numbers}}
	system, err := trust.System(trust.JobClaims)
	if err != nil {
		return err
	}
	h.claims = claims.NewService(claims.Deps{
		Store: h.store, Gate: h.gate, System: system, Matcher: h.matcher, Mapper: fhirmap.New(ids),
		Clock: h.clock, Log: h.log.With("room", "claims"), Workers: h.workers,
	})
	return h.meetOthers()
}

// open hangs the doors and starts the work behind them.
func (n *Node) open(dir string) (err error) {
	if n.handler, err = n.doors(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	if dir != "" {
		// Without the socket everything works but the commands beside the server.
		if n.socket, err = listenControl(dir, n, n.log); err != nil {
			n.log.Warn("no control socket: account, signin-link and import need the server stopped", "err", err)
		}
	}
	n.run(ctx, "trust", n.authn.Run)
	n.run(ctx, "ledger", n.ledger.Run)
	for _, r := range n.rooms {
		if r.Run != nil {
			n.run(ctx, r.Name, r.Run)
		}
	}
	return nil
}

// lastSeal is how long the last audit rows may take to become signed leaves.
const lastSeal = 10 * time.Second

// run lets a room work until ctx ends.
func (n *Node) run(ctx context.Context, room string, work func(context.Context) error) {
	n.work.Go(func() {
		if err := work(ctx); err != nil && ctx.Err() == nil {
			n.log.Error("a room stopped working", "room", room, "err", err)
		}
	})
}

// Handler serves the node's pages and API.
func (n *Node) Handler() http.Handler { return n.handler }

// Close ends the work in hand, then the store. What is received and not yet
// answered waits on disk for the next start.
func (n *Node) Close() error {
	n.once.Do(func() {
		var err error
		if n.socket != nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err = n.socket.close(ctx)
			cancel()
		}
		n.stop()
		n.work.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), lastSeal)
		defer cancel()
		if e := n.ledger.Seal(ctx); e != nil { // the rows are kept, and the next start goes on with them
			n.log.Error("the log over the audit rows is not signed to its end", "err", e)
		}
		n.closed = errors.Join(err, n.store.Close())
	})
	return n.closed
}

// Ready says whether the store answers.
func (n *Node) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	a, err := trust.System(trust.JobSignIn)
	if err != nil {
		return err
	}
	return n.store.View(ctx, a, func(r store.Reader) error {
		rows, err := r.Query(ctx, `SELECT COUNT(*) FROM migration`)
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Err()
	})
}

// migrations lists what makes the tables: first what the rooms stand on, then
// each room. They are asked for before there is a store, so of rooms that were given nothing.
func migrations() []db.Set {
	sets := []db.Set{{Room: "blob", FS: blob.Migrations()}, {Room: "trust", FS: authn.Migrations()}, {Room: "ledger", FS: ledger.Migrations()}, {Room: canonical.Name, FS: canonical.Migrations()}, {Room: opterm.Name, FS: opterm.Migrations()}}
	for _, r := range rooms(&house{claims: claims.NewService(claims.Deps{}), places: registry.New(registry.Deps{}), exchange: &exchange.Service{}}) {
		if r.Migrations != nil {
			sets = append(sets, db.Set{Room: r.Name, FS: r.Migrations})
		}
	}
	return sets
}
