package param

import (
	"encoding/json"
	"strings"
)

// Bounds of a _filter.
const (
	maxNesting    = 20
	maxConditions = 60
)

// condition is a filter as written: parts joined by op, or, without op, one comparison.
type condition struct {
	op         string // "and", "or", "not"
	parts      []*condition
	path       []pathStep
	op2, value string
}

// pathStep is a parameter on the way: name, name:Type (ours, to say which of
// several types is meant), name[filter].
type pathStep struct {
	name, typ string
	filter    *condition
}

// filterParser reads the grammar of search_filter.html.
type filterParser struct {
	src string
	at  int
	n   int
}

func parseFilter(src string) (*condition, error) {
	p := &filterParser{src: src}
	c, err := p.logical(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.src) {
		return nil, p.fail()
	}
	return c, nil
}

func (p *filterParser) fail() error {
	rest := p.src[p.at:]
	if rest == "" {
		return bad("_filter", "biểu thức dừng quá sớm", "the expression ends too early")
	}
	// where, in characters; never what: values may be of a person
	at := len([]rune(p.src[:p.at])) + 1
	return badAt("_filter", at)
}

func (p *filterParser) space() {
	for p.at < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.at]) >= 0 {
		p.at++
	}
}

// name reads a name; "" when none stands here.
func (p *filterParser) name() string {
	from := p.at
	for p.at < len(p.src) {
		c := p.src[p.at]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (p.at == from || c != '-' && (c < '0' || c > '9')) {
			break
		}
		p.at++
	}
	return p.src[from:p.at]
}

func (p *filterParser) take(s string) bool {
	ok := strings.HasPrefix(p.src[p.at:], s)
	if ok {
		p.at += len(s)
	}
	return ok
}

// logical reads conditions joined by and, or, from left to right without precedence.
func (p *filterParser) logical(depth int) (*condition, error) {
	if depth > maxNesting {
		return nil, bad("_filter", "lồng quá sâu", "is nested too deeply")
	}
	left, err := p.term(depth)
	for err == nil {
		p.space()
		from := p.at
		op := p.name()
		if op != "and" && op != "or" {
			p.at = from
			return left, nil
		}
		var right *condition
		if right, err = p.term(depth); err != nil {
			return nil, err
		}
		if left.op == op {
			left.parts = append(left.parts, right)
		} else {
			left = &condition{op: op, parts: []*condition{left, right}}
		}
	}
	return nil, err
}

func (p *filterParser) term(depth int) (*condition, error) {
	p.space()
	from := p.at
	not := p.name() == "not"
	if p.space(); !not {
		p.at = from
	}
	if !p.take("(") {
		p.at = from
		return p.comparison(depth)
	}
	c, err := p.logical(depth + 1)
	if err != nil {
		return nil, err
	}
	if p.space(); !p.take(")") {
		return nil, p.fail()
	}
	if not {
		return &condition{op: "not", parts: []*condition{c}}, nil
	}
	if c.op != "" { // what stands in parentheses is not joined with what is around
		c = &condition{op: c.op, parts: []*condition{c}}
	}
	return c, nil
}

func (p *filterParser) comparison(depth int) (c *condition, err error) {
	if p.n++; p.n > maxConditions {
		return nil, bad("_filter", "có quá nhiều điều kiện", "has too many conditions")
	}
	c = &condition{}
	for {
		step := pathStep{name: p.name()}
		if step.name == "" {
			return nil, p.fail()
		}
		if p.take(":") {
			if step.typ = p.name(); step.typ == "" {
				return nil, p.fail()
			}
		}
		if p.take("[") {
			if step.filter, err = p.logical(depth + 1); err != nil {
				return nil, err
			}
			if p.space(); !p.take("]") {
				return nil, p.fail()
			}
		}
		c.path = append(c.path, step)
		if !p.take(".") {
			break
		}
	}
	from := p.at
	p.space()
	if c.op2 = p.name(); from == p.at || !knownOperator(c.op2) {
		return nil, p.fail()
	}
	from = p.at
	if p.space(); from == p.at {
		return nil, p.fail()
	}
	c.value, err = p.literal()
	return c, err
}

func knownOperator(op string) bool {
	if op == "pr" {
		return true
	}
	for _, ops := range operators {
		if _, ok := ops[op]; ok {
			return true
		}
	}
	return false
}

// literal reads a JSON string, or what stands before the next blank, ")" or "]".
func (p *filterParser) literal() (s string, err error) {
	from := p.at
	if p.take(`"`) {
		for p.at < len(p.src) && p.src[p.at] != '"' {
			if p.src[p.at] == '\\' {
				p.at++
			}
			p.at++
		}
		if p.at >= len(p.src) {
			p.at = from
			return "", p.fail()
		}
		p.at++
		if err := json.Unmarshal([]byte(p.src[from:p.at]), &s); err != nil {
			p.at = from
			return "", p.fail()
		}
		return s, nil
	}
	end := strings.IndexFunc(p.src[from:], func(r rune) bool { return r == ')' || r == ']' || strings.ContainsRune(" \t\r\n", r) })
	if end < 0 {
		end = len(p.src) - from
	}
	if p.at += end; end == 0 {
		return "", p.fail()
	}
	return p.src[from:p.at], nil
}
