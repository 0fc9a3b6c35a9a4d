package province

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// homePage is /dieu-hanh.
type homePage struct {
	period   period
	facility string   // MA_CSKCB that the figures are narrowed to
	known    []string // facilities of the register
	names    map[string]string
	visits   number
	previous number
	books    number
	months   []number
	places   []number
	kinds    []number
	uneven   bool // some visits have several kinds, or one that is of no list: the parts do not add up
	computed time.Time
}

// number is a figure with its value and its name.
type number struct {
	figure
	name, short string
	n           int
	code        string // of the facility
}

func (p *Province) overview(w http.ResponseWriter, r *http.Request) (err error) {
	defer outcome.Wrap(&err, "province.overview")
	ctx, v := r.Context(), r.URL.Query()
	asked, ok, err := periodOf(v)
	if err != nil {
		return err
	}
	access, err := p.d.Gate.Access(ctx, trust.Operations)
	if err != nil {
		return err
	}
	var page homePage
	err = p.d.Store.View(ctx, access, func(x store.Reader) error {
		page = homePage{period: asked, facility: v.Get("co-so"), computed: p.d.Clock.Now()}
		if !ok {
			if page.period, err = p.lastMonth(ctx, x); err != nil {
				return err
			}
		}
		x.Audit(store.Note{Action: "province.figures", Detail: visitsIn(page.period).at(page.facility).text()})
		return p.compute(ctx, x, &page)
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return showHome(page).Render(ctx, w)
}

// lastMonth is the month in which the newest visit began, or the one before
// when that month is not over yet and the one before has visits too.
func (p *Province) lastMonth(ctx context.Context, x store.Reader) (period, error) {
	now := p.d.Clock.Now()
	this := around(month, now)
	q, err := visitsIn(period{days, day(1900, 1, 1), this.end}).query()
	if err != nil {
		return this, err
	}
	q.Count = 1
	page, err := x.Search(ctx, q)
	if err != nil || len(page.Matches) == 0 {
		return this, err
	}
	d, err := r4.Parse(page.Matches[0].Body)
	if err != nil {
		return this, err
	}
	start, _, known := moment(d.Root().Get("period").Get("start").Text())
	if !known {
		return this, nil
	}
	newest := around(month, start)
	if newest != this {
		return newest, nil
	}
	if n, err := visitsIn(this.before()).count(ctx, x); err != nil || n > 0 {
		return this.before(), err
	}
	return this, nil
}

// compute counts every figure of the page.
func (p *Province) compute(ctx context.Context, x store.Reader, page *homePage) (err error) {
	counted := func(name string, f figure) number {
		n := number{figure: f, name: name}
		if err == nil {
			n.n, err = f.count(ctx, x)
		}
		return n
	}
	base := visitsIn(page.period).at(page.facility)
	before := page.period.before()
	page.visits = counted(i18n.T(ctx, "province.visits"), base)
	page.previous = counted(i18n.T(ctx, "province.visits-before", "period", before.name(ctx)), visitsIn(before).at(page.facility))
	page.books = counted(i18n.T(ctx, "province.books"), books())
	for _, m := range page.period.months() {
		n := counted(m.name(ctx), visitsIn(m).at(page.facility))
		n.short = "T" + strconv.Itoa(int(m.from.Month()))
		page.months = append(page.months, n)
	}
	if err != nil {
		return err
	}
	if page.known, err = registered(ctx, x); err != nil {
		return err
	}
	codes := append([]string{page.facility}, page.known...)
	if page.facility == "" {
		parts, _, err := byPlace(page.known).divide(ctx, x, base, page.visits.n)
		if err != nil {
			return err
		}
		for _, s := range parts {
			codes = append(codes, s.code)
			page.places = append(page.places, number{figure: s.figure, n: s.count, code: s.code})
		}
	}
	if page.names, err = p.d.Facilities.Names(ctx, x, codes...); err != nil {
		return err
	}
	for i := range page.places {
		page.places[i].name = placeName(ctx, page.names, page.places[i].code)
	}
	parts, whole, err := byKind(page.period).divide(ctx, x, base, page.visits.n)
	page.uneven = !whole
	for _, s := range parts {
		page.kinds = append(page.kinds, number{figure: s.figure, n: s.count, name: kindName(ctx, s.code, page.period.last())})
	}
	return err
}

// percent to one place, half up, with a decimal comma.
func percent(n, whole int) string {
	tenths := (n*2000 + whole) / (2 * whole)
	return strconv.Itoa(tenths/10) + "," + strconv.Itoa(tenths%10) + " %"
}

// conditions says in words what a figure counts.
func (p *Province) conditions(ctx context.Context, x store.Reader, f figure) (list []ui.Fact, err error) {
	add := func(key, value string) {
		list = append(list, ui.Fact{Name: i18n.T(ctx, key), Value: value})
	}
	for _, key := range slices.Sorted(maps.Keys(f.where)) {
		value := strings.Join(f.where[key], ", ")
		switch key {
		case "date":
			if from, to, ok := daysOf(f.where[key]); ok {
				add("province.def-period", i18n.T(ctx, "province.def-began", "from", ui.Day(from), "to", ui.Day(to)))
				continue
			}
			add("province.def-period", value)
		case keyPlace:
			code := strings.TrimPrefix(value, element.MACSKCB+"|")
			names, err := p.d.Facilities.Names(ctx, x, code)
			if err != nil {
				return nil, err
			}
			add("province.col-place", placeName(ctx, names, code))
		case keyPlace0:
			add("province.col-place", i18n.T(ctx, "province.place-none"))
		case keyType:
			on := p.d.Clock.Now()
			if _, to, ok := daysOf(f.where["date"]); ok {
				on = to
			}
			add("province.col-kind", kindName(ctx, strings.TrimPrefix(value, kindSystem+"|"), on))
		case keyType0:
			add("province.col-kind", i18n.T(ctx, "province.kind-none"))
		case keyStatus:
			add("province.def-without", i18n.T(ctx, "province.def-states"))
		case keyTag:
			add("province.def-who", i18n.T(ctx, "province.def-golden"))
		}
	}
	return list, nil
}

// daysOf reads the two dates of visitsIn back: the first and the last day.
func daysOf(dates []string) (from, to time.Time, ok bool) {
	for _, s := range dates {
		if rest, is := strings.CutPrefix(s, "sa"); is {
			if t, _, good := moment(rest); good {
				from = t.AddDate(0, 0, 1)
			}
		}
		if rest, is := strings.CutPrefix(s, "lt"); is {
			if t, _, good := moment(rest); good {
				to = t.AddDate(0, 0, -1)
			}
		}
	}
	return from, to, len(dates) == 2 && !from.IsZero() && !to.IsZero()
}
