// Package fhirpath compiles FHIRPath to closures over the JSON tree. It has
// what the search expressions of R4 need (all 1,400 compile, see the test); an
// expression that needs more is an error when it is compiled, never an empty
// result. The rest of the language is added function by function.
//
// Source: http://hl7.org/fhirpath/N1, FHIR R4 fhirpath.html.
package fhirpath

import (
	"strings"
	"unicode"
)

type tokenKind uint8

const (
	end tokenKind = iota
	ident
	text // 'string'
	number
	symbol
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// lex splits an expression; ok is false at a character that FHIRPath does not have.
func lex(src string) (out []token, ok bool) {
	for i := 0; i < len(src); {
		c := src[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'' || c == '`':
			j := i + 1
			var b strings.Builder
			for j < len(src) && src[j] != c {
				if src[j] == '\\' && j+1 < len(src) {
					j++
				}
				b.WriteByte(src[j])
				j++
			}
			if j >= len(src) {
				return nil, false
			}
			kind := text
			if c == '`' {
				kind = ident
			}
			out = append(out, token{kind, b.String(), i})
			i = j + 1
		case c >= '0' && c <= '9':
			j := i
			for j < len(src) && (src[j] >= '0' && src[j] <= '9') {
				j++
			}
			out = append(out, token{number, src[i:j], i})
			i = j
		case c == '_' || c == '$' || c == '%' || c < 0x80 && unicode.IsLetter(rune(c)):
			j := i + 1
			for j < len(src) && (src[j] == '_' || src[j] == '-' && c == '%' || src[j] < 0x80 && (unicode.IsLetter(rune(src[j])) || unicode.IsDigit(rune(src[j])))) {
				j++
			}
			out = append(out, token{ident, src[i:j], i})
			i = j
		case strings.HasPrefix(src[i:], "!=") || strings.HasPrefix(src[i:], "!~") || strings.HasPrefix(src[i:], "<=") || strings.HasPrefix(src[i:], ">="):
			out = append(out, token{symbol, src[i : i+2], i})
			i += 2
		case strings.IndexByte(".|()[],=<>+-*/~&", c) >= 0:
			out = append(out, token{symbol, string(c), i})
			i++
		default:
			return nil, false
		}
	}
	return append(out, token{end, "", len(src)}), true
}
