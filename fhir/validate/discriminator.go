package validate

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/canon"
	"github.com/ytso/ytso/fhir/r4"
)

// spot is what a profile says at the end of a discriminator's path.
type spot struct {
	r       *rule
	p       *profile
	value   r4.Node // of a pattern or fixed value further up
	exact   bool
	text    string // a value that is known without a definition
	types   []typeRule
	targets []string // profiles of what a reference points at
}

// discriminates says whether a value is in a slice as far as one discriminator tells.
func (c *check) discriminates(k elem, r *rule, p *profile, d discriminator) bool {
	path := splitPath(d.path)
	spots := []spot{{r: r, p: p, types: r.types}}
	values := []elem{k}
	for _, name := range path {
		spots = c.locate(spots, name)
		values = c.follow(values, name)
	}
	switch d.kind {
	case "exists":
		return c.exists(spots, len(values))
	case "type":
		return slices.ContainsFunc(values, func(v elem) bool { return typed(v, spots, r, len(path) == 0) })
	case "profile":
		return slices.ContainsFunc(values, func(v elem) bool { return c.profiled(v, spots) })
	}
	known := false
	for _, s := range spots {
		if s.r != nil && s.r.max == 0 && s.r != r {
			if known = true; len(values) > 0 {
				return false
			}
			continue
		}
		if !s.tells(0) {
			continue
		}
		known = true
		if !slices.ContainsFunc(values, func(v elem) bool { return c.satisfies(v, s, 0) }) {
			return false
		}
	}
	return known
}

// splitPath cuts a discriminator's path into its steps: "$this" has none.
func splitPath(path string) (out []string) {
	depth, from := 0, 0
	for i := 0; i <= len(path); i++ {
		switch {
		case i == len(path) || path[i] == '.' && depth == 0:
			if s := path[from:i]; s != "" && s != "$this" {
				out = append(out, s)
			}
			from = i + 1
		case path[i] == '(':
			depth++
		case path[i] == ')':
			depth--
		}
	}
	return out
}

// argument gives what stands in a function of a path: extension('x'), ofType(X).
func argument(step, function string) (string, bool) {
	rest, ok := strings.CutPrefix(step, function+"(")
	if !ok {
		return "", false
	}
	return strings.Trim(strings.TrimSuffix(rest, ")"), `'"`), true
}

// follow makes one step of a discriminator's path in the resource.
func (c *check) follow(in []elem, name string) (out []elem) {
	if t, ok := argument(name, "ofType"); ok {
		return slices.DeleteFunc(slices.Clone(in), func(e elem) bool { return !e.is(t) })
	}
	if t, ok := argument(name, "as"); ok {
		return slices.DeleteFunc(slices.Clone(in), func(e elem) bool { return !e.is(t) })
	}
	if name == "first()" && len(in) > 1 {
		return in[:1]
	}
	url, ext := argument(name, "extension")
	for _, e := range in {
		if name == "resolve()" {
			if to, ok := c.resolve(e); ok {
				out = append(out, to)
			}
			continue
		}
		kids := c.children(e)
		for _, k := range kids {
			switch {
			case ext && k.at.name == "extension" && k.v.Get("url").Text() == url, !ext && (&rule{name: strings.TrimSuffix(name, "[x]")}).of(&k):
				out = append(out, k)
			}
		}
		c.free(kids)
	}
	return out
}

// locate makes the same step in the rules.
func (c *check) locate(in []spot, name string) (out []spot) {
	if _, ok := argument(name, "ofType"); ok {
		return in
	}
	if _, ok := argument(name, "as"); ok || name == "first()" {
		return in
	}
	for _, s := range in {
		switch url, ext := argument(name, "extension"); {
		case name == "resolve()":
			out = append(out, c.pointedAt(s)...)
		case ext:
			out = append(out, c.locateExtension(s, url)...)
		default:
			out = append(out, c.locateChild(s, strings.TrimSuffix(name, "[x]"), 0)...)
		}
	}
	return out
}

// locateChild finds what is said of a child, in the rule, in a value that it fixes and in the profiles of its type.
func (c *check) locateChild(s spot, name string, deep int) (out []spot) {
	if s.value.Exists() {
		v := s.value.Get(name)
		for x := range v.Elems() {
			out = append(out, spot{value: x, exact: s.exact, p: s.p})
		}
		return out
	}
	if s.r == nil {
		return nil
	}
	for _, fixed := range []r4.Node{s.r.fixed, s.r.pattern} {
		for x := range fixed.Get(name).Elems() {
			out = append(out, spot{value: x, exact: fixed == s.r.fixed, p: s.p})
		}
	}
	for _, k := range s.r.children {
		if k.name == name {
			out = append(out, spot{r: k, p: s.p, types: k.types})
			for _, inner := range k.slices { // a fixed value may stand in the one slice of the child
				if inner.min > 0 {
					out = append(out, spot{r: inner, p: s.p, types: inner.types})
				}
			}
		} else if strings.HasPrefix(k.name, name) && len(k.name) > len(name) && k.name[len(name)] < 'a' {
			out = append(out, spot{r: k, p: s.p, types: k.types})
		}
	}
	if to := s.p.byPath[s.r.sameAs]; s.r.sameAs != "" && to != nil && deep < 4 {
		out = append(out, c.locateChild(spot{r: to, p: s.p}, name, deep+1)...)
	}
	if len(s.types) == 1 && deep < 8 {
		for _, url := range s.types[0].profiles {
			if s.types[0].code == "Extension" && name == "url" {
				plain, _, _ := canon.Split(url)
				out = append(out, spot{text: plain, p: s.p})
				continue
			}
			if p := c.profile(url); p != nil {
				out = append(out, c.locateChild(spot{r: p.root, p: p}, name, deep+1)...)
			}
		}
	}
	return out
}

