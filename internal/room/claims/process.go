package claims

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
	"github.com/ytso/ytso/vn/claim/fhirmap"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// job is a receipt whose HOSO wait for an answer; file is nil when it must be read from the store again.
type job struct {
	receipt Receipt
	file    *claim.File
}

// process answers every waiting HOSO of a receipt. An error means that the
// receipt stays Waiting and is taken up again at the next start.
func (s *Service) process(ctx context.Context, j job) (err error) {
	defer outcome.Wrap(&err, "claims.process %s", j.receipt.ID)
	waiting, err := s.waiting(ctx, &j)
	if err != nil {
		return err
	}
	for _, h := range j.file.HOSO {
		if !slices.Contains(waiting, int64(h.Ordinal)) {
			continue
		}
		if err := s.processHOSO(ctx, j, h); err != nil {
			return err
		}
	}
	return s.store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "claim.finish", Entity: j.receipt.ID})
		_, err := tx.Exec(ctx, `UPDATE claims_receipt SET state = $2 WHERE id = $1 AND state = $3`, j.receipt.ID, string(Done), string(Waiting))
		return err
	})
}

// waiting lists the ordinals without an answer, and reads the original again when the job came without it.
func (s *Service) waiting(ctx context.Context, j *job) (ordinals []int64, err error) {
	err = s.store.View(ctx, s.system, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claim.process", Entity: j.receipt.ID})
		rows, err := r.Query(ctx, `SELECT ordinal FROM claims_hoso WHERE receipt = $1 AND state IN ($2, $3)`,
			j.receipt.ID, string(HOSOWaiting), string(HOSOFailed))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int64
			if err := rows.Scan(&n); err != nil {
				return err
			}
			ordinals = append(ordinals, n)
		}
		if err := rows.Err(); err != nil || j.file != nil {
			return err
		}
		body, err := blob.Get(ctx, r, j.receipt.Blob)
		if err != nil {
			return err
		}
		j.file, err = claim.Decode(body, s.limits)
		return err
	})
	return ordinals, err
}

// answer is what became of a HOSO.
type answer struct {
	state     HOSOState
	report    check.Report
	encounter string
}

func (s *Service) processHOSO(ctx context.Context, j job, h *claim.HOSO) error {
	ans := answer{state: HOSOStored}
	ans.report = check.HOSO(ctx, j.file, h, check.Options{At: j.receipt.Received, Context: s.context})
	if ans.report.Errors(h.Ordinal) > 0 || h.XML1 == nil {
		ans.state = HOSORefused
		return s.store.Update(ctx, s.system, func(tx store.Tx) error { return s.settle(ctx, tx, j, h, ans) })
	}
	visit, err := s.mapper.Map(h, fhirmap.Source{
		Facility: j.receipt.Facility, BlobSHA256: j.receipt.Blob, Ordinal: h.Ordinal,
		Received: j.receipt.Received, NGAYLAP: j.receipt.NGAYLAP,
	})
	if err != nil {
		return s.fail(ctx, j, h, ans, err)
	}
	prepared, err := s.prepare(visit, j.receipt.Facility)
	if err != nil {
		return s.fail(ctx, j, h, ans, err)
	}
	sum := sha256.Sum256(claim.Canonical(h))
	canon := hex.EncodeToString(sum[:])
	err = s.store.Update(ctx, s.system, func(tx store.Tx) error {
		ans.state = HOSOStored
		stands, err := s.current(ctx, tx, j.receipt.Facility, keyOf(h))
		if err != nil {
			return err
		}
		switch {
		case stands.canon == canon:
			ans.state = HOSOUnchanged
		case stands.newer(j.receipt):
			ans.state = HOSOOlder
		default:
			if err := s.write(ctx, tx, j, h, visit, prepared, stands, canon); err != nil {
				return err
			}
		}
		ans.encounter = visit.Encounter
		return s.settle(ctx, tx, j, h, ans)
	})
	if err != nil && ctx.Err() == nil && outcome.KindOf(err) != outcome.Transient {
		return s.fail(ctx, j, h, ans, err)
	}
	return err
}

// fail answers a HOSO that we could not store though no rule speaks against
// it. The cause is ours to mend; it names resource and reason, no person.
func (s *Service) fail(ctx context.Context, j job, h *claim.HOSO, ans answer, cause error) error {
	s.log.ErrorContext(ctx, "a HOSO could not be stored", "receipt", j.receipt.ID, "ordinal", h.Ordinal, "err", cause)
	ans.state = HOSOFailed
	return s.store.Update(ctx, s.system, func(tx store.Tx) error { return s.settle(ctx, tx, j, h, ans) })
}

func (s *Service) prepare(v *fhirmap.Visit, owner string) ([]*store.Prepared, error) {
	out := make([]*store.Prepared, 0, 1+len(v.Shared)+len(v.Own))
	for _, r := range slices.Concat([]element.Resource{v.Patient}, v.Shared, v.Own) {
		p, err := s.store.Prepare(store.Draft{Key: store.Key{Type: r.Type, ID: r.ID}, Body: r.Body, Owner: owner})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Type, err)
		}
		out = append(out, p)
	}
	return out, nil
}

