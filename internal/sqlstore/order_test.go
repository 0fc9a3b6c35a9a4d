package sqlstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/store/storetest"
)

// keyOf is by what a resource is sorted (FHIR R4 search.html#sort), nil when it has no value.
func keyOf(x *thing, k param.Sort, kind param.Kind) (key *sortKey) {
	for _, v := range x.values {
		if v.Param != k.Param {
			continue
		}
		var n sortKey
		switch kind {
		case param.Date:
			if n.N = v.Lo; v.Lo == param.Earliest {
				continue
			}
		case param.Number, param.Quantity:
			n.N = sortable(float(v.NumLo))
		case param.String:
			n.S = cutText(fold.Key(v.Text))
		default:
			if n.S = sortText(v); n.S == "" {
				continue
			}
		}
		if key == nil || n.compare(*key, k.Desc) < 0 {
			key = &n
		}
	}
	return key
}

// TestSort: pages of every size are in the order of the keys, who has none
// comes last, and each resource comes once: sorted for the page, and along the index.
func TestSort(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		w := newWorld(t, openTest(t, options(t)), 300)
		usual := w.s.bounds
		rnd := rand.New(rand.NewPCG(7, 8))
		for _, c := range []struct{ typ, sort string }{
			{"Observation", "date"}, {"Observation", "-date"}, {"Observation", "value-quantity"}, {"Observation", "-value-quantity"}, {"Observation", "code"},
			{"Observation", "status,-date"}, {"Observation", "-subject,value-quantity,_id"}, {"Encounter", "date"}, {"Encounter", "-date"}, {"Encounter", "-_lastUpdated"}, {"Encounter", "_lastUpdated"},
			{"Patient", "name"}, {"Patient", "-name"}, {"Patient", "birthdate"}, {"Patient", "-birthdate,name"}, {"Patient", "-_id"}, {"Organization", "name"}, {"Observation", "-subject"}, {"Location", "-name"},
		} {
			for _, limit := range []int{usual.sort, 1, 0} { // 1: with a glance at the index
				if w.s.bounds.sort, w.s.bounds.probe = limit, usual.probe; limit == 1 {
					w.s.bounds.sort, w.s.bounds.probe = usual.sort, 3
				}
				if limit == 0 && (strings.Contains(c.sort, ",") || slices.Contains([]string{"code", "-subject", "-_id"}, c.sort)) {
					_, err := w.pages(t, c.typ, "_sort="+c.sort, 7)
					if outcome.KindOf(err) != outcome.TooCostly {
						t.Errorf("%s by %s beyond the bound: %v", c.typ, c.sort, err)
					}
					continue
				}
				w.inOrder(t, c.typ, c.sort, 1+rnd.IntN(12), limit)
			}
		}
		w.s.bounds = usual
		for _, sort := range []string{"-_lastUpdated", "_lastUpdated", "_id", ""} {
			w.manyTypes(t, sort)
		}
	})
}

// manyTypes: several types in one order, each once.
func (w *world) manyTypes(t *testing.T, sort string) {
	for _, limit := range []int{10_000, 0} {
		if w.s.bounds.sort = limit; limit == 0 && sort == "_id" {
			continue
		}
		text := "_type=Observation,Patient,Encounter"
		if sort != "" {
			text += "&_sort=" + sort
		}
		keys, err := w.pages(t, "", text, 13)
		want := 0
		for _, x := range w.list {
			if slices.Contains([]string{"Observation", "Patient", "Encounter"}, x.key.Type) {
				want++
			}
		}
		q, _ := query("", text)
		for i := range keys {
			if i > 0 && sort != "" && sort != "_id" && w.before(w.all[keys[i]], w.all[keys[i-1]], q.Sort) {
				t.Errorf("by %s (%d): %s comes before %s", sort, limit, keys[i-1], keys[i])
			}
		}
		slices.SortFunc(keys, func(a, b store.Key) int { return strings.Compare(a.String(), b.String()) })
		if n := len(slices.Compact(keys)); n != want || err != nil {
			t.Errorf("by %s (%d): %d of %d %v", sort, limit, n, want, err)
		}
	}
}

