package ident

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/cccd"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// house is a store with the room in it.
type house struct {
	*Matcher
	t              testing.TB
	claims, access store.Access
}

func engines(t *testing.T, f func(t *testing.T, h house)) {
	open := func(t *testing.T, o sqlstore.Options) house {
		t.Helper()
		r := Room()
		o.Sets = []db.Set{{Room: r.Name, FS: r.Migrations}}
		s, err := sqlstore.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return houseOf(t, s)
	}
	t.Run("sqlite", func(t *testing.T) {
		f(t, open(t, sqlstore.Options{Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32)}))
	})
	t.Run("postgres", func(t *testing.T) { f(t, open(t, sqlstore.Options{URL: pgtest.URL(t)})) })
}

// houseOf has the rights that the rooms have: claims write and match, ident does the rest.
func houseOf(t testing.TB, s store.Store) house {
	claims, err := trust.System(trust.JobClaims)
	if err != nil {
		t.Fatal(err)
	}
	access, err := trust.System(trust.JobIdent)
	if err != nil {
		t.Fatal(err)
	}
	return house{&Matcher{Deps{Store: s, Clock: clock.System{}}}, t, claims, access}
}

// told is a source record and what it says.
type told struct {
	id, name, birth, sex string
	cccd, bhxh, passport string
	card, phone          string
	day                  int // of March 2026
}

func (s told) draft() store.Draft {
	o := r4.Object{{Name: "resourceType", Value: "Patient"}, {Name: "id", Value: s.id}}
	var ids []r4.Object
	for _, n := range [][2]string{{element.CCCD, s.cccd}, {element.BHXH, s.bhxh}, {element.Passport, s.passport}, {element.BHYT, s.card}, {element.MABNPrefix + "25001", "bn-" + s.id}} {
		if n[1] != "" {
			ids = append(ids, r4.Object{{Name: "system", Value: n[0]}, {Name: "value", Value: n[1]}})
		}
	}
	o.Add("identifier", ids)
	o.Add("name", []r4.Object{{{Name: "text", Value: s.name}}})
	if s.phone != "" {
		o.Add("telecom", []r4.Object{{{Name: "system", Value: "phone"}, {Name: "value", Value: s.phone}}})
	}
	o.Add("gender", s.sex)
	o.Add("birthDate", s.birth)
	return store.Draft{Key: store.Key{Type: "Patient", ID: s.id}, Body: o.JSON(), Owner: "25001"}
}

func (s told) seen() time.Time { return time.Date(2026, 3, max(1, s.day), 3, 0, 0, 0, time.UTC) }

// come writes a source and matches it, as the room of claims does.
func (h house) come(s told) (person string) {
	h.t.Helper()
	person, err := h.tryCome(h.t.Context(), s)
	if err != nil {
		h.t.Fatalf("%s: %v", s.id, err)
	}
	return person
}

func (h house) tryCome(ctx context.Context, s told) (person string, err error) {
	p, err := h.Store.Prepare(s.draft())
	if err != nil {
		return "", err
	}
	err = h.Store.Update(ctx, h.claims, func(tx store.Tx) error {
		source, err := tx.Put(ctx, p)
		if err != nil {
			return err
		}
		person, err = h.MatchSeen(ctx, tx, source, s.seen())
		return err
	})
	return person, err
}

func (h house) do(f func(ctx context.Context, tx store.Tx) (Event, error)) (e Event, err error) {
	err = h.Store.Update(h.t.Context(), h.access, func(tx store.Tx) error {
		e, err = f(h.t.Context(), tx)
		return err
	})
	return e, err
}

func (h house) merge(from, into string) (Event, error) {
	return h.do(func(ctx context.Context, tx store.Tx) (Event, error) {
		return h.Merge(ctx, tx, from, into, "cùng một người")
	})
}

func (h house) split(source string) (Event, error) {
	return h.do(func(ctx context.Context, tx store.Tx) (Event, error) {
		return h.Split(ctx, tx, source, "khác người")
	})
}

func (h house) undo(event int64) (Event, error) {
	return h.do(func(ctx context.Context, tx store.Tx) (Event, error) { return h.Undo(ctx, tx, event, "nhầm") })
}

