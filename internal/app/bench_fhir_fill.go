package app

import (
	"context"
	"errors"
	"iter"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/bundle"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// filler writes the visits of an invented province into a store, each as the
// record of its facility.
type filler struct {
	next func() (bundle.Visit, error, bool)
	stop func()

	mu     sync.Mutex
	seen   map[store.Key]bool
	count  int
	visits int
	mix    map[string]int
	kept   map[string]*fhirSample
}

// fhirSample is what is asked for: records of one facility.
type fhirSample struct {
	facility     string
	visits       int
	patients     []string    // ids
	identifiers  []string    // of patients: system|value
	observations []string    // ids
	pairs        [][2]string // of an Observation: patient's id, code as system|code
	conditions   []string    // codes as system|code
}

const maxSample = 4000

// newFiller plans a province in which n resources can be found, and some more for the bundles.
func newFiller(n int) *filler {
	people := 600 + n/12
	f := &filler{seen: map[store.Key]bool{}, mix: map[string]int{}, kept: map[string]*fhirSample{}}
	next, stop := iter.Pull2(bundle.Visits(synth.New(synth.Options{People: people, Seed: 7}), 7))
	f.next = func() (bundle.Visit, error, bool) {
		v, err, ok := next()
		return v, err, ok
	}
	f.stop = stop
	return f
}

var errFewVisits = errors.New("the invented province has not so many visits")

// to stores visits until n resources are there.
func (f *filler) to(ctx context.Context, node *Node, n int) error {
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(benchSenders)
	for f.size() < n && ctx.Err() == nil {
		v, err, ok := f.next()
		if err != nil || !ok {
			return errors.Join(errFewVisits, err, work.Wait())
		}
		work.Go(func() error { return f.put(ctx, node, a, v) })
	}
	return work.Wait()
}

func (f *filler) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// put stores a visit in one transaction: of what is there already nothing is written again.
func (f *filler) put(ctx context.Context, node *Node, a store.Access, v bundle.Visit) error {
	var list []*store.Prepared
	for _, r := range f.fresh(v) {
		p, err := node.store.Prepare(store.Draft{Key: store.Key{Type: r.Type, ID: r.ID}, Body: r.Body, Owner: v.Facility})
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	f.keep(v.Facility, list)
	return node.store.Update(ctx, a, func(tx store.Tx) error {
		tx.Audit(store.Note{Action: "bench.fill"})
		for _, p := range list {
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// fresh leaves what was not stored before, and counts it.
func (f *filler) fresh(v bundle.Visit) (list []element.Resource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visits++
	for _, r := range v.Resources {
		if k := (store.Key{Type: r.Type, ID: r.ID}); !f.seen[k] {
			f.seen[k] = true
			f.mix[r.Type]++
			f.count++
			list = append(list, r)
		}
	}
	return list
}

// keep notes what may be asked for later.
func (f *filler) keep(facility string, list []*store.Prepared) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.kept[facility]
	if s == nil {
		s = &fhirSample{facility: facility}
		f.kept[facility] = s
	}
	s.visits++
	for _, p := range list {
		root := p.Doc.Root()
		switch k := p.Draft.Key; k.Type {
		case "Patient":
			for id := range root.Get("identifier").Elems() {
				if id.Get("system").Exists() && len(s.patients) < maxSample {
					s.patients = append(s.patients, k.ID)
					s.identifiers = append(s.identifiers, id.Get("system").Text()+"|"+id.Get("value").Text())
					break
				}
			}
		case "Observation":
			if len(s.observations) < maxSample {
				s.observations = append(s.observations, k.ID)
				if subject := root.Get("subject").Get("reference").Text(); codeOf(root) != "" && len(subject) > 8 {
					s.pairs = append(s.pairs, [2]string{subject[len("Patient/"):], codeOf(root)})
				}
			}
		case "Condition":
			if c := codeOf(root); c != "" && len(s.conditions) < maxSample {
				s.conditions = append(s.conditions, c)
			}
		}
	}
}

// codeOf gives the first coding of an element's code.
func codeOf(root r4.Node) string {
	c := root.Get("code").Get("coding").At(0)
	if !c.Get("code").Exists() {
		return ""
	}
	return c.Get("system").Text() + "|" + c.Get("code").Text()
}

func (f *filler) mixed() map[string]int {
	out := map[string]int{}
	for typ, n := range f.mix {
		out[typ] = n
	}
	return out
}

// sample is that of the facility with the most visits.
func (f *filler) sample() *fhirSample {
	best := &fhirSample{}
	for _, s := range f.kept {
		if s.visits > best.visits || s.visits == best.visits && s.facility < best.facility {
			best = s
		}
	}
	return best
}
