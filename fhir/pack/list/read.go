package list

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Bounds of a list.
const (
	MaxRows  = 1_000_000
	MaxField = 10_000 // bytes
)

// List is a list that was read: rows in the order of the file.
type List struct {
	Mapping *Mapping
	rows    []row
}

// row is a concept as the JSON it becomes.
type row struct {
	code, parent string
	line         int
	json         []byte
}

// Len is the number of concepts.
func (l *List) Len() int { return len(l.rows) }

func at(line int, key, vi, en string) *outcome.Error {
	return fault(outcome.Value, key, fmt.Sprintf("Dòng %d: %s.", line, vi), fmt.Sprintf("Line %d: %s.", line, en))
}

// Read reads a list row by row. The error names the line: wrong encoding,
// quotes, number of fields, an empty or doubled code, a parent that is not
// there or below itself, a value that is not of its type.
func Read(r io.Reader, m *Mapping) (l *List, err error) {
	defer outcome.Wrap(&err, "list.Read")
	in := &lines{r: bufio.NewReaderSize(r, 64<<10)}
	head, err := in.r.Peek(4)
	if len(head) == 0 {
		return nil, fault(outcome.Invalid, "empty", "Tệp rỗng.", "The file is empty.").Because(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return nil, encoding(1)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, fault(outcome.Invalid, "excel", "Tệp là bảng tính Excel. Hãy lưu lại dạng CSV UTF-8.", "The file is a spreadsheet. Save it as CSV UTF-8.")
	case bytes.HasPrefix(head, []byte("\uFEFF")):
		_, _ = in.r.Discard(3)
	}
	c := csv.NewReader(in)
	if c.Comma, err = in.separator(m.Separator); err != nil {
		return nil, err
	}
	c.ReuseRecord = true
	header, err := c.Read()
	if err != nil {
		return nil, in.fault(err)
	}
	cols, err := columnsOf(header, m)
	if err != nil {
		return nil, err
	}
	l = &List{Mapping: m}
	for {
		record, err := c.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, in.fault(err)
		}
		line, _ := c.FieldPos(0)
		if err := l.add(record, line, cols); err != nil {
			return nil, err
		}
	}
	if len(l.rows) == 0 {
		return nil, fault(outcome.Invalid, "no-rows", "Danh mục không có dòng nào.", "The list has no rows.")
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l, nil
}

func encoding(line int) error {
	return at(line, "encoding", "không phải bảng mã UTF-8 (có thể là Windows-1258 hoặc UTF-16). Hãy lưu lại dạng “CSV UTF-8”",
		"not UTF-8 (Windows-1258 or UTF-16, perhaps). Save the file as \"CSV UTF-8\"")
}

// lines looks at the bytes on their way: they must be UTF-8, and the first line tells the separator.
type lines struct {
	r    *bufio.Reader
	line int
	rest []byte
}

// Read hands on whole lines, which keeps a letter of several bytes together.
func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		text, err := l.r.ReadSlice('\n')
		if len(text) == 0 {
			return 0, err
		}
		if err != nil && !errors.Is(err, io.EOF) { // longer than the buffer
			return 0, fault(outcome.TooLong, "line", fmt.Sprintf("Dòng %d quá dài.", l.line+1), fmt.Sprintf("Line %d is too long.", l.line+1))
		}
		l.line++
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
			return 0, encoding(l.line)
		}
		l.rest = text
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// separator is the one the mapping names, else the one that parts the header most often.
func (l *lines) separator(named string) (rune, error) {
	if named != "" {
		r, _ := utf8.DecodeRuneInString(named)
		return r, nil
	}
	head, _ := l.r.Peek(32 << 10)
	head, _, _ = bytes.Cut(head, []byte("\n"))
	best, most := ',', 0
	for _, sep := range ",;\t" {
		quoted, n := false, 0
		for _, b := range string(head) {
			if b == '"' {
				quoted = !quoted
			} else if b == sep && !quoted {
				n++
			}
		}
		if n > most {
			best, most = sep, n
		}
	}
	return best, nil
}

// fault turns what the CSV reader says into a sentence with its line.
func (l *lines) fault(err error) error {
	var own *outcome.Error
	var p *csv.ParseError
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, csv.ErrFieldCount) && errors.As(err, &p):
		return at(p.Line, "fields", "số ô khác với dòng tiêu đề (kiểm tra dấu phân cách và dấu nháy)", "the number of fields is not that of the header (look at separators and quotes)").Because(err)
	case errors.As(err, &p):
		return at(p.Line, "quotes", "dấu nháy không khép hoặc đặt sai", "a quote is not closed or stands wrong").Because(err)
	}
	return fault(outcome.Invalid, "read", "Không đọc được tệp.", "The file can't be read.").Because(err)
}

type columns struct {
	code, display, parent, from, to int
	displays                        []column
	properties                      []column
}

type column struct {
	at       int
	language string
	Property
}