func (h house) view(f func(ctx context.Context, r store.Reader) error) {
	h.t.Helper()
	ctx := context.WithoutCancel(h.t.Context())
	if err := h.Store.View(ctx, h.access, func(r store.Reader) error { return f(ctx, r) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) golden(person string) (n r4.Node) {
	h.t.Helper()
	h.view(func(ctx context.Context, r store.Reader) error {
		res, err := r.Read(ctx, store.Key{Type: "Patient", ID: person})
		if err != nil {
			return err
		}
		doc, err := r4.Parse(res.Body)
		n = doc.Root()
		return err
	})
	return n
}

func (h house) doubts() (list []string) {
	h.t.Helper()
	h.view(func(ctx context.Context, r store.Reader) error {
		doubts, err := h.Doubts(ctx, r)
		list = nil
		for _, d := range doubts {
			list = append(list, d.Source+" "+d.Reason)
		}
		slices.Sort(list)
		return err
	})
	return list
}

func (h house) expand(person string) []string {
	h.t.Helper()
	ids, err := trust.NewPersons(h.Store).Expand(h.t.Context(), person)
	if err != nil {
		h.t.Fatalf("expand: %v", err)
	}
	slices.Sort(ids)
	return ids
}

// state is all links, who took whose place, and every golden record without its version.
func (h house) state() map[string]string {
	out := map[string]string{}
	h.view(func(ctx context.Context, r store.Reader) error {
		if err := each(ctx, r, func(scan func(...any) error) error {
			var source, person string
			err := scan(&source, &person)
			out["link "+source] = person
			return err
		}, `SELECT source, person FROM ident_link`); err != nil {
			return err
		}
		return each(ctx, r, func(scan func(...any) error) error {
			var person, gone string
			if err := scan(&person, &gone); err != nil {
				return err
			}
			res, err := r.Read(ctx, store.Key{Type: "Patient", ID: person})
			if err != nil {
				return err
			}
			doc, err := r4.Parse(res.Body)
			if err != nil {
				return err
			}
			var b strings.Builder
			for name, n := range doc.Root().Members() {
				if name != "meta" {
					fmt.Fprintf(&b, "%s=%s ", name, n.Raw())
				}
			}
			out["person "+person], out["golden "+person] = gone, b.String()+string(doc.Root().Get("meta").Get("tag").Raw())
			return nil
		}, `SELECT id, gone_to FROM ident_person`)
	})
	return out
}

// an is an invented man.
func an(id string, day int) told {
	return told{id: id, name: "Nguyễn Văn An", birth: "1985-05-12", sex: "male", cccd: "025085000001", bhxh: "2500000001", day: day}
}

// TestWhose: who is one person and who is not, and what somebody has to look at.
func TestWhose(t *testing.T) {
	mother := told{id: "m1", name: "Nguyễn Thị Ví Dụ", birth: "1995-02-03", sex: "female", cccd: "025195000001", bhxh: "2500000002", card: "DN4252500000002"}
	again := func(s told, id string) told { s.id = id; return s }
	with := func(s told, f func(*told)) told { f(&s); return s }
	baby := told{id: "b1", name: "Con bà Nguyễn Thị Ví Dụ", birth: "2026-03-01", sex: "male", bhxh: mother.bhxh, card: mother.card, day: 5}
	twin := func(id string) told { // HO_TEN of an unnamed newborn may be the mother's name
		return told{id: id, name: mother.name, birth: "2026-03-01", sex: "female", cccd: mother.cccd, bhxh: mother.bhxh, card: mother.card, day: 5}
	}
	cases := map[string]struct {
		come   []told
		people string // one letter a source: the same letter is the same person
		doubts []string
	}{
		"two facilities":           {[]told{an("a", 1), an("b", 2)}, "aa", nil},
		"one number of the two":    {[]told{an("a", 1), with(an("b", 2), func(s *told) { s.cccd = "" })}, "aa", nil},
		"written without marks":    {[]told{an("a", 1), with(an("b", 2), func(s *told) { s.name = "NGUYEN VAN AN" })}, "aa", nil},
		"number with blanks":       {[]told{an("a", 1), with(an("b", 2), func(s *told) { s.cccd, s.bhxh = " 025 085000001", "" })}, "aa", nil},
		"born in a year":           {[]told{an("a", 1), with(an("b", 2), func(s *told) { s.birth = "1985" })}, "aa", nil},
		"passport":                 {[]told{{id: "a", name: "Anna Example", birth: "1990-01-01", passport: "X1234567"}, {id: "b", name: "EXAMPLE ANNA", birth: "1990-01-01", passport: "x1234567"}}, "aa", nil},
		"no number":                {[]told{{id: "a", name: "Nguyễn Văn An", birth: "1985-05-12"}, {id: "b", name: "Nguyễn Văn An", birth: "1985-05-12"}}, "ab", nil},
		"hospital card is none":    {[]told{{id: "a", name: "A", card: "DN4252500000009"}, {id: "b", name: "A", card: "DN4252500000009"}}, "ab", nil},
		"number to fill the field": {[]told{{id: "a", name: "Nguyễn Văn An", cccd: "000000000000"}, {id: "b", name: "Nguyễn Văn An", cccd: "000000000000"}}, "ab", nil},
		"father and son of one name": {[]told{an("a", 1), with(an("s", 2), func(s *told) { s.birth, s.cccd, s.bhxh = "2010-01-02", "025210000003", "2500000003" })},
			"ab", nil},
		"son with the father's numbers": {[]told{an("a", 1), with(an("s", 2), func(s *told) { s.birth = "2010-01-02" }), an("c", 3)}, "aba", []string{"c birth-date-differs", "s birth-date-differs"}},
		"sister with the brother's number": {[]told{an("a", 1), with(an("s", 2), func(s *told) { s.sex, s.name = "female", "Nguyễn Thị An" })}, "ab",
			[]string{"s sex-differs"}},
		"card reused":          {[]told{an("a", 1), {id: "x", name: "Trần Văn Bình", birth: "1985-05-12", sex: "male", bhxh: "2500000001"}}, "ab", []string{"x name-differs"}},
		"changed BHXH number":  {[]told{an("a", 1), with(an("b", 2), func(s *told) { s.bhxh = "2599999999" }), with(an("c", 3), func(s *told) { s.cccd, s.bhxh = "", "2599999999" })}, "aaa", nil},
		"mother, then newborn": {[]told{mother, baby, again(mother, "m2")}, "aba", []string{"b1 birth-date-differs", "m2 birth-date-differs"}},
		"newborn, then mother": {[]told{baby, mother, again(mother, "m2")}, "abb", []string{"m1 birth-date-differs", "m2 birth-date-differs"}},
		"unnamed twins with the mother's numbers": {[]told{twin("t1"), twin("t2"), mother}, "abc",
			[]string{"m1 birth-date-differs", "m1 birth-date-differs", "t2 number-of-another"}},
		"twins by name": {[]told{
			{id: "t1", name: "Nguyễn Minh Anh", birth: "2020-01-01", sex: "female", bhxh: "2500000008"}, {id: "t2", name: "Nguyễn Minh Ánh", birth: "2020-01-01", sex: "female", bhxh: "2500000008"},
			{id: "t3", name: "Nguyễn Minh Ánh", birth: "2020-01-01", sex: "female", bhxh: "2500000008"}}, "abb", []string{"t2 name-differs", "t3 name-differs"}},
		"newborn with a card of its own": {[]told{
			{id: "b1", name: "Con bà Ví Dụ", birth: "2026-03-01", bhxh: "2500000007", card: "TE1252500000007", day: 5}, {id: "b2", name: "Con bà Ví Dụ", birth: "2026-03-01", bhxh: "2500000007", card: "TE1252500000007", day: 9}},
			"aa", nil},
		"numbers of two persons": {[]told{an("a", 1), told{id: "x", name: "Nguyễn Văn An", birth: "1985-05-12", sex: "male", bhxh: "2500000005"}, with(an("c", 3), func(s *told) { s.bhxh = "2500000005" })},
			"abc", []string{"c several-alike", "c several-alike"}},
	}
	engines(t, func(t *testing.T, h house) {
		for i, name := range slices.Sorted(maps.Keys(cases)) {
			c, letters, got := cases[name], map[string]byte{}, ""
			for _, s := range c.come {
				p := h.come(s.in(i))
				if letters[p] == 0 {
					letters[p] = 'a' + byte(len(letters))
				}
				got += string(letters[p])
			}
			if got != c.people {
				t.Errorf("%s: persons %s, want %s", name, got, c.people)
			}
			var doubts []string
			for _, d := range h.doubts() {
				if d, ok := strings.CutPrefix(d, fmt.Sprint("case", i, "-")); ok {
					doubts = append(doubts, d)
				}
			}
			if d := cmp.Diff(c.doubts, doubts); d != "" {
				t.Errorf("%s: doubts %s", name, d)
			}
		}
	})
}

// in gives the source ids and numbers of case i, so that many cases stand in one store.
func (s told) in(i int) told {
	number := func(n string, at int) string {
		if cccd.Filler(n) {
			return n
		}
		return n[:at] + fmt.Sprintf("%02d", i) + n[at+2:]
	}
	s.id = fmt.Sprint("case", i, "-", s.id)
	s.cccd, s.bhxh, s.card, s.passport = number(s.cccd, len(s.cccd)-6), number(s.bhxh, 2), number(s.card, 7), number(s.passport, 1)
	return s
}

// TestGolden: the newest visit shows whatever order the files come in, with every number, the tag, and no owner.
func TestGolden(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		old, mid, young := an("o", 1), an("m", 5), an("y", 9)
		old.phone, mid.phone, young.name = "0900000001", "0900000005", "Nguyễn An"
		old.bhxh = ""
		var bodies []string
		for i, order := range [][]told{{old, mid, young}, {young, old, mid}, {mid, young, old}} {
			var p string
			for _, s := range order {
				s.id += fmt.Sprint(i)
				s.cccd = fmt.Sprintf("02508500001%d", i)
				if s.bhxh != "" {
					s.bhxh = fmt.Sprintf("250000001%d", i)
				}
				p = h.come(s)
			}
			n := h.golden(p)
			if n.Get("name").At(0).Get("text").Text() != "Nguyễn An" || n.Get("telecom").At(0).Get("value").Text() != "0900000005" {
				t.Errorf("order %d: not the newest: %s", i, n.Raw())
			}
			var s []string
			for id := range n.Get("identifier").Elems() {
				s = append(s, id.Get("system").Text()+"|"+strings.TrimSuffix(id.Get("value").Text(), fmt.Sprint(i)))
			}
			bodies = append(bodies, strings.Join(s, " "))
			if tag := n.Get("meta").Get("tag").At(0); tag.Get("system").Text() != "urn:ytso:tag" || tag.Get("code").Text() != "golden" {
				t.Errorf("tag %s", tag.Raw())
			}
			h.view(func(ctx context.Context, r store.Reader) error {
				res, err := r.Read(ctx, store.Key{Type: "Patient", ID: p})
				if err == nil && res.Owner != "" {
					t.Errorf("owner %q", res.Owner)
				}
				return err
			})
			if want := []string{p, fmt.Sprint("m", i), fmt.Sprint("o", i), fmt.Sprint("y", i)}; !cmp.Equal(sorted(want), h.expand(p)) {
				t.Errorf("expand %v, want %v", h.expand(p), want)
			}
		}
		if bodies[0] != bodies[1] || bodies[1] != bodies[2] || !strings.Contains(bodies[0], "bn-o") {
			t.Errorf("the order of files shows: %q", bodies)
		}
	})
}

