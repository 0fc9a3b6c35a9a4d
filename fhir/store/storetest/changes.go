package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/validate"
)

// structure: what has not the shape of its type enters by no door.
func structure(t *testing.T, s store.Store) {
	_, err := s.Prepare(store.Draft{Key: store.Key{Type: "Patient", ID: "p"}, Body: []byte(`{"resourceType":"Patient","gender":"M","nam":"y","name":"x"}`)})
	var f *validate.Failure
	if err == nil || !errors.As(err, &f) || len(f.Issues) < 3 || len(outcome.As(err).Expression) != 1 {
		t.Errorf("%v: %+v", err, f)
	}
}

// walk goes through all pages of a history and names its versions.
func walk(t *testing.T, s store.Store, a store.Access, q store.ChangesQuery) (list []string) {
	t.Helper()
	for range 1000 {
		var p *store.ChangesPage
		if err := s.View(t.Context(), a, func(r store.Reader) (err error) {
			p, err = r.Changes(t.Context(), q)
			return err
		}); err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if q.Count > 0 && len(p.Versions) > q.Count {
			t.Fatalf("%d versions on a page of %d", len(p.Versions), q.Count)
		}
		for _, v := range p.Versions {
			name := fmt.Sprintf("%s/%d", v.Key, v.Version)
			if v.Deleted {
				name += "-"
			} else if !strings.Contains(string(v.Body), fmt.Sprintf(`"versionId":"%d"`, v.Version)) {
				t.Errorf("%s: %s", name, v.Body)
			}
			list = append(list, name)
		}
		if q.Cursor = p.Next; q.Cursor == "" {
			return list
		}
	}
	t.Fatal("the history has no end")
	return nil
}

// pause lets the clock go on, and gives a time between what is before and behind.
func pause() time.Time {
	time.Sleep(3 * time.Millisecond)
	now := time.Now().Truncate(time.Millisecond)
	time.Sleep(3 * time.Millisecond)
	return now
}

// changes: the history of types and of everything tells all versions, newest
// first, each once, and those in time bounds; each by its own owner and persons.
func changes(t *testing.T, s store.Store) {
	ctx := t.Context()
	one := func(typ, id, body, owner string) {
		d := draft(typ, id, body)
		d.Owner = owner
		Put(t, s, All, d)
		time.Sleep(2 * time.Millisecond)
	}
	one("Patient", "a", `"gender":"male"`, "F1")
	one("Patient", "b", `"gender":"male"`, "F2")
	one("Condition", "c", `"subject":{"reference":"Patient/a"}`, "")
	t1 := pause()
	one("Patient", "a", `"gender":"female"`, "F1")
	if err := s.Update(ctx, All, func(tx store.Tx) error { return tx.Delete(ctx, store.Key{Type: "Patient", ID: "b"}, 0) }); err != nil {
		t.Fatal(err)
	}
	t2 := pause()
	one("Condition", "c", `"subject":{"reference":"Patient/b"}`, "") // it is about another person now
	one("Patient", "b", `"gender":"other"`, "F2")
	t3 := pause()
	one("Patient", "a", `"gender":"unknown"`, "F1")
	citizen := only(store.Filter{Patients: []string{"a"}, Types: map[string]store.Acts{"Patient": store.Everything, "Condition": store.CanHistory}})
	facility := only(store.Filter{Owners: []string{"F2"}, Types: map[string]store.Acts{"Patient": store.Everything}})
	const everything = "Patient/a/3 Patient/b/3 Condition/c/2 Patient/b/2- Patient/a/2 Condition/c/1 Patient/b/1 Patient/a/1"
	for _, c := range []struct {
		name string
		a    store.Access
		q    store.ChangesQuery
		want string
	}{
		{"all", All, store.ChangesQuery{}, everything},
		{"a type", All, store.ChangesQuery{Types: []string{"Condition"}}, "Condition/c/2 Condition/c/1"},
		{"two types", All, store.ChangesQuery{Types: []string{"Patient", "Condition", "Patient"}}, everything},
		{"a type without any", All, store.ChangesQuery{Types: []string{"Device"}}, ""},
		{"since", All, store.ChangesQuery{Since: t2}, "Patient/a/3 Patient/b/3 Condition/c/2"},
		{"at", All, store.ChangesQuery{At: t1}, "Condition/c/1 Patient/b/1 Patient/a/1"},
		{"at the end", All, store.ChangesQuery{At: t3}, "Patient/b/3 Condition/c/2 Patient/a/2"},
		{"in a period", All, store.ChangesQuery{At: t1, AtEnd: t2}, "Patient/b/2- Patient/a/2 Condition/c/1 Patient/b/1 Patient/a/1"},
		{"before all", All, store.ChangesQuery{At: t1.Add(-time.Hour)}, ""},
		{"citizen", citizen, store.ChangesQuery{}, "Patient/a/3 Patient/a/2 Condition/c/1 Patient/a/1"},
		{"facility", facility, store.ChangesQuery{}, "Patient/b/3 Patient/b/2- Patient/b/1"},
		{"facility, a type", facility, store.ChangesQuery{Types: []string{"Patient"}, Since: t2}, "Patient/b/3"},
	} {
		for _, n := range []int{0, 1, 2, 3} {
			if c.q.Count = n; strings.Join(walk(t, s, c.a, c.q), " ") != c.want {
				t.Errorf("%s, %d a page: %v, want %s", c.name, n, walk(t, s, c.a, c.q), c.want)
			}
		}
	}
	for _, bad := range []struct {
		a store.Access
		q store.ChangesQuery
		k outcome.Kind
	}{{facility, store.ChangesQuery{Types: []string{"Condition"}}, outcome.Forbidden}, {All, store.ChangesQuery{Cursor: "x"}, outcome.Invalid}} {
		err := s.View(ctx, bad.a, func(r store.Reader) error { _, err := r.Changes(ctx, bad.q); return err })
		want(t, err, bad.k)
	}
	instance(t, s, t1, t2, t3)
	if n := count(t, s, `SELECT COUNT(*) FROM audit WHERE agent = 'x' AND acts LIKE '%read Patient/b/2%'`); n == 0 {
		t.Error("the audit does not tell what was read of the history")
	}
}

