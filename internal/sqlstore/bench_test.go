package sqlstore

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
)

// filled is a store of n Observations of n/30 Patients ($YTSO_BENCH, or 15,000).
func filled(b *testing.B, o Options) *Store {
	n := 15_000
	if v, err := strconv.Atoi(os.Getenv("YTSO_BENCH")); err == nil {
		n = v
	}
	s := openTest(b, o)
	var group []*store.Prepared
	flush := func() {
		if err := s.Update(b.Context(), storetest.All, func(tx store.Tx) error {
			for _, p := range group {
				if _, err := tx.Put(b.Context(), p); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		group = group[:0]
	}
	add := func(d store.Draft) {
		p, err := s.Prepare(d)
		if err != nil {
			b.Fatal(err)
		}
		if group = append(group, p); len(group) == 200 {
			flush()
		}
	}
	for i := range n / 30 {
		add(store.Draft{Key: store.Key{Type: "Patient", ID: fmt.Sprint("p", i)}, Owner: "25001", Body: fmt.Appendf(nil,
			`{"resourceType":"Patient","identifier":[{"system":"urn:n","value":"%09d"}],"name":[{"text":"Nguyễn Văn %s %d","family":"Nguyễn","given":["Văn","%s"]}],"gender":"%s","birthDate":"19%02d-%02d-11"}`,
			i, []string{"An", "Bình", "Cường", "Dũng"}[i%4], i, []string{"An", "Bình", "Cường", "Dũng"}[i%4], []string{"male", "female"}[i%2], i%90, 1+i%12)})
	}
	for i := range n {
		add(observation(i, n/30))
	}
	flush()
	return s
}

func observation(i, patients int) store.Draft {
	return store.Draft{Key: store.Key{Type: "Observation", ID: fmt.Sprint("o", i)}, Owner: "25001", Body: fmt.Appendf(nil,
		`{"resourceType":"Observation","status":"%s","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"%d-%d","display":"Xét nghiệm"}],"text":"Xét nghiệm %d"},"subject":{"reference":"Patient/p%d"},"encounter":{"reference":"Encounter/e%d"},"effectiveDateTime":"20%02d-%02d-%02dT08:%02d:00+07:00","valueQuantity":{"value":%d.%d,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"},"note":[{"text":"%0800d"}]}`,
		[]string{"final", "final", "final", "amended"}[i%4], 1000+i%97, i%7, i%97, i*7919%patients, i/5, 16+i%10, 1+i%12, 1+i%28, i%60, 3+i%9, i%10, i)}
}

func BenchmarkStore(b *testing.B) {
	for _, engine := range []struct {
		name string
		o    func(b *testing.B) Options
	}{
		{"sqlite", func(b *testing.B) Options { return Options{Dir: b.TempDir(), Key: testKey} }},
		{"postgres", func(b *testing.B) Options { return Options{URL: pgtest.URL(b)} }},
	} {
		b.Run(engine.name, func(b *testing.B) { benchmarks(b, filled(b, engine.o(b))) })
	}
}

// processor reports the processor's time of an operation.
func processor(b *testing.B) func() {
	b.ReportAllocs()
	from := processorTime()
	return func() {
		b.ReportMetric(float64((processorTime()-from).Microseconds())/float64(b.N), "cpu-µs/op")
	}
}

func benchmarks(b *testing.B, s *Store) {
	ctx := b.Context()
	n := 0
	b.Run("read", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			n++
			if err := s.View(ctx, storetest.All, func(r store.Reader) error {
				_, err := r.Read(ctx, store.Key{Type: "Observation", ID: fmt.Sprint("o", n*31%10_000)})
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	made := 1_000_000
	b.Run("prepare", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			made++
			if _, err := s.Prepare(observation(made, 500)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("create", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			made++
			storetest.Put(b, s, storetest.All, observation(made, 500))
		}
	})
	b.Run("create100", func(b *testing.B) {
		defer processor(b)()
		for b.Loop() {
			if err := s.Update(ctx, storetest.All, func(tx store.Tx) error {
				for range 100 {
					made++
					p, err := s.Prepare(observation(made, 500))
					if err != nil {
						return err
					}
					if _, err := tx.Put(ctx, p); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, q := range []struct{ name, typ, text string }{
		{"code", "Observation", "code=http://loinc.org|1003-%d&_count=20"},
		{"patient+code", "Observation", "patient=p%d&code=1003-3"},
		{"code+date", "Observation", "code=1003-%d&date=ge2020-05&_sort=-date&_count=20"},
		{"chain", "Observation", "subject:Patient.identifier=urn:n|00000000%d&_count=20"},
		{"chain wide", "Observation", "subject:Patient.gender=female&code=1003-%d&_count=20"},
		{"has", "Patient", "_has:Observation:patient:code=1003-%d&_count=20"},
		{"name", "Patient", "name=nguyen van&_count=20&gender=male&_tag:missing=true&birthdate=gt19%d0"},
		{"count", "Observation", "code=1003-%d&status=final&_summary=count"},
		{"number", "Observation", "value-quantity=gt1%d&code=1003-3&_count=20"},
		{"include", "Observation", "code=1003-%d&_count=20&_include=Observation:patient"},
		{"updated", "Observation", "_sort=-_lastUpdated&_count=20&status:not=x%d"},
		{"composite", "Observation", "code-value-quantity=1003-%d$gt5&_count=20"},
	} {
		b.Run(q.name, func(b *testing.B) {
			defer processor(b)()
			found := 0
			for b.Loop() {
				n++
				query, err := param.Parse(q.typ, storetest.Values(fmt.Sprintf(q.text, n%7)))
				if err != nil {
					b.Fatal(err)
				}
				if err := s.View(ctx, storetest.All, func(r store.Reader) error {
					p, err := r.Search(ctx, query)
					if err == nil {
						found += len(p.Matches) + max(p.Total, 0)
					}
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(found)/float64(b.N), "found/op")
		})
	}
}
