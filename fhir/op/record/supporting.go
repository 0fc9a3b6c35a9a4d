package record

import (
	"slices"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// supports are the types that come along when something in the summary refers
// to them, and the member that their profile in the IPS demands: without it the
// reference leads to this server instead.
var supports = map[string]string{
	"Practitioner": "name", "PractitionerRole": "", "Organization": "name", "Medication": "code", "Device": "", "Specimen": "type",
}

// lookUp reads a resource once; nil when it is not there for the caller.
func (s *summary) lookUp(k store.Key) (*r4.Doc, error) {
	if d, ok := s.docs[k]; ok {
		return d, nil
	}
	r, err := s.reader.Read(s.ctx, k)
	if unseen(err) {
		s.docs[k] = nil
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := r4.Parse(r.Body)
	s.docs[k] = d
	return d, err
}

// referred gives what a reference of a resource names: something contained, or
// what lookUp can read. Failures show later, when the reference is followed.
func (s *summary) referred(n, ref r4.Node) r4.Node {
	text := ref.Get("reference").Text()
	if len(text) > 1 && text[0] == '#' {
		for c := range n.Root().Get("contained").Elems() {
			if c.Get("id").Text() == text[1:] {
				return c
			}
		}
	}
	t, ok := aim(s.base, text)
	if !ok || t.Version > 0 {
		return r4.Node{}
	}
	d, err := s.lookUp(t.Key)
	if err != nil {
		return r4.Node{}
	}
	return d.Root()
}

// support adds what the resources so far refer to, and what these refer to.
func (s *summary) support() error {
	for i := 0; i < len(s.entries); i++ {
		for n := range references(s.entries[i].doc.Root()) {
			t, ok := aim(s.base, n.Text())
			needs, known := supports[t.Type]
			if !ok || !known || t.Version > 0 || s.urls[t.Key] != "" {
				continue
			}
			d, err := s.lookUp(t.Key)
			if err != nil {
				return err
			}
			if d == nil || needs != "" && !d.Root().Get(needs).Exists() {
				continue
			}
			if ok, err := aboutOnly(d, s.person.ids); err != nil {
				return err
			} else if ok {
				s.enter(t.Key, d, nil)
			}
		}
	}
	return nil
}

// enter gives a resource its place in the Bundle, once.
func (s *summary) enter(k store.Key, d *r4.Doc, about *section) *item {
	it := &item{k, d, about}
	if s.urls[k] == "" {
		s.urls[k] = s.urn(k.String())
		s.entries = append(s.entries, it)
	}
	return it
}

// confidentiality is the highest label of what is told (v3-Confidentiality), "" without any.
func confidentiality(list []*item) string {
	order := []string{"U", "L", "M", "N", "R", "V"}
	best := -1
	for _, it := range list {
		for l := range it.doc.Root().Get("meta").Get("security").Elems() {
			if l.Get("system").Text() == hl7+"v3-Confidentiality" {
				best = max(best, slices.Index(order, l.Get("code").Text()))
			}
		}
	}
	if best < 0 {
		return ""
	}
	return order[best]
}
