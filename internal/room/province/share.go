package province

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// facet is a way to divide visits: by a parameter with a system, whose codes are listed or found.
type facet struct {
	key, none string // parameter, and that for visits without a value
	system    string
	codes     []string                     // that may occur
	of        func(visit r4.Node) []string // that a visit has, for codes nobody listed
}

// share is a part of a figure.
type share struct {
	code string // "" when the visits have none
	figure
	count int
}

// divide splits a figure over a facet: each part is a figure with its own
// definition, the largest first. The parts make up the whole: what no listed
// code accounts for is read through until its codes are known. whole is false
// when the parts do not add up, since some visits have several codes or codes of another system.
func (fc facet) divide(ctx context.Context, r store.Reader, f figure, total int) (parts []share, whole bool, err error) {
	sum := 0
	add := func(code string, part figure) error {
		n, err := part.count(ctx, r)
		if n > 0 {
			sum += n
			parts = append(parts, share{code, part, n})
		}
		return err
	}
	for _, c := range fc.codes {
		if err := add(c, f.with(fc.key, fc.system+"|"+escape(c))); err != nil {
			return nil, false, err
		}
	}
	if err := add("", f.with(fc.none, "true")); err != nil {
		return nil, false, err
	}
	if sum < total {
		more, err := fc.others(ctx, r, f)
		if err != nil {
			return nil, false, err
		}
		for _, c := range more {
			if err := add(c, f.with(fc.key, fc.system+"|"+escape(c))); err != nil {
				return nil, false, err
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b share) int { return cmp.Or(cmp.Compare(b.count, a.count), strings.Compare(a.code, b.code)) })
	return parts, sum == total, nil
}

// others reads the visits of a figure for codes that are not in the list.
func (fc facet) others(ctx context.Context, r store.Reader, f figure) (codes []string, err error) {
	q, err := f.query()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, c := range fc.codes {
		seen[c] = true
	}
	err = each(ctx, r, q, func(visit r4.Node) {
		for _, c := range fc.of(visit) {
			if !seen[c] {
				seen[c] = true
				codes = append(codes, c)
			}
		}
	})
	return codes, err
}

// each reads all that a search finds, page by page.
func each(ctx context.Context, r store.Reader, q param.Query, do func(r4.Node)) error {
	for q.Count = param.MaxCount; ; {
		page, err := r.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page.Matches {
			d, err := r4.Parse(m.Body)
			if err != nil {
				return err
			}
			do(d.Root())
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// byPlace divides by the facility: those of the register, and whoever else sent a visit.
func byPlace(known []string) facet {
	return facet{
		key: keyPlace, none: keyPlace0, system: element.MACSKCB, codes: known,
		of: func(v r4.Node) []string {
			if c := placeOf(v); c != "" {
				return []string{c}
			}
			return nil
		},
	}
}

// registered lists the codes of the facilities in the register.
func registered(ctx context.Context, r store.Reader) (codes []string, err error) {
	q, err := param.Parse("Organization", url.Values{"identifier": {element.MACSKCB + "|"}})
	if err != nil {
		return nil, err
	}
	err = each(ctx, r, q, func(place r4.Node) {
		for id := range place.Get("identifier").Elems() {
			if id.Get("system").Text() == element.MACSKCB {
				codes = append(codes, id.Get("value").Text())
			}
		}
	})
	return codes, err
}

// byKind divides by the kind of visit (MA_LOAI_KCB) of the list in force at the end of the period.
func byKind(p period) facet {
	return facet{
		key: keyType, none: keyType0, system: kindSystem,
		codes: kindsOn(p.last()), of: kindsOf,
	}
}
