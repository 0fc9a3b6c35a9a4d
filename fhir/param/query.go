package param

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// Bounds of a query.
const (
	MaxCount  = 1000
	maxValues = 200 // values joined by OR in one parameter
	maxChain  = 5
)

// Parse reads a search of one type. What it does not know is an error that
// names the parameter: a parameter passed over would widen the result (FHIR R4
// search.html#errors, Prefer: handling=strict). Which modifiers can be answered
// is for the store to say.
func Parse(typ string, q url.Values) (Query, error) {
	out := Query{Type: typ}
	if _, err := of(typ); err != nil {
		return out, err
	}
	keys := make([]string, 0, len(q))
	for k := range q {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, key := range keys {
		for _, text := range q[key] {
			known, err := out.control(key, text)
			if err == nil && !known {
				var c Clause
				if c, err = clause(typ, key, text, 0); err == nil {
					out.Where = append(out.Where, c)
				}
			}
			if err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func bad(key, vi, en string) error {
	return outcome.New(outcome.Invalid, "param.value", fmt.Sprintf("Tham số “%.64s”: %s.", key, vi), fmt.Sprintf("Parameter %.64q: %s.", key, en))
}

// control reads the parameters that say how to answer, not what to look for (search.html#return).
func (q *Query) control(key, text string) (known bool, err error) {
	name, modifier, _ := strings.Cut(key, ":")
	switch name {
	case "_sort":
		for s := range strings.SplitSeq(text, ",") {
			code, desc := strings.CutPrefix(s, "-")
			if _, err := lookUp(q.Type, code); err != nil {
				return true, err
			}
			q.Sort = append(q.Sort, Sort{code, desc})
		}
	case "_count":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return true, bad(key, "phải là số nguyên không âm", "must be a whole number, 0 or more")
		}
		if q.Count = min(n, MaxCount); n == 0 {
			q.Summary = "count"
		}
	case "_summary":
		if !slices.Contains([]string{"true", "false", "text", "data", "count"}, text) {
			return true, bad(key, "chỉ nhận true, text, data, count, false", "takes true, text, data, count or false")
		}
		q.Summary = text
	case "_total":
		if !slices.Contains([]string{"none", "estimate", "accurate"}, text) {
			return true, bad(key, "chỉ nhận none, estimate, accurate", "takes none, estimate or accurate")
		}
		q.Total = text
	case "_elements":
		q.Elements = append(q.Elements, strings.Split(text, ",")...)
	case "_include", "_revinclude":
		return true, q.include(key, name == "_revinclude", modifier == "iterate", text)
	case "_cursor":
		q.Cursor = text
	case "_format", "_pretty":
	default:
		return false, nil
	}
	return true, nil
}

func (q *Query) include(key string, reverse, iterate bool, text string) error {
	part := strings.Split(text, ":")
	if len(part) < 2 || len(part) > 3 || part[1] == "*" {
		return bad(key, "phải có dạng Loại:thamsố hoặc Loại:thamsố:LoạiĐích", "must be Type:parameter or Type:parameter:Target")
	}
	p, err := find(part[0], part[1])
	if err != nil {
		return err
	}
	if p.Kind != Reference {
		return bad(key, "tham số phải là tham chiếu", "the parameter must be a reference")
	}
	inc := Include{Reverse: reverse, Iterate: iterate, Source: part[0], Param: part[1]}
	if len(part) == 3 {
		inc.Target = part[2]
	}
	q.Includes = append(q.Includes, inc)
	return nil
}

// lookUp gives a parameter; _id and _lastUpdated are known of every type.
func lookUp(typ, code string) (*parameter, error) {
	switch code {
	case "_id":
		return &parameter{Code: code, Kind: Token}, nil
	case "_lastUpdated":
		return &parameter{Code: code, Kind: Date}, nil
	}
	return find(typ, code)
}

// modifiers that each kind may have (search.html#modifiers).
var modifiers = map[Kind][]string{
	Token:     {"not", "text", "in", "not-in", "above", "below", "of-type"},
	String:    {"exact", "contains"},
	Reference: {"identifier", "above", "below"},
	URI:       {"above", "below"},
}

// clause reads "name:modifier", "reference.name", "reference:Type.name" or "_has:Type:reference:name".
func clause(typ, key, text string, depth int) (c Clause, err error) {
	if depth > maxChain {
		return c, bad(key, "chuỗi tham chiếu quá dài", "the chain is too long")
	}
	if rest, ok := strings.CutPrefix(key, "_has:"); ok {
		return reverse(typ, rest, text, depth)
	}
	head, tail, chained := strings.Cut(key, ".")
	name, modifier, _ := strings.Cut(head, ":")
	p, err := lookUp(typ, name)
	if err != nil {
		return c, err
	}
	c = Clause{Param: name, Kind: p.Kind, Modifier: modifier}
	if chained {
		if c.ChainType, err = p.target(key, modifier); err != nil {
			return c, err
		}
		c.Modifier = ""
		inner, err := clause(c.ChainType, tail, text, depth+1)
		c.Chain = &inner
		return c, err
	}
	isType := p.Kind == Reference && r4.IsResource(modifier) && (len(p.Targets) == 0 || slices.Contains(p.Targets, modifier))
	if modifier != "" && modifier != "missing" && !isType && !slices.Contains(modifiers[p.Kind], modifier) {
		return c, bad(key, "không có bổ từ này", "there is no such modifier")
	}
	c.Values, err = p.matches(key, modifier, text)
	return c, err
}

// target is the type at which a chain goes on.
func (p *parameter) target(key, modifier string) (string, error) {
	switch {
	case p.Kind != Reference:
		return "", bad(key, "chỉ tham số tham chiếu mới nối tiếp được", "only a reference can be chained")
	case modifier != "":
		if !slices.Contains(p.Targets, modifier) {
			return "", bad(key, "tham chiếu không trỏ tới loại này", "the reference does not point at this type")
		}
		return modifier, nil
	case len(p.Targets) == 1:
		return p.Targets[0], nil
	}
	return "", bad(key, "hãy ghi loại đích, ví dụ subject:Patient.name", "name the target's type, as in subject:Patient.name")
}

func reverse(typ, rest, text string, depth int) (c Clause, err error) {
	part := strings.SplitN(rest, ":", 3)
	if len(part) != 3 {
		return c, bad("_has", "phải có dạng _has:Loại:thamchiếu:thamsố", "must be _has:Type:reference:parameter")
	}
	p, err := find(part[0], part[1])
	if err != nil {
		return c, err
	}
	if p.Kind != Reference || !slices.Contains(p.Targets, typ) {
		return c, bad("_has", "tham chiếu không trỏ tới loại đang tìm", "the reference does not point at the type searched")
	}
	inner, err := clause(part[0], part[2], text, depth+1)
	return Clause{HasType: part[0], Param: part[1], Kind: Reference, Chain: &inner}, err
}

// matches reads the values joined by commas.
func (p *parameter) matches(key, modifier, text string) ([]Match, error) {
	list := split(text, ',')
	if len(list) > maxValues {
		return nil, bad(key, "có quá nhiều giá trị", "has too many values")
	}
	out := make([]Match, 0, len(list))
	for _, s := range list {
		m, err := p.match(key, modifier, s)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

var prefixes = []string{"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

func (p *parameter) match(key, modifier, s string) (m Match, err error) {
	m.Prefix = "eq"
	if modifier == "missing" {
		m.Missing = s == "true"
		if s != "true" && s != "false" {
			err = bad(key, "chỉ nhận true hoặc false", "takes true or false")
		}
		return m, err
	}
	if s == "" {
		return m, bad(key, "giá trị trống", "the value is blank")
	}
	if p.Kind == Date || p.Kind == Number || p.Kind == Quantity {
		if len(s) > 2 && slices.Contains(prefixes, s[:2]) {
			m.Prefix, s = s[:2], s[2:]
		}
	}
	v := &m.Value
	switch p.Kind {
	case Token:
		m.AnySystem = p.token(v, modifier, s)
	case String, URI:
		v.Text = unescape(s)
	case Date:
		var ok bool
		if v.Lo, v.Hi, ok = span(s); !ok {
			err = bad(key, "không phải ngày giờ kiểu FHIR (ví dụ 2026-03-10)", "is no FHIR date (such as 2026-03-10)")
		}
	case Reference:
		err = p.reference(v, key, modifier, s)
	case Number, Quantity:
		m.AnySystem, err = p.amount(v, key, s)
	case Composite:
		v.Parts, err = p.combination(key, s)
	default:
		err = outcome.New(outcome.NotSupported, "param.special",
			fmt.Sprintf("Tham số “%s” chưa được hỗ trợ.", p.Code), fmt.Sprintf("Parameter %q is not supported.", p.Code))
	}
	v.Param, v.Kind = p.Code, p.Kind
	return m, err
}

// token reads "code", "system|code", "|code", "system|"; with :of-type
// "system|code|value" goes to OfType and Code.
func (p *parameter) token(v *Value, modifier, s string) (anySystem bool) {
	part := split(s, '|')
	switch {
	case modifier == "text":
		v.Text = unescape(s)
	case modifier == "of-type" && len(part) == 3:
		v.OfType, v.Code = []string{unescape(part[0]) + "|" + unescape(part[1])}, unescape(part[2])
	case len(part) == 1:
		v.Code = unescape(s)
		return true
	default:
		v.System, v.Code = unescape(part[0]), unescape(strings.Join(part[1:], "|"))
	}
	return false
}

func (p *parameter) reference(v *Value, key, modifier, s string) error {
	if modifier == "identifier" {
		part := split(s, '|')
		if len(part) != 2 {
			return bad(key, "phải có dạng hệthống|giátrị", "must be system|value")
		}
		v.System, v.Code = unescape(part[0]), unescape(part[1])
		return nil
	}
	*v = reference(unescape(s))
	if v.Type == "" && !strings.ContainsAny(s, ":/") { // an id alone: the type comes from the modifier or the parameter
		*v = Value{ID: s, Type: modifier}
		if modifier == "" && len(p.Targets) == 1 {
			v.Type = p.Targets[0]
		}
	}
	return nil
}

// amount reads a number, or "number|system|code".
func (p *parameter) amount(v *Value, key, s string) (anySystem bool, err error) {
	part := split(s, '|')
	d, err := decimal.Parse(part[0])
	if err != nil || p.Kind == Number && len(part) > 1 {
		return false, bad(key, "không phải số", "is no number")
	}
	*v = number(d)
	if p.Kind == Quantity && len(part) == 3 {
		v.System, v.Code = unescape(part[1]), unescape(part[2])
		return v.System == "", nil
	}
	return true, nil
}

func (p *parameter) combination(key, s string) (out []Value, err error) {
	list := split(s, '$')
	if len(list) != len(p.parts) {
		return nil, bad(key, "không đủ các phần ngăn bằng dấu $", "needs its parts joined by $")
	}
	for i, part := range p.parts {
		m, err := part.match(key, "", list[i])
		if err != nil {
			return nil, err
		}
		out = append(out, m.Value)
	}
	return out, nil
}

// split cuts at a separator that no backslash escapes (search.html#escaping); the pieces keep their escapes.
func split(s string, sep byte) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\,`, `,`, `\|`, `|`, `\$`, `$`).Replace(s)
}
