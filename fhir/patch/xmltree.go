package patch

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The kinds of nodes in an XML document (XML 1.0 has no more that a patch may touch).
const (
	element = iota
	text
	comment
	instruction
)

const (
	nsFHIR  = "http://hl7.org/fhir"
	nsXHTML = "http://www.w3.org/1999/xhtml"
	nsXSI   = "http://www.w3.org/2001/XMLSchema-instance"
	nsXML   = "http://www.w3.org/XML/1998/namespace"

	maxXMLDepth = 250
)

// qname is a name with its namespace. The prefix is only how it was written.
type qname struct{ prefix, space, local string }

func (q qname) is(space, local string) bool { return q.space == space && q.local == local }

type attribute struct {
	name  qname
	value string
}

// binding is a namespace that an element declares.
type binding struct{ prefix, uri string }

// xnode is a node of an XML document; the document itself is an element without a name.
type xnode struct {
	kind     int
	name     qname // of an element; local is the target of an instruction
	text     string
	attrs    []attribute
	declares []binding
	up       *xnode
	children []*xnode
}

var errXML = errors.New("not well-formed")

// parseXML reads a document without DOCTYPE and without other entities than XML's own.
func parseXML(src []byte) (*xnode, error) {
	d := xml.NewDecoder(bytes.NewReader(src))
	doc := &xnode{}
	open, depth := doc, 0
	for {
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return nil, errXML
			}
			n, err := open.start(t)
			if err != nil {
				return nil, err
			}
			open = n
		case xml.EndElement:
			if depth--; depth < 0 || open.name.prefix != t.Name.Space || open.name.local != t.Name.Local {
				return nil, errXML
			}
			open = open.up
		case xml.CharData:
			if open == doc && strings.TrimSpace(string(t)) != "" {
				return nil, errXML
			}
			open.put(len(open.children), &xnode{kind: text, text: string(t)})
		case xml.Comment:
			open.put(len(open.children), &xnode{kind: comment, text: string(t)})
		case xml.ProcInst:
			if t.Target != "xml" {
				open.put(len(open.children), &xnode{kind: instruction, name: qname{local: t.Target}, text: string(t.Inst)})
			}
		default: // a directive: DOCTYPE
			return nil, errXML
		}
	}
	if open != doc || doc.root() == nil {
		return nil, errXML
	}
	return doc, nil
}

// start adds an element to n and resolves its names.
func (n *xnode) start(t xml.StartElement) (*xnode, error) {
	e := &xnode{}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			e.declares = append(e.declares, binding{"", a.Value})
		case a.Name.Space == "xmlns":
			e.declares = append(e.declares, binding{a.Name.Local, a.Value})
		default:
			e.attrs = append(e.attrs, attribute{qname{prefix: a.Name.Space, local: a.Name.Local}, a.Value})
		}
	}
	if n.root() != nil && n.up == nil && n.name.local == "" {
		return nil, errXML // a second root
	}
	n.put(len(n.children), e)
	var ok bool
	if e.name, ok = e.resolve(t.Name.Space, t.Name.Local, true); !ok {
		return nil, errXML
	}
	for i, a := range e.attrs {
		if e.attrs[i].name, ok = e.resolve(a.name.prefix, a.name.local, false); !ok || e.attr(e.attrs[i].name) < i {
			return nil, errXML
		}
	}
	return e, nil
}

// lookup finds the namespace of a prefix in scope.
func (n *xnode) lookup(prefix string) (string, bool) {
	if prefix == "xml" {
		return nsXML, true
	}
	for ; n != nil; n = n.up {
		for _, b := range n.declares {
			if b.prefix == prefix {
				return b.uri, b.uri != "" || prefix == ""
			}
		}
	}
	return "", prefix == ""
}

// resolve makes a name; unprefixed attributes are in no namespace.
func (n *xnode) resolve(prefix, local string, isElement bool) (qname, bool) {
	if prefix == "" && !isElement {
		return qname{local: local}, true
	}
	uri, ok := n.lookup(prefix)
	return qname{prefix, uri, local}, ok
}

// under visits the names that use what n declares for a prefix.
func (n *xnode) under(prefix string, visit func(*qname)) {
	if n.name.prefix == prefix && n.kind == element {
		visit(&n.name)
	}
	for i := range n.attrs {
		if q := &n.attrs[i].name; q.prefix == prefix && prefix != "" {
			visit(q)
		}
	}
	for _, c := range n.children {
		if !slices.ContainsFunc(c.declares, func(b binding) bool { return b.prefix == prefix }) {
			c.under(prefix, visit)
		}
	}
}

// attr gives the place of an attribute, past the end when there is none.
func (n *xnode) attr(name qname) int {
	i := slices.IndexFunc(n.attrs, func(a attribute) bool { return a.name.is(name.space, name.local) })
	if i < 0 {
		return len(n.attrs)
	}
	return i
}

