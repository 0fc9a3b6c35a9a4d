package exchange

import (
	"bytes"
	"errors"
	"iter"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

var (
	errNotReadable = outcome.New(outcome.Invalid, "import.json",
		"Tệp không phải JSON, NDJSON hoặc XML FHIR đúng chuẩn.", "The file is not well-formed FHIR JSON, NDJSON or XML.")
	errBundleEntry = outcome.New(outcome.NotSupported, "import.entry",
		"Mục của Bundle là lệnh xóa, sửa hoặc tham chiếu urn:uuid. Lệnh nhập chỉ ghi tài nguyên có id sẵn.",
		"The entry of the Bundle deletes, patches or refers to urn:uuid. An import only writes resources that have their id.")
	errNoResource = outcome.New(outcome.Structure, "import.no-resource",
		"Tệp không chứa tài nguyên FHIR (resourceType).", "The file holds no FHIR resource (resourceType).")
)

// Entries reads a file: one resource or a Bundle, as JSON or XML, or one
// resource a line. Only of a file that can't be taken apart is the error.
func Entries(body []byte) (iter.Seq[Entry], error) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	head := bytes.TrimLeft(body, " \t\r\n")
	if len(head) == 0 {
		return nil, errNoResource
	}
	if head[0] == '<' {
		doc, err := r4.ParseXML(body)
		return whole(doc, err)
	}
	if doc, err := r4.Parse(body); err == nil {
		return whole(doc, nil)
	} else if lines(head) < 2 {
		return nil, readable(err)
	}
	return ndjson(body), nil
}

// lines counts the lines that begin like a resource, to 2.
func lines(body []byte) (n int) {
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] == '{' && line[len(line)-1] == '}' {
			if n++; n == 2 {
				break
			}
		}
	}
	return n
}

func readable(err error) error {
	if e := (*outcome.Error)(nil); errors.As(err, &e) {
		return e
	}
	return errNotReadable.Because(err)
}

func whole(doc *r4.Doc, err error) (iter.Seq[Entry], error) {
	if err != nil {
		return nil, readable(err)
	}
	if doc.Type() == "" {
		return nil, errNoResource
	}
	if doc.Type() != "Bundle" {
		return func(yield func(Entry) bool) { yield(Entry{1, doc, nil}) }, nil
	}
	return func(yield func(Entry) bool) {
		n := 0
		for e := range doc.Root().Get("entry").Elems() {
			n++
			one, err := entryDoc(e)
			if !yield(Entry{n, one, err}) {
				return
			}
		}
	}, nil
}

func entryDoc(e r4.Node) (*r4.Doc, error) {
	method := e.Get("request").Get("method").Text()
	raw := e.Get("resource").Raw()
	if method == "DELETE" || method == "PATCH" || len(raw) == 0 || bytes.Contains(raw, []byte(`"urn:uuid:`)) {
		return nil, errBundleEntry
	}
	return r4.Parse(raw)
}

// ndjson reads one resource a line; a line that can't be read keeps no other out.
func ndjson(body []byte) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		n := 0
		for line := range bytes.Lines(body) {
			n++
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			doc, err := r4.Parse(line)
			switch {
			case err != nil:
				err = readable(err)
			case doc.Type() == "" || strings.EqualFold(doc.Type(), "Bundle"):
				err = errNoResource
			}
			if !yield(Entry{n, doc, err}) {
				return
			}
		}
	}
}
