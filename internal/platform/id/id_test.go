package id

import (
	"regexp"
	"testing"
)

func TestShapes(t *testing.T) {
	uuid, number := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`), regexp.MustCompile(`^[A-Z2-7]{26}$`)
	seen := map[string]bool{}
	for range 1000 {
		u, n := UUID(), Number()
		if !uuid.MatchString(u) || !number.MatchString(n) || seen[u] || seen[n] {
			t.Fatalf("UUID %q, Number %q", u, n)
		}
		seen[u], seen[n] = true, true
	}
}
