package validate

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
)

// bundle checks the entries of a Bundle and how they hang together (FHIR R4 bundle.html, documents.html, messaging.html).
func (c *check) bundle(e elem) {
	typ := e.v.Get("type").Text()
	if typ == "searchset" {
		c.searchset(e)
	}
	i := 0
	for n := range e.v.Get("entry").Elems() {
		entry := elem{v: n, typ: "Bundle.entry", shape: r4.ShapeAt("Bundle.entry"), at: &step{e.at, "entry", "", i}, in: e.in}
		i++
		c.fullURL(entry, typ)
		c.request(entry, typ)
	}
	if typ == "document" || typ == "message" {
		c.document(e)
	}
}

// fullURL must name the resource as the resource names itself (FHIR R4 bundle.html#bundle-unique: it shall not disagree with the id).
func (c *check) fullURL(entry elem, typ string) {
	full, res := entry.v.Get("fullUrl").Text(), entry.v.Get("resource")
	if full == "" && res.Kind() == r4.Map {
		c.noURL(entry, typ)
	}
	if _, ok := serverBase(full); !ok || res.Kind() != r4.Map {
		return
	}
	name, id := res.Get("resourceType").Text(), res.Get("id").Text()
	plain, _, _ := strings.Cut(full, "/_history/")
	switch {
	case id == "":
		if entry.v.Get("request").Get("method").Text() != "POST" && typ != "batch" && typ != "transaction" {
			c.errorf(entry, outcome.Value, "full-url-id", "fullUrl là địa chỉ trên máy chủ, nhưng tài nguyên không có id.", "fullUrl is an address on a server, but the resource has no id.")
		}
	case !strings.HasSuffix(plain, "/"+name+"/"+id):
		c.errorf(entry, outcome.Value, "full-url-id", "fullUrl không khớp loại và id của tài nguyên.", "fullUrl disagrees with the type and id of the resource.")
	}
}

// noURL: an entry has a fullUrl, unless it is posted or, as results of
// operations may be, not identified at all (FHIR R4 bundle-definitions.html#Bundle.entry.fullUrl).
func (c *check) noURL(entry elem, typ string) {
	if entry.v.Get("resource").Get("resourceType").Text() == "OperationOutcome" {
		return
	}
	switch typ {
	case "batch", "transaction", "batch-response", "transaction-response":
		return
	}
	if typ == "document" || entry.v.Get("resource").Get("id").Exists() && entry.v.Get("request").Get("method").Text() != "POST" {
		c.errorf(entry, outcome.Required, "full-url-missing", "Mục này của Bundle phải có fullUrl.", "This entry of the Bundle must have a fullUrl.")
	}
}

// request: what is sent to be written names an interaction that can carry it (FHIR R4 http.html#transaction).
func (c *check) request(entry elem, typ string) {
	if typ != "transaction" && typ != "batch" {
		return
	}
	req, res := entry.v.Get("request"), entry.v.Get("resource")
	method := req.Get("method").Text()
	if (method == "POST" || method == "PUT" || method == "PATCH") && !res.Exists() {
		c.errorf(entry, outcome.Required, "entry-resource", "%[1]s phải kèm tài nguyên.", "%[1]s needs a resource.", method)
	}
	if u := req.Get("url").Text(); method == "PUT" && res.Exists() {
		path, query, _ := strings.Cut(u, "?")
		name, id := res.Get("resourceType").Text(), res.Get("id").Text()
		t := string(targetType([]byte(path)))
		if query == "" && t != "" && (t != name || id != "" && !strings.HasSuffix(path, "/"+id)) {
			c.errorf(entry, outcome.Value, "entry-url", "request.url không khớp loại và id của tài nguyên.", "request.url disagrees with the type and id of the resource.")
		}
	}
}

// searchset: what was found has an id and is of the type that was asked for (FHIR R4 search.html#return).
func (c *check) searchset(e elem) {
	asked := searched(e.v)
	i := 0
	for n := range e.v.Get("entry").Elems() {
		res := n.Get("resource")
		at := elem{v: res, at: &step{&step{e.at, "entry", "", i}, "resource", "", -1}, in: e.in}
		i++
		if res.Kind() != r4.Map {
			continue
		}
		name, mode := res.Get("resourceType").Text(), n.Get("search").Get("mode").Text()
		if name != "OperationOutcome" && !res.Get("id").Exists() {
			c.errorf(at, outcome.Required, "search-id", "Kết quả tìm kiếm phải có id.", "What a search found must have an id.")
		}
		if mode == "include" || mode == "outcome" || name == "OperationOutcome" || len(asked) == 0 || slices.Contains(asked, name) || mode == "" && len(asked) > 0 && c.included(e.v) {
			continue
		}
		c.errorf(at, outcome.Value, "search-type", "Loại tài nguyên không phải loại được tìm: %[1]s.", "The resource is not of the type searched for: %[1]s.", strings.Join(asked, ", "))
	}
}

// included says whether the search asked for more than its own type.
func (c *check) included(n r4.Node) bool {
	self := selfLink(n)
	return strings.Contains(self, "_include") || strings.Contains(self, "_revinclude")
}

func selfLink(n r4.Node) string {
	for l := range n.Get("link").Elems() {
		if l.Get("relation").Text() == "self" {
			return l.Get("url").Text()
		}
	}
	return ""
}

// searched reads from the self link which types were searched for; none when it doesn't tell.
func searched(n r4.Node) []string {
	u, err := url.Parse(selfLink(n))
	if err != nil || u.Path == "" || u.RawQuery == "" {
		return nil
	}
	if types := u.Query().Get("_type"); types != "" {
		return strings.Split(types, ",")
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/_search")
	name := path[strings.LastIndexByte(path, '/')+1:]
	if !r4.IsResource(name) {
		return nil
	}
	return []string{name}
}
