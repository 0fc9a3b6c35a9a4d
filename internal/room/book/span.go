package book

import (
	"context"
	_ "embed"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/internal/platform/ui"
)

// A claim carries no reference range (QĐ 3176 bảng XML4: GIA_TRI and
// DON_VI_DO only). ranges.csv holds usual ranges of a few common analytes, each
// with where it was published; the pages call them so and name the source. An
// analyte, unit, age or sex that is not in the table gets no range.
//
//go:embed ranges.csv
var rangesCSV string

// span is a usual range of an analyte. A blank bound is open.
type span struct {
	Analyte   string
	Low, High decimal.Decimal // inclusive, when hasLow and hasHigh
	Below     decimal.Decimal // exclusive upper bound, when hasBelow
	Note      string          // "", "fasting" or "pregnant": under which condition it holds
	Source    string

	hasLow, hasHigh, hasBelow bool
	codes, names, units       []string
	who                       string // any, male, female, pregnant
	fromAge                   int
}

// verdict is how a value stands to its usual range.
type verdict string

// Verdicts.
const (
	unknown verdict = ""
	inside  verdict = "in"
	under   verdict = "low"
	over    verdict = "high"
)

// judge compares exactly.
func (s *span) judge(v decimal.Decimal) verdict {
	switch {
	case s == nil:
		return unknown
	case s.hasLow && v.Cmp(s.Low) < 0:
		return under
	case s.hasHigh && v.Cmp(s.High) > 0, s.hasBelow && v.Cmp(s.Below) >= 0:
		return over
	}
	return inside
}

// text writes the range in words: 62 đến 115, từ 130 trở lên, dưới 5,7.
func (s *span) text(ctx context.Context) string {
	n := func(d decimal.Decimal) string { return ui.Number3(d.String()) }
	switch {
	case s == nil:
		return ""
	case s.hasLow && s.hasHigh:
		return t(ctx, "span.between", "low", n(s.Low), "high", n(s.High))
	case s.hasLow && s.hasBelow:
		return t(ctx, "span.below", "low", n(s.Low), "high", n(s.Below))
	case s.hasLow:
		return t(ctx, "span.from", "low", n(s.Low))
	case s.hasHigh:
		return t(ctx, "span.upto", "high", n(s.High))
	}
	return t(ctx, "span.under", "high", n(s.Below))
}

// band gives the bounds for a chart; an open one is NaN. below says that high itself is outside.
func (s *span) band() (low, high float64, below bool) {
	low, high = math.NaN(), math.NaN()
	if s == nil {
		return low, high, false
	}
	if s.hasLow {
		low = s.Low.Float64()
	}
	if s.hasHigh {
		high = s.High.Float64()
	} else if s.hasBelow {
		high, below = s.Below.Float64(), true
	}
	return low, high, below
}

// spans reads the table once.
var spans = sync.OnceValue(func() []span {
	rows, err := csv.NewReader(strings.NewReader(rangesCSV)).ReadAll()
	if err != nil {
		panic(err) // the table is embedded, and a test reads it
	}
	list := make([]span, 0, len(rows)-1)
	for _, r := range rows[1:] {
		s := span{Analyte: r[0], who: r[4], Note: r[9], Source: r[10]}
		for c := range strings.FieldsSeq(r[1]) {
			s.codes = append(s.codes, codeKey(c))
		}
		for n := range strings.SplitSeq(r[2], ";") {
			s.names = append(s.names, fold.Key(n))
		}
		for u := range strings.FieldsSeq(r[3]) {
			s.units = append(s.units, unitKey(u))
		}
		if s.fromAge, err = strconv.Atoi(r[5]); err != nil {
			panic(err)
		}
		s.Low, s.hasLow = bound(r[6])
		s.High, s.hasHigh = bound(r[7])
		s.Below, s.hasBelow = bound(r[8])
		list = append(list, s)
	}
	return list
})

func bound(s string) (d decimal.Decimal, ok bool) {
	if s == "" {
		return d, false
	}
	return decimal.MustParse(s), true
}

// codeKey makes codes of facilities comparable: provisional codes are names without marks and blanks (QĐ 3176 MA_CHI_SO).
func codeKey(s string) string { return strings.ReplaceAll(fold.Key(s), " ", "") }

// unitKey makes units comparable: both signs for micro, any case, no blanks.
func unitKey(s string) string {
	return strings.NewReplacer(" ", "", "µ", "u", "μ", "u").Replace(strings.ToLower(strings.TrimSpace(s)))
}

// about is whose value it is, on the day of the value.
type about struct {
	Sex      string // FHIR administrative gender
	Birth    moment
	On       moment
	Pregnant bool // the visit belongs to a pregnancy
}

// usual finds the range for a value, nil when the table has none for it.
func usual(code, name, unit string, a about) *span {
	least, _, ok := ageAt(a.Birth, a.On)
	if !ok {
		return nil
	}
	c, n, u := codeKey(code), fold.Key(name), unitKey(unit)
	for i := range spans() {
		s := &spans()[i]
		if least < s.fromAge || !slices.Contains(s.units, u) || !(c != "" && slices.Contains(s.codes, c) || slices.Contains(s.names, n)) {
			continue
		}
		// Only the ranges made for pregnancy hold in it.
		if a.Pregnant == (s.who == "pregnant") && (s.who == "any" || s.who == a.Sex || s.who == "pregnant") {
			return s
		}
	}
	return nil
}