// TestNewerVisitOfSameSource: a visit that tells nothing new may still make its source the one that shows.
func TestNewerVisitOfSameSource(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a, b := an("a", 1), an("b", 5)
		a.phone, b.phone = "0900000001", "0900000002"
		p := h.come(a)
		h.come(b)
		a.day = 9
		h.come(a)
		if got := h.golden(p).Get("telecom").At(0).Get("value").Text(); got != "0900000001" {
			t.Errorf("%s shows", got)
		}
		before := h.version(p)
		a.day = 3 // an older file that says the same
		h.come(a)
		b.day = 6
		h.come(b)
		a.day = 11
		h.come(a)
		if after := h.version(p); after != before {
			t.Errorf("the golden record was written again: version %d after %d", after, before)
		}
		a.day, b.day = 4, 10 // a was told of day 11 and stays with it
		h.come(a)
		h.come(b)
		h.come(an("c", 2))
		if got := h.golden(p).Get("telecom").At(0).Get("value").Text(); got != "0900000001" {
			t.Errorf("%s shows after an older file", got)
		}
	})
}

func (h house) version(person string) (v int) {
	h.view(func(ctx context.Context, r store.Reader) error {
		res, err := r.Read(ctx, store.Key{Type: "Patient", ID: person})
		if err == nil {
			v = res.Version
		}
		return err
	})
	return v
}

