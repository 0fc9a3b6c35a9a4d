package record

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// maxDocument bounds the resources of one document.
const maxDocument = 2000

// document is Composition/$document: the Composition first, then all that it
// refers to, directly or through others (FHIR R4 documents.html#content). What
// the Composition itself names must be here; of what the others name the part
// that the caller may see and that is about the same person comes along. The
// Bundle is the answer itself and is not wrapped in a searchset.
//
// A GraphDefinition (graph) is not supported.
func (o *operations) document(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In, "id", "persist", "graph"); err != nil {
		return nil, err
	}
	id, err := compositionID(c)
	if err != nil {
		return nil, err
	}
	persist, err := truth(c.In, "persist")
	if err != nil {
		return nil, err
	}
	if persist && c.Method != http.MethodPost {
		return nil, bad("persist", "persist=true lưu tài liệu nên phải gọi bằng POST", "persist=true stores the document, so it takes a POST")
	}
	if c.In.Text("graph") != "" {
		return nil, outcome.New(outcome.NotSupported, "record.graph", "Chưa hỗ trợ GraphDefinition (graph).", "GraphDefinition (graph) is not supported.").At(parameterAt("graph"))
	}
	d := &document{base: c.Base, reader: c.Reader, met: map[store.Key]bool{}}
	if err := d.gather(ctx, store.Key{Type: "Composition", ID: id}); err != nil {
		return nil, err
	}
	bundle := store.Key{Type: "Bundle", ID: o.NewID()}
	body := d.bundle(bundle.ID, o.Now())
	if !persist {
		return &rest.Response{Status: http.StatusOK, Resource: body}, nil
	}
	return o.keep(ctx, c, bundle, body)
}

// compositionID is the id of the path or of the parameter id, which may be an
// address on this server.
func compositionID(c *rest.Call) (string, error) {
	given, err := single(c.In, "id")
	if err != nil {
		return "", err
	}
	if c.ID != "" {
		if given != "" {
			return "", bad("id", "không dùng cùng với mã trong đường dẫn", "is not for a Composition that the address names already")
		}
		return c.ID, nil
	}
	if given == "" {
		return "", outcome.New(outcome.Required, "record.composition", "Hãy ghi mã Composition (id).", "Name the Composition (id).").At(parameterAt("id"))
	}
	if t, ok := aim(c.Base, given); ok && t.Type == "Composition" && t.Version == 0 {
		return t.ID, nil
	}
	if strings.ContainsAny(given, "/:") {
		return "", outcome.New(outcome.NotSupported, "record.composition-elsewhere", "Chỉ lập tài liệu từ Composition của máy chủ này.",
			"Documents are made of Compositions of this server only.").At(parameterAt("id"))
	}
	return given, nil
}

// document is one being gathered.
type document struct {
	base     string
	reader   store.Reader
	patients []string
	met      map[store.Key]bool
	entries  []r4.Object
}

func (d *document) gather(ctx context.Context, k store.Key) error {
	first, err := d.reader.Read(ctx, k)
	if err != nil {
		return err
	}
	doc, err := r4.Parse(first.Body)
	if err != nil {
		return err
	}
	if t, ok := aim(d.base, doc.Root().Get("subject").Get("reference").Text()); ok && t.Type == "Patient" {
		p, err := findPerson(ctx, d.reader, t.ID)
		if err == nil {
			d.patients = p.ids
		} else if !unseen(err) {
			return err
		}
	}
	d.add(first)
	next, err := d.direct(ctx, doc)
	if err != nil {
		return err
	}
	for len(next) > 0 {
		doc := next[0]
		more, err := d.indirect(ctx, doc)
		if err != nil {
			return err
		}
		next = append(next[1:], more...)
	}
	return nil
}

func (d *document) add(r *store.Resource) {
	d.met[r.Key] = true
	d.entries = append(d.entries, r4.Object{{Name: "fullUrl", Value: d.base + "/" + r.Key.String()}, {Name: "resource", Value: r4.Raw(r.Body)}})
}

