package person

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Marked says whether a text is written with Vietnamese marks or đ. One
// without any was perhaps typed where marks could not be.
func Marked(s string) bool {
	return strings.ContainsFunc(norm.NFD.String(s), func(r rune) bool { return unicode.Is(unicode.Mn, r) || r == 'đ' || r == 'Đ' })
}

// spelt is a word as its letters, then its marks in order, with an i at the
// end for y: hoà and hòa, Mỹ and Mĩ are spelt alike, Anh and Ánh are not.
func spelt(word string) string {
	var letters strings.Builder
	var marks []rune
	for _, r := range norm.NFD.String(strings.ToLower(word)) {
		if unicode.Is(unicode.Mn, r) {
			marks = append(marks, r)
		} else {
			letters.WriteRune(r)
		}
	}
	slices.Sort(marks)
	return iForY(letters.String()) + string(marks)
}

func iForY(w string) string {
	if len(w) > 1 && strings.HasSuffix(w, "y") {
		return w[:len(w)-1] + "i"
	}
	return w
}
