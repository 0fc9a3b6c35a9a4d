package term

import (
	"regexp"
	"slices"
	"strings"
)

// filter is one condition on the concepts of a system (FHIR R4 valueset-filter-operator.html).
type filter struct {
	property, op, value string
	values              []string       // of in and not-in
	pattern             *regexp.Regexp // of regex; nil when Go has no such pattern
}

const maxPattern = 1000

func newFilter(property, op, value string) filter {
	f := filter{property: property, op: op, value: value}
	switch op {
	case "in", "not-in":
		for v := range strings.SplitSeq(value, ",") {
			f.values = append(f.values, strings.TrimSpace(v))
		}
	case "regex":
		if len(value) <= maxPattern {
			f.pattern, _ = regexp.Compile(`^(?:` + value + `)$`) // nil: Unknown
		}
	}
	return f
}

// holds says whether a concept passes. Unknown: the system has no such
// property, or the answer needs concepts that are not at hand.
func (f *filter) holds(sys *codeSystem, i int32) Verdict {
	switch f.op {
	case "is-a", "descendent-of", "is-not-a", "generalizes":
		return f.subsumption(sys, i)
	}
	values, known := sys.values(i, f.property)
	if !known {
		return Unknown
	}
	any := func(ok func(string) bool) Verdict { return verdict(slices.ContainsFunc(values, ok)) }
	switch f.op {
	case "=":
		return any(func(v string) bool { return v == f.value })
	case "in":
		return any(func(v string) bool { return slices.Contains(f.values, v) })
	case "not-in":
		return verdict(!slices.ContainsFunc(values, func(v string) bool { return slices.Contains(f.values, v) }))
	case "exists":
		return verdict(len(values) > 0 == (f.value == "true"))
	case "regex":
		if f.pattern == nil {
			return Unknown
		}
		return any(f.pattern.MatchString)
	}
	return Unknown
}

// subsumption answers the operators on the hierarchy, whose property is
// "concept" or whatever the system calls its hierarchy.
func (f *filter) subsumption(sys *codeSystem, i int32) Verdict {
	if !sys.subsumes() {
		return Unknown
	}
	root, ok := sys.find(f.value)
	if !ok {
		if !sys.whole() {
			return Unknown
		}
		return verdict(f.op == "is-not-a") // nothing is below what is not there
	}
	same, below := i == root, sys.isAbove(root, i)
	switch f.op {
	case "is-a":
		ok = same || below
	case "descendent-of":
		ok = below
	case "is-not-a":
		ok = !same && !below
	default:
		ok = same || sys.isAbove(i, root)
	}
	if !sys.whole() && !(same || below) {
		return Unknown // the way up may lead over a concept that is not at hand
	}
	return verdict(ok)
}

func verdict(ok bool) Verdict {
	if ok {
		return Member
	}
	return NotMember
}

// values gives the values of a property of a concept as text; known is false
// when the system doesn't define it.
func (c *codeSystem) values(i int32, property string) (values []string, known bool) {
	k := &c.concepts[i]
	switch property {
	case "code", "concept":
		return []string{k.code}, true
	case "display":
		return nonEmpty(k.display), true
	case "definition":
		return nonEmpty(k.node.Get("definition").Text()), true
	case "parent":
		return c.codesOf(k.parents), true
	case "child":
		return c.codesOf(k.children), true
	case "inactive":
		return []string{boolean(k.inactive)}, true
	case "notSelectable":
		return []string{boolean(k.abstract)}, true
	}
	for _, n := range c.nodes(i) {
		for p := range n.Get("property").Elems() {
			if p.Get("code").Text() == property {
				v := propertyValue(p)
				values = append(values, first(v.Get("code").Text(), v.Text()))
				known = true
			}
		}
	}
	if _, defined := c.properties[property]; defined {
		known = true
	}
	return values, known
}

func (c *codeSystem) codesOf(list []int32) (codes []string) {
	for _, i := range list {
		codes = append(codes, c.concepts[i].code)
	}
	return codes
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
