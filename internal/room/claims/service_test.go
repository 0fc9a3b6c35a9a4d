package claims

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// TestResend: the same file changes nothing, a changed one replaces and takes
// away what the former had more, an older one that comes late is kept and not applied.
func TestResend(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		first := bundle("20260410", visit("LK1", diagnosis("A")))
		r1 := b.send(first)
		if got := b.states(r1); got != "stored" {
			t.Fatalf("first: %s %+v", got, b.look(r1).HOSO)
		}
		if b.read("MedicationRequest", "m-LK1-2") == "" {
			t.Fatal("the second medicine is not there")
		}
		if got := b.states(b.send(first)); got != "unchanged" {
			t.Errorf("same bytes: %s", got)
		}
		fewer := visit("LK1", diagnosis("B"), func(h *claim.HOSO) { h.XML2 = h.XML2[:1] })
		sumUp(fewer)
		r3 := b.send(bundle("20260412", fewer))
		if got := b.states(r3); got != "stored" {
			t.Fatalf("changed: %s %+v", got, b.look(r3).HOSO)
		}
		if b.read("MedicationRequest", "m-LK1-2") != "" || b.read("MedicationRequest", "m-LK1-1") == "" || b.read("Coverage", "c-"+string(fewer.XML1.MA_BN)) == "" {
			t.Error("what the former version had more must go, the rest and what is shared must stay")
		}
		if got := b.states(b.send(bundle("20260411", visit("LK1", diagnosis("C"))))); got != "older" {
			t.Errorf("made before what stands: %s", got)
		}
		if got := b.states(b.send(first)); got != "older" {
			t.Errorf("the first file once more: %s", got)
		}
		if !strings.Contains(b.read("Encounter", "e-LK1"), `"B"`) {
			t.Error("the newest version must stand")
		}
		// Without a usable day the order of coming decides.
		if got := b.states(b.send(bundle("30000101", visit("LK1", diagnosis("D"))))); got != "stored" {
			t.Errorf("made after it came: %s", got)
		}
		b.clock.day("20260421")
		if got := b.states(b.send(bundle("", visit("LK1", diagnosis("E"))))); got != "stored" {
			t.Errorf("without a day: %s", got)
		}
		ctx, a := b.as(trust.RoleHospital, home)
		list, err := b.Sendings(ctx, a, home, "LK1")
		if err != nil || len(list) != 7 {
			t.Fatalf("%d sendings, %v", len(list), err)
		}
		for i, one := range list {
			if one.Stands != (i == 0) {
				t.Errorf("sending %d of 7 stands: %v", i, one.Stands)
			}
		}
	})
}

// sumUp makes the totals those of the lines, so that a visit with a line less still passes the rules.
func sumUp(h *claim.HOSO) {
	whole := model().Claim.HOSO[0]
	sub := func(total *claim.Decimal, lines ...claim.Decimal) {
		d, _ := total.Decimal()
		for _, l := range lines {
			v, ok := l.Decimal()
			if ok {
				d = d.Sub(v)
			}
		}
		*total = claim.Decimal(d.Plain())
	}
	h.XML2[0] = whole.XML2[0]
	h.XML2[0].MA_LK = h.XML1.MA_LK
	for _, gone := range whole.XML2[1:] {
		sub(&h.XML1.T_THUOC, gone.THANH_TIEN_BV)
		sub(&h.XML1.T_TONGCHI_BV, gone.THANH_TIEN_BV)
		sub(&h.XML1.T_TONGCHI_BH, gone.THANH_TIEN_BH)
		sub(&h.XML1.T_BNTT, gone.T_BNTT)
		sub(&h.XML1.T_BNCCT, gone.T_BNCCT)
		sub(&h.XML1.T_BHTT, gone.T_BHTT)
		sub(&h.XML1.T_BHTT_GDV, gone.T_BHTT)
	}
}

