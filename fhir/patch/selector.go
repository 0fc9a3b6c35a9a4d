package patch

import (
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// The subset of XPath 1.0 that RFC 5261 §4.1 asks for: an absolute path of
// child steps by name or *, each with predicates [n], [@a='v'], [.='v'],
// [child='v'] (also over several steps, f:family/@value='v'), ending at an
// element, text(), comment(), processing-instruction(), an attribute or a
// namespace. Prefixes are those of the patch; f, h and xsi are known without
// being declared, as FHIR writes them (FHIR R4 xml.html). A name without a
// prefix is in the default namespace of the patch (RFC 5261 §4.2.2).

// test is what a step looks for.
type test struct {
	kind int // of nodes; -1: attribute, -2: namespace
	any  bool
	name qname // target of an instruction in local, prefix of a namespace too
}

const (
	attributeTest = -1
	namespaceTest = -2
)

// xstep is one step of a selector.
type xstep struct {
	test
	where []predicate
}

// predicate is a position, or a path whose text must be the literal. An empty path is the node itself.
type predicate struct {
	position int
	path     []xstep
	literal  string
}

type selector struct {
	src   string
	at    int
	scope *xnode // of the patch
}

const maxSelector = 4096

// parseSelector reads a selector that stands in an element of the patch.
func parseSelector(src string, scope *xnode) ([]xstep, error) {
	if len(src) > maxSelector {
		return nil, malformed("Bộ chọn quá dài.", "The selector is too long.")
	}
	s := &selector{src: src, scope: scope}
	s.eat("/")
	steps, err := s.path(false)
	if err != nil {
		return nil, err
	}
	if s.space(); s.at < len(s.src) || len(steps) == 0 {
		return nil, s.fail()
	}
	return steps, nil
}

func (s *selector) fail() error {
	return outcome.New(outcome.NotSupported, "patch.selector", "Bộ chọn sai cú pháp hoặc ngoài phần XPath được hỗ trợ (ký tự "+strconv.Itoa(s.at+1)+").",
		"The selector is not well-formed or beyond the part of XPath that is supported (character "+strconv.Itoa(s.at+1)+").")
}

func (s *selector) space() {
	for s.at < len(s.src) && (s.src[s.at] == ' ' || s.src[s.at] == '\t' || s.src[s.at] == '\r' || s.src[s.at] == '\n') {
		s.at++
	}
}

func (s *selector) eat(token string) bool {
	s.space()
	if strings.HasPrefix(s.src[s.at:], token) {
		s.at += len(token)
		return true
	}
	return false
}

// path reads steps; inner: inside a predicate, where steps have no predicates.
func (s *selector) path(inner bool) (steps []xstep, err error) {
	for {
		step, err := s.step(inner)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
		if !s.eat("/") {
			return steps, nil
		}
		if step.kind != element {
			return nil, s.fail() // nothing is below it
		}
	}
}

func (s *selector) step(inner bool) (x xstep, err error) {
	switch {
	case s.eat("@"):
		x.kind = attributeTest
		x.name, err = s.qualified(false)
		return x, err
	case s.eat("namespace::"):
		x.kind, x.name.local = namespaceTest, s.word()
		if x.name.local == "" {
			err = s.fail()
		}
		return x, err
	case s.eat("*"):
		x.any = true
	case s.eat("text()"):
		x.kind, x.any = text, true
	case s.eat("comment()"):
		x.kind, x.any = comment, true
	case s.eat("processing-instruction("):
		x.kind = instruction
		if x.any = s.eat(")"); !x.any {
			if x.name.local, err = s.literal(); err != nil || !s.eat(")") {
				return x, s.fail()
			}
		}
	default:
		if x.name, err = s.qualified(true); err != nil {
			return x, err
		}
	}
	for !inner && s.eat("[") {
		p, err := s.predicate()
		if err != nil {
			return x, err
		}
		x.where = append(x.where, p)
	}
	return x, nil
}

func (s *selector) predicate() (p predicate, err error) {
	s.space()
	from := s.at
	for s.at < len(s.src) && s.src[s.at] >= '0' && s.src[s.at] <= '9' {
		s.at++
	}
	if s.at > from {
		p.position, err = strconv.Atoi(s.src[from:s.at])
		if err != nil || p.position < 1 || !s.eat("]") {
			return p, s.fail()
		}
		return p, nil
	}
	if !s.eat(".") {
		if p.path, err = s.path(true); err != nil {
			return p, err
		}
	}
	if !s.eat("=") {
		return p, s.fail()
	}
	if p.literal, err = s.literal(); err == nil && !s.eat("]") {
		err = s.fail()
	}
	return p, err
}

func (s *selector) literal() (string, error) {
	s.space()
	if s.at == len(s.src) || s.src[s.at] != '\'' && s.src[s.at] != '"' {
		return "", s.fail()
	}
	end := strings.IndexByte(s.src[s.at+1:], s.src[s.at])
	if end < 0 {
		return "", s.fail()
	}
	out := s.src[s.at+1 : s.at+1+end]
	s.at += end + 2
	return out, nil
}

// word reads an NCName, by and large: the documents hold nothing else to match.
func (s *selector) word() string {
	s.space()
	from := s.at
	for s.at < len(s.src) {
		c := s.src[s.at]
		if c >= 0x80 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || s.at > from && (c >= '0' && c <= '9' || c == '-' || c == '.') {
			s.at++
			continue
		}
		break
	}
	return s.src[from:s.at]
}

func (s *selector) qualified(isElement bool) (qname, error) {
	local, prefix := s.word(), ""
	if local != "" && strings.HasPrefix(s.src[s.at:], ":") {
		s.at++
		prefix, local = local, s.word()
	}
	if local == "" {
		return qname{}, s.fail()
	}
	if q, ok := s.scope.resolve(prefix, local, isElement); ok {
		return q, nil
	}
	if uri := map[string]string{"f": nsFHIR, "h": nsXHTML, "xhtml": nsXHTML, "xsi": nsXSI}[prefix]; uri != "" {
		return qname{prefix, uri, local}, nil
	}
	return qname{}, malformed("Tiền tố chưa được khai báo: "+short(prefix)+".", "The prefix is not declared: "+short(prefix)+".")
}

// found is what a selector names: a node, or an attribute or a declaration of it.
type found struct {
	*xnode
	attr, declared int // -1: not this
}

// find gives all that steps select, starting at a node.
func (w *work) find(from *xnode, steps []xstep) ([]found, error) {
	nodes := []*xnode{from}
	for _, s := range steps {
		if s.kind < 0 {
			return s.parts(nodes), nil
		}
		var next []*xnode
		for _, n := range nodes {
			if err := w.spend(32 * (len(n.children) + 1)); err != nil {
				return nil, err
			}
			picked, err := w.filter(n, s)
			if err != nil {
				return nil, err
			}
			next = append(next, picked...)
		}
		nodes = next
	}
	out := make([]found, len(nodes))
	for i, n := range nodes {
		out[i] = found{n, -1, -1}
	}
	return out, nil
}

// parts selects attributes or declarations.
func (s xstep) parts(nodes []*xnode) (out []found) {
	for _, n := range nodes {
		if s.kind == attributeTest {
			if i := n.attr(s.name); i < len(n.attrs) {
				out = append(out, found{n, i, -1})
			}
			continue
		}
		for i, b := range n.declares {
			if b.prefix == s.name.local {
				out = append(out, found{n, -1, i})
			}
		}
	}
	return out
}

// filter gives the children that a step selects; each predicate counts what the one before left.
func (w *work) filter(n *xnode, s xstep) ([]*xnode, error) {
	var list []*xnode
	for _, c := range n.children {
		if c.kind == s.kind && (s.any || c.name.is(s.name.space, s.name.local)) {
			list = append(list, c)
		}
	}
	for _, p := range s.where {
		if p.position > 0 {
			if p.position > len(list) {
				return nil, nil
			}
			list = list[p.position-1 : p.position]
			continue
		}
		var kept []*xnode
		for _, c := range list {
			ok, err := w.holds(c, p)
			if err != nil {
				return nil, err
			}
			if ok {
				kept = append(kept, c)
			}
		}
		list = kept
	}
	return list, nil
}

// holds says whether a text that the predicate names is its literal.
func (w *work) holds(n *xnode, p predicate) (bool, error) {
	list, err := w.find(n, p.path)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		got := ""
		switch {
		case f.attr >= 0:
			got = f.attrs[f.attr].value
		case f.declared >= 0:
			got = f.declares[f.declared].uri
		default:
			got = f.words()
			if err := w.spend(len(got)); err != nil {
				return false, err
			}
		}
		if got == p.literal {
			return true, nil
		}
	}
	return false, nil
}
