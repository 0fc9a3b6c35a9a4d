package r4

import (
	"bytes"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
)

// Kind is the kind of a JSON value.
type Kind uint8

// Kinds; Absent is a node that is not there.
const (
	Absent Kind = iota
	Null
	False
	True
	Number
	String
	Array
	Map
)

// MaxDepth bounds the nesting of a resource, maxMembers the names in one
// object: no type of R4 has half as many, and each is compared with all others.
const (
	MaxDepth   = 100
	maxMembers = 512
)

// node is 24 bytes: a value, its place in the source, and the node behind its last descendant.
type node struct {
	from, to int32 // bytes of the value in the source
	key, len int32 // name of the member: offset of its first byte and length; key 0: none
	next     int32 // index of the node behind this one and all its descendants
	count    uint16
	kind     Kind
	escaped  bool // a string that holds a backslash
}

// Doc is a parsed JSON document over its original bytes, which it keeps and
// never changes. It is safe for concurrent reading.
type Doc struct {
	src   []byte
	nodes []node
	xml   *origin // the XML that it was made from, nil when it was JSON
}

// Node is a value in a Doc. The zero Node is absent, and every method is safe on it.
type Node struct {
	d *Doc
	i int32
}

// Parse reads one JSON value strictly as FHIR wants it (FHIR R4 json.html):
// UTF-8 without byte-order mark, no duplicate member, no empty object, array
// or string, no null but inside an array (the place of a missing value beside
// its extensions), numbers as JSON writes them. The error names line and
// column, and the path of the element in Expression. src is kept, not copied.
func Parse(src []byte) (*Doc, error) {
	if len(src) > 1<<30 {
		return nil, outcome.New(outcome.TooLong, "json.too-long", "Tài nguyên quá lớn.", "The resource is too large.")
	}
	if !utf8.Valid(src) {
		return nil, outcome.New(outcome.Invalid, "json.utf8", "Nội dung không phải bảng mã UTF-8.", "The content is not UTF-8.")
	}
	p := parser{d: &Doc{src: src, nodes: make([]node, 0, len(src)/16+8)}}
	p.space()
	if err := p.value(0, 0, 0); err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(src) {
		return nil, p.fail("trailing", "Có nội dung thừa sau tài nguyên.", "There is content behind the resource.")
	}
	return p.d, nil
}

type parser struct {
	d    *Doc
	at   int
	path []reached
}

// reached is one step of the path to the value at hand: a member's name by its place, or an item's number.
type reached struct{ from, len, item int32 }

// expression writes the path as it stands in the text.
func (p *parser) expression() string {
	var b strings.Builder
	for i, r := range p.path {
		switch {
		case r.len == 0:
			b.WriteString("[" + strconv.Itoa(int(r.item)) + "]")
		case i > 0:
			b.WriteByte('.')
			fallthrough
		default:
			b.Write(p.d.src[r.from : r.from+r.len])
		}
	}
	return b.String()
}

// fail makes the error at the place reached.
func (p *parser) fail(key, vi, en string) error {
	line := 1 + bytes.Count(p.d.src[:p.at], []byte("\n"))
	column := p.at - bytes.LastIndexByte(p.d.src[:p.at], '\n')
	e := outcome.New(outcome.Structure, "json."+key,
		fmt.Sprintf("%s (dòng %d, cột %d)", vi, line, column), fmt.Sprintf("%s (line %d, column %d)", en, line, column))
	if len(p.path) > 0 {
		return e.At(p.expression())
	}
	return e
}

