package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// TestCorpus: the same seed gives the same resources, mutations differ from what
// they were made of, and all can be read.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("YTSO_CONFORMANCE")
	if dir == "" {
		dir = "../../../../shared/conformance"
	}
	a, err := gather(1000, 3, dir)
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("YTSO_TEST_REQUIRE") == "" && os.Getenv("CI") != "true" {
		t.Skip("the official examples are not beside the project (YTSO_CONFORMANCE)")
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := gather(1000, 3, dir)
	if err != nil || len(a) != 1000 || len(b) != 1000 {
		t.Fatal(len(a), len(b), err)
	}
	seen := map[string]bool{}
	for i := range a {
		if !bytes.Equal(a[i].body, b[i].body) {
			t.Fatalf("%s is not the same twice", a[i].name)
		}
		seen[string(a[i].body)] = true
	}
	if len(seen) < 985 {
		t.Errorf("%d different resources", len(seen))
	}
	if _, err := r4.Parse(a[999].body); err != nil {
		t.Error(err)
	}
}

// TestSame: what is compared as equal, and what is not.
func TestSame(t *testing.T) {
	r := func(items ...string) result { return result{items: items} }
	for _, c := range []struct {
		a, b result
		want bool
	}{
		{r("1.50"), r("1.5"), true}, {r("a"), r("b"), false}, {r(), r("a"), false}, {r("0.1"), r("0.2"), false},
		{result{err: "x"}, result{err: "y"}, true}, {result{err: "x"}, r(), false}, {r(canonical([]byte(`{"b":1,"a":2}`))), r(canonical([]byte(`{"a":2,"b":1}`))), true},
	} {
		if same(c.a, c.b) != c.want {
			t.Errorf("%v %v", c.a, c.b)
		}
	}
	if reason(question{source: "1 + 1"}, r("2"), r("3")) != "" {
		t.Error("a reason for what nobody looked at")
	}
	g := rand.New(rand.NewPCG(1, 1))
	n := 0
	for range 40 {
		if b := spoil(g, []byte(`{"resourceType":"Patient","active":true,"name":[{"family":"a"}]}`)); b != nil {
			n++
		}
	}
	if n < 15 {
		t.Errorf("%d spoilt of 40", n)
	}
}
