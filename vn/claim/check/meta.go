package check

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/spec"
	"github.com/ytso/ytso/vn/claim"
)

// meta is a line of rules.csv.
type meta struct {
	id, status, dateOf, from, to, needs string
	severity                            Severity
	rule, vi, en, mend                  string
}

var metas = sync.OnceValue(func() map[string]*meta {
	text, err := spec.FS.ReadFile("qd3176/rules.csv")
	if err != nil {
		panic(fmt.Sprintf("check: rules.csv: %v", err)) // part of the program
	}
	lines, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff")))).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("check: rules.csv: %v", err))
	}
	col := map[string]int{}
	for i, h := range lines[0] {
		col[h] = i
	}
	out := make(map[string]*meta, len(lines))
	for _, l := range lines[1:] {
		at := func(h string) string { return l[col[h]] }
		out[at("id")] = &meta{
			id: at("id"), status: at("status"), dateOf: at("date_of"), from: at("valid_from"), to: at("valid_to"), needs: at("needs"),
			severity: Severity(at("severity")), rule: at("rule"), vi: at("message_vi"), en: at("message_en"), mend: at("mend_vi"),
		}
	}
	return out
})

// holds says whether the rule is in force on a day.
func (m *meta) holds(on time.Time) bool {
	d := on.In(claim.VietNam).Format(time.DateOnly)
	return m.status == "active" && (m.from == "" || m.from <= d) && (m.to == "" || d <= m.to)
}

// Unimplemented lists the active rules of rules.csv that this package does not
// run: "not checked", never "passed".
func Unimplemented() []string {
	done := map[string]bool{}
	for _, r := range rules {
		done[r.id] = true
	}
	var out []string
	for id, m := range metas() {
		if m.status == "active" && !done[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// fill puts values into the placeholders of a sentence (rules.md §1).
func fill(sentence string, values map[string]string) string {
	if !strings.Contains(sentence, "{") {
		return sentence
	}
	pairs := make([]string, 0, 2*len(values))
	for k, v := range values {
		pairs = append(pairs, "{"+k+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}
