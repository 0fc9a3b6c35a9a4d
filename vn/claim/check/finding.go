// Package check finds what is wrong with a claim before the insurer does. It
// runs the rules of spec/qd3176/rules.csv; each rule is a small function in a
// table, cites its id and source, and is picked by the date of the event.
package check

import "time"

// Severity of a finding.
type Severity string

// Error: the claim is refused. Warning: it is accepted and someone should look.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Finding is one thing wrong, at one place, with what to do about it.
type Finding struct {
	Rule     string   `json:"rule"` // "COST-003"
	Severity Severity `json:"severity"`
	HOSO     int      `json:"hoso"`  // ordinal in the file from 1; 0: the file itself
	MA_LK    string   `json:"maLK"`  // key of the visit, "" when unreadable
	Table    string   `json:"table"` // "XML2"; "FILE" or "HOSO" for the envelope
	Row      int      `json:"row"`   // STT, or row number from 1; 0: not about a row
	Field    string   `json:"field"`
	VI       string   `json:"vi"` // complete sentences, placeholders filled
	EN       string   `json:"en"`
	MendVI   string   `json:"mendVi"`
}

// NotChecked says that a rule could not be judged, and for want of what. It is never a pass.
type NotChecked struct {
	Rule string `json:"rule"`
	HOSO int    `json:"hoso"`
	For  string `json:"for"` // for example "catalogue:icd10", "history"
}

// Report is the result over one file.
type Report struct {
	Findings   []Finding    `json:"findings"`
	NotChecked []NotChecked `json:"notChecked"`
}

// Errors counts the findings that refuse HOSO n (0: the whole file).
func (r *Report) Errors(n int) int {
	c := 0
	for i := range r.Findings {
		if f := &r.Findings[i]; f.Severity == Error && f.HOSO == n {
			c++
		}
	}
	return c
}

// Options of a run.
type Options struct {
	At      time.Time // "now" of the rules: the receipt (DESIGN.md decision 16)
	Context Context   // what is known beside the file
}
