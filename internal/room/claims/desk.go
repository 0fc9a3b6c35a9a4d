package claims

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim/check"
)

// pageSize is the number of receipts on a page of the desk.
const pageSize = 30

// deskRow is one receipt on the desk with what became of its HOSO.
type deskRow struct {
	Receipt
	Counts map[HOSOState]int64
}

// answered is the share of HOSO that have an answer, 0 to 100.
func (d deskRow) answered() int {
	if d.State != Waiting {
		return 100
	}
	if d.HOSOs == 0 {
		return 0
	}
	return int((d.HOSOs - d.Counts[HOSOWaiting]) * 100 / d.HOSOs)
}

// desk is the list of files received.
type desk struct {
	Rows []deskRow
	Next *Before // nil on the last page
}

func (s *Service) desk(ctx context.Context, a store.Access, facility string, before Before) (d desk, err error) {
	err = s.store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claim.list"})
		list, err := listReceipts(ctx, r, facility, before, pageSize+1)
		if err != nil {
			return err
		}
		if len(list) > pageSize {
			list = list[:pageSize]
			last := list[pageSize-1]
			d.Next = &Before{last.Received.UnixMilli(), last.ID}
		}
		counts, err := countHOSO(ctx, r, list)
		if err != nil {
			return err
		}
		for _, rec := range list {
			d.Rows = append(d.Rows, deskRow{rec, counts[rec.ID]})
		}
		return nil
	})
	return d, err
}

// countHOSO counts the HOSO of each receipt by state.
func countHOSO(ctx context.Context, r store.Reader, list []Receipt) (map[string]map[HOSOState]int64, error) {
	out := make(map[string]map[HOSOState]int64, len(list))
	if len(list) == 0 {
		return out, nil
	}
	marks, args := make([]string, len(list)), make([]any, len(list))
	for i, rec := range list {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), rec.ID
		out[rec.ID] = map[HOSOState]int64{}
	}
	rows, err := r.Query(ctx, `SELECT receipt, state, COUNT(*) FROM claims_hoso WHERE receipt IN (`+strings.Join(marks, ",")+`) GROUP BY receipt, state`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, state string
		var n int64
		if err := rows.Scan(&id, &state, &n); err != nil {
			return nil, err
		}
		out[id][HOSOState(state)] = n
	}
	return out, rows.Err()
}

// ruleGroup is all findings of one rule in a file.
type ruleGroup struct {
	Rule     string
	Severity check.Severity
	Mend     string
	Findings []check.Finding
}

// byRule groups findings, errors before warnings, the most frequent first.
func byRule(hosos []HOSO) []ruleGroup {
	var groups []ruleGroup
	at := map[string]int{}
	for _, h := range hosos {
		for _, f := range h.Findings {
			key := f.Rule + "/" + string(f.Severity)
			i, ok := at[key]
			if !ok {
				i = len(groups)
				at[key] = i
				groups = append(groups, ruleGroup{Rule: f.Rule, Severity: f.Severity, Mend: f.MendVI})
			}
			groups[i].Findings = append(groups[i].Findings, f)
		}
	}
	slices.SortStableFunc(groups, func(a, b ruleGroup) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(len(b.Findings), len(a.Findings)), cmp.Compare(a.Rule, b.Rule))
	})
	return groups
}

func rank(s check.Severity) int {
	if s == check.Error {
		return 0
	}
	return 1
}