func columnsOf(header []string, m *Mapping) (c columns, err error) {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.TrimSpace(fold.NFC(h))
	}
	find := func(name string) int {
		if name == "" {
			return -1
		}
		i := slices.Index(names, fold.NFC(name))
		if i < 0 && err == nil {
			err = at(1, "column", fmt.Sprintf("không có cột “%.60s”; các cột: %.300s", name, strings.Join(names, ", ")), fmt.Sprintf("there is no column %.60q; the columns: %.300s", name, strings.Join(names, ", ")))
		}
		if i >= 0 && slices.Index(names[i+1:], names[i]) >= 0 && err == nil {
			err = at(1, "column-twice", fmt.Sprintf("cột “%.60s” đứng hai lần", name), fmt.Sprintf("the column %.60q stands twice", name))
		}
		return i
	}
	c = columns{code: find(m.Code), display: find(m.Display), parent: find(m.Parent), from: find(m.ValidFrom), to: find(m.ValidTo)}
	for lang, name := range m.Displays {
		c.displays = append(c.displays, column{at: find(name), language: lang})
	}
	for name, p := range m.Properties {
		c.properties = append(c.properties, column{at: find(name), Property: p})
	}
	byPlace := func(a, b column) int { return a.at - b.at }
	slices.SortFunc(c.displays, byPlace)
	slices.SortFunc(c.properties, byPlace)
	return c, err
}

func (l *List) add(record []string, line int, cols columns) error {
	get := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.Join(strings.Fields(fold.NFC(record[i])), " ")
	}
	if !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" }) {
		return nil // a blank line of separators, as spreadsheets leave them
	}
	if slices.ContainsFunc(record, func(s string) bool { return len(s) > MaxField }) {
		return at(line, "field", "ô quá dài", "a field is too long")
	}
	if len(l.rows) == MaxRows {
		return at(line, "rows", fmt.Sprintf("quá %d dòng", MaxRows), fmt.Sprintf("more than %d rows", MaxRows))
	}
	r := row{code: get(cols.code), parent: get(cols.parent), line: line}
	if r.code == "" {
		return at(line, "code", "mã để trống", "the code is empty")
	}
	var designations, properties []r4.Object
	for _, d := range cols.displays {
		if text := get(d.at); text != "" {
			designations = append(designations, r4.Object{{Name: "language", Value: d.language}, {Name: "value", Value: text}})
		}
	}
	property := func(code, element string, value any) {
		properties = append(properties, r4.Object{{Name: "code", Value: code}, {Name: element, Value: value}})
	}
	if r.parent != "" {
		property("parent", "valueCode", r.parent)
	}
	for i, code := range []string{"effectiveDate", "deprecationDate"} {
		if text := get([]int{cols.from, cols.to}[i]); text != "" {
			day, ok := dayOf(text)
			if !ok {
				return at(line, "day", fmt.Sprintf("“%.40s” không phải ngày", text), fmt.Sprintf("%.40q is no day", text))
			}
			property(code, "valueDateTime", day)
		}
	}
	for _, p := range cols.properties {
		text := get(p.at)
		if text == "" {
			continue
		}
		value, element, ok := p.value(text)
		if !ok {
			return at(line, "value", fmt.Sprintf("“%.40s” không phải %s", text, p.Type), fmt.Sprintf("%.40q is no %s", text, p.Type))
		}
		property(p.Code, element, value)
	}
	r.json = r4.Object{{Name: "code", Value: r.code}, {Name: "display", Value: get(cols.display)}, {Name: "designation", Value: designations}, {Name: "property", Value: properties}}.JSON()
	l.rows = append(l.rows, r)
	return nil
}

// value reads a field as the type of its property.
func (p Property) value(text string) (value any, element string, ok bool) {
	switch p.Type {
	case "integer":
		n, err := strconv.ParseInt(text, 10, 32)
		return n, "valueInteger", err == nil
	case "decimal":
		d, err := decimal.Parse(text)
		return d, "valueDecimal", err == nil
	case "boolean":
		switch strings.ToLower(fold.Key(text)) {
		case "1", "true", "x", "co", "yes":
			return true, "valueBoolean", true
		case "0", "false", "khong", "no":
			return false, "valueBoolean", true
		}
		return nil, "", false
	case "dateTime":
		day, ok := dayOf(text)
		return day, "valueDateTime", ok
	case "code":
		return text, "valueCode", true
	}
	return text, "valueString", true
}

// dayOf reads a day in the ways that lists write it.
func dayOf(text string) (string, bool) {
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006", "20060102"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.DateOnly), true
		}
	}
	return "", false
}

// check looks at what only the whole list shows: codes twice, parents that are not there, circles of parents.
func (l *List) check() error {
	place := make(map[string]int, len(l.rows))
	for i, r := range l.rows {
		if j, twice := place[r.code]; twice {
			return at(r.line, "twice", fmt.Sprintf("mã “%.60s” đã có ở dòng %d", r.code, l.rows[j].line), fmt.Sprintf("the code %.60q stands in line %d already", r.code, l.rows[j].line))
		}
		place[r.code] = i
	}
	done := make([]byte, len(l.rows)) // 1: on the way up at hand, 2: reaches a root
	for i := range l.rows {
		var way []int
		for here := i; done[here] != 2; {
			r := l.rows[here]
			if done[here] == 1 {
				return at(r.line, "circle", fmt.Sprintf("mã “%.60s” nằm dưới chính nó", r.code), fmt.Sprintf("the code %.60q is below itself", r.code))
			}
			done[here], way = 1, append(way, here)
			if r.parent == "" {
				break
			}
			up, ok := place[r.parent]
			if !ok {
				return at(r.line, "parent", fmt.Sprintf("không có mã cha “%.60s”", r.parent), fmt.Sprintf("there is no parent %.60q", r.parent))
			}
			here = up
		}
		for _, w := range way {
			done[w] = 2
		}
	}
	return nil
}
