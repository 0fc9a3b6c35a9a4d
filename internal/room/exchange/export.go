package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

const (
	slice    = 500       // resources read and written at a time
	maxItems = 100_000   // resources of one file
	maxBytes = 256 << 20 // bytes of one file
)

// exportPlace is how far an export has come: everything before it stands in
// the job's files.
type exportPlace struct {
	Gone   bool   // the resources are out, the deleted ones are being listed
	Type   int    // index in Types
	Member int    // index in Patients
	Cursor string // of the search, "" at its beginning
	File   file   // the file that grows; of another type: the next one begins
}

// exportSlice reads one page under the client's Access as it is now, and writes
// it to the job's files.
func (s *Service) exportSlice(ctx context.Context, j *Job) (st step, err error) {
	defer outcome.Wrap(&err, "exchange.export %s", j.ID)
	var spec exportSpec
	var at exportPlace
	if err := json.Unmarshal(j.Spec, &spec); err != nil {
		return st, err
	}
	if err := json.Unmarshal(j.Place, &at); err != nil {
		return st, err
	}
	if at.Type >= len(spec.Types) || spec.Patients != nil && len(spec.Patients) == 0 {
		if at.Gone || spec.Since.IsZero() {
			return step{Place: at, End: true, Note: ""}, nil
		}
		at = exportPlace{Gone: true, File: at.File}
	}
	a, err := s.behalf(ctx, j.Principal, j.ID)
	if err != nil {
		return st, err
	}
	if at.Gone {
		return s.goneSlice(ctx, a, j, &spec, at)
	}
	typ, lines, items, err := s.readSlice(ctx, a, j, &spec, &at)
	if err != nil {
		return st, err
	}
	st = step{Done: items, Note: fmt.Sprintf("%s (%d/%d)", typ, min(at.Type+1, len(spec.Types)), len(spec.Types))}
	if items > 0 {
		p := at.File.grow(roleOutput, typ).add(lines, items)
		at.File = p.file
		st.Write = func(ctx context.Context, tx store.Tx) error { return p.put(ctx, tx, j.ID) }
	}
	st.Place = at
	return st, nil
}

// grow is the file that takes the next lines: the same, or the one behind it.
func (f file) grow(role, typ string) *file {
	if f.Role != role || f.Type != typ || f.Items >= maxItems || f.Bytes >= maxBytes {
		return &file{N: f.N + 1, Role: role, Type: typ}
	}
	return &f
}

// maxPages bounds the searches of one slice that find nothing.
const maxPages = 100

// readSlice reads pages of one type until there is enough to write, passing
// over what is empty, and moves the place behind them.
func (s *Service) readSlice(ctx context.Context, a store.Access, j *Job, spec *exportSpec, at *exportPlace) (typ string, lines []byte, items int64, err error) {
	for range maxPages {
		if at.Type >= len(spec.Types) || items > 0 && spec.Types[at.Type] != typ || items >= slice {
			break
		}
		typ = spec.Types[at.Type]
		page, err := s.readPage(ctx, a, j, spec, at)
		if err != nil {
			return typ, nil, 0, err
		}
		for _, res := range page.Matches {
			line, err := s.line(res, spec)
			if err != nil {
				return typ, nil, 0, err
			}
			if line != nil {
				lines, items = append(append(lines, line...), '\n'), items+1
			}
		}
		at.next(page.Next, spec)
	}
	return typ, lines, items, nil
}

// readPage searches once; the audit row of what it found is on disk when it returns.
func (s *Service) readPage(ctx context.Context, a store.Access, j *Job, spec *exportSpec, at *exportPlace) (page *store.Page, err error) {
	typ, patient := spec.Types[at.Type], ""
	if !a.Filter.May(typ, store.CanSearch) {
		return nil, errNoType.At(typ) // the right was taken away meanwhile
	}
	if spec.Patients != nil {
		patient = spec.Patients[at.Member]
	}
	q, err := s.exportQuery(spec, typ, patient)
	if err != nil {
		return nil, err
	}
	q.Cursor = at.Cursor
	err = s.Store.View(ctx, a, func(r store.Reader) (err error) {
		r.Audit(store.Note{Action: "exchange.export.read", Entity: j.ID, Detail: typ})
		page, err = r.Search(ctx, q)
		return err
	})
	return page, err
}

