package view

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/view"
)

// known are the parameters of $run. Another one is an error: what it wants can't be left out.
var known = map[string]bool{
	"viewReference": true, "viewResource": true, "_format": true, "header": true, "patient": true, "group": true,
	"source": true, "_since": true, "_limit": true, "resource": true, "_pretty": true,
}

func (o *operations) run(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if c.Inner {
		return nil, outcome.New(outcome.NotSupported, "view.inner", "$run không chạy được bên trong một Bundle.", "$run can't be an entry of a Bundle: its answer is no resource.")
	}
	if err := refuseUnknown(c); err != nil {
		return nil, err
	}
	def, err := o.definition(ctx, c)
	if err != nil {
		return nil, err
	}
	s, err := o.scan(ctx, c, def)
	if err != nil {
		return nil, err
	}
	t, err := o.table(c, s)
	if err != nil {
		return nil, err
	}
	c.Reader.Audit(store.Note{Action: "view.run", Entity: "ViewDefinition", Detail: s.View.Resource})
	if given := c.In.All("resource"); len(given) > 0 {
		return t.inline(ctx, given)
	}
	return t.start(ctx, c.Reader)
}

func bad(name, vi, en string) error {
	return outcome.New(outcome.Invalid, "view.parameter", fmt.Sprintf("Tham số “%.64s”: %s.", name, vi), fmt.Sprintf("Parameter %.64q: %s.", name, en)).
		At(fmt.Sprintf("Parameters.parameter.where(name='%.64s')", name))
}

func refuseUnknown(c *rest.Call) error {
	unknown := func(name string) error {
		return outcome.New(outcome.NotSupported, "view.parameter", fmt.Sprintf("$run không có tham số “%.64s”.", name), fmt.Sprintf("$run has no parameter %.64q.", name))
	}
	for name := range c.Query {
		if !known[name] {
			return unknown(name)
		}
	}
	if c.Doc != nil && c.Doc.Type() == "Parameters" {
		for p := range c.Doc.Root().Get("parameter").Elems() {
			if name := p.Get("name").Text(); !known[name] {
				return unknown(name)
			}
		}
	}
	if c.In.Text("source") != "" {
		return outcome.New(outcome.NotSupported, "view.source", "Máy chủ chỉ chạy view trên dữ liệu của chính mình.", "The server runs views over its own data only.").At("source")
	}
	return nil
}

// table is an answer on its way out.
type table struct {
	o      *operations
	scan   *Scan
	access store.Access
	format string
	media  string
	header bool
}

// table reads how the answer is to look. Without a wish it is ndjson.
func (o *operations) table(c *rest.Call, s *Scan) (*table, error) {
	t := &table{o: o, scan: s, access: c.Access, header: true}
	wish := c.In.Text("_format")
	if wish == "" {
		wish = c.Query.Get("_format")
	}
	switch {
	case wish != "":
		t.format, t.media = view.ContentType(strings.ReplaceAll(wish, " ", "+"))
	default:
		t.format, t.media = accepted(c.Header["Accept"])
	}
	if t.format == "" {
		return nil, outcome.New(outcome.NotSupported, "view.format", "Định dạng phải là json, ndjson hoặc csv.", "The format must be json, ndjson or csv.").At("_format")
	}
	switch h := c.In.Text("header"); h {
	case "", "true":
	case "false":
		t.header = false
	default:
		return nil, bad("header", "chỉ nhận true hoặc false", "takes true or false")
	}
	return t, nil
}

// accepted takes the first form of an Accept header that $run has; without a header, or when anything is taken, ndjson.
func accepted(headers []string) (format, media string) {
	if len(headers) == 0 {
		return view.ContentType("ndjson")
	}
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if strings.Contains(strings.ReplaceAll(params, " ", ""), "q=0") && !strings.Contains(params, "0.") {
				continue
			}
			if name == "*/*" || name == "application/*" {
				return view.ContentType("ndjson")
			}
			if format, media = view.ContentType(name); format != "" {
				return format, media
			}
		}
	}
	return "", ""
}

// inline answers with the rows of the resources that the caller gave; the store is not asked.
func (t *table) inline(ctx context.Context, given []r4.Node) (*rest.Response, error) {
	var b bytes.Buffer
	w, err := view.NewWriter(&b, t.scan.View, t.format, t.header)
	if err != nil {
		return nil, err
	}
	rows := int64(0)
	for _, p := range given {
		doc, err := r4.Parse(p.Get("resource").Raw())
		if err != nil {
			return nil, bad("resource", "phải là một tài nguyên", "must be a resource")
		}
		for row, err := range t.scan.View.Rows(ctx, doc, view.Options{Now: t.scan.Now}) {
			if err != nil {
				return nil, err
			}
			if t.scan.Limit > 0 && rows >= t.scan.Limit {
				break
			}
			rows++
			if err := w.Write(row); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &rest.Response{Status: http.StatusOK, ContentType: t.media, Raw: b.Bytes()}, nil
}

// start reads the first page, then promises the rest.
func (t *table) start(ctx context.Context, r store.Reader) (*rest.Response, error) {
	var first []view.Row
	at, err := t.scan.Next(ctx, r, Place{}, func(row view.Row) error {
		first = append(first, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &rest.Response{Status: http.StatusOK, ContentType: t.media, Stream: func(w http.ResponseWriter) error {
		return t.stream(ctx, w, first, at)
	}}, nil
}

// stream writes the first rows, then page after page, each read in a View of its own.
func (t *table) stream(ctx context.Context, out io.Writer, rows []view.Row, at Place) error {
	w, err := view.NewWriter(out, t.scan.View, t.format, t.header)
	if err != nil {
		return err
	}
	for {
		for _, row := range rows {
			if err := w.Write(row); err != nil {
				return err
			}
		}
		if at.End {
			return w.Close()
		}
		if err := w.Flush(); err != nil {
			return err
		}
		from := at
		err := t.o.Store.View(ctx, t.access, func(r store.Reader) (err error) {
			rows = rows[:0]
			r.Audit(store.Note{Action: "view.run", Entity: "ViewDefinition", Detail: t.scan.View.Resource})
			at, err = t.scan.Next(ctx, r, from, func(row view.Row) error {
				rows = append(rows, row)
				return nil
			})
			return err
		})
		if err != nil {
			return err
		}
	}
}

// scan reads what is to be looked at.
func (o *operations) scan(ctx context.Context, c *rest.Call, def r4.Node) (*Scan, error) {
	v, err := view.CompileNode(def)
	if err != nil {
		return nil, err
	}
	s := &Scan{View: v, Params: o.Params(), Now: o.Now()}
	if text := c.In.Text("_since"); text != "" {
		if s.Since, err = time.Parse(time.RFC3339Nano, strings.Replace(text, " ", "+", 1)); err != nil {
			return nil, bad("_since", "phải là một thời điểm đầy đủ (instant)", "must be a full instant")
		}
	}
	if text := c.In.Text("_limit"); text != "" {
		if s.Limit, err = strconv.ParseInt(text, 10, 64); err != nil || s.Limit < 1 {
			return nil, bad("_limit", "phải là số nguyên từ 1 trở lên", "must be a whole number, 1 or more")
		}
		s.Page = int(min(200, s.Limit))
	}
	s.Patients, err = patients(ctx, c)
	return s, err
}
