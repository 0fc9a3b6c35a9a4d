package claims

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim"
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
	HOSOKept      HOSOState = "kept"      // received, original kept, not turned into resources (XML12)
	HOSORefused   HOSOState = "refused"   // findings of severity error
	HOSOFailed    HOSOState = "failed"    // our fault; tried again at the next start, maxTries times
)

// Receipt is a received file.
type Receipt struct {
	Seq                        int64 // order of coming
	ID, Facility               string
	Kind                       claim.Kind // "" when it could not be read
	Door, Name, Sender         string
	Received                   time.Time
	Blob                       string
	Bytes                      int64
	State                      ReceiptState
	NGAYLAP                    string
	HOSOs                      int64
	ErrorKey, ErrorVI, ErrorEN string
	NotChecked                 []check.Want // rules of the file
	MA_LK                      string       // of the only HOSO of a file, "" where there are more
	// Counts by state, once State is Done.
	Counts map[HOSOState]int64
}

// HOSO is the state of one visit of a file, or of one row of a check-in or assessment table.
type HOSO struct {
	Ordinal          int64
	MA_LK            string
	State            HOSOState
	Errors, Warnings int64
	NotChecked       []check.Want
	Encounter        string
	Findings         []check.Finding // filled where asked for
}

const receiptColumns = `seq, id, facility, kind, door, name, sender, received, blob, bytes, state, ngaylap, hosos,
	error_key, error_vi, error_en, notchecked, stored, unchanged, older, kept, bad, failed,
	CASE WHEN hosos = 1 THEN COALESCE((SELECT ma_lk FROM claims_hoso WHERE receipt = claims_receipt.id AND ordinal = 1), '') ELSE '' END`

func scanReceipt(rows store.Rows) (Receipt, error) {
	var r Receipt
	var at, stored, unchanged, older, kept, bad, failed int64
	var kind, state, wants string
	err := rows.Scan(&r.Seq, &r.ID, &r.Facility, &kind, &r.Door, &r.Name, &r.Sender, &at, &r.Blob, &r.Bytes, &state, &r.NGAYLAP, &r.HOSOs,
		&r.ErrorKey, &r.ErrorVI, &r.ErrorEN, &wants, &stored, &unchanged, &older, &kept, &bad, &failed, &r.MA_LK)
	if err != nil {
		return r, err
	}
	r.Received, r.State, r.Kind = time.UnixMilli(at).UTC(), ReceiptState(state), claim.Kind(kind)
	r.Counts = map[HOSOState]int64{
		HOSOStored: stored, HOSOUnchanged: unchanged, HOSOOlder: older, HOSOKept: kept, HOSORefused: bad, HOSOFailed: failed,
	}
	r.NotChecked, err = readWants(wants)
	return r, err
}

// insertReceipt writes a receipt and gives it its place in the order of coming.
func insertReceipt(ctx context.Context, tx store.Tx, r *Receipt) error {
	wants, err := writeWants(r.NotChecked)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `INSERT INTO claims_receipt (id, facility, kind, door, name, sender, received, blob, bytes, state, ngaylap, hosos,
		error_key, error_vi, error_en, notchecked) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16) RETURNING seq`,
		r.ID, r.Facility, string(r.Kind), r.Door, r.Name, r.Sender, r.Received.UnixMilli(), r.Blob, r.Bytes, string(r.State), r.NGAYLAP, r.HOSOs,
		r.ErrorKey, r.ErrorVI, r.ErrorEN, wants)
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&r.Seq)
	}
	if err == nil {
		err = rows.Err()
	}
	return err
}

func writeWants(list []check.Want) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	b, err := json.Marshal(list)
	return string(b), err
}

func readWants(text string) (list []check.Want, err error) {
	if text != "" {
		err = json.Unmarshal([]byte(text), &list)
	}
	return list, err
}

// rowsAtOnce bounds the rows of one INSERT: few texts of statements, short round trips.
const rowsAtOnce = 50

