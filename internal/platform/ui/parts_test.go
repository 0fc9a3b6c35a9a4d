package ui

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// has renders a component and says what of want is missing, and what of not is there.
func has(t *testing.T, ctx context.Context, c templ.Component, want, not []string) {
	t.Helper()
	html := render(t, ctx, c)
	for _, w := range want {
		if !strings.Contains(html, w) {
			t.Errorf("no %s in\n%s", w, html)
		}
	}
	for _, n := range not {
		if strings.Contains(html, n) {
			t.Errorf("%s in\n%s", n, html)
		}
	}
}

func TestShell(t *testing.T) {
	ctx := bound(t, i18n.VI)
	one := Viewer{Name: "Lan", Role: "Công dân", Nav: []Tab{{Link{"/so", "Sổ"}, true}}}
	has(t, ctx, Page(Frame{Title: "T"}), []string{`<html lang="vi">`, `href="#noi-dung"`, `action="/ngon-ngu"`, `name="lang" value="en"`, `name="den" value="/"`, "1.2.3"},
		[]string{"/ra", "<nav", "reading", "<script"})
	has(t, ctx, Page(Frame{Title: "T", Lead: "L", Reading: true, Script: []string{HTMX}}),
		[]string{`class="reading"`, `<p class="lead">L</p>`, `<script type="module" src="/static/htmx-4.0.1.esm.min.js?v=`}, nil)
	has(t, WithViewer(ctx, one), Page(Frame{Title: "T"}), []string{`action="/ra"`, "<b>Lan</b>", "Công dân"}, []string{"<nav"}) // one place needs no navigation
	has(t, WithViewer(ctx, Viewer{Name: "Sở Y tế", Role: "Sở Y tế"}), Page(Frame{Title: "T"}), []string{"<b>Sở Y tế</b>"}, []string{"<span>Sở Y tế</span>"})
	one.Nav = append(one.Nav, Tab{Link: Link{"/x?a=1&b=2", "<X>"}})
	has(t, WithViewer(ctx, one), Page(Frame{Title: "T", Back: Link{"/so", "Sổ"}}),
		[]string{`<a href="/so" aria-current="page">`, `<a href="/x?a=1&amp;b=2">&lt;X&gt;</a>`, `<a class="back" href="/so">`}, nil)
	has(t, bound(t, i18n.EN), Page(Frame{Title: "T"}), []string{`<html lang="en">`, `value="vi"`, "Tiếng Việt"}, []string{"Đến nội dung"})
}

func TestErrorPages(t *testing.T) {
	ctx := bound(t, i18n.VI)
	for kind, title := range map[outcome.Kind]string{
		outcome.Login: "Xin đăng nhập", outcome.Forbidden: "Không được mở trang này", outcome.NotFound: "Không có trang này", outcome.Deleted: "Không có trang này",
		outcome.Value: "Có điều chưa đúng", outcome.TooLong: "Có điều chưa đúng", outcome.Throttled: "Xin thử lại sau ít phút",
		outcome.Transient: "Xin thử lại sau ít phút", outcome.Exception: "Hệ thống gặp lỗi",
	} {
		has(t, ctx, ErrorPage(outcome.New(kind, "k", "Câu.", "Sentence."), "REF"), []string{"<h1>" + title + "</h1>", "Câu.", "<code>REF</code>", `href="/"`}, []string{"Sentence."})
	}
}

func TestField(t *testing.T) {
	ctx := bound(t, i18n.VI)
	has(t, ctx, Field(Input{Name: "a", Label: "A"}), []string{`<label for="f-a">`, `id="f-a" name="a" type="text" value=""`, " required"}, []string{"aria-", "faulty", "bắt buộc"})
	has(t, ctx, Field(Input{Name: "a", Label: "A", Hint: "H", Fault: `F"`, Value: `"><x`, Optional: true, Type: "date"}),
		[]string{`aria-describedby="f-a-hint f-a-fault"`, `aria-invalid="true"`, `type="date"`, `value="&#34;&gt;&lt;x"`, "(không bắt buộc)", "F&#34;", `id="f-a-fault"`}, []string{" required", "<x"})
	has(t, ctx, Select(Input{Name: "a", Value: "2"}, []Option{{"1", "M", ""}, {"2", "H", ""}}), []string{`<option value="2" selected>`}, []string{`"1" selected`})
	has(t, ctx, Radios(Input{Name: "a", Label: "L", Fault: "F", Value: "1"}, []Option{{"1", "M", "m"}, {"2", "H", ""}}),
		[]string{"<fieldset", "<legend>", `id="f-a-1" type="radio" name="a" value="1" checked required`, `aria-describedby="f-a-fault"`}, []string{`value="2" checked`})
	has(t, ctx, Check("c", Option{"1", "T", ""}, true), []string{`type="checkbox"`, "checked"}, []string{"required"})
	has(t, ctx, Faults(Input{Name: "a"}, Input{Name: "b", Fault: "F"}), []string{`role="alert"`, `<a href="#f-b">F</a>`}, []string{"#f-a"})
	if html := render(t, ctx, Faults(Input{Name: "a"})); strings.TrimSpace(html) != "" {
		t.Errorf("a form without fault says %s", html)
	}
	has(t, ctx, Drop(Upload{Name: "tep", Label: "L", Fault: "F", Accept: ".xml", Many: true}), []string{`type="file"`, `accept=".xml"`, " multiple", `aria-describedby="f-tep-fault"`}, nil)
	has(t, ctx, Filters("/x", "Xem"), []string{`method="get" action="/x"`, ">Xem</button>"}, []string{"post"})
}

