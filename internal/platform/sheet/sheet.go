// Package sheet makes cells of a table that somebody opens in a spreadsheet.
package sheet

import (
	"strings"
	"unicode"
)

// Cell keeps a spreadsheet from taking text for a formula (OWASP, CSV
// injection). Where the comma is the decimal sign, as in Vietnam, a spreadsheet
// may part cells at ";" and lines inside quotes that it does not take for
// quotes, so that a formula may also stand behind ";" or a line break: line
// breaks and tabs become blanks, and what begins like a formula is marked there too.
func Cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	parts := strings.SplitAfter(s, ";")
	for i, p := range parts {
		if begins := strings.TrimLeftFunc(p, blank); begins != "" && strings.ContainsRune(formula, []rune(begins)[0]) {
			parts[i] = "'" + p
		}
	}
	return strings.Join(parts, "")
}

// formula are the signs with which a formula begins, also in their wide forms.
const formula = "=+-@＝＋－＠"

// blank is what a spreadsheet may pass over before a formula.
func blank(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '\uFEFF' }