// TestManyValues: thousands of values joined by OR, more than a statement has room for.
func TestManyValues(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		w := newWorld(t, openTest(t, options(t)), 150)
		of := func(code string, kind param.Kind, value func(i int) param.Value) param.Clause {
			c := param.Clause{Param: code, Kind: kind}
			for i := range 40_000 {
				c.Values = append(c.Values, param.Match{Prefix: "eq", Value: value(i)})
			}
			return c
		}
		codes := of("code", param.Token, func(i int) param.Value { return param.Value{System: "http://loinc.org", Code: fmt.Sprint("c", i+3)} })
		people := of("patient", param.Reference, func(i int) param.Value { return param.Value{Type: "Patient", ID: fmt.Sprint("s", i+2)} })
		ids := of("_id", param.Token, func(i int) param.Value { return param.Value{Code: fmt.Sprint("o", i+10)} })
		not := codes
		not.Modifier = "not"
		for i, where := range [][]param.Clause{{codes}, {people}, {ids}, {codes, people, ids}, {not, ids}} {
			q := param.Query{Type: "Observation", Where: where, Count: 500}
			var want []string
			for _, x := range w.list {
				n := 0
				_, err := fmt.Sscanf(x.key.ID, "o%d", &n)
				is := map[string]bool{"patient": slices.ContainsFunc(x.values, func(v param.Value) bool {
					return v.Param == "patient" && (v.ID == "s2" || v.ID == "s3")
				}), "code": slices.ContainsFunc(x.values, func(v param.Value) bool { return v.Param == "code" && (v.Code == "c3" || v.Code == "c4") }), "_id": err == nil && n >= 10}
				ok := x.key.Type == "Observation"
				for _, c := range where {
					ok = ok && is[c.Param] != (c.Modifier == "not")
				}
				if ok {
					want = append(want, x.key.String())
				}
			}
			slices.Sort(want)
			got, total, err := w.search(t.Context(), q)
			if err != nil || !slices.Equal(got, want) || total != len(want) || len(want) == 0 {
				t.Errorf("%d: %v (%d) %v, want %v", i, got, total, err, want)
			}
		}
	})
}

func (w *world) inOrder(t *testing.T, typ, sort string, count, limit int) {
	t.Helper()
	got, err := w.pages(t, typ, "_sort="+sort, count)
	if err != nil {
		t.Errorf("%s by %s (%d): %v", typ, sort, limit, err)
		return
	}
	q, err := query(typ, "_sort="+sort)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, x := range w.list {
		if x.key.Type == typ {
			n++
		}
	}
	seen := map[store.Key]bool{}
	for i, k := range got {
		if seen[k] {
			t.Errorf("%s by %s (%d): %s twice", typ, sort, limit, k)
		}
		seen[k] = true
		if i > 0 && w.before(w.all[k], w.all[got[i-1]], q.Sort) {
			t.Errorf("%s by %s (%d): %s comes before %s", typ, sort, limit, got[i-1], k)
		}
	}
	if len(got) != n {
		t.Errorf("%s by %s (%d): %d of %d", typ, sort, limit, len(got), n)
	}
}

func (w *world) before(x, y *thing, keys []param.Sort) bool {
	for _, k := range keys {
		kind := w.s.params.Load().of(x.key.Type)[k.Param].Kind
		a, b := keyOf(x, k, kind), keyOf(y, k, kind)
		switch {
		case a == nil && b == nil:
			continue
		case a == nil || b == nil:
			return b == nil
		}
		if c := a.compare(*b, k.Desc); c != 0 {
			return c < 0
		}
	}
	return false
}

func query(typ, text string) (param.Query, error) {
	return param.Parse(typ, storetest.Values(text))
}

// pages walks a search.
func (w *world) pages(t *testing.T, typ, text string, count int) (keys []store.Key, err error) {
	q, err := query(typ, text)
	if err != nil {
		t.Fatal(err)
	}
	q.Count = count
	for range 10_000 {
		var p *store.Page
		if err = w.s.View(t.Context(), w.access, func(r store.Reader) (err error) { p, err = r.Search(t.Context(), q); return err }); err != nil {
			return keys, err
		}
		if len(p.Matches) > count {
			t.Fatalf("%d on a page of %d", len(p.Matches), count)
		}
		for _, m := range p.Matches {
			keys = append(keys, m.Key)
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			return keys, nil
		}
	}
	t.Fatal("no end")
	return nil, nil
}

// TestPagesWhileWriting: who walks pages while others write meets each resource that stayed exactly once.
func TestPagesWhileWriting(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		s := openTest(t, options(t))
		w := &world{s: s, access: storetest.All}
		const stay = 120
		patient := func(id string, i int) {
			storetest.Put(t, s, storetest.All, store.Draft{Key: store.Key{Type: "Patient", ID: id}, Body: fmt.Appendf(nil, `{"resourceType":"Patient","name":[{"text":"Tên %03d"}],"birthDate":"19%02d-01-01","gender":"male"}`, i, i%90)})
		}
		for i := range stay {
			patient(fmt.Sprintf("stay%d", i), i*7%stay)
		}
		usual := s.bounds
		for _, text := range []string{"", "_sort=name", "_sort=-birthdate,name", "gender=male&name:contains=n", "_sort=-_lastUpdated", "walk"} {
			s.bounds = usual
			if text == "walk" {
				s.bounds.sort, text = 0, "_sort=-birthdate"
			}
			stop, done := make(chan struct{}), sync.WaitGroup{}
			done.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					id := fmt.Sprintf("come%d", i%20)
					patient(id, i)
					if i%3 == 0 {
						if err := s.Update(t.Context(), storetest.All, func(tx store.Tx) error { return tx.Delete(t.Context(), store.Key{Type: "Patient", ID: id}, 0) }); err != nil {
							t.Error(err)
						}
					}
				}
			})
			keys, err := w.pages(t, "Patient", text, 9)
			close(stop)
			done.Wait()
			times := map[string]int{}
			for _, k := range keys {
				times[k.ID]++
			}
			for i := range stay {
				if id := fmt.Sprintf("stay%d", i); times[id] != 1 || err != nil {
					t.Fatalf("%q: %s came %d times %v", text, id, times[id], err)
				}
			}
		}
	})
}

