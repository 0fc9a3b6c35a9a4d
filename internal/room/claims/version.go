package claims

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap"
)

// Grades of a version: a check-in says less than the claim of its visit.
const (
	gradeCheckIn = 0
	gradeClaim   = 1
)

// stamp orders the versions of a visit. The order is total, so that whoever
// comes last to the store, the newest version stands in the end.
type stamp struct {
	grade   int64
	made    string
	seq     int64
	ordinal int64
}

func (a stamp) compare(b stamp) int {
	return cmp.Or(cmp.Compare(a.grade, b.grade), cmp.Compare(a.made, b.made), cmp.Compare(a.seq, b.seq), cmp.Compare(a.ordinal, b.ordinal))
}

// madeOf reads when a version was made. Without a real date, or with one after
// the receipt (which would hold off every later version), the receipt counts.
func madeOf(text, layout string, received time.Time) string {
	text = strings.TrimSpace(text)
	came := received.In(clock.VietNam).Format(layout)
	if len(text) > len(layout) {
		text = text[:len(layout)]
	}
	if _, err := time.Parse(layout, text); err != nil || text > came {
		return came
	}
	return text
}

// canonOf names a content.
func canonOf(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

// canonicalRow gives the bytes by which two rows are the same, as claim.Canonical does for a HOSO.
func canonicalRow(r claim.Record) []byte {
	var b []byte
	for i, f := range r.Table().Fields {
		if text := norm.NFC.String(strings.TrimSpace(r.Get(i))); text != "" && f.Name != "STT" { // STT numbers the sending, not the visit
			b = append(b, f.Name...)
			b = append(strconv.AppendQuote(append(b, '='), text), '\n')
		}
	}
	return b
}

// writing is a version of a visit on its way into the store.
type writing struct {
	stamp
	facility, maLK, receipt, canon string
	left                           string // NGAY_RA; "" for a check-in
	visit                          *fhirmap.Visit
	prepared                       []*store.Prepared // Patient, Shared, Own
}

// seen is the time that the visit tells of; a check-in tells too little of a
// person to be newer than any claim.
func (w *writing) seen() time.Time {
	t, _ := time.ParseInLocation("200601021504", w.left, clock.VietNam) // the zero time when it is no date
	return t
}

// standing is the version of a visit that stands.
type standing struct {
	stamp
	canon     string // "" when none does
	resources []string
}

// apply brings a version in, in one transaction: nothing when the same content
// stands, nothing when a newer one does, else in place of it.
func (s *Service) apply(ctx context.Context, tx store.Tx, w *writing) (state HOSOState, person string, err error) {
	stands, err := s.current(ctx, tx, w)
	if err != nil {
		return "", "", err
	}
	newer := stands.canon == "" || w.compare(stands.stamp) >= 0
	switch {
	case stands.canon == w.canon && w.grade == stands.grade:
		if newer { // what was confirmed today is not replaced by what was made yesterday
			err = s.confirm(ctx, tx, w)
		}
		return HOSOUnchanged, "", err
	case !newer:
		return HOSOOlder, "", nil
	}
	person, err = s.replace(ctx, tx, w, stands)
	return HOSOStored, person, err
}

// current reads and locks the version of (facility, MA_LK): two files of one
// visit that come at the same time go one after the other.
func (s *Service) current(ctx context.Context, tx store.Tx, w *writing) (v standing, err error) {
	if _, err := tx.Exec(ctx, `INSERT INTO claims_current (facility, ma_lk, grade, made, seq, ordinal, canon, receipt, hoso, resources)
		VALUES ($1,$2,0,'',0,0,'','',0,'') ON CONFLICT (facility, ma_lk) DO UPDATE SET ma_lk = excluded.ma_lk`, w.facility, w.maLK); err != nil {
		return v, err
	}
	rows, err := tx.Query(ctx, `SELECT grade, made, seq, ordinal, canon, resources FROM claims_current WHERE facility = $1 AND ma_lk = $2`, w.facility, w.maLK)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	var list string
	if rows.Next() {
		err = rows.Scan(&v.grade, &v.made, &v.seq, &v.ordinal, &v.canon, &list)
	}
	v.resources = strings.Fields(list)
	if err == nil {
		err = rows.Err()
	}
	return v, err
}

func (s *Service) confirm(ctx context.Context, tx store.Tx, w *writing) error {
	_, err := tx.Exec(ctx, `UPDATE claims_current SET made = $3, seq = $4, ordinal = $5 WHERE facility = $1 AND ma_lk = $2`,
		w.facility, w.maLK, w.made, w.seq, w.ordinal)
	return err
}

// replace puts the visit in place of the standing version and takes away what that one had more.
func (s *Service) replace(ctx context.Context, tx store.Tx, w *writing, stands standing) (person string, err error) {
	source, err := s.putPatient(ctx, tx, w)
	if err != nil {
		return "", err
	}
	keys := make([]string, 0, len(w.visit.Own))
	for i, p := range w.prepared[1:] {
		if _, err := tx.Put(ctx, p); err != nil {
			return "", fmt.Errorf("%s: %w", p.Draft.Key.Type, err)
		}
		if i >= len(w.visit.Shared) { // Coverage may be named by other visits: it is not this one's to take away
			keys = append(keys, p.Draft.Key.String())
		}
	}
	for _, old := range stands.resources {
		if slices.Contains(keys, old) {
			continue
		}
		typ, id, _ := strings.Cut(old, "/")
		if err := tx.Delete(ctx, store.Key{Type: typ, ID: id}, 0); err != nil {
			return "", err
		}
	}
	if person, err = s.Matcher.MatchSeen(ctx, tx, source, w.seen()); err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `UPDATE claims_current SET grade = $3, made = $4, seq = $5, ordinal = $6, canon = $7, receipt = $8, hoso = $6, resources = $9
		WHERE facility = $1 AND ma_lk = $2`, w.facility, w.maLK, w.grade, w.made, w.seq, w.ordinal, w.canon, w.receipt, strings.Join(keys, " "))
	return person, err
}

// putPatient writes the source record when this visit tells newer of the
// person than the visit it was last written from, and gives it as it stands.
func (s *Service) putPatient(ctx context.Context, tx store.Tx, w *writing) (*store.Resource, error) {
	p := w.prepared[0]
	id := p.Draft.Key.ID
	if _, err := tx.Exec(ctx, `INSERT INTO claims_patient (patient, left_at, made, ma_lk) VALUES ($1,'','','')
		ON CONFLICT (patient) DO UPDATE SET patient = excluded.patient`, id); err != nil {
		return nil, err
	}
	left, made, maLK, err := patientStamp(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if maLK != "" && maLK != w.maLK && cmp.Or(cmp.Compare(w.left, left), cmp.Compare(w.made, made)) < 0 {
		source, err := tx.Read(ctx, p.Draft.Key)
		if k := outcome.KindOf(err); err == nil || k != outcome.NotFound && k != outcome.Deleted {
			return source, err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE claims_patient SET left_at = $2, made = $3, ma_lk = $4 WHERE patient = $1`, id, w.left, w.made, w.maLK); err != nil {
		return nil, err
	}
	source, err := tx.Put(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Draft.Key.Type, err)
	}
	return source, nil
}

func patientStamp(ctx context.Context, r store.Reader, id string) (left, made, maLK string, err error) {
	rows, err := r.Query(ctx, `SELECT left_at, made, ma_lk FROM claims_patient WHERE patient = $1`, id)
	if err != nil {
		return "", "", "", err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&left, &made, &maLK)
	}
	if err == nil {
		err = rows.Err()
	}
	return left, made, maLK, err
}
