package record

import (
	"context"
	"net/url"
	"slices"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// encounterEverything is Encounter/$everything: the visit, what names it as its
// encounter or context, the visits that are part of it, its Provenance, the
// Patient, and what any of these refer to. The extension encounter-associatedEncounter
// has no search parameter, so what is tied to the visit by it alone is not found.
func (o *operations) encounterEverything(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In, "_since", "_type", "_count", "_cursor"); err != nil {
		return nil, err
	}
	visit, err := c.Reader.Read(ctx, store.Key{Type: "Encounter", ID: c.ID})
	if err != nil {
		return nil, err
	}
	doc, err := r4.Parse(visit.Body)
	if err != nil {
		return nil, err
	}
	e := &everything{Call: c, path: "Encounter/" + c.ID + "/$everything"}
	if t, ok := aim(c.Base, doc.Root().Get("subject").Get("reference").Text()); ok && t.Type == "Patient" {
		e.patients = []string{t.ID}
	}
	for _, typ := range r4.ResourceTypes() {
		code := visitParam(typ)
		if code == "" {
			continue
		}
		if err := e.search(o, typ, url.Values{code: {"Encounter/" + c.ID}}); err != nil {
			return nil, err
		}
	}
	if err := e.read("Encounter"); err != nil {
		return nil, err
	}
	if err := e.since(o); err != nil {
		return nil, err
	}
	e.referred = func(d *r4.Doc) bool { return !refersTo(d, c.Base, visit.Key) }
	if c.In.Text("_cursor") == "" {
		if err := e.take(ctx, "Encounter", []*store.Resource{visit}); err != nil {
			return nil, err
		}
	}
	return e.run(ctx)
}

// visitParam is the parameter by which a type names its visit, "" when it has none.
func visitParam(typ string) string {
	switch typ {
	case "Encounter":
		return "part-of"
	case "Provenance":
		return "target"
	}
	for _, code := range []string{"encounter", "context"} {
		for _, p := range r4.SearchParameters(typ) {
			if p.Code == code && p.Type == "reference" && slices.Contains(p.Targets, "Encounter") {
				return code
			}
		}
	}
	return ""
}

func refersTo(d *r4.Doc, base string, k store.Key) bool {
	for n := range references(d.Root()) {
		if t, ok := aim(base, n.Text()); ok && t.Key == k {
			return true
		}
	}
	return false
}

// search adds a phase.
func (e *everything) search(o *operations, typ string, v url.Values) error {
	q, err := o.parse(e.Base, typ, v)
	e.phases = append(e.phases, phase{typ, q})
	return err
}

// since asks all phases for what was changed (_since).
func (e *everything) since(o *operations) error {
	since, err := moment(e.In, "_since", instants...)
	if since == "" || err != nil {
		return err
	}
	for i := range e.phases {
		q, err := o.parse(e.Base, e.phases[i].typ, url.Values{"_lastUpdated": {"ge" + since}})
		if err != nil {
			return err
		}
		e.phases[i].query.Where = append(e.phases[i].query.Where, q.Where...)
	}
	return nil
}
