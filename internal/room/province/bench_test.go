package province

import (
	"fmt"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// BenchmarkFigures has a year of 100,000 visits at 40 facilities: a month
// counted, a page of its list, and the whole page of figures.
func BenchmarkFigures(b *testing.B) {
	h := lite(b)
	from := day(2025, 3, 1)
	var drafts []store.Draft
	for i := range 40 {
		drafts = append(drafts, draft("Organization", fmt.Sprintf(`{"resourceType":"Organization","identifier":[{"system":%q,"value":"25%03d"}],"name":"x"}`, element.MACSKCB, i)))
	}
	const visits = 100_000
	for i := range visits {
		at := from.Add(time.Duration(i) * (365 * 24 * time.Hour / visits))
		drafts = append(drafts, draft("Encounter", visit{
			"finished", at.Format(time.RFC3339), at.Add(40 * time.Minute).Format(time.RFC3339), fmt.Sprintf("25%03d", i*7919%40), fmt.Sprintf("%02d", 1+i*31%8),
		}.body()))
	}
	h.put(b, drafts)
	p := around(month, day(2026, 2, 1))
	b.Run("month", func(b *testing.B) {
		for b.Loop() {
			h.view(b, func(r store.Reader) error {
				n, err := visitsIn(p).count(b.Context(), r)
				if n < visits/14 {
					b.Errorf("%d visits", n)
				}
				return err
			})
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			h.page(b, visitsIn(p).href())
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			h.page(b, pathHome+"?ky=2026-02")
		}
	})
	b.Run("year", func(b *testing.B) {
		for b.Loop() {
			h.page(b, pathHome+"?ky=2025")
		}
	})
}

func (h *house) view(t testing.TB, f func(store.Reader) error) {
	t.Helper()
	a, err := trust.NewGate(nobody{}).Access(trust.With(t.Context(), trust.Principal{Agent: store.Agent{Kind: store.Staff, ID: "x", Role: trust.RoleDepartment}}), trust.Operations)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.s.View(t.Context(), a, f); err != nil {
		t.Fatal(err)
	}
}