// next moves the place behind a page.
func (at *exportPlace) next(cursor string, spec *exportSpec) {
	at.Cursor = cursor
	if cursor != "" {
		return
	}
	if at.Member++; at.Member >= len(spec.Patients) {
		at.Type, at.Member = at.Type+1, 0
	}
}

// line is a resource in one line, as the export wants it; nil when it is not part of it.
func (s *Service) line(res *store.Resource, spec *exportSpec) ([]byte, error) {
	body := res.Body
	if spec.Persons && spec.Patients == nil && res.Key.Type != "Patient" || len(spec.Elements) > 0 {
		doc, err := r4.Parse(body)
		if err != nil {
			return nil, err
		}
		if spec.Persons && spec.Patients == nil && res.Key.Type != "Patient" {
			values, err := s.Params().Extract(doc)
			if err != nil {
				return nil, err
			}
			if len(param.PatientCompartment(doc, values)) == 0 {
				return nil, nil
			}
		}
		if len(spec.Elements) > 0 {
			body = onlyElements(doc, spec.Elements)
		}
	}
	return oneLine(body), nil
}

// oneLine is JSON without line breaks; numbers and texts keep their letters.
func oneLine(body []byte) []byte {
	if !bytes.ContainsAny(body, "\n\r") {
		return body
	}
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return bytes.ReplaceAll(bytes.ReplaceAll(body, []byte("\n"), nil), []byte("\r"), nil) // no line break stands inside of a JSON text
	}
	return b.Bytes()
}

// goneSlice lists what was deleted since, as Bundles of DELETE requests
// (Bulk Data Access 2.0.0 export.html#response---output-manifest, "deleted").
func (s *Service) goneSlice(ctx context.Context, a store.Access, j *Job, spec *exportSpec, at exportPlace) (st step, err error) {
	var lines []byte
	var items int64
	err = s.Store.View(ctx, a, func(r store.Reader) error {
		lines, items = nil, 0
		r.Audit(store.Note{Action: "exchange.export.deleted", Entity: j.ID})
		page, err := r.Changes(ctx, store.ChangesQuery{Types: spec.Types, Since: spec.Since, Count: slice, Cursor: at.Cursor})
		if err != nil {
			return err
		}
		for _, v := range page.Versions {
			if !v.Deleted || !v.Updated.After(spec.Since) {
				continue
			}
			if _, err := r.Read(ctx, v.Key); outcome.KindOf(err) != outcome.Deleted {
				continue // it was made again
			}
			lines, items = append(append(lines, deletion(v.Key)...), '\n'), items+1
		}
		at.Cursor = page.Next
		return nil
	})
	if err != nil {
		return st, err
	}
	st = step{Done: items, Note: "deleted", End: at.Cursor == ""}
	if items > 0 {
		p := at.File.grow(roleDeleted, "Bundle").add(lines, items)
		at.File = p.file
		st.Write = func(ctx context.Context, tx store.Tx) error { return p.put(ctx, tx, j.ID) }
	}
	st.Place = at
	return st, nil
}

func deletion(k store.Key) []byte {
	return r4.Object{
		{Name: "resourceType", Value: "Bundle"}, {Name: "type", Value: "transaction"},
		{Name: "entry", Value: []r4.Object{{{Name: "request", Value: r4.Object{{Name: "method", Value: "DELETE"}, {Name: "url", Value: k.String()}}}}}},
	}.JSON()
}

// retryAfter is how long a client should wait before it asks again.
func retryAfter(j *Job, now time.Time) int {
	return max(1, min(30, int(now.Sub(j.Created)/time.Second)/4))
}
