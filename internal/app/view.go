package app

import (
	"context"
	"encoding/json"
	"flag"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/view"
)

func viewCommand() command {
	return command{
		name:    "view",
		summary: "runs views of SQL on FHIR, one JSON object a line (id, view, resources), answers in the same order",
		define: func(f *flag.FlagSet) func(context.Context, Streams, []string) error {
			lines := f.Bool("jsonl", false, "views and resources on standard input, rows on standard output")
			return func(ctx context.Context, std Streams, args []string) error {
				if !*lines || len(args) > 0 {
					return usagef("view wants --jsonl and no further word")
				}
				return answerLines(ctx, std, answerView)
			}
		},
	}
}

// viewQuestion is a line of `ytso view --jsonl`.
type viewQuestion struct {
	ID        json.RawMessage   `json:"id"`
	View      json.RawMessage   `json:"view"`
	Resources []json.RawMessage `json:"resources"`
}

// viewAnswer holds the rows as objects and the names of the columns in their order, or why there are none.
type viewAnswer struct {
	ID      json.RawMessage    `json:"id"`
	Rows    *[]json.RawMessage `json:"rows,omitempty"`
	Columns []string           `json:"columns,omitempty"`
	Error   string             `json:"error,omitempty"`
}

func answerView(ctx context.Context, line []byte) any {
	var q viewQuestion
	if err := json.Unmarshal(line, &q); err != nil {
		return viewAnswer{ID: q.ID, Error: "jsonl: " + err.Error()}
	}
	a := viewAnswer{ID: q.ID}
	if err := a.run(ctx, q); err != nil {
		e := outcome.As(err)
		return viewAnswer{ID: q.ID, Error: e.Key + ": " + e.EN}
	}
	return a
}

func (a *viewAnswer) run(ctx context.Context, q viewQuestion) error {
	v, err := view.Compile(q.View)
	if err != nil {
		return err
	}
	for _, c := range v.Columns() {
		a.Columns = append(a.Columns, c.Name)
	}
	rows := []json.RawMessage{}
	for _, text := range q.Resources {
		d, err := r4.Parse(text)
		if err != nil {
			return err
		}
		for row, err := range v.Rows(ctx, d, view.Options{}) {
			if err != nil {
				return err
			}
			rows = append(rows, v.AppendRow(nil, row))
		}
	}
	a.Rows = &rows
	return nil
}
