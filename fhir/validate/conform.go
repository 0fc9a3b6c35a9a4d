package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// conform holds an element against a profile.
func (c *check) conform(e elem, p *profile) {
	h := holding{e.v, p}
	if c.under[h] || !c.tick() || len(c.under) > 200 {
		c.circled = true
		return // a circle of references or of profiles: whoever began it tells
	}
	if c.trial == 0 {
		if c.told[h] {
			return // all that is wrong was said
		}
		if c.told == nil {
			c.told = map[holding]bool{}
		}
		c.told[h] = true
	}
	if c.under == nil {
		c.under = map[holding]bool{}
	}
	c.under[h] = true
	defer delete(c.under, h)
	if p.typ != "" && !e.is(p.typ) {
		c.errorf(e, outcome.Structure, "profile-type", "Hồ sơ %[1]s mô tả %[2]s, không mô tả %[3]s.", "The profile %[1]s describes %[2]s, not %[3]s.", p.url, p.typ, e.fhirType())
		return
	}
	for _, base := range p.lacks {
		c.warnf(e, outcome.NotFound, "profile-base", "Không có hồ sơ gốc %[1]s, nên chỉ kiểm tra được một phần.", "The base %[1]s of the profile is not at hand, so only a part was checked.", base)
	}
	c.rule(e, p.root, p)
}

// conforms says whether an element conforms, without telling why not.
func (c *check) conforms(e elem, p *profile) bool {
	h := holding{e.v, p}
	if good, ok := c.held[h]; ok {
		return good
	}
	circled := c.circled
	c.circled = false
	good := c.try(func() { c.conform(e, p) })
	if !c.circled { // in a circle the answer rests on a guess
		if c.held == nil {
			c.held = map[holding]bool{}
		}
		c.held[h] = good
	}
	c.circled = c.circled || circled
	return good
}

// rule holds an element against what is said of it.
func (c *check) rule(e elem, r *rule, p *profile) {
	if !c.tick() || c.full() {
		return
	}
	if r.fixed.Exists() && !equal(e.v, r.fixed) {
		c.errorf(e, outcome.Value, "fixed", "Giá trị phải đúng như hồ sơ quy định%[1]s.", "The value must be the one that the profile fixes%[1]s.", shown(r.fixed))
	}
	if r.pattern.Exists() && !matches(e.v, r.pattern) {
		c.errorf(e, outcome.Value, "pattern", "Giá trị không theo mẫu của hồ sơ%[1]s.", "The value does not match the pattern of the profile%[1]s.", shown(r.pattern))
	}
	if len(r.types) > 0 {
		c.types(e, r, p)
	}
	c.bounds(e, r)
	if r.binding != nil {
		c.bound(e, r.binding)
	}
	if e.slot != nil && e.shape != nil && e.shape.Resource && r != p.root && e.in.up != nil {
		c.askedAs(e, e.in.up, r.rules)
	} else {
		c.asked(e, r.rules)
	}
	r.source.check(c, e)
	switch {
	case len(r.children) > 0:
		c.below(e, r, p)
	case r.sameAs != "":
		if to := p.byPath[r.sameAs]; to != nil && to != r {
			c.asked(e, to.rules)
			c.below(e, to, p)
		}
	}
}

// asked asks the invariants of a profile.
func (c *check) asked(e elem, list []*constraint) { c.askedAs(e, e.in, list) }

// askedAs is asked for a profile of the resource around e: %resource is that one.
func (c *check) askedAs(e elem, in *scope, list []*constraint) {
	for _, r := range list {
		if r.expression == nil {
			c.warnf(e, outcome.NotSupported, "not-checked", "Không đọc được biểu thức của quy tắc %[1]s.", "The expression of the rule %[1]s can't be read.", r.key)
		}
	}
	if slices.ContainsFunc(list, func(r *constraint) bool { return r.expression != nil }) {
		c.ask(e, in, slices.DeleteFunc(slices.Clone(list), func(r *constraint) bool { return r.expression == nil }))
	}
}

