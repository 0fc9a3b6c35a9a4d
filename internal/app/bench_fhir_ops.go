package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/synth/bundle"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// fhirOp is an interaction to be measured.
type fhirOp struct {
	name   string
	budget float64 // CPU ms (issue "FHIR R4 engine"); 0: none
	each   bool    // the cost of one entry of the answer, not of the whole
	times  int     // requests; 0: --ops
	want   int     // status
	// request makes request i. It is asked for before the clock runs.
	request func(a *apiBench, i int) (*http.Request, error)
	// raw gives the keys whose bodies an answer holds, for the raw engine; nil: nothing to compare.
	raw bool
}

// operations are what is measured. Reads and searches are those of the largest
// facility's machine account, whose gate admits its own records only.
func (a *apiBench) operations() []fhirOp {
	get := func(path func(s *fhirSample, i int) string) func(*apiBench, int) (*http.Request, error) {
		return func(a *apiBench, i int) (*http.Request, error) {
			return a.request(http.MethodGet, path(a.sample, i), nil, a.sample.facility)
		}
	}
	query := func(typ string, q func(s *fhirSample, i int) url.Values) func(*apiBench, int) (*http.Request, error) {
		return get(func(s *fhirSample, i int) string { return typ + "?" + q(s, i).Encode() })
	}
	return []fhirOp{
		{name: "read", budget: 0.25, want: 200, raw: true, request: get(func(s *fhirSample, i int) string { return "Observation/" + pick(s.observations, i) })},
		{name: "search, 20 rows by code", budget: 1.5, want: 200, raw: true, request: query("Condition", func(s *fhirSample, i int) url.Values {
			return url.Values{"code": {pick(s.conditions, i)}, "_count": {"20"}}
		})},
		{name: "search, patient + code", budget: 1, want: 200, raw: true, request: query("Observation", func(s *fhirSample, i int) url.Values {
			p := pick(s.pairs, i)
			return url.Values{"patient": {p[0]}, "code": {p[1]}, "_count": {"20"}}
		})},
		{name: "search, chain by identifier", budget: 3, want: 200, raw: true, request: query("Encounter", func(s *fhirSample, i int) url.Values {
			return url.Values{"patient.identifier": {pick(s.identifiers, i)}, "_count": {"20"}}
		})},
		{name: "count, of a patient", budget: 3, want: 200, request: query("Observation", func(s *fhirSample, i int) url.Values {
			return url.Values{"patient": {pick(s.patients, i)}, "_summary": {"count"}}
		})},
		{name: "count, by code", budget: 3, want: 200, request: query("Condition", func(s *fhirSample, i int) url.Values {
			return url.Values{"code": {pick(s.conditions, i)}, "_summary": {"count"}}
		})},
		{name: "history of one", want: 200, raw: true, request: get(func(s *fhirSample, i int) string { return "Observation/" + pick(s.observations, i) + "/_history" })},
		{name: "create", budget: 1, want: 201, request: func(a *apiBench, i int) (*http.Request, error) {
			return a.request(http.MethodPost, "Observation", benchObservation(pick(a.sample.patients, i), i), a.sample.facility)
		}},
		{name: "bundle of 100, per resource", budget: 0.5, each: true, times: max(1, a.ops/50), want: 200, request: func(a *apiBench, _ int) (*http.Request, error) {
			body, err := a.fill.hundred()
			if err != nil {
				return nil, err
			}
			return a.request(http.MethodPost, "", body, "")
		}},
	}
}

func pick[T any](list []T, i int) (v T) {
	if len(list) == 0 {
		return v
	}
	return list[i*7919%len(list)] // a prime: neighbours in the store are not asked for one after the other
}

// hundred is a transaction of visits that are not stored yet, as many as make 100 resources or a few more.
func (f *filler) hundred() ([]byte, error) {
	var list []element.Resource
	met := map[store.Key]bool{}
	for len(list) < 100 {
		v, err, ok := f.next()
		if err != nil || !ok {
			return nil, errors.Join(errFewVisits, err)
		}
		for _, r := range v.Resources {
			if k := (store.Key{Type: r.Type, ID: r.ID}); !met[k] {
				met[k] = true
				list = append(list, r)
			}
		}
	}
	return bundle.Transaction(list), nil
}

