package view

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// maxMembers bounds the patients of one run.
const maxMembers = 10_000

// definition finds the ViewDefinition: the one of the address, viewResource or viewReference.
func (o *operations) definition(ctx context.Context, c *rest.Call) (r4.Node, error) {
	resource, reference := c.In.Resource("viewResource"), referenceIn(c, "viewReference")
	given := 0
	for _, is := range []bool{c.ID != "", resource.Exists(), reference != ""} {
		if is {
			given++
		}
	}
	switch {
	case given != 1 || len(c.In.All("viewResource")) > 1:
		return r4.Node{}, bad("viewResource", "cần đúng một view: viewResource, viewReference hoặc mã trong địa chỉ", "exactly one view is wanted: viewResource, viewReference or an id in the address")
	case resource.Exists():
		return resource, nil
	case c.ID != "":
		return library(ctx, c.Reader, c.ID)
	}
	return o.referred(ctx, c, reference)
}

// referenceIn reads a parameter that is a Reference, or its text.
func referenceIn(c *rest.Call, name string) string {
	if v := c.In.Value(name); v.Kind() == r4.Map {
		return v.Get("reference").Text()
	}
	return c.In.Text(name)
}

func (o *operations) referred(ctx context.Context, c *rest.Call, reference string) (r4.Node, error) {
	local := strings.TrimPrefix(reference, c.Base+"/")
	if typ, id, ok := strings.Cut(local, "/"); ok && (typ == "ViewDefinition" || typ == "Library") && !strings.Contains(id, "/") {
		return library(ctx, c.Reader, id)
	}
	if !strings.Contains(reference, ":") {
		return r4.Node{}, bad("viewReference", "phải là ViewDefinition/…, Library/… hoặc một URL", "must be ViewDefinition/…, Library/… or a URL")
	}
	q, err := o.Params().Parse("Library", url.Values{"url": {strings.ReplaceAll(reference, ",", `\,`)}, "_count": {"2"}}, param.Options{})
	if err != nil {
		return r4.Node{}, err
	}
	page, err := c.Reader.Search(ctx, q)
	if err != nil {
		return r4.Node{}, err
	}
	if len(page.Matches) != 1 {
		return r4.Node{}, errNoView
	}
	return content(page.Matches[0])
}

var errNoView = outcome.New(outcome.NotFound, "view.not-found", "Không có view này.", "There is no such view.")

func library(ctx context.Context, r store.Reader, id string) (r4.Node, error) {
	res, err := r.Read(ctx, store.Key{Type: "Library", ID: id})
	if err != nil {
		return r4.Node{}, err
	}
	return content(res)
}

// content takes the ViewDefinition out of a Library.
func content(res *store.Resource) (r4.Node, error) {
	lib, err := r4.Parse(res.Body)
	if err != nil {
		return r4.Node{}, err
	}
	for a := range lib.Root().Get("content").Elems() {
		media, _, _ := strings.Cut(a.Get("contentType").Text(), ";")
		if media != MediaType {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(a.Get("data").Text()), ""))
		if err != nil {
			return r4.Node{}, outcome.New(outcome.Invalid, "view.library", "Nội dung của Library không phải base64.", "The content of the Library is no base64.").At("Library.content.data")
		}
		d, err := r4.Parse(text)
		if err != nil {
			return r4.Node{}, err
		}
		return d.Root(), nil
	}
	return r4.Node{}, errNoView
}

// patients are the ids that patient and group name, nil without either. Both
// given, only those that stand in both.
func patients(ctx context.Context, c *rest.Call) ([]string, error) {
	var list []string
	for _, ref := range references(c, "patient") {
		id, ok := strings.CutPrefix(strings.TrimPrefix(ref, c.Base+"/"), "Patient/")
		if !ok || id == "" || strings.Contains(id, "/") {
			return nil, bad("patient", "phải có dạng Patient/…", "must be Patient/…")
		}
		list = append(list, id)
	}
	groups := references(c, "group")
	if len(groups) == 0 {
		return list, nil
	}
	members := []string{}
	for _, ref := range groups {
		id, ok := strings.CutPrefix(strings.TrimPrefix(ref, c.Base+"/"), "Group/")
		if !ok {
			return nil, bad("group", "phải có dạng Group/…", "must be Group/…")
		}
		more, err := membersOf(ctx, c.Reader, id)
		if err != nil {
			return nil, err
		}
		members = append(members, more...)
	}
	slices.Sort(members)
	members = slices.Compact(members)
	if list != nil {
		members = slices.DeleteFunc(members, func(id string) bool { return !slices.Contains(list, id) })
	}
	if len(members) > maxMembers {
		return nil, outcome.New(outcome.TooCostly, "view.many-members", "Quá nhiều người bệnh trong một lần chạy. Hãy chia nhóm.", "Too many patients for one run. Split the group.").At("group")
	}
	return members, nil
}

func references(c *rest.Call, name string) (list []string) {
	for _, p := range c.In.All(name) {
		for member, v := range p.Members() {
			if v.Kind() == r4.Map && strings.HasPrefix(member, "value") {
				list = append(list, v.Get("reference").Text())
			} else if strings.HasPrefix(member, "value") {
				list = append(list, v.Text())
			}
		}
	}
	return append(list, c.Query[name]...)
}

// membersOf lists the patients of a Group that names them.
func membersOf(ctx context.Context, r store.Reader, id string) ([]string, error) {
	res, err := r.Read(ctx, store.Key{Type: "Group", ID: id})
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return nil, err
	}
	group := doc.Root()
	list := []string{}
	for m := range group.Get("member").Elems() {
		if m.Get("inactive").Bool() {
			continue
		}
		id, ok := strings.CutPrefix(m.Get("entity").Get("reference").Text(), "Patient/")
		if !ok || strings.Contains(id, "/") {
			return nil, errGroup
		}
		list = append(list, id)
	}
	if !group.Get("actual").Bool() {
		return nil, errGroup
	}
	return list, nil
}

var errGroup = outcome.New(outcome.NotSupported, "view.group",
	"Chỉ chạy được trên nhóm liệt kê rõ từng người bệnh (actual = true, member.entity là Patient).",
	"Only a group that names its patients can be used (actual = true, member.entity is a Patient).").At("group")
