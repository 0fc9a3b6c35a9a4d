package claims

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/blob"
	"github.com/ytso/ytso/internal/platform/id"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

// Upload is a file at the door.
type Upload struct {
	Facility string     // of the account that sends; "" (import by the operator) takes the file's own
	Kind     claim.Kind // that the door takes; "" takes all
	Door     string     // gateway, page, import
	Name     string
	Sender   string
	Body     []byte
	Refuse   error // what the door itself has against the file; it is kept and refused
}

// Receive keeps the original, answers with a receipt once both are on disk,
// and lets the HOSO be processed. A file that is refused as a whole gets a
// receipt of state Refused and no error: it was received, and is kept.
func (s *Service) Receive(ctx context.Context, a store.Access, u Upload) (rec Receipt, err error) {
	defer outcome.Wrap(&err, "claims.Receive")
	rec = Receipt{
		ID: id.Number(), Facility: u.Facility, Door: u.Door, Name: clean(u.Name, 200), Sender: u.Sender,
		Received: s.Clock.Now().UTC(), Bytes: int64(len(u.Body)), State: Waiting,
	}
	file, findings, bad := s.look(&rec, u)
	if bad != nil {
		e := outcome.As(bad)
		rec.State, rec.ErrorKey, rec.ErrorVI, rec.ErrorEN = Refused, e.Key, e.VI, e.EN
	}
	original := blob.Pack(u.Body)
	rec.Blob = original.Hash
	s.line.reserve(rec.ID)
	err = s.Store.Update(ctx, a, func(tx store.Tx) (err error) {
		tx.Audit(store.Note{Action: "claims.receive", Entity: rec.ID, Detail: string(rec.State)})
		if err := original.Put(ctx, tx); err != nil {
			return err
		}
		if err := insertReceipt(ctx, tx, &rec); err != nil {
			return err
		}
		if err := putFindings(ctx, tx, rec.ID, 0, findings); err != nil || rec.State == Refused {
			return err
		}
		return insertHOSO(ctx, tx, rec.ID, rec.Facility, keysOf(file))
	})
	if err == nil && rec.State == Waiting {
		// A person with many files in one form is not made to wait for each of them.
		s.queue(ctx, rec, file, u.Door != "page")
		return rec, nil
	}
	s.line.answered(rec.ID)
	if err != nil {
		return Receipt{}, err
	}
	return rec, nil
}

// queue puts a receipt in the line. It is on disk: when the line stays long,
// only its number waits in memory.
func (s *Service) queue(ctx context.Context, rec Receipt, file *claim.File, wait bool) {
	j := job{receipt: rec.ID}
	if j.slot = s.line.slot(ctx, wait); j.slot && rec.Bytes <= maxInHand {
		j.known = &fresh{rec, file}
	}
	s.line.put(j)
}

// look reads a file as far as it goes, and says what refuses it whole.
func (s *Service) look(rec *Receipt, u Upload) (file *claim.File, findings []check.Finding, bad error) {
	file, bad = claim.Decode(u.Body, s.Limits)
	if file == nil {
		file = &claim.File{}
	}
	rec.Kind, rec.NGAYLAP, rec.HOSOs = file.Kind, clean(file.NGAYLAP, 20), int64(count(file))
	if rec.Facility == "" {
		rec.Facility = clean(facilityOf(file), 20)
	}
	if file.Kind == claim.Claim {
		r := check.Envelope(file, s.options(*rec))
		findings, rec.NotChecked = r.Findings, r.Wants()
		if bad == nil && r.Errors(0) > 0 {
			bad = errFileRule
		}
	}
	switch {
	case u.Refuse != nil:
		return file, findings, u.Refuse
	case bad != nil:
		return file, findings, bad
	}
	return file, findings, fits(file, u, rec.Facility)
}

// facilityOf is the facility that a file names itself.
func facilityOf(f *claim.File) string {
	if len(f.CheckIns) > 0 {
		return strings.TrimSpace(string(f.CheckIns[0].MA_CSKCB))
	}
	return strings.TrimSpace(f.MACSKCB)
}

// fits says why a readable file can't be taken from this sender at this door.
func fits(f *claim.File, u Upload, facility string) error {
	switch {
	case u.Kind != "" && f.Kind != u.Kind:
		return errOtherKind
	case facility == "":
		return claim.ErrNoFacility
	case f.Kind == claim.Claim && strings.TrimSpace(f.MACSKCB) != facility:
		return errOtherFacility.At("GIAMDINHHS.THONGTINDONVI.MACSKCB")
	case count(f) == 0:
		return errNothing
	}
	return nil
}

var (
	errOtherKind = outcome.New(outcome.Structure, "claims.other-kind",
		"Loại tệp không đúng với đường gửi: hồ sơ khám chữa bệnh (GIAMDINHHS) gửi qua guiHoSoXml, bảng check-in (XML0) qua checkInKcb, giám định y khoa (XML12) qua guiDuLieuGdyk.",
		"The file is of another kind than this door takes: claims (GIAMDINHHS) go to guiHoSoXml, check-ins (XML0) to checkInKcb, assessments (XML12) to guiDuLieuGdyk.")
	errOtherFacility = outcome.New(outcome.Forbidden, "claims.other-facility",
		"Mã cơ sở (MACSKCB) trong tệp khác với cơ sở của tài khoản gửi nên cả tệp không được nhận.",
		"The facility code (MACSKCB) in the file is not that of the sending account, so the whole file is refused.")
	errNothing = outcome.New(outcome.Required, "claims.nothing",
		"Tệp không chứa hồ sơ nào.", "The file holds no record.")
	errFileRule = outcome.New(outcome.BusinessRule, "claims.file-rule",
		"Cả tệp không được nhận vì vi phạm quy tắc của tệp, xem các lỗi bên dưới.",
		"The whole file is refused because it breaks a rule about the file itself; see the findings.")
)

// Known says whether a facility has sent these very bytes before and they were processed.
func (s *Service) Known(ctx context.Context, a store.Access, facility string, body []byte) (known bool, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claims.known"})
		rows, err := r.Query(ctx, `SELECT 1 FROM claims_receipt WHERE blob = $1 AND ($2 = '' OR facility = $2) AND state <> 'waiting' LIMIT 1`,
			blob.Hash(body), facility)
		if err != nil {
			return err
		}
		defer rows.Close()
		known = rows.Next()
		return rows.Err()
	})
	return known, err
}