// TestNumberChanges: a source keeps its person when its number changes; what that means for others is a doubt.
func TestNumberChanges(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a, other := an("a", 1), told{id: "x", name: "Trần Thị Bình", birth: "1990-01-01", sex: "female", cccd: "025190000001"}
		p, q := h.come(a), h.come(other)
		a.cccd, a.bhxh = "025190000001", "" // typed from the wrong card
		if got := h.come(a); got != p {
			t.Errorf("the source moved to %s", got)
		}
		if d := cmp.Diff([]string{"a birth-date-differs"}, h.doubts()); d != "" {
			t.Error(d)
		}
		b := an("b", 2) // the number that was given up still leads to who is wholly alike
		if got := h.come(b); got != p {
			t.Errorf("b is %s, want %s", got, p)
		}
		c := an("c", 3)
		c.name, c.cccd, c.bhxh = "Nguyễn An", "", "2500000001"
		h.come(b)
		if got := h.come(c); got != p { // b carries it now
			t.Errorf("c is %s, want %s", got, p)
		}
		if p == q {
			t.Error("two persons became one")
		}
	})
}

// TestSecondNumberOfOnePerson: a number that others of the same person carry tells nothing new.
func TestSecondNumberOfOnePerson(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a, b := an("a", 1), an("b", 2)
		b.bhxh = ""
		p := h.come(a)
		h.come(b)
		b.bhxh = a.bhxh
		if got := h.come(b); got != p {
			t.Errorf("%s, want %s", got, p)
		}
		h.view(func(ctx context.Context, r store.Reader) error {
			return each(ctx, r, func(func(...any) error) error { t.Error("a doubt about nothing"); return nil }, `SELECT source FROM ident_doubt`)
		})
	})
}

