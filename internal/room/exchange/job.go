package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/id"
)

// Kinds and states of jobs.
const (
	kindExport  = "export"
	kindImport  = "import"
	kindReindex = "reindex"

	stateReceiving = "receiving" // its file is still coming
	stateWaiting   = "waiting"
	stateRunning   = "running"
	stateDone      = "done"
	stateFailed    = "failed"
)

// Bounds of jobs.
const (
	keptFor     = 24 * time.Hour // after its end a job and its files are kept so long
	maxWaiting  = 4              // jobs of one client that wait or run
	leaseOfStep = time.Minute    // another process takes over a job that has made no step for so long
)

// Job is a piece of work behind the doors.
type Job struct {
	ID, Kind, State, Client, Request, Note, Fault string
	Principal, Spec, Place                        []byte
	Step, Done                                    int64
	Created, Updated, Ended, Expires              time.Time
}

var (
	errNoJob = outcome.New(outcome.NotFound, "exchange.no-job",
		"Không có công việc này, hoặc nó đã bị hủy hay hết hạn.", "There is no such job, or it was cancelled or has expired.")
	errManyJobs = outcome.New(outcome.Throttled, "exchange.many-jobs",
		"Hệ thống của bạn đang có quá nhiều công việc chưa xong. Hãy đợi hoặc hủy bớt.", "Your system has too many unfinished jobs. Wait, or cancel some.")
	// errLost ends a step whose job was cancelled or taken over meanwhile: nothing of the step stays.
	errLost = errors.New("the job was cancelled or taken over")
)

const jobColumns = `id, kind, state, client, principal, request, spec, place, step, done, note, created, updated, ended, expires, fault`

func scanJob(rows store.Rows) (j *Job, err error) {
	j = &Job{}
	var created, updated, ended, expires int64
	err = rows.Scan(&j.ID, &j.Kind, &j.State, &j.Client, &j.Principal, &j.Request, &j.Spec, &j.Place, &j.Step, &j.Done, &j.Note,
		&created, &updated, &ended, &expires, &j.Fault)
	j.Created, j.Updated, j.Ended, j.Expires = instant(created), instant(updated), instant(ended), instant(expires)
	return j, err
}

// instant reads UTC milliseconds; 0 is the zero Time.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// jobs lists what a condition holds for; it is a constant of this package.
func jobs(ctx context.Context, r store.Reader, where string, args ...any) (list []*Job, err error) {
	rows, err := r.Query(ctx, `SELECT `+jobColumns+` FROM exchange_job `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		j, err := scanJob(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, j)
	}
	return list, rows.Err()
}

// enqueue keeps a new job and wakes the workers. outcome.Throttled when the client has too many.
// with may write more in the same transaction.
func (s *Service) enqueue(ctx context.Context, kind, request string, spec, place any, with func(store.Tx, string) error) (jobID string, err error) {
	principal, err := keepPrincipal(ctx)
	if err != nil {
		return "", err
	}
	client, err := clientOf(ctx)
	if err != nil {
		return "", err
	}
	return s.enqueueFor(ctx, client, principal, kind, request, spec, place, with)
}

func (s *Service) enqueueFor(ctx context.Context, client string, principal []byte, kind, request string, spec, place any,
	with func(store.Tx, string) error,
) (jobID string, err error) {
	specJSON, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	placeJSON, err := json.Marshal(place)
	if err != nil {
		return "", err
	}
	jobID = id.UUID()
	err = s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		what, _, _ := strings.Cut(request, "?") // a query may name a person
		tx.Audit(store.Note{Action: "exchange." + kind, Entity: jobID, Detail: what})
		open, err := number(ctx, tx, `SELECT COUNT(*) FROM exchange_job WHERE client = $1 AND state IN ('receiving', 'waiting', 'running')`, client)
		if err != nil {
			return err
		}
		if open >= maxWaiting {
			return errManyJobs
		}
		now := s.Clock.Now().UnixMilli()
		_, err = tx.Exec(ctx, `INSERT INTO exchange_job (`+jobColumns+`) VALUES ($1,$2,'waiting',$3,$4,$5,$6,$7,0,0,'',$8,$8,0,0,'')`,
			jobID, kind, client, principal, request, specJSON, placeJSON, now)
		if err != nil || with == nil {
			return err
		}
		return with(tx, jobID)
	})
	if err != nil {
		return "", err
	}
	s.wake()
	return jobID, nil
}

// number reads one number.
func number(ctx context.Context, r store.Reader, sql string, args ...any) (n int64, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	if rows.Next() {
		err = rows.Scan(&n)
	}
	return n, errors.Join(err, rows.Err())
}

// step is what one slice of a job came to.
type step struct {
	Place any
	Done  int64  // resources in this slice
	Note  string // what it is at
	End   bool
	// Write writes the slice in the transaction that moves the job on.
	Write func(context.Context, store.Tx) error
}

// advance keeps a slice and where the job stands after it, in one commit.
// errLost when the job is no longer ours to move.
func (s *Service) advance(ctx context.Context, j *Job, st step) error {
	place, err := json.Marshal(st.Place)
	if err != nil {
		return err
	}
	err = s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange." + j.Kind + ".step", Entity: j.ID})
		now := s.Clock.Now()
		state, ended, expires := stateRunning, int64(0), int64(0)
		if st.End {
			state, ended, expires = stateDone, now.UnixMilli(), now.Add(keptFor).UnixMilli()
		}
		n, err := tx.Exec(ctx, `UPDATE exchange_job SET state = $3, place = $4, step = step + 1, done = done + $5, note = $6, updated = $7, ended = $8, expires = $9
			WHERE id = $1 AND step = $2 AND state = 'running'`, j.ID, j.Step, state, place, st.Done, st.Note, now.UnixMilli(), ended, expires)
		if err != nil {
			return err
		}
		if n == 0 {
			return errLost
		}
		if st.Write == nil {
			return nil
		}
		return st.Write(ctx, tx)
	})
	if err != nil {
		return err
	}
	j.Step, j.Place, j.Done, j.Note = j.Step+1, place, j.Done+st.Done, st.Note
	return nil
}

// fail ends a job with the reason that its client and the page are told. What it had made is taken away.
func (s *Service) fail(ctx context.Context, j *Job, why error) error {
	return s.Store.Update(ctx, s.system, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange." + j.Kind + ".fail", Entity: j.ID, Detail: outcome.As(why).Key})
		now := s.Clock.Now()
		n, err := tx.Exec(ctx, `UPDATE exchange_job SET state = 'failed', fault = $3, updated = $4, ended = $4, expires = $5, step = step + 1
			WHERE id = $1 AND step = $2`, j.ID, j.Step, keepFault(why), now.UnixMilli(), now.Add(keptFor).UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		return dropFiles(ctx, tx, j.ID)
	})
}

func dropFiles(ctx context.Context, tx store.Tx, job string) error {
	for _, sql := range []string{`DELETE FROM exchange_part WHERE job = $1`, `DELETE FROM exchange_file WHERE job = $1`} {
		if _, err := tx.Exec(ctx, sql, job); err != nil {
			return err
		}
	}
	return nil
}

// cancel ends a job and takes away all it left. client "" is the administrator's.
// outcome.NotFound when the client has no such job.
func (s *Service) cancel(ctx context.Context, a store.Access, jobID, client string) error {
	return s.Store.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "exchange.cancel", Entity: jobID})
		n, err := tx.Exec(ctx, `DELETE FROM exchange_job WHERE id = $1 AND ($2 = '' OR client = $2)`, jobID, client)
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoJob
		}
		return dropFiles(ctx, tx, jobID)
	})
}
