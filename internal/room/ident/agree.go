package ident

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// agrees says whether a source record may be the person that its number names:
// birth dates must not differ as far as both are known, nor sexes, and the
// names must share their last word or be spelt alike without marks. Reasons
// for a no: "birth-date-differs", "sex-differs", "name-differs".
func (m *Matcher) agrees(ctx context.Context, r store.Reader, person string, source *r4.Doc) (same bool, reason string, err error) {
	golden, err := r.Read(ctx, store.Key{Type: "Patient", ID: person})
	if err != nil {
		return false, "", err
	}
	doc, err := r4.Parse(golden.Body)
	if err != nil {
		return false, "", err
	}
	a, b := doc.Root(), source.Root()
	switch {
	case !datesAgree(a.Get("birthDate").Text(), b.Get("birthDate").Text()):
		return false, "birth-date-differs", nil
	case differ(a.Get("gender").Text(), b.Get("gender").Text()):
		return false, "sex-differs", nil
	case !namesAgree(nameOf(a), nameOf(b)):
		return false, "name-differs", nil
	}
	return true, "", nil
}

// datesAgree compares as far as the shorter one goes: 1985 agrees with 1985-05-12.
func datesAgree(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

func differ(a, b string) bool {
	return a != "" && b != "" && a != "unknown" && b != "unknown" && a != b
}

func namesAgree(a, b string) bool {
	x, y := fold.Words(a), fold.Words(b)
	if len(x) == 0 || len(y) == 0 {
		return true
	}
	return x[len(x)-1] == y[len(y)-1] || strings.Join(x, "") == strings.Join(y, "")
}

// nameOf is the whole name of a Patient as text.
func nameOf(p r4.Node) string {
	for n := range p.Get("name").Elems() {
		if t := n.Get("text").Text(); t != "" {
			return t
		}
		words := []string{n.Get("family").Text()}
		for g := range n.Get("given").Elems() {
			words = append(words, g.Text())
		}
		return strings.TrimSpace(strings.Join(words, " "))
	}
	return ""
}
