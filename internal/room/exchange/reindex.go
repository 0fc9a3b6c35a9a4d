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

// reindexJob gives the job that makes the index, and begins one when none is under way.
func (s *Service) reindexJob(ctx context.Context) (*Job, error) {
	if j, err := s.firstJob(ctx, `WHERE kind = 'reindex' AND state IN ('waiting', 'running') ORDER BY created LIMIT 1`); j != nil || err != nil {
		return j, err
	}
	principal, err := json.Marshal(keptPrincipal{Agent: store.Agent{Kind: store.System, ID: "system/" + string(trust.JobIndex), Name: "ytso"}})
	if err != nil {
		return nil, err
	}
	id, err := s.enqueueFor(ctx, indexClient, principal, kindReindex, "$reindex", struct{}{}, reindexPlace{}, nil)
	if err != nil {
		return nil, err
	}
	return s.firstJob(ctx, `WHERE id = $1`, id)
}

// firstJob gives the first job that meets a condition, nil when none does.
func (s *Service) firstJob(ctx context.Context, where string, args ...any) (j *Job, err error) {
	err = s.Store.View(ctx, s.system, func(r store.Reader) error {
		list, err := jobs(ctx, r, where, args...)
		if j = nil; err == nil && len(list) > 0 {
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
	next, count, err := s.Index.Reindex(ctx, a, at.Cursor, slice)
	if outcome.KindOf(err) == outcome.Conflict && at.Cursor != "" { // the parameters were changed meanwhile
		return step{Place: reindexPlace{}, Done: -j.Done}, nil
	}
	if err != nil {
		return st, err
	}
	return step{Place: reindexPlace{next}, Done: int64(count), End: next == ""}, nil
}

// Reindex starts the job or tells how far it is; see check.Reindexer.
func (s *Service) Reindex(ctx context.Context) (p check.Progress, err error) {
	j, err := s.reindexJob(ctx)
	if err != nil || j == nil {
		return p, err
	}
	return check.Progress{Running: j.State == stateWaiting || j.State == stateRunning, Done: j.Done}, nil
}
