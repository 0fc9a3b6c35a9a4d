package ui

import (
	"context"
	"io"
	"strconv"

	"github.com/a-h/templ"
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
	Low, High     float64 // the normal range; NaN: not known
	Width, Height int     // 0: the default
}

func itoa(n int) string { return strconv.Itoa(n) }