// insertHOSO writes a row for each key, ordinals from 1.
func insertHOSO(ctx context.Context, tx store.Tx, receipt, facility string, keys []string) error {
	for from := 0; from < len(keys); from += rowsAtOnce {
		part := keys[from:min(from+rowsAtOnce, len(keys))]
		args := []any{receipt, facility, string(HOSOWaiting)}
		marks := make([]string, len(part))
		for i, k := range part {
			marks[i] = fmt.Sprintf("($1,$%d,$2,$%d,$3)", len(args)+1, len(args)+2)
			args = append(args, int64(from+i+1), k)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO claims_hoso (receipt, ordinal, facility, ma_lk, state) VALUES `+strings.Join(marks, ","), args...); err != nil {
			return err
		}
	}
	return nil
}

// maxFindings bounds the findings kept of one HOSO; its counts tell of all.
const maxFindings = 1000

// putFindings writes the findings of an ordinal that has none yet.
func putFindings(ctx context.Context, tx store.Tx, receipt string, ordinal int64, list []check.Finding) error {
	list = list[:min(len(list), maxFindings)]
	for from := 0; from < len(list); from += rowsAtOnce {
		part := list[from:min(from+rowsAtOnce, len(list))]
		args := []any{receipt, ordinal}
		marks := make([]string, len(part))
		for i, f := range part {
			n := len(args)
			marks[i] = fmt.Sprintf("($1,$2,$%d,$%d,$%d,$%d,$%d,$%d,$%d,$%d,$%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8, n+9)
			args = append(args, int64(from+i), f.Rule, string(f.Severity), f.Table, int64(f.Row), f.Field, f.VI, f.EN, f.MendVI)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO claims_finding (receipt, ordinal, n, rule, severity, tbl, line, field, vi, en, mend) VALUES `+
			strings.Join(marks, ","), args...); err != nil {
			return err
		}
	}
	return nil
}

// errNoReceipt answers for numbers that are unknown and for those of other facilities alike.
var errNoReceipt = outcome.New(outcome.NotFound, "claims.no-receipt",
	"Không có giao dịch mang mã này, hoặc giao dịch không thuộc cơ sở của bạn.",
	"There is no transaction of this number, or it does not belong to your facility.")

// findReceipt finds one receipt of a facility; facility "" finds any.
func findReceipt(ctx context.Context, r store.Reader, id, facility string) (Receipt, error) {
	list, err := receipts(ctx, r, `SELECT `+receiptColumns+` FROM claims_receipt WHERE id = $1 AND ($2 = '' OR facility = $2)`, id, facility)
	if err != nil {
		return Receipt{}, err
	}
	if len(list) == 0 {
		return Receipt{}, errNoReceipt
	}
	return list[0], nil
}

// receipts reads receipts; those that wait get their counts as of now.
func receipts(ctx context.Context, r store.Reader, sql string, args ...any) (list []Receipt, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scanReceipt(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, rec)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].State == Waiting {
			if list[i].Counts, err = countHOSO(ctx, r, list[i].ID); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// countHOSO counts the HOSO of a receipt by state.
func countHOSO(ctx context.Context, r store.Reader, receipt string) (map[HOSOState]int64, error) {
	rows, err := r.Query(ctx, `SELECT state, COUNT(*) FROM claims_hoso WHERE receipt = $1 GROUP BY state`, receipt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[HOSOState]int64{}
	for rows.Next() {
		var state string
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return nil, err
		}
		out[HOSOState(state)] = n
	}
	return out, rows.Err()
}

// listHOSO gives the HOSO of a receipt after an ordinal, up to n, without
// findings; state "" lists all.
func listHOSO(ctx context.Context, r store.Reader, receipt string, state HOSOState, after int64, n int) ([]HOSO, error) {
	rows, err := r.Query(ctx, `SELECT ordinal, ma_lk, state, errors, warnings, notchecked, encounter FROM claims_hoso
		WHERE receipt = $1 AND ordinal > $2 AND ($3 = '' OR state = $3) ORDER BY ordinal LIMIT $4`, receipt, after, string(state), int64(n))
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
		if h.NotChecked, err = readWants(wants); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

const findingColumns = `f.ordinal, COALESCE(h.ma_lk, ''), f.rule, f.severity, f.tbl, f.line, f.field, f.vi, f.en, f.mend`

const findingFrom = ` FROM claims_finding f LEFT JOIN claims_hoso h ON h.receipt = f.receipt AND h.ordinal = f.ordinal `

// listFindings gives the findings of the HOSO from..to of a receipt, up to n. HOSO 0 is the file.
func listFindings(ctx context.Context, r store.Reader, receipt string, from, to int64, n int) ([]check.Finding, error) {
	return findings(ctx, r, `SELECT `+findingColumns+findingFrom+`WHERE f.receipt = $1 AND f.ordinal BETWEEN $2 AND $3
		ORDER BY f.ordinal, f.n LIMIT $4`, receipt, from, to, int64(n))
}

func findings(ctx context.Context, r store.Reader, sql string, args ...any) (out []check.Finding, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
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
