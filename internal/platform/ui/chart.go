package ui

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// Charts are drawn on the server. Across they are laid out in percent of the
// width and down in pixels: so they fill a phone as well as a screen while
// their writing keeps its size, without a script and without a style attribute.

// Bar is one of several amounts side by side.
type Bar struct {
	Name  string // in full
	Short string // below an upright bar, for example "T3"; "": Name
	Value float64
	Text  string // the value as written; "": from Value
	Note  string // after the value of a lying bar, for example "12 %"
	Href  string // opens what is behind it; may be ""
}

// Count is a set of amounts to compare. Upright is for months and years, lying for places and kinds.
type Count struct {
	Title   string
	Bars    []Bar
	Upright bool
	Height  int // of upright bars, in pixels; 0: the default
}

const (
	plotHeight = 190
	plotTop    = 26 // room for the last value
	plotFoot   = 24 // room for dates
	plotLeft   = 3.0
	plotRight  = 95.0
)

// axis is a range of values with round marks.
type axis struct {
	low, high float64
	marks     []float64
	height    float64
}

// newAxis fits round marks around a range, at most five.
func newAxis(low, high, height float64) axis {
	if high <= low {
		high, low = low+max(1, math.Abs(low)/10), low-max(1, math.Abs(low)/10)
	}
	step := roundStep((high - low) / 4)
	a := axis{low: math.Floor(low/step) * step, high: math.Ceil(high/step) * step, height: height}
	for i := 0; ; i++ {
		m := a.low + float64(i)*step
		if m > a.high+step/2 {
			return a
		}
		a.marks = append(a.marks, m)
	}
}

// roundStep is the next of 1, 2, 5, 10 … from x upwards.
func roundStep(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	for _, f := range []float64{1, 2, 5} {
		if f*unit >= x*0.999 {
			return f * unit
		}
	}
	return 10 * unit
}

// y is the pixel from the top at which a value stands.
func (a axis) y(v float64) float64 {
	return plotTop + (a.high-v)/(a.high-a.low)*(a.height-plotTop-plotFoot)
}

func (a axis) foot() float64 { return a.height - plotFoot }

// tick is a line across the plot, or a date below it.
type tick struct {
	at   float64 // pixels from the top, or percent from the left
	text string
}

func (a axis) ticks() (list []tick) {
	for _, m := range a.marks {
		list = append(list, tick{a.y(m), figureText(m)})
	}
	return list
}

// dot is a point of a line where it is drawn.
type dot struct {
	Point
	x, y  float64
	state string // "in", "above", "below", "" when no range is known
}

func (d dot) out() bool { return d.state == "above" || d.state == "below" }

// plot is a line ready to be drawn.
type plot struct {
	Line
	axis
	dots          []dot
	dates         []tick
	bandTop, band float64 // where the normal range begins and how far it goes; band 0: not known
}

func newPlot(l Line) plot {
	points := slices.DeleteFunc(slices.Clone(l.Points), func(p Point) bool { return math.IsNaN(p.Y) || math.IsInf(p.Y, 0) })
	if len(points) == 0 {
		return plot{Line: l}
	}
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		low, high = min(low, p.Y), max(high, p.Y)
	}
	low, high = l.reach(low, high)
	p := plot{Line: l, axis: newAxis(low, high, float64(cmp.Or(l.Height, plotHeight)))}
	first, last := points[0].X, points[len(points)-1].X
	at := func(ms int64) float64 {
		if first == last {
			return 50
		}
		return plotLeft + (plotRight-plotLeft)*float64(ms-first)/float64(last-first)
	}
	for _, pt := range points {
		p.dots = append(p.dots, dot{pt, at(pt.X), p.y(pt.Y), l.state(pt.Y)})
	}
	for _, d := range dates(first, last) {
		p.dates = append(p.dates, tick{at(d.ms), d.text})
	}
	p.layBand()
	return p
}

// layBand finds where the normal range is; a side that is not known reaches to the edge.
func (p *plot) layBand() {
	if !p.hasRange() {
		return
	}
	top, bottom := float64(plotTop), p.foot()
	if !math.IsNaN(p.High) {
		top = p.y(p.High)
	}
	if !math.IsNaN(p.Low) {
		bottom = p.y(p.Low)
	}
	p.bandTop, p.band = top, max(bottom-top, 1)
}

