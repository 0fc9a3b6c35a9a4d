package exchange

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// Index is what search parameters of our own change in the store.
type Index interface {
	// SetParams puts search parameters into use; those that the index does not
	// hold yet are refused in searches until Reindex is through.
	SetParams(ctx context.Context, r *param.Registry) error
	// Pending lists those, as base and code.
	Pending() [][2]string
	// Reindex makes up to n resources' index anew behind a cursor, "" at the
	// beginning and when all is done. outcome.Conflict when the parameters changed since: begin again.
	Reindex(ctx context.Context, a store.Access, cursor string, n int) (next string, count int, err error)
}

// learnTime bounds how long a write of a definition waits for what follows from it.
const learnTime = 30 * time.Second

// changed is told of definitions that were written. What was known of them is
// forgotten at once; a SearchParameter is in use when its writer gets the answer,
// and answers when the index is made.
func (s *Service) changed(keys []store.Key) {
	if s.Changed != nil {
		s.Changed(keys)
	}
	if !slices.ContainsFunc(keys, func(k store.Key) bool { return k.Type == "SearchParameter" }) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), learnTime) // the writer may have gone: the definition stands
	defer cancel()
	if err := s.Learn(ctx); err != nil {
		s.Log.ErrorContext(ctx, "search parameters are not in use", "err", err)
	}
}

// Learn puts the store's active SearchParameters into use, and begins a job
// for those that the index does not hold. A definition that can't be used is
// left out and named in the log: searches by it are refused.
func (s *Service) Learn(ctx context.Context) (err error) {
	defer outcome.Wrap(&err, "exchange.Learn")
	if s.Index == nil {
		return nil
	}
	s.learning.Lock()
	defer s.learning.Unlock()
	defs, err := s.searchParameters(ctx)
	if err != nil {
		return err
	}
	reg, err := param.Official().With(defs)
	if err != nil { // one of them: take each that can be
		reg = param.Official()
		for _, d := range defs {
			if more, err := reg.With([]*r4.Doc{d}); err == nil {
				reg = more
			} else {
				s.Log.WarnContext(ctx, "a search parameter can't be used", "id", d.ID(), "err", err)
			}
		}
	}
	if err := s.Index.SetParams(ctx, reg); err != nil {
		return err
	}
	if s.SetParams != nil {
		s.SetParams(reg)
	}
	if len(s.Index.Pending()) > 0 {
		_, err = s.reindexJob(ctx)
	}
	return err
}

// searchParameters reads all that are active, by id.
func (s *Service) searchParameters(ctx context.Context) (list []*r4.Doc, err error) {
	a, err := trust.System(trust.JobDefine)
	if err != nil {
		return nil, err
	}
	q, err := param.Official().Parse("SearchParameter", url.Values{"status": {"active"}, "_count": {"500"}}, param.Options{})
	if err != nil {
		return nil, err
	}
	for {
		var page *store.Page
		if err := s.Store.View(ctx, a, func(r store.Reader) (err error) { page, err = r.Search(ctx, q); return err }); err != nil {
			return nil, err
		}
		for _, res := range page.Matches {
			d, err := r4.Parse(res.Body)
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	slices.SortFunc(list, func(a, b *r4.Doc) int { return cmp.Compare(a.ID(), b.ID()) })
	return list, nil
}

// usable refuses a SearchParameter that could not be put into use, before it is written.
func (s *Service) usable(body []byte) error {
	doc, err := r4.Parse(body)
	if err != nil || doc.Root().Get("status").Text() != "active" {
		return err
	}
	_, err = s.Params().With([]*r4.Doc{doc})
	return err
}
