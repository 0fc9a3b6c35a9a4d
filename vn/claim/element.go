package claim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// element is one XML element with its text and children: claims have no
// attributes and no mixed content that matter.
type element struct {
	name string
	text string // character data, CDATA and escaped text alike
	kids []element
	from int // byte range of the content in the source
	to   int
}

// child gives the first child of a name.
func (e *element) child(name string) *element {
	for i := range e.kids {
		if e.kids[i].name == name {
			return &e.kids[i]
		}
	}
	return nil
}

// textOf gives the trimmed text of a child, "" when it is absent.
func (e *element) textOf(name string) string {
	if c := e.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

// errors inside this file; Decode maps them to outcomes and Problems.
var (
	errEntity = errors.New("DTD or entity")
	errSize   = errors.New("over the limit")
	errUTF8   = errors.New("not UTF-8")
	errCut    = errors.New("ends before its end")
)

var bom = []byte("\xef\xbb\xbf")

// parse reads one XML document. A document that ends early gives what was read
// and errCut. The tree is bounded by its source: every element of it stands there.
func parse(src []byte, lim Limits) (*element, error) {
	src = bytes.TrimPrefix(src, bom)
	if !utf8.Valid(src) {
		return nil, errUTF8
	}
	p := parser{dec: xml.NewDecoder(bytes.NewReader(src)), lim: lim}
	p.dec.Strict = true
	p.dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "utf-8") {
			return in, nil
		}
		return nil, errUTF8
	}
	return p.document()
}

type parser struct {
	dec *xml.Decoder
	lim Limits
}

func (p *parser) document() (*element, error) {
	var root *element
	for {
		tok, err := p.dec.Token()
		switch {
		case err == io.EOF && root != nil:
			return root, nil
		case err != nil:
			return root, p.reason(err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return root, errEntity
		case xml.StartElement:
			if root != nil {
				return root, errors.New("more than one root element")
			}
			root = &element{name: t.Name.Local}
			if err := p.inside(root, 1); err != nil {
				return root, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return root, errors.New("text outside of the root element")
			}
		}
	}
}

// inside reads up to the end tag of e.
func (p *parser) inside(e *element, depth int) error {
	if depth > p.lim.Depth {
		return errSize
	}
	e.from = int(p.dec.InputOffset())
	var text []byte
	for {
		before := int(p.dec.InputOffset())
		tok, err := p.dec.Token()
		if err != nil {
			return p.reason(err)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return errEntity
		case xml.CharData:
			if len(text)+len(t) > p.textLimit(e.name) {
				return errSize
			}
			text = append(text, t...)
		case xml.StartElement:
			e.kids = append(e.kids, element{name: t.Name.Local})
			k := &e.kids[len(e.kids)-1]
			if err := p.inside(k, depth+1); err != nil {
				return err
			}
		case xml.EndElement:
			e.to = before
			if len(e.kids) == 0 {
				e.text = string(text)
			}
			return nil
		}
	}
}

func (p *parser) textLimit(name string) int {
	if name == "NOIDUNGFILE" {
		return p.lim.PartBytes*4/3 + 4096
	}
	return p.lim.TextBytes
}

func (p *parser) reason(err error) error {
	var syntax *xml.SyntaxError
	if err == io.EOF || err == io.ErrUnexpectedEOF || errors.As(err, &syntax) && strings.HasPrefix(syntax.Msg, "unexpected EOF") {
		return errCut
	}
	if errors.As(err, &syntax) && strings.Contains(syntax.Msg, "entity") {
		return errEntity
	}
	return err
}
