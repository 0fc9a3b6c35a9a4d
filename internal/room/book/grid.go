package book

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/vn/claim/fhirmap/paper"
)

// courseRows lists all values of an analyte; each opens its visit.
func courseRows(ctx context.Context, list []result) (rows []ui.Row) {
	for _, r := range list {
		row := ui.Row{Name: r.On.day(), Note: r.Place, Value: r.valued(), Tag: r.tag(ctx)}
		if r.Visit != "" {
			row.Href = "/so/lan-kham/" + r.Visit
		}
		rows = append(rows, row)
	}
	return rows
}

func billGrid(ctx context.Context, lines []line) ui.Grid {
	g := ui.Grid{Columns: []ui.Column{
		{Name: t(ctx, "bill.what")}, {Name: t(ctx, "bill.quantity"), Number: true}, {Name: t(ctx, "part.total"), Number: true},
		{Name: t(ctx, "part.insurance"), Number: true}, {Name: t(ctx, "you.pay"), Number: true},
	}}
	for _, l := range lines {
		g.Rows = append(g.Rows, []templ.Component{
			ui.Text(l.Name), ui.Text(l.Quantity), ui.Text(cash(l.Money.Total)), ui.Text(cash(l.Money.Insurance)), ui.Text(cash(l.Money.You())),
		})
	}
	return g
}

func billRows(ctx context.Context, bills []bill) (rows []ui.Row) {
	for _, b := range bills {
		rows = append(rows, ui.Row{
			Name: b.Visit.Start.day(), Note: strings.Join(filled(b.Visit.main(ctx), b.Visit.Place), " · "), Value: cash(b.Money.Total),
			Tag: ui.Tag{Tone: ui.Calm, Text: t(ctx, "you.pay.n", "n", cash(b.Money.You()))}, Href: "/so/lan-kham/" + b.Visit.ID + "#chi-phi",
		})
	}
	return rows
}

// filled leaves out what is blank.
func filled(list ...string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// facts are when, where and why of a visit.
func facts(ctx context.Context, x record) []ui.Fact {
	v := x.Visit
	list := []ui.Fact{{Name: t(ctx, "reason"), Value: v.Reason}}
	if v.OnArrival != "" && v.OnArrival != v.Main {
		list = append(list, ui.Fact{Name: t(ctx, "arrival"), Value: v.OnArrival})
	}
	list = append(list, ui.Fact{Name: t(ctx, "when"), Value: v.when(ctx)}, ui.Fact{Name: t(ctx, "kind"), Value: v.Kind.text(ctx)}, ui.Fact{Name: t(ctx, "place"), Value: v.Place})
	for _, f := range x.Facts {
		list = append(list, ui.Fact{Name: i18n.T(ctx, f.Key), Value: f.Word.text(ctx)})
	}
	return append(list, ui.Fact{Name: t(ctx, "treatment"), Value: strings.Join(x.Treatment, "; ")})
}

// lastsOf are the newest values of analytes.
func lastsOf(list []analyte) (out []result) {
	for _, a := range list {
		out = append(out, a.Last)
	}
	return out
}

// title is the name of a paper in the reader's language; a form without a translation keeps the law's name.
func (s sheet) title(ctx context.Context) string {
	if i18n.Of(ctx) == i18n.EN {
		if k := "book.paper." + s.Form; i18n.T(ctx, k) != k {
			return i18n.T(ctx, k)
		}
	}
	return cmp.Or(s.Title, t(ctx, "paper"))
}

func labelOf(ctx context.Context, f paper.Field) string {
	return cmp.Or(i18n.Pick(ctx, f.LabelVI, f.LabelEN), f.Name)
}

// newer and older lead through the days of medicines.
func newer(ctx context.Context, c cabinet) (to ui.Link) {
	if c.Older {
		to = ui.Link{Href: "/so/thuoc", Text: t(ctx, "page.first")}
	}
	return to
}

func older(ctx context.Context, c cabinet) (to ui.Link) {
	if _, err := time.Parse(time.DateOnly, c.Next); err == nil {
		to = ui.Link{Href: "/so/thuoc?truoc=" + c.Next, Text: t(ctx, "page.older")}
	}
	return to
}

func (c course) newer(ctx context.Context) (to ui.Link) {
	if c.After != "" {
		to = ui.Link{Href: c.Last.Href() + "#tat-ca", Text: t(ctx, "page.first")}
	}
	return to
}

func (c course) older(ctx context.Context) (to ui.Link) {
	if c.Next != "" {
		to = ui.Link{Href: c.Last.Href() + "?sau=" + url.QueryEscape(c.Next) + "#tat-ca", Text: t(ctx, "page.older")}
	}
	return to
}
