package app

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/room/door"
	"github.com/ytso/ytso/internal/room/ident"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// guide knows the stops of the demonstration: the persons whose stories are
// worth a look, and the desks of the province. A person's stop opens once the
// first of their records has arrived.
type guide struct {
	flow    *inflow
	persons []*synth.Person
	desks   []authn.LinkFor

	mu     sync.Mutex
	golden map[int]string // by Person.Index
}

// stories is how many of the first persons the province gives a story of their own.
const stories = 17

func newGuide(f *inflow, people int) *guide {
	g := &guide{flow: f, golden: map[int]string{}}
	for i := range min(stories, people) {
		if p := f.province.Person(i); !slices.Contains(p.Stories, "death") { // nobody signs in as somebody who has died
			g.persons = append(g.persons, p)
		}
	}
	places := f.province.Facilities()
	g.desks = []authn.LinkFor{
		{Role: trust.RoleHospital, Facility: placeOf(places, "province").Code, Name: placeOf(places, "province").Name},
		{Role: trust.RoleStation, Facility: placeOf(places, "station").Code, Name: placeOf(places, "station").Name},
		{Role: trust.RoleDepartment, Name: "Sở Y tế"},
	}
	return g
}

// placeOf gives the first facility of a level.
func placeOf(list []synth.Facility, level string) synth.Facility {
	i := slices.IndexFunc(list, func(f synth.Facility) bool { return f.Level == level })
	return list[max(i, 0)]
}

// tour is what the first page shows at this moment.
func (g *guide) tour(ctx context.Context) *door.Tour {
	done, total, ended := g.flow.progress()
	t := &door.Tour{Progress: door.Progress{Done: done, Total: total, Finished: ended}}
	for _, p := range g.persons {
		t.Stops = append(t.Stops, g.book(ctx, p))
	}
	for _, d := range g.desks {
		if len(navigation(g.flow.node.rooms, d.Role)) == 0 {
			continue // no page for it yet
		}
		t.Stops = append(t.Stops, door.Stop{Role: d.Role, Title: d.Name, Text: i18n.T(ctx, "app.tour."+d.Role), For: d})
	}
	return t
}

func (g *guide) book(ctx context.Context, p *synth.Person) door.Stop {
	s := door.Stop{Role: trust.RoleCitizen, Title: address(ctx, p)}
	if len(p.Stories) > 0 {
		s.Text = i18n.T(ctx, "app.tour."+p.Stories[0])
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if id := g.golden[p.Index]; id != "" {
		s.For = authn.LinkFor{Role: trust.RoleCitizen, Person: id, Name: p.Name}
	}
	return s
}

// address names a person as one speaks of them.
func address(ctx context.Context, p *synth.Person) string {
	age := int(synth.DefaultUntil.Sub(p.Birth).Hours() / 24 / 365.25)
	key := "adult"
	switch {
	case age < 1:
		return p.Name
	case age < 16:
		key = "child"
	case age >= 60:
		key = "old"
	}
	return i18n.T(ctx, "app.tour."+key+"."+[]string{"man", "woman"}[p.Sex-1], "name", p.Name, "age", strconv.Itoa(age))
}

// look finds the persons who have arrived, until all have or nobody comes any more.
func (g *guide) look(ctx context.Context, arrived func(p *synth.Person, golden string)) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	missing := g.persons
	for {
		_, _, ended := g.flow.progress() // before looking: who came last must be found
		found, err := g.find(ctx, missing)
		if err != nil {
			return err
		}
		missing = slices.DeleteFunc(slices.Clone(missing), func(p *synth.Person) bool { return found[p.Index] != "" })
		for _, p := range g.persons {
			if id := found[p.Index]; id != "" {
				g.mu.Lock()
				g.golden[p.Index] = id
				g.mu.Unlock()
				arrived(p, id)
			}
		}
		if len(missing) == 0 || ended {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// find looks for the golden Patients of persons by the numbers that the files carry.
func (g *guide) find(ctx context.Context, list []*synth.Person) (golden map[int]string, err error) {
	a, err := trust.System(trust.JobImport)
	if err != nil {
		return nil, err
	}
	err = g.flow.node.store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "demo.find"})
		golden = map[int]string{}
		for _, p := range list {
			q, err := param.Parse("Patient", url.Values{"identifier": {g.numbers(p)}, "_tag": {ident.TagSystem + "|" + ident.TagGolden}})
			if err != nil {
				return err
			}
			page, err := r.Search(ctx, q)
			if err != nil {
				return err
			}
			if len(page.Matches) > 0 {
				golden[p.Index] = page.Matches[0].Key.ID
			}
		}
		return nil
	})
	return golden, err
}

// numbers is the search for a person's own number or, where there is none, for
// the numbers that the facilities of the province give them.
func (g *guide) numbers(p *synth.Person) string {
	if p.Number != "" {
		return element.CCCD + "|" + p.Number + "," + element.Passport + "|" + p.Number
	}
	var list []string
	for _, f := range g.flow.province.Facilities() {
		list = append(list, element.MABNPrefix+f.Code+"|"+p.PatientNumber(f.Code))
	}
	return strings.Join(list, ",")
}