// root is the element of a document.
func (n *xnode) root() *xnode {
	for _, c := range n.children {
		if c.kind == element {
			return c
		}
	}
	return nil
}

// at is the place of n among its siblings.
func (n *xnode) at() int { return slices.Index(n.up.children, n) }

// put inserts a node before child i; texts that meet become one.
func (n *xnode) put(i int, c *xnode) {
	if c.kind == text && i > 0 && n.children[i-1].kind == text {
		n.children[i-1].text += c.text
		return
	}
	if c.kind == text && i < len(n.children) && n.children[i].kind == text {
		n.children[i].text = c.text + n.children[i].text
		return
	}
	c.up = n
	n.children = slices.Insert(n.children, i, c)
}

// cut takes a node out of its parent; texts that meet become one.
func (n *xnode) cut() {
	up, i := n.up, n.at()
	up.children = slices.Delete(up.children, i, i+1)
	if i > 0 && i < len(up.children) && up.children[i-1].kind == text && up.children[i].kind == text {
		up.children[i-1].text += up.children[i].text
		up.children = slices.Delete(up.children, i, i+1)
	}
}

// copy is a deep copy that stands alone; its names keep their namespaces.
func (n *xnode) copy() *xnode {
	c := *n
	c.up, c.attrs, c.declares, c.children = nil, slices.Clone(n.attrs), slices.Clone(n.declares), nil
	for _, child := range n.children {
		d := child.copy()
		d.up = &c
		c.children = append(c.children, d)
	}
	return &c
}

// size is about what a node takes.
func (n *xnode) size() int {
	s := 128 + len(n.text) + len(n.name.local)
	for _, a := range n.attrs {
		s += 64 + len(a.value)
	}
	for _, c := range n.children {
		s += c.size()
	}
	return s
}

// words is the text inside a node (XPath 1.0 §5.2).
func (n *xnode) words() string {
	if n.kind != element {
		return n.text
	}
	var b strings.Builder
	for _, c := range n.children {
		if c.kind == element || c.kind == text {
			b.WriteString(c.words())
		}
	}
	return b.String()
}

// append writes the node. Prefixes are kept; a namespace that is not declared where it is needed is declared there.
func (n *xnode) append(b []byte) []byte {
	switch n.kind {
	case text:
		return escape(b, n.text)
	case comment:
		return append(append(append(b, "<!--"...), n.text...), "-->"...)
	case instruction:
		return append(append(append(append(append(b, "<?"...), n.name.local...), ' '), n.text...), "?>"...)
	}
	if n.name.local != "" {
		b = n.tag(b)
		if len(n.children) == 0 {
			return append(b, "/>"...)
		}
		b = append(b, '>')
	}
	for _, c := range n.children {
		b = c.append(b)
	}
	if n.name.local != "" {
		b = append(append(append(b, "</"...), n.name.written()...), '>')
	}
	return b
}

func (q qname) written() string {
	if q.prefix == "" {
		return q.local
	}
	return q.prefix + ":" + q.local
}

// tag writes the start tag but for its end, and declares what names of it need.
func (n *xnode) tag(b []byte) []byte {
	n.name = n.declare(n.name, true)
	for i := range n.attrs {
		n.attrs[i].name = n.declare(n.attrs[i].name, false)
	}
	b = append(append(b, '<'), n.name.written()...)
	for _, d := range n.declares {
		b = append(b, " xmlns"...)
		if d.prefix != "" {
			b = append(append(b, ':'), d.prefix...)
		}
		b = append(escape(append(b, `="`...), d.uri), '"')
	}
	for _, a := range n.attrs {
		b = append(append(append(b, ' '), a.name.written()...), `="`...)
		b = append(escape(b, a.value), '"')
	}
	return b
}

// declare makes sure that a name's prefix means its namespace here (RFC 5261 §4.2).
func (n *xnode) declare(q qname, isElement bool) qname {
	if q.space == nsXML || !isElement && q.space == "" {
		return q
	}
	for i := 0; ; i++ {
		if i > 0 {
			q.prefix = "ns" + strconv.Itoa(i)
		}
		if !isElement && q.prefix == "" || q.prefix != "" && q.space == "" {
			continue
		}
		if uri, ok := n.lookup(q.prefix); ok && uri == q.space {
			return q
		}
		if !slices.ContainsFunc(n.declares, func(b binding) bool { return b.prefix == q.prefix }) {
			n.declares = append(n.declares, binding{q.prefix, q.space})
			return q
		}
	}
}

// escape writes text so that it may stand in an attribute or between tags.
func escape(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&#34;"...)
		case '\r':
			b = append(b, "&#13;"...)
		case '\n', '\t':
			b = append(b, c)
		default:
			b = append(b, c)
		}
	}
	return b
}