// TestConfirmed: a version that was sent again today is not replaced by another that was made yesterday.
func TestConfirmed(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		b.states(b.send(bundle("20260410", visit("LK1", diagnosis("A")))))
		if got := b.states(b.send(bundle("20260414", visit("LK1", diagnosis("A"))))); got != "unchanged" {
			t.Fatal(got)
		}
		if got := b.states(b.send(bundle("20260412", visit("LK1", diagnosis("B"))))); got != "older" {
			t.Error(got)
		}
	})
}

// TestTwiceInOneFile: of two HOSO with one MA_LK the later one is the newer version, whichever is processed first.
func TestTwiceInOneFile(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		for i := range 5 {
			key := fmt.Sprint("LK", i)
			rec := b.send(bundle("20260410", visit(key, diagnosis("A")), visit(key, diagnosis("B"))))
			if got := b.states(rec); got != "stored stored" && got != "older stored" {
				t.Error(got)
			}
			if !strings.Contains(b.read("Encounter", "e-"+key), `"B"`) {
				t.Error("the later HOSO must stand")
			}
		}
	})
}

// TestOneBadHOSO: it does not sink its neighbours, and its findings say what to do.
func TestOneBadHOSO(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		rec := b.send(bundle("20260410", visit("LK1"), visit("LK2", spoilt), visit("LK3")))
		if got := b.states(rec); got != "stored refused stored" {
			t.Fatal(got)
		}
		v := b.look(rec)
		bad := v.HOSO[1]
		if len(bad.Findings) != 1 || bad.Errors != 1 {
			t.Fatalf("%+v", bad)
		}
		f := bad.Findings[0]
		if f.Rule != "ID-016" || f.MA_LK != "LK2" || f.HOSO != 2 || f.Table != "XML1" || f.Field != "MA_HSBA" || f.VI == "" || f.EN == "" || f.MendVI == "" {
			t.Errorf("%+v", f)
		}
		if b.read("Encounter", "e-LK2") != "" || b.read("Encounter", "e-LK3") == "" {
			t.Error("the bad one must not be there, its neighbour must")
		}
		if len(v.HOSO[0].NotChecked) == 0 {
			t.Error("what could not be judged must be said")
		}
		if c := v.Receipt.Counts; c[HOSOStored] != 2 || c[HOSORefused] != 1 {
			t.Errorf("counts %v", c)
		}
		// Mended and sent again.
		if got := b.states(b.send(bundle("20260411", visit("LK1"), visit("LK2"), visit("LK3")))); got != "unchanged stored unchanged" {
			t.Error(got)
		}
	})
}