// TestFormerNumber: a number that was given up and is carried by nobody wants all facts alike.
func TestFormerNumber(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a := an("a", 1)
		a.bhxh = ""
		p := h.come(a)
		a.cccd = "025085000009"
		h.come(a)
		b := an("b", 2)
		b.bhxh, b.birth = "", "1985"
		if h.come(b) == p {
			t.Error("a number given up and a year of birth are too little")
		}
		if d := cmp.Diff([]string{"b not-alike-enough"}, h.doubts()); d != "" {
			t.Error(d)
		}
	})
}

// TestLateNumber: a number that comes later merges nobody.
func TestLateNumber(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a, b := an("a", 1), an("b", 2)
		b.cccd, b.bhxh = "", ""
		p, q := h.come(a), h.come(b)
		b.cccd = a.cccd
		if got := h.come(b); got != q || p == q {
			t.Errorf("%s, want %s", got, q)
		}
		if d := cmp.Diff([]string{"b number-came-later"}, h.doubts()); d != "" {
			t.Error(d)
		}
		if _, err := h.merge(q, p); err != nil {
			t.Fatal(err)
		}
		if got := h.doubts(); got != nil {
			t.Errorf("still open after the merge: %v", got)
		}
	})
}

// TestPatientNumberReused: a facility gave its patient number to somebody else.
func TestPatientNumberReused(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		p := h.come(an("a", 1))
		h.come(an("b", 2))
		if got := h.come(told{id: "b", name: "Trần Thị Bình", birth: "1990-01-01", sex: "female", day: 3}); got != p {
			t.Errorf("%s, want %s", got, p)
		}
		if d := cmp.Diff([]string{"b no-longer-alike"}, h.doubts()); d != "" {
			t.Error(d)
		}
		e, err := h.split("b")
		if err != nil {
			t.Fatal(err)
		}
		if got := h.doubts(); got != nil {
			t.Errorf("still open after the split: %v", got)
		}
		if name := h.golden(p).Get("name").At(0).Get("text").Text(); name != "Nguyễn Văn An" {
			t.Errorf("%s shows", name)
		}
		if _, err := h.undo(e.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.doubts(); len(got) != 1 {
			t.Errorf("not open again: %v", got)
		}
	})
}

