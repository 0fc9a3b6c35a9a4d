package param

import (
	"reflect"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// expression reads a _filter (FHIR R4 search_filter.html). Values are compared
// as in a plain search: text folded, codes letter by letter.
func (p *reader) expression(key, text string) error {
	tree, err := parseFilter(text)
	if err != nil {
		return err
	}
	var made *Expr
	for i, typ := range p.over() {
		next, err := p.build(tree, typ, 0)
		if err != nil {
			return err
		}
		if i > 0 && !reflect.DeepEqual(made, next) {
			return bad(key, "không cùng nghĩa trên các loại đang tìm", "does not mean the same for all types searched")
		}
		made = next
	}
	p.filter(&Expr{Op: "and", Parts: []*Expr{made}, source: [2]string{key, text}})
	return nil
}

// build gives a condition its meaning for a type.
func (p *reader) build(n *condition, typ string, depth int) (*Expr, error) {
	if n.op == "" {
		return p.path(n, n.path, typ, depth)
	}
	e := &Expr{Op: n.op}
	for _, part := range n.parts {
		x, err := p.build(part, typ, depth)
		if err != nil {
			return nil, err
		}
		e.Parts = append(e.Parts, x)
	}
	return e, nil
}

// path goes along references to the parameter that is compared.
func (p *reader) path(n *condition, path []pathStep, typ string, depth int) (*Expr, error) {
	step, rest := path[0], path[1:]
	if e, err := p.inOneElement(n, path, typ); e != nil || err != nil {
		return e, err
	}
	d, err := p.r.find(typ, step.name)
	switch {
	case err != nil:
		return nil, err
	case len(rest) == 0 && (step.filter != nil || step.typ != ""):
		return nil, bad("_filter", "sau bộ lọc hoặc loại phải có “.thamsố”", "a filter or a type must be followed by “.parameter”")
	case len(rest) == 0:
		c, err := p.compare(d, n.op2, n.value)
		if err == nil && (c.Modifier == "" || c.Modifier == "unequal") {
			p.r.implied(typ, c)
		}
		return &Expr{Clause: c}, err
	case depth >= maxChain:
		return nil, bad("_filter", "chuỗi tham chiếu quá dài", "the chain is too long")
	case d.Kind != Reference || step.typ != "" && !d.pointsAt(step.typ):
		return nil, bad("_filter", "chỉ tham số tham chiếu mới nối tiếp được", "only a reference can be chained")
	case step.filter != nil && !d.atMostOnce(typ):
		// of two references one may meet the filter and the other what follows
		return nil, notSupported("_filter", "chưa lọc được trên tham chiếu có thể lặp lại", "a reference that may repeat can't be filtered")
	}
	return p.along(n, d, step, rest, depth)
}

// along reads what is behind a reference for each type at which it may point.
func (p *reader) along(n *condition, d *parameter, step pathStep, rest []pathStep, depth int) (*Expr, error) {
	targets := d.Targets
	if step.typ != "" {
		targets = []string{step.typ}
	}
	or := &Expr{Op: "or"}
	var first error
	for _, t := range targets {
		e, err := p.path(n, rest, t, depth+1)
		if err == nil && step.filter != nil {
			var f *Expr
			if f, err = p.build(step.filter, t, depth+1); err == nil {
				e = &Expr{Op: "and", Parts: []*Expr{e, f}}
			}
		}
		if err != nil {
			if len(targets) == 1 || outcome.As(err).Key != "param.unknown" {
				return nil, err
			}
			if first == nil {
				first = err
			}
			continue
		}
		e.behind(d.Code, t)
		or.Parts = append(or.Parts, e)
	}
	switch {
	case len(or.Parts) == 0 && first == nil, len(or.Parts) > maxAlternatives:
		return nil, bad("_filter", "hãy ghi loại đích, ví dụ subject:Patient.name", "name the target's type, as in subject:Patient.name")
	case len(or.Parts) == 0:
		return nil, first
	case len(or.Parts) == 1:
		return or.Parts[0], nil
	}
	return or, nil
}

// behind makes each clause one about the resource that a reference names.
func (e *Expr) behind(code, typ string) {
	if e.Clause != nil {
		e.Clause = &Clause{Param: code, Kind: Reference, ChainType: typ, Chain: e.Clause}
	}
	for _, p := range e.Parts {
		p.behind(code, typ)
	}
}

// atMostOnce says whether a resource of the type has one such reference at most.
func (p *parameter) atMostOnce(typ string) bool {
	path := p.path(typ)
	steps := strings.Split(path, ".")
	for i := 2; i <= len(steps); i++ {
		if e, ok := r4.ElementAt(strings.Join(steps[:i], ".")); !ok || e.Max != "1" {
			return false
		}
	}
	return len(steps) > 1
}

// operators say how a comparison of each kind is asked of a clause: by a modifier.
var operators = map[Kind]map[string]string{
	String: {"eq": "equals", "ne": "unequal", "co": "contains", "sw": "starts", "ew": "ends"},
	Token:  {"eq": "", "ne": "unequal", "ss": "below", "sb": "above", "in": "in", "ni": "not-in"},
	Date: {"eq": "", "ne": "", "gt": "", "lt": "", "ge": "", "le": "", "sa": "", "eb": "", "ap": "",
		"po": "overlaps", "co": "covers"},
	Number:    {"eq": "", "ne": "", "gt": "", "lt": "", "ge": "", "le": "", "sa": "", "eb": "", "ap": ""},
	Quantity:  {"eq": "", "ne": "", "gt": "", "lt": "", "ge": "", "le": "", "sa": "", "eb": "", "ap": ""},
	Reference: {"re": "", "eq": "", "ne": "unequal"},
	URI:       {"eq": "", "ne": "unequal"},
}

// systems that may be named by a word (search_filter.html).
var systems = map[string]string{"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct", "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm", "ucum": ucumSystem}

// compare makes the clause of one comparison.
func (p *reader) compare(d *parameter, op, value string) (*Clause, error) {
	modifier, ok := operators[d.Kind][op]
	if d.Code == "_text" || d.Code == "_content" {
		modifier, ok = "", op == "co"
	}
	if op == "pr" {
		modifier, ok = "missing", d.allows("missing")
		value = map[string]string{"true": "false", "false": "true"}[value]
	}
	if !ok {
		return nil, notSupported("_filter", "phép so sánh này không dùng cho kiểu tham số này", "this operator is not for a parameter of this type")
	}
	if slices.Contains([]string{"above", "below", "in", "not-in"}, modifier) && !d.allows(modifier) {
		return nil, bad("_filter", "không có bổ từ này", "there is no such modifier")
	}
	switch d.Kind {
	case String, URI, Reference:
		value = escape(value)
	default:
		value = strings.ReplaceAll(value, `\`, `\\`)
	}
	part := strings.Split(value, "|")
	if i := map[Kind]int{Token: 0, Quantity: 1}[d.Kind]; (d.Kind == Token || d.Kind == Quantity) && len(part) == i+2 && systems[part[i]] != "" {
		part[i] = systems[part[i]]
		value = strings.Join(part, "|")
	}
	if slices.Contains(prefixes, op) && (d.Kind == Date || d.Kind == Number || d.Kind == Quantity) {
		value = op + value
	}
	c := &Clause{Param: d.Code, Kind: d.Kind, Modifier: modifier}
	var err error
	switch modifier { // those that only _filter has don't change how a value is written
	case "missing", "in", "not-in", "above", "below":
		c.Values, err = p.match(d, "_filter", modifier, value)
	default:
		c.Values, err = p.match(d, "_filter", "", value)
	}
	return c, err
}

// groups are names that _filter has for what is said in one repeating element,
// with the composite that compares it and the names of its parts.
var groups = map[string]struct {
	composite string
	parts     []string
}{
	"Group.characteristic":        {"characteristic-value", []string{"code", "value"}},
	"DocumentReference.relatesTo": {"relationship", []string{"target", "code"}},
}

// inOneElement reads "characteristic[code eq x].value eq y" and its like as a composite.
func (p *reader) inOneElement(n *condition, path []pathStep, typ string) (*Expr, error) {
	g, ok := groups[typ+"."+path[0].name]
	f := path[0].filter
	if !ok || f == nil || len(path) != 2 {
		return nil, nil
	}
	d, err := p.r.find(typ, g.composite)
	if err != nil {
		return nil, err
	}
	if f.op != "" || len(f.path) != 1 {
		return nil, notSupported("_filter", "bộ lọc này phải là một phép so sánh", "this filter must be one comparison")
	}
	m := Match{Prefix: "eq", Value: Value{Param: d.Code, Kind: Composite}, Parts: make([]Match, 2)}
	i, j := slices.Index(g.parts, f.path[0].name), slices.Index(g.parts, path[1].name)
	if i < 0 || j != 1-i || path[1].filter != nil {
		return nil, bad("_filter", "không có thành phần này", "there is no such part")
	}
	for k, x := range map[int]*condition{i: f, j: n} {
		c, err := p.compare(d.parts[k], x.op2, x.value)
		if err != nil {
			return nil, err
		}
		if c.Modifier != "" || len(c.Values) != 1 {
			return nil, notSupported("_filter", "phép so sánh này không dùng được ở đây", "this operator can't be used here")
		}
		m.Parts[k] = c.Values[0]
	}
	return &Expr{Clause: &Clause{Param: d.Code, Kind: Composite, Values: []Match{m}}}, nil
}
