package r4

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
)

// The namespaces that FHIR uses in XML (FHIR R4 xml.html, narrative.html).
const (
	nsFHIR  = "http://hl7.org/fhir"
	nsXHTML = "http://www.w3.org/1999/xhtml"
	nsXSI   = "http://www.w3.org/2001/XMLSchema-instance"
	nsXML   = "http://www.w3.org/XML/1998/namespace"
)

// space tells namespaces apart.
type space uint8

const (
	spaceNone space = iota
	spaceFHIR
	spaceXHTML
	spaceXSI
	spaceXML
	spaceOther
)

// span is a piece of the source.
type span struct{ from, to int32 }

// xnode is an XML element; its descendants follow it up to next.
type xnode struct {
	all         span // from "<" to behind the last ">"
	name        span // without prefix
	inner       span // between the tags
	attrs       span // places in the tree's list of attributes
	next        int32
	space       space
	prefixed    bool
	declares    bool  // declares namespaces
	loose       int32 // place of the first text that is not white space, directly inside; -1: none
	hasChildren bool
}

type xattr struct {
	name, value span
	space       space
	declares    bool // declares a namespace
	prefixed    bool
	plain       bool // the value holds no reference and no line end or tab
}

// xtree is an XML document as an arena, over its source.
type xtree struct {
	src   []byte
	nodes []xnode
	attrs []xattr
	buf   []byte // for a value that is looked at once
}

func (t *xtree) bytes(s span) []byte { return t.src[s.from:s.to] }

// children gives the elements directly inside element i.
func (t *xtree) children(i int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		for j := i + 1; j < t.nodes[i].next; j = t.nodes[j].next {
			if !yield(j) {
				return
			}
		}
	}
}

// value is the text of an attribute after the reading of references and white space (XML 1.0 §3.3.3).
func (t *xtree) value(a *xattr) []byte {
	if a.plain {
		return t.bytes(a.value)
	}
	return t.appendValue(nil, a)
}

func (t *xtree) appendValue(out []byte, a *xattr) []byte {
	raw := t.bytes(a.value)
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++ // one line end
			}
			out = append(out, ' ')
		case '\n', '\t':
			out = append(out, ' ')
		case '&':
			r, n := reference(raw[i:])
			out = utf8.AppendRune(out, r)
			i += n - 1
		default:
			out = append(out, c)
		}
	}
	return out
}

