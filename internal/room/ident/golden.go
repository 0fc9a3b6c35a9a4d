package ident

import (
	"context"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// The tags of golden Patients. One that was merged away is counted no more.
const (
	TagSystem   = "urn:ytso:tag"
	TagGolden   = "golden"
	TagReplaced = "golden-replaced"
)

// shown are the members that a golden record takes from its sources: each
// group from the source told last that has any of it.
var shown = [][]string{
	{"extension"}, {"name"}, {"telecom"}, {"gender", "_gender"}, {"birthDate", "_birthDate"},
	{"deceasedBoolean", "deceasedDateTime", "_deceasedDateTime"}, {"address"},
}

// refresh writes the golden record of a person from what the links and the
// sources say. One that was merged away names who took its place.
func (m *Matcher) refresh(ctx context.Context, tx store.Tx, person string) error {
	next, err := goneTo(ctx, tx, person)
	if err != nil {
		return err
	}
	var body r4.Object
	if next != "" {
		body = begin(person, TagReplaced, false)
		body.Add("link", []r4.Object{linkTo(next, "replaced-by")})
	} else if body, err = standing(ctx, tx, person); err != nil {
		return err
	}
	prepared, err := m.Store.Prepare(store.Draft{Key: store.Key{Type: "Patient", ID: person}, Body: body.JSON()})
	if err != nil {
		return err
	}
	_, err = tx.Put(ctx, prepared)
	return err
}

func begin(person, tag string, active bool) r4.Object {
	return r4.Object{
		{Name: "resourceType", Value: "Patient"},
		{Name: "id", Value: person},
		{Name: "meta", Value: r4.Object{
			{Name: "tag", Value: []r4.Object{{{Name: "system", Value: TagSystem}, {Name: "code", Value: tag}}}},
		}},
		{Name: "active", Value: active},
	}
}

func linkTo(patient, typ string) r4.Object {
	return r4.Object{{Name: "other", Value: r4.Object{{Name: "reference", Value: "Patient/" + patient}}}, {Name: "type", Value: typ}}
}

// standing is the golden record of a person that stands: all numbers of its
// sources, the rest as the newest tell it, and links to them. Records that name
// a person whose place it took are its own too.
func standing(ctx context.Context, r store.Reader, person string) (body r4.Object, err error) {
	links, err := linksOf(ctx, r, person)
	if err != nil {
		return nil, err
	}
	var docs []*r4.Doc
	var refs []r4.Object
	for _, l := range links {
		doc, err := read(ctx, r, l.source)
		if err != nil {
			return nil, err
		}
		if doc != nil {
			docs = append(docs, doc)
		}
		refs = append(refs, linkTo(l.source, "seealso"))
	}
	gone, err := replaced(ctx, r, person)
	if err != nil {
		return nil, err
	}
	for _, p := range gone {
		refs = append(refs, linkTo(p, "replaces"))
	}
	body = begin(person, TagGolden, true)
	body.Add("identifier", identifiers(docs))
	for _, group := range shown {
		for _, doc := range docs {
			if take(&body, doc.Root(), group) {
				break
			}
		}
	}
	body.Add("link", refs)
	return body, nil
}

// take copies the members of a group, false when the source has none of them.
func take(to *r4.Object, from r4.Node, group []string) (found bool) {
	for _, name := range group {
		if n := from.Get(name); n.Exists() {
			to.Add(name, r4.Raw(n.Raw()))
			found = true
		}
	}
	return found
}

// identifiers are those of all sources, each system and value once, as a JSON array.
func identifiers(docs []*r4.Doc) r4.Raw {
	var list r4.Raw
	seen := map[[2]string]bool{}
	for _, doc := range docs {
		for n := range doc.Root().Get("identifier").Elems() {
			key := [2]string{n.Get("system").Text(), n.Get("value").Text()}
			if seen[key] {
				continue
			}
			seen[key] = true
			sep := byte(',')
			if list == nil {
				sep = '['
			}
			list = append(append(list, sep), n.Raw()...)
		}
	}
	if list != nil {
		list = append(list, ']')
	}
	return list
}
