package validate

import (
	"bytes"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// direct are the elements of a Composition whose targets the document must
// hold (FHIR R4 documents.html#content); section.entry and section.author stand at every depth.
var direct = map[string]bool{
	"Composition.subject": true, "Composition.encounter": true, "Composition.author": true, "Composition.attester.party": true, "Composition.custodian": true,
	"Composition.event.detail": true, "Composition.section.author": true, "Composition.section.focus": true, "Composition.section.entry": true,
	"MessageHeader.focus": true, // FHIR R4 messageheader-definitions.html#MessageHeader.focus
}

// document: all that the Composition of a document, or the focus of a message,
// refers to directly is in the Bundle, and in a document nothing that it has nothing to do with.
func (c *check) document(e elem) {
	first := e.v.Get("entry").First()
	res, ok := resourceElem(first.Get("resource"), &step{&step{e.at, "entry", "", 0}, "resource", "", -1}, e.in)
	if !ok || res.typ != "Composition" && res.typ != "MessageHeader" {
		return // bdl-11, bdl-12
	}
	res.in.fullURL, res.in.entry = first.Get("fullUrl").Text(), first
	c.referred(res, res, 0)
	if res.typ == "Composition" {
		c.reachable(e)
	}
}

// reachable: every entry of a document is linked with the Composition, forwards
// or backwards, through whatever else is there (FHIR R4 documents.html#content).
func (c *check) reachable(e elem) {
	table := c.refsOf(e.in)
	var entries []elem
	for n := range e.v.Get("entry").Elems() {
		r := entryRef{index: len(entries), entry: n}
		res, ok := r.elem(e.in)
		if !ok {
			res = elem{v: n, at: &step{e.at, "entry", "", len(entries)}, in: e.in}
		}
		entries = append(entries, res)
	}
	beside := make([][]int, len(entries))
	for i, from := range entries {
		if from.shape == nil {
			continue
		}
		mentions(from.v, 0, func(ref string) {
			for _, to := range table.find(ref, from.in) {
				beside[i], beside[to.index] = append(beside[i], to.index), append(beside[to.index], i)
			}
		})
	}
	seen := make([]bool, len(entries))
	for todo := []int{0}; len(todo) > 0; {
		i := todo[len(todo)-1]
		if todo = todo[:len(todo)-1]; !seen[i] {
			seen[i] = true
			todo = append(todo, beside[i]...)
		}
	}
	for i, k := range entries {
		if !seen[i] && k.shape != nil && k.typ != "Binary" {
			c.errorf(elem{v: k.v, at: k.at.up, in: e.in}, outcome.BusinessRule, "document-unlinked", "Mục này của văn bản không liên quan gì tới Composition.", "Nothing links this entry of the document with its Composition.")
		}
	}
}

// mentions gives every text that may be a reference: in references, canonicals and addresses.
func mentions(n r4.Node, depth int, f func(string)) {
	for v := n.First(); v.Exists(); v = v.Next(n) {
		switch v.Kind() {
		case r4.String:
			if raw, escaped := v.Quoted(); !escaped && len(raw) < 500 && bytes.IndexByte(raw, ' ') < 0 && (bytes.IndexByte(raw, '/') > 0 || bytes.HasPrefix(raw, []byte("urn:"))) {
				f(string(raw))
			}
		case r4.Map, r4.Array:
			if depth <= r4.MaxDepth {
				mentions(v, depth+1, f)
			}
		}
	}
}

func (c *check) referred(e, root elem, depth int) {
	if depth > r4.MaxDepth || !c.tick() {
		return
	}
	for _, k := range expand(e, nil) {
		if k.shape == nil || k.shape.Resource {
			continue
		}
		if k.typ != "Reference" {
			c.referred(k, root, depth+1)
			continue
		}
		ref := literal(k)
		if k.slot == nil || !direct[k.slot.Path] || ref == "" || ref[0] == '#' {
			continue
		}
		if len(c.refsOf(root.in.bundle).find(ref, root.in)) == 0 {
			c.errorf(k, outcome.NotFound, "document-reference", "Văn bản (Bundle document) phải chứa tài nguyên mà Composition trỏ tới ở đây.", "The document must hold the resource that its Composition refers to here.")
		}
	}
}
