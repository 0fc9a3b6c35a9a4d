package record

import (
	"cmp"
	"context"
	"net/url"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// maxLabelled bounds how many resources $meta reads to tell which labels a type
// or the whole server uses. Beyond it the answer is an error: half of the labels
// would look like all.
const maxLabelled = 20_000

// labelsInUse is $meta of a type or of the server: the labels of everything
// that the caller may see. Only resources that have a label are read.
func (o *operations) labelsInUse(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	types := []string{c.Type}
	if c.Type == "" {
		types = slices.DeleteFunc(r4.ResourceTypes(), func(t string) bool { return !c.Access.Filter.May(t, store.CanSearch) })
	}
	u := use{profiles: map[string]bool{}, security: map[[2]string]r4.Node{}, tags: map[[2]string]r4.Node{}}
	for _, t := range types {
		for _, code := range []string{"_profile", "_security", "_tag"} {
			q, err := o.parse(c.Base, t, url.Values{code + ":missing": {"false"}})
			if err != nil {
				return nil, err
			}
			if err := u.read(ctx, c.Reader, phase{t, q}); err != nil {
				return nil, err
			}
		}
	}
	meta := u.meta()
	if len(meta) == 0 { // a Meta can't be empty
		return &rest.Response{Status: 200, Resource: []byte(`{"resourceType":"Parameters"}`)}, nil
	}
	return returned("valueMeta", meta), nil
}

// use gathers labels.
type use struct {
	profiles       map[string]bool
	security, tags map[[2]string]r4.Node
	scanned        int
}

func (u *use) read(ctx context.Context, r store.Reader, p phase) error {
	p.query.Count = stride
	for {
		page, err := r.Search(ctx, p.query)
		if err != nil {
			return err
		}
		if u.scanned += len(page.Matches); u.scanned > maxLabelled {
			return outcome.New(outcome.TooCostly, "record.labels", "Có quá nhiều hồ sơ mang nhãn nên không liệt kê được hết nhãn đang dùng; hãy hỏi từng loại hoặc từng hồ sơ.",
				"Too many records carry labels to list all that are in use; ask by type or for one record.")
		}
		for _, m := range page.Matches {
			doc, err := r4.Parse(m.Body)
			if err != nil {
				return err
			}
			u.add(labelsOf(doc.Root().Get("meta")))
		}
		if p.query.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

func (u *use) add(l labels) {
	for _, p := range l.profiles {
		u.profiles[p] = true
	}
	for _, g := range []struct {
		list []r4.Node
		in   map[[2]string]r4.Node
	}{{l.security, u.security}, {l.tags, u.tags}} {
		for _, n := range g.list {
			key := [2]string{n.Get("system").Text(), n.Get("code").Text()}
			if _, ok := g.in[key]; !ok {
				g.in[key] = n
			}
		}
	}
}

func (u *use) meta() r4.Object {
	var meta r4.Object
	var profiles []string
	for p := range u.profiles {
		profiles = append(profiles, p)
	}
	slices.Sort(profiles)
	if profiles != nil {
		meta.Add("profile", profiles)
	}
	for _, g := range []struct {
		name string
		in   map[[2]string]r4.Node
	}{{"security", u.security}, {"tag", u.tags}} {
		var c coded
		for _, n := range g.in {
			c.list = append(c.list, n)
		}
		slices.SortFunc(c.list, func(a, b r4.Node) int {
			return cmp.Or(cmp.Compare(a.Get("system").Text(), b.Get("system").Text()), cmp.Compare(a.Get("code").Text(), b.Get("code").Text()))
		})
		if c.list != nil {
			meta.Add(g.name, c.json())
		}
	}
	return meta
}
