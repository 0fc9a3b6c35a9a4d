package term

import (
	"slices"
	"strings"
	"sync"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
)

// codeSystem is a code system ready to be asked.
type codeSystem struct {
	url, version, name, language string
	content                      string // complete, example, fragment, not-present (FHIR R4 valueset-codesystem-content-mode.html)
	folded                       bool   // caseSensitive false
	meaning                      string // hierarchyMeaning
	concepts                     []concept
	index                        map[string]int32
	nested                       bool              // it has a hierarchy
	properties                   map[string]string // defined property → type
	filters                      map[string]bool
	grammar                      grammar // instead of concepts
	also                         map[string][]r4.Node
	words                        func() []string // folded texts of each concept, for the filter of an expansion
}

// concept is one concept; what is seldom asked is read from its node.
type concept struct {
	code, display      string
	node               r4.Node // zero for built-in ones
	parents, children  []int32
	abstract, inactive bool
}

// Properties of concepts that R4 itself defines (FHIR R4 codesystem-concept-properties.html).
const conceptProperties = "http://hl7.org/fhir/concept-properties#"

// whole says whether the concepts at hand are all there are.
func (c *codeSystem) whole() bool { return c.content == "complete" }

// subsumes says whether parents subsume their children: not where the
// hierarchy means something else (FHIR R4 valueset-codesystem-hierarchy-meaning.html).
func (c *codeSystem) subsumes() bool {
	return !c.nested || c.meaning == "" || c.meaning == "is-a"
}

func (c *codeSystem) find(code string) (int32, bool) {
	if c.folded {
		code = strings.ToLower(code)
	}
	i, ok := c.index[code]
	return i, ok
}

func (e *evaluation) compileSystem(url, version string) (*codeSystem, error) {
	if version == "" {
		if g := builtIn(url); g != nil {
			return g, nil
		}
	}
	doc, err := e.find("CodeSystem", url, version)
	if err == nil && doc == nil && url == systemCountry && version == "" {
		return e.countries()
	}
	if err != nil || doc == nil || doc.Root().Get("content").Text() == "supplement" {
		return nil, err
	}
	c := newCodeSystem(doc.Root())
	lists := []r4.Node{doc.Root()}
	if c.content == "not-present" {
		if lists, err = e.parts(url, c.version); err != nil {
			return nil, err
		}
		if len(lists) > 0 {
			c.content = "complete"
		}
	}
	for _, l := range lists {
		c.add(l, -1)
	}
	c.relate()
	for s := range sourcesOf[Supplements](e.s.source) {
		list, err := s.Supplements(e.ctx, url)
		if err != nil {
			return nil, err
		}
		c.supplement(list)
	}
	return c, nil
}

func (e *evaluation) parts(url, version string) (lists []r4.Node, err error) {
	for p := range sourcesOf[Parts](e.s.source) {
		docs, err := p.Parts(e.ctx, url, version)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			lists = append(lists, d.Root())
		}
		if len(docs) > 0 {
			break
		}
	}
	return lists, nil
}

func newCodeSystem(n r4.Node) *codeSystem {
	text := func(name string) string { return n.Get(name).Text() }
	c := &codeSystem{
		url: text("url"), version: text("version"), name: first(text("title"), text("name")), language: text("language"), content: text("content"),
		folded: text("caseSensitive") == "false", meaning: text("hierarchyMeaning"), index: map[string]int32{}, properties: map[string]string{}, filters: map[string]bool{},
	}
	for p := range n.Get("property").Elems() {
		code := p.Get("code").Text()
		c.properties[code] = p.Get("type").Text()
		if uri, ok := strings.CutPrefix(p.Get("uri").Text(), conceptProperties); ok && uri != code {
			c.properties[code] = p.Get("type").Text()
		}
	}
	c.words = sync.OnceValue(c.fold)
	return c
}

// add takes in the concepts of a node in their order, a nested one behind its parent.
func (c *codeSystem) add(n r4.Node, parent int32) {
	for x := range n.Get("concept").Elems() {
		i := int32(len(c.concepts))
		k := concept{code: x.Get("code").Text(), display: x.Get("display").Text(), node: x}
		key := k.code
		if c.folded {
			key = strings.ToLower(key)
		}
		if at, twice := c.index[key]; twice { // not valid (csd-1); the first one holds
			i = at
		} else {
			c.index[key] = i
			c.concepts = append(c.concepts, k)
		}
		if parent >= 0 {
			c.link(parent, i)
		}
		c.add(x, i)
	}
}

