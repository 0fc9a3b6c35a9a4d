package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// batch is how many resources of a file share a transaction. A file that is
// broken off is imported again: what stands already changes nothing.
const batch = 200

var (
	errNoID = outcome.New(outcome.Required, "import.no-id",
		"Tài nguyên không có id nên không nhập được: nhập lần nữa sẽ sinh ra bản trùng.",
		"A resource without id can't be imported: a second import would double it.")
	errEntry = outcome.New(outcome.NotSupported, "import.entry",
		"Bundle có mục xóa hoặc tham chiếu urn:uuid. Lệnh import chỉ ghi tài nguyên có id sẵn.",
		"The Bundle deletes or refers to urn:uuid. Import only writes resources that have their id.")
	errNoResource = outcome.New(outcome.Structure, "import.no-resource",
		"Tệp không chứa tài nguyên FHIR (resourceType).", "The file holds no FHIR resource (resourceType).")
	errNotJSON = outcome.New(outcome.Invalid, "import.json",
		"Tệp không phải JSON hoặc NDJSON đúng chuẩn.", "The file is not well-formed JSON or NDJSON.")
)

// Keep is described at operator. A Patient is matched with its person in the
// transaction that writes it, as one that comes with a claim.
func (n *Node) Keep(ctx context.Context, p parcel) (k kept, err error) {
	defer outcome.Wrap(&err, "import")
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return k, err
	}
	list, err := resourcesOf(p.Body)
	if err != nil {
		return k, err
	}
	var prepared []*store.Prepared
	for _, doc := range list {
		if doc.ID() == "" {
			return k, errNoID.At(doc.Type())
		}
		d, err := n.store.Prepare(store.Draft{Key: store.Key{Type: doc.Type(), ID: doc.ID()}, Body: doc.Source(), Owner: p.Facility})
		if err != nil {
			return k, err
		}
		prepared = append(prepared, d)
	}
	for len(prepared) > 0 {
		part := prepared[:min(batch, len(prepared))]
		prepared = prepared[len(part):]
		got, err := n.put(ctx, a, part)
		if err != nil {
			return k, err
		}
		k.Written, k.Unchanged = k.Written+got.Written, k.Unchanged+got.Unchanged
	}
	return k, nil
}

func (n *Node) put(ctx context.Context, a store.Access, part []*store.Prepared) (k kept, err error) {
	err = n.store.Update(ctx, a, func(tx store.Tx) error {
		k = kept{}
		tx.Audit(store.Note{Action: "import.resources"})
		for _, p := range part {
			res, err := tx.Put(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.Draft.Key, err)
			}
			if !res.Changed {
				k.Unchanged++
				continue
			}
			k.Written++
			if res.Key.Type == "Patient" {
				if _, err := n.matcher.Match(ctx, tx, res); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return k, err
}

// resourcesOf reads a resource, a Bundle, or one resource a line.
func resourcesOf(body []byte) ([]*r4.Doc, error) {
	var list []*r4.Doc
	for d := json.NewDecoder(bytes.NewReader(body)); ; {
		var raw json.RawMessage
		if err := d.Decode(&raw); err == io.EOF {
			break
		} else if err != nil {
			return nil, errNotJSON.Because(err)
		}
		doc, err := r4.Parse(raw)
		if err != nil {
			return nil, err
		}
		if doc.Type() != "Bundle" {
			list = append(list, doc)
			continue
		}
		entries, err := entriesOf(doc)
		if err != nil {
			return nil, err
		}
		list = append(list, entries...)
	}
	for _, doc := range list {
		if doc.Type() == "" {
			return nil, errNoResource
		}
	}
	if len(list) == 0 {
		return nil, errNoResource
	}
	return list, nil
}

func entriesOf(bundle *r4.Doc) (list []*r4.Doc, err error) {
	for e := range bundle.Root().Get("entry").Elems() {
		method := e.Get("request").Get("method").Text()
		raw := e.Get("resource").Raw()
		if method == "DELETE" || method == "PATCH" || len(raw) == 0 || strings.Contains(string(raw), `"urn:uuid:`) {
			return nil, errEntry
		}
		doc, err := r4.Parse(raw)
		if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
	return list, nil
}