// instance: the history of one resource in the same bounds.
func instance(t *testing.T, s store.Store, t1, t2, t3 time.Time) {
	for _, c := range []struct {
		p    store.HistoryPage
		want []int
	}{
		{store.HistoryPage{}, []int{3, 2, 1}},
		{store.HistoryPage{Since: t1}, []int{3, 2}},
		{store.HistoryPage{At: t1}, []int{1}},
		{store.HistoryPage{At: t2}, []int{2}},
		{store.HistoryPage{At: t1, AtEnd: t2}, []int{2, 1}},
		{store.HistoryPage{At: t3, AtEnd: t3.Add(time.Hour)}, []int{3, 2}},
		{store.HistoryPage{At: t1.Add(-time.Hour)}, nil},
	} {
		var got []int
		if err := s.View(t.Context(), All, func(r store.Reader) error {
			list, err := r.History(t.Context(), store.Key{Type: "Patient", ID: "a"}, c.p)
			for _, v := range list {
				got = append(got, v.Version)
			}
			return err
		}); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v %v, want %v", c.p, got, err, c.want)
		}
	}
}

// winners: of forty who write at once one wins, and nothing is lost.
func winners(t *testing.T, s store.Store) {
	ctx := t.Context()
	const writers = 40
	race := func(name string, f func(i int) error) {
		won, errs := 0, make(chan error, writers)
		for i := range writers {
			go func() { errs <- f(i) }()
		}
		for range writers {
			switch err := <-errs; {
			case err == nil:
				won++
			case outcome.KindOf(err) != outcome.Stale:
				t.Errorf("%s: %v", name, err)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d winners", name, won)
		}
	}
	Put(t, s, All, draft("Patient", "p", `"gender":"male"`))
	for round := range 3 {
		race("If-Match", func(i int) error {
			d := draft("Patient", "p", fmt.Sprintf(`"gender":"male","language":"x-%d-%d"`, round, i))
			d.IfMatch = round + 1
			_, err := put(ctx, s, All, d)
			return err
		})
	}
	for round := range 3 {
		race("conditional create", func(i int) error {
			return createIfNone(ctx, s, fmt.Sprint("number-", round), fmt.Sprintf("q-%d-%d", round, i))
		})
	}
	if r, err := read(ctx, s, All, store.Key{Type: "Patient", ID: "p"}); err != nil || r.Version != 4 {
		t.Errorf("%+v %v", r, err)
	}
	if ids, _, err := find(ctx, s, All, "Patient", "identifier=urn:n|"); len(ids) != 3 || err != nil {
		t.Errorf("%v %v", ids, err)
	}
}

// createIfNone is a conditional create as the API does it (FHIR R4 http.html#ccreate).
func createIfNone(ctx context.Context, s store.Store, number, id string) error {
	p, err := s.Prepare(draft("Patient", id, `"identifier":[{"system":"urn:n","value":"`+number+`"}]`))
	if err != nil {
		return err
	}
	q, err := query("Patient", "identifier=urn:n|"+number)
	if err != nil {
		return err
	}
	return s.Update(ctx, All, func(tx store.Tx) error {
		if err := tx.Claim(ctx, "Patient?identifier=urn:n|"+number); err != nil {
			return err
		}
		page, err := tx.Search(ctx, q)
		if err != nil {
			return err
		}
		if len(page.Matches) > 0 {
			return outcome.New(outcome.Stale, "test", "Đã có.", "It is there.")
		}
		_, err = tx.Put(ctx, p)
		return err
	})
}
