package term

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/r4"
)

// largeSource has a system of n concepts whose concepts lie in parts, and the set of all of them.
type largeSource struct {
	defs
	parts []*r4.Doc
}

func (l *largeSource) Parts(context.Context, string, string) ([]*r4.Doc, error) { return l.parts, nil }

func large(b testing.TB, n int) *largeSource {
	parse := func(text string) *r4.Doc {
		d, err := r4.Parse([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		return d
	}
	l := &largeSource{}
	l.docs = []*r4.Doc{parse(fmt.Sprintf(`{"resourceType":"CodeSystem","url":"urn:l","version":"1","status":"active","content":"not-present","count":%d}`, n)),
		parse(valueSet("urn:l:vs", `"include":[{"system":"urn:l"}]`))}
	for from := 0; from < n; from += 10_000 {
		var t strings.Builder
		t.WriteString(`{"concept":[`)
		for i := from; i < min(n, from+10_000); i++ {
			if i > from {
				t.WriteByte(',')
			}
			fmt.Fprintf(&t, `{"code":"T%05d","display":"Thuốc số %d, viên nén bao phim","designation":[{"language":"en","value":"Medicine %d"}],"property":[{"code":"parent","valueCode":"T%05d"}]}`, i, i, i, i/10)
		}
		t.WriteString(`]}`)
		l.parts = append(l.parts, parse(t.String()))
	}
	return l
}

// TestLarge: the first, the thousandth and the last of 70,000 are found, paged and filtered alike.
func TestLarge(t *testing.T) {
	s := New(large(t, 70_000))
	for _, i := range []int{0, 1000, 69_999} {
		k, err := s.Lookup(t.Context(), Code{System: "urn:l", Code: fmt.Sprintf("T%05d", i)}, At{Language: "en"})
		if err != nil || k.Display != fmt.Sprintf("Medicine %d", i) {
			t.Errorf("%d: %+v %v", i, k, err)
		}
		x, err := s.Expand(t.Context(), Expand{URL: "urn:l:vs", Offset: i, Count: 1})
		if err != nil || x.Total != 70_000 || len(x.Entries) != 1 || x.Entries[0].Code.Code != fmt.Sprintf("T%05d", i) {
			t.Errorf("page %d: %+v %v", i, x, err)
		}
		if x, err = s.Expand(t.Context(), Expand{URL: "urn:l:vs", Filter: fmt.Sprintf("THUOC so %d", i), Count: 5}); err != nil || x.Total < 1 || x.Entries[0].Code.Code != fmt.Sprintf("T%05d", i) {
			t.Errorf("filter %d: %+v %v", i, x, err)
		}
	}
	if _, err := s.Expand(t.Context(), Expand{URL: "urn:l:vs", Count: NoCount}); err == nil || !strings.Contains(err.Error(), "too-costly") {
		t.Errorf("all at once: %v", err)
	}
	if list, complete, err := s.Codes(t.Context(), "urn:l:vs"); len(list) != MaxCodes || complete || err != nil {
		t.Errorf("codes: %d %v %v", len(list), complete, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.Expand(ctx, Expand{URL: "urn:l:vs", Count: 1}); err == nil {
		t.Error("who has gone is still answered")
	}
}

func BenchmarkLarge(b *testing.B) {
	src := large(b, 70_000)
	s := New(src)
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("compile", func() error {
		s.Forget()
		_, err := s.Lookup(b.Context(), Code{System: "urn:l", Code: "T69999"}, At{})
		return err
	})
	run("lookup", func() error {
		_, err := s.Lookup(b.Context(), Code{System: "urn:l", Code: "T69999"}, At{})
		return err
	})
	run("member", func() error {
		_, err := s.Member(b.Context(), "urn:l:vs", Code{System: "urn:l", Code: "T69999"}, false)
		return err
	})
	if _, err := s.Expand(b.Context(), Expand{URL: "urn:l:vs", Filter: "x", Count: 20}); err != nil { // the texts are folded once
		b.Fatal(err)
	}
	run("filter", func() error {
		_, err := s.Expand(b.Context(), Expand{URL: "urn:l:vs", Filter: "thuoc 69999", Count: 20})
		return err
	})
	run("page", func() error {
		_, err := s.Expand(b.Context(), Expand{URL: "urn:l:vs", Offset: 35_000, Count: 20})
		return err
	})
}
