package claims

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// count is the number of HOSO of a file, or of rows of a check-in or assessment table.
func count(f *claim.File) int { return len(f.HOSO) + len(f.CheckIns) + len(f.Assessments) }

// keysOf gives the MA_LK of each; an assessment has none.
func keysOf(f *claim.File) []string {
	keys := make([]string, count(f))
	for i, h := range f.HOSO {
		keys[i] = keyOf(h.XML1)
	}
	for i := range f.CheckIns {
		keys[i] = clean(f.CheckIns[i].MA_LK, maxKey)
	}
	return keys
}

func keyOf(x *claim.XML1) string {
	if x == nil {
		return ""
	}
	return clean(x.MA_LK, maxKey)
}

// maxKey bounds MA_LK: the widest that the insurer's portal takes (rules.csv ENV-008).
const maxKey = 250

func clean[T ~string](text T, n int) string {
	s := strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(string(text)), "\x00", ""), "\ufffd")
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// verdict is what became of a HOSO.
type verdict struct {
	state     HOSOState
	report    check.Report
	encounter string
}

// flukes is how often a HOSO is tried at once before it counts as failed.
const flukes = 2

// process gives one HOSO its answer. An error means that it has none yet.
func (s *Service) process(ctx context.Context, it item, try int) (err error) {
	defer outcome.Wrap(&err, "claims.process")
	v := verdict{state: HOSOStored, report: s.judge(ctx, it)}
	if v.report.Errors(int(it.ordinal())) > 0 {
		v.state = HOSORefused
		return s.settle(ctx, it, v)
	}
	w, err := s.prepare(it)
	switch {
	case err != nil:
		return s.fail(ctx, it, v, err)
	case w == nil:
		v.state = HOSOKept
		return s.settle(ctx, it, v)
	}
	v.encounter = w.visit.Encounter
	err = s.update(ctx, it, func(tx store.Tx, last bool) error {
		state, person, err := s.apply(ctx, tx, w)
		if err != nil {
			return err
		}
		v.state = state
		note := store.Note{Action: "claims." + string(state), Entity: it.b.rec.ID}
		if person != "" {
			note.Patients = []string{person}
		}
		tx.Audit(note)
		return s.write(ctx, tx, it, v, last)
	})
	if err != nil && outcome.KindOf(err) != outcome.Transient && try >= flukes {
		return s.fail(ctx, it, v, err)
	}
	return err
}

// update runs f in a transaction; last says that the receipt is to be closed
// with it, since no other HOSO of it is without an answer.
func (s *Service) update(ctx context.Context, it item, f func(tx store.Tx, last bool) error) error {
	last := it.b.left.Load() <= 1 && !it.b.given.Load()
	err := s.Store.Update(ctx, s.System, func(tx store.Tx) error { return f(tx, last) })
	if err == nil && last {
		it.b.closed.Store(true)
	}
	return err
}

// judge runs the rules over one HOSO.
func (s *Service) judge(ctx context.Context, it item) (r check.Report) {
	var rows []claim.Record
	switch f := it.b.file; f.Kind {
	case claim.Claim:
		r, rows = check.HOSO(ctx, f, f.HOSO[it.n], s.options(it.b.rec)), f.HOSO[it.n].Rows()
	case claim.CheckIn:
		r, rows = it.b.reports[it.n], []claim.Record{&f.CheckIns[it.n]}
		if other := foreign(&f.CheckIns[it.n], it.b.rec.Facility, int(it.ordinal())); other != nil {
			r.Findings = append(slices.Clip(r.Findings), *other)
		}
	default:
		r, rows = it.b.reports[it.n], []claim.Record{&f.Assessments[it.n]}
	}
	r.Findings = discreet(rows, r.Findings)
	return r
}

// foreign finds a check-in of another facility than the sender's. rules.csv
// says so of claims (ID-015) and is silent about XML0, so the finding is our own.
func foreign(row *claim.XML0, facility string, ordinal int) *check.Finding {
	code := strings.TrimSpace(string(row.MA_CSKCB))
	if code == facility {
		return nil
	}
	return &check.Finding{
		Rule: "YTSO-001", Severity: check.Error, HOSO: ordinal, MA_LK: clean(row.MA_LK, maxKey), Table: "XML0", Row: ordinal, Field: "MA_CSKCB",
		VI:     fmt.Sprintf("Mã cơ sở %q của dòng check-in khác mã cơ sở gửi dữ liệu %s.", code, facility),
		EN:     fmt.Sprintf("Facility code %q of the check-in row differs from the sending facility %s.", code, facility),
		MendVI: "Chỉ gửi check-in của cơ sở mình; sửa mã cơ sở ở dòng này rồi gửi lại.",
	}
}