func (c *codeSystem) link(parent, child int32) {
	if parent == child || slices.Contains(c.concepts[child].parents, parent) {
		return
	}
	c.nested = true
	c.concepts[parent].children = append(c.concepts[parent].children, child)
	c.concepts[child].parents = append(c.concepts[child].parents, parent)
}

// relate reads the properties that say more of a concept than its place: parent, child, notSelectable, inactive, status.
func (c *codeSystem) relate() {
	for i := range c.concepts {
		k := &c.concepts[i]
		for p := range k.node.Get("property").Elems() {
			value := propertyValue(p).Text()
			switch p.Get("code").Text() {
			case "parent":
				if at, ok := c.find(value); ok {
					c.link(at, int32(i))
				}
			case "child":
				if at, ok := c.find(value); ok {
					c.link(int32(i), at)
				}
			case "notSelectable", "abstract":
				k.abstract = k.abstract || value == "true"
			case "inactive":
				k.inactive = k.inactive || value == "true"
			case "status":
				k.inactive = k.inactive || value == "retired" || value == "inactive"
			}
		}
	}
}

// supplement notes designations and properties that others add (FHIR R4 codesystem.html#supplements).
func (c *codeSystem) supplement(docs []*r4.Doc) {
	for _, d := range docs {
		url, version, _ := strings.Cut(d.Root().Get("supplements").Text(), "|")
		if url != c.url || version != "" && version != c.version {
			continue
		}
		if c.also == nil {
			c.also = map[string][]r4.Node{}
		}
		c.noteSupplement(d.Root())
	}
}

func (c *codeSystem) noteSupplement(n r4.Node) {
	for x := range n.Get("concept").Elems() {
		code := x.Get("code").Text()
		c.also[code] = append(c.also[code], x)
		c.noteSupplement(x)
	}
}

// nodes gives the definitions of a concept: its own, then those of supplements.
func (c *codeSystem) nodes(i int32) []r4.Node {
	k := &c.concepts[i]
	return append([]r4.Node{k.node}, c.also[k.code]...)
}

// above lists all ancestors, the nearest first; a cycle ends where it began.
func (c *codeSystem) above(i int32) []int32 {
	return c.walk(i, func(k *concept) []int32 { return k.parents })
}

// below lists all descendants in the order of the system.
func (c *codeSystem) below(i int32) []int32 {
	list := c.walk(i, func(k *concept) []int32 { return k.children })
	slices.Sort(list)
	return list
}

func (c *codeSystem) walk(from int32, next func(*concept) []int32) []int32 {
	near := next(&c.concepts[from])
	if len(near) == 0 {
		return nil
	}
	seen := map[int32]bool{from: true}
	var list []int32
	for queue := slices.Clone(near); len(queue) > 0; queue = queue[1:] {
		if at := queue[0]; !seen[at] {
			seen[at] = true
			list = append(list, at)
			queue = append(queue, next(&c.concepts[at])...)
		}
	}
	return list
}

// isAbove says whether a subsumes b and is not the same.
func (c *codeSystem) isAbove(a, b int32) bool {
	if a == b {
		return false
	}
	if p := c.concepts[b].parents; len(p) == 1 && p[0] == a {
		return true
	}
	return slices.Contains(c.above(b), a)
}

// fold makes the text that the filter of an expansion looks into: code, display and designations.
func (c *codeSystem) fold() []string {
	out := make([]string, len(c.concepts))
	for i := range c.concepts {
		k := &c.concepts[i]
		text := k.code + " " + k.display
		for _, n := range c.nodes(int32(i)) {
			for d := range n.Get("designation").Elems() {
				text += " " + d.Get("value").Text()
			}
		}
		out[i] = " " + fold.Key(text)
	}
	return out
}

// propertyValue is the value[x] of a property.
func propertyValue(p r4.Node) r4.Node {
	for name, v := range p.Members() {
		if strings.HasPrefix(name, "value") {
			return v
		}
	}
	return r4.Node{}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
