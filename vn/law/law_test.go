package law

import (
	"errors"
	"testing"
	"time"
)

func on(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		panic(err)
	}
	return t
}

// TestEveryListReads: each shipped list of the index has members.
func TestEveryListReads(t *testing.T) {
	n := 0
	for name, meta := range index() {
		d := on("2026-01-01")
		if meta.to != "" {
			d = on(meta.to)
		}
		l, err := Find(name, d)
		if errors.Is(err, ErrNoList) {
			continue
		}
		n++
		if len(l.codes) == 0 || len(l.codes[""]) > 0 && name != "dvkt_icd9_qd4440" {
			t.Errorf("%s: %d codes, %d of them blank", name, len(l.codes), len(l.codes[""]))
		}
	}
	if n < 60 {
		t.Errorf("only %d lists are shipped", n)
	}
}

// TestPickedByDay: the law of the day of the event holds, not that of today.
func TestPickedByDay(t *testing.T) {
	for _, c := range []struct {
		code, day string
		province  bool
	}{
		{"25", "2026-01-01", true}, {"17", "2026-01-01", false}, {"17", "2025-06-30", true}, {"17", "2025-07-01", false}, {"025", "2026-01-01", true}, {"99", "2025-06-30", false},
	} {
		if got := Province(c.code, on(c.day)); got != c.province {
			t.Errorf("province %s on %s: %v", c.code, c.day, got)
		}
	}
	if Commune("00001", on("2025-07-01")) || !Commune("00001", on("2025-06-30")) || !Commune("04792", on("2025-07-01")) {
		t.Error("communes change on 01/07/2025")
	}
	for d, want := range map[string]string{"2024-06-30": "270000", "2024-07-01": "351000", "2026-06-30": "351000", "2026-07-01": "379500"} {
		if a, ok := Amount("fee_15", on(d)); !ok || a.String() != want {
			t.Errorf("fee_15 on %s: %s %v, want %s", d, a, ok, want)
		}
	}
	if _, ok := Amount("fee_15", on("2020-01-01")); ok {
		t.Error("an amount of 2020 is not known")
	}
	visits, err := Find("ma_loai_kcb", on("2026-07-31"))
	if err != nil || visits.Has("14", on("2026-07-31")) || !visits.Has("14", on("2026-08-01")) {
		t.Errorf("tele-health visits begin on 01/08/2026: %v", err)
	}
	if before, after := visits.On(on("2026-07-31")), visits.On(on("2026-08-01")); len(before) != 10 || len(after) != 16 || before[2].Code != "03" || before[2].VI == "" {
		t.Errorf("%d and %d kinds of visit: %+v", len(before), len(after), before)
	}
	if _, err := Find("catalogue:icd10", on("2026-01-01")); !errors.Is(err, ErrNoList) {
		t.Errorf("a list that is not shipped: %v", err)
	}
	if _, err := Find("vn:provinces_2025", on("2025-06-30")); !errors.Is(err, ErrNoList) {
		t.Errorf("a list before its day: %v", err)
	}
}
