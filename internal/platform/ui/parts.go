package ui

import (
	"cmp"
	"context"
	"io"
	"strconv"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// Tone is the meaning of a colour; a word beside it always says the same.
type Tone string

// Tones.
const (
	Calm Tone = "calm" // nothing to do
	Good Tone = "good"
	Warn Tone = "warn" // somebody should look
	Bad  Tone = "bad"  // something must be done
)

// Fact is a name and a value; Href, when set, makes the value a link.
type Fact struct{ Name, Value, Href string }

// Number is a figure that opens to what is behind it.
type Number struct{ Name, Value, Note, Href string }

// Column is a column of a table; Number columns are right-aligned.
type Column struct {
	Name   string
	Number bool
}

// Grid is a table.
type Grid struct {
	Caption string
	Columns []Column
	Rows    [][]templ.Component
}

// Text is a cell of plain text.
func Text(s string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, templ.EscapeString(s))
		return err
	})
}

// Point is a value of a line over time; X is UTC milliseconds.
type Point struct {
	X     int64
	Y     float64
	Label string // as written, for the table below the line and for screen readers
}

// Line is a course over time with what counts as normal.
type Line struct {
	Title, Unit   string
	Points        []Point
	Low, High     float64 // the usual range; NaN: not known
	Below         bool    // the range ends below High: High itself is outside
	Width, Height int     // 0: the default
}

func itoa(n int) string { return strconv.Itoa(n) }

// mark is the picture of the product.
const mark = "/static/mark.svg"

func idOf(id string) templ.Attributes {
	if id == "" {
		return nil
	}
	return templ.Attributes{"id": id}
}

// class is a class that stands only when it holds.
func class(name string, on bool) templ.Attributes {
	if !on {
		return nil
	}
	return templ.Attributes{"class": name}
}

// roleOf lets a screen reader speak up for what must be done, and wait its turn with the rest.
func roleOf(t Tone) string {
	if t == Bad {
		return "alert"
	}
	return "status"
}

// tableName names a table that can be scrolled, for those who reach it by keyboard.
func tableName(ctx context.Context, t Grid) string {
	return cmp.Or(t.Caption, i18n.T(ctx, "ui.scroll"))
}

func otherLanguage(ctx context.Context) string {
	if i18n.Of(ctx) == i18n.EN {
		return string(i18n.VI)
	}
	return string(i18n.EN)
}

// faultTitle is the heading above an error's sentence.
func faultTitle(e *outcome.Error) string {
	switch status := e.Kind.Status(); {
	case status == 401:
		return "ui.error-login"
	case status == 403:
		return "ui.error-forbidden"
	case status == 404 || status == 410:
		return "ui.error-not-found"
	case status == 429 || status == 503:
		return "ui.error-later"
	case status >= 500:
		return "ui.error-ours"
	}
	return "ui.error-input"
}

func currentTab(here bool) templ.Attributes {
	if !here {
		return nil
	}
	return templ.Attributes{"aria-current": "page"}
}
