package record

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// maxRead bounds what is read of one kind for a summary, the newest first: it is
// a choice of what is recent, and what is older than so many others is not.
const maxRead = 2000

// maxShown bounds the rows of one section.
const maxShown = 100

// read gives the resources of a type about the person, the newest first; none
// when the caller may not search the type.
func (s *summary) read(typ string, more url.Values) (list []*r4.Doc, err error) {
	if !s.filter.May(typ, store.CanSearch) {
		return nil, nil
	}
	v := url.Values{"patient": {"Patient/" + s.person.id}}
	for k, x := range more {
		v[k] = x
	}
	q, err := s.parse(s.base, typ, v)
	if err != nil {
		return nil, err
	}
	q.Count = stride
	for len(list) < maxRead {
		page, err := s.reader.Search(s.ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Matches {
			doc, err := r4.Parse(r.Body)
			if err != nil {
				return nil, err
			}
			list = append(list, doc)
		}
		if q.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b *r4.Doc) int { return cmp.Compare(dayOf(b), dayOf(a)) })
	return list, nil
}

// dayOf is the clinical date in milliseconds, 0 when there is none.
func dayOf(d *r4.Doc) int64 {
	ms, _ := param.ClinicalDate(d)
	return ms
}

// since says whether a resource has its clinical date after some time before now; one without a date has not.
func (s *summary) since(d *r4.Doc, years, days int) bool {
	ms, ok := param.ClinicalDate(d)
	return ok && !time.UnixMilli(ms).Before(s.now.AddDate(-years, 0, -days))
}

// is says whether a concept, or one of several, has one of some codes of any system.
func is(concept r4.Node, codes ...string) bool {
	for c := range concept.Elems() {
		for coding := range c.Get("coding").Elems() {
			if slices.Contains(codes, coding.Get("code").Text()) {
				return true
			}
		}
	}
	return false
}

// isOf is the same for codes of a system.
func isOf(concept r4.Node, system string, codes ...string) bool {
	for c := range concept.Elems() {
		for coding := range c.Get("coding").Elems() {
			if coding.Get("system").Text() == system && slices.Contains(codes, coding.Get("code").Text()) {
				return true
			}
		}
	}
	return false
}

// filled says whether a concept tells anything.
func filled(concept r4.Node) bool {
	return concept.Get("text").Text() != "" || slices.ContainsFunc(slices.Collect(concept.Get("coding").Elems()), func(c r4.Node) bool {
		return c.Get("code").Text() != "" || c.Get("display").Text() != ""
	})
}

// once leaves the first of those that share a code, or the text of what has no code.
func once(list []*r4.Doc, concept func(r4.Node) r4.Node) []*r4.Doc {
	met := map[string]bool{}
	return slices.DeleteFunc(list, func(d *r4.Doc) bool {
		again := false
		for _, key := range keysOf(concept(d.Root())) {
			again = again || met[key]
			met[key] = true
		}
		return again
	})
}

// keysOf are codesOf with the text folded; nothing of a concept that is blank.
func keysOf(concept r4.Node) []string {
	list := codesOf(concept)
	if text, ok := strings.CutPrefix(list[0], "\x00"); ok {
		if text == "" {
			return nil
		}
		list[0] = "\x00" + fold.Key(text)
	}
	return list
}

func named(name string) func(r4.Node) r4.Node {
	return func(n r4.Node) r4.Node { return n.Get(name) }
}

// keep leaves those for which a condition holds, at most so many.
func keep(list []*r4.Doc, most int, ok func(r4.Node) bool) (out []*r4.Doc) {
	for _, d := range list {
		if len(out) < most && ok(d.Root()) {
			out = append(out, d)
		}
	}
	return out
}
