// Package fold makes the search and sort keys of Vietnamese text, in Go, when
// writing: "Nguyễn" and "Nguyen" meet, and đ is d. The databases only compare
// bytes (DESIGN.md decision 7).
package fold

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// NFC is the normal form of all text that enters.
func NFC(s string) string { return norm.NFC.String(s) }

// Key folds text for search: NFD, marks dropped, đ→d, lower case, runs of
// anything but letters and digits become one blank, ends trimmed.
func Key(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	blank := false
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
			continue
		case r == 'đ' || r == 'Đ':
			r = 'd'
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			r = unicode.ToLower(r)
		default:
			blank = b.Len() > 0
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Words splits a folded key.
func Words(s string) []string { return strings.Fields(Key(s)) }

const tones = "\u0300\u0309\u0303\u0301\u0323" // huyền, hỏi, ngã, sắc, nặng: the order of Vietnamese dictionaries

// SortKey orders Vietnamese text by bytes as a dictionary does: letters
// a ă â b c d đ e ê … first, then tones, syllable by syllable.
func SortKey(s string) string {
	var letters, marks strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		if i := strings.IndexRune(tones, r); i >= 0 {
			marks.WriteByte(byte('1' + i/len("\u0300")))
			continue
		}
		switch r {
		case '\u0306': // ă
			letters.WriteByte('~' - 1)
		case '\u0302': // â ê ô
			letters.WriteByte('~')
		case '\u031b': // ơ ư
			letters.WriteString("~~")
		case 'đ':
			letters.WriteString("d~")
		default:
			letters.WriteRune(r)
			if unicode.IsLetter(r) {
				continue
			}
			marks.WriteByte('0')
		}
	}
	return letters.String() + "\x00" + marks.String()
}