func TestParts(t *testing.T) {
	ctx := bound(t, i18n.VI)
	has(t, ctx, Figure(Number{Name: "N", Value: "1", Href: "/x"}), []string{`<a class="figure" href="/x">`}, []string{"figure-note"})
	has(t, ctx, Figure(Number{Name: "N", Value: "1"}), []string{`<div class="figure">`}, []string{"<a"})
	has(t, ctx, Facts([]Fact{{"A", "1", ""}, {"B", "", ""}, {"C", "3", "/c"}}), []string{"<dt>A</dt>", `<a href="/c">3</a>`}, []string{"<dt>B</dt>"})
	has(t, ctx, Facts([]Fact{{"A", "1", "javascript:alert(1)"}}), nil, []string{"<script"})
	three := Grid{Columns: []Column{{"A", false}, {"B", true}, {"C", false}}, Rows: [][]templ.Component{{Text("<1>"), Text("2"), Badge(Bad, "3")}}}
	has(t, ctx, Table(three), []string{`<table class="cards">`, `<td data-name="B" class="number">`, "&lt;1&gt;", "tone-bad", `aria-label="Bảng, cuộn ngang được"`}, []string{"<caption"})
	has(t, ctx, Table(Grid{Caption: "K", Columns: three.Columns[:2]}), []string{"<caption>K</caption>", `aria-label="K"`, "<table>"}, []string{"cards"})
	has(t, ctx, Notice(Bad, "H", "T"), []string{`role="alert"`, "<svg"}, nil)
	has(t, ctx, Notice(Calm, "", "T"), []string{`role="status"`}, []string{"notice-head"})
	has(t, ctx, Steps([]Step{{"A", "", Done, ""}, {"B", "n", Now, "/b"}}), []string{`class="now" aria-current="step"`, "(đã xong)", "(đang ở bước này)", `<a href="/b">`}, nil)
	has(t, ctx, Pager(Link{}, Link{"/n", "N"}), []string{`rel="next"`}, []string{`rel="prev"`})
	has(t, ctx, Progress("P", 42), []string{`value="42"`, "42%"}, nil)
	has(t, ctx, TimeLine([]Year{{"2026", []Entry{{Date: "D", Title: "T", Href: "/t"}, {Title: "U"}}}}), []string{"<h2>2026</h2>", `<a href="/t">T</a>`, `<li class="opens">`}, []string{`<a href="">`})
	has(t, ctx, Tour([]Stop{{"W", "N", "T", "/t", "Go"}}), []string{`<a class="button" href="/t">Go<span class="hidden-text">: N`}, nil)
}

func TestLineState(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		low, high, v float64
		want         string
	}{
		{3.9, 6.4, 3.8, "below"}, {3.9, 6.4, 3.9, "in"}, {3.9, 6.4, 6.4, "in"}, {3.9, 6.4, 6.5, "above"},
		{nan, 6.5, 7, "above"}, {nan, 6.5, 1, "in"}, {60, nan, 50, "below"}, {60, nan, 70, "in"}, {nan, nan, 5, ""},
	} {
		if got := (Line{Low: c.low, High: c.high}).state(c.v); got != c.want {
			t.Errorf("%v in %v..%v: %q, want %q", c.v, c.low, c.high, got, c.want)
		}
	}
	if got := (Line{Low: nan, High: 5.7, Below: true}).state(5.7); got != "above" {
		t.Errorf("5.7 below 5.7: %q", got)
	}
}

func TestAxis(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		marks     []float64
	}{
		{0, 100, []float64{0, 50, 100}}, {3.9, 6.4, []float64{3, 4, 5, 6, 7}}, {0, 1, []float64{0, 0.5, 1}}, {5, 5, []float64{4, 4.5, 5, 5.5, 6}},
		{0, 7, []float64{0, 2, 4, 6, 8}}, {0.012, 0.019, []float64{0.012, 0.014, 0.016, 0.018, 0.02}}, {-3, 4, []float64{-4, -2, 0, 2, 4}},
	} {
		a := newAxis(c.low, c.high, 190)
		if len(a.marks) != len(c.marks) {
			t.Errorf("%v..%v: %v, want %v", c.low, c.high, a.marks, c.marks)
			continue
		}
		for i := range c.marks {
			if math.Abs(a.marks[i]-c.marks[i]) > 1e-9 {
				t.Errorf("%v..%v: %v, want %v", c.low, c.high, a.marks, c.marks)
			}
		}
		if a.low > c.low || a.high < c.high || len(a.marks) > 6 {
			t.Errorf("%v..%v does not fit %v..%v", c.low, c.high, a.low, a.high)
		}
		if y := a.y(a.high); y != plotTop {
			t.Errorf("top at %v", y)
		}
		if y := a.y(a.low); math.Abs(y-a.foot()) > 1e-9 {
			t.Errorf("foot at %v", y)
		}
	}
}

