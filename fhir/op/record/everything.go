package record

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// Bounds of $everything.
const (
	maxAtOnce = 5000 // matches in one Bundle; what is more is behind the link "next" also when no _count was given
	stride    = 500  // matches read by one search
	maxDepth  = 4    // how far included resources refer to further ones
)

// phase is one search of many, which together find everything.
type phase struct {
	typ   string
	query param.Query
}

// everything is one call of $everything.
type everything struct {
	*rest.Call
	path        string
	phases      []phase
	types       []string // wanted; nil: all
	patients    []string // whose record it is
	compartment bool     // matches are of the patients' compartments, and each names one of them
	// referred says whether a resource about the persons, that a match refers to, comes along.
	referred func(*r4.Doc) bool
	count    int
	out      *searchset
	found    int                // resources of the record that were read
	matches  int                // of these in the answer
	passed   map[store.Key]bool // referred to, and not to be included
}

// patientEverything is Patient/$everything.
//
// What a match refers to comes with it when it belongs to nobody's compartment
// (practitioners, places, medicines, devices, Binaries); the same one may stand
// on several pages. The date range is that of care: types that have a date of
// care (care.go) are asked for it; what tells no date stays in, and so do the
// Patients, also with _since. Without _count
// all comes in one Bundle, of up to maxAtOnce matches.
func (o *operations) patientEverything(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In, "start", "end", "_since", "_type", "_count", "_cursor"); err != nil {
		return nil, err
	}
	id := c.ID
	if id == "" {
		var err error
		if id, err = ownPatient(c.Access); err != nil {
			return nil, err
		}
	}
	p, err := findPerson(ctx, c.Reader, id)
	if err != nil {
		return nil, err
	}
	e := &everything{Call: c, path: "Patient/" + id + "/$everything", patients: p.ids, compartment: true}
	own, err := o.compartment(c, p)
	if err != nil {
		return nil, err
	}
	if e.phases, err = o.carePhases(c, own); err != nil {
		return nil, err
	}
	if err := e.read("Patient"); err != nil {
		return nil, err
	}
	if c.In.Text("_cursor") == "" {
		if err := e.persons(ctx, p); err != nil {
			return nil, err
		}
	}
	return e.run(ctx)
}

// ownPatient is whom Patient/$everything is about without an id: who sees the
// own record only. To all others the records of everybody are too many for a Bundle.
func ownPatient(a store.Access) (string, error) {
	if a.Agent.Kind == store.Citizen && a.Agent.ID != "" && !a.Filter.All && len(a.Filter.Owners) == 0 {
		return a.Agent.ID, nil
	}
	return "", outcome.New(outcome.TooCostly, "record.everything",
		"Hãy ghi rõ hồ sơ của ai (Patient/{id}/$everything); để lấy hồ sơ của nhiều người, dùng $export.",
		"Say whose record it is (Patient/{id}/$everything); for the records of many, use $export.")
}

// persons adds the Patients themselves, the one asked for first.
func (e *everything) persons(ctx context.Context, p *person) error {
	list := []*store.Resource{p.patient}
	for _, id := range p.ids[1:] {
		r, err := e.Reader.Read(ctx, store.Key{Type: "Patient", ID: id})
		if err != nil {
			if unseen(err) {
				continue
			}
			return err
		}
		list = append(list, r)
	}
	return e.take(ctx, "Patient", list)
}

// compartment lists the searches of a Patient's compartment, by type in order
// of the alphabet, without the Patients.
func (o *operations) compartment(c *rest.Call, p *person) ([]phase, error) {
	var list []phase
	for _, t := range r4.ResourceTypes() {
		if t == "Patient" || t == "AuditEvent" || len(r4.PatientCompartment(t)) == 0 {
			continue
		}
		q, err := o.parse(c.Base, t, url.Values{})
		if err != nil {
			return nil, err
		}
		q.CompartmentType, q.CompartmentID = "Patient", p.id
		list = append(list, phase{t, q})
	}
	return list, nil
}

