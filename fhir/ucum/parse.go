package ucum

import (
	"math/big"
	"strconv"
	"strings"
)

// parser reads the grammar of UCUM §18.
type parser struct {
	src   string
	at    int
	depth int
}

func (p *parser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *parser) mainTerm() (*Unit, bool) {
	if p.peek() == '/' {
		p.at++
		u, ok := p.component()
		if !ok {
			return nil, false
		}
		if u, ok = one().times(u, -1); !ok {
			return nil, false
		}
		return p.rest(u)
	}
	return p.term()
}

func (p *parser) term() (*Unit, bool) {
	u, ok := p.component()
	if !ok {
		return nil, false
	}
	return p.rest(u)
}

// rest reads ".x" and "/x", from left to right.
func (p *parser) rest(u *Unit) (*Unit, bool) {
	for c := p.peek(); c == '.' || c == '/'; c = p.peek() {
		p.at++
		v, ok := p.component()
		if !ok {
			return nil, false
		}
		sign := 1
		if c == '/' {
			sign = -1
		}
		if u, ok = u.times(v, sign); !ok {
			return nil, false
		}
	}
	return u, true
}

func (p *parser) component() (*Unit, bool) {
	switch c := p.peek(); {
	case c == '(':
		if p.depth++; p.depth > maxDepth {
			return nil, false
		}
		p.at++
		u, ok := p.term()
		if !ok || p.peek() != ')' {
			return nil, false
		}
		p.at++
		p.depth--
		return u, true
	case c == '{':
		return one(), p.annotation()
	}
	u, ok := p.annotatable()
	if ok && p.peek() == '{' {
		ok = p.annotation()
	}
	return u, ok
}

// annotation passes over {…}, which has no effect on the value (UCUM §12).
func (p *parser) annotation() bool {
	n := strings.IndexByte(p.src[p.at:], '}')
	if n < 0 || strings.IndexByte(p.src[p.at+1:p.at+n], '{') >= 0 {
		return false
	}
	for _, c := range []byte(p.src[p.at : p.at+n]) {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	p.at += n + 1
	return true
}

// annotatable is a simple unit with an exponent, or a number.
func (p *parser) annotatable() (*Unit, bool) {
	symbol := p.symbol()
	if symbol == "" {
		return nil, false
	}
	if allDigits(symbol) {
		n, ok := new(big.Int).SetString(symbol, 10)
		if !ok || n.Sign() == 0 || len(symbol) > 60 {
			return nil, false
		}
		return &Unit{factor: new(big.Rat).SetInt(n)}, true
	}
	if u, ok := lookup(symbol); ok { // digits may belong to the symbol: "[H2O]" does, "m2" doesn't
		return u, true
	}
	from := exponentAt(symbol)
	if from == 0 || from == len(symbol) {
		return nil, false
	}
	u, ok := lookup(symbol[:from])
	n, err := strconv.Atoi(symbol[from:])
	if !ok || err != nil || n == 0 {
		return nil, false
	}
	return u.raise(n)
}

// symbol takes everything up to an operator or a bracket; what stands in square brackets belongs to it.
func (p *parser) symbol() string {
	from, square := p.at, false
	for ; p.at < len(p.src); p.at++ {
		c := p.src[p.at]
		if c <= 0x20 || c > 0x7e || !square && strings.IndexByte("./(){}", c) >= 0 {
			break
		}
		switch c {
		case '[':
			square = true
		case ']':
			square = false
		}
	}
	return p.src[from:p.at]
}

// exponentAt is where the exponent at the end of a symbol starts.
func exponentAt(s string) int {
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' {
		i--
	}
	if i < len(s) && i > 0 && (s[i-1] == '-' || s[i-1] == '+') {
		i--
	}
	return i
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