// reference reads a reference at the start of b: its character and its length; length 0: it is none that XML knows by itself.
func reference(b []byte) (rune, int) {
	end := bytes.IndexByte(b[:min(len(b), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(b[1:end]); {
	case name == "amp":
		return '&', end + 1
	case name == "lt":
		return '<', end + 1
	case name == "gt":
		return '>', end + 1
	case name == "quot":
		return '"', end + 1
	case name == "apos":
		return '\'', end + 1
	case name[0] == '#':
		base, digits := 10, name[1:]
		if strings.HasPrefix(digits, "x") {
			base, digits = 16, digits[1:]
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || !xmlRune(rune(n)) {
			return 0, 0
		}
		return rune(n), end + 1
	}
	return 0, 0
}

// xmlRune says whether XML may hold a character (XML 1.0 §2.2).
func xmlRune(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// scanner reads XML into a tree. It reads no document type and knows no
// entities but the five of XML itself, so nothing can grow and nothing is fetched.
type scanner struct {
	t     xtree
	at    int
	open  []int32
	scope []binding // namespaces declared by the open elements
}

// maxScope bounds the namespaces declared at one place: each prefix is looked for among all of them.
const maxScope = 256

type binding struct {
	prefix span
	space  space
	depth  int
}

var scanners = sync.Pool{New: func() any { return &scanner{} }}

// scan reads one XML document: checked to be well-formed, with namespaces. The
// scanner holds its tree, also beside an error; release it when the tree is done with.
func scan(src []byte) (*scanner, error) {
	s := scanners.Get().(*scanner)
	*s = scanner{t: xtree{src: src, nodes: s.t.nodes[:0], attrs: s.t.attrs[:0], buf: s.t.buf[:0]}, open: s.open[:0], scope: s.scope[:0]}
	if s.t.nodes == nil {
		s.t.nodes, s.t.attrs = make([]xnode, 0, len(src)/48+8), make([]xattr, 0, len(src)/48+8)
	}
	return s, s.document()
}

// release lets the scanner be used again, unless it grew for an odd document.
func (s *scanner) release() {
	if s.t.src = nil; cap(s.t.nodes) <= 1<<14 && cap(s.t.attrs) <= 1<<14 {
		scanners.Put(s)
	}
}

func (s *scanner) document() error {
	src := s.t.src
	if !utf8.Valid(src) {
		return outcome.New(outcome.Invalid, "xml.utf8", "Nội dung không phải bảng mã UTF-8.", "The content is not UTF-8.")
	}
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		s.at = 3
	}
	if err := s.declaration(); err != nil {
		return err
	}
	for s.at < len(src) {
		if err := s.step(); err != nil {
			return err
		}
	}
	if len(s.open) > 0 || len(s.t.nodes) == 0 {
		return s.fail("syntax", "XML kết thúc giữa chừng.", "The XML ends too early.")
	}
	return nil
}

// declaration passes over <?xml …?>: version 1.0, and UTF-8 if it names an encoding.
func (s *scanner) declaration() error {
	rest := s.t.src[s.at:]
	if !bytes.HasPrefix(rest, []byte("<?xml")) || len(rest) < 6 || !isSpace(rest[5]) {
		return nil
	}
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return s.fail("syntax", "Khai báo XML không có dấu đóng.", "The XML declaration is not closed.")
	}
	text := strings.ToLower(string(rest[:end]))
	if _, after, ok := strings.Cut(text, "encoding"); ok {
		name := strings.Trim(after, " \t\r\n=\"'")
		name, _, _ = strings.Cut(name, " ")
		if name = strings.TrimRight(name, "\"'"); name != "utf-8" && name != "utf8" && name != "us-ascii" {
			return s.fail("encoding", "Chỉ nhận XML bảng mã UTF-8.", "Only XML in UTF-8 is read.")
		}
	}
	s.at += end + 2
	return nil
}

// fail makes the error at the place reached.
func (s *scanner) fail(key, vi, en string) error {
	e := xmlFault(s.t.src, s.at, key, vi, en)
	if len(s.open) == 0 {
		return e
	}
	var path []string
	for _, i := range s.open {
		path = append(path, string(s.t.bytes(s.t.nodes[i].name)))
	}
	return e.At(strings.Join(path, "."))
}

// xmlFault names line and column of a place in the source.
func xmlFault(src []byte, at int, key, vi, en string) *outcome.Error {
	line, column := lineColumn(src, at)
	return outcome.New(outcome.Structure, "xml."+key,
		fmt.Sprintf("%s (dòng %d, cột %d)", vi, line, column), fmt.Sprintf("%s (line %d, column %d)", en, line, column))
}

// lineColumn counts both from 1, columns in bytes.
func lineColumn(src []byte, at int) (line, column int) {
	at = min(at, len(src))
	return 1 + bytes.Count(src[:at], []byte("\n")), at - bytes.LastIndexByte(src[:at], '\n')
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (s *scanner) has(prefix string) bool { return bytes.HasPrefix(s.t.src[s.at:], []byte(prefix)) }

// step reads one tag, comment, instruction or piece of text.
func (s *scanner) step() error {
	switch {
	case s.t.src[s.at] != '<':
		return s.text()
	case s.has("</"):
		return s.close()
	case s.has("<!--"):
		return s.comment()
	case s.has("<![CDATA["):
		return s.cdata()
	case s.has("<!"):
		return s.fail("doctype", "XML có DOCTYPE hoặc khai báo thực thể: không được phép.", "The XML holds a DOCTYPE or declares entities: this is not allowed.")
	case s.has("<?"):
		return s.instruction()
	}
	return s.element()
}

// text checks text up to the next tag.
func (s *scanner) text() error {
	src := s.t.src
	loose := -1
	for s.at < len(src) && src[s.at] != '<' {
		c := src[s.at]
		if loose < 0 && !isSpace(c) {
			loose = s.at
		}
		if c >= 0x20 && c < utf8.RuneSelf && c != '&' {
			s.at++
			continue
		}
		n, err := s.character()
		if err != nil {
			return err
		}
		s.at += n
	}
	return s.note(loose)
}

// note records text that is not white space at the element that holds it.
func (s *scanner) note(loose int) error {
	if loose < 0 {
		return nil
	}
	if len(s.open) == 0 {
		s.at = loose
		return s.fail("text", "Có chữ nằm ngoài phần tử gốc.", "There is text outside the root element.")
	}
	if n := &s.t.nodes[s.open[len(s.open)-1]]; n.loose < 0 {
		n.loose = int32(loose)
	}
	return nil
}

// character gives the length of the character or reference reached.
func (s *scanner) character() (int, error) {
	c := s.t.src[s.at]
	switch {
	case c == '&':
		_, n := reference(s.t.src[s.at:])
		if n == 0 {
			return 0, s.fail("entity", "Thực thể không được phép: chỉ dùng &amp; &lt; &gt; &quot; &apos; hoặc mã số ký tự.",
				"This entity is not allowed: only &amp; &lt; &gt; &quot; &apos; and numbers of characters are.")
		}
		return n, nil
	case c < 0x20 && !isSpace(c):
		return 0, s.fail("control", "Có ký tự điều khiển.", "There is a control character.")
	case c < utf8.RuneSelf:
		return 1, nil
	}
	r, n := utf8.DecodeRune(s.t.src[s.at:])
	if !xmlRune(r) {
		return 0, s.fail("control", "Có ký tự mà XML không cho phép.", "There is a character that XML does not allow.")
	}
	return n, nil
}

func (s *scanner) comment() error {
	end := bytes.Index(s.t.src[s.at+4:], []byte("--"))
	if end < 0 || !bytes.HasPrefix(s.t.src[s.at+4+end:], []byte("-->")) {
		return s.fail("syntax", "Chú thích không đúng cách viết.", "A comment is not well-formed.")
	}
	return s.pass(4, end, 3)
}

func (s *scanner) instruction() error {
	end := bytes.Index(s.t.src[s.at+2:], []byte("?>"))
	if end < 0 || s.has("<?xml ") {
		return s.fail("syntax", "Chỉ thị xử lý không đúng cách viết.", "A processing instruction is not well-formed.")
	}
	return s.pass(2, end, 2)
}

func (s *scanner) cdata() error {
	end := bytes.Index(s.t.src[s.at+9:], []byte("]]>"))
	if end < 0 || len(s.open) == 0 {
		return s.fail("syntax", "CDATA không đúng chỗ hoặc không có dấu đóng.", "CDATA stands in a wrong place or is not closed.")
	}
	loose := -1
	if len(bytes.TrimSpace(s.t.src[s.at+9:s.at+9+end])) > 0 {
		loose = s.at + 9
	}
	if err := s.note(loose); err != nil {
		return err
	}
	return s.pass(9, end, 3)
}

// pass checks the characters of what is not a tag, and goes behind it.
func (s *scanner) pass(before, inner, after int) error {
	s.at += before
	for end := s.at + inner; s.at < end; {
		n := 1
		if s.t.src[s.at] != '&' {
			var err error
			if n, err = s.character(); err != nil {
				return err
			}
		}
		s.at += n
	}
	s.at += after
	return nil
}

func (s *scanner) white() bool {
	from := s.at
	for s.at < len(s.t.src) && isSpace(s.t.src[s.at]) {
		s.at++
	}
	return s.at > from
}

// name reads a name and its prefix.
func (s *scanner) name() (prefix, local span, ok bool) {
	from := s.at
	for s.at < len(s.t.src) && nameByte(s.t.src[s.at], s.at == from) {
		s.at++
	}
	local = span{int32(from), int32(s.at)}
	if s.at < len(s.t.src) && s.t.src[s.at] == ':' {
		prefix = local
		s.at++
		start := s.at
		for s.at < len(s.t.src) && nameByte(s.t.src[s.at], s.at == start) {
			s.at++
		}
		local = span{int32(start), int32(s.at)}
		ok = prefix.to > prefix.from
		return prefix, local, ok && local.to > local.from
	}
	return prefix, local, local.to > local.from
}

func nameByte(c byte, first bool) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf || !first && (c >= '0' && c <= '9' || c == '-' || c == '.')
}

func (s *scanner) element() error {
	start := s.at
	if len(s.open) == 0 && len(s.t.nodes) > 0 {
		return s.fail("trailing", "Có nội dung thừa sau phần tử gốc.", "There is content behind the root element.")
	}
	if len(s.open) >= MaxDepth {
		return s.fail("depth", "XML lồng quá sâu.", "The XML is nested too deeply.")
	}
	s.at++
	prefix, local, ok := s.name()
	if !ok {
		return s.fail("syntax", "Thiếu tên phần tử.", "An element's name is missing.")
	}
	first := len(s.t.attrs)
	if err := s.attributes(first); err != nil {
		return err
	}
	n := xnode{all: span{from: int32(start)}, name: local, attrs: span{int32(first), int32(len(s.t.attrs))}, prefixed: prefix.to > 0, loose: -1}
	for i := first; i < len(s.t.attrs); i++ {
		n.declares = n.declares || s.t.attrs[i].declares
	}
	if n.space, ok = s.lookup(prefix); !ok {
		return s.fail("namespace", "Tiền tố không gian tên chưa được khai báo.", "A prefix is not declared.")
	}
	if len(s.open) > 0 {
		s.t.nodes[s.open[len(s.open)-1]].hasChildren = true
	}
	i := int32(len(s.t.nodes))
	s.t.nodes = append(s.t.nodes, n)
	if s.has("/>") {
		s.at += 2
		s.t.nodes[i].inner = span{int32(s.at), int32(s.at)}
		s.end(i, len(s.open)+1)
		return nil
	}
	if !s.has(">") {
		return s.fail("syntax", "Thẻ không có dấu đóng.", "A tag is not closed.")
	}
	s.at++
	s.t.nodes[i].inner.from = int32(s.at)
	s.open = append(s.open, i)
	return nil
}

// end closes element i and forgets the namespaces that it declared.
func (s *scanner) end(i int32, depth int) {
	n := &s.t.nodes[i]
	n.all.to, n.next = int32(s.at), int32(len(s.t.nodes))
	for len(s.scope) > 0 && s.scope[len(s.scope)-1].depth == depth {
		s.scope = s.scope[:len(s.scope)-1]
	}
}

func (s *scanner) close() error {
	start := s.at
	if len(s.open) == 0 {
		return s.fail("syntax", "Thẻ đóng thừa.", "There is a closing tag too many.")
	}
	i := s.open[len(s.open)-1]
	n := &s.t.nodes[i]
	s.at += 2
	from := s.at
	_, _, ok := s.name()
	whole := s.t.src[from:s.at]
	tag := n.all.from + 1
	if !ok || !bytes.Equal(whole, s.t.src[tag:n.name.to]) {
		s.at = start
		return s.fail("syntax", "Thẻ đóng không khớp thẻ mở.", "A closing tag does not match.")
	}
	s.white()
	if !s.has(">") {
		return s.fail("syntax", "Thẻ không có dấu đóng.", "A tag is not closed.")
	}
	s.at++
	n.inner.to = int32(start)
	s.end(i, len(s.open))
	s.open = s.open[:len(s.open)-1]
	return nil
}

// attributes reads the attributes of a tag and what namespaces it declares.
func (s *scanner) attributes(first int) error {
	prefixes := make([]span, 0, 8)
	for {
		white := s.white()
		if s.at >= len(s.t.src) {
			return s.fail("syntax", "XML kết thúc giữa thẻ.", "The XML ends inside a tag.")
		}
		if c := s.t.src[s.at]; c == '>' || c == '/' {
			break
		}
		prefix, local, ok := s.name()
		if !ok || !white {
			return s.fail("syntax", "Thuộc tính không đúng cách viết.", "An attribute is not well-formed.")
		}
		a := xattr{name: local, prefixed: prefix.to > 0}
		if err := s.attribute(&a); err != nil {
			return err
		}
		if err := s.declare(&a, prefix); err != nil {
			return err
		}
		s.t.attrs = append(s.t.attrs, a)
		prefixes = append(prefixes, prefix)
		if len(s.t.attrs)-first > 64 {
			return s.fail("attribute", "Thẻ có quá nhiều thuộc tính.", "A tag has too many attributes.")
		}
	}
	for i := first; i < len(s.t.attrs); i++ {
		a := &s.t.attrs[i]
		for j := first; j < i; j++ {
			b := &s.t.attrs[j]
			if bytes.Equal(s.t.bytes(a.name), s.t.bytes(b.name)) && bytes.Equal(s.t.bytes(prefixes[i-first]), s.t.bytes(prefixes[j-first])) {
				return s.fail("duplicate", "Thuộc tính bị lặp.", "An attribute stands twice.")
			}
		}
		if a.declares || !a.prefixed {
			continue
		}
		var ok bool
		if a.space, ok = s.lookup(prefixes[i-first]); !ok {
			return s.fail("namespace", "Tiền tố không gian tên chưa được khai báo.", "A prefix is not declared.")
		}
	}
	return nil
}

// attribute reads "= value".
func (s *scanner) attribute(a *xattr) error {
	s.white()
	if !s.has("=") {
		return s.fail("syntax", "Thuộc tính không có giá trị.", "An attribute has no value.")
	}
	s.at++
	s.white()
	if s.at >= len(s.t.src) || s.t.src[s.at] != '"' && s.t.src[s.at] != '\'' {
		return s.fail("syntax", "Giá trị thuộc tính không có dấu nháy.", "An attribute's value is not quoted.")
	}
	quote := s.t.src[s.at]
	s.at++
	a.value.from = int32(s.at)
	a.plain = true
	for s.at < len(s.t.src) && s.t.src[s.at] != quote {
		c := s.t.src[s.at]
		if c == '<' {
			return s.fail("syntax", "Giá trị thuộc tính chứa dấu <.", "An attribute's value holds a <.")
		}
		if c == '&' || c < 0x20 {
			a.plain = false
		}
		n, err := s.character()
		if err != nil {
			return err
		}
		s.at += n
	}
	if s.at >= len(s.t.src) {
		return s.fail("syntax", "Giá trị thuộc tính không có dấu đóng.", "An attribute's value is not closed.")
	}
	a.value.to = int32(s.at)
	s.at++
	return nil
}

// declare notes a namespace, where an attribute declares one.
func (s *scanner) declare(a *xattr, prefix span) error {
	var b binding
	switch {
	case !a.prefixed && string(s.t.bytes(a.name)) == "xmlns":
	case a.prefixed && string(s.t.bytes(prefix)) == "xmlns":
		b.prefix = a.name
	default:
		return nil
	}
	a.declares = true
	b.depth = len(s.open) + 1
	b.space = spaceOf(string(s.t.value(a)))
	if a.prefixed && b.space == spaceNone {
		return s.fail("namespace", "Không gian tên rỗng.", "A namespace is empty.")
	}
	if len(s.scope) >= maxScope {
		return s.fail("namespace", "Khai báo quá nhiều không gian tên.", "Too many namespaces are declared.")
	}
	s.scope = append(s.scope, b)
	return nil
}

func spaceOf(url string) space {
	switch url {
	case "":
		return spaceNone
	case nsFHIR:
		return spaceFHIR
	case nsXHTML:
		return spaceXHTML
	case nsXSI:
		return spaceXSI
	case nsXML:
		return spaceXML
	}
	return spaceOther
}

// lookup finds the namespace of a prefix; the empty prefix is the default namespace.
func (s *scanner) lookup(prefix span) (space, bool) {
	name := s.t.bytes(prefix)
	for i := len(s.scope) - 1; i >= 0; i-- {
		if bytes.Equal(s.t.bytes(s.scope[i].prefix), name) {
			return s.scope[i].space, true
		}
	}
	if string(name) == "xml" {
		return spaceXML, true
	}
	return spaceNone, len(name) == 0
}
