package claims

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim/check"
)

// ReceiptState is how far a file has come.
type ReceiptState string

// States of a receipt.
const (
	Waiting ReceiptState = "waiting" // received and kept, some HOSO not yet processed
	Done    ReceiptState = "done"    // every HOSO has an answer
	Refused ReceiptState = "refused" // the file as a whole could not be taken
)

// HOSOState is the answer to one HOSO.
type HOSOState string

// States of a HOSO.
const (
	HOSOWaiting   HOSOState = "waiting"
	HOSOStored    HOSOState = "stored"    // in the person's health book
	HOSOUnchanged HOSOState = "unchanged" // the same content stands already
	HOSOOlder     HOSOState = "older"     // a newer version stands; kept, not applied
	HOSORefused   HOSOState = "refused"   // findings of severity error
	HOSOFailed    HOSOState = "failed"    // our fault; tried again at the next start
)

// Receipt is a received file.
type Receipt struct {
	ID, Facility, Door, Name, Sender string
	Received                         time.Time
	Blob                             string
	Bytes                            int64
	State                            ReceiptState
	NGAYLAP                          string
	HOSOs                            int64
	ErrorKey, ErrorVI, ErrorEN       string
}

// HOSO is the state of one visit of a file.
type HOSO struct {
	Ordinal          int64
	MA_LK            string
	State            HOSOState
	Errors, Warnings int64
	NotChecked       []Want
	Encounter        string
	Findings         []check.Finding // filled where asked for
}

// Want says which rules could not be judged for want of something.
type Want struct {
	For   string   `json:"for"`
	Rules []string `json:"rules"`
}

const receiptColumns = `id, facility, door, name, sender, received, blob, bytes, state, ngaylap, hosos, error_key, error_vi, error_en`

func scanReceipt(rows store.Rows) (Receipt, error) {
	var r Receipt
	var at int64
	var state string
	err := rows.Scan(&r.ID, &r.Facility, &r.Door, &r.Name, &r.Sender, &at, &r.Blob, &r.Bytes, &state, &r.NGAYLAP, &r.HOSOs, &r.ErrorKey, &r.ErrorVI, &r.ErrorEN)
	r.Received, r.State = time.UnixMilli(at).UTC(), ReceiptState(state)
	return r, err
}

func insertReceipt(ctx context.Context, tx store.Tx, r Receipt) error {
	_, err := tx.Exec(ctx, `INSERT INTO claims_receipt (`+receiptColumns+`) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)`,
		r.ID, r.Facility, r.Door, r.Name, r.Sender, r.Received.UnixMilli(), r.Blob, r.Bytes, string(r.State), r.NGAYLAP, r.HOSOs, r.ErrorKey, r.ErrorVI, r.ErrorEN)
	return err
}

func insertHOSO(ctx context.Context, tx store.Tx, receipt, facility string, ordinal int, maLK string) error {
	_, err := tx.Exec(ctx, `INSERT INTO claims_hoso (receipt, ordinal, facility, ma_lk, state, errors, warnings, notchecked, encounter, finished)
		VALUES ($1,$2,$3,$4,$5,0,0,'','',0)`, receipt, int64(ordinal), facility, maLK, string(HOSOWaiting))
	return err
}

// errNoReceipt answers for numbers that are unknown and for those of other facilities alike.
var errNoReceipt = outcome.New(outcome.NotFound, "claims.no-receipt",
	"Không có giao dịch mang mã này, hoặc giao dịch không thuộc cơ sở của bạn.",
	"There is no transaction of this number, or it does not belong to your facility.")

// receipt finds one receipt of a facility; facility "" finds any.
func findReceipt(ctx context.Context, r store.Reader, id, facility string) (Receipt, error) {
	rows, err := r.Query(ctx, `SELECT `+receiptColumns+` FROM claims_receipt WHERE id = $1`, id)
	if err != nil {
		return Receipt{}, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return Receipt{}, err
		}
		return Receipt{}, errNoReceipt
	}
	rec, err := scanReceipt(rows)
	if err == nil && facility != "" && rec.Facility != facility {
		return Receipt{}, errNoReceipt
	}
	return rec, err
}

// Before is a place in the list of receipts, newest first.
type Before struct {
	Received int64
	ID       string
}

// listReceipts gives up to n receipts of a facility, newest first; facility "" lists all.
func listReceipts(ctx context.Context, r store.Reader, facility string, before Before, n int) ([]Receipt, error) {
	if before.Received == 0 {
		before.Received = 1 << 62
	}
	rows, err := r.Query(ctx, `SELECT `+receiptColumns+` FROM claims_receipt
		WHERE ($1 = '' OR facility = $1) AND (received < $2 OR (received = $2 AND id < $3))
		ORDER BY received DESC, id DESC LIMIT $4`, facility, before.Received, before.ID, int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Receipt
	for rows.Next() {
		rec, err := scanReceipt(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, rows.Err()
}

// listHOSO gives the HOSO of a receipt after an ordinal, up to n, without findings.
func listHOSO(ctx context.Context, r store.Reader, receipt string, after int64, n int) ([]HOSO, error) {
	rows, err := r.Query(ctx, `SELECT ordinal, ma_lk, state, errors, warnings, notchecked, encounter FROM claims_hoso
		WHERE receipt = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3`, receipt, after, int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []HOSO
	for rows.Next() {
		var h HOSO
		var state, wants string
		if err := rows.Scan(&h.Ordinal, &h.MA_LK, &state, &h.Errors, &h.Warnings, &wants, &h.Encounter); err != nil {
			return nil, err
		}
		h.State = HOSOState(state)
		if wants != "" {
			if err := json.Unmarshal([]byte(wants), &h.NotChecked); err != nil {
				return nil, err
			}
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

// listFindings gives the findings of the HOSO from..to of a receipt, up to n.
func listFindings(ctx context.Context, r store.Reader, receipt string, from, to int64, n int) ([]check.Finding, error) {
	rows, err := r.Query(ctx, `SELECT f.ordinal, h.ma_lk, f.rule, f.severity, f.tbl, f.line, f.field, f.vi, f.en, f.mend
		FROM claims_finding f JOIN claims_hoso h ON h.receipt = f.receipt AND h.ordinal = f.ordinal
		WHERE f.receipt = $1 AND f.ordinal BETWEEN $2 AND $3 ORDER BY f.ordinal, f.n LIMIT $4`, receipt, from, to, int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []check.Finding
	for rows.Next() {
		var f check.Finding
		var severity string
		var ordinal, line int64
		if err := rows.Scan(&ordinal, &f.MA_LK, &f.Rule, &severity, &f.Table, &line, &f.Field, &f.VI, &f.EN, &f.MendVI); err != nil {
			return nil, err
		}
		f.Severity, f.HOSO, f.Row = check.Severity(severity), int(ordinal), int(line)
		out = append(out, f)
	}
	return out, rows.Err()
}