// TestMerge: a merged person answers by the other; un-merged, all is as before.
func TestMerge(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		a, b, c := an("a", 1), told{id: "b", name: "Nguyễn An", day: 7}, told{id: "c", name: "Nguyễn A", day: 3}
		p, q, r := h.come(a), h.come(b), h.come(c)
		first := h.state()
		one, err := h.merge(q, r)
		if err != nil {
			t.Fatal(err)
		}
		second := h.state()
		two, err := h.merge(r, p)
		if err != nil {
			t.Fatal(err)
		}
		all := sorted([]string{p, q, r, "a", "b", "c"})
		for _, id := range []string{p, q, r} {
			if got := h.expand(id); !cmp.Equal(got, all) {
				t.Errorf("%s opens %v, want %v", id, got, all)
			}
		}
		if name := h.golden(p).Get("name").At(0).Get("text").Text(); name != "Nguyễn An" {
			t.Errorf("%s shows after the merge", name)
		}
		gone := h.golden(q)
		if gone.Get("active").Bool() || gone.Get("name").Exists() || gone.Get("meta").Get("tag").At(0).Get("code").Text() != TagReplaced || gone.Get("link").At(0).Get("type").Text() != "replaced-by" {
			t.Errorf("merged away: %s", gone.Raw())
		}
		if got := h.come(told{id: "b", name: "Nguyễn Văn An", day: 8}); got != p {
			t.Errorf("a new version of a merged source is of %s, want %s", got, p)
		}
		h.come(told{id: "b", name: "Nguyễn An", day: 7})
		if _, err := h.undo(one.ID); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("undone below a later merge: %v", err)
		}
		back, err := h.undo(two.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(second, h.state()); d != "" {
			t.Errorf("after the second un-merge: %s", d)
		}
		if _, err := h.undo(two.ID); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("undone twice: %v", err)
		}
		if _, err := h.undo(one.ID); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(first, h.state()); d != "" {
			t.Errorf("after both: %s", d)
		}
		for id, want := range map[string][]string{p: {"a", p}, q: {"b", q}, r: {"c", r}} {
			if got := h.expand(id); !cmp.Equal(got, sorted(want)) {
				t.Errorf("%s opens %v, want %v", id, got, want)
			}
		}
		if _, err := h.undo(back.ID); outcome.KindOf(err) != outcome.Conflict { // c stands by itself again, without b
			t.Errorf("the un-merge of what is no more: %v", err)
		}
		h.view(func(ctx context.Context, rd store.Reader) error {
			list, err := h.Events(ctx, rd, r)
			var kinds []string
			for _, e := range list {
				kinds = append(kinds, e.Kind)
			}
			if want := []string{"new", "merge", "merge", "undo", "undo"}; !cmp.Equal(kinds, want) {
				t.Errorf("events %v, want %v", kinds, want)
			}
			return err
		})
	})
}

// TestSplit: a source gets a person of its own, and comes back.
func TestSplit(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		p := h.come(an("a", 1))
		h.come(an("b", 2))
		before := h.state()
		e, err := h.split("b")
		if err != nil {
			t.Fatal(err)
		}
		q := e.Moves[0].Became
		if q == p || !cmp.Equal(h.expand(q), sorted([]string{"b", q})) || !cmp.Equal(h.expand(p), sorted([]string{"a", p})) {
			t.Errorf("after the split: %v, %v", h.expand(p), h.expand(q))
		}
		if got := h.come(an("b", 9)); got != q {
			t.Errorf("a split source came back by itself to %s", got)
		}
		if got := h.come(an("c", 3)); got == p || got == q {
			t.Error("whose number it is, is not certain any more")
		}
		undone, err := h.undo(e.ID)
		if err != nil {
			t.Fatal(err)
		}
		after := h.state()
		for k, v := range before {
			if strings.HasPrefix(k, "link ") && after[k] != v {
				t.Errorf("%s is %s, was %s", k, after[k], v)
			}
		}
		if got := h.expand(q); !slices.Contains(got, "a") || !slices.Contains(got, "b") {
			t.Errorf("the id that the split gave opens %v", got)
		}
		if _, err := h.undo(undone.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.expand(q); !cmp.Equal(got, sorted([]string{"b", q})) {
			t.Errorf("split again: %v", got)
		}
	})
}

