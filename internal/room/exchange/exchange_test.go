package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/op/check"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// engines runs f on a fresh database of each engine, both at a time: call it last.
func engines(t *testing.T, f func(t *testing.T, o sqlstore.Options)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, sqlstore.Options{URL: pgtest.URL(t)})
	})
}

// ticking is a clock that a test moves.
type ticking struct{ at atomic.Int64 }

func (c *ticking) Now() time.Time          { return time.UnixMilli(c.at.Load()).UTC() }
func (c *ticking) forward(d time.Duration) { c.at.Add(d.Milliseconds()) }

// bench is the room on a store, behind the edge.
type bench struct {
	*Service
	t       testing.TB
	store   *sqlstore.Store
	clock   *ticking
	revoked *sync.Map // ids of agents
	edge    http.Handler
	params  atomic.Pointer[param.Registry]
	stop    func()
}

func (b *bench) Standing(_ context.Context, a store.Agent) error {
	if _, gone := b.revoked.Load(a.ID); gone {
		return outcome.New(outcome.Login, "test.revoked", "Đã thu hồi.", "Revoked.")
	}
	return nil
}

func open(t testing.TB, o sqlstore.Options, change ...func(*Deps)) *bench {
	t.Helper()
	b := &bench{t: t, clock: &ticking{}, revoked: &sync.Map{}}
	b.clock.at.Store(time.Date(2026, 4, 20, 1, 0, 0, 0, time.UTC).UnixMilli())
	o.Clock = b.clock
	o.Sets = []db.Set{{Room: "exchange", FS: (&Service{}).Room().Migrations}}
	var err error
	if b.store, err = sqlstore.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	b.params.Store(param.Official())
	source := canon.Sources{}
	terms := term.New(source)
	d := Deps{
		Store: b.store, Gate: trust.NewGate(trust.NewPersons(b.store)), Check: validate.New(source, terms), Terms: terms, Source: source,
		Params: b.params.Load, SetParams: b.params.Store, Index: b.store,
		Operations: func(s *Service, _ store.Store) []rest.Operation { return check.Operations(check.Deps{Reindexer: s}) },
		Outbox:     outbox{b.store}, Key: make([]byte, 32), Standing: b, Clock: b.clock, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&d)
	}
	b.renew(d)
	return b
}

// outbox is the store's, as the program gives it to the room.
type outbox struct{ *sqlstore.Store }

func (o outbox) After(ctx context.Context, commits, seq int64, n int) (out []Happened, err error) {
	list, err := o.Outbox(ctx, sqlstore.Cursor{Commit: commits, Seq: seq}, n)
	for _, p := range list {
		out = append(out, Happened{Topic: p.Topic, Key: p.Key, Body: p.Body, At: p.At, Commits: p.After.Commit, Seq: p.After.Seq})
	}
	return out, err
}

func (o outbox) Head(ctx context.Context) (int64, int64, error) {
	at, err := o.Store.Head(ctx)
	return at.Commit, at.Seq, err
}

// renew puts a new service upon the store, as a restart of the program does.
func (b *bench) renew(d Deps) {
	b.t.Helper()
	var err error
	if b.Service, err = NewService(d); err != nil {
		b.t.Fatal(err)
	}
	b.patience = time.Millisecond
	b.edge = b.site()
}

// run lets the service work until the test ends or stop is called.
func (b *bench) run() *bench {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := b.Service
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(b.stop)
	return b
}

