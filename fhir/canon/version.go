package canon

import (
	"cmp"
	"strings"
)

// Compare orders business versions: by their numbers where both write
// numbers between dots or hyphens ("1.10.0" after "1.9.2", "2025-07-01" after
// "2024-01-01"), a pre-release before its release ("1.0.0-ballot" before
// "1.0.0", semver.org §11), everything else as text. No version is the oldest.
func Compare(a, b string) int {
	a, _, _ = strings.Cut(a, "+") // build metadata orders nothing
	b, _, _ = strings.Cut(b, "+")
	for a != "" || b != "" {
		x, restA, sepA := step(a)
		y, restB, sepB := step(b)
		if c := part(x, y); c != 0 {
			return c
		}
		if pa, pb := preRelease(sepA, restA), preRelease(sepB, restB); pa != pb && (restA == "" || restB == "") {
			return map[bool]int{true: -1, false: 1}[pa]
		}
		a, b = restA, restB
	}
	return 0
}

// step cuts the first part off a version.
func step(s string) (part, rest string, sep byte) {
	i := strings.IndexAny(s, ".-")
	if i < 0 {
		return s, "", 0
	}
	return s[:i], s[i+1:], s[i]
}

// preRelease: what follows a hyphen and begins with a letter.
func preRelease(sep byte, rest string) bool {
	return sep == '-' && rest != "" && (rest[0] < '0' || rest[0] > '9')
}

func part(a, b string) int {
	x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if digits(a) && digits(b) {
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
	}
	return strings.Compare(a, b)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }
