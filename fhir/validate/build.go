package validate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/fhirpath"
	"github.com/ytso/ytso/fhir/r4"
)

// compile makes a profile of its definition: from the snapshot when it has
// one, else by laying the differential over the rules of its base.
func (c *check) compile(d *r4.Doc, waiting int) *profile {
	n := d.Root()
	p := &profile{url: n.Get("url").Text(), version: n.Get("version").Text(), typ: n.Get("type").Text(), name: n.Get("name").Text(), doc: d}
	elements := n.Get("snapshot").Get("element")
	p.root = &rule{name: p.typ, path: p.typ, min: unset, max: unset, longest: unset}
	if !elements.Exists() {
		elements = n.Get("differential").Get("element")
		if base := n.Get("baseDefinition").Text(); base != "" {
			switch b := c.load(base, waiting+1); {
			case b == nil:
				p.lacks = append(p.lacks, base)
			default:
				p.lacks = append(p.lacks, b.lacks...)
				p.root = b.root.clone()
				if p.typ == "" {
					p.typ = b.typ
				}
			}
		}
	}
	b := builder{p: p, at: map[string][]pathStep{}}
	for e := range elements.Elems() {
		b.element(e)
	}
	p.byPath = map[string]*rule{}
	p.root.index(p.byPath)
	for x := range n.Get("context").Elems() {
		p.contexts = append(p.contexts, usage{x.Get("type").Text(), x.Get("expression").Text()})
	}
	for i, x := range slices.Collect(n.Get("contextInvariant").Elems()) {
		if f, err := fhirpath.Compile(x.Text()); err == nil {
			p.contextRules = append(p.contextRules, &constraint{key: "contextInvariant " + strconv.Itoa(i+1), human: x.Text(), severity: Error, expression: f})
		}
	}
	return p
}

// clone copies a tree of rules, so that a differential can be laid over it.
func (r *rule) clone() *rule {
	o := *r
	o.rules, o.types = slices.Clone(r.rules), slices.Clone(r.types)
	o.slices, o.children = make([]*rule, len(r.slices)), make([]*rule, len(r.children))
	for i, s := range r.slices {
		o.slices[i] = s.clone()
	}
	for i, k := range r.children {
		o.children[i] = k.clone()
	}
	return &o
}

// index notes the rules by their paths; that of the element itself, not of its slices.
func (r *rule) index(by map[string]*rule) {
	if by[r.path] == nil {
		by[r.path] = r
	}
	for _, k := range r.children {
		k.index(by)
	}
}

// builder lays elements over a tree of rules.
type builder struct {
	p  *profile
	at map[string][]pathStep // path of an element without ids → the steps to the last one of that path
}

// pathStep is one step in a profile: an element, and which slice of it.
type pathStep struct{ name, slice string }

func (b *builder) element(e r4.Node) {
	path := e.Get("path").Text()
	if path == "" {
		return
	}
	steps := b.steps(e, path)
	r := b.p.root
	for _, s := range steps[1:] {
		r = r.child(s.name)
		if s.slice != "" {
			r = r.sliceOf(s.slice)
		}
	}
	if r.path == "" {
		r.path = path
	}
	if path == "Extension" && e.Get("isModifier").Bool() {
		b.p.modifier = true
	}
	r.read(e)
}

// steps reads the way to an element from its id, or from the order of the
// elements where there are no ids that agree with the path.
func (b *builder) steps(e r4.Node, path string) []pathStep {
	names := strings.Split(path, ".")
	if parts := splitID(e.Get("id").Text()); len(parts) == len(names) {
		out := make([]pathStep, len(names))
		agree := true
		for i, part := range parts {
			name, slice, _ := strings.Cut(part, ":")
			agree = agree && (name == names[i] || i == 0)
			out[i] = pathStep{name, slice}
		}
		if slice := e.Get("sliceName").Text(); agree && slice != "" && out[len(out)-1].slice == "" && len(out) > 1 {
			out[len(out)-1].slice = slice
		}
		if agree {
			b.at[path] = out
			return out
		}
	}
	var out []pathStep
	for i := len(names) - 1; i > 0 && out == nil; i-- {
		if up, ok := b.at[strings.Join(names[:i], ".")]; ok {
			out = slices.Clone(up)
			for _, n := range names[i:] {
				out = append(out, pathStep{name: n})
			}
		}
	}
	if out == nil {
		for _, n := range names {
			out = append(out, pathStep{name: n})
		}
	}
	if len(out) > 1 {
		out[len(out)-1].slice = e.Get("sliceName").Text()
	}
	b.at[path] = out
	for known := range b.at { // what was below the last one of this path is not below this one
		if strings.HasPrefix(known, path+".") {
			delete(b.at, known)
		}
	}
	return out
}

// splitID cuts an element id at its dots; where the name of a slice holds one,
// the parts don't agree with the path and the order of the elements tells.
func splitID(id string) []string {
	if id == "" {
		return nil
	}
	return strings.Split(id, ".")
}