// site is the room's routes behind the edge; who asks stands in headers.
func (b *bench) site() http.Handler {
	b.t.Helper()
	c, err := i18n.Load(ui.Messages(), messages)
	if err != nil {
		b.t.Fatal(err)
	}
	r := b.Room()
	assets, err := ui.NewAssets("", ui.Dress{Name: r.Name, Style: r.Style})
	if err != nil {
		b.t.Fatal(err)
	}
	static := httpx.Route{Pattern: "GET /static/", Who: httpx.Open, Handler: httpx.Static(assets.FS(), time.Hour)}
	h, err := httpx.New(httpx.Config{
		Routes: append(r.Routes, static), Catalogue: c, Strict: true,
		Viewer: func(ctx context.Context, _ string) context.Context { return assets.Bind(ctx) },
		Authenticate: func(r *http.Request) (context.Context, error) {
			role := r.Header.Get("X-Role")
			if role == "" {
				return r.Context(), nil
			}
			p := trust.Principal{Agent: store.Agent{Kind: store.Staff, ID: r.Header.Get("X-Id"), Role: role, Facility: r.Header.Get("X-Facility")}}
			if role == trust.RoleMachine {
				p.Agent.Kind = store.Machine
			}
			if role == trust.RoleCitizen {
				p.Agent.Kind = store.Citizen
			}
			if scope := r.Header.Get("X-Scope"); scope != "" {
				p.Agent.Kind, p.Scopes = store.System, strings.Fields(scope)
			}
			return trust.With(r.Context(), p), nil
		},
		Role: func(ctx context.Context) (string, bool) {
			p, ok := trust.From(ctx)
			return p.Agent.Role, ok
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return h
}

// caller is who asks.
type caller struct{ role, id, facility, scope string }

var (
	operator = caller{trust.RoleMachine, "token/1", "", "system/*.cruds"}
	sender   = caller{trust.RoleMachine, "25001_BV", "25001", ""}
)

func (c caller) do(b *bench, method, target, body string, header ...string) *httptest.ResponseRecorder {
	b.t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, in).WithContext(b.t.Context())
	for name, v := range map[string]string{"X-Role": c.role, "X-Id": c.id, "X-Facility": c.facility, "X-Scope": c.scope} {
		r.Header.Set(name, v)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for _, line := range header {
		name, v, _ := strings.Cut(line, ": ")
		r.Header.Set(name, v)
	}
	w := httptest.NewRecorder()
	b.edge.ServeHTTP(w, r)
	return w
}

// put writes resources of a facility, past the API.
func (b *bench) put(facility string, list ...string) {
	b.t.Helper()
	a, err := trust.System(trust.JobImport)
	if err != nil {
		b.t.Fatal(err)
	}
	var drafts []*store.Prepared
	for _, body := range list {
		var head struct{ ResourceType, ID string }
		if err := json.Unmarshal([]byte(body), &head); err != nil {
			b.t.Fatal(err)
		}
		p, err := b.store.Prepare(store.Draft{Key: store.Key{Type: head.ResourceType, ID: head.ID}, Body: []byte(body), Owner: facility})
		if err != nil {
			b.t.Fatal(err)
		}
		drafts = append(drafts, p)
	}
	err = b.store.Update(b.t.Context(), a, func(tx store.Tx) error {
		for _, p := range drafts {
			if _, err := tx.Put(b.t.Context(), p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) delete(typ, id string) {
	b.t.Helper()
	a, err := trust.System(trust.JobImport)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.store.Update(b.t.Context(), a, func(tx store.Tx) error {
		return tx.Delete(b.t.Context(), store.Key{Type: typ, ID: id}, 0)
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) count(sql string, args ...any) (n int64) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), b.system, func(r store.Reader) (err error) {
		n, err = number(b.t.Context(), r, sql, args...)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func patient(id string) string {
	return fmt.Sprintf("{\n \"resourceType\":\"Patient\",\"id\":%q,\"name\":[{\"text\":\"Nguyễn Thị Thử %s\"}],\"gender\":\"female\"}", id, id)
}

func observation(id, patient, status string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":%q,"code":{"text":"x"},"subject":{"reference":"Patient/%s"},"valueQuantity":{"value":1.50,"unit":"g"}}`, id, status, patient)
}

// until waits for something that happens behind the doors.
func (b *bench) until(what string, f func() bool) {
	b.t.Helper()
	for range 2000 {
		if f() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.t.Fatalf("never: %s", what)
}

// lines are the resources of an ndjson, as "Type/id", sorted.
func keysOf(t testing.TB, ndjson string) (list []string) {
	t.Helper()
	for line := range strings.Lines(ndjson) {
		var head struct{ ResourceType, ID string }
		if err := json.Unmarshal([]byte(line), &head); err != nil {
			t.Fatalf("%v in %.200q", err, line)
		}
		list = append(list, head.ResourceType+"/"+head.ID)
	}
	slices.Sort(list)
	return list
}

func decode(t testing.TB, body []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(body, v); err != nil {
		t.Fatalf("%v in %.300s", err, body)
	}
}