// TestRefusedWhole: the reasons to take nothing of a file; its bytes are kept in every case.
func TestRefusedWhole(t *testing.T) {
	whole := bundle("20260410", visit("LK1"), visit("LK2"))
	signed := func(d *Deps) { d.Context.Signature = forged{} }
	cases := []struct {
		name, key, rule string
		body            []byte
		upload          Upload
		change          []func(*Deps)
	}{
		{"cut off", "claim.cut-off", "", whole[:len(whole)*2/3], Upload{Facility: home}, nil},
		{"a HOSO lost", "claim.count", "ENV-003", []byte(strings.Replace(string(whole), "<SOLUONGHOSO>2<", "<SOLUONGHOSO>3<", 1)), Upload{Facility: home}, nil},
		{"no facility", "claim.no-facility", "ENV-002", []byte(strings.Replace(string(whole), home+"</MACSKCB>", "</MACSKCB>", 1)), Upload{Facility: home}, nil},
		{"not XML", "claim.not-xml", "", []byte("PK\x03\x04 a picture"), Upload{Facility: home}, nil},
		{"empty", "claim.cut-off", "", nil, Upload{Facility: home}, nil},
		{"another facility", "claims.other-facility", "", whole, Upload{Facility: "99999"}, nil},
		{"another door", "claims.other-kind", "", whole, Upload{Facility: home, Kind: claim.CheckIn}, nil},
		{"nothing in it", "claims.nothing", "", bundle("20260410"), Upload{Facility: home}, nil},
		{"the door's own reason", errMaTinh.Key, "", whole, Upload{Facility: home, Refuse: errMaTinh}, nil},
		{"forged signature", "claims.file-rule", "ENV-015", whole, Upload{Facility: home}, []func(*Deps){signed}},
	}
	engines(t, func(t *testing.T, o sqlstore.Options) {
		whole := open(t, o)
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				b := whole.again(c.change...).run()
				b.t = t
				ctx, a := b.as(trust.RoleMachine, c.upload.Facility)
				c.upload.Body = c.body
				rec, err := b.Receive(ctx, a, c.upload)
				if err != nil {
					t.Fatal(err)
				}
				v := b.look(rec)
				if v.Receipt.State != Refused || v.Receipt.ErrorKey != c.key || v.Receipt.ErrorVI == "" || v.Receipt.ErrorEN == "" || len(v.HOSO) != 0 {
					t.Errorf("%+v", v.Receipt)
				}
				if said := slices.ContainsFunc(v.Findings, func(f check.Finding) bool { return f.Rule == c.rule && f.MendVI != "" }); said != (c.rule != "") {
					t.Errorf("findings %+v, want %q", v.Findings, c.rule)
				}
				err = b.store.View(ctx, b.System, func(r store.Reader) error {
					kept, err := blob.Get(ctx, r, v.Receipt.Blob)
					if err == nil && string(kept) != string(c.body) {
						t.Error("other bytes were kept")
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		if n := whole.number(`SELECT COUNT(*) FROM claims_current`) + whole.number(`SELECT COUNT(*) FROM claims_hoso`); n != 0 {
			t.Errorf("%d visits were taken in", n)
		}
	})
}

type forged struct{}

func (forged) Valid() bool { return false }

// TestRestart: what waits when the program stops is finished by the next one,
// also when the stop comes in the middle of a file.
func TestRestart(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		var list []*claim.HOSO
		for i := range 30 {
			list = append(list, visit(fmt.Sprint("LK", i)))
		}
		waits := b.send(bundle("20260410", list...)) // nothing runs yet
		single := b.send(bundle("20260410", visit("LK99", spoilt)))
		reached := make(chan struct{})
		b.matcher.fail = func(n int, _ store.Key) error {
			if n == 10 {
				close(reached)
			}
			return nil
		}
		middle := b.again().run()
		<-reached
		middle.stop()
		done := b.number(`SELECT COUNT(*) FROM claims_hoso WHERE state = 'stored'`)
		if done == 0 || done >= 30 {
			t.Fatalf("%d HOSO were done when the program stopped: the test shows nothing", done)
		}
		last := b.again().run()
		if got := last.states(waits); got != strings.TrimSpace(strings.Repeat("stored ", 30)) {
			t.Error(got)
		}
		if got := last.states(single); got != "refused" {
			t.Error(got)
		}
		if v := last.look(waits); v.Receipt.Counts[HOSOStored] != 30 {
			t.Errorf("%v", v.Receipt.Counts)
		}
	})
}

// TestFailures: whatever breaks in the middle of a HOSO leaves nothing of it,
// does not touch its neighbours, and is tried again at the next start, a few times.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name  string
		broke func(b *bench, d *Deps)
	}{
		{"matcher", func(b *bench, _ *Deps) {
			b.matcher.fail = func(_ int, k store.Key) error {
				if strings.HasSuffix(k.ID, "-BAD") {
					return errBroken
				}
				return nil
			}
		}},
		{"last put", func(b *bench, d *Deps) {
			d.Store = failing{b.store, func(k store.Key) bool { return k.ID == "m-LK2-2" }}
		}},
		{"mapper", func(_ *bench, d *Deps) { d.Mapper = panicking{} }},
		{"not FHIR", func(_ *bench, d *Deps) { d.Mapper = babbling{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines(t, func(t *testing.T, o sqlstore.Options) {
				whole := open(t, o)
				b := whole.again(func(d *Deps) { c.broke(whole, d) }).run()
				bad := visit("LK2", func(h *claim.HOSO) { h.XML1.MA_BN = "BAD" })
				rec := b.send(bundle("20260410", visit("LK1"), bad, visit("LK3")))
				if got := b.states(rec); got != "stored failed stored" {
					t.Fatal(got)
				}
				for _, k := range []string{"Encounter/e-LK2", "MedicationRequest/m-LK2-1", "Patient/p-" + home + "-BAD", "Coverage/c-BAD"} {
					typ, id, _ := strings.Cut(k, "/")
					if b.read(typ, id) != "" {
						t.Errorf("%s was half stored", k)
					}
				}
				for _, sql := range []string{
					`SELECT COUNT(*) FROM claims_current WHERE ma_lk = 'LK2'`, `SELECT COUNT(*) FROM claims_patient WHERE ma_lk = 'LK2'`,
					`SELECT COUNT(*) FROM outbox WHERE key LIKE '%LK2%'`,
				} {
					if n := b.number(sql); n != 0 {
						t.Errorf("%s gives %d", sql, n)
					}
				}
				b.stop()
				for range maxTries + 1 { // each start tries, and no more than maxTries times in all
					n := whole.again(func(d *Deps) { c.broke(whole, d) }).run()
					n.Drain()
					n.stop()
				}
				if n := b.number(`SELECT tries FROM claims_hoso WHERE ma_lk = 'LK2'`); n != maxTries {
					t.Errorf("tried %d times", n)
				}
			})
		})
	}
}