// reach widens the range of the points to what is normal. Where only one bound
// is known, enough of its good side is shown for the band to be seen.
func (l Line) reach(low, high float64) (float64, float64) {
	lowest, noLow, noHigh := low, math.IsNaN(l.Low), math.IsNaN(l.High)
	if !noLow {
		low, high = min(low, l.Low), max(high, l.Low)
	}
	if !noHigh {
		low, high = min(low, l.High), max(high, l.High)
	}
	part := (high - low) / 3
	if noLow && !noHigh {
		low = min(low, l.High-part)
	}
	if noHigh && !noLow {
		high = max(high, l.Low+part)
	}
	if lowest >= 0 {
		low = max(low, 0) // an amount: below nothing there is nothing
	}
	return low, high
}

func (l Line) hasRange() bool { return !math.IsNaN(l.Low) || !math.IsNaN(l.High) }

func (l Line) state(v float64) string {
	switch {
	case !l.hasRange():
		return ""
	case v < l.Low: // false when not known
		return "below"
	case v > l.High || l.Below && v == l.High:
		return "above"
	}
	return "in"
}

func (p plot) last() dot { return p.dots[len(p.dots)-1] }

// crowded says that dots would run into each other.
func (p plot) crowded() bool { return len(p.dots) > 40 }

// anchor keeps the writing at a point inside the plot.
func (d dot) anchor() string {
	switch {
	case d.x > 80:
		return "end"
	case d.x < 20:
		return "start"
	}
	return "middle"
}

// labelY is where the latest value stands: above the points that its writing
// would cover, or below them where there is no room.
func (p plot) labelY() float64 {
	last := p.last()
	top, bottom := last.y, last.y
	for _, d := range p.dots {
		if d.x > last.x-25 {
			top, bottom = min(top, d.y), max(bottom, d.y)
		}
	}
	if top-12 < 14 {
		return bottom + 24
	}
	return top - 12
}

func (p plot) value(v float64) string {
	if p.Unit == "" {
		return figureText(v)
	}
	return figureText(v) + " " + p.Unit
}

// rangeText is the normal range in words.
func (p plot) rangeText(ctx context.Context) string {
	low, high := figureText(p.Low), figureText(p.High)
	switch {
	case math.IsNaN(p.Low) && math.IsNaN(p.High):
		return ""
	case p.Below && math.IsNaN(p.Low):
		return i18n.T(ctx, "ui.normal-under", "high", high)
	case math.IsNaN(p.Low):
		return i18n.T(ctx, "ui.normal-below", "high", high)
	case p.Below:
		return i18n.T(ctx, "ui.normal-to-under", "low", low, "high", high)
	case math.IsNaN(p.High):
		return i18n.T(ctx, "ui.normal-above", "low", low)
	}
	return i18n.T(ctx, "ui.normal-between", "low", low, "high", high)
}

// words say what the picture shows.
func (p plot) words(ctx context.Context) string {
	s := p.Title
	if len(p.dots) > 0 {
		s += ": " + i18n.T(ctx, "ui.last", "value", p.value(p.last().Y)) + " (" + p.last().Label + ")"
	}
	if r := p.rangeText(ctx); r != "" {
		s += ". " + r
	}
	return s
}

// newestFirst is the order of the table below a line.
func (p plot) newestFirst() []dot {
	list := slices.Clone(p.dots)
	slices.Reverse(list)
	return list
}

func stateTone(state string) Tone {
	if state == "in" {
		return Good
	}
	return Warn
}

type date struct {
	ms   int64
	text string
}

// dates gives at most five round dates between two instants, in Vietnamese local time.
func dates(first, last int64) (list []date) {
	from, to := time.UnixMilli(first).In(clock.VietNam), time.UnixMilli(last).In(clock.VietNam)
	if first == last {
		return []date{{first, from.Format("02/01/2006")}}
	}
	if to.Sub(from) < 70*24*time.Hour {
		return days(from, to)
	}
	months := (to.Year()-from.Year())*12 + int(to.Month()-from.Month()) + 1
	step := 240
	for _, s := range []int{1, 2, 3, 6, 12, 24, 60, 120} {
		if room := 4 + s/12; months/s <= min(room, 5) { // a year alone is short
			step = s
			break
		}
	}
	layout := "01/2006"
	if step >= 12 {
		layout = "2006"
	}
	year, month := from.Year(), (int(from.Month())-1)/step*step
	if step >= 12 {
		year, month = from.Year()/(step/12)*(step/12), 0
	}
	for i := 0; ; i += step {
		d := time.Date(year, time.Month(1+month+i), 1, 0, 0, 0, 0, clock.VietNam)
		if d.After(to) {
			return list
		}
		if !d.Before(from) {
			list = append(list, date{d.UnixMilli(), d.Format(layout)})
		}
	}
}