// TestIncludes: each once, along the references asked for, and nothing that is not to be seen.
func TestIncludes(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		w := newWorld(t, openTest(t, options(t)), 150)
		citizen := w.part(t, store.Filter{Patients: []string{"s1"}, Public: true, Types: map[string]store.Acts{"*": store.Everything, "Organization": store.CanSearch}})
		for _, c := range []struct {
			w                  *world
			typ, text, include string
		}{
			{w, "Observation", "_id=o1&_include=Observation:encounter&_include:iterate=Encounter:service-provider", "Encounter/en1 Organization/org1"},
			{w, "Observation", "_id=o1&_include=Observation:encounter&_include=Encounter:service-provider", "Encounter/en1"},
			{w, "Observation", "_id=o1&_include=Observation:encounter&_include:iterate=Encounter:service-provider&_include:iterate=Organization:partof", "Encounter/en1 Organization/org1 Organization/org2"},
			{w, "Observation", "_id=o1,o2&_include=Observation:patient", "Patient/s1 Patient/s2"},
			{w, "Observation", "_id=o1,o2&_include=Observation:subject:Patient", "Patient/s1 Patient/s2"},
			{w, "Observation", "_id=o1,o2&_include=Observation:subject:Group", ""},
			{w, "Observation", "_id=o2&_include=*", "Organization/org1 Patient/s2 Practitioner/dr1"},
			{w, "Observation", "_id=o2&_include=Observation:*", "Organization/org1 Patient/s2 Practitioner/dr1"},
			{w, "Patient", "_id=s3&_revinclude=Encounter:patient", "Encounter/en11 Encounter/en3 Encounter/en7"},
			{w, "Patient", "_id=g2&_revinclude=Encounter:subject", "Encounter/en11 Encounter/en3 Encounter/en7"},
			{w, "Patient", "_id=g0&_revinclude=Encounter:patient&_revinclude=Patient:link", "Encounter/en1 Encounter/en10 Encounter/en2 Encounter/en5 Encounter/en6 Encounter/en9 Patient/g00 Patient/g1"},
			{citizen, "Observation", "_include=Observation:encounter&_include:iterate=Encounter:service-provider&_include=Observation:patient", "Encounter/en1 Patient/s1"},
			{citizen, "Encounter", "_revinclude=Observation:encounter", ""},
			{w, "Encounter", "_id=en3&_summary=count&_include=Encounter:patient", ""},
		} {
			q, err := query(c.typ, c.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			if err := w.s.View(t.Context(), c.w.access, func(r store.Reader) error {
				p, err := r.Search(t.Context(), q)
				if err == nil {
					for _, m := range p.Included {
						if got = append(got, m.Key.String()); slices.Contains(p.Matches, m) {
							t.Errorf("%s is a match", m.Key)
						}
					}
				}
				return err
			}); err != nil {
				t.Errorf("%s: %v", c.text, err)
			}
			slices.Sort(got)
			if strings.Contains(c.text, "_revinclude=Observation:encounter") {
				for _, k := range got {
					if x := c.w.all[store.Key{Type: "Observation", ID: strings.TrimPrefix(k, "Observation/")}]; !slices.Contains(c.w.list, x) {
						t.Errorf("%s is shown", k)
					}
				}
				continue
			}
			if strings.Join(got, " ") != c.include {
				t.Errorf("%s?%s: %v, want %s", c.typ, c.text, got, c.include)
			}
		}
	})
}

// TestCompartment: what is in a compartment is what its parameters say.
func TestCompartment(t *testing.T) {
	engines(t, func(t *testing.T, options func(t *testing.T) Options) {
		w := newWorld(t, openTest(t, options(t)), 420)
		n := 0
		for _, of := range []string{"Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"} {
			for _, focus := range w.list {
				if focus.key.Type != of {
					continue
				}
				q := param.Query{CompartmentType: of, CompartmentID: focus.key.ID, Count: 1000}
				var want []string
				for _, x := range w.list {
					for _, k := range focus.stands {
						if param.InCompartment(of, k.ID, x.key.Type, x.key.ID, x.values) {
							want = append(want, x.key.String())
							break
						}
					}
				}
				slices.Sort(want)
				got, total, err := w.search(t.Context(), q)
				if n += len(want); err != nil || !slices.Equal(got, want) || total != len(want) {
					t.Errorf("%s: %v (%d) %v, want %v", focus.key, got, total, err, want)
				}
			}
		}
		if n < 300 {
			t.Errorf("%d in compartments", n)
		}
	})
}