func (p *parser) space() {
	for p.at < len(p.d.src) {
		switch p.d.src[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) peek() byte {
	if p.at < len(p.d.src) {
		return p.d.src[p.at]
	}
	return 0
}

// value reads a value whose member name lies at key, key+n (0: no name).
func (p *parser) value(depth int, key, n int32) error {
	if depth > MaxDepth {
		return p.fail("depth", "Tài nguyên lồng quá sâu.", "The resource is nested too deeply.")
	}
	i := len(p.d.nodes)
	p.d.nodes = append(p.d.nodes, node{from: int32(p.at), key: key, len: n})
	var err error
	switch c := p.peek(); {
	case c == '{':
		err = p.object(depth, i)
	case c == '[':
		err = p.array(depth, i)
	case c == '"':
		p.d.nodes[i].kind = String
		p.d.nodes[i].escaped, err = p.str()
		if from := int(p.d.nodes[i].from); err == nil && p.at-from == 2 {
			p.at = from
			err = p.fail("empty", "Chuỗi rỗng không được phép.", "An empty string is not allowed.")
		}
	case c == '-' || c >= '0' && c <= '9':
		p.d.nodes[i].kind = Number
		err = p.number()
	default:
		err = p.word(i)
	}
	p.d.nodes[i].to, p.d.nodes[i].next = int32(p.at), int32(len(p.d.nodes))
	return err
}

func (p *parser) word(i int) error {
	word := func(text string, kind Kind) bool {
		if !bytes.HasPrefix(p.d.src[p.at:], []byte(text)) {
			return false
		}
		p.at += len(text)
		p.d.nodes[i].kind = kind
		return true
	}
	if word("true", True) || word("false", False) || word("null", Null) {
		return nil
	}
	return p.fail("syntax", "Không đúng cú pháp JSON.", "This is not JSON.")
}

func (p *parser) object(depth, i int) error {
	p.d.nodes[i].kind = Map
	p.at++
	for n := 0; ; n++ {
		p.space()
		if p.peek() == '}' && n == 0 {
			return p.fail("empty", "Đối tượng rỗng không được phép.", "An empty object is not allowed.")
		}
		if p.peek() != '"' {
			return p.fail("syntax", "Thiếu tên phần tử.", "A member's name is missing.")
		}
		if n == maxMembers {
			return p.fail("members", "Đối tượng có quá nhiều phần tử.", "An object has too many members.")
		}
		from := p.at + 1
		if escaped, err := p.str(); err != nil {
			return err
		} else if escaped {
			return p.fail("name", "Tên phần tử không được chứa ký tự thoát.", "A member's name must not hold escapes.")
		}
		name := p.d.src[from : p.at-1]
		if len(name) == 0 || p.twice(i, name) {
			return p.fail("duplicate", "Phần tử bị lặp hoặc không có tên.", "A member stands twice or has no name.")
		}
		p.path = append(p.path, reached{from: int32(from), len: int32(len(name))})
		p.space()
		if p.peek() != ':' {
			return p.fail("syntax", "Thiếu dấu hai chấm.", "A colon is missing.")
		}
		p.at++
		p.space()
		start := p.at
		if err := p.value(depth+1, int32(from), int32(len(name))); err != nil {
			return err
		}
		if p.d.src[start] == 'n' {
			return p.fail("null", "null chỉ được đứng trong mảng.", "null may only stand in an array.")
		}
		p.path = p.path[:len(p.path)-1]
		p.space()
		switch p.peek() {
		case ',':
			p.at++
		case '}':
			p.at++
			return nil
		default:
			return p.fail("syntax", "Thiếu dấu phẩy hoặc ngoặc đóng.", "A comma or a closing brace is missing.")
		}
	}
}

// twice says whether object i has a member of that name already.
func (p *parser) twice(i int, name []byte) bool {
	for j := i + 1; j < len(p.d.nodes); j = int(p.d.nodes[j].next) {
		if n := &p.d.nodes[j]; bytes.Equal(p.d.src[n.key:n.key+n.len], name) {
			return true
		}
	}
	return false
}

func (p *parser) array(depth, i int) error {
	p.d.nodes[i].kind = Array
	p.at++
	real := false
	for n := 0; ; n++ {
		p.space()
		if p.peek() == ']' && n == 0 {
			return p.fail("empty", "Mảng rỗng không được phép.", "An empty array is not allowed.")
		}
		if n >= 1<<16-1 {
			return p.fail("array", "Mảng có quá nhiều phần tử.", "An array has too many items.")
		}
		p.path = append(p.path, reached{item: int32(n)})
		real = real || p.peek() != 'n'
		if err := p.value(depth+1, 0, 0); err != nil {
			return err
		}
		p.path = p.path[:len(p.path)-1]
		p.d.nodes[i].count++
		p.space()
		switch p.peek() {
		case ',':
			p.at++
		case ']':
			if !real {
				return p.fail("null", "Mảng chỉ có null.", "An array holds nothing but null.")
			}
			p.at++
			return nil
		default:
			return p.fail("syntax", "Thiếu dấu phẩy hoặc ngoặc đóng.", "A comma or a closing bracket is missing.")
		}
	}
}

// str passes over a string and says whether it holds a backslash.
func (p *parser) str() (escaped bool, err error) {
	src := p.d.src
	for p.at++; p.at < len(src); p.at++ {
		switch c := src[p.at]; {
		case c == '"':
			p.at++
			return escaped, nil
		case c == '\\':
			escaped = true
			p.at++
			if !p.escape() {
				return escaped, p.fail("syntax", "Ký tự thoát không hợp lệ.", "An escape is not valid.")
			}
		case c < 0x20:
			return escaped, p.fail("control", "Chuỗi chứa ký tự điều khiển.", "A string holds a control character.")
		}
	}
	return escaped, p.fail("syntax", "Chuỗi không có dấu đóng.", "A string is not closed.")
}

// escape checks what follows a backslash and leaves at on its last byte.
func (p *parser) escape() bool {
	if p.at >= len(p.d.src) {
		return false
	}
	switch p.d.src[p.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if p.at+4 >= len(p.d.src) {
			return false
		}
		if _, err := strconv.ParseUint(string(p.d.src[p.at+1:p.at+5]), 16, 16); err != nil {
			return false
		}
		p.at += 4
		return true
	}
	return false
}

func (p *parser) number() error {
	digits := func() bool {
		from := p.at
		for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
			p.at++
		}
		return p.at > from
	}
	if p.peek() == '-' {
		p.at++
	}
	ok := true
	if p.peek() == '0' {
		p.at++
	} else {
		ok = digits()
	}
	if ok && p.peek() == '.' {
		p.at++
		ok = digits()
	}
	if c := p.peek(); ok && (c == 'e' || c == 'E') {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		ok = digits()
	}
	if c := p.peek(); !ok || c >= '0' && c <= '9' {
		return p.fail("number", "Số không đúng cách viết của JSON.", "A number is not written as JSON wants it.")
	}
	return nil
}

// Root is the outermost value.
func (d *Doc) Root() Node {
	if d == nil || len(d.nodes) == 0 {
		return Node{}
	}
	return Node{d, 0}
}

// Source is the original text; it must not be changed.
func (d *Doc) Source() []byte { return d.src }

// Type is resourceType, ID the logical id; "" when there is none.
func (d *Doc) Type() string { return d.Root().Get("resourceType").Text() }

// ID is the logical id of the resource.
func (d *Doc) ID() string { return d.Root().Get("id").Text() }

func (n Node) node() *node {
	if n.d == nil {
		return &node{}
	}
	return &n.d.nodes[n.i]
}

// Exists says whether the node is there.
func (n Node) Exists() bool { return n.d != nil }

// Kind is the kind of the value.
func (n Node) Kind() Kind { return n.node().kind }

// Get gives a member of an object.
func (n Node) Get(name string) Node {
	x := n.node()
	if x.kind != Map {
		return Node{}
	}
	for j := n.i + 1; j < x.next; j = n.d.nodes[j].next {
		if m := &n.d.nodes[j]; string(n.d.src[m.key:m.key+m.len]) == name {
			return Node{n.d, j}
		}
	}
	return Node{}
}

// Len is the number of items of an array, else 0.
func (n Node) Len() int { return int(n.node().count) }

// At gives item i of an array.
func (n Node) At(i int) Node {
	for e := range n.Elems() {
		if i == 0 {
			return e
		}
		i--
	}
	return Node{}
}

// Elems gives the items of an array. A single value that is no array is its
// own only item, which is how FHIRPath sees it.
func (n Node) Elems() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		switch x := n.node(); x.kind {
		case Absent:
		case Array:
			for j := n.i + 1; j < x.next; j = n.d.nodes[j].next {
				if !yield(Node{n.d, j}) {
					return
				}
			}
		default:
			yield(n)
		}
	}
}

