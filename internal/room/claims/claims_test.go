package claims

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
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

func (c *ticking) Now() time.Time { return time.UnixMilli(c.at.Load()) }

func (c *ticking) day(text string) {
	t, err := time.ParseInLocation("20060102", text, claim.VietNam)
	if err != nil {
		panic(err)
	}
	c.at.Store(t.Add(8 * time.Hour).UnixMilli())
}

// bench is a service on a store, ready to be worked.
type bench struct {
	*Service
	t       testing.TB
	store   *sqlstore.Store
	clock   *ticking
	matcher *matching
	stop    func()
}

// open opens the store of o, with what the test changes about the service.
func open(t testing.TB, o sqlstore.Options, change ...func(*Deps)) *bench {
	t.Helper()
	b := &bench{t: t, clock: &ticking{}, matcher: &matching{}}
	b.clock.day("20260420")
	o.Sets = []db.Set{{Room: "blob", FS: blob.Migrations()}, {Room: "claims", FS: (&Service{}).Room().Migrations}}
	var err error
	if b.store, err = sqlstore.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.store.Close(); err != nil {
			t.Error(err)
		}
	})
	system, err := trust.System(trust.JobClaims)
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{
		Store: b.store, Gate: trust.NewGate(trust.NewPersons(b.store)), System: system, Matcher: b.matcher, Mapper: mapping{},
		Clock: b.clock, Log: slog.New(slog.DiscardHandler), Workers: 4,
	}
	for _, c := range change {
		c(&d)
	}
	b.Service = NewService(d)
	b.pause = time.Millisecond
	return b
}

// run lets the service work until the test ends or stop is called.
func (b *bench) run() *bench {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.Run(ctx); err != nil {
			b.t.Error(err)
		}
	}()
	b.stop = sync.OnceFunc(func() { cancel(); <-done })
	b.t.Cleanup(b.stop)
	return b
}

// again is another service on the same store, as after a restart of the program.
func (b *bench) again(change ...func(*Deps)) *bench {
	d := b.Deps
	for _, c := range change {
		c(&d)
	}
	n := *b
	n.Service = NewService(d)
	n.pause = time.Millisecond
	return &n
}

// as is the access of a role of a facility.
func (b *bench) as(role, facility string) (context.Context, store.Access) {
	b.t.Helper()
	kind := store.Staff
	if role == trust.RoleMachine {
		kind = store.Machine
	}
	ctx := trust.With(b.t.Context(), trust.Principal{Agent: store.Agent{Kind: kind, ID: "acc-" + facility, Name: "Người gửi", Role: role, Facility: facility}})
	a, err := b.Gate.Access(ctx, trust.Payment)
	if err != nil {
		b.t.Fatal(err)
	}
	return ctx, a
}

// send receives a file of the home facility.
func (b *bench) send(body []byte) Receipt {
	b.t.Helper()
	ctx, a := b.as(trust.RoleMachine, home)
	rec, err := b.Receive(ctx, a, Upload{Facility: home, Door: "gateway", Sender: "acc", Body: body})
	if err != nil {
		b.t.Fatal(err)
	}
	return rec
}

// look gives the status of a receipt, after everything has its answer.
func (b *bench) look(rec Receipt) StatusView {
	b.t.Helper()
	b.Drain()
	ctx, a := b.as(trust.RoleHospital, rec.Facility)
	v, err := b.Status(ctx, a, rec.ID, rec.Facility)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// states are the states of the HOSO of a receipt.
func (b *bench) states(rec Receipt) string {
	b.t.Helper()
	var list []string
	v := b.look(rec)
	for _, h := range v.HOSO {
		list = append(list, string(h.State))
	}
	if want := map[bool]ReceiptState{true: Waiting, false: Done}[slices.Contains(list, "waiting")]; v.Receipt.State != want {
		b.t.Errorf("the receipt is %s with %v", v.Receipt.State, list)
	}
	return strings.Join(list, " ")
}

// read gives the current body of a resource, "" when it is not there.
func (b *bench) read(typ, id string) (body string) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), b.System, func(r store.Reader) error {
		res, err := r.Read(b.t.Context(), store.Key{Type: typ, ID: id})
		if err == nil {
			body = string(res.Body)
		}
		return err
	})
	if k := outcome.KindOf(err); err != nil && k != outcome.NotFound && k != outcome.Deleted {
		b.t.Fatal(err)
	}
	return body
}