// rowReports deals what was found in a table without envelope out to its rows,
// by the number that the finding carries: the STT, of which all rows that bear
// it hear, and for ENV-009, which is about the STT, the place.
func rowReports(f *claim.File, all check.Report) []check.Report {
	out := make([]check.Report, count(f))
	for i := range out {
		number, key := i+1, ""
		if f.Kind == claim.CheckIn {
			row := &f.CheckIns[i]
			key = clean(row.MA_LK, maxKey)
			if n, ok := row.STT.Int(); ok && n > 0 {
				number = int(n)
			}
		}
		for _, found := range all.Findings {
			if found.Row == number && found.Rule != "ENV-009" || found.Row == i+1 && found.Rule == "ENV-009" {
				found.HOSO, found.MA_LK = i+1, key
				out[i].Findings = append(out[i].Findings, found)
			}
		}
		for _, n := range all.NotChecked {
			n.HOSO = i + 1
			out[i].NotChecked = append(out[i].NotChecked, n)
		}
	}
	return out
}

// prepare maps a HOSO and makes its resources ready, outside any transaction.
// It gives nil for what is kept and not turned into resources.
func (s *Service) prepare(it item) (w *writing, err error) {
	defer func() {
		if p := recover(); p != nil { // one HOSO must not take the server along
			err = fmt.Errorf("panic in the mapping: %v\n%s", p, debug.Stack())
		}
	}()
	b := it.b
	src := fhirmap.Source{
		Facility: b.rec.Facility, BlobSHA256: b.rec.Blob, Ordinal: int(it.ordinal()), Received: b.rec.Received, NGAYLAP: b.rec.NGAYLAP,
	}
	w = &writing{facility: b.rec.Facility, receipt: b.rec.ID, stamp: stamp{seq: b.rec.Seq, ordinal: it.ordinal()}}
	switch b.file.Kind {
	case claim.Claim:
		h := b.file.HOSO[it.n]
		w.maLK, w.canon = keyOf(h.XML1), canonOf(claim.Canonical(h))
		if h.XML1 != nil { // the rules refuse a HOSO without it, the mapper too
			w.left = strings.TrimSpace(string(h.XML1.NGAY_RA))
		}
		w.grade, w.made = gradeClaim, madeOf(b.rec.NGAYLAP, "20060102", b.rec.Received)
		w.visit, err = s.Mapper.Map(h, src)
	case claim.CheckIn:
		mapper, ok := s.Mapper.(CheckInMapper)
		if !ok {
			return nil, nil
		}
		row := &b.file.CheckIns[it.n]
		w.maLK, w.canon = clean(row.MA_LK, maxKey), canonOf(canonicalRow(row))
		w.grade, w.made = gradeCheckIn, madeOf(string(row.NGAY_YL), "200601021504", b.rec.Received)
		w.visit, err = mapper.CheckIn(row, src)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, r := range slices.Concat([]element.Resource{w.visit.Patient}, w.visit.Shared, w.visit.Own) {
		p, err := s.Store.Prepare(store.Draft{Key: store.Key{Type: r.Type, ID: r.ID}, Body: r.Body, Owner: w.facility})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Type, err)
		}
		w.prepared = append(w.prepared, p)
	}
	return w, nil
}

// fail answers a HOSO that we could not store though no rule speaks against
// it. The cause is ours to mend; it names resource and reason, no person.
func (s *Service) fail(ctx context.Context, it item, v verdict, cause error) error {
	s.Log.ErrorContext(ctx, "a HOSO could not be stored", "receipt", it.b.rec.ID, "ordinal", it.ordinal(), "err", cause)
	v.state, v.encounter = HOSOFailed, ""
	return s.settle(ctx, it, v)
}

// settle answers a HOSO that writes no resource.
func (s *Service) settle(ctx context.Context, it item, v verdict) error {
	return s.update(ctx, it, func(tx store.Tx, last bool) error {
		tx.Audit(store.Note{Action: "claims." + string(v.state), Entity: it.b.rec.ID})
		return s.write(ctx, tx, it, v, last)
	})
}

// write puts down the answer of a HOSO with its findings, and closes the receipt with the last one.
func (s *Service) write(ctx context.Context, tx store.Tx, it item, v verdict, last bool) error {
	receipt, warnings, tries := it.b.rec.ID, 0, int64(0)
	for _, f := range v.report.Findings {
		if f.Severity == check.Warning {
			warnings++
		}
	}
	if v.state == HOSOFailed {
		tries = 1
	}
	if it.b.again[it.n] {
		if _, err := tx.Exec(ctx, `DELETE FROM claims_finding WHERE receipt = $1 AND ordinal = $2`, receipt, it.ordinal()); err != nil {
			return err
		}
	}
	if err := putFindings(ctx, tx, receipt, it.ordinal(), v.report.Findings); err != nil {
		return err
	}
	wants, err := writeWants(v.report.Wants())
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE claims_hoso SET state = $3, errors = $4, warnings = $5, notchecked = $6, encounter = $7, finished = $8, tries = tries + $9
		WHERE receipt = $1 AND ordinal = $2`, receipt, it.ordinal(), string(v.state), int64(len(v.report.Findings)-warnings), int64(warnings),
		wants, v.encounter, s.Clock.Now().UnixMilli(), tries)
	if err != nil || !last {
		return err
	}
	return closeReceipt(ctx, tx, receipt)
}
