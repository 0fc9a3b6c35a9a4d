package audit

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

const (
	newest   = math.MaxInt64
	perPage  = 50
	maxPage  = 500
	perBatch = 200
	// maxWalk bounds the rows looked through for one page; what comes then is
	// on the next: a page may be short, even empty, and still have one.
	maxWalk = 10_000
	// maxSeen ends a page whose rows name so many persons: the look at them is told to each.
	maxSeen = 1_000
	// maxCount bounds those looked through to count (_total=accurate).
	maxCount = 20_000
)

var (
	errSort = outcome.New(outcome.NotSupported, "audit.sort", "Nhật ký chỉ xếp theo _sort=-date: mới nhất trước.",
		"The log is sorted by _sort=-date only: newest first.").At("_sort")
	errTotal = outcome.New(outcome.NotSupported, "audit.total", "Nhật ký chỉ nhận _total=none hoặc accurate.",
		"The log takes _total=none or accurate only.").At("_total")
	errCount = outcome.New(outcome.TooCostly, "audit.count", "Quá nhiều dòng nhật ký nên không đếm được. Hãy tìm hẹp hơn.",
		"There are too many lines of the log to count. Please search more narrowly.").At("_total")
	errCursor = outcome.New(outcome.Invalid, "audit.cursor", "Đường dẫn trang kết quả không đúng.", "The link of the result page is not right.").At("_cursor")
	errPlace  = outcome.New(outcome.NotSupported, "audit.compartment", "Nhật ký chỉ nằm trong khoang (compartment) của Patient.",
		"The log is in the compartment of Patient only.")
)

// search is a query made ready.
type search struct {
	log     *Log
	sight   sight
	query   param.Query // what is left to be tested on the rendered row
	sets    [][]string  // a row is about somebody of each
	streams []stream
	before  int64
	count   int
	lo, hi  int64 // rows outside can't meet the query
}

// search reads a query (rest.Virtual).
func (l *Log) search(ctx context.Context, q *rest.Request, query param.Query) (rest.Find, error) {
	s := &search{log: l, query: query, before: newest, count: min(cmp.Or(query.Count, perPage), maxPage), lo: math.MinInt64, hi: math.MaxInt64}
	var err error
	if s.sight, err = sightOf(q.Access, store.CanSearch); err != nil {
		return nil, err
	}
	if len(query.Sort) > 0 && !slices.Equal(query.Sort, []param.Sort{{Param: "date", Desc: true}}) {
		return nil, errSort
	}
	if query.Total != "" && query.Total != "none" && query.Total != "accurate" {
		return nil, errTotal
	}
	if query.Cursor != "" {
		var ok bool
		if s.before, ok = l.names.seq(query.Cursor); !ok {
			return nil, errCursor
		}
	}
	if err := s.persons(ctx); err != nil {
		return nil, err
	}
	s.times()
	s.streams = s.along()
	return s.find, nil
}

// persons takes out of the query what is about a Patient: the row tells it, and a golden person is all its records.
func (s *search) persons(ctx context.Context) error {
	q := &s.query
	switch q.CompartmentType {
	case "":
	case "Patient":
		set, err := s.log.expand(ctx, q.CompartmentID)
		if err != nil {
			return err
		}
		s.sets, q.CompartmentType, q.CompartmentID = append(s.sets, set), "", ""
	default:
		return errPlace
	}
	var rest []param.Clause
	for _, c := range q.Where {
		if c.Param != "patient" || c.Modifier != "" && c.Modifier != "Patient" || slices.ContainsFunc(c.Values, func(m param.Match) bool { return m.Value.ID == "" }) {
			rest = append(rest, c)
			continue
		}
		set := []string{}
		for _, m := range c.Values {
			if m.Value.Type != "" && m.Value.Type != "Patient" {
				continue
			}
			more, err := s.log.expand(ctx, m.Value.ID)
			if err != nil {
				return err
			}
			set = append(set, more...)
		}
		s.sets = append(s.sets, set)
	}
	q.Where = rest
	return nil
}

// expand gives the records of a golden Patient; of any other Patient itself.
func (l *Log) expand(ctx context.Context, id string) ([]string, error) {
	list, err := l.Persons.Expand(ctx, id)
	if outcome.KindOf(err) == outcome.NotFound {
		return []string{id}, nil
	}
	if err == nil && !slices.Contains(list, id) {
		list = append(list, id)
	}
	return list, err
}

// times finds the time that dates leave open, so that rows outside are not rendered.
func (s *search) times() {
	for _, c := range s.query.Where {
		if c.Param != "date" || c.Modifier != "" || len(c.Values) != 1 {
			continue
		}
		v := c.Values[0]
		switch v.Prefix {
		case "eq", "":
			s.lo, s.hi = max(s.lo, v.Value.Lo), min(s.hi, v.Value.Hi)
		case "ge", "gt", "sa":
			s.lo = max(s.lo, v.Value.Lo)
		case "le", "lt", "eb":
			s.hi = min(s.hi, v.Value.Hi)
		}
	}
}

