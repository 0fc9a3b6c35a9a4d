package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// dates holds searches by the clinical date, which a store may answer from the
// order of its lists, against the words of FHIR R4 search.html#prefix: periods
// over the turn of a month, open at either end or not given at all; one to
// three conditions; with and without a second parameter; counted and paged.
func dates(t *testing.T, s store.Store) {
	g := rand.New(rand.NewPCG(7, 7))
	zone := time.FixedZone("+07", 7*3600)
	type visit struct {
		id, status string
		lo, hi     int64
		dated      bool
	}
	var all []visit
	var ready []*store.Prepared
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
	for i := range 1200 { // more than a store looks at to choose where to start
		v := visit{fmt.Sprintf("v%04d", i), []string{"finished", "planned", "cancelled"}[g.IntN(3)], math.MinInt64, math.MaxInt64, g.IntN(12) > 0}
		start := first.Add(time.Duration(g.IntN(90*24)) * time.Hour)
		end := start.Add(time.Duration(g.IntN(40*24)) * time.Hour)
		var period []string
		if v.dated && g.IntN(6) > 0 {
			if g.IntN(4) == 0 { // a whole day
				start = time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, zone)
				period, v.lo = append(period, `"start":"`+start.Format(time.DateOnly)+`"`), start.UnixMilli()
			} else {
				period, v.lo = append(period, `"start":"`+start.Format(time.RFC3339)+`"`), start.UnixMilli()
			}
		}
		if v.dated && g.IntN(6) > 0 {
			period, v.hi = append(period, `"end":"`+end.Format(time.RFC3339)+`"`), end.UnixMilli()+1000
		}
		v.dated = period != nil
		body := `"status":"` + v.status + `","class":{"code":"AMB"}`
		if v.dated {
			body += `,"period":{` + strings.Join(period, ",") + `}`
		}
		p, err := s.Prepare(draft("Encounter", v.id, body))
		if err != nil {
			t.Fatal(err)
		}
		all, ready = append(all, v), append(ready, p)
	}
	err := s.Update(t.Context(), All, func(tx store.Tx) error {
		for _, p := range ready {
			if _, err := tx.Put(t.Context(), p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	holds := map[string]func(v visit, lo, hi int64) bool{
		"eq": func(v visit, lo, hi int64) bool { return lo <= v.lo && v.hi <= hi },
		"gt": func(v visit, _, hi int64) bool { return v.hi > hi },
		"lt": func(v visit, lo, _ int64) bool { return v.lo < lo },
		"ge": func(v visit, lo, hi int64) bool { return v.hi > hi || lo <= v.lo && v.hi <= hi },
		"le": func(v visit, lo, hi int64) bool { return v.lo < lo || lo <= v.lo && v.hi <= hi },
		"sa": func(v visit, _, hi int64) bool { return v.lo >= hi },
		"eb": func(v visit, lo, _ int64) bool { return v.hi <= lo },
	}
	prefixes := []string{"sa", "lt", "ge", "le", "gt", "eb", "eq"}
	for range 150 {
		q := url.Values{}
		want := slices.Clone(all)
		keep := func(f func(visit) bool) { want = slices.DeleteFunc(want, func(v visit) bool { return !f(v) }) }
		for range 1 + g.IntN(3) {
			prefix := prefixes[g.IntN(len(prefixes))]
			from := first.AddDate(0, 0, g.IntN(95)-2)
			lo, hi, text := from, from.AddDate(0, 0, 1), from.Format(time.DateOnly)
			if g.IntN(3) == 0 {
				lo = time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone)
				hi, text = lo.AddDate(0, 1, 0), lo.Format("2006-01")
			}
			q.Add("date", prefix+text)
			keep(func(v visit) bool { return v.dated && holds[prefix](v, lo.UnixMilli(), hi.UnixMilli()) })
		}
		switch g.IntN(4) {
		case 0:
			q.Set("status", "finished")
			keep(func(v visit) bool { return v.status == "finished" })
		case 1:
			q.Set("status:not", "planned,cancelled")
			keep(func(v visit) bool { return v.status == "finished" })
		}
		if g.IntN(2) == 0 {
			q.Set("_sort", "date")
		}
		q.Set("_count", strconv.Itoa(5+g.IntN(900)))
		q.Set("_total", "accurate")
		compareAll(t, s, q, len(want), func(id string) bool {
			return slices.ContainsFunc(want, func(v visit) bool { return v.id == id })
		})
	}
}

// compareAll reads all pages of a search of Encounters and holds them, and the total of each, against what should be found.
func compareAll(t *testing.T, s store.Store, v url.Values, n int, wanted func(id string) bool) {
	t.Helper()
	q, err := param.Parse("Encounter", v)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	err = s.View(t.Context(), All, func(r store.Reader) error {
		clear(seen)
		for {
			page, err := r.Search(t.Context(), q)
			if err != nil {
				return err
			}
			if page.Total != n {
				t.Errorf("%s: total %d, want %d", v.Encode(), page.Total, n)
			}
			for _, m := range page.Matches {
				if seen[m.Key.ID] || !wanted(m.Key.ID) {
					t.Errorf("%s: %s twice or wrongly", v.Encode(), m.Key.ID)
				}
				seen[m.Key.ID] = true
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				return nil
			}
		}
	})
	if err != nil || len(seen) != n {
		t.Errorf("%s: %d found, want %d, %v", v.Encode(), len(seen), n, err)
	}
}
