package param

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// modifiers that each kind may have beside "missing" (search.html#modifiers).
var modifiers = map[Kind][]string{
	Token:     {"not", "text", "in", "not-in", "above", "below", "of-type"},
	String:    {"exact", "contains"},
	Reference: {"identifier", "above", "below"},
	URI:       {"above", "below"},
}

// allows says whether a parameter takes a modifier.
func (p *parameter) allows(modifier string) bool {
	switch {
	case modifier == "":
		return true
	case p == idParameter:
		return modifier == "not"
	case p == updatedParameter || p.Code == "_text" || p.Code == "_content":
		return false
	case modifier != "missing" && !slices.Contains(modifiers[p.Kind], modifier) && !(p.Kind == Reference && p.pointsAt(modifier)):
		return false
	case p.only == nil:
		return true
	}
	name := modifier
	switch {
	case r4.IsResource(modifier):
		name = "type"
	case modifier == "of-type":
		name = "ofType"
	}
	return slices.Contains(p.only, name)
}

// pointsAt says whether a reference may be one to a type.
func (p *parameter) pointsAt(typ string) bool {
	return r4.IsResource(typ) && (len(p.Targets) == 0 || slices.Contains(p.Targets, typ))
}

// clauses reads "name:modifier", "reference.name", "reference:Type.name" or
// "_has:Type:reference:name"; there are several, of which one must hold, where a
// chain names no type and its reference may point at several that have the parameter.
func (p *reader) clauses(typ, key, text string, depth int) ([]Clause, error) {
	if depth > maxChain {
		return nil, bad(key, "chuỗi tham chiếu quá dài", "the chain is too long")
	}
	if rest, ok := strings.CutPrefix(key, "_has:"); ok {
		return p.reverse(typ, rest, text, depth)
	}
	head, tail, chained := strings.Cut(key, ".")
	name, modifier, modified := strings.Cut(head, ":")
	d, err := p.r.find(typ, name)
	if err != nil {
		return nil, err
	}
	if chained {
		return p.chain(d, key, modifier, tail, text, depth)
	}
	if modified && modifier == "" || !d.allows(modifier) {
		return nil, bad(key, "không có bổ từ này", "there is no such modifier")
	}
	c := Clause{Param: name, Kind: d.Kind, Modifier: modifier}
	if c.Values, err = p.matches(d, key, modifier, text); modifier == "" || modifier == "not" {
		p.r.implied(typ, &c)
	}
	return []Clause{c}, err
}

// chain goes on at each type that the reference may point at.
func (p *reader) chain(d *parameter, key, modifier, tail, text string, depth int) (out []Clause, err error) {
	targets := d.Targets
	switch {
	case d.Kind != Reference:
		return nil, bad(key, "chỉ tham số tham chiếu mới nối tiếp được", "only a reference can be chained")
	case modifier != "" && !d.pointsAt(modifier):
		return nil, bad(key, "tham chiếu không trỏ tới loại này", "the reference does not point at this type")
	case modifier != "":
		targets = []string{modifier}
	case len(targets) == 0:
		return nil, bad(key, "hãy ghi loại đích, ví dụ subject:Patient.name", "name the target's type, as in subject:Patient.name")
	}
	var first error
	for _, t := range targets {
		inner, err := p.clauses(t, tail, text, depth+1)
		if err != nil {
			if len(targets) == 1 || outcome.As(err).Key != "param.unknown" {
				return nil, err
			}
			if first == nil {
				first = err
			}
			continue
		}
		for i := range inner {
			out = append(out, Clause{Param: d.Code, Kind: Reference, ChainType: t, Chain: &inner[i]})
		}
		if len(out) > maxAlternatives {
			return nil, bad(key, "hãy ghi loại đích, ví dụ subject:Patient.name", "name the target's type, as in subject:Patient.name")
		}
	}
	if out == nil {
		return nil, first
	}
	return out, nil
}

func (p *reader) reverse(typ, rest, text string, depth int) (out []Clause, err error) {
	part := strings.SplitN(rest, ":", 3)
	if len(part) != 3 {
		return nil, bad("_has", "phải có dạng _has:Loại:thamchiếu:thamsố", "must be _has:Type:reference:parameter")
	}
	d, err := p.r.find(part[0], part[1])
	switch {
	case part[0] == "":
		return nil, bad("_has", "không có loại tài nguyên này", "there is no such resource type")
	case err != nil:
		return nil, err
	case d.Kind != Reference || typ != "" && !d.pointsAt(typ):
		return nil, bad("_has", "tham chiếu không trỏ tới loại đang tìm", "the reference does not point at the type searched")
	}
	inner, err := p.clauses(part[0], part[2], text, depth+1)
	for i := range inner {
		out = append(out, Clause{HasType: part[0], Param: part[1], Kind: Reference, Chain: &inner[i]})
	}
	return out, err
}

// matches reads the values joined by commas.
func (p *reader) matches(d *parameter, key, modifier, text string) ([]Match, error) {
	list := split(text, ',')
	if len(list) > maxValues {
		return nil, bad(key, "có quá nhiều giá trị", "has too many values")
	}
	if d.single && len(list) > 1 {
		return nil, bad(key, "chỉ nhận một giá trị", "takes one value only")
	}
	out := make([]Match, 0, len(list))
	for _, s := range list {
		next, err := p.match(d, key, modifier, s)
		if err != nil {
			return nil, err
		}
		out = append(out, next...)
	}
	return out, nil
}