// days are the dates of a short course: every day, week or fortnight.
func days(from, to time.Time) (list []date) {
	n := int(to.Sub(from)/(24*time.Hour)) + 1
	step := (n + 3) / 4
	d := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, clock.VietNam)
	for ; !d.After(to); d = d.AddDate(0, 0, step) {
		list = append(list, date{max(d.UnixMilli(), from.UnixMilli()), d.Format("02/01")})
	}
	return list
}

// figureText writes a float without the noise of its last bits.
func figureText(v float64) string {
	if v == 0 {
		return "0"
	}
	digits := 4 - int(math.Floor(math.Log10(math.Abs(v)))) - 1
	digits = min(max(digits, 0), 6)
	return Number3(strconv.FormatFloat(v, 'f', digits, 64))
}

// px writes a coordinate; a tenth of a pixel is enough.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// percent writes a share of the width.
func percent(v float64) string { return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64) + "%" }

// sparkPoints draws a line into 96 × 32.
func (p plot) sparkPoints() string {
	s := ""
	for _, d := range p.dots {
		s += px(3+d.x/plotRight*88) + "," + px(p.sparkY(d)) + " "
	}
	return s
}

func (p plot) sparkY(d dot) float64 { return 4 + (d.y-plotTop)/(p.foot()-plotTop)*24 }

func (p plot) sparkX(d dot) float64 { return 3 + d.x/plotRight*88 }

func (p plot) sparkBandTop() float64 { return 4 + (p.bandTop-plotTop)/(p.foot()-plotTop)*24 }

func (p plot) sparkBand() float64 { return p.band / (p.foot() - plotTop) * 24 }

// columns is a set of upright bars ready to be drawn.
type columns struct {
	Count
	axis
	slot        float64 // percent of the width that each takes
	name, value int     // pixels that the names below and the values above need, side by side
}

// Widths that writing must fit into, in pixels: a phone's, and a card's beside another on a screen.
const (
	phone  = 310
	screen = 480
)

func newColumns(c Count) columns {
	high, name, value := 0.0, 0, 0
	for _, b := range c.Bars {
		high = max(high, b.Value)
		name, value = max(name, len([]rune(b.short()))), max(value, len([]rune(b.text())))
	}
	n := max(len(c.Bars), 1)
	return columns{
		Count: c, axis: newAxis(0, max(high, 1), float64(cmp.Or(c.Height, plotHeight))), slot: 100 / float64(n),
		name: n * (name*8 + 6), value: n * (value*9 + 4),
	}
}

func (s columns) x(i int) float64 { return float64(i) * s.slot }

// tops says where the values stand above their bars: everywhere, on a screen, or not at all.
func (s columns) tops() string {
	switch {
	case s.value <= phone:
		return "c-all"
	case s.value <= screen:
		return "c-wide"
	}
	return "none"
}

// named says where column i carries its name below. Of names that don't fit
// side by side each second, third … stands, counted from the last.
func (s columns) named(i int) string {
	back := len(s.Bars) - 1 - i
	switch {
	case back%((s.name+phone-1)/phone) == 0:
		return "c-all"
	case back%((s.name+screen-1)/screen) == 0:
		return "c-wide"
	}
	return "c-none"
}

func (b Bar) short() string { return cmp.Or(b.Short, b.Name) }

func (b Bar) text() string { return cmp.Or(b.Text, figureText(b.Value)) }

func (b Bar) label() string { return b.Name + ": " + b.text() }

// share is the length of a lying bar in thousandths of the longest.
func (c Count) share(b Bar) int {
	high := 0.0
	for _, o := range c.Bars {
		high = max(high, o.Value)
	}
	if high <= 0 {
		return 0
	}
	return int(math.Round(max(b.Value, 0) / high * 1000))
}

func dotSize(last bool) string {
	if last {
		return "6"
	}
	return "4"
}

func tickAnchor(at float64) string {
	switch {
	case at < 8:
		return "start"
	case at > 92:
		return "end"
	}
	return "middle"
}
