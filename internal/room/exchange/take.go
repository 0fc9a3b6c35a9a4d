package exchange

import (
	"context"
	"iter"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// Matcher finds whose record a Patient is, in the transaction that wrote it.
type Matcher interface {
	Match(ctx context.Context, tx store.Tx, source *store.Resource) (person string, err error)
}

// Entry is a resource to be taken in, and where it stood: its line in the file,
// or its place in a Bundle, from 1. Err is why there is none.
type Entry struct {
	Place int
	Doc   *r4.Doc
	Err   error
}

// Fault is what kept an entry out.
type Fault struct {
	Place       int
	Kind        outcome.Kind
	Key, VI, EN string
	Expression  []string
}

// Taken is what became of entries.
type Taken struct {
	Written, Unchanged int
	Faults             []Fault
}

var (
	errNoID = outcome.New(outcome.Required, "import.no-id",
		"Tài nguyên không có id nên không nhập được: nhập lần nữa sẽ sinh ra bản trùng.",
		"A resource without id can't be imported: a second import would double it.")
	errNotByImport = outcome.New(outcome.NotSupported, "import.type",
		"Loại tài nguyên này không nhập được: nó cần người đăng ký, hoặc máy chủ tự lập.",
		"This type can't be imported: it wants somebody who asks for it, or the server makes it by itself.")
	errNoWrite = outcome.New(outcome.Forbidden, "import.right",
		"Không có quyền ghi loại tài nguyên này.", "There is no right to write this type.")
)

// takeBatch is how many resources share a transaction. What is broken off is
// taken in again: what stands already changes nothing.
const takeBatch = 200

// Take checks resources and writes those that pass, each under its own id. One
// that is wrong keeps no other out. The error is ours, or of the right as a whole.
func (s *Service) Take(ctx context.Context, a store.Access, facility string, entries iter.Seq[Entry]) (t Taken, err error) {
	defer outcome.Wrap(&err, "exchange.Take")
	var batch []ready
	flush := func() error {
		err := s.putBatch(ctx, a, batch, &t)
		batch = batch[:0]
		return err
	}
	for e := range entries {
		p, err := s.prepare(ctx, a, facility, e)
		if err != nil && ours(err) {
			return t, err
		}
		if err != nil {
			t.fault(e.Place, err)
			continue
		}
		if batch = append(batch, ready{e.Place, p}); len(batch) == takeBatch {
			if err := flush(); err != nil {
				return t, err
			}
		}
	}
	return t, flush()
}

type ready struct {
	place int
	*store.Prepared
}

func (t *Taken) fault(place int, err error) {
	e := outcome.As(err)
	t.Faults = append(t.Faults, Fault{place, e.Kind, e.Key, e.VI, e.EN, e.Expression})
}

func (s *Service) prepare(ctx context.Context, a store.Access, facility string, e Entry) (*store.Prepared, error) {
	if e.Err != nil {
		return nil, e.Err
	}
	typ := e.Doc.Type()
	switch {
	case e.Doc.ID() == "":
		return nil, errNoID.At(typ)
	case typ == "Subscription" || typ == "AuditEvent" || typ == "Parameters" || typ == "OperationOutcome":
		return nil, errNotByImport.At(typ)
	case !a.Filter.May(typ, store.CanCreate) || !a.Filter.May(typ, store.CanUpdate):
		return nil, errNoWrite.At(typ)
	}
	if s.Check != nil {
		if err := s.Check.Refuse(ctx, e.Doc, validate.Options{}); err != nil {
			return nil, err
		}
	}
	return guarded{s.Store, s}.Prepare(store.Draft{Key: store.Key{Type: typ, ID: e.Doc.ID()}, Body: e.Doc.Source(), Owner: facility})
}

// putBatch writes a batch in one transaction; when one of it can't be written
// each is written by itself, so that the others are.
func (s *Service) putBatch(ctx context.Context, a store.Access, batch []ready, t *Taken) error {
	err := s.putAll(ctx, a, batch, t)
	if err == nil || ours(err) && outcome.KindOf(err) != outcome.Conflict {
		return err
	}
	for _, one := range batch {
		switch err := s.putAll(ctx, a, []ready{one}, t); {
		case err == nil:
		case ours(err) && outcome.KindOf(err) != outcome.Conflict:
			return err
		default:
			t.fault(one.place, err)
		}
	}
	return nil
}

func (s *Service) putAll(ctx context.Context, a store.Access, batch []ready, t *Taken) error {
	if len(batch) == 0 {
		return nil
	}
	var written, unchanged int
	var keys []store.Key
	err := s.Store.Update(ctx, a, func(tx store.Tx) error {
		written, unchanged, keys = 0, 0, nil
		tx.Audit(store.Note{Action: "import.resources"})
		for _, p := range batch {
			res, err := tx.Put(ctx, p.Prepared)
			if err != nil {
				return err
			}
			if !res.Changed {
				unchanged++
				continue
			}
			written, keys = written+1, append(keys, res.Key)
			if s.Matcher != nil && res.Key.Type == "Patient" {
				if _, err := s.Matcher.Match(ctx, tx, res); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.Written, t.Unchanged = t.Written+written, t.Unchanged+unchanged
	s.learnOf(keys)
	return nil
}

// learnOf lets what follows from definitions happen, when there are some among the keys.
func (s *Service) learnOf(keys []store.Key) {
	var defs []store.Key
	for _, k := range keys {
		if slices.Contains(definitionTypes, k.Type) {
			defs = append(defs, k)
		}
	}
	if len(defs) > 0 {
		s.changed(defs)
	}
}
