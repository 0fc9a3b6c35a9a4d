// Package storetest is the suite that every fhir/store must pass.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
)

// Run runs the suite; open gives an empty store with the table
// counter(name TEXT PRIMARY KEY, n BIGINT) of a room beside it.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, store.Store)
	}{
		{"lifecycle", lifecycle},
		{"bytes", lossless},
		{"search", search},
		{"dates", dates},
		{"person", person},
		{"pages", pages},
		{"gate", gate},
		{"atomic", atomic},
		{"audit", audit},
		{"structure", structure},
		{"changes", changes},
		{"winners", winners},
		{"concurrent", concurrent},
		{"model", model},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, open(t)) })
	}
}

// All is access to everything, for tests.
var All = store.Access{
	Agent: store.Agent{Kind: store.System, ID: "test", Name: "test"}, Purpose: "SYSADMIN", Right: "test",
	Filter: store.Filter{All: true, Types: map[string]store.Acts{"*": store.Everything}},
}

// Put writes a resource and fails the test when it can't.
func Put(t testing.TB, s store.Store, a store.Access, d store.Draft) *store.Resource {
	t.Helper()
	r, err := put(t.Context(), s, a, d)
	if err != nil {
		t.Fatalf("put %s: %v", d.Key, err)
	}
	return r
}

func put(ctx context.Context, s store.Store, a store.Access, d store.Draft) (r *store.Resource, err error) {
	p, err := s.Prepare(d)
	if err != nil {
		return nil, err
	}
	err = s.Update(ctx, a, func(tx store.Tx) error {
		r, err = tx.Put(ctx, p)
		return err
	})
	return r, err
}

func read(ctx context.Context, s store.Store, a store.Access, k store.Key) (r *store.Resource, err error) {
	err = s.View(ctx, a, func(x store.Reader) error {
		r, err = x.Read(ctx, k)
		return err
	})
	return r, err
}

// least is what a type must have besides what a test is about.
var least = map[string][2]string{
	"Observation": {`"status"`, `"status":"final"`},
	"Condition":   {`"subject"`, `"subject":{"display":"x"}`},
}

func draft(typ, id, body string) store.Draft {
	if l, ok := least[typ]; ok && !strings.Contains(body, l[0]) {
		body += "," + l[1]
	}
	return store.Draft{Key: store.Key{Type: typ, ID: id}, Body: []byte(`{"resourceType":"` + typ + `",` + body + `}`)}
}

// Values reads a query's text, for tests.
func Values(text string) url.Values {
	v, err := url.ParseQuery(text)
	if err != nil {
		panic(err)
	}
	return v
}

func query(typ, text string) (q param.Query, err error) {
	v, err := url.ParseQuery(text)
	if err != nil {
		return q, err
	}
	return param.Parse(typ, v)
}

func find(ctx context.Context, s store.Store, a store.Access, typ, text string) (ids []string, p *store.Page, err error) {
	q, err := query(typ, text)
	if err != nil {
		return nil, nil, err
	}
	err = s.View(ctx, a, func(x store.Reader) error {
		p, err = x.Search(ctx, q)
		return err
	})
	if err == nil {
		for _, m := range p.Matches {
			ids = append(ids, m.Key.ID)
		}
	}
	return ids, p, err
}

func want(t *testing.T, err error, k outcome.Kind) {
	t.Helper()
	if err == nil || outcome.KindOf(err) != k {
		t.Errorf("error %v, want kind %s", err, k)
	}
}