// TestUndoOfLink: what the matcher linked can be taken apart.
func TestUndoOfLink(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		p := h.come(an("a", 1))
		h.come(an("b", 2))
		var linked, first int64
		h.view(func(ctx context.Context, r store.Reader) error {
			list, err := h.Events(ctx, r, p)
			for _, e := range list {
				switch e.Kind {
				case "link":
					linked = e.ID
				case "new":
					first = e.ID
				}
			}
			return err
		})
		if _, err := h.undo(first); outcome.KindOf(err) != outcome.BusinessRule {
			t.Errorf("a source without a person: %v", err)
		}
		e, err := h.undo(linked)
		if err != nil || len(e.Moves) != 1 || e.Undoes != linked {
			t.Fatalf("%+v %v", e, err)
		}
		if got := h.expand(p); !cmp.Equal(got, sorted([]string{"a", p})) {
			t.Errorf("expand %v", got)
		}
	})
}

// TestUndoLeavesNobodyEmpty: a merge is not undone when nothing would be left of the person that took the other's place.
func TestUndoLeavesNobodyEmpty(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		p, q := h.come(told{id: "a", name: "A"}), h.come(told{id: "b", name: "B"})
		merged, err := h.merge(p, q)
		if err != nil {
			t.Fatal(err)
		}
		e, err := h.split("b")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.undo(merged.ID); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("%v", err)
		}
		if _, err := h.undo(e.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := h.undo(merged.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.expand(q); !slices.Contains(got, "b") || slices.Contains(got, "a") {
			t.Errorf("%v", got)
		}
	})
}

func TestRefusals(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		p, q := h.come(an("a", 1)), h.come(told{id: "b", name: "B"})
		for name, c := range map[string]struct {
			f    func() (Event, error)
			want outcome.Kind
		}{
			"with oneself":   {func() (Event, error) { return h.merge(p, p) }, outcome.BusinessRule},
			"from nobody":    {func() (Event, error) { return h.merge("x", p) }, outcome.NotFound},
			"into nobody":    {func() (Event, error) { return h.merge(p, "x") }, outcome.NotFound},
			"source as one":  {func() (Event, error) { return h.merge("a", p) }, outcome.NotFound},
			"the only one":   {func() (Event, error) { return h.split("a") }, outcome.BusinessRule},
			"no such source": {func() (Event, error) { return h.split("x") }, outcome.NotFound},
			"no such event":  {func() (Event, error) { return h.undo(999) }, outcome.NotFound},
		} {
			if _, err := c.f(); outcome.KindOf(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.merge(q, p); err != nil {
			t.Fatal(err)
		}
		if _, err := h.merge(q, p); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("merged away already: %v", err)
		}
		if _, err := h.merge(p, q); outcome.KindOf(err) != outcome.Conflict {
			t.Errorf("into one merged away: %v", err)
		}
	})
}