// request makes one with the token of a facility, "" the operator's.
func (a *apiBench) request(method, path string, body []byte, facility string) (*http.Request, error) {
	r, err := http.NewRequest(method, "http://127.0.0.1/fhir/"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if path == "" {
		r.URL.Path = "/fhir"
	}
	if a.token[facility] == "" {
		if a.token[facility], err = a.node.authn.IssueToken(context.Background(), "system/*.cruds", facility, 12*time.Hour); err != nil {
			return nil, err
		}
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Authorization", "Bearer "+a.token[facility])
	r.Header.Set("Accept", "application/fhir+json")
	if body != nil {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	return r, nil
}

// caught is an answer: its status and its body.
type caught struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (t *caught) Header() http.Header { return t.header }

func (t *caught) WriteHeader(code int) {
	if t.code == 0 {
		t.code = code
	}
}

func (t *caught) Write(b []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	return t.body.Write(b)
}

// ask serves one request and gives the body.
func (a *apiBench) ask(ctx context.Context, r *http.Request, want int) ([]byte, error) {
	t := &caught{header: http.Header{}}
	a.node.Handler().ServeHTTP(t, r.WithContext(ctx))
	if d, err := r4.Parse(t.body.Bytes()); err == nil && t.code == http.StatusBadRequest && t.code != want {
		if issue := d.Root().Get("issue").At(0); issue.Get("code").Text() == string(outcome.NotSupported) {
			return nil, errRefused{issue.Get("details").Get("text").Text()}
		}
	}
	if t.code != want {
		return nil, fmt.Errorf("%s %s answers %d, not %d: %.600s", r.Method, r.URL, t.code, want, t.body.String())
	}
	return t.body.Bytes(), nil
}

// errRefused is an answer that says that there is none: the other interactions are measured all the same.
type errRefused struct{ text string }

func (e errRefused) Error() string { return e.text }

const fhirWarm = 40 // requests before the clock runs

// measure asks a number of times, several at once, and keeps the keys of what was answered for the raw engine.
func (a *apiBench) measure(ctx context.Context, op fhirOp) (fhirTime, error) {
	times := op.times
	warm := fhirWarm
	if times == 0 {
		times = a.ops
	} else {
		warm = min(warm, 2)
	}
	requests := make([]*http.Request, warm+times)
	for i := range requests {
		var err error
		if requests[i], err = op.request(a, i); err != nil {
			return fhirTime{}, err
		}
	}
	bodies := make([][]byte, len(requests))
	var spent atomic.Int64
	run := func(from, to int) error {
		work, ctx := errgroup.WithContext(ctx)
		work.SetLimit(benchSenders)
		for i := from; i < to; i++ {
			work.Go(func() (err error) {
				begin := time.Now()
				bodies[i], err = a.ask(ctx, requests[i], op.want)
				spent.Add(int64(time.Since(begin)))
				return err
			})
		}
		return work.Wait()
	}
	if err := run(0, warm); err != nil {
		var refused errRefused
		if errors.As(err, &refused) {
			return fhirTime{Name: op.name, Refused: refused.text}, nil
		}
		return fhirTime{}, err
	}
	spent.Store(0)
	stop, err := a.watch() // of the last one measured, when there are several: see --only
	if err != nil {
		return fhirTime{}, err
	}
	_, cpu, err := a.timed(ctx, func() error { return run(warm, len(requests)) })
	if err = errors.Join(err, stop()); err != nil {
		return fhirTime{}, err
	}
	t := fhirTime{Name: op.name, Times: times, CPU: ms(cpu) / float64(times), Budget: op.budget, Wall: ms(time.Duration(spent.Load())) / float64(times)}
	answers := make([][]store.Key, times)
	for i, body := range bodies[warm:] {
		rows, keys, err := fhirAnswer(body)
		if err != nil {
			return t, err
		}
		answers[i] = keys
		t.Rows += float64(rows) / float64(times)
	}
	if op.each {
		t.CPU /= max(1, t.Rows)
	}
	if op.raw {
		err = a.rawReads(ctx, answers, &t)
	}
	if op.name == "create" && len(a.out.Sizes) == 0 { // it passes over all postings: once is enough
		err = a.rawWrites(ctx, answers, &t)
	}
	return t, err
}

// fhirAnswer reads what an answer holds: the resource, or the entries of a Bundle; of a count its total.
func fhirAnswer(body []byte) (rows int, keys []store.Key, err error) {
	if len(body) == 0 {
		return 0, nil, nil
	}
	d, err := r4.Parse(body)
	if err != nil {
		return 0, nil, err
	}
	if d.Type() != "Bundle" {
		return 1, []store.Key{{Type: d.Type(), ID: d.ID()}}, nil
	}
	for e := range d.Root().Get("entry").Elems() {
		res := e.Get("resource")
		if typ := res.Get("resourceType").Text(); typ != "" && typ != "OperationOutcome" {
			keys = append(keys, store.Key{Type: typ, ID: res.Get("id").Text()})
		}
		rows++
	}
	if total := d.Root().Get("total").Text(); rows == 0 && total != "" {
		_, err = fmt.Sscan(strings.TrimSpace(total), &rows)
	}
	return rows, keys, err
}