// shown writes a value of a profile, which is no data of a person, when it is short.
func shown(n r4.Node) string {
	if s := strings.Join(strings.Fields(string(n.Raw())), " "); len(s) <= 160 {
		return ": " + s
	}
	return ""
}

// types holds the type of an element against those that are left, and the
// element against the profiles of its type.
func (c *check) types(e elem, r *rule, p *profile) {
	var mine []typeRule
	for _, t := range r.types {
		if t.code == "" || e.is(t.code) || t.code == "Element" || strings.HasPrefix(t.code, "System.") {
			mine = append(mine, t)
		}
	}
	if len(mine) == 0 {
		var codes []string
		for _, t := range r.types {
			codes = append(codes, t.code)
		}
		all := strings.Join(codes, ", ")
		if e.at.name == "value" && e.at.up != nil && insideExtension(e) { // told of the extension, as the only thing in it
			e.at = e.at.up
		}
		c.errorf(e, outcome.Structure, "type", "Hồ sơ chỉ cho phép kiểu: %[1]s.", "The profile allows only the type: %[1]s.", all)
		return
	}
	var profiles []string
	for _, t := range mine {
		if len(t.profiles) == 0 {
			profiles = nil
			break
		}
		profiles = append(profiles, t.profiles...)
	}
	if e.typ != "Extension" { // an extension is held against its own definition wherever it stands
		c.oneOf(e, profiles)
	}
	for _, t := range mine {
		if t.code == "Reference" || t.code == "canonical" {
			c.targets(e, t)
		}
	}
}

// oneOf holds an element against one profile, or finds one of several that it conforms to.
func (c *check) oneOf(e elem, urls []string) {
	var known []*profile
	for _, url := range urls {
		p := c.profile(url)
		if p == nil {
			if c.err == nil {
				c.unknownProfile(e, url)
			}
			continue
		}
		known = append(known, p)
	}
	switch {
	case len(known) == 0 || len(known) < len(urls) && len(urls) > 1:
	case len(urls) == 1:
		c.conform(e, known[0])
	case !slices.ContainsFunc(known, func(p *profile) bool { return c.conforms(e, p) }):
		all := strings.Join(urls, ", ")
		c.errorf(e, outcome.BusinessRule, "profile-choice", "Không khớp hồ sơ nào trong: %[1]s.", "None of these profiles is matched: %[1]s.", all)
	}
}

// unknownProfile tells of a profile that another one names and that is not at hand.
func (c *check) unknownProfile(e elem, url string) {
	if c.strict {
		c.errorf(e, outcome.NotFound, "profile-unknown", "Không có định nghĩa của hồ sơ %[1]s mà hồ sơ được yêu cầu cần đến.", "The profile %[1]s, which the one asked for needs, is not at hand.", url)
		return
	}
	c.lacking = true
	c.warnf(e, outcome.NotFound, "profile-unknown", "Không có định nghĩa của hồ sơ %[1]s, nên không kiểm tra được.", "The profile %[1]s is not at hand, so it was not checked.", url)
}

// below holds the children of an element against the rules for them.
func (c *check) below(e elem, r *rule, p *profile) {
	kids := c.children(e)
	for i := range kids {
		c.shortcut(&kids[i], r)
	}
	var mine []elem
	for _, g := range r.children {
		if !g.possible(e) {
			continue
		}
		mine = mine[:0]
		for i := range kids {
			if g.of(&kids[i]) {
				mine = append(mine, kids[i])
			}
		}
		c.group(e, g, p, mine)
	}
	c.free(kids)
}

// shortcut: a profile that speaks of "valueQuantity" leaves no other type of
// the choice (FHIR R4 profiling.html#sliced, elementdefinition.html#path).
func (c *check) shortcut(k *elem, r *rule) {
	if k.at.of == "" {
		return
	}
	name, meant := k.at.name, false
	for _, g := range r.children {
		if g.of(k) {
			if g.name != name {
				return
			}
			continue
		}
		if rest, ok := strings.CutPrefix(g.name, name); ok && rest != "" && rest[0] < 'a' && g.max != 0 {
			meant = true
		}
	}
	if meant {
		c.errorf(*k, outcome.BusinessRule, "slice-closed", "Hồ sơ chỉ cho phép kiểu khác cho %[1]s.", "The profile only allows another type for %[1]s.", name+"[x]")
	}
}