// along picks the index: the viewer's persons, those asked for, an agent, ids, or the whole log.
func (s *search) along() (list []stream) {
	about := s.sight.patients
	if s.sight.all || about == nil {
		about = nil
		if len(s.sets) > 0 {
			about = s.sets[0]
		}
	}
	if about != nil {
		for _, p := range about {
			list = append(list, stream{ofPatient, p}, stream{ofAgent, p})
		}
		return list
	}
	for _, c := range s.query.Where {
		switch {
		case c.Param == "_id" && c.Modifier == "":
			for _, m := range c.Values {
				if seq, ok := s.log.names.seq(m.Value.Code); ok {
					list = append(list, stream{ofOne, seq})
				}
			}
			return list
		case c.Param == "agent" && c.Modifier == "identifier" && !slices.ContainsFunc(c.Values, func(m param.Match) bool { return m.Value.System != AccountSystem }):
			for _, m := range c.Values {
				list = append(list, stream{ofAgent, m.Value.Code})
			}
			return list
		}
	}
	return []stream{{ofAll, int64(0)}}
}

// find answers the query (rest.Find).
func (s *search) find(ctx context.Context, l *rest.Look) (*store.Page, error) {
	page := &store.Page{Total: -1}
	w := s.log.renderer(l.Request)
	if s.query.Total == "accurate" || s.query.Summary == "count" {
		var err error
		if page.Total, err = s.total(ctx, l.Reader, w); err != nil || s.query.Summary == "count" {
			return page, err
		}
	}
	seen := map[string]bool{}
	last := int64(0)
	full, end, err := s.walk(ctx, l.Reader, w, s.before, maxWalk, func(x *row, r *store.Resource) bool {
		if len(page.Matches) == s.count || len(seen) >= maxSeen {
			return false
		}
		if r == nil {
			r = w.resource(x)
		}
		page.Matches, last = append(page.Matches, r), x.seq
		for _, p := range told(x) {
			seen[p] = true
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	switch {
	case full:
		page.Next = s.log.names.of(last)
	case end > 0:
		page.Next = s.log.names.of(end)
	}
	var patients []string
	for p := range seen {
		patients = append(patients, p)
	}
	l.Saw(patients...)
	return page, nil
}

func (s *search) total(ctx context.Context, r store.Reader, w renderer) (n int, err error) {
	_, end, err := s.walk(ctx, r, w, newest, maxCount, func(*row, *store.Resource) bool { n++; return true })
	if err == nil && end > 0 {
		err = errCount
	}
	return n, err
}

// walk gives the rows that meet the query, newest first, as the viewer sees
// them; the resource is nil when it was not needed to tell. stopped: yield did
// not want the last. end is the row at which most was looked through, 0 when the log has been.
func (s *search) walk(ctx context.Context, r store.Reader, w renderer, before int64, most int, yield func(*row, *store.Resource) bool) (stopped bool, end int64, err error) {
	for walked := 0; walked < most; {
		n := min(perBatch, max(s.count+1, 20))
		list, done, err := batch(ctx, r, s.streams, before, n)
		if err != nil {
			return false, 0, err
		}
		for _, x := range list {
			before = x.seq
			y, res, err := s.meets(x, w)
			if err != nil {
				return false, 0, err
			}
			if y != nil && !yield(y, res) {
				return true, 0, nil
			}
		}
		if done || len(list) == 0 {
			return false, 0, nil
		}
		walked += len(list)
	}
	return false, before, nil
}

// meets says whether a row is looked for: the row as its viewer sees it, nil
// when it is not. What is kept back from the viewer can't be searched either.
func (s *search) meets(x *row, w renderer) (*row, *store.Resource, error) {
	if x.at < s.lo || x.at > s.hi || !s.sight.sees(x) {
		return nil, nil, nil
	}
	y := s.sight.shown(x)
	for _, set := range s.sets {
		if !meet(y.persons(), set) {
			return nil, nil, nil
		}
	}
	values, whole := []param.Value(nil), false
	for _, c := range s.query.Where {
		if !isQuick(c) {
			whole = true
			continue
		}
		if values == nil {
			values = w.values(y)
		}
		if ok, err := s.log.Params().Holds(c, "AuditEvent", values); err != nil || !ok {
			return nil, nil, err
		}
	}
	if !whole {
		return y, nil, nil
	}
	r := w.resource(y)
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, nil, err
	}
	ok, err := s.log.Params().Meets(s.query, doc, param.Meta{ID: r.Key.ID, Updated: r.Updated}, nil)
	if err != nil || !ok {
		return nil, nil, err
	}
	return y, r, nil
}
