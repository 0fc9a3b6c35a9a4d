package fhirpath

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// pattern is a compiled regular expression. Go's take time linear in the text, whatever the pattern.
type pattern = *regexp.Regexp

// texts are the functions of N1 §5.6 and those of 2.1.
var texts = map[string]function{
	"indexOf":     {1, 1, search(strings.Index)},
	"lastIndexOf": {1, 1, search(strings.LastIndex)},
	"substring":   {1, 2, substring},
	"startsWith":  {1, 1, test(strings.HasPrefix)},
	"endsWith":    {1, 1, test(strings.HasSuffix)},
	"contains":    {1, 1, test(strings.Contains)},
	"upper":       {0, 0, change(strings.ToUpper)},
	"lower":       {0, 0, change(strings.ToLower)},
	"trim":        {0, 0, change(strings.TrimSpace)},
	"length": {0, 0, func(r *run, c *call, _, in []Item) []Item {
		s, ok := r.str(in, c.at)
		if !ok {
			return nil
		}
		return integer(int64(utf8.RuneCountInString(s)))
	}},
	"toChars":        {0, 0, toChars},
	"replace":        {2, 2, replace},
	"matches":        {1, 1, matches},
	"matchesFull":    {1, 1, matches},
	"replaceMatches": {2, 2, replaceMatches},
	"split":          {1, 1, split},
	"join":           {0, 1, join},
	"encode":         {1, 1, coded(encoders)},
	"decode":         {1, 1, coded(decoders)},
	"escape":         {1, 1, coded(escapers)},
	"unescape":       {1, 1, coded(unescapers)},
}

func search(find func(s, sub string) int) body {
	return func(r *run, c *call, this, in []Item) []Item {
		s, ok := r.str(in, c.at)
		sub, okSub := c.text(r, this, 0)
		if !ok || !okSub {
			return nil
		}
		n := find(s, sub)
		if n > 0 {
			n = utf8.RuneCountInString(s[:n])
		}
		return integer(int64(n))
	}
}

func test(f func(s, part string) bool) body {
	return func(r *run, c *call, this, in []Item) []Item {
		s, ok := r.str(in, c.at)
		part, okPart := c.text(r, this, 0)
		if !ok || !okPart {
			return nil
		}
		return boolean(f(s, part))
	}
}

func change(f func(string) string) body {
	return func(r *run, c *call, _, in []Item) []Item {
		s, ok := r.str(in, c.at)
		if !ok {
			return nil
		}
		return r.made(f(s), c.at)
	}
}

// substring counts characters, not bytes.
func substring(r *run, c *call, this, in []Item) []Item {
	s, ok := r.str(in, c.at)
	from, okFrom := c.number(r, this, 0)
	if !ok || !okFrom {
		return nil
	}
	runes := []rune(s)
	n := int64(len(runes))
	if from < 0 || from >= n {
		return nil
	}
	to := n
	if len(c.args) == 2 {
		if count, ok := c.number(r, this, 1); ok {
			to = min(n, from+max(0, min(count, n)))
		}
	}
	return r.made(string(runes[from:to]), c.at)
}

func toChars(r *run, c *call, _, in []Item) []Item {
	s, ok := r.str(in, c.at)
	if !ok || !r.tick(len(s)) {
		return nil
	}
	var out []Item
	for _, x := range s {
		out = append(out, str(string(x)))
	}
	if r.enough(out, c.at) {
		return nil
	}
	return out
}

func replace(r *run, c *call, this, in []Item) []Item {
	s, ok := r.str(in, c.at)
	old, okOld := c.text(r, this, 0)
	with, okWith := c.text(r, this, 1)
	if !ok || !okOld || !okWith {
		return nil
	}
	if n := strings.Count(s, old); len(s)+n*len(with) > maxText {
		r.costly(c.at)
		return nil
	}
	if old == "" { // around and between all characters, but not at the end
		var b strings.Builder
		for _, x := range s {
			b.WriteString(with)
			b.WriteRune(x)
		}
		b.WriteString(with)
		return r.made(b.String(), c.at)
	}
	return r.made(strings.ReplaceAll(s, old, with), c.at)
}

// prepare compiles the pattern of a call whose pattern is a constant.
func (c *call) prepare() {
	if (c.name == "matches" || c.name == "matchesFull" || c.name == "replaceMatches") && c.node.args[0].kind == constantNode && len(c.node.args[0].lit) == 1 {
		s, ok := c.node.args[0].lit[0].v.(string)
		if !ok {
			return
		}
		re, err := c.regexp(s)
		c.re = func() (pattern, error) { return re, err }
	}
}

// regexp compiles a pattern: a dot takes line ends too (N1 §5.6.9, single line mode).
func (c *call) regexp(s string) (pattern, error) {
	if c.name == "matchesFull" {
		s = "^(?:" + s + ")$"
	}
	if len(s) > 2000 {
		s = "(" // refused below
	}
	return regexp.Compile("(?s)" + s)
}

