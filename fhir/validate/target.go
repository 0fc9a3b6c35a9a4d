package validate

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// literal gives the text of a Reference, canonical or uri.
func literal(e elem) string {
	if e.v.Kind() == r4.String {
		return e.v.Text()
	}
	return e.v.Get("reference").Text()
}

// resolve finds what a reference points at: among what is contained, and in the
// Bundle by the rules of FHIR R4 bundle.html#references.
func (c *check) resolve(e elem) (elem, bool) {
	ref := literal(e)
	switch {
	case ref == "":
		return elem{}, false
	case ref == "#":
		return e.in.holder.res, true
	case ref[0] == '#':
		return containedIn(e.in.holder, ref[1:])
	}
	for b := e.in.bundle; b != nil; b = b.bundle {
		if to := c.refsOf(b).find(ref, e.in); len(to) == 1 {
			return to[0].elem(b)
		}
	}
	if d := c.fetch(ref); d != nil {
		return rootElem(d)
	}
	return elem{}, false
}

// fetch asks for a resource outside the document, once for each reference.
func (c *check) fetch(ref string) *r4.Doc {
	if c.o.Fetch == nil || c.err != nil || len(c.fetched) > 200 {
		return nil
	}
	if d, ok := c.fetched[ref]; ok {
		return d
	}
	d, err := c.o.Fetch(c.ctx, ref)
	if err != nil {
		c.err = err
		return nil
	}
	if c.fetched == nil {
		c.fetched = map[string]*r4.Doc{}
	}
	c.fetched[ref] = d
	return d
}

// containedIn finds a contained resource by its id.
func containedIn(s *scope, id string) (elem, bool) {
	i := 0
	for n := range s.res.v.Get("contained").Elems() {
		if n.Get("id").Text() == id {
			to, ok := resourceElem(n, &step{s.res.at, "contained", "", i}, s)
			if ok {
				to.in.contained, to.in.holder = true, s
				to.in.fullURL, to.in.entry = s.fullURL, s.entry
			}
			return to, ok
		}
		i++
	}
	return elem{}, false
}

// targets holds a reference against the types and profiles that a profile leaves.
func (c *check) targets(e elem, t typeRule) {
	if len(t.targets) == 0 && len(t.aggregation) == 0 || t.code != "Reference" {
		return
	}
	to, found := c.resolve(e)
	c.aggregated(e, t, found)
	if len(t.targets) == 0 {
		return
	}
	name := to.typ
	if !found {
		if name = string(targetType([]byte(literal(e)))); name == "" || !r4.IsResource(name) {
			if name = e.v.Get("type").Text(); !r4.IsResource(name) {
				return // nothing tells what it points at
			}
		}
	}
	var fits []*profile
	var allowed []string
	for _, url := range t.targets {
		p := c.profile(url)
		if p == nil {
			if c.err == nil {
				c.unknownProfile(e, url)
			}
			return
		}
		allowed = append(allowed, p.typ)
		if p.typ == name || p.typ == "Resource" || p.typ == parentOf(name) {
			fits = append(fits, p)
		}
	}
	switch {
	case len(fits) == 0:
		all := strings.Join(slices.Compact(slices.Sorted(slices.Values(allowed))), ", ")
		c.errorf(e, outcome.BusinessRule, "target", "Hồ sơ chỉ cho phép trỏ tới: %[1]s.", "The profile only allows pointing at: %[1]s.", all)
	case found && !slices.ContainsFunc(fits, func(p *profile) bool { return p.doc == nil || c.conforms(to, p) }):
		if len(fits) == 1 && c.trial == 0 {
			c.conform(to, fits[0]) // tells why
		}
		c.errorf(e, outcome.BusinessRule, "target-profile", "Tài nguyên được trỏ tới không theo hồ sơ nào trong: %[1]s.", "What it points at conforms to none of: %[1]s.", strings.Join(t.targets, ", "))
	}
}

// aggregated: contained, in the same Bundle, or anywhere (FHIR R4 valueset-resource-aggregation-mode.html).
func (c *check) aggregated(e elem, t typeRule, found bool) {
	ref := literal(e)
	if len(t.aggregation) == 0 || ref == "" {
		return
	}
	mode := "referenced"
	switch {
	case ref[0] == '#':
		mode = "contained"
	case found:
		mode = "bundled"
	}
	if slices.Contains(t.aggregation, mode) || mode == "bundled" && slices.Contains(t.aggregation, "referenced") || e.in.bundle == nil && mode == "referenced" && slices.Contains(t.aggregation, "bundled") {
		return
	}
	all := strings.Join(t.aggregation, ", ")
	c.errorf(e, outcome.BusinessRule, "aggregation", "Hồ sơ chỉ cho phép tham chiếu kiểu: %[1]s.", "The profile only allows a reference that is: %[1]s.", all)
}
