package claim

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
)

// Read reads a submission from r; see Decode.
func Read(r io.Reader, lim Limits) (*File, error) {
	lim = lim.withDefaults()
	max := lim.FileBytes*4/3 + 4096
	src, err := io.ReadAll(io.LimitReader(r, int64(max)+1))
	if err != nil {
		return nil, err
	}
	if len(src) > max {
		return &File{}, ErrTooLarge
	}
	return Decode(src, lim)
}

// Decode reads a submission: GIAMDINHHS, or a stand-alone XML0 or XML12,
// plain or in one more layer of base64. An error refuses the whole file; the
// File beside it holds what could be read all the same, for the receipt. What
// concerns one HOSO or one part only is a Problem there.
//
// Text is kept as written, but for white space around it. Names and order of
// elements are free; unknown ones are kept in Rest.Extra.
func Decode(src []byte, lim Limits) (*File, error) {
	lim = lim.withDefaults()
	src = unwrap(src)
	if len(src) > lim.FileBytes {
		return &File{}, ErrTooLarge
	}
	root, err := parse(src, lim)
	f := &File{}
	if root != nil {
		switch root.name {
		case "GIAMDINHHS":
			f.readEnvelope(root, bytes.TrimPrefix(src, bom), lim)
		case Tables[0].Root:
			f.Kind = CheckIn
			f.CheckIns = readRows[XML0](&f.Problems, root, &Tables[0], lim)
			f.CHUKYDONVI = signature(root, src)
		case Tables[12].Root:
			f.Kind = Assessment
			f.Assessments = readRows[XML12](&f.Problems, root, &Tables[12], lim)
			f.CHUKYDONVI = signature(root, src)
		default:
			if err == nil {
				return f, ErrUnknownRoot
			}
		}
	}
	if err != nil {
		return f, refusal(err)
	}
	return f, f.whole(lim)
}

func refusal(err error) error {
	var e *outcome.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, errCut):
		return ErrCutOff.Because(err)
	case errors.Is(err, errEntity):
		return ErrEntity.Because(err)
	case errors.Is(err, errSize):
		return ErrTooLarge.Because(err)
	}
	return ErrNotXML.Because(err)
}

// whole judges what concerns the file as a whole (envelope.md §2: missing
// MACSKCB and fewer HOSO than declared refuse it).
func (f *File) whole(lim Limits) error {
	if f.Kind != Claim {
		return nil
	}
	if strings.TrimSpace(f.MACSKCB) == "" {
		return ErrNoFacility.At("GIAMDINHHS.THONGTINDONVI.MACSKCB")
	}
	if len(f.HOSO) > lim.HOSO {
		return ErrTooLarge
	}
	if f.is4210() {
		return ErrOldFormat
	}
	if n, err := strconv.Atoi(f.SOLUONGHOSO); err != nil || n != len(f.HOSO) {
		return ErrCount.At("GIAMDINHHS.THONGTINHOSO.SOLUONGHOSO")
	}
	return nil
}

// unwrap takes off one layer of base64 around the whole file, when there is one.
func unwrap(src []byte) []byte {
	head := bytes.TrimSpace(bytes.TrimPrefix(src, bom))
	if len(head) == 0 || head[0] == '<' {
		return src
	}
	if out, err := decodeBase64(head); err == nil && bytes.HasPrefix(bytes.TrimSpace(bytes.TrimPrefix(out, bom)), []byte("<")) {
		return out
	}
	return src
}

// decodeBase64 ignores white space inside, as mail and editors put it there.
func decodeBase64(text []byte) ([]byte, error) {
	clean := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			clean = append(clean, c)
		}
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(clean)))
	n, err := base64.StdEncoding.Decode(out, clean)
	return out[:n], err
}

func (f *File) readEnvelope(root *element, src []byte, lim Limits) {
	f.Kind = Claim
	if unit := root.child("THONGTINDONVI"); unit != nil {
		f.MACSKCB = unit.textOf("MACSKCB")
	}
	f.CHUKYDONVI = signature(root, src)
	info := root.child("THONGTINHOSO")
	if info == nil {
		return
	}
	f.NGAYLAP, f.SOLUONGHOSO = info.textOf("NGAYLAP"), info.textOf("SOLUONGHOSO")
	list := info.child("DANHSACHHOSO")
	if list == nil {
		return
	}
	for i := range list.kids {
		if list.kids[i].name == "HOSO" && len(f.HOSO) <= lim.HOSO {
			f.HOSO = append(f.HOSO, readHOSO(&list.kids[i], len(f.HOSO)+1, src, lim))
		}
	}
}

// signature keeps the content of CHUKYDONVI as received.
func signature(root *element, src []byte) string {
	e := root.child("CHUKYDONVI")
	if e == nil || e.to < e.from || e.to > len(src) {
		return ""
	}
	return string(src[e.from:e.to])
}

func readHOSO(e *element, ordinal int, src []byte, lim Limits) *HOSO {
	h := &HOSO{Ordinal: ordinal}
	seen := map[string]bool{}
	for i := range e.kids {
		part := &e.kids[i]
		if part.name != "FILEHOSO" {
			continue
		}
		name := strings.ToUpper(part.textOf("LOAIHOSO"))
		content := part.child("NOIDUNGFILE")
		if content == nil {
			content = &element{}
		}
		if seen[name] {
			h.problem(RepeatedPart, name, "", "the part stands more than once in this HOSO")
			h.keep(name, content, src)
			continue
		}
		seen[name] = true
		h.readPart(name, content, src, lim)
	}
	return h
}

