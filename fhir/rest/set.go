package rest

import (
	"net/url"
	"time"

	"github.com/ytso/ytso/fhir/r4"
)

// fhirInstant is how instants are written (FHIR R4 datatypes.html#instant).
const fhirInstant = "2006-01-02T15:04:05.000Z"

// Bundle is a Bundle that the server answers with (FHIR R4 bundle.html).
type Bundle struct {
	ID      string // "": a random one
	Type    string // "searchset", "history", "batch-response", "transaction-response", "document", "collection"
	Total   int    // -1: not said; only of searchset and history
	Now     time.Time
	Links   []Link
	Entries []Entry
	// Identifier of a document, as JSON.
	Identifier []byte
}

// Link is one link of a Bundle.
type Link struct{ Relation, URL string }

// Entry is one entry; Resource is JSON.
type Entry struct {
	FullURL  string
	Resource []byte
	Mode     string // search.mode: "match", "include", "outcome"
	Score    string // search.score as a decimal, "" for none
	Extra    []byte // search.extension as a JSON array
	Request  r4.Object
	Response r4.Object
}

// JSON renders the Bundle.
func (b Bundle) JSON() []byte {
	size := 256
	for i := range b.Entries {
		size += len(b.Entries[i].Resource) + 200
	}
	id := b.ID
	if id == "" {
		id = newID()
	}
	o := r4.Object{{Name: "resourceType", Value: "Bundle"}, {Name: "id", Value: id}}
	now := b.Now.UTC().Format(fhirInstant)
	o.Add("meta", r4.Object{{Name: "lastUpdated", Value: now}})
	o.Add("identifier", r4.Raw(b.Identifier))
	o.Add("type", b.Type)
	o.Add("timestamp", now)
	if b.Total >= 0 && (b.Type == "searchset" || b.Type == "history") {
		o.Add("total", b.Total)
	}
	links := make([]r4.Object, len(b.Links))
	for i, l := range b.Links {
		links[i] = r4.Object{{Name: "relation", Value: l.Relation}, {Name: "url", Value: l.URL}}
	}
	o.Add("link", links)
	entries := make([]r4.Object, len(b.Entries))
	for i := range b.Entries {
		entries[i] = b.Entries[i].object()
	}
	o.Add("entry", entries)
	return o.AppendJSON(make([]byte, 0, size))
}

func (e *Entry) object() r4.Object {
	search := r4.Object{{Name: "extension", Value: r4.Raw(e.Extra)}, {Name: "mode", Value: e.Mode}}
	if e.Score != "" {
		search.Add("score", r4.Raw(e.Score))
	}
	return r4.Object{
		{Name: "fullUrl", Value: e.FullURL}, {Name: "resource", Value: r4.Raw(e.Resource)}, {Name: "search", Value: search},
		{Name: "request", Value: e.Request}, {Name: "response", Value: e.Response},
	}
}

// pageLinks are self, first and next of a page; values are what was really asked for.
func pageLinks(q *Request, values url.Values, next string) []Link {
	values = cloneValues(values)
	at := func() string {
		u := q.Base
		for _, p := range q.Path {
			if p != "_search" {
				u += "/" + url.PathEscape(p)
			}
		}
		if len(q.Path) == 0 {
			u += "/"
		}
		if len(values) == 0 {
			return u
		}
		return u + "?" + values.Encode()
	}
	links := []Link{{"self", at()}}
	if values.Get("_cursor") != "" {
		values.Del("_cursor")
		links = append(links, Link{"first", at()})
	}
	if next != "" {
		values.Set("_cursor", next)
		links = append(links, Link{"next", at()})
	}
	return links
}
