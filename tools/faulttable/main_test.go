package main

import (
	"strings"
	"testing"
)

// TestEveryFaultIsFound: each kind of fault that could be planted is found
// each time, nothing is said falsely, and nothing at all about harmless forms.
func TestEveryFaultIsFound(t *testing.T) {
	table, err := evaluate(40, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range table {
		if l.files == 0 {
			t.Errorf("%s was never planted", l.kind.Name)
		}
		if l.missed > 0 || l.falsly > 0 {
			t.Errorf("%s: %d of %d missed, %d false\n%s", l.kind.Name, l.missed, l.files, l.falsly, strings.Join(l.examples, "\n"))
		}
	}
}
