package claims

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/check"
)

// isName says whether a field holds somebody's name (QĐ 3176: HO_TEN, HO_TEN_CHA, HOTEN_NGUOI_HT, NGUOI_GIAM_HO …).
func isName(field string) bool {
	return strings.HasPrefix(field, "HO_TEN") || strings.HasPrefix(field, "HOTEN") || field == "NGUOI_GIAM_HO"
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// discreet takes names of people out of the sentences of findings: the place
// says which name it is, and the desk, the status and the log need no more.
func discreet(rows []claim.Record, list []check.Finding) []check.Finding {
	var names []string // of more than one word: one word may stand in any sentence
	for _, r := range rows {
		for i, f := range r.Table().Fields {
			if name := strings.TrimSpace(r.Get(i)); strings.Contains(name, " ") && isName(f.Name) && !slices.Contains(names, name) {
				names = append(names, name, norm.NFC.String(name))
			}
		}
	}
	// The longest first: one name may be part of another.
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	out := slices.Clone(list)
	for i := range out {
		f := &out[i]
		for _, name := range names {
			f.VI, f.EN = strings.ReplaceAll(f.VI, name, "[họ tên]"), strings.ReplaceAll(f.EN, name, "[name]")
		}
		if isName(f.Field) { // a value that the rule shows cut or otherwise written
			f.VI, f.EN = quoted.ReplaceAllString(f.VI, `"[họ tên]"`), quoted.ReplaceAllString(f.EN, `"[name]"`)
		}
	}
	return out
}
