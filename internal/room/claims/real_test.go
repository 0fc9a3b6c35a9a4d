package claims

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// real gives the service the mapping of the house.
func real(d *Deps) { d.Mapper = fhirmap.New(element.Namespace{1, 2, 3}) }

// province gives the first n files of an invented province.
func province(t testing.TB, n int) (list []synth.File) {
	t.Helper()
	for f := range synth.New(synth.Options{People: 60}).Files() {
		if list = append(list, f); len(list) == n {
			return list
		}
	}
	return list
}

func encoded(t testing.TB, f *claim.File) []byte {
	t.Helper()
	b, err := claim.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestProvince: files of an invented province through the real mapping: every
// visit is stored, and sent again nothing changes.
func TestProvince(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o, real).run()
		b.clock.day("20260630")
		list := province(t, 120)
		for round, want := range []string{"stored", "unchanged"} {
			var recs []Receipt
			for _, f := range list {
				_, a := b.as(trust.RoleMachine, f.Facility)
				rec, err := b.Receive(t.Context(), a, Upload{Facility: f.Facility, Door: "import", Name: f.Name, Body: encoded(t, f.Claim)})
				if err != nil {
					t.Fatal(err)
				}
				recs = append(recs, rec)
			}
			for i, rec := range recs {
				if got := b.states(rec); got != want {
					t.Fatalf("round %d, %s: %s %+v", round, list[i].Name, got, b.look(rec).HOSO[0].Findings)
				}
			}
		}
		if n := b.number(`SELECT COUNT(*) FROM res WHERE typ = 'Encounter' AND deleted = 0`); n != 120 {
			t.Errorf("%d encounters", n)
		}
		v := b.look(b.send(encoded(t, model().Claim)))
		err := b.store.View(t.Context(), b.System, func(r store.Reader) error {
			_, err := r.Read(t.Context(), store.Key{Type: "Encounter", ID: v.HOSO[0].Encounter})
			return err
		})
		if err != nil {
			t.Errorf("the Encounter that the status names: %v", err)
		}
	})
}

// TestFaults: each kind of planted fault gets the answer that its words ask
// for, and what is only written otherwise is stored or is unchanged.
func TestFaults(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}, real).run()
	b.clock.day("20260630")
	list := province(t, 400)
	for _, k := range fault.Kinds {
		var body []byte
		var from synth.File
		for _, f := range list {
			if broken, _, ok := fault.Plant(k, 1, encoded(t, f.Claim)); ok {
				body, from = broken, f
				break
			}
		}
		if body == nil {
			continue
		}
		_, a := b.as(trust.RoleMachine, from.Facility)
		rec, err := b.Receive(t.Context(), a, Upload{Facility: from.Facility, Body: body, Door: "import"})
		if err != nil {
			t.Fatal(err)
		}
		v := b.look(rec)
		switch {
		case k.Whole != "":
			if v.Receipt.State != Refused || v.Receipt.ErrorKey != k.Whole && !strings.HasPrefix(v.Receipt.ErrorKey, "claims.") {
				t.Errorf("%s: %+v", k.Name, v.Receipt)
			}
		case v.Receipt.State == Refused: // the envelope names another facility than the sender's
			if !slices.Contains(k.Expect, "ID-015") || v.Receipt.ErrorKey != errOtherFacility.Key {
				t.Errorf("%s: %+v", k.Name, v.Receipt)
			}
		case len(k.Expect) == 0:
			if s := v.HOSO[0].State; s != HOSOStored && s != HOSOUnchanged {
				t.Errorf("%s: %s %+v", k.Name, s, v.HOSO[0].Findings)
			}
		default:
			var said []string
			for _, f := range v.HOSO[0].Findings {
				said = append(said, f.Rule)
			}
			if !slices.Contains(said, k.Expect[0]) && !slices.ContainsFunc(k.Expect, func(r string) bool { return slices.Contains(said, r) }) {
				t.Errorf("%s: %v, want %v", k.Name, said, k.Expect)
			}
			if (v.HOSO[0].Errors > 0) != (v.HOSO[0].State == HOSORefused) || v.HOSO[0].State == HOSOFailed {
				t.Errorf("%s: %d errors, %s", k.Name, v.HOSO[0].Errors, v.HOSO[0].State)
			}
		}
	}
}

// BenchmarkStore measures claim file → stored: bytes of one visit each through
// receipt, checks, the real mapping and the store with its gate, audit and
// encryption. Senders side by side, as from several hospitals.
//
//	go test -run '^$' -bench Store -benchtime 2000x ./internal/room/claims
func BenchmarkStore(b *testing.B) {
	for _, workers := range []int{2, 16} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			s := open(b, sqlstore.Options{Dir: b.TempDir(), Key: make([]byte, 32)}, real, func(d *Deps) { d.Workers = workers; d.Matcher = people{s: d.Store} }).run()
			s.clock.day("20260630")
			list := province(b, b.N)
			bodies := make([][]byte, len(list))
			for i, f := range list {
				bodies[i] = encoded(b, f.Claim)
			}
			_, a := s.as(trust.RoleMachine, home)
			b.ResetTimer()
			began := time.Now()
			todo := make(chan int)
			done := make(chan struct{})
			for range 8 {
				go func() {
					for i := range todo {
						if _, err := s.Receive(b.Context(), a, Upload{Facility: list[i].Facility, Door: "gateway", Body: bodies[i]}); err != nil {
							b.Error(err)
						}
					}
					done <- struct{}{}
				}()
			}
			for i := range bodies {
				todo <- i
			}
			close(todo)
			for range 8 {
				<-done
			}
			s.Drain()
			b.ReportMetric(float64(len(bodies))/time.Since(began).Seconds(), "HOSO/s")
			b.StopTimer()
			if n := s.number(`SELECT COUNT(*) FROM claims_hoso WHERE state = 'stored'`); n != int64(len(bodies)) {
				b.Fatalf("%d of %d stored", n, len(bodies))
			}
			b.ReportMetric(float64(s.number(`SELECT COUNT(*) FROM res`))/float64(len(bodies)), "resources/HOSO")
		})
	}
}

// people is a matcher that costs what identity costs: a golden Patient that
// links the source record, written when the source record changed.
type people struct{ s store.Store }

func (m people) MatchSeen(ctx context.Context, tx store.Tx, source *store.Resource, _ time.Time) (string, error) {
	id := "g" + source.Key.ID[1:]
	if !source.Changed {
		return id, nil
	}
	p, err := m.s.Prepare(store.Draft{Key: store.Key{Type: "Patient", ID: id}, Body: []byte(`{"resourceType":"Patient","id":"` + id +
		`","active":true,"link":[{"other":{"reference":"Patient/` + source.Key.ID + `"},"type":"seealso"}]}`)})
	if err != nil {
		return "", err
	}
	_, err = tx.Put(ctx, p)
	return id, err
}
