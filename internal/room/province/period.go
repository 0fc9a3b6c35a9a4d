package province

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
)

// span is how long a period is, and how it is named.
type span int

const (
	month   span = 1
	quarter span = 3
	year    span = 12
	days    span = 0 // from one day to another
)

// period is a run of whole days in local time, from the first to the one before the end.
type period struct {
	span      span
	from, end time.Time
}

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, clock.VietNam) }

// around gives the month, quarter or year that a day is in.
func around(s span, t time.Time) period {
	t = t.In(clock.VietNam)
	first := (int(t.Month())-1)/int(s)*int(s) + 1
	from := day(t.Year(), time.Month(first), 1)
	return period{s, from, from.AddDate(0, int(s), 0)}
}

var errPeriod = outcome.New(outcome.Value, "province.period",
	"Kỳ không đúng. Ví dụ: tháng 2026-06, quý 2026-Q2, năm 2026, hoặc từ ngày đến ngày.",
	"The period is not right. Examples: month 2026-06, quarter 2026-Q2, year 2026, or from a day to a day.")

// periodOf reads ?ky=2026-06, ?ky=2026-Q2, ?ky=2026 or ?tu=2026-01-05&den=2026-03-10; ok is false when none is asked for.
func periodOf(v url.Values) (p period, ok bool, err error) {
	if ky := v.Get("ky"); ky != "" {
		p, err = parsePeriod(ky)
		return p, err == nil, err
	}
	tu, den := v.Get("tu"), v.Get("den")
	if tu == "" && den == "" {
		return period{}, false, nil
	}
	from, err := time.ParseInLocation(time.DateOnly, tu, clock.VietNam)
	if err != nil {
		return p, false, errPeriod.At("tu")
	}
	last, err := time.ParseInLocation(time.DateOnly, den, clock.VietNam)
	if err != nil {
		return p, false, errPeriod.At("den")
	}
	p = period{days, from, last.AddDate(0, 0, 1)}
	if !p.end.After(p.from) || !sensible(p.from.Year()) || !sensible(last.Year()) {
		return p, false, errPeriod.At("den")
	}
	return p.named(), true, nil
}

// named gives days that are a whole month, quarter or year as that.
func (p period) named() period {
	for _, s := range []span{month, quarter, year} {
		if a := around(s, p.from); a.from.Equal(p.from) && a.end.Equal(p.end) {
			return a
		}
	}
	return p
}

func sensible(y int) bool { return y >= 1900 && y <= 2199 }

func parsePeriod(s string) (period, error) {
	if len(s) == 7 && s[5] == 'Q' && s[6] >= '1' && s[6] <= '4' {
		if y, err := strconv.Atoi(s[:4]); err == nil && s[4] == '-' && sensible(y) {
			return around(quarter, day(y, time.Month(int(s[6]-'0')*3), 1)), nil
		}
	}
	if t, err := time.ParseInLocation("2006-01", s, clock.VietNam); err == nil && sensible(t.Year()) {
		return around(month, t), nil
	}
	if t, err := time.ParseInLocation("2006", s, clock.VietNam); err == nil && sensible(t.Year()) {
		return around(year, t), nil
	}
	return period{}, errPeriod.At("ky")
}

// values is the period as it stands in an address.
func (p period) values() url.Values {
	switch p.span {
	case month:
		return url.Values{"ky": {p.from.Format("2006-01")}}
	case quarter:
		return url.Values{"ky": {fmt.Sprintf("%d-Q%d", p.from.Year(), (int(p.from.Month())+2)/3)}}
	case year:
		return url.Values{"ky": {p.from.Format("2006")}}
	}
	return url.Values{"tu": {p.from.Format(time.DateOnly)}, "den": {p.last().Format(time.DateOnly)}}
}

func (p period) last() time.Time { return p.end.AddDate(0, 0, -1) }

// before and after are the neighbours of the same length.
func (p period) before() period { return p.shift(-1) }
func (p period) after() period  { return p.shift(1) }

func (p period) shift(n int) period {
	if p.span == days {
		length := int(p.end.Sub(p.from).Hours()/24+0.5) * n
		return period{days, p.from.AddDate(0, 0, length), p.end.AddDate(0, 0, length)}
	}
	return around(p.span, p.from.AddDate(0, n*int(p.span), 0))
}

// months are twelve: those of the year, else the last twelve up to the end of the period.
func (p period) months() []period {
	last := around(month, p.last())
	list := make([]period, 12)
	for i := range list {
		list[11-i] = around(month, last.from.AddDate(0, -i, 0))
	}
	return list
}

// name is the period in the reader's language.
func (p period) name(ctx context.Context) string {
	y := strconv.Itoa(p.from.Year())
	switch p.span {
	case month:
		return i18n.T(ctx, "province.month", "m", strconv.Itoa(int(p.from.Month())), "y", y)
	case quarter:
		return i18n.T(ctx, "province.quarter", "q", strconv.Itoa((int(p.from.Month())+2)/3), "y", y)
	case year:
		return i18n.T(ctx, "province.year", "y", y)
	}
	if p.from.Equal(p.last()) {
		return ui.Day(p.from)
	}
	return ui.Day(p.from) + " – " + ui.Day(p.last())
}
