package book

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
)

func t(ctx context.Context, key string, pairs ...string) string {
	return i18n.T(ctx, "book."+key, pairs...)
}

// cash is an amount as people pay it: whole đồng, half up (DESIGN.md decision 15).
func cash(d decimal.Decimal) string { return ui.Dong(d.Round(0)) }

// text is the form of care as the law calls it; short fits into a list.
func (k kind) text(ctx context.Context) string { return i18n.Pick(ctx, k.VI, k.EN) }

func (k kind) short(ctx context.Context) string {
	if key := "book.kind." + k.Code; i18n.T(ctx, key) != key {
		return i18n.T(ctx, key)
	}
	return k.text(ctx)
}

func (c choice) text(ctx context.Context) string { return kind{c.Value, c.VI, c.EN}.short(ctx) }

// counted says "12 lần khám", with its own sentence for one, and for none where there is one.
func counted(ctx context.Context, key string, n int) string {
	switch n {
	case 0:
		if none := t(ctx, key+".none"); none != "book."+key+".none" {
			return none
		}
	case 1:
		return t(ctx, key+".one")
	}
	return t(ctx, key, "n", ui.Number3(strconv.Itoa(n)))
}

// address is the filter as the query of /so, with After replaced.
func (f filter) address(after string) string {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	if f.Year != 0 {
		set("nam", strconv.Itoa(f.Year))
	}
	set("noi", f.Facility)
	set("loai", f.Kind)
	set("tim", f.Text)
	set("sau", after)
	if len(q) == 0 {
		return "/so"
	}
	return "/so?" + q.Encode()
}

// tone of a verdict: outside of a usual range is a reason to ask, not an alarm.
func (v verdict) tone() ui.Tone {
	if v == inside {
		return ui.Good
	}
	return ui.Warn
}

// usual is the range with its unit.
func (r result) usual(ctx context.Context) string {
	if r.Usual == nil {
		return ""
	}
	return r.Usual.text(ctx) + " " + r.Unit
}

func (r result) valued() string {
	if r.Unit == "" {
		return r.Value
	}
	return r.Value + " " + r.Unit
}

// notes are the conditions and sources of the ranges used, each once.
func notes(ctx context.Context, results []result) (conditions, sources []string) {
	seen := map[string]bool{}
	add := func(list []string, s string) []string {
		if s == "" || seen[s] {
			return list
		}
		seen[s] = true
		return append(list, s)
	}
	for _, r := range results {
		if r.Usual == nil {
			continue
		}
		if r.Usual.Note != "" {
			conditions = add(conditions, r.Name+": "+t(ctx, "usual."+r.Usual.Note))
		}
		sources = add(sources, r.Name+": "+r.Usual.Source)
	}
	return conditions, sources
}

func yearText(y int) string {
	if y == 0 {
		return ""
	}
	return strconv.Itoa(y)
}

// back and onward lead through the time line.
func back(ctx context.Context, l timeline) (to ui.Link) {
	if l.Filter.After != "" {
		to = ui.Link{Href: l.Filter.address("") + "#lan-kham", Text: t(ctx, "page.first")}
	}
	return to
}

func onward(ctx context.Context, l timeline) (to ui.Link) {
	if l.Next != "" {
		to = ui.Link{Href: l.Filter.address(l.Next) + "#lan-kham", Text: t(ctx, "page.older")}
	}
	return to
}

// yearsOf writes the visits as a time line.
func yearsOf(ctx context.Context, l timeline) (list []ui.Year) {
	for _, y := range l.Years {
		u := ui.Year{Name: t(ctx, "year.none")}
		if y.Year != 0 {
			u.Name = t(ctx, "year", "year", strconv.Itoa(y.Year), "visits", counted(ctx, "visits.n", y.Count))
		}
		for _, v := range y.Visits {
			u.Entries = append(u.Entries, entryOf(ctx, v))
		}
		list = append(list, u)
	}
	return list
}

func entryOf(ctx context.Context, v visit) ui.Entry {
	e := ui.Entry{Date: v.Start.day(), Title: cmp.Or(v.main(ctx), t(ctx, "diagnosis.none")), Place: v.Place, Href: "/so/lan-kham/" + v.ID}
	if k := v.Kind.short(ctx); k != "" {
		e.Date += " · " + k
	}
	if len(v.Found) > 0 {
		e.Text = t(ctx, "found", "what", strings.Join(v.Found, "; "))
	}
	for _, d := range v.FollowUps {
		e.Tags = append(e.Tags, ui.Tag{Tone: ui.Calm, Text: t(ctx, "return", "day", d.day())})
	}
	return e
}

// tag is the mark of a value as part of a row.
func (r result) tag(ctx context.Context) ui.Tag {
	if r.Verdict == unknown {
		return ui.Tag{}
	}
	return ui.Tag{Tone: r.Verdict.tone(), Text: t(ctx, "verdict."+string(r.Verdict))}
}

func analyteRows(ctx context.Context, list []analyte) (rows []ui.Row) {
	for _, a := range list {
		rows = append(rows, ui.Row{
			Name: a.Name, Note: a.Last.On.day() + " · " + counted(ctx, "times", len(a.Results)), Value: a.Last.valued(), Tag: a.Last.tag(ctx), Href: a.Last.Href(),
		})
	}
	return rows
}

func sheetRows(ctx context.Context, list []sheet, place bool) (rows []ui.Row) {
	for _, s := range list {
		where, number := "", ""
		if place {
			where = s.Place
		}
		if s.Number != "" {
			number = t(ctx, "paper.number", "n", s.Number)
		}
		rows = append(rows, ui.Row{Name: s.title(ctx), Note: strings.Join(filled(s.On.day(), where, number), " · "), Href: "/so/giay-to/" + s.ID})
	}
	return rows
}

// main is the main diagnosis in words.
func (v visit) main(ctx context.Context) string {
	if len(v.Diagnoses) == 0 {
		return v.Main
	}
	return called(ctx, v.Main, v.Diagnoses[0].Code)
}

func resultRows(ctx context.Context, list []result) (rows []ui.Row) {
	for _, r := range list {
		row := ui.Row{Name: r.Name, Value: r.valued(), Tag: r.tag(ctx), Href: r.Href()}
		if r.Usual != nil {
			row.Note = t(ctx, "usual.row", "range", r.usual(ctx))
		}
		rows = append(rows, row)
	}
	return rows
}

// formalEnd says whether the hour of the end is the form's and nobody's: a
// series of out-patient days ends at 23:59 (QĐ 3176 bảng XML1, NGAY_RA, of
// MA_LOAI_KCB 02, 05 and 07).
func (v visit) formalEnd() bool {
	return slices.Contains([]string{"02", "05", "07"}, v.Kind.Code) && v.End.time().Format("15:04") == "23:59"
}

// when is the time of a visit in one line.
func (v visit) when(ctx context.Context) string {
	from, to := v.Start.time(), v.End.time()
	const hour = "15:04"
	switch {
	case from.IsZero() || to.IsZero() || len(v.Start) <= 10 || len(v.End) <= 10:
		return v.Start.full()
	case v.formalEnd() && v.Start.day() == v.End.day():
		return v.Start.full()
	case v.formalEnd():
		return t(ctx, "when.days", "from", v.Start.full(), "to", v.End.day())
	case v.Start.day() == v.End.day():
		return t(ctx, "when.day", "from", from.Format(hour), "to", to.Format(hour), "day", v.Start.day())
	}
	return t(ctx, "when.days", "from", v.Start.full(), "to", v.End.full())
}