// read takes the parameters that both operations have, and leaves the phases
// that are of use. self is the type of the operation.
func (e *everything) read(self string) (err error) {
	e.out, e.passed = newSearchset(e.Base), map[store.Key]bool{}
	if e.types, err = typesOf(e.In, r4.IsResource); err != nil {
		return err
	}
	if e.count, err = whole(e.In, "_count"); err != nil {
		return err
	}
	if e.count == 0 || e.count > maxAtOnce {
		e.count = maxAtOnce
	}
	inside := func(t string) bool {
		return t == self || slices.ContainsFunc(e.phases, func(p phase) bool { return p.typ == t })
	}
	only := e.types != nil && !slices.ContainsFunc(e.types, func(t string) bool { return !inside(t) })
	filter := e.Access.Filter
	for _, t := range e.types {
		if !filter.May(t, store.CanSearch) { // asked for by name, it is refused and not left out
			return outcome.New(outcome.Forbidden, "record.type",
				"Bạn không có quyền xem một loại hồ sơ đã yêu cầu.", "You may not see a type of record that was asked for.").At(parameterAt("_type"))
		}
	}
	e.phases = slices.DeleteFunc(e.phases, func(p phase) bool {
		return !filter.May(p.typ, store.CanSearch) || only && !e.wants(p.typ)
	})
	return nil
}

func (e *everything) wants(typ string) bool { return e.types == nil || slices.Contains(e.types, typ) }

// run goes through the phases from where the cursor says until the page is full.
func (e *everything) run(ctx context.Context) (*rest.Response, error) {
	at, cursor, err := e.place()
	if err != nil {
		return nil, err
	}
	next := ""
	for at < len(e.phases) {
		if e.found >= e.count {
			next = strconv.Itoa(at) + "." + cursor
			break
		}
		p := e.phases[at]
		p.query.Count, p.query.Cursor = min(e.count-e.found, stride), cursor
		page, err := e.Reader.Search(ctx, p.query)
		if err != nil {
			return nil, err
		}
		if err := e.take(ctx, p.typ, page.Matches); err != nil {
			return nil, err
		}
		if cursor = page.Next; cursor == "" {
			at++
		}
	}
	e.linkTo(next)
	return e.out.response(), nil
}

// place reads the cursor: a phase, and the place in it.
func (e *everything) place() (at int, cursor string, err error) {
	text := e.In.Text("_cursor")
	if text == "" {
		return 0, "", nil
	}
	first, cursor, ok := strings.Cut(text, ".")
	if at, err = strconv.Atoi(first); err != nil || !ok || at < 0 || at >= len(e.phases) {
		return 0, "", bad("_cursor", "không phải đường dẫn trang kết quả", "is no link of a result page")
	}
	return at, cursor, nil
}

// take adds what a search found, with what it refers to. What was read counts
// for the page also when its type is not wanted, so that no page reads without end.
func (e *everything) take(ctx context.Context, typ string, list []*store.Resource) error {
	e.found += len(list)
	docs := make([]*r4.Doc, len(list))
	for i, r := range list {
		var err error
		if docs[i], err = r4.Parse(r.Body); err != nil {
			return err
		}
		if !e.ours(docs[i]) {
			return fmt.Errorf("the search of a compartment found a %s that names none of its patients", typ)
		}
	}
	if e.wants(typ) {
		for _, r := range list {
			e.out.add(r, "match")
		}
		e.matches += len(list)
	}
	return e.include(ctx, docs)
}

// linkTo adds the links of the page.
func (e *everything) linkTo(next string) {
	q := url.Values{}
	for k, v := range e.In.Values() {
		if k != "_cursor" {
			q[k] = v
		}
	}
	first := e.In.Text("_cursor") == ""
	if !first {
		q.Set("_cursor", e.In.Text("_cursor"))
	}
	e.out.link("self", e.path, q)
	if next != "" {
		q.Set("_cursor", next)
		e.out.link("next", e.path, q)
	} else if first {
		e.out.total = e.matches
	}
}
