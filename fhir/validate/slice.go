package validate

import (
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
)

// slice sorts the values of an element into the slices of its rule and holds
// each against its slice (FHIR R4 profiling.html#slicing).
func (c *check) slice(e elem, g *rule, p *profile, list []elem) {
	s := g.told()
	if s == nil {
		return // slices without a discriminator describe, they don't constrain
	}
	byDefault := slices.IndexFunc(g.slices, func(r *rule) bool { return r.slice == "@default" })
	sorted := make([][]elem, len(g.slices))
	last, unmatched := -1, false
	for _, k := range list {
		i := c.sliceOf(k, g, s, p)
		switch {
		case i >= 0:
			if s.ordered && i < last {
				c.errorf(k, outcome.BusinessRule, "slice-order", "Các lát của %[1]s phải theo thứ tự của hồ sơ.", "The slices of %[1]s must be in the order of the profile.", g.label())
			}
			last = max(last, i)
			if s.rules == "openAtEnd" && unmatched {
				c.errorf(k, outcome.BusinessRule, "slice-end", "Giá trị ngoài các lát của %[1]s chỉ được đứng ở cuối.", "What is in no slice of %[1]s may only stand at the end.", g.label())
			}
		case byDefault >= 0:
			i = byDefault
		default:
			unmatched = true
			if s.rules == "closed" {
				c.errorf(k, outcome.BusinessRule, "slice-closed", "Không khớp lát nào của %[1]s, và hồ sơ không cho phép giá trị khác.", "It matches no slice of %[1]s, and the profile allows nothing else.", g.label())
			}
			continue
		}
		sorted[i] = append(sorted[i], k)
	}
	for i, r := range g.slices {
		c.sliced(e, r, p, sorted[i])
		if len(sorted[i]) < r.min && c.trial == 0 {
			c.explain(list, r, p, s, sorted)
		}
	}
}

// explain tells of a required slice that is told apart by a profile and was not
// found, why what is of its type does not conform.
func (c *check) explain(list []elem, r *rule, p *profile, s *slicing, sorted [][]elem) {
	for _, d := range s.by {
		if d.kind != "profile" {
			continue
		}
		told := 0
		for _, k := range list {
			if slices.ContainsFunc(sorted, func(in []elem) bool { return slices.ContainsFunc(in, func(x elem) bool { return x.v == k.v }) }) {
				continue
			}
			spots, values := []spot{{r: r, p: p, types: r.types}}, []elem{k}
			for _, name := range splitPath(d.path) {
				spots, values = c.locate(spots, name), c.follow(values, name)
			}
			for _, of := range c.profilesOf(spots) {
				for _, v := range values {
					if v.is(of.typ) && told < 3 {
						told++
						c.conform(v, of)
					}
				}
			}
		}
	}
}

// sliced holds the values of one slice against it.
func (c *check) sliced(e elem, r *rule, p *profile, list []elem) {
	c.count(e, r, len(list), r.label()+":"+r.slice)
	for _, k := range list {
		c.rule(k, r, p)
	}
	if len(r.slices) > 0 {
		c.slice(e, r, p, list)
	}
}

// told is how the slices are told apart: as said, or by url for extensions and
// by type for a choice, where nothing else is possible.
func (r *rule) told() *slicing {
	s := r.slicing
	if s != nil && len(s.by) > 0 {
		return s
	}
	out := slicing{rules: "open"}
	if s != nil {
		out = *s
	}
	switch {
	case r.name == "extension" || r.name == "modifierExtension":
		out.by = []discriminator{{"value", "url"}}
	case r.choice:
		out.by = []discriminator{{"type", "$this"}}
	case s != nil && s.rules == "closed" && len(r.slices) == 0:
	default:
		return nil
	}
	return &out
}

// sliceOf finds the slice that a value is in, -1 when in none.
func (c *check) sliceOf(k elem, g *rule, s *slicing, p *profile) int {
	for i, r := range g.slices {
		if r.slice == "@default" {
			continue
		}
		in := true
		for _, d := range s.by {
			if in = in && c.discriminates(k, r, p, d); !in {
				break
			}
		}
		if in {
			return i
		}
	}
	return -1
}
