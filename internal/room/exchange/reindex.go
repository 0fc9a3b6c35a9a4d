package exchange

import (
	"context"
	"encoding/json"

	"github.com/ytso/ytso/fhir/op/check"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// indexClient is the client of jobs that the server starts by itself.
const indexClient = "system index"

// reindexPlace is how far the index has been made.
type reindexPlace struct{ Cursor string }

// reindexJob gives the job that makes the index, and begins one when there is none.
func (s *Service) reindexJob(ctx context.Context) (j *Job, err error) {
	for range 2 {
		var list []*Job
		err = s.Store.View(ctx, s.system, func(r store.Reader) (err error) {
			list, err = jobs(ctx, r, `WHERE kind = 'reindex' AND state IN ('waiting', 'running') ORDER BY created`)
			return err
		})
		if err != nil || len(list) > 0 {
			break
		}
		principal, err := json.Marshal(keptPrincipal{Agent: store.Agent{Kind: store.System, ID: "system/" + string(trust.JobIndex), Name: "ytso"}})
		if err != nil {
			return nil, err
		}
		if _, err = s.enqueueFor(ctx, indexClient, principal, kindReindex, "$reindex", struct{}{}, reindexPlace{}, nil); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, s.system, func(r store.Reader) error {
		list, err := jobs(ctx, r, `WHERE kind = 'reindex' ORDER BY created DESC LIMIT 1`)
		if err == nil && len(list) > 0 {
			j = list[0]
		}
		return err
	})
	return j, err
}

// reindexSlice makes the index of some resources.
func (s *Service) reindexSlice(ctx context.Context, j *Job) (st step, err error) {
	defer outcome.Wrap(&err, "exchange.reindex")
	var at reindexPlace
	if err := json.Unmarshal(j.Place, &at); err != nil {
		return st, err
	}
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		return st, err
	}
	next, done, err := s.Index.Reindex(ctx, a, at.Cursor, slice)
	if outcome.KindOf(err) == outcome.Conflict && at.Cursor != "" { // the parameters were changed meanwhile
		return step{Place: reindexPlace{}, Done: -j.Done}, nil
	}
	if err != nil {
		return st, err
	}
	return step{Place: reindexPlace{next}, Done: slice, End: done}, nil
}

// Reindex starts the job or tells how far it is; see check.Reindexer.
func (s *Service) Reindex(ctx context.Context) (p check.Progress, err error) {
	j, err := s.reindexJob(ctx)
	if err != nil || j == nil {
		return p, err
	}
	return check.Progress{Running: j.State == stateWaiting || j.State == stateRunning, Done: j.Done}, nil
}
