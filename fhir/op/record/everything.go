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
// care (care.go) are asked for it; what tells no date stays in. Without _count
// all comes in one Bundle, of up to maxAtOnce matches.
func (o *operations) patientEverything(ctx context.Context, c *rest.Call) (*rest.Response, error) {
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

// encounterEverything is Encounter/$everything: the visit, what names it as its
// encounter or context, the visits that are part of it, its Provenance, the
// Patient, and what any of these refer to. The extension encounter-associatedEncounter
// has no search parameter, so what is tied to the visit by it alone is not found.
func (o *operations) encounterEverything(ctx context.Context, c *rest.Call) (*rest.Response, error) {
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
	for _, r := range list {
		if err := e.ours(r); err != nil {
			return err
		}
	}
	if e.wants(typ) {
		for _, r := range list {
			e.out.add(r, "match")
		}
		e.matches += len(list)
	}
	return e.include(ctx, list)
}

// ours refuses what names none of the patients. The search has seen to that;
// but another person's record in this one would be the worst of all faults, and
// nobody would notice.
func (e *everything) ours(r *store.Resource) error {
	if !e.compartment || slices.Contains(e.patients, r.Key.ID) && r.Key.Type == "Patient" {
		return nil
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return err
	}
	for n := range references(doc.Root()) {
		if t, ok := aim(e.Base, n.Text()); ok && t.Type == "Patient" && slices.Contains(e.patients, t.ID) {
			return nil
		}
	}
	return fmt.Errorf("the search of a compartment found a %s that names none of its patients", r.Key.Type)
}

// include adds what some resources refer to.
func (e *everything) include(ctx context.Context, list []*store.Resource) error {
	for range maxDepth {
		var more []*store.Resource
		for _, r := range list {
			doc, err := r4.Parse(r.Body)
			if err != nil {
				return err
			}
			for n := range references(doc.Root()) {
				t, ok := aim(e.Base, n.Text())
				if !ok || e.out.met[t.Key] || e.passed[t.Key] {
					continue
				}
				e.passed[t.Key] = true
				found, err := e.fetch(ctx, t.Key)
				if err != nil {
					return err
				}
				if found == nil {
					continue
				}
				if e.wants(t.Type) { // if not, its own references are of use all the same
					e.out.add(found, "include")
				}
				if len(r4.PatientCompartment(t.Type)) == 0 {
					more = append(more, found)
				}
			}
		}
		if list = more; len(list) == 0 {
			break
		}
	}
	return nil
}

// fetch reads what may be included, nil when it may not or is not there.
func (e *everything) fetch(ctx context.Context, k store.Key) (*store.Resource, error) {
	personal := len(r4.PatientCompartment(k.Type)) > 0
	if personal && e.referred == nil {
		return nil, nil // a match of its own, or another person's
	}
	if k.Type == "Patient" && !slices.Contains(e.patients, k.ID) {
		return nil, nil
	}
	r, err := e.Reader.Read(ctx, k)
	if unseen(err) {
		return nil, nil
	}
	if err != nil || !personal || k.Type == "Patient" {
		return r, err
	}
	doc, err := r4.Parse(r.Body)
	if err != nil {
		return nil, err
	}
	if ok, err := aboutOnly(doc, e.patients); !ok || err != nil || !e.referred(doc) {
		return nil, err
	}
	return r, nil
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