// TestMended: what failed is stored at the next start when the cause is gone.
func TestMended(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		whole := open(t, o)
		b := whole.again(func(d *Deps) { d.Mapper = panicking{} }).run()
		rec := b.send(bundle("20260410", visit("LK1"), visit("LK2", func(h *claim.HOSO) {
			h.XML1.MA_BN, h.XML1.HO_TEN = "BAD", "Đinh Thị Kín 2" // a warning, which must not stand twice in the end
		})))
		if got := b.states(rec); got != "stored failed" {
			t.Fatal(got)
		}
		b.stop()
		n := whole.again().run()
		if got := n.states(rec); got != "stored stored" {
			t.Error(got)
		}
		v := n.look(rec)
		if c := v.Receipt.Counts; c[HOSOStored] != 2 || c[HOSOFailed] != 0 {
			t.Errorf("%v", c)
		}
		if h := v.HOSO[1]; h.Warnings != 1 || len(h.Findings) != 1 || h.Findings[0].Rule != "ID-002" {
			t.Errorf("%+v", h)
		}
	})
}

// TestFluke: one failure that does not come again costs nothing.
func TestFluke(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		b.matcher.fail = func(n int, _ store.Key) error {
			if n == 2 {
				return errBroken
			}
			return nil
		}
		b.run()
		if got := b.states(b.send(bundle("20260410", visit("LK1"), visit("LK2"), visit("LK3")))); got != "stored stored stored" {
			t.Error(got)
		}
	})
}

// failing is a store whose Put fails for some keys.
type failing struct {
	store.Store
	fail func(store.Key) bool
}

func (f failing) Update(ctx context.Context, a store.Access, do func(store.Tx) error) error {
	return f.Store.Update(ctx, a, func(tx store.Tx) error { return do(failingTx{tx, f.fail}) })
}

type failingTx struct {
	store.Tx
	fail func(store.Key) bool
}

func (f failingTx) Put(ctx context.Context, p *store.Prepared) (*store.Resource, error) {
	if f.fail(p.Draft.Key) {
		return nil, errBroken
	}
	return f.Tx.Put(ctx, p)
}

// panicking can't map one patient.
type panicking struct{ mapping }

func (m panicking) Map(h *claim.HOSO, src fhirmap.Source) (*fhirmap.Visit, error) {
	if h.XML1.MA_BN == "BAD" {
		panic("index out of range")
	}
	return m.mapping.Map(h, src)
}

