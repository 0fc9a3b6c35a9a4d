package view

import (
	"context"
	"iter"
	"time"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Row has one cell for each of the View's columns.
type Row []Cell

const (
	maxRows  = 100_000   // of one resource
	maxSteps = 1_000_000 // of one expression over one focus
	maxFoci  = 100_000   // of one repeat
)

// Options are what a run may be told.
type Options struct {
	Now time.Time // of now() and today(); zero: the clock
}

// Rows gives the rows of one resource, none when it is of another type or
// where says no. The error is the last thing given: outcome.Value when a path
// gives several values for one cell or a where is no Boolean,
// outcome.TooCostly when one resource would give too many rows.
func (v *View) Rows(ctx context.Context, doc *r4.Doc, o Options) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if doc.Type() != v.Resource {
			return
		}
		rows, err := v.rows(ctx, doc, o)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (v *View) rows(ctx context.Context, doc *r4.Doc, o Options) ([]Row, error) {
	r := &run{ctx: ctx, env: fhirpath.Env{Now: o.Now, Resource: fhirpath.Root(doc), Lenient: true, Joined: true, MaxSteps: maxSteps, Vars: map[string][]fhirpath.Item{}}}
	for name, items := range v.vars {
		r.env.Vars[name] = items
	}
	focus := fhirpath.Root(doc)
	for _, w := range v.where {
		ok, err := r.holds(w, focus)
		if err != nil || !ok {
			return nil, err
		}
	}
	return r.cross(v.selects, focus, 0, []Row{make(Row, 0, len(v.columns))})
}

// run is a view at work on one resource.
type run struct {
	ctx context.Context
	env fhirpath.Env
}

// eval runs an expression over a focus that is number index of its list.
func (r *run) eval(e *fhirpath.Expression, focus fhirpath.Item, index int) ([]fhirpath.Item, error) {
	r.env.Vars[rowIndex] = []fhirpath.Item{fhirpath.Integer(int64(index))}
	return e.Run(r.ctx, focus, &r.env)
}

// holds answers a where: it must give a Boolean; nothing is no.
func (r *run) holds(w *fhirpath.Expression, focus fhirpath.Item) (bool, error) {
	items, err := r.eval(w, focus, 0)
	if err != nil || len(items) == 0 {
		return false, err
	}
	b, ok := items[0].Boolean()
	if !ok || len(items) > 1 {
		return false, outcome.New(outcome.Value, "view.where", "Biểu thức của where phải cho một giá trị Boolean.", "The path of a where must give one Boolean.").At("ViewDefinition.where")
	}
	return b, nil
}

// cross puts each row that the selects give behind each row that is there.
func (r *run) cross(list []*selection, focus fhirpath.Item, index int, rows []Row) ([]Row, error) {
	for _, s := range list {
		more, err := r.selected(s, focus, index)
		if err != nil {
			return nil, err
		}
		if rows, err = join(rows, more); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// join gives every pair of rows as one.
func join(left, right []Row) ([]Row, error) {
	if len(left)*len(right) > maxRows {
		return nil, costly()
	}
	out := make([]Row, 0, len(left)*len(right))
	for _, a := range left {
		for _, b := range right {
			row := make(Row, 0, max(cap(a), len(a)+len(b)))
			out = append(out, append(append(row, a...), b...))
		}
	}
	return out, nil
}

func costly() error {
	return outcome.New(outcome.TooCostly, "view.too-costly", "Một tài nguyên cho quá nhiều dòng.", "One resource gives too many rows.")
}

// selected gives the rows of one select for a focus.
func (r *run) selected(s *selection, focus fhirpath.Item, index int) ([]Row, error) {
	switch {
	case s.repeat != nil:
		var foci []fhirpath.Item
		if err := r.descend(s, focus, 0, &foci); err != nil {
			return nil, err
		}
		return r.every(s, foci)
	case s.each == nil:
		return r.one(s, focus, index)
	}
	foci, err := r.eval(s.each, focus, index)
	if err != nil {
		return nil, err
	}
	if len(foci) == 0 && s.orNull {
		row, err := r.null(s, make(Row, 0, s.width))
		return []Row{row}, err
	}
	return r.every(s, foci)
}

// descend collects what repeat finds, each before what is found below it.
func (r *run) descend(s *selection, focus fhirpath.Item, depth int, out *[]fhirpath.Item) error {
	for _, e := range s.repeat {
		items, err := r.eval(e, focus, 0)
		if err != nil {
			return err
		}
		for _, i := range items {
			if *out = append(*out, i); len(*out) > maxFoci || depth > r4.MaxDepth {
				return costly()
			}
			if err := r.descend(s, i, depth+1, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) every(s *selection, foci []fhirpath.Item) (rows []Row, err error) {
	for i, f := range foci {
		more, err := r.one(s, f, i)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, more...); len(rows) > maxRows {
			return nil, costly()
		}
	}
	return rows, nil
}

// one gives the rows of a select for one focus: its columns, those under it, those of its union.
func (r *run) one(s *selection, focus fhirpath.Item, index int) ([]Row, error) {
	own := make(Row, 0, s.width)
	for _, c := range s.own {
		cell, err := r.cell(c, focus, index)
		if err != nil {
			return nil, err
		}
		own = append(own, cell)
	}
	rows, err := r.cross(s.under, focus, index, []Row{own})
	if err != nil || len(s.union) == 0 {
		return rows, err
	}
	var union []Row
	for _, u := range s.union {
		more, err := r.selected(u, focus, index)
		if err != nil {
			return nil, err
		}
		union = append(union, more...)
	}
	return join(rows, union)
}

// null is the row of a forEachOrNull that finds nothing: empty cells, and 0 where %rowIndex is asked for.
func (r *run) null(s *selection, row Row) (Row, error) {
	for _, c := range s.own {
		var cell Cell
		if c.indexed {
			var err error
			if cell, err = r.cell(c, fhirpath.Item{}, 0); err != nil {
				return nil, err
			}
		}
		row = append(row, cell)
	}
	var err error
	for _, u := range s.under {
		if row, err = r.null(u, row); err != nil {
			return nil, err
		}
	}
	if len(s.union) > 0 {
		return r.null(s.union[0], row)
	}
	return row, nil
}

func (r *run) cell(c *column, focus fhirpath.Item, index int) (Cell, error) {
	items, err := r.eval(c.path, focus, index)
	if err != nil {
		return nil, outcome.As(err).At("ViewDefinition.select.column." + c.Name)
	}
	if !c.Collection {
		if len(items) > 1 {
			return nil, outcome.New(outcome.Value, "view.collection", "Cột "+c.Name+" có nhiều giá trị; cần collection = true hoặc forEach.",
				"The column "+c.Name+" has several values: it wants collection = true or a forEach.").At("ViewDefinition.select.column." + c.Name)
		}
		if len(items) == 0 {
			return nil, nil
		}
		return cellOf(items[0]), nil
	}
	out := Cell{'['}
	for _, i := range items {
		if one := cellOf(i); one != nil {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(out, one...)
		}
	}
	return append(out, ']'), nil
}