// TestUndoEverything: whatever was merged and split, undone from the last to the first, all is as before.
func TestUndoEverything(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		g := rand.New(rand.NewPCG(11, 1))
		var sources []string
		for i := range 8 {
			s := told{id: fmt.Sprint("s", i), name: fmt.Sprint("Người ", i), day: 1 + i}
			if i < 3 {
				s = an(s.id, 1+i)
			}
			h.come(s)
			sources = append(sources, s.id)
		}
		type step struct {
			event  int64
			before map[string]string
		}
		var steps []step
		for len(steps) < 25 {
			before := h.state()
			var persons []string
			for k, gone := range before {
				if id, ok := strings.CutPrefix(k, "person "); ok && gone == "" {
					persons = append(persons, id)
				}
			}
			slices.Sort(persons)
			var e Event
			var err error
			if g.IntN(2) == 0 {
				e, err = h.split(sources[g.IntN(len(sources))])
			} else {
				e, err = h.merge(persons[g.IntN(len(persons))], persons[g.IntN(len(persons))])
			}
			if err == nil {
				steps = append(steps, step{e.ID, before})
			} else if k := outcome.KindOf(err); k != outcome.BusinessRule {
				t.Fatal(err)
			}
		}
		for _, s := range slices.Backward(steps) {
			if _, err := h.undo(s.event); err != nil {
				t.Fatal(err)
			}
			now := h.state()
			for k, v := range s.before {
				if strings.HasPrefix(k, "golden ") { // the id of a split stays and answers
					continue
				}
				if now[k] != v {
					t.Fatalf("%s is %q, was %q", k, now[k], v)
				}
			}
		}
		for person := range maps.Keys(h.state()) {
			if id, ok := strings.CutPrefix(person, "person "); ok {
				h.expand(id)
			}
		}
	})
}

// TestAtOnce: files of the same persons from several facilities at the same time make one golden record each.
func TestAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		const people, facilities = 5, 6
		for i := range people { // the numbers are known already, as those of others
			h.come(told{id: fmt.Sprint("x", i), name: "Trần Thị Bình", sex: "female", cccd: fmt.Sprintf("02508500010%d", i)})
		}
		var wg sync.WaitGroup
		for f := range facilities {
			wg.Go(func() {
				for i := range people {
					s := an(fmt.Sprintf("p%d-f%d", i, f), 1+f)
					s.name, s.cccd, s.bhxh = fmt.Sprint("Nguyễn Văn ", string(rune('A'+i))), fmt.Sprintf("02508500010%d", i), fmt.Sprintf("250000010%d", i)
					if f%3 == 1 {
						s.bhxh = ""
					}
					if _, err := h.tryCome(t.Context(), s); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		persons := map[string][]string{}
		for k, v := range h.state() {
			if source, ok := strings.CutPrefix(k, "link "); ok {
				persons[v] = append(persons[v], source)
			}
			if strings.HasPrefix(k, "person ") && v != "" {
				t.Errorf("%s gave its place to %s", k, v)
			}
		}
		if len(persons) != 2*people {
			t.Errorf("%d persons, want %d: %v", len(persons), 2*people, persons)
		}
		for p, list := range persons {
			if got, want := h.expand(p), sorted(append(list, p)); !cmp.Equal(got, want) {
				t.Errorf("the golden record links %v, the table %v", got, want)
			}
		}
	})
}

// TestMergeAtOnce: a merge and a file of the same person at the same time leave no source behind.
func TestMergeAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, h house) {
		for round := range 8 {
			a := an(fmt.Sprint("a", round), 1)
			a.cccd, a.bhxh = fmt.Sprintf("02508500020%d", round), ""
			b := told{id: fmt.Sprint("b", round), name: "Nguyễn An"}
			p, q := h.come(a), h.come(b)
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := h.merge(p, q); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				c := a
				c.id = fmt.Sprint("c", round)
				if _, err := h.tryCome(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			got := h.state()
			if got["link a"+fmt.Sprint(round)] != q || got["person "+p] != q {
				t.Errorf("round %d: not merged", round)
			}
			if owner := got["link c"+fmt.Sprint(round)]; owner == p {
				t.Errorf("round %d: a source stayed with a person that is no more", round)
			}
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	r := Room()
	s, err := sqlstore.Open(b.Context(), sqlstore.Options{Dir: b.TempDir(), Key: bytes.Repeat([]byte{7}, 32), Sets: []db.Set{{Room: r.Name, FS: r.Migrations}}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	h := houseOf(b, s)
	n := 0
	for b.Loop() {
		n++
		a := an(fmt.Sprint("s", n), 1)
		a.cccd, a.bhxh = fmt.Sprintf("025085%06d", n/3), fmt.Sprintf("25%08d", n/3)
		h.come(a)
	}
}

func sorted(w []string) []string { return slices.Sorted(slices.Values(w)) }