// babbling maps one patient to what is no JSON.
type babbling struct{ mapping }

func (m babbling) Map(h *claim.HOSO, src fhirmap.Source) (*fhirmap.Visit, error) {
	v, err := m.mapping.Map(h, src)
	if h.XML1.MA_BN == "BAD" {
		v.Own[0].Body = []byte(`{"resourceType":`)
	}
	return v, err
}

// TestAnyOrder: four versions of a visit, among them a repeat of the first,
// leave the same in whatever order they are processed.
func TestAnyOrder(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o)
		made := []string{"20260410", "20260411", "20260412", "20260412"}
		said := []string{"A", "B", "A", "C"}
		jobs := map[string][]job{}
		for n, order := range permutations(4) {
			key := fmt.Sprint("LK", n)
			var list []job
			for i := range made {
				list = append(list, job{receipt: b.send(bundle(made[i], visit(key, diagnosis(said[i])))).ID})
			}
			for _, i := range order {
				jobs[key] = append(jobs[key], list[i])
			}
		}
		one := b.again(func(d *Deps) { d.Workers = 1 })
		items := make(chan item)
		go func() {
			defer close(items)
			for _, list := range jobs {
				for _, j := range list {
					one.line.reserve(j.receipt)
					one.feed(t.Context(), j, items)
				}
			}
		}()
		for it := range items {
			one.answer(t.Context(), it)
		}
		for key := range jobs {
			if got := b.read("Encounter", "e-"+key); !strings.Contains(got, `"C"`) {
				t.Errorf("%s: %s", key, got)
			}
		}
	})
}

func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var out [][]int
	for _, p := range permutations(n - 1) {
		for at := range n {
			out = append(out, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return out
}

// TestSideBySide: many senders with many versions of few visits of one
// patient; in the end each visit is its newest version and nothing else.
func TestSideBySide(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o, func(d *Deps) { d.Workers = 8 }).run()
		const visits, versions = 3, 12
		var bodies [][]byte
		for v := range versions {
			for n := range visits {
				h := visit(fmt.Sprint("LK", n), diagnosis(fmt.Sprintf("V%02d", v)), patient("BN1", fmt.Sprintf("Thôn %d-%02d", n, v), fmt.Sprintf("202604%02d0900", 1+n)))
				bodies = append(bodies, bundle(fmt.Sprintf("202604%02d", 5+v), h))
			}
		}
		bodies = append(bodies, bodies...) // everything twice
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
		var wg sync.WaitGroup
		recs := make(chan Receipt, len(bodies))
		for part := range slices.Chunk(bodies, 9) {
			wg.Go(func() {
				for _, body := range part {
					recs <- b.send(body)
				}
			})
		}
		wg.Wait()
		close(recs)
		for rec := range recs {
			if got := b.states(rec); got == "failed" || got == "waiting" || got == "refused" {
				t.Fatal(got)
			}
		}
		for n := range visits {
			if got := b.read("Encounter", fmt.Sprint("e-LK", n)); !strings.Contains(got, fmt.Sprintf("V%02d", versions-1)) {
				t.Errorf("visit %d: %s", n, got)
			}
		}
		if got := b.read("Patient", "p-"+home+"-BN1"); !strings.Contains(got, fmt.Sprintf("Thôn %d-%02d", visits-1, versions-1)) {
			t.Errorf("the patient is not as the last visit tells: %s", got)
		}
		if n := b.number(`SELECT COUNT(*) FROM res WHERE typ = 'Encounter' AND deleted = 0`); n != visits {
			t.Errorf("%d encounters", n)
		}
	})
}

