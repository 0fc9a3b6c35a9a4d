package validate

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

// refs are the entries of a Bundle by what references call them.
type refs struct {
	byURL  map[string][]entryRef
	byName map[string][]entryRef // Type/id
}

// entryRef is one entry of a Bundle.
type entryRef struct {
	index   int
	entry   r4.Node
	version string
}

func (r entryRef) elem(b *scope) (elem, bool) {
	at := &step{&step{b.res.at, "entry", "", r.index}, "resource", "", -1}
	e, ok := resourceElem(r.entry.Get("resource"), at, b)
	if ok {
		e.in.fullURL, e.in.entry = r.entry.Get("fullUrl").Text(), r.entry
	}
	return e, ok
}

func (r entryRef) typ() string { return r.entry.Get("resource").Get("resourceType").Text() }

func (c *check) refsOf(b *scope) *refs {
	if b.refs != nil {
		return b.refs
	}
	out := &refs{map[string][]entryRef{}, map[string][]entryRef{}}
	i := 0
	for e := range b.res.v.Get("entry").Elems() {
		res := e.Get("resource")
		if res.Kind() == r4.Map {
			one := entryRef{i, e, res.Get("meta").Get("versionId").Text()}
			if url := e.Get("fullUrl").Text(); url != "" {
				out.byURL[url] = append(out.byURL[url], one)
			}
			if id := res.Get("id").Text(); id != "" {
				name := res.Get("resourceType").Text() + "/" + id
				out.byName[name] = append(out.byName[name], one)
			}
		}
		i++
	}
	b.refs = out
	return out
}

// find lists the entries that a reference written in a resource names: an
// absolute one by fullUrl; a relative one against the base of the fullUrl of
// its own entry, and by type and id where that has no base (FHIR R4 bundle.html#references).
func (r *refs) find(ref string, from *scope) []entryRef {
	ref, _, _ = strings.Cut(ref, "#")
	plain, version, versioned := strings.Cut(ref, "/_history/")
	url := plain
	if !absolute([]byte(plain)) {
		base, ok := serverBase(from.fullURL)
		if !ok {
			return only(r.beside(plain, from.fullURL), version, versioned)
		}
		url = base + plain
	}
	return only(r.byURL[url], version, versioned)
}

// beside finds Type/id from a resource whose fullUrl is no address on a server:
// beside a urn:uuid: or urn:oid: by the same kind of urn, else by type and id.
func (r *refs) beside(plain, full string) []entryRef {
	for _, urn := range []string{"urn:uuid:", "urn:oid:"} {
		if _, id, ok := strings.Cut(plain, "/"); ok && strings.HasPrefix(full, urn) && len(r.byURL[urn+id]) > 0 {
			return r.byURL[urn+id]
		}
	}
	return r.byName[plain]
}

// only keeps the entries of a version, if one is asked for.
func only(list []entryRef, version string, asked bool) []entryRef {
	if !asked {
		return list
	}
	var out []entryRef
	for _, e := range list {
		if e.version == version {
			out = append(out, e)
		}
	}
	return out
}

// serverBase gives what stands before Type/id in the url of a resource on a server.
func serverBase(full string) (string, bool) {
	if !strings.HasPrefix(full, "http://") && !strings.HasPrefix(full, "https://") {
		return "", false
	}
	t := targetType([]byte(full))
	if len(t) == 0 || !r4.IsResource(string(t)) {
		return "", false
	}
	i := strings.LastIndex(full, "/"+string(t)+"/")
	return full[:i+1], true
}
