package record

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// maxObservations bounds how many Observations $lastn groups: beyond it the
// answer is an error, since a newer one might be among those not looked at.
const maxObservations = 20_000

// lastn is Observation/$lastn. It takes the search parameters of Observation,
// of which patient or subject, and category or one with a code in it, are needed.
func (o *operations) lastn(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	most, err := whole(c.In, "max")
	if err != nil {
		return nil, err
	}
	most = max(most, 1)
	asked := c.In.Values()
	if err := lastnNeeds(asked); err != nil {
		return nil, err
	}
	given := url.Values{}
	for k, v := range asked {
		switch name, _, _ := strings.Cut(k, ":"); name {
		case "max", "_format", "_pretty":
		case "_sort", "_count", "_cursor", "_include", "_revinclude", "_total", "_summary", "_elements":
			return nil, bad(k, "không dùng được với $lastn", "is not for $lastn")
		default:
			given[k] = v
		}
	}
	q, err := o.parse(c.Base, "Observation", given)
	if err != nil {
		return nil, err
	}
	list, err := observations(ctx, c.Reader, q)
	if err != nil {
		return nil, err
	}
	out := newSearchset(c.Base)
	out.link("self", "Observation/$lastn", asked)
	picked := latest(list, most)
	out.total = len(picked)
	for _, ob := range picked {
		out.add(ob.resource, "match")
	}
	return out.response(), nil
}

// lastnNeeds checks that the parameters are there which the operation needs.
func lastnNeeds(asked url.Values) error {
	named := func(list ...string) bool {
		for k := range asked {
			name, _, _ := strings.Cut(k, ":")
			name, _, _ = strings.Cut(name, ".")
			if slices.Contains(list, name) {
				return true
			}
		}
		return false
	}
	if !named("patient", "subject") {
		return outcome.New(outcome.Required, "record.lastn-subject", "Hãy ghi patient hoặc subject.", "Name the patient or the subject.").At(parameterAt("patient"))
	}
	codes := []string{"category"}
	for _, p := range r4.SearchParameters("Observation") {
		if strings.Contains(p.Expression, "code") && (p.Type == "token" || p.Type == "composite") || strings.Contains(p.Code, "code") {
			codes = append(codes, p.Code)
		}
	}
	if !named(codes...) {
		return outcome.New(outcome.Required, "record.lastn-code", "Hãy ghi category hoặc code.", "Name a category or a code.").At(parameterAt("category"))
	}
	return nil
}

// observation is one with its time and the codes that it goes by.
type observation struct {
	resource *store.Resource
	doc      *r4.Doc
	at       int64 // of its effective time, else of its issue, UTC milliseconds
	dated    bool
	codes    []string
}

func observations(ctx context.Context, r store.Reader, q param.Query) (list []*observation, err error) {
	q.Count = stride
	for {
		page, err := r.Search(ctx, q)
		if err != nil {
			return nil, err
		}
		if len(list)+len(page.Matches) > maxObservations {
			return nil, outcome.New(outcome.TooCostly, "record.lastn", "Có quá nhiều kết quả để chọn; hãy thu hẹp bằng category, code hoặc date.",
				"There are too many observations to choose from; narrow them by category, code or date.")
		}
		for _, m := range page.Matches {
			ob, err := observationOf(m)
			if err != nil {
				return nil, err
			}
			list = append(list, ob)
		}
		if q.Cursor = page.Next; page.Next == "" {
			return list, nil
		}
	}
}

func observationOf(r *store.Resource) (*observation, error) {
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, err
	}
	ob := observed(doc)
	ob.resource = r
	return ob, nil
}

func observed(doc *r4.Doc) *observation {
	ob := &observation{doc: doc, codes: codesOf(doc.Root().Get("code"))}
	ob.at, ob.dated = param.ClinicalDate(doc)
	return ob
}

// codesOf are the keys of a concept: each coding, or the text of one that has none.
func codesOf(concept r4.Node) (list []string) {
	for c := range concept.Get("coding").Elems() {
		if code := c.Get("code").Text(); code != "" {
			list = append(list, c.Get("system").Text()+"|"+code)
		}
	}
	if list == nil {
		list = append(list, "\x00"+concept.Get("text").Text())
	}
	return list
}

// latest gives the newest of each group of codes, at most so many but for ties,
// all from the newest to the oldest. Codes that stand together on one
// Observation are one group.
func latest(list []*observation, most int) []*observation {
	groups := grouping{}
	for _, ob := range list {
		for _, code := range ob.codes[1:] {
			groups.join(ob.codes[0], code)
		}
	}
	slices.SortStableFunc(list, newestFirst)
	type seen struct {
		n    int
		last *observation
	}
	met := map[string]*seen{}
	var out []*observation
	for _, ob := range list {
		g := groups.of(ob.codes[0])
		s := met[g]
		if s == nil {
			s = &seen{}
			met[g] = s
		}
		if s.n >= most && newestFirst(s.last, ob) != 0 {
			continue
		}
		s.n, s.last = s.n+1, ob
		out = append(out, ob)
	}
	return out
}

// newestFirst orders by time; what tells none is the oldest.
func newestFirst(a, b *observation) int {
	switch {
	case a.dated && b.dated:
		return cmp.Compare(b.at, a.at)
	case a.dated:
		return -1
	case b.dated:
		return 1
	}
	return 0
}

// grouping joins codes into groups (union-find): code → another of its group.
type grouping map[string]string

func (g grouping) of(code string) string {
	for {
		up, ok := g[code]
		if !ok || up == code {
			return code
		}
		if top, ok := g[up]; ok {
			g[code] = top // a shorter way next time
		}
		code = up
	}
}

func (g grouping) join(a, b string) {
	if a, b = g.of(a), g.of(b); a != b {
		g[b] = a
	}
}
