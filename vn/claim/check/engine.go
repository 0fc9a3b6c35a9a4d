package check

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
)

// rule is one entry: the id of rules.csv and what runs. file rules see the
// submission once, all others each visit. fund rules concern what the fund pays
// and are not run for category 9 (rules.md §3.6).
type rule struct {
	id   string
	file bool
	fund bool
	run  func(*visit)
}

// rules is the table; a group is added by adding its entries.
var rules = slices.Concat(envRules, idRules, costRules, sumRules)

// visit is what one run of a rule sees.
type visit struct {
	file *claim.File
	hoso *claim.HOSO // nil for file rules and for stand-alone XML0 and XML12
	rows []claim.Record
	opt  *Options
	// money is what lines has read.
	money []line

	end    time.Time // day of XML1.NGAY_RA; the receipt when unreadable
	meta   *meta
	report *Report
}

// Envelope checks what concerns the submission as a whole and none of its
// HOSO: the rules of the file, and the rows of a stand-alone XML0 or XML12.
func Envelope(f *claim.File, opt Options) Report {
	var r Report
	v := visit{file: f, opt: &opt, end: opt.At, report: &r}
	for i := range f.CheckIns {
		v.rows = append(v.rows, &f.CheckIns[i])
	}
	for i := range f.Assessments {
		v.rows = append(v.rows, &f.Assessments[i])
	}
	v.run(func(ru rule) bool { return ru.file || len(v.rows) > 0 && strings.HasPrefix(ru.id, "ENV-") })
	return r
}

// File checks a whole submission: its envelope, then each HOSO.
func File(ctx context.Context, f *claim.File, opt Options) Report {
	r := Envelope(f, opt)
	for _, h := range f.HOSO {
		if ctx.Err() != nil {
			break
		}
		one := HOSO(ctx, f, h, opt)
		r.Findings = append(r.Findings, one.Findings...)
		r.NotChecked = append(r.NotChecked, one.NotChecked...)
	}
	return r
}

// HOSO checks one visit of a submission.
func HOSO(_ context.Context, f *claim.File, h *claim.HOSO, opt Options) Report {
	var r Report
	v := visit{file: f, hoso: h, rows: h.Rows(), opt: &opt, end: opt.At, report: &r}
	if h.XML1 != nil {
		if t, ok := h.XML1.NGAY_RA.Time(); ok {
			v.end = t
		}
	}
	uninsured := h.XML1 != nil && strings.TrimSpace(string(h.XML1.MA_DOITUONG_KCB)) == "9"
	v.run(func(ru rule) bool { return !ru.file && !(ru.fund && uninsured) })
	return r
}

func (v *visit) run(choose func(rule) bool) {
	for _, ru := range rules {
		if !choose(ru) {
			continue
		}
		v.meta = metas()[ru.id]
		on := v.end
		if v.meta.dateOf == "receipt" {
			on = v.opt.At
		}
		if v.meta.dateOf == "line" || v.meta.holds(on) { // COST-017 judges its line's own day
			ru.run(v)
		}
	}
}

// at is the place of a finding: a field of a row.
type at struct {
	table string
	row   int
	field string
}

// in gives the place of a field in a row.
func in(r claim.Record, row int, field string) at {
	return at{r.Table().Name, rowNumber(r, row), field}
}

// rowNumber is the row's own STT when it has one, else its place from 1.
func rowNumber(r claim.Record, place int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(claim.ByName(r, "STT"))); err == nil && n > 0 {
		return n
	}
	return place
}

// say is the severity of a finding that differs from the rule's own.
type say struct {
	severity Severity
	values   []string // pairs: placeholder, text
}

// find reports the rule at hand; values are pairs of placeholder and text.
func (v *visit) find(p at, values ...string) { v.report.add(v, p, say{v.meta.severity, values}) }

// warn reports the rule at hand as a warning (an incomplete list never refuses, rules.md §5).
func (v *visit) warn(p at, values ...string) { v.report.add(v, p, say{Warning, values}) }

func (r *Report) add(v *visit, p at, s say) {
	values := map[string]string{"field": p.field, "table": p.table, "row": strconv.Itoa(p.row)}
	for i := 0; i+1 < len(s.values); i += 2 {
		values[s.values[i]] = s.values[i+1]
	}
	f := Finding{
		Rule: v.meta.id, Severity: s.severity, Table: p.table, Row: p.row, Field: p.field,
		VI: fill(v.meta.vi, values), EN: fill(v.meta.en, values), MendVI: fill(v.meta.mend, values),
	}
	if v.hoso != nil {
		f.HOSO = v.hoso.Ordinal
		if v.hoso.XML1 != nil {
			f.MA_LK = strings.TrimSpace(string(v.hoso.XML1.MA_LK))
		}
	}
	r.Findings = append(r.Findings, f)
}

// lack says that the rule at hand could not be judged, and for want of what.
func (v *visit) lack(what string) {
	n := NotChecked{Rule: v.meta.id, For: what}
	if v.hoso != nil {
		n.HOSO = v.hoso.Ordinal
	}
	if !slices.Contains(v.report.NotChecked, n) {
		v.report.NotChecked = append(v.report.NotChecked, n)
	}
}

// money shows an amount with thousands dots: 14.000 or 14.000,50.
func money(d decimal.Decimal) string {
	whole, frac, _ := strings.Cut(d.Plain(), ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "." + whole[i:]
	}
	if frac != "" {
		whole += "," + frac
	}
	return sign + whole
}

func dateText(t time.Time) string { return t.In(claim.VietNam).Format("02/01/2006") }