// direct adds what the Composition names; all of it has to be here.
func (d *document) direct(ctx context.Context, doc *r4.Doc) (found []*r4.Doc, err error) {
	for n := range references(doc.Root()) {
		ref := n.Text()
		if strings.HasPrefix(ref, "#") {
			continue
		}
		t, ok := aim(d.base, ref)
		if !ok {
			return nil, outcome.New(outcome.NotSupported, "record.document-elsewhere", "Composition nêu tài nguyên ở máy chủ khác nên không lập được tài liệu đầy đủ.",
				"The Composition names a resource of another server, so the document can't be made whole.").At(pathOf(doc, n))
		}
		if d.met[t.Key] || t.Type == "Composition" { // relatesTo names other documents
			continue
		}
		r, err := d.read(ctx, t)
		if unseen(err) {
			return nil, outcome.New(outcome.BusinessRule, "record.document-incomplete", "Composition nêu một tài nguyên không có hoặc bạn không được xem, nên không lập được tài liệu đầy đủ.",
				"The Composition names a resource that is not there or not for you to see, so the document can't be made whole.").At(pathOf(doc, n))
		}
		if err != nil {
			return nil, err
		}
		one, err := d.parsed(r)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

func (d *document) parsed(r *store.Resource) (*r4.Doc, error) {
	if len(d.entries) == maxDocument {
		return nil, outcome.New(outcome.TooCostly, "record.document-size", fmt.Sprintf("Tài liệu có hơn %d tài nguyên.", maxDocument),
			fmt.Sprintf("The document would hold more than %d resources.", maxDocument))
	}
	d.add(r)
	return r4.Parse(r.Body)
}

func (d *document) read(ctx context.Context, t target) (*store.Resource, error) {
	if t.Version > 0 {
		return d.reader.ReadVersion(ctx, t.Key, t.Version)
	}
	return d.reader.Read(ctx, t.Key)
}

// indirect adds what another resource names, as far as it is here and belongs into the document.
func (d *document) indirect(ctx context.Context, doc *r4.Doc) (found []*r4.Doc, err error) {
	for n := range references(doc.Root()) {
		t, ok := aim(d.base, n.Text())
		if !ok || d.met[t.Key] || t.Type == "Patient" || t.Type == "Composition" {
			continue
		}
		r, err := d.read(ctx, t)
		if unseen(err) {
			d.met[t.Key] = true
			continue
		}
		if err != nil {
			return nil, err
		}
		one, err := r4.Parse(r.Body)
		if err != nil {
			return nil, err
		}
		if ok, err := aboutOnly(one, d.patients); err != nil {
			return nil, err
		} else if !ok {
			d.met[t.Key] = true
			continue
		}
		if one, err = d.parsed(r); err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, nil
}

// bundle writes the document (FHIR R4 bundle.html bdl-9 to bdl-11).
func (d *document) bundle(id string, now time.Time) []byte {
	return r4.Object{
		{Name: "resourceType", Value: "Bundle"}, {Name: "id", Value: id},
		{Name: "identifier", Value: r4.Object{{Name: "system", Value: "urn:ietf:rfc:3986"}, {Name: "value", Value: "urn:uuid:" + id}}},
		{Name: "type", Value: "document"}, {Name: "timestamp", Value: now.UTC().Format("2006-01-02T15:04:05.000Z")},
		{Name: "entry", Value: d.entries},
	}.JSON()
}

// keep stores the document at /Bundle, in the transaction of the call when it has one.
func (o *operations) keep(ctx context.Context, c *rest.Call, k store.Key, body []byte) (*rest.Response, error) {
	prepared, err := o.Store.Prepare(store.Draft{Key: k, Body: body, Owner: c.Owner, IfMatch: store.IfNone})
	if err != nil {
		return nil, err
	}
	var kept *store.Resource
	put := func(tx store.Tx) (err error) {
		kept, err = tx.Put(ctx, prepared)
		return err
	}
	if c.Tx != nil {
		err = put(c.Tx)
	} else {
		err = o.Store.Update(ctx, c.Access, put)
	}
	if err != nil {
		return nil, err
	}
	return &rest.Response{
		Status: http.StatusOK, Resource: kept.Body, Key: kept.Key, Version: kept.Version, LastModified: kept.Updated,
		Header: http.Header{"Location": {fmt.Sprintf("%s/%s/_history/%d", c.Base, kept.Key, kept.Version)}},
	}, nil
}
