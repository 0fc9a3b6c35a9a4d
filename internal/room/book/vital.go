package book

import (
	"context"
	"regexp"
	"strings"
)

// vitals is how a note of the course of illness holds what was measured at the
// bed: CSST<M73_T37.4_HA131/80_NT18_SP98_HL…> (QĐ 3176 bảng XML5, DIEN_BIEN_LS).
var vitals = regexp.MustCompile(`CSST<([^>]*)>`)

// marks of the signs; each ends the message key of its sentence. HL has no meaning that we know of.
var marks = []string{"HA", "NT", "SP", "M", "T"}

// readable writes the vital signs of a note in words; what has no word stays as it is written.
func readable(ctx context.Context, note string) (text string, signs []string) {
	for _, m := range vitals.FindAllStringSubmatch(note, -1) {
		for part := range strings.SplitSeq(m[1], "_") {
			if s := sign(ctx, strings.TrimSpace(part)); s != "" {
				signs = append(signs, s)
			}
		}
	}
	return strings.TrimSpace(vitals.ReplaceAllString(note, "")), signs
}

func sign(ctx context.Context, part string) string {
	for _, mark := range marks {
		if value, ok := strings.CutPrefix(part, mark); ok && strings.Trim(value, "0123456789./,") == "" {
			if value == "" {
				return ""
			}
			return t(ctx, "vital."+mark, "value", strings.Replace(value, ".", ",", 1))
		}
	}
	return part
}
