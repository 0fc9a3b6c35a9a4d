package claims

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

const (
	filesOnPage    = 30
	hososOnPage    = 50
	findingsOnPage = 100
	placesInGroup  = 3 // places of a rule shown at once, the rest behind a link
)

// Filters of the list by what became of a file, as the address names them.
const (
	allFiles     = ""
	waitingFiles = "dang-xu-ly"
	cleanFiles   = "khong-loi"
	faultyFiles  = "co-loi"
	refusedFiles = "khong-nhan"
)

// clauses are the filters as SQL; the index claims_receipt_… of each stands in the migration.
var clauses = map[string]string{
	allFiles: "", waitingFiles: ` AND state = 'waiting'`, cleanFiles: ` AND state = 'done' AND bad = 0 AND failed = 0`,
	faultyFiles: ` AND (bad > 0 OR failed > 0)`, refusedFiles: ` AND state = 'refused'`,
}

// wish is what the reader of the list asks for.
type wish struct {
	facility string
	filter   string    // a key of clauses
	day      time.Time // zero: any
	search   string    // MA_LK or transaction number
	before   int64     // seq; 0: from the newest
}

func (q wish) narrow() bool { return q.filter != allFiles || !q.day.IsZero() || q.search != "" }

// desk is the list of files received.
type desk struct {
	wish
	files []Receipt
	next  int64 // seq to go on before; 0: that was all
}

func (s *Service) desk(ctx context.Context, a store.Access, q wish) (d desk, err error) {
	d.wish = q
	from, to, before := int64(0), int64(math.MaxInt64), cmp.Or(q.before, math.MaxInt64)
	if !q.day.IsZero() {
		from, to = q.day.UnixMilli(), q.day.AddDate(0, 0, 1).UnixMilli()
	}
	sql, args := `SELECT `+receiptColumns+` FROM claims_receipt WHERE facility = $1 AND seq < $2 AND received >= $3 AND received < $4`+clauses[q.filter],
		[]any{q.facility, before, from, to}
	if q.search != "" {
		sql += ` AND (id = $5 OR id IN (SELECT receipt FROM claims_hoso WHERE facility = $1 AND ma_lk = $6))`
		args = append(args, transaction(q.search), q.search)
	}
	sql += ` ORDER BY seq DESC LIMIT 31` // filesOnPage and one that tells of more
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.list"})
		d.files, err = receipts(ctx, r, sql, args...)
		return err
	})
	if len(d.files) > filesOnPage {
		d.files = d.files[:filesOnPage]
		d.next = d.files[filesOnPage-1].Seq
	}
	return d, err
}

// sent are the receipts of some numbers, in that order.
func (s *Service) sent(ctx context.Context, a store.Access, facility string, ids []string) (list []Receipt, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claims.list"})
		list = nil
		for _, id := range ids {
			rec, err := findReceipt(ctx, r, transaction(id), facility)
			if err != nil {
				return err
			}
			list = append(list, rec)
		}
		return nil
	})
	return list, err
}

// ruleGroup is all findings of one rule in a file.
type ruleGroup struct {
	Rule          string
	Severity      check.Severity
	Count, Visits int64
	Places        []check.Finding // the first of them
}

// fileView is a file with what was found in it, and one page of its HOSO.
type fileView struct {
	Receipt
	own    []check.Finding // of the file itself
	groups []ruleGroup
	wants  []check.Want // what was not checked in any of its HOSO
	filter HOSOState
	after  int64
	hosos  []HOSO
	next   int64
}

// answered is the share of HOSO that have an answer, 0 to 100.
func (r Receipt) answered() int {
	if r.State != Waiting || r.HOSOs == 0 {
		return 100
	}
	return int((r.HOSOs - r.Counts[HOSOWaiting]) * 100 / r.HOSOs)
}

func (s *Service) file(ctx context.Context, a store.Access, id, facility string, filter HOSOState, after int64) (v fileView, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.open", Entity: id})
		v = fileView{filter: filter, after: after}
		if v.Receipt, err = findReceipt(ctx, r, id, facility); err != nil {
			return err
		}
		if v.own, err = listFindings(ctx, r, id, 0, 0, maxFindings); err != nil {
			return err
		}
		if v.groups, err = groups(ctx, r, id); err != nil {
			return err
		}
		if v.wants, err = allWants(ctx, r, id, v.NotChecked); err != nil {
			return err
		}
		v.hosos, err = listHOSO(ctx, r, id, filter, after, hososOnPage+1)
		return err
	})
	if len(v.hosos) > hososOnPage {
		v.hosos = v.hosos[:hososOnPage]
		v.next = v.hosos[hososOnPage-1].Ordinal
	}
	return v, err
}

// groups gathers findings by rule, errors before warnings, the most frequent first.
func groups(ctx context.Context, r store.Reader, receipt string) (list []ruleGroup, err error) {
	rows, err := r.Query(ctx, `SELECT rule, severity, COUNT(*), COUNT(DISTINCT ordinal) FROM claims_finding
		WHERE receipt = $1 AND ordinal > 0 GROUP BY rule, severity`, receipt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var g ruleGroup
		var severity string
		if err := rows.Scan(&g.Rule, &severity, &g.Count, &g.Visits); err != nil {
			return nil, err
		}
		g.Severity = check.Severity(severity)
		list = append(list, g)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Places, err = places(ctx, r, receipt, list[i].Rule, list[i].Severity, 0, placesInGroup); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b ruleGroup) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule))
	})
	return list, nil
}

