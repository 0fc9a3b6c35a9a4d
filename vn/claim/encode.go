package claim

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Write writes a submission as the standard wants it: order of letter
// 1245/BHXH-CNTT, every element of a table there and blank ones kept, inner
// documents in base64 and without declaration, no byte-order mark. Fields of
// no table (Rest.Extra), unreadable parts and the signature of other bytes are
// not written. SOLUONGHOSO is counted. It fails on text that XML can't hold.
func Write(w io.Writer, f *File) error {
	b, err := Encode(f)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Encode is Write to memory.
func Encode(f *File) ([]byte, error) {
	e := encoder{}
	switch f.Kind {
	case Claim:
		e.envelope(f)
	case CheckIn:
		rows := make([]Record, len(f.CheckIns))
		for i := range f.CheckIns {
			rows[i] = &f.CheckIns[i]
		}
		e.standAlone(&Tables[0], rows)
	case Assessment:
		rows := make([]Record, len(f.Assessments))
		for i := range f.Assessments {
			rows[i] = &f.Assessments[i]
		}
		e.standAlone(&Tables[12], rows)
	default:
		return nil, fmt.Errorf("claim: a file of kind %q can't be written", f.Kind)
	}
	return e.out.Bytes(), e.err
}

type encoder struct {
	out bytes.Buffer
	err error
}

const declaration = `<?xml version="1.0" encoding="utf-8"?>`

func (e *encoder) envelope(f *File) {
	e.out.WriteString(declaration + "\n<GIAMDINHHS xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><THONGTINDONVI>")
	e.leaf("MACSKCB", f.MACSKCB, false)
	e.out.WriteString("</THONGTINDONVI><THONGTINHOSO>")
	e.leaf("NGAYLAP", f.NGAYLAP, false)
	e.leaf("SOLUONGHOSO", strconv.Itoa(len(f.HOSO)), false)
	e.out.WriteString("<DANHSACHHOSO>")
	for _, h := range f.HOSO {
		e.out.WriteString("<HOSO>")
		for n := 1; n <= 15; n++ {
			if rows := h.Of(n); len(rows) > 0 {
				e.part(&Tables[n], rows)
			}
		}
		e.out.WriteString("</HOSO>")
	}
	e.out.WriteString("</DANHSACHHOSO></THONGTINHOSO><CHUKYDONVI></CHUKYDONVI></GIAMDINHHS>\n")
}

func (e *encoder) part(t *Table, rows []Record) {
	inner := encoder{}
	inner.table(t, rows)
	if inner.err != nil {
		e.err = inner.err
	}
	e.out.WriteString("<FILEHOSO>")
	e.leaf("LOAIHOSO", t.Name, false)
	e.out.WriteString("<NOIDUNGFILE>")
	enc := base64.NewEncoder(base64.StdEncoding, &e.out)
	enc.Write(inner.out.Bytes()) // a bytes.Buffer takes everything
	enc.Close()
	e.out.WriteString("</NOIDUNGFILE></FILEHOSO>")
}

// standAlone writes XML0 or XML12, which carry their signature element themselves.
func (e *encoder) standAlone(t *Table, rows []Record) {
	e.out.WriteString(declaration + "\n<" + t.Root + ">")
	e.list(t, rows)
	e.out.WriteString("<CHUKYDONVI></CHUKYDONVI></" + t.Root + ">\n")
}

func (e *encoder) table(t *Table, rows []Record) {
	e.out.WriteString("<" + t.Root + ">")
	if t.List == "" {
		e.fields(rows[0])
	} else {
		e.list(t, rows)
	}
	e.out.WriteString("</" + t.Root + ">")
}

func (e *encoder) list(t *Table, rows []Record) {
	e.out.WriteString("<" + t.List + ">")
	for _, r := range rows {
		e.out.WriteString("<" + t.Row + ">")
		e.fields(r)
		e.out.WriteString("</" + t.Row + ">")
	}
	e.out.WriteString("</" + t.List + ">")
}

func (e *encoder) fields(r Record) {
	t := r.Table()
	for i := range t.Fields {
		e.leaf(t.Fields[i].Name, r.Get(i), t.Fields[i].Type == TCDATA)
	}
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

func (e *encoder) leaf(name, text string, cdata bool) {
	if at := unfit(text); at >= 0 && e.err == nil {
		e.err = fmt.Errorf("claim: %s holds a character at byte %d that XML does not have", name, at)
	}
	e.out.WriteString("<" + name + ">")
	switch {
	case cdata && strings.ContainsAny(text, "&<>") && !strings.Contains(text, "]]>") && !strings.Contains(text, "\r"):
		e.out.WriteString("<![CDATA[" + text + "]]>")
	default:
		escaper.WriteString(&e.out, text)
	}
	e.out.WriteString("</" + name + ">")
}

// unfit gives the place of the first character that XML 1.0 does not have, -1 when all are fit.
func unfit(s string) int {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return i
			}
		}
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return i
		}
	}
	return -1
}
