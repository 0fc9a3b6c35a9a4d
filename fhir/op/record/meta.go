package record

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// labels are the three sets of a Meta that these operations are about. The
// identity of a tag or security label is system and code, of a profile its text
// (FHIR R4 resource-operation-meta-add.html).
type labels struct {
	profiles       []string
	security, tags []r4.Node
}

func labelsOf(meta r4.Node) (l labels) {
	for p := range meta.Get("profile").Elems() {
		if p.Kind() == r4.String {
			l.profiles = append(l.profiles, p.Text())
		}
	}
	l.security = slices.Collect(meta.Get("security").Elems())
	l.tags = slices.Collect(meta.Get("tag").Elems())
	return l
}

func same(a, b r4.Node) bool {
	return a.Get("system").Text() == b.Get("system").Text() && a.Get("code").Text() == b.Get("code").Text()
}

func has(list []r4.Node, n r4.Node) bool {
	return slices.ContainsFunc(list, func(x r4.Node) bool { return same(x, n) })
}

// meta is $meta: the labels of a resource as reading it shows them, or all that
// are in use (labelsInUse).
func (o *operations) meta(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In); err != nil {
		return nil, err
	}
	if c.ID == "" {
		return o.labelsInUse(ctx, c)
	}
	r, err := c.Reader.Read(ctx, store.Key{Type: c.Type, ID: c.ID})
	if err != nil {
		return nil, err
	}
	return metaOf(r)
}

// metaOf answers with the Meta of a resource.
func metaOf(r *store.Resource) (*rest.Response, error) {
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, err
	}
	return returned("valueMeta", r4.Raw(doc.Root().Get("meta").Raw())), nil
}

func returned(name string, value any) *rest.Response {
	o := r4.Object{{Name: "resourceType", Value: "Parameters"}, {Name: "parameter", Value: []r4.Object{{
		{Name: "name", Value: "return"}, {Name: name, Value: value},
	}}}}
	return &rest.Response{Status: http.StatusOK, Resource: o.JSON()}
}

// metaAdd is $meta-add: labels that are not there are added; when none is
// missing nothing is written and the version stays.
func (o *operations) metaAdd(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	return o.relabel(ctx, c, func(now *sets, given labels) {
		for _, p := range given.profiles {
			now.addProfile(p)
		}
		now.security.add(given.security)
		now.tags.add(given.tags)
	})
}

// metaDelete is $meta-delete: the labels that are named are taken away, security
// labels too and only these; what is not there is no error.
func (o *operations) metaDelete(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	return o.relabel(ctx, c, func(now *sets, given labels) {
		for _, p := range given.profiles {
			now.removeProfile(p)
		}
		now.security.remove(given.security)
		now.tags.remove(given.tags)
	})
}

// relabel reads the resource, changes its labels and writes it, if they did change.
func (o *operations) relabel(ctx context.Context, c *rest.Call, change func(*sets, labels)) (*rest.Response, error) {
	given, err := givenMeta(c)
	if err != nil {
		return nil, err
	}
	r, err := c.Tx.Read(ctx, store.Key{Type: c.Type, ID: c.ID})
	if err != nil {
		return nil, err
	}
	if err := current(c.Header, r.Version); err != nil {
		return nil, err
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, err
	}
	now := setsOf(doc.Root().Get("meta"))
	if change(now, given); !now.changed() {
		return metaOf(r)
	}
	body, err := now.put(doc)
	if err != nil {
		return nil, err
	}
	prepared, err := o.Store.Prepare(store.Draft{Key: r.Key, Body: body, Owner: r.Owner, IfMatch: r.Version})
	if err != nil {
		return nil, err
	}
	if r, err = c.Tx.Put(ctx, prepared); err != nil {
		return nil, err
	}
	c.Wrote(r.Key)
	resp, err := metaOf(r)
	if err != nil {
		return nil, err
	}
	resp.Key, resp.Version, resp.LastModified = r.Key, r.Version, r.Updated
	return resp, nil
}

// current checks If-Match, when it was given (FHIR R4 http.html#concurrency).
func current(h http.Header, version int) error {
	text := h.Get("If-Match")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(text, `W/"`), `"`))
	if err != nil {
		return outcome.New(outcome.Invalid, "record.if-match", `Tiêu đề If-Match phải có dạng W/"số phiên bản".`, `The header If-Match must be W/"version".`)
	}
	if n != version {
		return outcome.New(outcome.Stale, "record.stale", "Hồ sơ đã được người khác sửa. Hãy tải lại rồi sửa tiếp.", "Somebody else has changed the record. Reload it and try again.")
	}
	return nil
}

// givenMeta is the parameter meta. Its other members (versionId, source …) are
// not what these operations are about.
func givenMeta(c *rest.Call) (l labels, err error) {
	if err := onlyThese(c.In); err != nil {
		return l, err
	}
	all := c.In.All("meta")
	meta := c.In.Value("meta")
	if len(all) != 1 || meta.Kind() != r4.Map {
		return l, outcome.New(outcome.Required, "record.meta", "Cần đúng một tham số meta kiểu Meta (valueMeta).",
			"Exactly one parameter meta of type Meta (valueMeta) is needed.").At(parameterAt("meta"))
	}
	l = labelsOf(meta)
	for _, g := range []struct {
		name string
		list []r4.Node
	}{{"security", l.security}, {"tag", l.tags}} {
		for i, n := range g.list {
			if n.Get("system").Text() == "" && n.Get("code").Text() == "" {
				return l, outcome.New(outcome.Value, "record.meta-label", "Nhãn phải có system hoặc code.", "A label needs a system or a code.").
					At(fmt.Sprintf("%s.value.%s[%d]", parameterAt("meta"), g.name, i))
			}
		}
	}
	return l, nil
}
