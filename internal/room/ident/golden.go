package ident

import (
	"context"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// The tag of a golden Patient.
const (
	TagSystem = "urn:ytso:tag"
	TagGolden = "golden"
)

// shown are the members that the golden record takes from a source record. The
// rule is: the source written last shows; a person of the desk may overrule it
// (issue of the registries).
var shown = []string{"identifier", "name", "telecom", "gender", "birthDate", "_birthDate", "deceasedBoolean", "deceasedDateTime", "address"}

// refresh writes the golden record of a person: the shown members of the
// newest source, and a link to every source record.
func (m *Matcher) refresh(ctx context.Context, tx store.Tx, person, source string, doc *r4.Doc) error {
	links, err := sourcesOf(ctx, tx, person)
	if err != nil {
		return err
	}
	golden := r4.Object{
		{Name: "resourceType", Value: "Patient"},
		{Name: "id", Value: person},
		{Name: "meta", Value: r4.Object{
			{Name: "tag", Value: []r4.Object{{{Name: "system", Value: TagSystem}, {Name: "code", Value: TagGolden}}}},
		}},
		{Name: "active", Value: true},
	}
	for _, name := range shown {
		if n := doc.Root().Get(name); n.Exists() {
			golden.Add(name, r4.Raw(n.Raw()))
		}
	}
	refs := make([]r4.Object, 0, len(links))
	for _, id := range links {
		refs = append(refs, r4.Object{
			{Name: "other", Value: r4.Object{{Name: "reference", Value: "Patient/" + id}}},
			{Name: "type", Value: "seealso"},
		})
	}
	golden.Add("link", refs)
	prepared, err := m.Store.Prepare(store.Draft{Key: store.Key{Type: "Patient", ID: person}, Body: golden.JSON()})
	if err != nil {
		return err
	}
	_, err = tx.Put(ctx, prepared)
	return err
}

func sourcesOf(ctx context.Context, r store.Reader, person string) (ids []string, err error) {
	rows, err := r.Query(ctx, `SELECT source FROM ident_link WHERE person = $1 ORDER BY source`, person)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