func TestDates(t *testing.T) {
	at := func(y, m, d int) int64 { return time.Date(y, time.Month(m), d, 9, 0, 0, 0, clock.VietNam).UnixMilli() }
	for _, c := range []struct {
		first, last int64
		want        string
	}{
		{at(2026, 3, 12), at(2026, 3, 12), "12/03/2026"},
		{at(2026, 3, 12), at(2026, 3, 15), "12/03 13/03 14/03 15/03"},
		{at(2026, 3, 1), at(2026, 3, 31), "01/03 09/03 17/03 25/03"},
		{at(2026, 1, 12), at(2026, 6, 3), "03/2026 05/2026"},
		{at(2025, 7, 1), at(2026, 6, 30), "10/2025 01/2026 04/2026"},
		{at(2021, 5, 1), at(2026, 3, 1), "2022 2023 2024 2025 2026"},
		{at(2018, 5, 1), at(2026, 3, 1), "2020 2022 2024 2026"},
		{at(1990, 5, 1), at(2026, 3, 1), "2000 2010 2020"},
	} {
		var got []string
		for _, d := range dates(c.first, c.last) {
			got = append(got, d.text)
			if d.ms < c.first || d.ms > c.last {
				t.Errorf("%s lies outside", d.text)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestChart(t *testing.T) {
	ctx := bound(t, i18n.VI)
	has(t, ctx, Chart(hba1c()), []string{
		`aria-label="HbA1c: gần nhất 6,4 % (12/11/2025: 6,4 %). Khoảng tham chiếu đến 6,5"`, "<title>12/03/2024: 9,1 %</title>", ">6,4 %</text>", "c-out", "cao hơn", "trong khoảng", "Xem bảng số",
	}, []string{"NaN", "style="})
	has(t, ctx, Chart(Line{Title: "X", Low: math.NaN(), High: math.NaN(), Points: []Point{{0, math.NaN(), "?"}, {1, math.Inf(1), "?"}}}), []string{"Chưa có số liệu."}, []string{"<svg", "NaN"})
	one := Line{Title: "X", Unit: "kg", Low: math.NaN(), High: math.NaN(), Points: []Point{{month(2026, 3), 52, "12/03/2026: 52 kg"}}}
	has(t, ctx, Chart(one), []string{`cx="50%"`, "12/03/2026"}, []string{"c-band", "NaN", "c-line"})
	if html := render(t, ctx, Spark(one)); html != "" {
		t.Errorf("one point makes no line: %s", html)
	}
	// The order in which points come does not matter, and they are not changed.
	l := hba1c()
	l.Points[0], l.Points[5] = l.Points[5], l.Points[0]
	if render(t, ctx, Chart(l)) != render(t, ctx, Chart(hba1c())) || l.Points[0].Y != 6.4 {
		t.Error("the order of the points shows")
	}
	for _, d := range newPlot(glucose()).dots {
		if d.x < 0 || d.x > 100 || d.y < plotTop-0.01 || d.y > plotHeight-plotFoot+0.01 {
			t.Errorf("a point lies outside: %v", d)
		}
	}
}

func TestBars(t *testing.T) {
	ctx := bound(t, i18n.VI)
	c := Count{Title: "T", Bars: []Bar{{Name: "A", Value: 10, Href: "/a"}, {Name: "B", Value: 5, Text: "5 lượt", Note: "33 %"}, {Name: "C"}}}
	has(t, ctx, Bars(c), []string{`width="1000"`, `width="500"`, `width="0"`, `<a href="/a" aria-label="A: 10">10</a>`, "33 %"}, nil)
	c.Upright = true
	has(t, ctx, Bars(c), []string{`<a href="/a" aria-label="A: 10">`, `role="img" aria-label="B: 5 lượt"`, "<title>C: 0</title>", `height="0"`}, []string{"NaN"})
	has(t, ctx, Bars(Count{Upright: true}), nil, []string{"NaN", "Inf"})
	has(t, ctx, Bars(Count{Bars: []Bar{{Name: "A"}}}), []string{`width="0"`}, []string{"NaN"})
}

func TestFigureText(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 6.4: "6,4", 0.1 + 0.2: "0,3", 1234: "1.234", 12345.6: "12.346", 0.0123: "0,0123", -7.5: "-7,5", 100: "100", 99.96: "99,96"} {
		if got := figureText(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
