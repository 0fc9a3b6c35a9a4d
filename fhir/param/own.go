package param

import (
	"cmp"
	"slices"
	"strings"
)

// Own is a parameter that a server has of its own on a base ("Patient",
// "DomainResource"). Print changes when it finds other values in a resource, so
// that a store knows which of its entries are out of date.
type Own struct{ Base, Code, Print string }

// Own lists the parameters that are not R4's, or replace one of it, by base and code.
func (r *Registry) Own() (list []Own) {
	for base, all := range r.own {
		for _, p := range all {
			list = append(list, Own{base, p.Code, p.print()})
		}
	}
	slices.SortFunc(list, func(a, b Own) int { return cmp.Or(strings.Compare(a.Base, b.Base), strings.Compare(a.Code, b.Code)) })
	return list
}

func (p *parameter) print() string {
	var b strings.Builder
	b.WriteByte('0' + byte(p.Kind))
	if p.expr != nil {
		b.WriteString(p.expr.Source)
	}
	for _, part := range p.parts {
		b.WriteString("\n" + part.Code + "\t" + part.print())
	}
	return b.String()
}
