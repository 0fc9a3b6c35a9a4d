package rest

import (
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// view is what of a resource is shown (FHIR R4 search.html#summary, #elements).
type view struct {
	summary  string // "true", "text", "data", "false", "count", ""
	elements []string
}

func viewOf(q map[string][]string) (v view, err error) {
	if list := q["_summary"]; len(list) > 0 {
		v.summary = list[0]
		if !slices.Contains([]string{"true", "false", "text", "data", "count"}, v.summary) {
			return v, badValue("_summary", "chỉ nhận true, text, data, count, false", "takes true, text, data, count or false")
		}
	}
	for _, list := range q["_elements"] {
		v.elements = append(v.elements, strings.Split(list, ",")...)
	}
	if len(v.elements) > 0 && v.summary != "" && v.summary != "false" {
		return v, fail(outcome.Invalid, "both", "_summary và _elements không dùng cùng lúc.", "_summary and _elements can't be used together.")
	}
	return v, nil
}

// whole says that everything is shown.
func (v view) whole() bool {
	return len(v.elements) == 0 && (v.summary == "" || v.summary == "false" || v.summary == "count")
}

// apply leaves out what is not shown, and says so with the tag SUBSETTED.
func (v view) apply(body []byte) ([]byte, error) {
	if v.whole() {
		return body, nil
	}
	doc, err := r4.Parse(body)
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	shape := r4.ResourceShape([]byte(doc.Type()))
	if shape == nil {
		return body, nil
	}
	c := cutter{view: v, out: make([]byte, 0, len(body)+160)}
	c.resource(root, shape)
	return c.out, nil
}

// cutter writes a resource without what is not shown.
type cutter struct {
	view
	out []byte
}

const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED","display":"Resource encoded in summary mode"}`

func (c *cutter) resource(n r4.Node, s *r4.Shape) {
	c.out = append(c.out, '{')
	c.out = append(c.out, `"resourceType":`...)
	c.out = append(c.out, n.Get("resourceType").Raw()...)
	if id := n.Get("id"); id.Exists() {
		c.out = append(append(c.out, `,"id":`...), id.Raw()...)
	}
	c.out = append(c.out, `,"meta":`...)
	c.meta(n.Get("meta"))
	for v := n.First(); v.Exists(); v = v.Next(n) {
		switch string(v.Name()) {
		case "resourceType", "id", "meta":
			continue
		}
		c.member(v, s, true)
	}
	c.out = append(c.out, '}')
}

// meta adds the tag.
func (c *cutter) meta(n r4.Node) {
	c.out = append(c.out, '{')
	for v := n.First(); v.Exists(); v = v.Next(n) {
		if string(v.Name()) == "tag" {
			continue
		}
		c.comma()
		c.raw(v)
	}
	c.comma()
	c.out = append(c.out, `"tag":[`...)
	tags := n.Get("tag")
	for t := tags.First(); t.Exists(); t = t.Next(tags) {
		if t.Get("code").Text() == "SUBSETTED" {
			continue
		}
		c.out = append(append(c.out, t.Raw()...), ',')
	}
	c.out = append(append(c.out, subsetted...), "]}"...)
}

func (c *cutter) comma() {
	if last := c.out[len(c.out)-1]; last != '{' && last != '[' {
		c.out = append(c.out, ',')
	}
}

func (c *cutter) raw(v r4.Node) {
	c.name(v)
	c.out = append(c.out, v.Raw()...)
}

func (c *cutter) name(v r4.Node) {
	c.out = append(c.out, '"')
	c.out = append(c.out, v.Name()...)
	c.out = append(c.out, '"', ':')
}

// member writes a member when it is shown.
func (c *cutter) member(v r4.Node, s *r4.Shape, top bool) {
	name := v.Name()
	beside := name[0] == '_'
	if beside {
		name = name[1:]
	}
	m := s.Member(name)
	if m == nil {
		return
	}
	slot := &s.Slots[m.Slot]
	if top && !c.shows(slot) {
		return
	}
	if !top && !slot.Summary && slot.Min == 0 && !slot.Modifier {
		return
	}
	c.comma()
	shape := m.Shape()
	if c.summary != "true" || beside || shape == nil {
		c.raw(v)
		return
	}
	c.name(v)
	c.value(v, shape)
}

func (c *cutter) value(v r4.Node, s *r4.Shape) {
	if v.Kind() != r4.Array {
		c.object(v, s)
		return
	}
	c.out = append(c.out, '[')
	for x := v.First(); x.Exists(); x = x.Next(v) {
		c.comma()
		c.object(x, s)
	}
	c.out = append(c.out, ']')
}

func (c *cutter) object(v r4.Node, s *r4.Shape) {
	if v.Kind() != r4.Map {
		c.out = append(c.out, v.Raw()...)
		return
	}
	start := len(c.out)
	c.out = append(c.out, '{')
	for x := v.First(); x.Exists(); x = x.Next(v) {
		c.member(x, s, false)
	}
	if len(c.out) == start+1 { // nothing of it is of the summary: an empty object would be no FHIR
		c.out = append(c.out[:start], v.Raw()...)
		return
	}
	c.out = append(c.out, '}')
}

// shows says whether an element of the resource itself is shown; mandatory ones are always.
func (c *cutter) shows(slot *r4.Slot) bool {
	if slot.Min > 0 {
		return true
	}
	switch {
	case len(c.elements) > 0:
		return slices.ContainsFunc(c.elements, func(e string) bool {
			e = strings.TrimSpace(e)
			return e == slot.Name || e == slot.Path || strings.HasPrefix(e, slot.Name+".")
		}) || slot.Modifier // without it the rest could be misread; who asked for less may leave it out
	case c.summary == "text":
		return slot.Name == "text"
	case c.summary == "data":
		return slot.Name != "text"
	}
	return slot.Summary
}