// standing is the version of a visit that stands.
type standing struct {
	canon, ngaylap string
	received       int64
	resources      []string
}

// newer says whether the standing version is later than the receipt: by the
// day the file was made, then by the moment it came.
func (v standing) newer(r Receipt) bool {
	if v.canon == "" {
		return false
	}
	if v.ngaylap != r.NGAYLAP {
		return v.ngaylap > r.NGAYLAP
	}
	return v.received > r.Received.UnixMilli()
}

// current reads and locks the version of (facility, MA_LK): two files of one
// visit that come at the same time go one after the other.
func (s *Service) current(ctx context.Context, tx store.Tx, facility, maLK string) (v standing, err error) {
	if _, err := tx.Exec(ctx, `INSERT INTO claims_current (facility, ma_lk, canon, ngaylap, received, receipt, ordinal, resources)
		VALUES ($1,$2,'','',0,'',0,'') ON CONFLICT (facility, ma_lk) DO UPDATE SET ma_lk = excluded.ma_lk`, facility, maLK); err != nil {
		return v, err
	}
	rows, err := tx.Query(ctx, `SELECT canon, ngaylap, received, resources FROM claims_current WHERE facility = $1 AND ma_lk = $2`, facility, maLK)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	var list string
	if rows.Next() {
		err = rows.Scan(&v.canon, &v.ngaylap, &v.received, &list)
	}
	v.resources = strings.Fields(list)
	if err == nil {
		err = rows.Err()
	}
	return v, err
}

// write puts the visit in place of the standing version and takes away what that one had more.
func (s *Service) write(ctx context.Context, tx store.Tx, j job, h *claim.HOSO, v *fhirmap.Visit, prepared []*store.Prepared, stands standing, canon string) error {
	var source *store.Resource
	keys := make([]string, 0, len(prepared))
	for i, p := range prepared {
		res, err := tx.Put(ctx, p)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Draft.Key.Type, err)
		}
		if i == 0 {
			source = res
		}
		if i <= len(v.Shared) {
			continue // Patient and Coverage are shared by the facility's visits, so they are not in the visit's list
		}
		keys = append(keys, res.Key.String())
	}
	for _, old := range stands.resources {
		if slices.Contains(keys, old) {
			continue
		}
		typ, id, _ := strings.Cut(old, "/")
		if err := tx.Delete(ctx, store.Key{Type: typ, ID: id}, 0); err != nil {
			return err
		}
	}
	person, err := s.matcher.Match(ctx, tx, source)
	if err != nil {
		return err
	}
	tx.Audit(store.Note{Action: "claim.store", Patients: []string{person}, Entity: j.receipt.ID})
	_, err = tx.Exec(ctx, `UPDATE claims_current SET canon = $3, ngaylap = $4, received = $5, receipt = $6, ordinal = $7, resources = $8
		WHERE facility = $1 AND ma_lk = $2`, j.receipt.Facility, keyOf(h), canon, j.receipt.NGAYLAP, j.receipt.Received.UnixMilli(),
		j.receipt.ID, int64(h.Ordinal), strings.Join(keys, " "))
	return err
}

// settle writes the answer of a HOSO with its findings.
func (s *Service) settle(ctx context.Context, tx store.Tx, j job, h *claim.HOSO, ans answer) error {
	tx.Audit(store.Note{Action: "claim." + string(ans.state), Entity: j.receipt.ID})
	warnings := 0
	if _, err := tx.Exec(ctx, `DELETE FROM claims_finding WHERE receipt = $1 AND ordinal = $2`, j.receipt.ID, int64(h.Ordinal)); err != nil {
		return err
	}
	for n, f := range ans.report.Findings {
		if f.Severity == check.Warning {
			warnings++
		}
		if _, err := tx.Exec(ctx, `INSERT INTO claims_finding (receipt, ordinal, n, rule, severity, tbl, line, field, vi, en, mend)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)`, j.receipt.ID, int64(h.Ordinal), int64(n), f.Rule, string(f.Severity),
			f.Table, int64(f.Row), f.Field, f.VI, f.EN, f.MendVI); err != nil {
			return err
		}
	}
	wants, err := json.Marshal(wantsOf(ans.report.NotChecked))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE claims_hoso SET state = $3, errors = $4, warnings = $5, notchecked = $6, encounter = $7, finished = $8
		WHERE receipt = $1 AND ordinal = $2`, j.receipt.ID, int64(h.Ordinal), string(ans.state), int64(len(ans.report.Findings)-warnings),
		int64(warnings), string(wants), ans.encounter, s.clock.Now().UnixMilli())
	return err
}

// wantsOf groups what was not checked by what was missing.
func wantsOf(list []check.NotChecked) []Want {
	var out []Want
	for _, n := range list {
		i := slices.IndexFunc(out, func(w Want) bool { return w.For == n.For })
		if i < 0 {
			out = append(out, Want{For: n.For})
			i = len(out) - 1
		}
		if !slices.Contains(out[i].Rules, n.Rule) {
			out[i].Rules = append(out[i].Rules, n.Rule)
		}
	}
	return out
}
