package view

import (
	"bufio"
	"encoding/csv"
	"io"
	"strings"
	"unicode"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Writer writes rows in one format. Close ends the text; it does not close what is below.
type Writer interface {
	Write(Row) error
	Flush() error
	Close() error
}

// Format is a form of a table: its media type by the name that _format takes.
var formats = map[string]string{
	"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8",
}

// ContentType gives the media type of a format: json, ndjson, csv, or their
// media types; "" when there is no such format.
func ContentType(format string) (name, contentType string) {
	format, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(format)), ";")
	switch format {
	case "application/json", "application/fhir+json":
		format = "json"
	case "application/x-ndjson", "application/ndjson", "application/fhir+ndjson":
		format = "ndjson"
	case "text/csv":
		format = "csv"
	}
	if formats[format] == "" {
		return "", ""
	}
	return format, formats[format]
}

// NewWriter makes a writer of a format (see ContentType); header: CSV begins with the names of the columns.
func NewWriter(w io.Writer, v *View, format string, header bool) (Writer, error) {
	switch format {
	case "json", "ndjson":
		o := &objects{out: bufio.NewWriter(w), array: format == "json"}
		for _, c := range v.columns {
			o.names = append(o.names, append(r4.AppendString(nil, c.Name), ':'))
		}
		return o, nil
	case "csv":
		t := &table{out: csv.NewWriter(w), line: make([]string, len(v.columns))}
		t.out.UseCRLF = true // RFC 4180
		if header {
			for i, c := range v.columns {
				t.line[i] = c.Name
			}
			return t, t.out.Write(t.line)
		}
		return t, nil
	}
	return nil, outcome.New(outcome.NotSupported, "view.format", "Định dạng phải là json, ndjson hoặc csv.", "The format must be json, ndjson or csv.").At("_format")
}

// AppendRow appends a row as a JSON object.
func (v *View) AppendRow(b []byte, row Row) []byte {
	b = append(b, '{')
	for i, c := range v.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(r4.AppendString(b, c.Name), ':'), row[i].JSON()...)
	}
	return append(b, '}')
}

// objects writes an array of objects, or one on each line.
type objects struct {
	out   *bufio.Writer
	names [][]byte
	array bool
	begun bool
}

func (o *objects) Write(row Row) error {
	switch {
	case o.array && !o.begun:
		o.out.WriteString("[\n")
	case o.array:
		o.out.WriteString(",\n")
	}
	o.begun = true
	o.out.WriteByte('{')
	for i, cell := range row {
		if i > 0 {
			o.out.WriteByte(',')
		}
		o.out.Write(o.names[i])
		o.line(cell.JSON())
	}
	_, err := o.out.WriteString("}")
	if !o.array {
		err = o.out.WriteByte('\n')
	}
	return err
}

// line writes JSON without its line ends: they stand between values only.
func (o *objects) line(text []byte) {
	for _, c := range text {
		if c != '\n' && c != '\r' {
			o.out.WriteByte(c)
		}
	}
}

func (o *objects) Flush() error { return o.out.Flush() }

func (o *objects) Close() error {
	switch {
	case o.array && !o.begun:
		o.out.WriteString("[]\n")
	case o.array:
		o.out.WriteString("\n]\n")
	}
	return o.out.Flush()
}

// table writes CSV.
type table struct {
	out  *csv.Writer
	line []string
}

func (t *table) Write(row Row) error {
	for i, cell := range row {
		t.line[i] = harmless(cell)
	}
	return t.out.Write(t.line)
}

// harmless keeps a spreadsheet from taking a text for a formula (OWASP, CSV
// injection), also behind ";", where a spreadsheet that writes decimals with a
// comma may part cells; control characters become blanks. Numbers stay numbers.
func harmless(c Cell) string {
	s := c.Text()
	if len(c) > 0 && (c[0] == '-' || c[0] >= '0' && c[0] <= '9') {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
	parts := strings.SplitAfter(s, ";")
	for i, p := range parts {
		if begins := strings.TrimLeftFunc(p, passed); begins != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(begins)[0]) {
			parts[i] = "'" + p
		}
	}
	return strings.Join(parts, "")
}

// passed is what a spreadsheet may pass over before a formula.
func passed(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '\uFEFF' }

func (t *table) Flush() error {
	t.out.Flush()
	return t.out.Error()
}

func (t *table) Close() error { return t.Flush() }