func (r *run) pattern(c *call, this []Item) (pattern, bool) {
	s, ok := c.text(r, this, 0)
	if !ok {
		return nil, false
	}
	var re pattern
	var err error
	if c.re != nil {
		re, err = c.re()
	} else if r.tick(100 + len(s)) {
		re, err = c.regexp(s)
	}
	if err != nil {
		r.fail(c.node.args[0].at, outcome.Invalid, "pattern", "Biểu thức chính quy không hợp lệ hoặc không được hỗ trợ.", "The regular expression is not valid or not supported.")
	}
	return re, r.err == nil && re != nil
}

func matches(r *run, c *call, this, in []Item) []Item {
	s, ok := r.str(in, c.at)
	re, okRe := r.pattern(c, this)
	if !ok || !okRe || !r.tick(1+len(s)/16) {
		return nil
	}
	return boolean(re.MatchString(s))
}

var group = regexp.MustCompile(`\$(\d+)`)

func replaceMatches(r *run, c *call, this, in []Item) []Item {
	s, ok := r.str(in, c.at)
	re, okRe := r.pattern(c, this)
	with, okWith := c.text(r, this, 1)
	if !ok || !okRe || !okWith || !r.tick(1+len(s)/16) {
		return nil
	}
	if text, _ := c.text(r, this, 0); text == "" {
		return strs(s)
	}
	found := len(re.FindAllStringIndex(s, maxItems))
	if len(s)+found*(len(with)+strings.Count(with, "$")*len(s)) > 16*maxText {
		r.costly(c.at)
		return nil
	}
	return r.made(re.ReplaceAllString(s, group.ReplaceAllString(with, "$${$1}")), c.at)
}

func split(r *run, c *call, this, in []Item) []Item {
	s, ok := r.str(in, c.at)
	by, okBy := c.text(r, this, 0)
	if !ok || !okBy || !r.tick(1+len(s)) {
		return nil
	}
	var out []Item
	for part := range strings.SplitSeq(s, by) {
		if out = append(out, str(part)); r.enough(out, c.at) {
			return nil
		}
	}
	return out
}

func join(r *run, c *call, this, in []Item) []Item {
	by := ""
	if len(c.args) == 1 {
		by, _ = c.text(r, this, 0)
	}
	if len(in) == 0 && (r.env == nil || !r.env.Joined) {
		return nil
	}
	var b strings.Builder
	for n, i := range in {
		s, ok := i.value().(string)
		if !ok {
			r.mistyped(c.at, "String")
			return nil
		}
		if n > 0 {
			b.WriteString(by)
		}
		if b.WriteString(s); b.Len() > maxText || !r.tick(1) {
			r.costly(c.at)
			return nil
		}
	}
	return r.made(b.String(), c.at)
}

// coding turns a text into another; ok is false when it can't.
type coding func(string) (string, bool)

var (
	encoders = map[string]coding{
		"hex":       always(func(s string) string { return hex.EncodeToString([]byte(s)) }),
		"base64":    always(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
		"urlbase64": always(func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) }),
	}
	decoders = map[string]coding{
		"hex":       decoded(hex.DecodeString),
		"base64":    decoded(base64.StdEncoding.DecodeString),
		"urlbase64": decoded(base64.URLEncoding.DecodeString),
	}
	escapers = map[string]coding{
		"html": always(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;").Replace),
		"json": always(func(s string) string {
			b := r4.AppendString(nil, s)
			return string(b[1 : len(b)-1])
		}),
	}
	unescapers = map[string]coding{
		"html": always(html.UnescapeString),
		"json": unescapeJSON,
	}
)

func always(f func(string) string) coding {
	return func(s string) (string, bool) { return f(s), true }
}

func decoded(f func(string) ([]byte, error)) coding {
	return func(s string) (string, bool) {
		b, err := f(s)
		return string(b), err == nil && utf8.Valid(b)
	}
}

// unescapeJSON takes the escapes out; a quotation mark may stand bare.
func unescapeJSON(s string) (string, bool) {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '"':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	if s == "" {
		return "", true
	}
	d, err := r4.Parse([]byte(b.String()))
	if err != nil {
		return "", false
	}
	return d.Root().Text(), true
}

// coded compiles a function whose argument names the way; a way that is not known gives nothing (2.1 §5.6).
func coded(ways map[string]coding) body {
	return func(r *run, c *call, this, in []Item) []Item {
		s, ok := r.str(in, c.at)
		name, okName := c.text(r, this, 0)
		f := ways[name]
		if !ok || !okName || f == nil || len(s) > maxText {
			return nil
		}
		out, ok := f(s)
		if !ok {
			return nil
		}
		return r.made(out, c.at)
	}
}
