package ui

import "github.com/a-h/templ"

// State of a step.
type State string

// States of a step.
const (
	Done  State = "done"
	Now   State = "now"
	Next  State = "next"
	Wrong State = "wrong"
)

// Step is one of several that follow each other.
type Step struct {
	Name, Note string
	State      State
	Href       string // opens what the step has done; may be ""
}

// Stop is a card that says who would look at what, and leads there.
type Stop struct {
	Who, Name, Text string
	Href, Action    string
}

// Tag is a short word with its tone.
type Tag struct {
	Tone Tone
	Text string
}

// Row is a line of a list that may open.
type Row struct {
	Name, Note string
	Value      string // at the right, large
	Tag        Tag    // below the value; zero: none
	Href       string // may be ""
}

// Year is a stretch of a time line, newest first.
type Year struct {
	Name    string
	Entries []Entry
}

// Entry is one thing that happened.
type Entry struct {
	Date        string // as the reader writes it
	Title       string
	Place, Text string // may be ""
	Tags        []Tag
	Href        string // may be ""
}

func currentStep(s State) templ.Attributes {
	if s != Now {
		return nil
	}
	return templ.Attributes{"aria-current": "step"}
}
