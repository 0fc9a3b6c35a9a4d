package check

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteText writes a report as a compiler writes its errors, one line a
// finding and one for how to mend it:
//
//	FILE:HOSO 1:XML2:3:THANH_TIEN_BV: error COST-001: sentence
//	    → what to do
//
// What could not be checked follows, grouped by what was missing.
func (r Report) WriteText(w io.Writer, file string) error {
	for _, f := range r.Findings {
		place := []string{file}
		if f.HOSO > 0 {
			place = append(place, fmt.Sprintf("HOSO %d", f.HOSO))
		}
		place = append(place, f.Table)
		if f.Row > 0 {
			place = append(place, fmt.Sprint(f.Row))
		}
		place = append(place, f.Field)
		if _, err := fmt.Fprintf(w, "%s: %s %s: %s\n    → %s\n", strings.Join(place, ":"), f.Severity, f.Rule, f.VI, f.MendVI); err != nil {
			return err
		}
	}
	for _, want := range r.Wants() {
		if _, err := fmt.Fprintf(w, "%s: not checked, no %s: %s\n", file, want.For, strings.Join(want.Rules, " ")); err != nil {
			return err
		}
	}
	return nil
}

// Want says which rules could not be judged for want of something.
type Want struct {
	For   string   `json:"for"`
	Rules []string `json:"rules"`
}

// Wants groups what was not checked by what was missing, sorted.
func (r Report) Wants() []Want {
	var out []Want
	for _, n := range r.NotChecked {
		i := slices.IndexFunc(out, func(w Want) bool { return w.For == n.For })
		if i < 0 {
			i, out = len(out), append(out, Want{For: n.For})
		}
		if !slices.Contains(out[i].Rules, n.Rule) {
			out[i].Rules = append(out[i].Rules, n.Rule)
		}
	}
	for _, w := range out {
		slices.Sort(w.Rules)
	}
	slices.SortFunc(out, func(a, b Want) int { return cmp.Compare(a.For, b.For) })
	return out
}
