package claims

import (
	"context"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim/check"
)

// StatusView is a receipt with its HOSO and their findings.
type StatusView struct {
	Receipt  Receipt
	Findings []check.Finding // of the file itself
	HOSO     []HOSO
	Next     int64 // ordinal after which more HOSO follow; 0: that was all
}

// Bounds of one answer of Status: a file of the permitted size has fewer HOSO
// or rows, and is asked for page by page at the doors.
const (
	maxStatus         = 20_000
	maxStatusFindings = 50_000
)

// Status tells how far a receipt has come. facility "" looks at any receipt.
// outcome.NotFound for an unknown number and for one of another facility.
func (s *Service) Status(ctx context.Context, a store.Access, id, facility string) (v StatusView, err error) {
	return s.statusAfter(ctx, a, id, facility, 0, maxStatus)
}

// statusAfter tells of n HOSO after an ordinal.
func (s *Service) statusAfter(ctx context.Context, a store.Access, id, facility string, after int64, n int) (v StatusView, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claims.status", Entity: id})
		if v.Receipt, err = findReceipt(ctx, r, id, facility); err != nil {
			return err
		}
		if v.HOSO, err = listHOSO(ctx, r, id, "", after, n+1); err != nil {
			return err
		}
		if len(v.HOSO) > n {
			v.HOSO = v.HOSO[:n]
			v.Next = v.HOSO[n-1].Ordinal
		}
		if v.Findings, err = listFindings(ctx, r, id, 0, 0, maxFindings); err != nil || len(v.HOSO) == 0 {
			return err
		}
		return withFindings(ctx, r, id, v.HOSO)
	})
	return v, err
}

// withFindings fills in the findings of consecutive HOSO.
func withFindings(ctx context.Context, r store.Reader, receipt string, list []HOSO) error {
	found, err := listFindings(ctx, r, receipt, list[0].Ordinal, list[len(list)-1].Ordinal, maxStatusFindings)
	if err != nil {
		return err
	}
	at := make(map[int64]*HOSO, len(list))
	for i := range list {
		at[list[i].Ordinal] = &list[i]
	}
	for _, f := range found {
		if h := at[int64(f.HOSO)]; h != nil {
			h.Findings = append(h.Findings, f)
		}
	}
	return nil
}

// Sending is one time that a visit was sent.
type Sending struct {
	Receipt Receipt
	HOSO    HOSO
	Stands  bool // its content is what stands now
}

// maxSendings bounds the sendings of one visit that are listed.
const maxSendings = 100

// Sendings lists the files in which a facility sent a visit, newest first. Blank MA_LK finds nothing.
func (s *Service) Sendings(ctx context.Context, a store.Access, facility, maLK string) (list []Sending, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.status", Detail: "maLK"})
		if list, err = sendings(ctx, r, facility, maLK); err != nil {
			return err
		}
		for i := range list {
			one := []HOSO{list[i].HOSO}
			if err := withFindings(ctx, r, list[i].Receipt.ID, one); err != nil {
				return err
			}
			list[i].HOSO = one[0]
		}
		return nil
	})
	return list, err
}

// sendings lists them without their findings.
func sendings(ctx context.Context, r store.Reader, facility, maLK string) (list []Sending, err error) {
	rows, err := r.Query(ctx, `SELECT h.receipt, h.ordinal, CASE WHEN c.receipt = h.receipt AND c.hoso = h.ordinal THEN 1 ELSE 0 END
		FROM claims_hoso h JOIN claims_receipt r ON r.id = h.receipt
		LEFT JOIN claims_current c ON c.facility = h.facility AND c.ma_lk = h.ma_lk
		WHERE h.facility = $1 AND h.ma_lk = $2 AND h.ma_lk <> '' ORDER BY r.seq DESC, h.ordinal DESC LIMIT $3`, facility, maLK, int64(maxSendings))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one Sending
		var stands int64
		if err := rows.Scan(&one.Receipt.ID, &one.HOSO.Ordinal, &stands); err != nil {
			return nil, err
		}
		one.Stands = stands == 1
		list = append(list, one)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i, one := range list {
		if list[i].Receipt, err = findReceipt(ctx, r, one.Receipt.ID, facility); err != nil {
			return nil, err
		}
		hosos, err := listHOSO(ctx, r, one.Receipt.ID, "", one.HOSO.Ordinal-1, 1)
		if err != nil {
			return nil, err
		}
		list[i].HOSO = hosos[0]
	}
	return list, nil
}