// TestPatientOfTheLatestVisit: an old visit that comes late does not undo what a later one told of the person.
func TestPatientOfTheLatestVisit(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		address := func() string { return b.read("Patient", "p-"+home+"-BN1") }
		for _, c := range []struct{ key, made, left, lives, want string }{
			{"LK2", "20260402", "202604020900", "Xã mới", "Xã mới"},
			{"LK1", "20260415", "202603010900", "Xã cũ", "Xã mới"}, // an old visit, sent late
			{"LK3", "20260416", "202604100900", "Xã mới hơn", "Xã mới hơn"},
			{"LK2", "20260417", "202604020900", "Xã sửa lại", "Xã mới hơn"}, // a correction of what is not the latest
			{"LK3", "20260418", "202604100900", "Xã đúng", "Xã đúng"},
		} {
			if got := b.states(b.send(bundle(c.made, visit(c.key, patient("BN1", c.lives, c.left))))); got != "stored" {
				t.Fatalf("%s: %s", c.key, got)
			}
			if !strings.Contains(address(), `"`+c.want+`"`) {
				t.Errorf("after %s of %s the patient lives at %s, want %s", c.key, c.made, address(), c.want)
			}
		}
	})
}

// TestCheckIn: a check-in shows the visit while it runs, the claim replaces it, and no check-in comes before a claim again.
func TestCheckIn(t *testing.T) {
	row := func(key, service, at string) claim.XML0 {
		return claim.XML0{
			MA_LK: claim.Text(key), STT: "1", MA_BN: "BN1", HO_TEN: "Y-Ví Dụ Niê", NGAY_SINH: "198505120000", GIOI_TINH: "1", MA_DOITUONG_KCB: "1.1",
			NGAY_VAO: "202604200700", MA_LOAI_KCB: "01", MA_CSKCB: claim.Text(home), MA_DICH_VU: "02.1896", TEN_DICH_VU: claim.Text(service), NGAY_YL: claim.Date12(at),
		}
	}
	file := func(rows ...claim.XML0) []byte {
		b, err := claim.Encode(&claim.File{Kind: claim.CheckIn, CheckIns: rows})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o, func(d *Deps) { d.Mapper = checking{} }).run()
		if got := b.states(b.send(file(row("LK1", "Khám", "202604200710")))); got != "stored" {
			t.Fatal(got)
		}
		other := row("LK2", "Khám", "202604200711")
		other.MA_CSKCB, other.STT = "99999", "2"
		blank := row("", "Khám", "202604200711")
		blank.STT = "3"
		rec := b.send(file(row("LK1", "Siêu âm", "202604200720"), other, blank, row("LK1", "Khám", "202604200710")))
		v := b.look(rec)
		if got := b.states(rec); got != "stored refused refused refused" { // the last bears the STT of the first
			t.Errorf("%s %+v", got, v.HOSO)
		}
		if f := v.HOSO[1].Findings; len(f) != 1 || f[0].Rule != "YTSO-001" || f[0].HOSO != 2 {
			t.Errorf("%+v", f)
		}
		if f := v.HOSO[2].Findings; len(f) != 1 || f[0].Rule != "ENV-008" {
			t.Errorf("%+v", f)
		}
		last := row("LK1", "Khám", "202604200710")
		last.STT = "2"
		if got := b.states(b.send(file(row("LK1", "Siêu âm", "202604200720"), last))); got != "unchanged older" {
			t.Error(got)
		}
		if got := b.read("Encounter", "e-LK1"); !strings.Contains(got, "Siêu âm") {
			t.Errorf("the latest check-in must stand: %s", got)
		}
		if got := b.states(b.send(bundle("20260420", visit("LK1", patient("BN1", "Thôn 1", "202604200900"))))); got != "stored" {
			t.Fatal(got)
		}
		b.clock.day("20260421")
		if got := b.states(b.send(file(row("LK1", "Xét nghiệm", "202604210710")))); got != "older" {
			t.Error(got)
		}
		if got := b.read("Encounter", "e-LK1"); !strings.Contains(got, "finished") {
			t.Errorf("the claim must stand: %s", got)
		}
		b.states(b.send(file(row("LK7", "Khám", "202604210715"))))
		if got := b.read("Patient", "p-"+home+"-BN1"); !strings.Contains(got, "Thôn 1") {
			t.Errorf("a check-in tells less of the person than the claim before it: %s", got)
		}
		plain := b.again(func(d *Deps) { d.Mapper = mapping{} }).run()
		if got := plain.states(plain.send(file(row("LK8", "Khám", "202604210716")))); got != "kept" {
			t.Errorf("with a mapper that knows no check-in: %s", got)
		}
	})
}