// possible says whether the type of an element has what a rule is about; a
// profile that speaks of an element that does not exist says nothing.
func (r *rule) possible(e elem) bool {
	s := e.shape
	if s == nil {
		return true
	}
	for i := range s.Slots {
		if n := s.Slots[i].Name; n == r.name || s.Slots[i].Choice && strings.HasPrefix(r.name, n) {
			return true
		}
	}
	return false
}

// of says whether a rule is about a child: by its name, or by name and type as in "valueQuantity".
func (r *rule) of(k *elem) bool {
	if k.at.name == r.name {
		return true
	}
	return k.at.of != "" && len(r.name) == len(k.at.name)+len(k.at.of) && strings.HasPrefix(r.name, k.at.name) && strings.EqualFold(r.name[len(k.at.name):], k.at.of)
}

// group holds the values of one element of e against its rule.
func (c *check) group(e elem, g *rule, p *profile, list []elem) {
	if !c.tick() {
		return
	}
	c.count(e, g, len(list), g.label())
	for _, k := range list {
		c.rule(k, g, p)
	}
	if len(g.slices) > 0 || g.slicing != nil && g.slicing.rules == "closed" {
		c.slice(e, g, p, list)
	}
}

// label names an element as in its definition: "value[x]".
func (r *rule) label() string {
	if r.choice {
		return r.name + "[x]"
	}
	return r.name
}

// count holds a number of values against the cardinality.
func (c *check) count(e elem, g *rule, n int, what string) {
	switch {
	case g.min > 0 && n < g.min && g.min == 1:
		c.add(e, fault{kind: outcome.Required, key: "required", vi: "Thiếu phần tử bắt buộc " + what + ".", en: "The required element " + what + " is missing."})
	case g.min > 0 && n < g.min:
		c.errorf(e, outcome.Required, "min", "%[1]s phải có ít nhất %[2]d, chỉ có %[3]d.", "%[1]s must be there at least %[2]d times, and is %[3]d times.", what, g.min, n)
	case g.max == 0 && n > 0:
		c.errorf(e, outcome.BusinessRule, "max", "Hồ sơ không cho phép %[1]s.", "The profile does not allow %[1]s.", what)
	case g.max != unset && n > g.max:
		c.errorf(e, outcome.BusinessRule, "max", "%[1]s chỉ được có nhiều nhất %[2]d, nhưng có %[3]d.", "%[1]s may be there at most %[2]d times, and is %[3]d times.", what, g.max, n)
	}
}

// bounds holds a value against its length, its least and its greatest.
func (c *check) bounds(e elem, r *rule) {
	if r.longest != unset && e.v.Kind() == r4.String {
		if n := len([]rune(e.v.Text())); n > r.longest {
			c.errorf(e, outcome.Value, "length", "Dài %[1]d ký tự, chỉ được tối đa %[2]d.", "It has %[1]d characters, at most %[2]d are allowed.", n, r.longest)
		}
	}
	for _, b := range []struct {
		limit  r4.Node
		sign   int
		vi, en string
	}{{r.lowest, -1, "Giá trị nhỏ hơn mức thấp nhất", "The value is less than the least"}, {r.highest, 1, "Giá trị lớn hơn mức cao nhất", "The value is greater than the greatest"}} {
		if !b.limit.Exists() {
			continue
		}
		way, known := c.order(e, b.limit, b.sign)
		switch {
		case !known:
			c.warnf(e, outcome.NotSupported, "bound", "Không so sánh được giá trị với giới hạn của hồ sơ%[1]s.", "The value can't be compared with the bound of the profile%[1]s.", shown(b.limit))
		case way == b.sign:
			c.add(e, fault{kind: outcome.Value, key: "bound", vi: fmt.Sprintf("%s mà hồ sơ cho phép%s.", b.vi, shown(b.limit)), en: fmt.Sprintf("%s that the profile allows%s.", b.en, shown(b.limit))})
		}
	}
}