func rank(s check.Severity) int {
	if s == check.Error {
		return 0
	}
	return 1
}

// places lists the findings of a rule behind the first skip ones.
func places(ctx context.Context, r store.Reader, receipt, rule string, severity check.Severity, skip int64, limit int) ([]check.Finding, error) {
	return findings(ctx, r, `SELECT `+findingColumns+findingFrom+`WHERE f.receipt = $1 AND f.rule = $2 AND f.severity = $3
		AND f.ordinal > 0 ORDER BY f.ordinal, f.n LIMIT $4 OFFSET $5`, receipt, rule, string(severity), int64(limit), skip)
}

// allWants merges what was not checked in a file's HOSO: most of them lack the same.
func allWants(ctx context.Context, r store.Reader, receipt string, list []check.Want) ([]check.Want, error) {
	rows, err := r.Query(ctx, `SELECT DISTINCT notchecked FROM claims_hoso WHERE receipt = $1 AND notchecked <> '' LIMIT 100`, receipt)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var report check.Report
	add := func(list []check.Want) {
		for _, w := range list {
			for _, rule := range w.Rules {
				if n := (check.NotChecked{Rule: rule, For: w.For}); !slices.Contains(report.NotChecked, n) {
					report.NotChecked = append(report.NotChecked, n)
				}
			}
		}
	}
	add(list)
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		wants, err := readWants(text)
		if err != nil {
			return nil, err
		}
		add(wants)
	}
	return report.Wants(), rows.Err()
}

// ruleView is one page of the findings of one rule in a file.
type ruleView struct {
	Receipt
	ruleGroup
	skip int64
}

// next is how many findings the next page skips; 0: that was all.
func (v ruleView) next() int64 {
	if n := v.skip + int64(len(v.Places)); n < v.Count {
		return n
	}
	return 0
}

func (s *Service) rule(ctx context.Context, a store.Access, id, facility, rule string, severity check.Severity, skip int64) (v ruleView, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.open", Entity: id, Detail: rule})
		if v.Receipt, err = findReceipt(ctx, r, id, facility); err != nil {
			return err
		}
		v.ruleGroup, v.skip = ruleGroup{Rule: rule, Severity: severity}, skip
		rows, err := r.Query(ctx, `SELECT COUNT(*), COUNT(DISTINCT ordinal) FROM claims_finding WHERE receipt = $1 AND rule = $2 AND severity = $3 AND ordinal > 0`,
			id, rule, string(severity))
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			err = rows.Scan(&v.Count, &v.Visits)
		}
		if err = cmp.Or(err, rows.Err()); err != nil {
			return err
		}
		if v.Count == 0 {
			return errNoReceipt
		}
		v.Places, err = places(ctx, r, id, rule, severity, skip, findingsOnPage)
		return err
	})
	return v, err
}

// hosoView is one HOSO with its findings and the other times it was sent.
type hosoView struct {
	Receipt
	hoso  HOSO
	sends []Sending
}

func (s *Service) hoso(ctx context.Context, a store.Access, id, facility string, ordinal int64) (v hosoView, err error) {
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "claims.open", Entity: id, Detail: "HOSO"})
		if v.Receipt, err = findReceipt(ctx, r, id, facility); err != nil {
			return err
		}
		list, err := listHOSO(ctx, r, id, "", ordinal-1, 1)
		if err != nil {
			return err
		}
		if len(list) == 0 || list[0].Ordinal != ordinal {
			return errNoReceipt
		}
		if err := withFindings(ctx, r, id, list); err != nil {
			return err
		}
		v.hoso = list[0]
		v.sends, err = sendings(ctx, r, facility, v.hoso.MA_LK)
		return err
	})
	return v, err
}

// tableGroup is what was found in one table of a HOSO.
type tableGroup struct {
	Table    string
	Findings []check.Finding
}

// byTable groups findings by table, in the order of the standard, errors first.
func byTable(list []check.Finding) (out []tableGroup) {
	for _, f := range list {
		i := slices.IndexFunc(out, func(g tableGroup) bool { return g.Table == f.Table })
		if i < 0 {
			i = len(out)
			out = append(out, tableGroup{Table: f.Table})
		}
		out[i].Findings = append(out[i].Findings, f)
	}
	slices.SortStableFunc(out, func(a, b tableGroup) int { return cmp.Compare(tableNumber(a.Table), tableNumber(b.Table)) })
	for _, g := range out {
		slices.SortStableFunc(g.Findings, func(a, b check.Finding) int {
			return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Row, b.Row))
		})
	}
	return out
}

// tableNumber orders tables; the envelope comes first.
func tableNumber(name string) int {
	return slices.IndexFunc(claim.Tables[:], func(t claim.Table) bool { return t.Name == strings.ToUpper(name) })
}