// Members gives the members of an object in the order written.
func (n Node) Members() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		x := n.node()
		if x.kind != Map {
			return
		}
		for j := n.i + 1; j < x.next; j = n.d.nodes[j].next {
			m := &n.d.nodes[j]
			if !yield(string(n.d.src[m.key:m.key+m.len]), Node{n.d, j}) {
				return
			}
		}
	}
}

// Raw is the value's text as written.
func (n Node) Raw() []byte {
	if n.d == nil {
		return nil
	}
	x := n.node()
	return n.d.src[x.from:x.to]
}

// Range is the place of the value in the source.
func (n Node) Range() (from, to int) { return int(n.node().from), int(n.node().to) }

// Text is the value of a string without its escapes, and the text as written of a number or a boolean; "" of anything else.
func (n Node) Text() string {
	x := n.node()
	switch x.kind {
	case String:
		raw := n.d.src[x.from+1 : x.to-1]
		if !x.escaped {
			return string(raw)
		}
		return unescape(raw)
	case Number, True, False:
		return string(n.Raw())
	}
	return ""
}

// Bool is true for true.
func (n Node) Bool() bool { return n.Kind() == True }

func unescape(raw []byte) string { return string(appendUnescaped(make([]byte, 0, len(raw)), raw)) }

func appendUnescaped(out, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hexRune(raw[i+1:])
			i += 4
			if r >= 0xD800 && r < 0xDC00 && i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				if low := hexRune(raw[i+3:]); low >= 0xDC00 && low < 0xE000 {
					r = (r-0xD800)<<10 + (low - 0xDC00) + 0x10000
					i += 6
				}
			}
			out = utf8.AppendRune(out, r) // a lone surrogate becomes U+FFFD
		default:
			out = append(out, raw[i])
		}
	}
	return out
}

func hexRune(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// Root is the outermost value of the node's document.
func (n Node) Root() Node { return n.d.Root() }