// TestAssessment: XML12 is received, checked, kept and read back, and said to be no more than that.
func TestAssessment(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		body, err := claim.Encode(&claim.File{Kind: claim.Assessment, Assessments: []claim.XML12{
			{HO_TEN: "Y-Ví Dụ Niê", NGAY_SINH: "19850512"}, {HO_TEN: "H'Ví Dụ", NGAY_SINH: "19851399"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		rec := b.send(body)
		if got := b.states(rec); got != "kept refused" {
			t.Errorf("%s %+v", got, b.look(rec).HOSO)
		}
		if ans := b.look(rec).answer(); ans.HoSo[0].DienGiai != "Đã nhận và lưu bản gốc" || ans.HoSo[1].Loi[0].QuyTac != "ENV-014" {
			t.Errorf("%+v", ans)
		}
	})
}

// TestOtherFacility: nobody learns of another facility's files, not even that they are there.
func TestOtherFacility(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		rec := b.send(bundle("20260410", visit("LK1")))
		b.Drain()
		ctx, a := b.as(trust.RoleHospital, "25002")
		_, foreign := b.Status(ctx, a, rec.ID, "25002")
		_, unknown := b.Status(ctx, a, "NONE", "25002")
		if outcome.KindOf(foreign) != outcome.NotFound || foreign.Error() != unknown.Error() {
			t.Errorf("%v / %v", foreign, unknown)
		}
		if list, err := b.Sendings(ctx, a, "25002", "LK1"); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
		if known, err := b.Known(ctx, a, "25002", bundle("20260410", visit("LK1"))); err != nil || known {
			t.Errorf("known %v %v", known, err)
		}
		if known, err := b.Known(ctx, a, home, bundle("20260410", visit("LK1"))); err != nil || !known {
			t.Errorf("known %v %v", known, err)
		}
	})
}

// TestAuditOfStoring: the row of a stored HOSO names the person and the receipt.
func TestAuditOfStoring(t *testing.T) {
	engines(t, func(t *testing.T, o sqlstore.Options) {
		b := open(t, o).run()
		rec := b.send(bundle("20260410", visit("LK1")))
		b.Drain()
		person := "g-p-" + home + "-" + string(model().Claim.HOSO[0].XML1.MA_BN)
		if n := b.number(`SELECT COUNT(*) FROM audit a JOIN audit_patient p ON p.seq = a.seq
			WHERE a.action = 'claims.stored' AND a.entity = $1 AND p.patient = $2 AND a.rule = 'claims.process'`, rec.ID, person); n != 1 {
			t.Errorf("%d rows", n)
		}
		if n := b.number(`SELECT COUNT(*) FROM audit WHERE action = 'claims.receive' AND entity = $1 AND facility = $2`, rec.ID, home); n != 1 {
			t.Errorf("%d rows of receiving", n)
		}
	})
}

// TestLongLine: a sender that comes while the line is long waits a little, is
// answered all the same, and its file is processed from the disk.
func TestLongLine(t *testing.T) {
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	b.line.slots = make(chan struct{}, 2)
	close(b.line.stopped) // nobody waits for patience to end
	var recs []Receipt
	for i := range 5 {
		recs = append(recs, b.send(bundle("20260410", visit(fmt.Sprint("LK", i)))))
	}
	if n := len(b.line.slots); n != 2 {
		t.Errorf("%d files in memory", n)
	}
	b.line.stopped = make(chan struct{})
	b.run()
	for _, rec := range recs {
		if got := b.states(rec); got != "stored" {
			t.Error(got)
		}
	}
}
