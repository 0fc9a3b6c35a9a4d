package record_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// memory is a store.Store that keeps resources in a map and answers searches by
// what param.Holds says of each.
type memory struct {
	list  map[store.Key][]*kept
	now   time.Time
	reads int // resources read by key or found
	// endless lets a search find the same again on every page.
	endless bool
}

// kept is one version.
type kept struct {
	*store.Resource
	doc    *r4.Doc
	values []param.Value
	about  []string
}

func newMemory() *memory {
	return &memory{list: map[store.Key][]*kept{}, now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
}

type memoryTx struct {
	*memory
	a store.Access
}

func (m *memory) View(_ context.Context, a store.Access, f func(store.Reader) error) error {
	return f(memoryTx{m, a})
}

func (m *memory) Update(_ context.Context, a store.Access, f func(store.Tx) error) error {
	return f(memoryTx{m, a})
}

func (m *memory) Close() error { return nil }

func (m *memory) Prepare(d store.Draft) (*store.Prepared, error) {
	doc, err := r4.Parse(d.Body)
	return &store.Prepared{Draft: d, Doc: doc}, err
}

var (
	gone    = outcome.New(outcome.NotFound, "memory.gone", "", "not there")
	refused = outcome.New(outcome.Forbidden, "memory.refused", "", "refused")
)

func (t memoryTx) sees(k *kept) bool {
	f := t.a.Filter
	return f.All || k.Owner != "" && slices.Contains(f.Owners, k.Owner) || f.Public && len(k.about) == 0 && len(r4.PatientCompartment(k.Key.Type)) == 0 ||
		slices.ContainsFunc(k.about, func(id string) bool { return slices.Contains(f.Patients, id) })
}

func (t memoryTx) Read(ctx context.Context, k store.Key) (*store.Resource, error) {
	return t.ReadVersion(ctx, k, len(t.list[k]))
}

func (t memoryTx) ReadVersion(_ context.Context, k store.Key, v int) (*store.Resource, error) {
	t.reads++
	if !t.a.Filter.May(k.Type, store.CanRead) {
		return nil, refused
	}
	list := t.list[k]
	if v < 1 || v > len(list) || !t.sees(list[v-1]) {
		return nil, gone
	}
	return list[v-1].Resource, nil
}

func (t memoryTx) Search(_ context.Context, q param.Query) (*store.Page, error) {
	if !t.a.Filter.May(q.Type, store.CanSearch) {
		return nil, refused
	}
	var found []*kept
	for k, versions := range t.list {
		if last := versions[len(versions)-1]; k.Type == q.Type && t.sees(last) {
			ok, err := t.meets(last, q)
			if err != nil {
				return nil, err
			}
			if ok {
				found = append(found, last)
			}
		}
	}
	slices.SortFunc(found, func(a, b *kept) int {
		x, _ := param.ClinicalDate(a.doc)
		y, _ := param.ClinicalDate(b.doc)
		return cmp.Or(cmp.Compare(y, x), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	at, _ := strconv.Atoi(q.Cursor)
	n := q.Count
	if n == 0 {
		n = 50
	}
	p := &store.Page{Total: -1}
	for _, k := range found[min(at, len(found)):min(at+n, len(found))] {
		t.reads++
		p.Matches = append(p.Matches, k.Resource)
	}
	if t.endless && len(found) > 0 {
		for len(p.Matches) < n {
			p.Matches = append(p.Matches, p.Matches[0])
		}
		p.Next = "0"
	}
	if at+n < len(found) {
		p.Next = strconv.Itoa(at + n)
	}
	return p, nil
}

func (t memoryTx) meets(k *kept, q param.Query) (bool, error) {
	if q.CompartmentID != "" {
		if q.CompartmentType != "Patient" {
			return false, errors.New("no such compartment here")
		}
		if ids := t.expand(q.CompartmentID); !slices.ContainsFunc(k.about, func(id string) bool { return slices.Contains(ids, id) }) {
			return false, nil
		}
	}
	values := append(slices.Clone(k.values), param.Meta{ID: k.Key.ID, Updated: k.Updated}.Values()...)
	for _, c := range q.Where {
		var wider []param.Match
		for _, m := range c.Values {
			wider = append(wider, m)
			if c.Kind == param.Reference && m.Value.Type == "Patient" {
				for _, id := range t.expand(m.Value.ID)[1:] {
					m.Value.ID = id
					wider = append(wider, m)
				}
			}
		}
		c.Values = wider
		if ok, err := param.Official().Holds(c, q.Type, values); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// expand gives a golden Patient with the records that it links.
func (t memoryTx) expand(id string) []string {
	ids := []string{id}
	versions := t.list[store.Key{Type: "Patient", ID: id}]
	if len(versions) == 0 {
		return ids
	}
	k := versions[len(versions)-1]
	if k.Owner != "" || !strings.Contains(string(k.Body), `"golden"`) {
		return ids
	}
	for l := range k.doc.Root().Get("link").Elems() {
		ids = append(ids, strings.TrimPrefix(l.Get("other").Get("reference").Text(), "Patient/"))
	}
	return ids
}

func (t memoryTx) Put(_ context.Context, p *store.Prepared) (*store.Resource, error) {
	k := p.Draft.Key
	old := t.list[k]
	act := store.CanUpdate
	if len(old) == 0 {
		act = store.CanCreate
	}
	if !t.a.Filter.May(k.Type, act) || len(old) > 0 && !t.sees(old[len(old)-1]) {
		return nil, refused
	}
	if p.Draft.IfMatch > 0 && p.Draft.IfMatch != len(old) {
		return nil, outcome.New(outcome.Stale, "memory.stale", "", "stale")
	}
	return t.keep(k, p.Draft.Owner, p.Draft.Body)
}

// keep writes a version.
func (m *memory) keep(k store.Key, owner string, body []byte) (*store.Resource, error) {
	doc, err := r4.Parse(body)
	if err != nil {
		return nil, err
	}
	v := len(m.list[k]) + 1
	meta := r4.Object{{Name: "versionId", Value: strconv.Itoa(v)}, {Name: "lastUpdated", Value: m.now.Format("2006-01-02T15:04:05.000Z")}}
	all := r4.Object{}
	for name, n := range doc.Root().Members() {
		if name != "meta" {
			all.Add(name, r4.Raw(n.Raw()))
			if name == "id" {
				all.Add("meta", &meta)
			}
			continue
		}
		for name, x := range n.Members() {
			if name != "versionId" && name != "lastUpdated" {
				meta.Add(name, r4.Raw(x.Raw()))
			}
		}
	}
	for i := range all {
		if p, ok := all[i].Value.(*r4.Object); ok {
			all[i].Value = *p
		}
	}
	body = all.JSON()
	if doc, err = r4.Parse(body); err != nil {
		return nil, err
	}
	values, err := param.Extract(doc)
	if err != nil {
		return nil, err
	}
	r := &store.Resource{Key: k, Version: v, Updated: m.now, Owner: owner, Body: body, Changed: true}
	m.list[k] = append(m.list[k], &kept{r, doc, values, param.PatientCompartment(doc, values)})
	return r, nil
}

// fill keeps resources, one a line; "owner X" says whose those behind it are, "now T" when they are written.
func (m *memory) fill(t testing.TB, lines string) {
	t.Helper()
	owner := ""
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case word == "owner":
			owner = rest
		case word == "now":
			at, err := time.Parse(time.RFC3339, rest)
			if err != nil {
				t.Fatal(err)
			}
			m.now = at.UTC()
		default:
			doc, err := r4.Parse([]byte(line))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if _, err := m.keep(store.Key{Type: doc.Type(), ID: doc.ID()}, owner, []byte(line)); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
	}
}

func (t memoryTx) History(context.Context, store.Key, store.HistoryPage) ([]*store.Resource, error) {
	return nil, errNot
}
func (t memoryTx) Changes(context.Context, store.ChangesQuery) (*store.ChangesPage, error) {
	return nil, errNot
}
func (t memoryTx) Query(context.Context, string, ...any) (store.Rows, error) { return nil, errNot }
func (t memoryTx) Audit(store.Note)                                          {}
func (t memoryTx) Delete(context.Context, store.Key, int) error              { return errNot }
func (t memoryTx) Claim(context.Context, string) error                       { return errNot }
func (t memoryTx) Exec(context.Context, string, ...any) (int64, error)       { return 0, errNot }
func (t memoryTx) Publish(context.Context, store.Event) error                { return errNot }

var errNot = fmt.Errorf("the store in memory does not do this")
