package claims

import (
	"context"

	"github.com/ytso/ytso/fhir/store"
)

// StatusView is a receipt with its HOSO and their findings.
type StatusView struct {
	Receipt Receipt
	HOSO    []HOSO
}

// Bounds of one answer: a file of the permitted size holds fewer HOSO, and a
// HOSO with more findings than this needs another look altogether.
const (
	maxHOSO     = 10_000
	maxFindings = 50_000
)

// Status tells how far a receipt has come. facility "" looks at any receipt.
// outcome.NotFound for an unknown number and for one of another facility.
func (s *Service) Status(ctx context.Context, a store.Access, id, facility string) (v StatusView, err error) {
	err = s.store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claim.status", Entity: id})
		if v.Receipt, err = findReceipt(ctx, r, id, facility); err != nil {
			return err
		}
		if v.HOSO, err = listHOSO(ctx, r, id, -1, maxHOSO); err != nil {
			return err
		}
		findings, err := listFindings(ctx, r, id, 0, 1<<31, maxFindings)
		if err != nil {
			return err
		}
		at := map[int64]int{}
		for i, h := range v.HOSO {
			at[h.Ordinal] = i
		}
		for _, f := range findings {
			if i, ok := at[int64(f.HOSO)]; ok {
				v.HOSO[i].Findings = append(v.HOSO[i].Findings, f)
			}
		}
		return nil
	})
	return v, err
}
