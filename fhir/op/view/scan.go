package view

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/view"
)

// Scan is a view over the resources that a reader sees, page by page: for the
// operation, and for a job that goes on after a restart. A resource that
// belongs to two of several Patients is given once (after a restart it may come
// again). A Scan is for one goroutine.
type Scan struct {
	View   *view.View
	Params *param.Registry
	// Patients: only what is in the compartments of these (ids); nil: everything.
	Patients []string
	Since    time.Time // changed at or after; zero: ever
	Limit    int64     // rows in all; 0: no bound
	Page     int       // resources read at a time; 0: 200
	Now      time.Time // of now() in expressions

	seen map[string]bool // of several patients: a resource may belong to two of them
}

// Place is how far a scan has come; the zero Place is its beginning. It can be kept as JSON.
type Place struct {
	Member int    // index in Patients
	Cursor string // of the search, "" at its beginning
	Rows   int64  // given so far
	End    bool   // nothing is left
}

// Next reads one page and gives its rows to emit, whose error ends it and is
// given back. A page is whole resources, but for the one at which Limit is reached.
func (s *Scan) Next(ctx context.Context, r store.Reader, at Place, emit func(view.Row) error) (Place, error) {
	if s.Patients != nil && at.Member >= len(s.Patients) {
		at.End = true
		return at, nil
	}
	q, err := s.query(at)
	if err != nil {
		return at, err
	}
	page, err := r.Search(ctx, q)
	if err != nil {
		return at, err
	}
	for _, res := range page.Matches {
		again, err := s.again(res.Key)
		if err != nil {
			return at, err
		}
		if again {
			continue
		}
		doc, err := r4.Parse(res.Body)
		if err != nil {
			return at, err
		}
		for row, err := range s.View.Rows(ctx, doc, view.Options{Now: s.Now}) {
			if err != nil {
				return at, err
			}
			if err := emit(row); err != nil {
				return at, err
			}
			if at.Rows++; s.Limit > 0 && at.Rows >= s.Limit {
				at.End = true
				return at, nil
			}
		}
	}
	at.Cursor = page.Next
	if at.Cursor == "" {
		at.Member++
		at.End = at.Member >= len(s.Patients)
	}
	return at, nil
}

// maxSeen bounds what is remembered of a run over several patients.
const maxSeen = 5_000_000

// again says whether a resource was given before.
func (s *Scan) again(k store.Key) (bool, error) {
	if len(s.Patients) < 2 {
		return false, nil
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	if s.seen[k.ID] {
		return true, nil
	}
	if len(s.seen) == maxSeen {
		return false, outcome.New(outcome.TooCostly, "view.too-costly", "Quá nhiều tài nguyên trong một lần chạy. Hãy chia nhóm.", "Too many resources for one run. Split the group.")
	}
	s.seen[k.ID] = true
	return false, nil
}

// query is the search of one page.
func (s *Scan) query(at Place) (param.Query, error) {
	n := s.Page
	if n <= 0 {
		n = 200
	}
	values := url.Values{"_count": {strconv.Itoa(n)}}
	if !s.Since.IsZero() {
		values.Set("_lastUpdated", "ge"+s.Since.UTC().Format(time.RFC3339Nano))
	}
	if at.Cursor != "" {
		values.Set("_cursor", at.Cursor)
	}
	if s.Patients != nil && s.View.Resource == "Patient" {
		values.Set("_id", s.Patients[at.Member])
	}
	q, err := s.Params.Parse(s.View.Resource, values, param.Options{})
	if err != nil || s.Patients == nil || s.View.Resource == "Patient" {
		return q, err
	}
	if len(r4.PatientCompartment(s.View.Resource)) == 0 {
		return q, outcome.New(outcome.NotSupported, "view.compartment", "Loại tài nguyên "+s.View.Resource+" không thuộc hồ sơ của người bệnh nào.",
			"Resources of type "+s.View.Resource+" belong to no patient's compartment.").At("patient")
	}
	q.CompartmentType, q.CompartmentID = "Patient", s.Patients[at.Member]
	return q, nil
}
