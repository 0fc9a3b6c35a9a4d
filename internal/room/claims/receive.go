package claims

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/vn/claim"
)

// Upload is a file at the door.
type Upload struct {
	Facility string // of the account that sends; "" (import by the operator) takes the file's own
	Door     string // gateway, page, import
	Name     string
	Sender   string
	Body     []byte
}

// Receive keeps the original, answers with a receipt once both are on disk,
// and lets the HOSO be processed. A file that is refused as a whole gets a
// receipt of state Refused and no error: it was received, and is kept.
func (s *Service) Receive(ctx context.Context, a store.Access, u Upload) (rec Receipt, err error) {
	defer outcome.Wrap(&err, "claims.Receive")
	file, bad := claim.Decode(u.Body, s.limits)
	if bad == nil {
		bad = s.fits(file, u.Facility)
	}
	rec = Receipt{
		ID: id.Number(), Facility: u.Facility, Door: u.Door, Name: cut(u.Name, 200), Sender: u.Sender,
		Received: s.clock.Now(), Bytes: int64(len(u.Body)), State: Waiting,
	}
	if file != nil {
		rec.NGAYLAP = cut(file.NGAYLAP, 20)
		if rec.Facility == "" {
			rec.Facility = cut(file.MACSKCB, 20)
		}
	}
	if bad != nil {
		e := outcome.As(bad)
		rec.State, rec.ErrorKey, rec.ErrorVI, rec.ErrorEN = Refused, e.Key, e.VI, e.EN
	} else {
		rec.HOSOs = int64(len(file.HOSO))
	}
	err = s.store.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "claim.receive", Entity: rec.ID, Detail: string(rec.State)})
		hash, err := blob.Put(ctx, tx, u.Body)
		if err != nil {
			return err
		}
		rec.Blob = hash
		if err := insertReceipt(ctx, tx, rec); err != nil {
			return err
		}
		if rec.State == Refused {
			return nil
		}
		for _, h := range file.HOSO {
			if err := insertHOSO(ctx, tx, rec.ID, rec.Facility, h.Ordinal, keyOf(h)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Receipt{}, err
	}
	if rec.State == Waiting {
		s.offer(job{receipt: rec, file: file})
	}
	return rec, nil
}

// fits says why a readable file can't be taken from this sender.
func (s *Service) fits(f *claim.File, facility string) error {
	switch {
	case f.Kind != claim.Claim:
		return errNotAClaim
	case facility != "" && strings.TrimSpace(f.MACSKCB) != facility:
		return errOtherFacility.At("GIAMDINHHS.THONGTINDONVI.MACSKCB")
	}
	return nil
}

var (
	errNotAClaim = outcome.New(outcome.Structure, "claims.not-a-claim",
		"Tệp không phải hồ sơ khám chữa bệnh (GIAMDINHHS). Bảng check-in và giám định y khoa gửi theo đường khác.",
		"The file is not a claim (GIAMDINHHS). Check-in and assessment tables are sent another way.")
	errOtherFacility = outcome.New(outcome.Forbidden, "claims.other-facility",
		"Mã cơ sở (MACSKCB) trong tệp khác với cơ sở của tài khoản gửi nên cả tệp không được nhận.",
		"The facility code (MACSKCB) in the file is not that of the sending account, so the whole file is refused.")
)

// Known says whether a facility has sent these very bytes before and they were processed.
func (s *Service) Known(ctx context.Context, a store.Access, facility string, body []byte) (known bool, err error) {
	err = s.store.View(ctx, a, func(r store.Reader) error {
		rows, err := r.Query(ctx, `SELECT 1 FROM claims_receipt WHERE blob = $1 AND ($2 = '' OR facility = $2) AND state <> $3 LIMIT 1`,
			blob.Hash(body), facility, string(Waiting))
		if err != nil {
			return err
		}
		defer rows.Close()
		known = rows.Next()
		return rows.Err()
	})
	return known, err
}

func keyOf(h *claim.HOSO) string {
	if h.XML1 == nil {
		return ""
	}
	return cut(strings.TrimSpace(string(h.XML1.MA_LK)), 250)
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