func (r *rule) child(name string) *rule {
	plain, choice := strings.CutSuffix(name, "[x]")
	for _, k := range r.children {
		if k.name == plain {
			return k
		}
	}
	k := &rule{name: plain, choice: choice, min: unset, max: unset, longest: unset}
	r.children = append(r.children, k)
	return k
}

// sliceOf finds or makes a slice; "a/b" is the slice b of the slice a (FHIR R4 profiling.html#reslicing).
func (r *rule) sliceOf(name string) *rule {
	for _, s := range r.slices {
		if s.slice == name {
			return s
		}
		if strings.HasPrefix(name, s.slice+"/") {
			return s.sliceOf(name)
		}
	}
	s := &rule{name: r.name, choice: r.choice, path: r.path, slice: name, min: unset, max: unset, longest: unset}
	r.slices = append(r.slices, s)
	return s
}

// read takes what an ElementDefinition says (FHIR R4 elementdefinition.html).
func (r *rule) read(e r4.Node) {
	if n, err := strconv.Atoi(e.Get("min").Text()); err == nil {
		r.min = n
	}
	switch n, err := strconv.Atoi(e.Get("max").Text()); {
	case err == nil:
		r.max = n
	case e.Get("max").Text() == "*":
		r.max = unset
	}
	if t := e.Get("type"); t.Exists() {
		r.types = nil
		for x := range t.Elems() {
			r.types = append(r.types, readType(x))
		}
	}
	for v := e.First(); v.Exists(); v = v.Next(e) {
		switch name := string(v.Name()); {
		case strings.HasPrefix(name, "fixed"):
			r.fixed = v
		case strings.HasPrefix(name, "pattern"):
			r.pattern = v
		case strings.HasPrefix(name, "minValue"):
			r.lowest = v
		case strings.HasPrefix(name, "maxValue"):
			r.highest = v
		}
	}
	if n, err := strconv.Atoi(e.Get("maxLength").Text()); err == nil {
		r.longest = n
	}
	if b := e.Get("binding"); b.Exists() {
		r.binding = readBinding(b)
	}
	if s := e.Get("slicing"); s.Exists() {
		r.slicing = readSlicing(s)
	}
	if ref := e.Get("contentReference").Text(); ref != "" {
		_, r.sameAs, _ = strings.Cut(ref, "#")
	}
	for x := range e.Get("constraint").Elems() {
		r.constrain(x)
	}
	r.source.read(e)
}

func readType(x r4.Node) typeRule {
	t := typeRule{code: x.Get("code").Text(), versioning: x.Get("versioning").Text()}
	if base := baseOf(t.code); base != "" {
		t.code = base
	}
	t.profiles, t.targets, t.aggregation = texts(x.Get("profile")), texts(x.Get("targetProfile")), texts(x.Get("aggregation"))
	if strings.HasPrefix(t.code, "System.") { // http://hl7.org/fhirpath/System.String with its FHIR type in an extension
		for ext := range x.Get("extension").Elems() {
			if ext.Get("url").Text() == structures+"structuredefinition-fhir-type" {
				t.code = ext.Get("valueUrl").Text() + ext.Get("valueUri").Text()
			}
		}
	}
	return t
}

func texts(n r4.Node) (out []string) {
	for x := range n.Elems() {
		if s := x.Text(); s != "" && x.Kind() == r4.String {
			out = append(out, s)
		}
	}
	return out
}

func readSlicing(s r4.Node) *slicing {
	out := &slicing{rules: s.Get("rules").Text(), ordered: s.Get("ordered").Bool()}
	for d := range s.Get("discriminator").Elems() {
		out.by = append(out.by, discriminator{d.Get("type").Text(), d.Get("path").Text()})
	}
	return out
}

// constrain adds an invariant, but for those that the base definitions have already.
func (r *rule) constrain(x r4.Node) {
	key, text := x.Get("key").Text(), strings.TrimSpace(x.Get("expression").Text())
	if text == "" || exempt[key] != "" || isOfficial(r.path, key, text) {
		return
	}
	severity := Severity(x.Get("severity").Text())
	if severity != Warning {
		severity = Error
	}
	f, err := fhirpath.Compile(text)
	one := &constraint{key: key, human: x.Get("human").Text(), severity: severity, expression: f}
	if err != nil {
		one.expression = nil
	}
	for i, old := range r.rules {
		if old.key == key {
			r.rules[i] = one
			return
		}
	}
	r.rules = append(r.rules, one)
}

// isOfficial says whether a snapshot only repeats an invariant of the base definitions.
func isOfficial(path, key, text string) bool {
	same := func(at string) bool {
		for _, i := range r4.InvariantsAt(at) {
			if i.Key == key && i.Expression == strings.Join(strings.Fields(text), " ") {
				return true
			}
		}
		return false
	}
	if same(path) {
		return true
	}
	if e, ok := r4.ElementAt(path); ok {
		for _, t := range e.Types {
			if same(t.Code) {
				return true
			}
		}
		return e.SameAs != "" && same(e.SameAs)
	}
	for _, t := range []string{"Quantity", "Period", "Range", "Reference", "Attachment", "ContactPoint", "Ratio", "SampledData", "Timing.repeat", "Duration", "Age"} {
		if same(t) {
			return true
		}
	}
	return false
}
