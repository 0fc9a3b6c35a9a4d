package fhirpath

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	identToken
	quotedToken // `identifier`
	textToken   // 'string'
	numberToken
	momentToken   // @2014-01, @T10:30
	variableToken // %name
	specialToken  // $this
	symbolToken
)

type token struct {
	kind tokenKind
	text string
	at   int
}

// lex splits an expression (FHIRPath N1 §3 and its grammar). It gives the
// place of the first character that FHIRPath does not have, or -1.
func lex(src string) (out []token, bad int) {
	l := lexer{src: src}
	for {
		if !l.blank() {
			return nil, l.at
		}
		if l.at == len(src) {
			return append(out, token{endToken, "", len(src)}), -1
		}
		t, ok := l.token()
		if !ok {
			return nil, min(l.at, len(src))
		}
		out = append(out, t)
	}
}

type lexer struct {
	src string
	at  int
}

func (l *lexer) peek(n int) byte {
	if l.at+n < len(l.src) {
		return l.src[l.at+n]
	}
	return 0
}

// blank passes over white space and comments; false when a comment has no end.
func (l *lexer) blank() bool {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.at++
		case c == '/' && l.peek(1) == '/':
			n := strings.IndexAny(l.src[l.at:], "\r\n")
			if n < 0 {
				n = len(l.src) - l.at
			}
			l.at += n
		case c == '/' && l.peek(1) == '*':
			n := strings.Index(l.src[l.at+2:], "*/")
			if n < 0 {
				return false
			}
			l.at += n + 4
		default:
			return true
		}
	}
	return true
}

func (l *lexer) token() (token, bool) {
	from := l.at
	switch c := l.src[l.at]; {
	case c == '\'':
		s, ok := l.str(c)
		return token{textToken, s, from}, ok
	case c == '`':
		s, ok := l.str(c)
		return token{quotedToken, s, from}, ok && s != ""
	case digit(c):
		return token{numberToken, l.number(), from}, true
	case c == '@':
		return token{momentToken, l.moment(), from}, true
	case c == '%':
		l.at++
		switch l.peek(0) {
		case '`', '\'':
			s, ok := l.str(l.peek(0))
			return token{variableToken, s, from}, ok && s != ""
		}
		s := l.word("-")
		return token{variableToken, s, from}, s != ""
	case c == '$':
		l.at++
		return token{specialToken, "$" + l.word(""), from}, true
	case letter(c):
		return token{identToken, l.word(""), from}, true
	}
	for _, two := range []string{"!=", "!~", "<=", ">="} {
		if strings.HasPrefix(l.src[l.at:], two) {
			l.at += 2
			return token{symbolToken, two, from}, true
		}
	}
	if strings.IndexByte(".|()[]{},=<>+-*/~&", l.src[l.at]) < 0 {
		return token{}, false
	}
	l.at++
	return token{symbolToken, l.src[from:l.at], from}, true
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c == '_' || c < 0x80 && unicode.IsLetter(rune(c)) }

func (l *lexer) word(also string) string {
	from := l.at
	for c := l.peek(0); letter(c) || digit(c) || c != 0 && strings.IndexByte(also, c) >= 0; c = l.peek(0) {
		l.at++
	}
	return l.src[from:l.at]
}

func (l *lexer) digits() {
	for digit(l.peek(0)) {
		l.at++
	}
}

func (l *lexer) number() string {
	from := l.at
	l.digits()
	if l.peek(0) == '.' && digit(l.peek(1)) {
		l.at++
		l.digits()
	}
	return l.src[from:l.at]
}

// moment takes the longest text that may be a date, a time or both; whether it is one is told when it is read.
func (l *lexer) moment() string {
	from := l.at
	l.at++
	date := l.peek(0) != 'T'
	l.digits()
	for date && l.peek(0) == '-' && digit(l.peek(1)) {
		l.at++
		l.digits()
	}
	if l.peek(0) != 'T' {
		return l.src[from:l.at]
	}
	l.at++
	l.digits()
	for l.peek(0) == ':' && digit(l.peek(1)) {
		l.at++
		l.digits()
	}
	if l.peek(0) == '.' && digit(l.peek(1)) {
		l.at++
		l.digits()
	}
	switch c := l.peek(0); {
	case !date:
	case c == 'Z':
		l.at++
	case (c == '+' || c == '-') && digit(l.peek(1)) && digit(l.peek(2)) && l.peek(3) == ':' && digit(l.peek(4)) && digit(l.peek(5)):
		l.at += 6
	}
	return l.src[from:l.at]
}

// str reads up to the closing mark and resolves escapes; of one that is not defined the backslash falls away.
func (l *lexer) str(mark byte) (string, bool) {
	var b strings.Builder
	for l.at++; l.at < len(l.src); l.at++ {
		c := l.src[l.at]
		switch {
		case c == mark:
			l.at++
			return b.String(), true
		case c == '\\':
			l.at++
			if !l.escape(&b) {
				return "", false
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

var escapes = map[byte]byte{'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (l *lexer) escape(b *strings.Builder) bool {
	c := l.peek(0)
	if c == 'u' {
		r, ok := l.hex()
		if ok && utf16.IsSurrogate(r) && strings.HasPrefix(l.src[min(l.at+1, len(l.src)):], `\u`) {
			l.at += 2
			var low rune
			low, ok = l.hex()
			r = utf16.DecodeRune(r, low)
		}
		b.WriteRune(r)
		return ok
	}
	if to, ok := escapes[c]; ok {
		c = to
	}
	if c != 0 {
		b.WriteByte(c)
	}
	return c != 0
}

// hex reads the four digits behind the u on which the lexer stands, and stops on the last.
func (l *lexer) hex() (rune, bool) {
	if l.at+5 > len(l.src) {
		return 0, false
	}
	n, err := strconv.ParseUint(l.src[l.at+1:l.at+5], 16, 32)
	l.at += 4
	return rune(n), err == nil
}
