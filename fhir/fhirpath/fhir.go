package fhirpath

import (
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// fhirs are the functions that FHIR adds (FHIR R4 fhirpath.html#functions), and
// the two key functions of SQL on FHIR v2.
var fhirs = map[string]function{
	"resolve":           {0, 0, resolve},
	"extension":         {1, 1, extension},
	"hasExtension":      {1, 1, hasExtension},
	"hasValue":          {0, 0, hasValue},
	"getValue":          {0, 0, getValue},
	"memberOf":          {1, 1, memberOf},
	"subsumes":          {1, 1, subsumes(false)},
	"subsumedBy":        {1, 1, subsumes(true)},
	"conformsTo":        {1, 1, conformsTo},
	"htmlChecks":        {0, 0, htmlChecks},
	"checkModifiers":    {0, 100, checkModifiers},
	"slice":             {2, 2, needsProfile},
	"elementDefinition": {0, 0, needsProfile},
	"getResourceKey":    {0, 0, resourceKey},
	"getReferenceKey":   {0, 1, referenceKey},
}

// resolve gives the resources that references point at: contained ones, those
// of the same Bundle, and what the environment finds. What is not found is
// left out (FHIR R4 fhirpath.html#functions).
func resolve(r *run, _ *call, _, in []Item) []Item {
	var out []Item
	for _, i := range in {
		ref := reference(i)
		if r.search {
			if t := targetType(i, ref); t != "" {
				out = append(out, Item{Type: t, v: resolved{t, ref}})
			}
			continue
		}
		if ref == "" || !r.tick(1) {
			continue
		}
		if found, ok := r.inDocument(i, ref); ok {
			out = append(out, found)
			continue
		}
		if r.env.Resolve == nil || ref[0] == '#' {
			continue
		}
		d, err := r.env.Resolve(r.ctx, ref)
		if err != nil {
			r.err = err
			return nil
		}
		if d != nil {
			out = append(out, Root(d))
		}
	}
	return out
}

func reference(i Item) string {
	if s, ok := i.value().(string); ok {
		return s
	}
	return i.Node.Get("reference").Text()
}

// targetType is the type that a literal reference names, else the one its "type" does.
func targetType(i Item, ref string) string {
	parts := strings.Split(ref, "/")
	for n := len(parts) - 2; n >= max(0, len(parts)-4); n-- {
		if r4.IsResource(parts[n]) {
			return parts[n]
		}
	}
	return i.Node.Get("type").Text()
}

// inDocument looks in the document itself.
func (r *run) inDocument(i Item, ref string) (Item, bool) {
	root := r.root.Node.Root()
	if i.Node.Exists() {
		root = i.Node.Root()
	}
	holder := root
	if r.env.Resource.Node.Exists() {
		holder = r.env.Resource.Node
	}
	if ref[0] == '#' {
		if ref == "#" {
			return rootOf(holder), true
		}
		for c := range holder.Get("contained").Elems() {
			if r.tick(1) && c.Get("id").Text() == ref[1:] {
				return rootOf(c), true
			}
		}
		return Item{}, false
	}
	for e := range root.Get("entry").Elems() {
		if !r.tick(1) {
			return Item{}, false
		}
		url, res := e.Get("fullUrl").Text(), e.Get("resource")
		if url == ref || url != "" && strings.HasSuffix(url, "/"+ref) && strings.HasPrefix(url, "http") {
			return rootOf(res), res.Exists()
		}
	}
	return Item{}, false
}

func extensions(r *run, c *call, this, in []Item) []Item {
	var out []Item
	url, ok := c.text(r, this, 0)
	if !ok {
		return nil
	}
	for _, i := range in {
		if !r.tick(1) {
			return nil
		}
		n := i.Node
		if n.Kind() != r4.Map {
			n = i.ext
		}
		for e := range n.Get("extension").Elems() {
			if e.Get("url").Text() == url {
				out = append(out, Item{Node: e, Path: "Extension", class: classOf("Extension")})
			}
		}
	}
	return out
}

func extension(r *run, c *call, this, in []Item) []Item { return extensions(r, c, this, in) }

func hasExtension(r *run, c *call, this, in []Item) []Item {
	return boolean(len(extensions(r, c, this, in)) > 0)
}

func hasValue(_ *run, _ *call, _, in []Item) []Item {
	return boolean(len(in) == 1 && (in[0].primitive() || in[0].v != nil))
}

func getValue(_ *run, _ *call, _, in []Item) []Item {
	if len(in) != 1 || !in[0].primitive() && in[0].v == nil {
		return nil
	}
	if v := in[0].value(); v != nil {
		return []Item{{v: v}}
	}
	return nil
}

func memberOf(r *run, c *call, this, in []Item) []Item {
	i, ok := r.single(in, c.at)
	vs, okVS := c.text(r, this, 0)
	switch {
	case !ok || !okVS:
		return nil
	case r.env == nil || r.env.MemberOf == nil:
		r.unanswered(c.at, "Không có dịch vụ thuật ngữ để tính memberOf().", "There is no terminology service to answer memberOf().")
		return nil
	}
	is, err := r.env.MemberOf(r.ctx, vs, i)
	if err != nil {
		r.err = err
		return nil
	}
	return boolean(is)
}

// subsumes asks whether the code of the input is above that of the argument, or below when turned.
func subsumes(turned bool) body {
	return func(r *run, c *call, this, in []Item) []Item {
		a, okA := r.single(in, c.at)
		b, okB := r.single(c.args[0](r, this), c.node.args[0].at)
		switch {
		case !okA || !okB:
			return nil
		case r.env == nil || r.env.Subsumes == nil:
			r.unanswered(c.at, "Không có dịch vụ thuật ngữ để tính subsumes().", "There is no terminology service to answer subsumes().")
			return nil
		}
		if turned {
			a, b = b, a
		}
		for _, x := range codings(a) {
			for _, y := range codings(b) {
				if x[0] != y[0] {
					continue
				}
				is, err := r.env.Subsumes(r.ctx, x[0], x[1], y[1])
				if err != nil {
					r.err = err
					return nil
				}
				if is {
					return boolean(true)
				}
			}
		}
		return boolean(false)
	}
}

// codings lists system and code of a code, Coding or CodeableConcept.
func codings(i Item) (out [][2]string) {
	if s, ok := i.value().(string); ok {
		return [][2]string{{"", s}}
	}
	if i.Node.Get("coding").Exists() {
		for c := range i.Node.Get("coding").Elems() {
			out = append(out, [2]string{c.Get("system").Text(), c.Get("code").Text()})
		}
		return out
	}
	return [][2]string{{i.Node.Get("system").Text(), i.Node.Get("code").Text()}}
}

const structures = "http://hl7.org/fhir/StructureDefinition/"

// conformsTo asks the environment. Without one it knows the types of FHIR
// itself, and answers whether the element is of that type.
func conformsTo(r *run, c *call, this, in []Item) []Item {
	i, ok := r.only(in, c.at)
	url, okURL := c.text(r, this, 0)
	if !ok || !okURL {
		return nil
	}
	if r.env != nil && r.env.Conforms != nil {
		is, err := r.env.Conforms(r.ctx, url, i)
		if err != nil {
			r.err = err
			return nil
		}
		return boolean(is)
	}
	name, base := strings.CutPrefix(url, structures)
	if t := (typeRef{"FHIR", name}); base && t.known() {
		return boolean(i.is(t, false))
	}
	r.fail(c.node.args[0].at, outcome.NotFound, "structure", "Không có định nghĩa cấu trúc này.", "The structure definition is not known.")
	return nil
}

// htmlChecks says whether a narrative holds nothing but what txt-1 allows, and something at all (txt-2).
func htmlChecks(r *run, c *call, _, in []Item) []Item {
	i, ok := r.single(in, c.at)
	if !ok {
		return nil
	}
	s, isText := i.value().(string)
	if !isText || !r.tick(1+len(s)/8) {
		return boolean(false)
	}
	return boolean(r4.CheckNarrative([]byte(s)) == nil)
}

// checkModifiers fails on a modifier extension that the arguments don't name.
func checkModifiers(r *run, c *call, this, in []Item) []Item {
	known := map[string]bool{}
	for k := range c.args {
		if s, ok := c.text(r, this, k); ok {
			known[s] = true
		}
	}
	for _, i := range in {
		for e := range i.Node.Get("modifierExtension").Elems() {
			if !known[e.Get("url").Text()] {
				r.fail(c.at, outcome.BusinessRule, "modifier", "Có phần mở rộng làm đổi nghĩa mà biểu thức không biết.", "There is a modifier extension that the expression does not know.")
				return nil
			}
		}
	}
	return in
}

// needsProfile refuses what only the definition of a profile can answer.
func needsProfile(r *run, c *call, _, _ []Item) []Item {
	r.unanswered(c.at, "Hàm này cần định nghĩa của hồ sơ (profile), ở đây không có.", "This function needs the definition of a profile, which is not at hand.")
	return nil
}

// resourceKey and referenceKey give what joins resources to references (SQL on FHIR v2, getResourceKey).
func resourceKey(_ *run, _ *call, _, in []Item) []Item {
	var out []Item
	for _, i := range in {
		if id := i.Node.Get("id").Text(); id != "" && i.class != nil && i.class.resource {
			out = append(out, str(i.class.name+"/"+id))
		}
	}
	return out
}

func referenceKey(r *run, c *call, this, in []Item) []Item {
	want := ""
	if len(c.args) == 1 { // the name of a type, not a path
		if a := c.node.args[0]; a.kind == memberNode && a.left == nil {
			want = a.name
		} else if want, _ = c.text(r, this, 0); want == "" {
			return nil
		}
	}
	var out []Item
	for _, i := range in {
		ref, _, _ := strings.Cut(reference(i), "/_history/")
		// A reference to another server names none of the resources here, so it gives no key.
		if typ, id, ok := strings.Cut(ref, "/"); ok && r4.IsResource(typ) && id != "" && !strings.Contains(id, "/") && (want == "" || want == typ) {
			out = append(out, str(typ+"/"+id))
		}
	}
	return out
}
