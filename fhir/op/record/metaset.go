package record

import (
	"slices"

	"github.com/ytso/ytso/fhir/r4"
)

// sets are the labels of a resource as they shall be, over its Meta as it is.
type sets struct {
	meta     r4.Node
	profiles []profile
	security coded
	tags     coded
	moved    bool // profiles
}

// profile is one with the companion that may stand beside it (_profile).
type profile struct {
	text   string
	beside []byte
}

func setsOf(meta r4.Node) *sets {
	l := labelsOf(meta)
	s := &sets{meta: meta, security: coded{list: l.security}, tags: coded{list: l.tags}}
	for i := range meta.Get("profile").Len() {
		p := profile{text: meta.Get("profile").At(i).Text()}
		if b := meta.Get("_profile").At(i); b.Kind() == r4.Map {
			p.beside = b.Raw()
		}
		s.profiles = append(s.profiles, p)
	}
	return s
}

func (s *sets) addProfile(text string) {
	if !slices.ContainsFunc(s.profiles, func(p profile) bool { return p.text == text }) {
		s.profiles, s.moved = append(s.profiles, profile{text: text}), true
	}
}

func (s *sets) removeProfile(text string) {
	n := len(s.profiles)
	s.profiles = slices.DeleteFunc(s.profiles, func(p profile) bool { return p.text == text })
	s.moved = s.moved || len(s.profiles) != n
}

// coded is a set of Codings.
type coded struct {
	list  []r4.Node
	moved bool
}

func (c *coded) add(given []r4.Node) {
	for _, n := range given {
		if !has(c.list, n) {
			c.list, c.moved = append(c.list, n), true
		}
	}
}

func (c *coded) remove(given []r4.Node) {
	n := len(c.list)
	c.list = slices.DeleteFunc(c.list, func(x r4.Node) bool { return has(given, x) })
	c.moved = c.moved || len(c.list) != n
}

func (c *coded) json() r4.Raw {
	if len(c.list) == 0 {
		return nil
	}
	out := r4.Raw{'['}
	for i, n := range c.list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, n.Raw()...)
	}
	return append(out, ']')
}

func (s *sets) changed() bool { return s.moved || s.security.moved || s.tags.moved }

// put writes the sets into the resource; all else keeps its bytes and its order.
func (s *sets) put(doc *r4.Doc) ([]byte, error) {
	meta := r4.Object{}
	for name, v := range s.meta.Members() {
		switch name {
		case "profile", "_profile", "security", "tag":
		default:
			meta.Add(name, r4.Raw(v.Raw()))
		}
	}
	var profiles []string
	beside, any := r4.Raw{'['}, false
	for i, p := range s.profiles {
		profiles = append(profiles, p.text)
		if i > 0 {
			beside = append(beside, ',')
		}
		if p.beside == nil {
			beside = append(beside, "null"...)
			continue
		}
		any = true
		beside = append(beside, p.beside...)
	}
	meta.Add("profile", profiles)
	if any {
		meta.Add("_profile", append(beside, ']'))
	}
	meta.Add("security", s.security.json())
	meta.Add("tag", s.tags.json())
	return withMember(doc, "meta", meta), nil
}

// withMember puts an object in the place of a member of the root, or behind
// resourceType and id when there is none yet.
func withMember(doc *r4.Doc, name string, o r4.Object) []byte {
	root := doc.Root()
	if n := root.Get(name); n.Exists() {
		from, to := n.Range()
		return apply(doc.Source(), []edit{{from, to, o.JSON()}})
	}
	_, at := root.Get("resourceType").Range()
	if _, to := root.Get("id").Range(); to > at {
		at = to
	}
	text := append(r4.AppendString([]byte(","), name), ':')
	return apply(doc.Source(), []edit{{at, at, append(text, o.JSON()...)}})
}