func (c *check) locateExtension(s spot, url string) (out []spot) {
	if s.r == nil {
		return nil
	}
	for _, k := range s.r.children {
		if k.name != "extension" {
			continue
		}
		for _, one := range k.slices {
			mine := len(one.types) == 1 && slices.ContainsFunc(one.types[0].profiles, func(u string) bool { plain, _, _ := canon.Split(u); return plain == url })
			for _, u := range one.children {
				mine = mine || u.name == "url" && u.fixed.Text() == url
			}
			if mine {
				out = append(out, spot{r: one, p: s.p, types: one.types})
			}
		}
	}
	return out
}

// pointedAt gives the rules for what a reference may point at.
func (c *check) pointedAt(s spot) (out []spot) {
	for _, t := range s.types {
		for _, url := range t.targets {
			p := c.profile(url)
			switch {
			case p == nil:
				out = append(out, spot{targets: []string{url}, p: s.p})
			case p.doc == nil:
				out = append(out, spot{types: []typeRule{{code: p.typ}}, targets: []string{url}, p: p})
			default:
				out = append(out, spot{r: p.root, p: p, types: []typeRule{{code: p.typ, profiles: []string{url}}}, targets: []string{url}})
			}
		}
	}
	return out
}

// exists: the element is required in the slice, or forbidden.
func (c *check) exists(spots []spot, n int) bool {
	for _, s := range spots {
		switch {
		case s.r == nil:
		case s.r.max == 0:
			return n == 0
		case s.r.min > 0:
			return n > 0
		}
	}
	return n > 0
}

// typed says whether a value is of a type that the slice allows.
func typed(v elem, spots []spot, r *rule, itself bool) bool {
	known := false
	for _, s := range spots {
		for _, t := range s.types {
			known = true
			if v.is(t.code) {
				return true
			}
		}
	}
	if !known && itself { // a slice of a choice that only its name describes: valueQuantity
		name := r.slice[strings.LastIndexByte(r.slice, '/')+1:]
		return v.at.of != "" && strings.EqualFold(name, v.at.name+v.at.of)
	}
	return false
}

// profiled says whether a value conforms to a profile that the slice names.
func (c *check) profiled(v elem, spots []spot) bool {
	return slices.ContainsFunc(c.profilesOf(spots), func(p *profile) bool { return v.is(p.typ) && c.conforms(v, p) })
}

// profilesOf lists the profiles that a slice names, or the types where it names none.
func (c *check) profilesOf(spots []spot) (out []*profile) {
	for _, s := range spots {
		urls := slices.Clone(s.targets)
		for _, t := range s.types {
			if len(t.profiles) == 0 && len(s.targets) == 0 && t.code != "Reference" {
				urls = append(urls, structures+t.code)
			}
			urls = append(urls, t.profiles...)
		}
		for _, url := range urls {
			if p := c.profile(url); p != nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// tells says whether a spot has something by which values can be told apart.
func (s spot) tells(deep int) bool {
	if s.value.Exists() || s.text != "" {
		return true
	}
	if s.r == nil || deep > 6 {
		return false
	}
	if s.r.fixed.Exists() || s.r.pattern.Exists() || s.r.binding != nil && s.r.binding.strength == "required" {
		return true
	}
	return slices.ContainsFunc(s.r.children, func(k *rule) bool { return spot{r: k, p: s.p}.tells(deep + 1) }) ||
		slices.ContainsFunc(s.r.slices, func(k *rule) bool { return k.min > 0 && spot{r: k, p: s.p}.tells(deep+1) })
}

// satisfies says whether a value is what a spot says: fixed, pattern, required codes, or those of its children.
func (c *check) satisfies(v elem, s spot, deep int) bool {
	switch {
	case !c.tick():
		return false
	case s.text != "":
		return v.v.Text() == s.text
	case s.value.Exists() && s.exact:
		return equal(v.v, s.value)
	case s.value.Exists():
		return matches(v.v, s.value)
	case s.r == nil || deep > 6:
		return true
	case s.r.fixed.Exists():
		return equal(v.v, s.r.fixed)
	case s.r.pattern.Exists():
		return matches(v.v, s.r.pattern)
	}
	kids := c.children(v)
	defer c.free(kids)
	told := false
	for _, k := range s.r.children {
		parts := []spot{{r: k, p: s.p}}
		for _, one := range k.slices {
			if one.min > 0 {
				parts = append(parts, spot{r: one, p: s.p})
			}
		}
		for _, part := range parts {
			if !part.tells(deep + 1) {
				continue
			}
			told = true
			n := 0
			good := slices.ContainsFunc(kids, func(x elem) bool {
				if !k.of(&x) {
					return false
				}
				n++
				return c.satisfies(x, part, deep+1)
			})
			if !good && (n > 0 || part.r.min > 0) {
				return false
			}
		}
	}
	if !told && s.r.binding != nil && s.r.binding.strength == "required" {
		return c.inSet(v, s.r.binding.set) == yes
	}
	return true
}
