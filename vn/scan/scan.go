// Package scan puts right what scanners that type like a keyboard, and the
// computers they type into, do to the text of a code: frames, doubled keys,
// repeated scans, UTF-8 taken for Windows-1252. Only what can be undone for
// certain is undone; letters that a scanner lost are told by Lost, and what an
// input method (Telex, VNI) makes of a scan is left as it is.
package scan

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/ytso/ytso/fhir/fold"
)

// Repair names what was put right in a scanned text before it was read.
type Repair string

// Repairs that are exact: the text that was in the code is known for certain.
const (
	FrameDropped  Repair = "frame"     // line ends, tabs, controls, a byte order mark, the scanner's own "]Q1" before the text
	UndoneDouble  Repair = "double"    // every character came twice
	OneOfTwoScans Repair = "repeated"  // the same code was scanned twice or more in a row
	UTF8Restored  Repair = "utf-8"     // UTF-8 that came as Windows-1252 or Latin-1: "NGUYá»„N"
	BarsRestored  Repair = "separator" // a broken or full-width bar in place of |
	MarksComposed Repair = "composed"  // letters and marks came apart (NFD)
)

// Tidy undoes what scanners do to a text and tells what it undid.
func Tidy(text string) (string, []Repair) {
	var done []Repair
	try := func(r Repair, f func(string) string) {
		if s := f(text); s != text {
			text, done = s, append(done, r)
		}
	}
	try(UndoneDouble, undouble)
	try(FrameDropped, unframe)
	try(BarsRestored, bars)
	try(OneOfTwoScans, once)
	try(UTF8Restored, utf8Again)
	try(MarksComposed, fold.NFC)
	return text, done
}

// unframe drops what stands around the text: controls, blanks, the byte order
// mark and the symbology identifier of a QR code (ISO/IEC 15424: "]Q0" to "]Q6").
func unframe(s string) string {
	s = strings.TrimFunc(s, around)
	if len(s) > 3 && s[0] == ']' && (s[1] == 'Q' || s[1] == 'q') && s[2] >= '0' && s[2] <= '6' {
		s = s[3:]
	}
	return strings.TrimFunc(s, around)
}

func around(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == '\ufeff' }

// undouble takes every second character when all come in pairs.
func undouble(s string) string {
	r := []rune(strings.TrimRight(s, "\r\n"))
	if len(r) < 12 || len(r)%2 != 0 {
		return s
	}
	half := make([]rune, 0, len(r)/2)
	for i := 0; i < len(r); i += 2 {
		if r[i] != r[i+1] {
			return s
		}
		half = append(half, r[i])
	}
	return string(half)
}

func bars(s string) string {
	if strings.Contains(s, "|") {
		return s
	}
	return strings.NewReplacer("¦", "|", "\uff5c", "|").Replace(s)
}

// once takes one of several scans of the same code.
func once(s string) string {
	lines := strings.FieldsFunc(s, unicode.IsControl)
	if len(lines) > 1 && !slices.ContainsFunc(lines, func(l string) bool { return l != lines[0] }) {
		s = lines[0]
	}
	for n := 2; n <= 4; n++ {
		if len(s)%n == 0 && len(s)/n >= 12 && strings.Repeat(s[:len(s)/n], n) == s {
			return s[:len(s)/n]
		}
	}
	return s
}

// utf8Again reads text whose every character is a byte of Windows-1252 (or the
// control that Latin-1 has in its gaps) as the UTF-8 that it was, when that is
// whole and has letters beyond Latin-1's own.
func utf8Again(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		return s
	}
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		if b, ok := charmap.Windows1252.EncodeRune(r); ok {
			raw = append(raw, b)
		} else if r < 0x100 {
			raw = append(raw, byte(r))
		} else {
			return s
		}
	}
	if !utf8.Valid(raw) {
		return s
	}
	return string(raw)
}

// Lost says whether a scanner put something else for letters that it can't type.
func Lost(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r == '?' || r == utf8.RuneError || unicode.IsControl(r) })
}