// number asks the store for a count.
func (b *bench) number(sql string, args ...any) (n int64) {
	b.t.Helper()
	err := b.store.View(b.t.Context(), b.System, func(r store.Reader) error {
		rows, err := r.Query(b.t.Context(), sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Scan(&n)
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// mapping is a small Mapper: enough kinds of resources to see what is kept,
// replaced and taken away. Ids are plain, so that tests can name them.
type mapping struct{}

func object(typ, id string, members ...any) element.Resource {
	m := map[string]any{"resourceType": typ, "id": id}
	for i := 0; i < len(members); i += 2 {
		m[members[i].(string)] = members[i+1]
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return element.Resource{Type: typ, ID: id, Body: b}
}

func ref(to string) map[string]any { return map[string]any{"reference": to} }

func (mapping) Map(h *claim.HOSO, src fhirmap.Source) (*fhirmap.Visit, error) {
	x := h.XML1
	pat, enc := "p-"+src.Facility+"-"+string(x.MA_BN), "e-"+string(x.MA_LK)
	v := &fhirmap.Visit{
		Patient:   object("Patient", pat, "birthDate", "1985-05-12", "address", []any{map[string]any{"text": x.DIA_CHI}}),
		Shared:    []element.Resource{object("Coverage", "c-"+string(x.MA_BN), "status", "active", "beneficiary", ref("Patient/"+pat), "payor", []any{map[string]any{"display": "BHXH"}})},
		Encounter: enc,
	}
	v.Own = append(v.Own, object("Encounter", enc, "status", "finished", "class", map[string]any{"code": "AMB"}, "subject", ref("Patient/"+pat),
		"reasonCode", []any{map[string]any{"text": x.CHAN_DOAN_RV}}))
	for i, d := range h.XML2 {
		v.Own = append(v.Own, object("MedicationRequest", fmt.Sprintf("m-%s-%d", x.MA_LK, i+1), "status", "completed", "intent", "order",
			"subject", ref("Patient/"+pat), "encounter", ref("Encounter/"+enc), "medicationCodeableConcept", map[string]any{"text": d.TEN_THUOC}))
	}
	return v, nil
}

// checking also maps check-ins.
type checking struct{ mapping }

func (checking) CheckIn(row *claim.XML0, src fhirmap.Source) (*fhirmap.Visit, error) {
	pat, enc := "p-"+src.Facility+"-"+string(row.MA_BN), "e-"+string(row.MA_LK)
	return &fhirmap.Visit{
		Patient: object("Patient", pat, "birthDate", "1985-05-12"), Encounter: enc,
		Own: []element.Resource{object("Encounter", enc, "status", "in-progress", "class", map[string]any{"code": "AMB"}, "subject", ref("Patient/"+pat),
			"reasonCode", []any{map[string]any{"text": row.TEN_DICH_VU}})},
	}, nil
}

// matching gives every source record a person of its own, and fails when told to.
type matching struct {
	mu    sync.Mutex
	calls int
	fail  func(call int, source store.Key) error
}

func (m *matching) MatchSeen(_ context.Context, _ store.Tx, source *store.Resource, _ time.Time) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.fail != nil {
		if err := m.fail(m.calls, source.Key); err != nil {
			return "", err
		}
	}
	return "g-" + source.Key.ID, nil
}

var errBroken = errors.New("broken on purpose")

// model is a clean visit with at least two medicines, as the generator writes it.
var model = sync.OnceValue(func() synth.File {
	for f := range synth.New(synth.Options{People: 40}).Files() {
		if len(f.Claim.HOSO[0].XML2) >= 2 && f.Claim.HOSO[0].XML1.MA_THE_BHYT != "" {
			return f
		}
	}
	panic("no such visit")
})

var home = model().Facility

// visit makes a visit of the home facility under a key, changed as asked.
func visit(key string, edit ...func(*claim.HOSO)) *claim.HOSO {
	b, err := claim.Encode(model().Claim)
	if err != nil {
		panic(err)
	}
	f, err := claim.Decode(b, claim.Limits{})
	if err != nil {
		panic(err)
	}
	h := f.HOSO[0]
	for _, r := range h.Rows() {
		for i, field := range r.Table().Fields {
			if field.Name == "MA_LK" {
				r.Set(i, key)
			}
		}
	}
	for _, e := range edit {
		e(h)
	}
	return h
}

func diagnosis(text string) func(*claim.HOSO) {
	return func(h *claim.HOSO) { h.XML1.CHAN_DOAN_RV = claim.Text(text) }
}

func patient(number, address, left string) func(*claim.HOSO) {
	return func(h *claim.HOSO) {
		h.XML1.MA_BN, h.XML1.DIA_CHI, h.XML1.NGAY_RA = claim.Text(number), claim.Text(address), claim.Date12(left)
	}
}

// spoilt breaks a rule (ID-016).
func spoilt(h *claim.HOSO) { h.XML1.MA_HSBA = "" }

// bundle writes a file made on a day.
func bundle(ngaylap string, list ...*claim.HOSO) []byte {
	for i, h := range list {
		h.Ordinal = i + 1
	}
	b, err := claim.Encode(&claim.File{Kind: claim.Claim, MACSKCB: home, NGAYLAP: ngaylap, HOSO: list})
	if err != nil {
		panic(err)
	}
	return b
}
