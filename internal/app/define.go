package app

import (
	"context"
	"fmt"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/canonical"
	"github.com/ytso/ytso/fhir/validate"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Define is described at operator. The id of a definition is made of type, url
// and version, so that the same one is replaced and never doubled.
func (n *Node) Define(ctx context.Context, in definitions) (k kept, err error) {
	defer outcome.Wrap(&err, "define")
	a, err := trust.System(trust.JobPackage)
	if err != nil {
		return k, err
	}
	ids := element.Namespace(n.store.Namespace())
	list := make([]stored, 0, len(in.List))
	for _, d := range in.List {
		s, err := n.prepare(ids, d)
		if err != nil {
			return k, err
		}
		list = append(list, s)
	}
	var changed []store.Key
	err = n.store.Update(ctx, a, func(tx store.Tx) error {
		k, changed = kept{}, nil
		tx.Audit(store.Note{Action: "package.add", Entity: in.From, Detail: fmt.Sprintf("%d definitions", len(list))})
		for _, s := range list {
			res, err := tx.Put(ctx, s.draft)
			if err != nil {
				return fmt.Errorf("%s: %w", s.draft.Draft.Key, err)
			}
			if !res.Changed {
				k.Unchanged++
				continue
			}
			k.Written++
			changed = append(changed, res.Key)
			if s.parts != nil {
				if err := canonical.PutParts(ctx, tx, s.url, s.version, s.parts); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err == nil && len(changed) > 0 && n.exchange.Changed != nil {
		n.exchange.Changed(changed)
	}
	return k, err
}

// stored is a definition ready to be written.
type stored struct {
	draft        *store.Prepared
	url, version string
	parts        [][]byte
}

func (n *Node) prepare(ids element.Namespace, d definition) (s stored, err error) {
	doc, err := r4.Parse(d.Body)
	if err != nil {
		return s, err
	}
	s.url, s.version, s.parts = doc.Root().Get("url").Text(), doc.Root().Get("version").Text(), d.Parts
	if s.url == "" {
		return s, errNoCanonical.At(doc.Type())
	}
	if err := validate.Refusal(validate.Structure(doc)); err != nil {
		return s, fmt.Errorf("%s: %w", s.url, err)
	}
	key := store.Key{Type: doc.Type(), ID: ids.ID("definition", doc.Type(), s.url, s.version)}
	s.draft, err = n.store.Prepare(store.Draft{Key: key, Body: renamed(doc, key.ID, d.Parts)})
	return s, err
}