func (h *HOSO) problem(code ProblemCode, table, value, cause string) {
	h.Problems = append(h.Problems, Problem{Code: code, Table: table, Value: clip(value), Cause: cause})
}

// keep puts a part aside unread, as it came.
func (h *HOSO) keep(name string, content *element, src []byte) {
	raw := []byte{}
	if content.to > content.from && content.to <= len(src) {
		raw = bytes.Clone(src[content.from:content.to])
	}
	h.Parts = append(h.Parts, Part{LOAIHOSO: name, Raw: raw})
}

func (h *HOSO) readPart(name string, content *element, src []byte, lim Limits) {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "XML"))
	known := err == nil && strings.HasPrefix(name, "XML") && n >= 1 && n <= 15 && n != 12 && name == "XML"+strconv.Itoa(n)
	if !known {
		h.problem(UnknownPart, name, name, "LOAIHOSO is none of XML1 to XML11 and XML13 to XML15")
		h.keep(name, content, src)
		return
	}
	root, code, err := inner(content, lim)
	if code == NestedContent {
		h.problem(NestedContent, name, "", "elements in place of base64")
	}
	if err != nil {
		h.problem(code, name, "", err.Error())
		h.keep(name, content, src)
		return
	}
	if !h.readTable(n, root, lim) {
		h.problem(WrongRoot, name, root.name, "the root element is not "+Tables[n].Root)
		h.keep(name, content, src)
		return
	}
	h.Parts = append(h.Parts, Part{LOAIHOSO: name, Rows: len(h.Of(n))})
}

// inner gives the root of an inner document: base64 of XML, or the elements themselves.
func inner(content *element, lim Limits) (*element, ProblemCode, error) {
	if len(content.kids) > 0 {
		return &content.kids[0], NestedContent, nil
	}
	doc, err := decodeBase64([]byte(content.text))
	if err != nil || len(doc) == 0 {
		if strings.HasPrefix(strings.TrimSpace(content.text), "<") { // the document stands there as escaped text
			doc = []byte(content.text)
		} else {
			return nil, BadBase64, errors.New("neither base64 nor XML")
		}
	}
	if len(doc) > lim.PartBytes {
		return nil, TooLarge, errSize
	}
	root, err := parse(doc, lim)
	switch {
	case errors.Is(err, errEntity):
		return nil, Entity, err
	case errors.Is(err, errSize):
		return nil, TooLarge, err
	case err != nil:
		return nil, BadXML, err
	}
	return root, "", nil
}

// readTable reads the rows of table n; false when the root is not of that table.
func (h *HOSO) readTable(n int, root *element, lim Limits) bool {
	t := &Tables[n]
	if root.name != t.Root {
		return false
	}
	rows := rowsOf(root, t)
	for i, row := range rows {
		if i >= lim.Rows {
			h.problem(TooLarge, t.Name, "", "more rows than permitted")
			break
		}
		readRow(&h.Problems, h.Add(n), row, i+1)
	}
	return true
}

// rowsOf finds the record elements under a root. A misspelt list or record
// element (GIAM_DINH_Y_KHOA has been seen) is taken by its place.
func rowsOf(root *element, t *Table) []*element {
	if t.List == "" {
		return []*element{root}
	}
	list := root.child(t.List)
	if list == nil {
		return nil
	}
	rows := make([]*element, 0, len(list.kids))
	for i := range list.kids {
		rows = append(rows, &list.kids[i])
	}
	return rows
}

func readRows[T any, P interface {
	*T
	Record
}](problems *[]Problem, root *element, t *Table, lim Limits) []T {
	var out []T
	for i, row := range rowsOf(root, t) {
		if i >= lim.Rows {
			*problems = append(*problems, Problem{Code: TooLarge, Table: t.Name, Cause: "more rows than permitted"})
			break
		}
		var rec T
		readRow(problems, P(&rec), row, i+1)
		out = append(out, rec)
	}
	return out
}

// slips are misspelt field names seen in print or in practice (envelope.md §3).
var slips = map[string]string{"DANG_HUONG_CHE_D": "DANG_HUONG_CHE_DO"}

func readRow(problems *[]Problem, rec Record, e *element, row int) {
	t := rec.Table()
	seen := make([]bool, len(t.Fields))
	note := func(code ProblemCode, field, value string) {
		*problems = append(*problems, Problem{Code: code, Table: t.Name, Row: row, Field: field, Value: clip(value)})
	}
	next := 0 // fields mostly come in order
	for i := range e.kids {
		k := &e.kids[i]
		at := fieldAt(t, k.name, next)
		switch {
		case at < 0:
			note(UnknownField, k.name, k.text)
			rec.Rest().Extra = append(rec.Rest().Extra, Extra{k.name, k.text})
		case seen[at]:
			note(RepeatedField, k.name, k.text)
			rec.Rest().Extra = append(rec.Rest().Extra, Extra{k.name, k.text})
		default:
			seen[at], next = true, at+1
			rec.Set(at, strings.TrimSpace(k.text))
		}
	}
	for at, ok := range seen {
		if !ok {
			if rec.Rest().Missing == nil {
				rec.Rest().Missing = map[int]bool{}
			}
			rec.Rest().Missing[at] = true
		}
	}
	if len(rec.Rest().Extra) > 0 {
		adopt(rec)
	}
}

func fieldAt(t *Table, name string, guess int) int {
	if guess < len(t.Fields) && t.Fields[guess].Name == name {
		return guess
	}
	if right, ok := slips[name]; ok {
		name = right
	}
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// clip cuts a value for a Problem.
func clip(s string) string {
	const max = 64
	if len(s) <= max {
		return s
	}
	for i := max; i > max-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:max]
}