func lifecycle(t *testing.T, s store.Store) {
	ctx, k := t.Context(), store.Key{Type: "Patient", ID: "p1"}
	_, err := read(ctx, s, All, k)
	want(t, err, outcome.NotFound)
	first := Put(t, s, All, draft("Patient", "p1", `"gender":"male"`))
	if first.Version != 1 || !first.Changed {
		t.Errorf("first: %+v", first)
	}
	if same := Put(t, s, All, draft("Patient", "p1", `"gender":"male"`)); same.Version != 1 || same.Changed {
		t.Errorf("the same bytes again: %+v", same)
	}
	d := draft("Patient", "p1", `"gender":"female"`)
	d.IfMatch = 7
	_, err = put(ctx, s, All, d)
	want(t, err, outcome.Stale)
	d.IfMatch = store.IfNone
	_, err = put(ctx, s, All, d)
	want(t, err, outcome.Stale)
	d.IfMatch = 1
	if second := Put(t, s, All, d); second.Version != 2 {
		t.Errorf("second: %+v", second)
	}
	if err := s.Update(ctx, All, func(tx store.Tx) error { return tx.Delete(ctx, k, 1) }); outcome.KindOf(err) != outcome.Stale {
		t.Errorf("delete of an old version: %v", err)
	}
	for range 2 {
		if err := s.Update(ctx, All, func(tx store.Tx) error { return tx.Delete(ctx, k, 0) }); err != nil {
			t.Error(err)
		}
	}
	_, err = read(ctx, s, All, k)
	want(t, err, outcome.Deleted)
	if ids, _, err := find(ctx, s, All, "Patient", ""); len(ids) != 0 || err != nil {
		t.Errorf("found after delete: %v %v", ids, err)
	}
	d.IfMatch = store.IfNone
	if r := Put(t, s, All, d); r.Version != 4 {
		t.Errorf("made again: %+v", r)
	}
	err = s.View(ctx, All, func(r store.Reader) error {
		list, err := r.History(ctx, k, store.HistoryPage{})
		if err != nil || len(list) != 4 || list[0].Version != 4 || !list[1].Deleted || list[3].Version != 1 {
			t.Errorf("history %v %v", list, err)
		}
		if list, err = r.History(ctx, k, store.HistoryPage{Count: 1, Before: 3}); err != nil || len(list) != 1 || list[0].Version != 2 {
			t.Errorf("history page %v %v", list, err)
		}
		one, err := r.ReadVersion(ctx, k, 1)
		if err != nil || !strings.Contains(string(one.Body), `"male"`) || !strings.Contains(string(one.Body), `"versionId":"1"`) {
			t.Errorf("version 1: %v", err)
		}
		_, err = r.ReadVersion(ctx, k, 3)
		want(t, err, outcome.Deleted)
		_, err = r.ReadVersion(ctx, k, 9)
		want(t, err, outcome.NotFound)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, bad := range []store.Draft{
		draft("Patient", "a/b", `"gender":"male"`), draft("Nothing", "x", `"a":1`), {Key: k, Body: []byte(`{"resourceType":"Observation"}`)}, {Key: k, Body: []byte(`[]`)}, {Key: k, Body: []byte(`{`)},
	} {
		if _, err := s.Prepare(bad); err == nil {
			t.Errorf("prepared %s", bad.Body)
		}
	}
	if r := Put(t, s, All, draft("Patient", "", `"gender":"male"`)); len(r.Key.ID) != 36 {
		t.Errorf("random id %q", r.Key.ID)
	}
}

func lossless(t *testing.T, s store.Store) {
	src := `{"id":"other","resourceType":"Observation","meta":{"versionId":"9","lastUpdated":"2000-01-01T00:00:00Z","tag":[{"system":"urn:s","code":"c"}]},"status":"final","code":{"text":"Đường huyết \u00e9"},"valueQuantity":{"value":1.2300, "unit":"mg"}}`
	r := Put(t, s, All, store.Draft{Key: store.Key{Type: "Observation", ID: "o"}, Body: []byte(src)})
	got, err := read(t.Context(), s, All, r.Key)
	if err != nil {
		t.Fatal(err)
	}
	body := string(got.Body)
	for _, part := range []string{`"value":1.2300, "unit"`, `\u00e9`, `"id":"o"`, `"versionId":"1"`, `"tag":[{"system":"urn:s","code":"c"}]`} {
		if !strings.Contains(body, part) {
			t.Errorf("%s is not in %s", part, body)
		}
	}
	if strings.Contains(body, `"9"`) || strings.Contains(body, "other") || !json.Valid(got.Body) {
		t.Errorf("body %s", body)
	}
}

func search(t *testing.T, s store.Store) {
	ctx := t.Context()
	for i, p := range []string{
		`"identifier":[{"system":"urn:n","value":"001"}],"name":[{"text":"Nguyễn Văn Đông","family":"Nguyễn","given":["Văn","Đông"]}],"gender":"male","birthDate":"1980-05-02"`,
		`"identifier":[{"value":"001"}],"name":[{"text":"Nguyen Thi Dong"}],"gender":"female","birthDate":"1980"`,
		`"identifier":[{"system":"urn:m","value":"001"},{"system":"urn:n","value":"003"}],"name":[{"text":"Trần Thị Hồng Nhung"}],"gender":"female","birthDate":"1990-12-31","active":true`,
	} {
		Put(t, s, All, draft("Patient", fmt.Sprint("p", i), p))
	}
	for i, o := range []string{
		`"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}],"text":"HbA1c"},"subject":{"reference":"Patient/p0"},"effectiveDateTime":"2026-03-10T08:30:00+07:00","valueQuantity":{"value":7.10,"system":"http://unitsofmeasure.org","code":"%"}`,
		`"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"4548-4"}]},"subject":{"reference":"Patient/p0"},"effectiveDateTime":"2026-03-11","valueQuantity":{"value":6.5,"system":"http://unitsofmeasure.org","code":"%"}`,
		`"status":"amended","code":{"coding":[{"system":"http://loinc.org","code":"718-7"}]},"subject":{"reference":"Patient/p1"},"effectivePeriod":{"start":"2026-02-01","end":"2026-04-01"}`,
		`"status":"final","code":{"text":"x"},"subject":{"identifier":{"system":"urn:n","value":"77"}}`,
	} {
		Put(t, s, All, draft("Observation", fmt.Sprint("o", i), o))
	}
	for _, c := range []struct{ typ, query, want string }{
		{"Patient", "identifier=001", "p0 p1 p2"},
		{"Patient", "identifier=urn:n|001", "p0"},
		{"Patient", "identifier=|001", "p1"},
		{"Patient", "identifier=urn:n|", "p0 p2"},
		{"Patient", "identifier=urn:n|001,urn:n|003", "p0 p2"},
		{"Patient", "identifier=urn:n|001&gender=female", ""},
		{"Patient", "name=nguyen", "p0 p1"},
		{"Patient", "name=NGUYỄN", "p0 p1"},
		{"Patient", "name=dong", "p0 p1"},
		{"Patient", "name=hong nh", "p2"},
		{"Patient", "name=ong", ""},
		{"Patient", "name:exact=Nguyễn", "p0"},
		{"Patient", "name:exact=Nguyen", ""},
		{"Patient", "name=nguyen,tran", "p0 p1 p2"},
		{"Patient", "family=ng", "p0"},
		{"Patient", "gender:not=male", "p1 p2"},
		{"Patient", "active:missing=true", "p0 p1"},
		{"Patient", "active:missing=false", "p2"},
		{"Patient", "active=true", "p2"},
		{"Patient", "birthdate=1980", "p0 p1"},
		{"Patient", "birthdate=1980-05-02", "p0"},
		{"Patient", "birthdate=ge1980-06", "p1 p2"},
		{"Patient", "birthdate=lt1981", "p0 p1"},
		{"Patient", "birthdate=ne1980", "p2"},
		{"Patient", "birthdate=sa1980-12-31", "p2"},
		{"Patient", "birthdate=eb1981", "p0 p1"},
		{"Patient", "birthdate=1980,1990", "p0 p1 p2"},
		{"Patient", "_id=p2,p1,zz", "p1 p2"},
		{"Patient", "_id=p1&gender=male", ""},
		{"Patient", "_lastUpdated=gt2000", "p0 p1 p2"},
		{"Patient", "_lastUpdated=lt2000", ""},
		{"Observation", "patient=p0", "o0 o1"},
		{"Observation", "subject=Patient/p1", "o2"},
		{"Observation", "subject:Patient=p0", "o0 o1"},
		{"Observation", "patient=p9", ""},
		{"Observation", "patient:missing=true", "o3"},
		{"Observation", "subject:missing=false", "o0 o1 o2 o3"},
		{"Observation", "encounter:missing=false", ""},
		{"Observation", "encounter:missing=true", "o0 o1 o2 o3"},
		{"Observation", "subject:identifier=urn:n|77", "o3"},
		{"Observation", "code=http://loinc.org|4548-4&date=2026-03-10", "o0"},
		{"Observation", "date=ge2026-03-11", "o1 o2"},
		{"Observation", "date=lt2026-03", "o2"},
		{"Observation", "date=2026-03", "o0 o1"},
		{"Observation", "date:missing=true", "o3"},
		{"Observation", "value-quantity=gt7", "o0"},
		{"Observation", "value-quantity=7.1", "o0"},
		{"Observation", "value-quantity=lt7|http://unitsofmeasure.org|%25", "o1"},
		{"Observation", "value-quantity=gt0|http://unitsofmeasure.org|mg", ""},
		{"Observation", "status=final&patient=p0&code=4548-4", "o0 o1"},
	} {
		ids, _, err := find(ctx, s, All, c.typ, strings.ReplaceAll(c.query, " ", "+"))
		slices.Sort(ids)
		if got := strings.Join(ids, " "); got != c.want || err != nil {
			t.Errorf("%s?%s: %q %v, want %q", c.typ, c.query, got, err, c.want)
		}
		// search through the count too
		if _, p, err := find(ctx, s, All, c.typ, strings.ReplaceAll(c.query, " ", "+")+"&_summary=count"); err != nil || p.Total != len(ids) {
			t.Errorf("%s?%s: total %v %v, want %d", c.typ, c.query, p, err, len(ids))
		}
	}
}

func person(t *testing.T, s store.Store) {
	ctx := t.Context()
	Put(t, s, All, draft("Patient", "a", `"gender":"male"`))
	Put(t, s, All, draft("Patient", "b", `"gender":"male","link":[{"other":{"reference":"Patient/a"},"type":"seealso"}]`))
	Put(t, s, All, draft("Patient", "g", `"meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"link":[{"other":{"reference":"Patient/a"},"type":"seealso"},{"other":{"reference":"Patient/b"},"type":"seealso"}]`))
	own := draft("Patient", "fake", `"meta":{"tag":[{"system":"urn:ytso:tag","code":"golden"}]},"link":[{"other":{"reference":"Patient/a"},"type":"seealso"}]`)
	own.Owner = "01001"
	Put(t, s, All, own)
	for i, p := range []string{"a", "b", "g"} {
		Put(t, s, All, draft("Condition", fmt.Sprint("c", i), `"subject":{"reference":"Patient/`+p+`"}`))
	}
	for p, n := range map[string]int{"a": 1, "b": 1, "g": 3, "fake": 0} {
		if ids, _, err := find(ctx, s, All, "Condition", "patient="+p); len(ids) != n || err != nil {
			t.Errorf("patient=%s: %v %v, want %d", p, ids, err, n)
		}
	}
}

func pages(t *testing.T, s store.Store) {
	ctx := t.Context()
	const n = 1000
	var prepared []*store.Prepared
	for i := range n {
		p, err := s.Prepare(draft("Encounter", fmt.Sprintf("e%04d", i), fmt.Sprintf(`"status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p%[1]d"},"period":{"start":"2026-%02[2]d-%02[3]d","end":"2026-%02[2]d-%02[3]d"}`, i%2, 1+i%12, 1+i%28)))
		if err != nil {
			t.Fatal(err)
		}
		prepared = append(prepared, p)
	}
	if err := s.Update(ctx, All, func(tx store.Tx) error {
		for _, p := range prepared {
			if _, err := tx.Put(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for query, total := range map[string]int{"": n, "patient=p1": n / 2, "patient=p0,p1": n, "status=finished&date=ge2026-03&_sort=date": 832, "_sort=-date": n} {
		seen := map[string]bool{}
		cursor, last := "", ""
		for range n {
			_, p, err := find(ctx, s, All, "Encounter", query+"&_count=97&_cursor="+cursor)
			if err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			for _, m := range p.Matches {
				if seen[m.Key.ID] {
					t.Fatalf("%s: %s twice", query, m.Key.ID)
				}
				seen[m.Key.ID] = true
				_, date, _ := strings.Cut(string(m.Body), `"start":"`)
				date = date[:10]
				if last != "" && (strings.Contains(query, "=date") && date < last || !strings.Contains(query, "=date") && date > last) {
					t.Fatalf("%s: %s after %s", query, date, last)
				}
				last = date
			}
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if len(seen) != total {
			t.Errorf("%s: %d found, want %d", query, len(seen), total)
		}
	}
	_, _, err := find(ctx, s, All, "Encounter", "_cursor=x")
	want(t, err, outcome.Invalid)
}

func only(f store.Filter) store.Access {
	a := All
	a.Agent = store.Agent{Kind: store.Citizen, ID: "x", Name: "Ví Dụ"}
	a.Filter = f
	return a
}

func gate(t *testing.T, s store.Store) {
	ctx := t.Context()
	all := map[string]store.Acts{"Patient": store.Everything, "Condition": store.Everything, "Organization": store.CanRead | store.CanSearch}
	for _, p := range []string{"p1", "p2"} {
		d := draft("Patient", p, `"gender":"male"`)
		d.Owner = "F-" + p
		Put(t, s, All, d)
		d = draft("Condition", "c-"+p, `"subject":{"reference":"Patient/`+p+`"}`)
		d.Owner = "F-" + p
		Put(t, s, All, d)
	}
	Put(t, s, All, draft("Organization", "org", `"name":"Trạm"`))
	Put(t, s, All, draft("Device", "dev", `"patient":{"reference":"Patient/p1"}`))
	citizen := only(store.Filter{Patients: []string{"p1"}, Public: true, Types: all})
	owner := only(store.Filter{Owners: []string{"F-p2"}, Types: all})
	nobody := only(store.Filter{Types: all})
	for _, c := range []struct {
		name      string
		a         store.Access
		typ, want string
	}{
		{"citizen", citizen, "Patient", "p1"},
		{"citizen", citizen, "Condition", "c-p1"},
		{"citizen", citizen, "Organization", "org"},
		{"owner", owner, "Patient", "p2"},
		{"owner", owner, "Condition", "c-p2"},
		{"owner", owner, "Organization", ""},
		{"nobody", nobody, "Patient", ""},
	} {
		if ids, _, err := find(ctx, s, c.a, c.typ, ""); strings.Join(ids, " ") != c.want || err != nil {
			t.Errorf("%s sees %s %v (%v), want %q", c.name, c.typ, ids, err, c.want)
		}
	}
	_, _, err := find(ctx, s, citizen, "Observation", "")
	want(t, err, outcome.Forbidden)
	_, err = read(ctx, s, citizen, store.Key{Type: "Device", ID: "dev"})
	want(t, err, outcome.Forbidden)
	for a, hidden := range map[*store.Access]string{&citizen: "p2", &owner: "p1", &nobody: "p1"} {
		for _, k := range []store.Key{{Type: "Patient", ID: hidden}, {Type: "Condition", ID: "c-" + hidden}} {
			_, err := read(ctx, s, *a, k)
			want(t, err, outcome.NotFound)
			err = s.View(ctx, *a, func(r store.Reader) error { _, err := r.History(ctx, k, store.HistoryPage{}); return err })
			if err == nil {
				t.Errorf("history of %s is shown", k)
			}
		}
		_, err := put(ctx, s, *a, draft("Condition", "c-"+hidden, `"subject":{"reference":"Patient/`+hidden+`"},"recordedDate":"2026"`))
		want(t, err, outcome.Forbidden)
		err = s.Update(ctx, *a, func(tx store.Tx) error { return tx.Delete(ctx, store.Key{Type: "Condition", ID: "c-" + hidden}, 0) })
		want(t, err, outcome.NotFound)
	}
	// what is visible may not be pushed onto somebody else, nor taken over
	_, err = put(ctx, s, citizen, draft("Condition", "c-p1", `"subject":{"reference":"Patient/p2"}`))
	want(t, err, outcome.Forbidden)
	_, err = put(ctx, s, citizen, draft("Organization", "org", `"name":"x"`))
	want(t, err, outcome.Forbidden)
	for _, a := range []store.Access{{}, {Agent: store.Agent{ID: "x"}, Filter: store.Filter{All: true}}} {
		want(t, s.View(ctx, a, func(store.Reader) error { return nil }), outcome.Forbidden)
		want(t, s.Update(ctx, a, func(store.Tx) error { return nil }), outcome.Forbidden)
	}
}

func count(t *testing.T, s store.Store, sql string, args ...any) (n int64) {
	t.Helper()
	if err := s.View(t.Context(), All, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// atomic: of a call that fails nothing remains but its audit row.
func atomic(t *testing.T, s store.Store) {
	ctx := t.Context()
	p, err := s.Prepare(draft("Patient", "p", `"gender":"male"`))
	if err != nil {
		t.Fatal(err)
	}
	boom := fmt.Errorf("boom")
	for name, f := range map[string]func(tx store.Tx) error{
		"an error":            func(store.Tx) error { return boom },
		"an SQL error unseen": func(tx store.Tx) error { _, _ = tx.Exec(ctx, `INSERT INTO nowhere VALUES (1)`); return nil },
		"a panic":             nil,
	} {
		err := func() (err error) {
			defer func() {
				if recover() != nil {
					err = boom
				}
			}()
			return s.Update(ctx, All, func(tx store.Tx) error {
				if _, err := tx.Put(ctx, p); err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `INSERT INTO counter (name, n) VALUES ('x', 1)`); err != nil {
					return err
				}
				if err := tx.Publish(ctx, store.Event{Topic: "t", Key: "k"}); err != nil {
					return err
				}
				return f(tx)
			})
		}()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := read(ctx, s, All, p.Draft.Key); outcome.KindOf(err) != outcome.NotFound {
			t.Errorf("%s: the resource is there: %v", name, err)
		}
		for _, table := range []string{"counter", "outbox", "ids", "post"} {
			if n := count(t, s, "SELECT COUNT(*) FROM "+table); n != 0 {
				t.Errorf("%s: %d rows in %s", name, n, table)
			}
		}
	}
	if err := s.Update(ctx, All, func(tx store.Tx) error { _, err := tx.Put(ctx, p); return err }); err != nil {
		t.Error(err)
	}
	if n := count(t, s, `SELECT COUNT(*) FROM outbox WHERE topic = 'resource' AND key = 'Patient/p'`); n != 1 {
		t.Errorf("%d rows in the outbox", n)
	}
}

func audit(t *testing.T, s store.Store) {
	ctx := t.Context()
	d := draft("Patient", "p1", `"gender":"male"`)
	Put(t, s, All, d)
	a := only(store.Filter{Patients: []string{"p1"}, Types: map[string]store.Acts{"Patient": store.CanRead | store.CanSearch}})
	a.Purpose, a.Remote = "PATRQT", "192.0.2.7"
	_, _ = read(ctx, s, a, d.Key)
	_, _, _ = find(ctx, s, a, "Patient", "gender=male")
	_, err := read(ctx, s, a, store.Key{Type: "Patient", ID: "p2"})
	want(t, err, outcome.NotFound)
	if err := s.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "book.open", Patients: []string{"p1"}, Entity: "Patient/p1"})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	silent := a // the gate's own look-ups: a success leaves no row, a refusal does
	silent.Agent.ID, silent.Silent = "gate", true
	_, _ = read(ctx, s, silent, d.Key)
	_, err = read(ctx, s, silent, store.Key{Type: "Patient", ID: "p2"})
	want(t, err, outcome.NotFound)
	Put(t, s, func() store.Access { x := All; x.Agent.ID, x.Silent = "gate", true; return x }(), draft("Patient", "p3", `"gender":"male"`))
	for sql, n := range map[string]int64{
		`SELECT COUNT(*) FROM audit WHERE agent = 'gate' AND outcome = 'not-found'`:                                       1,
		`SELECT COUNT(*) FROM audit WHERE agent = 'gate' AND outcome = 'ok'`:                                              1, // the write
		`SELECT COUNT(*) FROM audit WHERE agent = 'x' AND outcome = 'ok' AND purpose = 'PATRQT' AND remote = '192.0.2.7'`: 3,
		`SELECT COUNT(*) FROM audit WHERE agent = 'x' AND outcome = 'not-found'`:                                          1,
		`SELECT COUNT(*) FROM audit WHERE action = 'book.open' AND entity = 'Patient/p1'`:                                 1,
		`SELECT COUNT(*) FROM audit_patient p JOIN audit a ON a.seq = p.seq WHERE p.patient = 'p1' AND a.agent = 'x'`:     3,
		`SELECT COUNT(*) FROM audit WHERE agent = 'x' AND acts LIKE '%Patient/p1/1%'`:                                     1,
	} {
		if got := count(t, s, sql); got != n {
			t.Errorf("%s: %d, want %d", sql, got, n)
		}
	}
}

func concurrent(t *testing.T, s store.Store) {
	ctx := t.Context()
	const workers, each = 8, 15
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				p, err := s.Prepare(draft("Patient", fmt.Sprintf("w%d-%d", w, i), `"gender":"male"`))
				if err == nil {
					err = s.Update(ctx, All, func(tx store.Tx) error {
						if _, err := tx.Put(ctx, p); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, `INSERT INTO counter (name, n) VALUES ('sum', 1) ON CONFLICT (name) DO UPDATE SET n = counter.n + 1`)
						return err
					})
				}
				if err == nil && i%5 == 0 {
					_, _, err = find(ctx, s, All, "Patient", "gender=male")
				}
				if err != nil {
					t.Errorf("worker %d: %v", w, err)
				}
			}
		})
	}
	// all try to make the same resource: one does
	var made, stale int
	var mu sync.Mutex
	for range workers {
		wg.Go(func() {
			d := draft("Organization", "one", `"name":"x"`)
			d.IfMatch = store.IfNone
			_, err := put(ctx, s, All, d)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				made++
			case outcome.KindOf(err) == outcome.Stale:
				stale++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 || stale != workers-1 {
		t.Errorf("made %d times, refused %d", made, stale)
	}
	if n := count(t, s, `SELECT n FROM counter WHERE name = 'sum'`); n != workers*each {
		t.Errorf("counter %d, want %d", n, workers*each)
	}
	if _, p, err := find(ctx, s, All, "Patient", "_summary=count"); err != nil || p.Total != workers*each {
		t.Errorf("patients %v %v", p, err)
	}
}

// model drives random writes and compares searches with a map; in the end
// everything is deleted and no index row may be left.
func model(t *testing.T, s store.Store) {
	ctx, rnd := t.Context(), rand.New(rand.NewPCG(1, 2))
	type state struct{ gender, year, city string }
	now := map[string]state{}
	for range 300 {
		id := fmt.Sprint("m", rnd.IntN(25))
		if rnd.IntN(4) == 0 {
			if err := s.Update(ctx, All, func(tx store.Tx) error { return tx.Delete(ctx, store.Key{Type: "Patient", ID: id}, 0) }); err != nil {
				t.Fatal(err)
			}
			delete(now, id)
			continue
		}
		v := state{[]string{"male", "female"}[rnd.IntN(2)], fmt.Sprint(1980 + rnd.IntN(3)), []string{"Huế", "Hải Phòng", "Hà Nội"}[rnd.IntN(3)]}
		Put(t, s, All, draft("Patient", id, fmt.Sprintf(`"gender":%q,"birthDate":%q,"address":[{"city":%q}]`, v.gender, v.year, v.city)))
		now[id] = v
	}
	for query, holds := range map[string]func(state) bool{
		"gender=male":                       func(v state) bool { return v.gender == "male" },
		"birthdate=gt1980":                  func(v state) bool { return v.year > "1980" },
		"address-city=ha+noi":               func(v state) bool { return v.city == "Hà Nội" },
		"gender=female&address=hue":         func(v state) bool { return v.gender == "female" && v.city == "Huế" },
		"birthdate=1981&address-city=phong": func(v state) bool { return v.year == "1981" && v.city == "Hải Phòng" },
		"":                                  func(state) bool { return true },
	} {
		var expect []string
		for id, v := range now {
			if holds(v) {
				expect = append(expect, id)
			}
		}
		ids, _, err := find(ctx, s, All, "Patient", query)
		slices.Sort(ids)
		slices.Sort(expect)
		if !slices.Equal(ids, expect) || err != nil {
			t.Errorf("%s: %v %v, want %v", query, ids, err, expect)
		}
	}
	for id := range now {
		if err := s.Update(ctx, All, func(tx store.Tx) error { return tx.Delete(ctx, store.Key{Type: "Patient", ID: id}, 0) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"post", "txt", "span", "refr"} {
		if n := count(t, s, "SELECT COUNT(*) FROM "+table); n != 0 {
			t.Errorf("%d index rows left in %s", n, table)
		}
	}
}
