package province

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/sheet"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/trust"
)

// kind is a sort of list.
type kind struct {
	name    string // part of message keys and of the file's name
	typ     string
	path    string
	params  []string
	columns []string // message keys
}

var (
	visits = kind{
		"luot-kham", "Encounter", pathVisits, visitParams,
		[]string{"province.col-day", "province.col-place", "province.col-kind", "province.col-length"},
	}
	persons = kind{"nguoi", "Patient", pathPersons, personParams, []string{"province.col-birth", "province.col-sex", "province.col-commune"}}
)

// perPage is how many rows a page of a list has.
const perPage = 50

// listPage is one page of the rows behind a number.
type listPage struct {
	kind
	figure
	total       int
	where       []ui.Fact
	rows        [][]string
	first, next ui.Link
	csv         string
}

// list shows the rows behind a figure: the search that its address holds.
func (p *Province) list(k kind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		defer outcome.Wrap(&err, "province.list")
		ctx := r.Context()
		f, q, access, err := p.ask(r, k)
		if err != nil {
			return err
		}
		q.Count, q.Total, q.Cursor = perPage, "accurate", r.URL.Query().Get("_cursor")
		page := listPage{kind: k, figure: f, csv: k.path + ".csv?" + f.where.Encode()}
		err = p.d.Store.View(ctx, access, func(x store.Reader) error {
			x.Audit(store.Note{Action: "province.list", Detail: f.text()})
			found, err := x.Search(ctx, q)
			if err != nil {
				return err
			}
			page.total = found.Total
			page.next = ui.Link{}
			if found.Next != "" {
				page.next = ui.Link{Href: k.path + "?" + withCursor(f.where, found.Next), Text: i18n.T(ctx, "province.next")}
			}
			docs, names, err := p.read(ctx, x, found.Matches)
			if err != nil {
				return err
			}
			page.rows = k.rows(ctx, docs, names)
			page.where, err = p.conditions(ctx, x, f)
			return err
		})
		if err != nil {
			return err
		}
		if q.Cursor != "" {
			page.first = ui.Link{Href: k.path + "?" + f.where.Encode(), Text: i18n.T(ctx, "province.first")}
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		return showList(page).Render(ctx, w)
	}
}

// ask reads the search of a list's address and opens the gate for it.
func (p *Province) ask(r *http.Request, k kind) (f figure, q param.Query, a store.Access, err error) {
	if f, err = figureOf(k.typ, k.params, r.URL.Query()); err != nil {
		return f, q, a, err
	}
	if q, err = f.query(); err != nil {
		return f, q, a, err
	}
	a, err = p.d.Gate.Access(r.Context(), trust.Operations)
	return f, q, a, err
}

func withCursor(where url.Values, cursor string) string {
	v := url.Values{"_cursor": {cursor}}
	for k, list := range where {
		v[k] = list
	}
	return v.Encode()
}

// read parses resources and names their facilities.
func (p *Province) read(ctx context.Context, x store.Reader, list []*store.Resource) (docs []*r4.Doc, names map[string]string, err error) {
	var codes []string
	for _, m := range list {
		d, err := r4.Parse(m.Body)
		if err != nil {
			return nil, nil, err
		}
		docs = append(docs, d)
		if c := placeOf(d.Root()); c != "" {
			codes = append(codes, c)
		}
	}
	names, err = p.d.Facilities.Names(ctx, x, codes...)
	return docs, names, err
}

func (k kind) rows(ctx context.Context, docs []*r4.Doc, names map[string]string) [][]string {
	rows := make([][]string, 0, len(docs))
	for _, d := range docs {
		if k.typ == "Patient" {
			rows = append(rows, personRow(ctx, d.Root()))
		} else {
			rows = append(rows, visitRow(ctx, d.Root(), names))
		}
	}
	return rows
}

// maxExport bounds a file: a wider one is to be narrowed by its period.
const maxExport = 200_000

var errExport = outcome.New(outcome.TooCostly, "province.export",
	"Danh sách dài hơn 200.000 dòng. Hãy chọn kỳ ngắn hơn rồi tải lại.",
	"The list has more than 200,000 rows. Choose a shorter period and try again.")

// export gives the same rows as a file for a spreadsheet: UTF-8 with a mark
// that Excel asks for. All of it is read in one View, so the audit row is on
// disk before the first byte leaves.
func (p *Province) export(k kind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) (err error) {
		defer outcome.Wrap(&err, "province.export")
		ctx := r.Context()
		f, q, access, err := p.ask(r, k)
		if err != nil {
			return err
		}
		var rows [][]string
		err = p.d.Store.View(ctx, access, func(x store.Reader) error {
			rows = rows[:0]
			x.Audit(store.Note{Action: "province.export", Detail: f.text()})
			for q.Count, q.Cursor = param.MaxCount, ""; ; {
				found, err := x.Search(ctx, q)
				if err != nil {
					return err
				}
				docs, names, err := p.read(ctx, x, found.Matches)
				if err != nil {
					return err
				}
				if rows = append(rows, k.rows(ctx, docs, names)...); len(rows) > maxExport {
					return errExport
				}
				if q.Cursor = found.Next; q.Cursor == "" {
					return nil
				}
			}
		})
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", k.name+".csv"))
		if _, err := w.Write([]byte("\ufeff")); err != nil {
			return err
		}
		out := csv.NewWriter(w)
		head := make([]string, len(k.columns))
		for i, c := range k.columns {
			head[i] = i18n.T(ctx, c)
		}
		_ = out.Write(head) // errors stay with the writer until Error
		for _, row := range rows {
			for i, c := range row {
				row[i] = sheet.Cell(c)
			}
			_ = out.Write(row)
		}
		out.Flush()
		return out.Error()
	}
}
