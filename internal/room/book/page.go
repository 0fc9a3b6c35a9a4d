package book

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/claim/fhirmap/paper"
)

// namer names facilities in the reader's language.
type namer func(code string) string

// namer looks up the names of some facilities; one that is not registered is called by its code.
func (s shelf) namer(ctx context.Context, codes []string) (namer, error) {
	slices.Sort(codes)
	known, err := s.places(ctx, slices.DeleteFunc(slices.Compact(codes), func(c string) bool { return c == "" }))
	return func(code string) string {
		if n := known[code]; n != "" || code == "" {
			return n
		}
		return i18n.T(ctx, "book.facility", "code", code)
	}, err
}

// name gives visits the names of their places.
func (s shelf) name(ctx context.Context, visits []visit) error {
	var codes []string
	for _, v := range visits {
		codes = append(codes, v.Facility)
	}
	n, err := s.namer(ctx, codes)
	for i := range visits {
		visits[i].Place = n(visits[i].Facility)
	}
	return err
}

// visitsByID reads some visits.
func (s shelf) visitsByID(ctx context.Context, ids []string) (map[string]visit, error) {
	const some = 100
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
	var found []r4.Node
	for part := range slices.Chunk(ids, some) {
		list, err := s.all(ctx, "Encounter", "_id", strings.Join(part, ","))
		if err != nil {
			return nil, err
		}
		found = append(found, list...)
	}
	visits := visitsOf(found)
	err := s.name(ctx, visits)
	return byID(visits), err
}

func byID(visits []visit) map[string]visit {
	m := make(map[string]visit, len(visits))
	for _, v := range visits {
		m[v.ID] = v
	}
	return m
}

func show(w http.ResponseWriter, r *http.Request, c templ.Component) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // a health record stays in no cache
	return c.Render(r.Context(), w)
}

// front is the page /so.
type front struct {
	Person person
	Short  summary
	Line   timeline
}

// summary is what matters most, at the top of the book.
type summary struct {
	Illnesses []illness
	Given     *handout // medicines of the newest visit that gave any
	Outside   []result
	Measured  bool // whether any result of the last year has a usual range
	Return    *visit
	ReturnOn  moment
}

func filterOf(r *http.Request) filter {
	q := r.URL.Query()
	f := filter{Facility: q.Get("noi"), Kind: q.Get("loai"), Text: strings.TrimSpace(q.Get("tim")), After: q.Get("sau")}
	f.Year, _ = strconv.Atoi(q.Get("nam")) // what is no year asks for none
	const longest = 100
	if t := []rune(f.Text); len(t) > longest {
		f.Text = string(t[:longest])
	}
	return f
}

func (b *Book) timeline(w http.ResponseWriter, r *http.Request) error {
	f := filterOf(r)
	var p front
	if err := b.open(r.Context(), store.Note{Action: "book.open", Detail: f.Text}, func(s shelf) (err error) {
		p, err = b.front(r.Context(), s, f)
		return err
	}); err != nil {
		return err
	}
	return show(w, r, frontPage(p))
}

func (b *Book) front(ctx context.Context, s shelf, f filter) (p front, err error) {
	encounters, err := s.all(ctx, "Encounter")
	if err != nil {
		return p, err
	}
	visits := visitsOf(encounters)
	if err := s.name(ctx, visits); err != nil {
		return p, err
	}
	var medicines map[string][]string
	if len(fold.Words(f.Text)) > 0 {
		requests, err := s.all(ctx, "MedicationRequest")
		if err != nil {
			return p, err
		}
		medicines = medicineTexts(requests)
	}
	p.Line = timelineOf(visits, f, medicines)
	if err := s.plan(ctx, p.Line.Years); err != nil {
		return p, err
	}
	if !f.first() {
		return p, nil
	}
	coverages, err := s.all(ctx, "Coverage")
	if err != nil {
		return p, err
	}
	p.Person = personOf(s.golden, coverages)
	p.Short, err = s.summary(ctx, p.Person, visits)
	p.Short.Return, p.Short.ReturnOn = nextReturn(p.Line.Years, b.clock.Now())
	return p, err
}

// recentResults bounds the results that the summary looks at; the page says so.
const recentResults = 100

// summary reads the little that the list of visits does not have.
func (s shelf) summary(ctx context.Context, p person, visits []visit) (x summary, err error) {
	x.Illnesses = illnessesOf(visits)
	if len(visits) == 0 {
		return x, nil
	}
	if x.Given, err = s.lastGiven(ctx, byID(visits)); err != nil {
		return x, err
	}
	from := visits[0].Start.time().AddDate(-1, 0, 0).Format(time.DateOnly)
	observations, _, err := s.page(ctx, "Observation", recentResults, "", "date", "ge"+from)
	if err != nil {
		return x, err
	}
	results, with := make([]result, 0, len(observations)), pregnanciesOf(visits)
	for _, o := range observations {
		results = append(results, resultOf(o, p, with))
		x.Measured = x.Measured || results[len(results)-1].Verdict != unknown
	}
	x.Outside = outside(results)
	return x, nil
}

// lastGiven gives the medicines of the newest visit that gave any.
func (s shelf) lastGiven(ctx context.Context, visits map[string]visit) (*handout, error) {
	newest, _, err := s.page(ctx, "MedicationRequest", 1, "")
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	id := idOf(newest[0].Get("encounter"), "Encounter")
	requests, err := s.all(ctx, "MedicationRequest", "encounter", "Encounter/"+id)
	if err != nil {
		return nil, err
	}
	slices.Reverse(requests)
	v := visits[id]
	return &handout{Visit: id, On: v.Start, Place: v.Place, Facility: v.Facility, Medicines: medicinesOf(requests)}, nil
}

// plan reads what the doctors of the visits on a page asked for.
func (s shelf) plan(ctx context.Context, years []year) error {
	var ids []string
	for _, y := range years {
		for _, v := range y.Visits {
			ids = append(ids, "Encounter/"+v.ID)
		}
	}
	if ids == nil {
		return nil
	}
	plans, err := s.all(ctx, "CarePlan", "encounter", strings.Join(ids, ","))
	for _, y := range years {
		planned(y.Visits, plans)
	}
	return err
}

// nextReturn is the nearest day ahead on which a doctor of the newest visits asked the person to come again.
func nextReturn(newest []year, now time.Time) (v *visit, on moment) {
	today := moment(now.In(clock.VietNam).Format(time.DateOnly))
	for _, y := range newest {
		for i := range y.Visits {
			for _, d := range y.Visits[i].FollowUps {
				if !d.before(today) && (on == "" || d.before(on)) {
					v, on = &y.Visits[i], d
				}
			}
		}
	}
	return v, on
}

func (b *Book) visit(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("encounter")
	var x record
	if err := b.open(ctx, store.Note{Action: "book.visit", Entity: "Encounter/" + id}, func(s shelf) (err error) {
		x, err = s.record(ctx, id)
		return err
	}); err != nil {
		return err
	}
	return show(w, r, recordPage(x))
}

// ofVisit are the types that are read for the page of a visit.
var ofVisit = []string{"Condition", "CarePlan", "MedicationRequest", "Observation", "DiagnosticReport", "Procedure", "ClinicalImpression", "Composition", "Claim"}

func (s shelf) record(ctx context.Context, id string) (x record, err error) {
	e, err := s.read(ctx, "Encounter", id)
	if err != nil {
		return x, err
	}
	d := docs{}
	for _, typ := range ofVisit {
		if d[typ], err = s.all(ctx, typ, "encounter", "Encounter/"+id); err != nil {
			return x, err
		}
	}
	if d["Provenance"], err = s.all(ctx, "Provenance", "target", "Encounter/"+id); err != nil {
		return x, err
	}
	x = recordOf(e, d, personOf(s.golden, nil))
	codes := []string{x.Visit.Facility}
	for _, o := range x.Sources {
		codes = append(codes, o.Facility)
	}
	n, err := s.namer(ctx, codes)
	x.Visit.Place = n(x.Visit.Facility)
	for i := range x.Sources {
		x.Sources[i].Place = n(x.Sources[i].Facility)
	}
	return x, err
}

func (b *Book) results(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var list []analyte
	if err := b.open(ctx, store.Note{Action: "book.results"}, func(s shelf) error {
		results, err := s.results(ctx)
		list = analytesOf(results)
		return err
	}); err != nil {
		return err
	}
	return show(w, r, resultsPage(list))
}

func (s shelf) results(ctx context.Context, where ...string) (list []result, err error) {
	observations, err := s.all(ctx, "Observation", where...)
	if err != nil {
		return nil, err
	}
	p, with := personOf(s.golden, nil), pregnancies(nil)
	if p.Sex == "female" {
		encounters, err := s.all(ctx, "Encounter")
		if err != nil {
			return nil, err
		}
		with = pregnanciesOf(visitsOf(encounters))
	}
	for _, o := range observations {
		if x := resultOf(o, p, with); x.Value != "" && x.Name != "" {
			list = append(list, x)
		}
	}
	return list, nil
}

func (b *Book) trend(w http.ResponseWriter, r *http.Request) error {
	ctx, code := r.Context(), r.PathValue("code")
	var c course
	if err := b.open(ctx, store.Note{Action: "book.result", Entity: "Observation?code=" + code}, func(s shelf) error {
		results, err := s.resultsOf(ctx, code)
		if err != nil {
			return err
		}
		if len(results) == 0 {
			return errNotHere
		}
		c = courseOf(results, r.URL.Query().Get("sau"))
		ids := []string{c.Last.Visit}
		for _, x := range c.Shown {
			ids = append(ids, x.Visit)
		}
		visits, err := s.visitsByID(ctx, ids)
		c.place(visits)
		return err
	}); err != nil {
		return err
	}
	return show(w, r, trendPage(c))
}

// resultsOf gives the results of one analyte: by its code, or by its name when it has none.
func (s shelf) resultsOf(ctx context.Context, key string) ([]result, error) {
	if !strings.HasPrefix(key, nameMark) {
		return s.results(ctx, "code", escape(element.ChiSo)+"|"+escape(key))
	}
	list, err := s.results(ctx)
	return slices.DeleteFunc(list, func(x result) bool { return x.key() != key }), err
}

func (b *Book) medicines(w http.ResponseWriter, r *http.Request) error {
	ctx, before := r.Context(), moment(r.URL.Query().Get("truoc"))
	var c cabinet
	if err := b.open(ctx, store.Note{Action: "book.medicines"}, func(s shelf) (err error) {
		c, err = s.cabinet(ctx, before, b.clock.Now())
		return err
	}); err != nil {
		return err
	}
	return show(w, r, medicinesPage(c))
}

// linesPerPage is about how many lines of medicines a page reads; a day is never cut in two.
const linesPerPage = 100

func (s shelf) cabinet(ctx context.Context, before moment, now time.Time) (c cabinet, err error) {
	var where []string
	if t := before.time(); !t.IsZero() {
		where = []string{"authoredon", "lt" + t.Format(time.RFC3339)}
	}
	requests, next, err := s.page(ctx, "MedicationRequest", linesPerPage, "", where...)
	for err == nil && next != "" && dayOf(requests[0]) == dayOf(requests[len(requests)-1]) {
		var more []r4.Node
		more, next, err = s.page(ctx, "MedicationRequest", linesPerPage, next, where...)
		requests = append(requests, more...)
	}
	if err != nil {
		return c, err
	}
	if next != "" { // the oldest day may go on: it begins the next page
		last := dayOf(requests[len(requests)-1])
		requests = slices.DeleteFunc(requests, func(n r4.Node) bool { return dayOf(n) == last })
		c.Next = dayOf(requests[len(requests)-1])
	}
	recent := requests
	if len(where) == 0 && next != "" {
		from := now.AddDate(-1, 0, -1).Format(time.DateOnly)
		if recent, err = s.all(ctx, "MedicationRequest", "authoredon", "ge"+from); err != nil {
			return c, err
		}
	}
	ids := map[string]bool{}
	for _, n := range slices.Concat(requests, recent) {
		ids[idOf(n.Get("encounter"), "Encounter")] = true
	}
	visits, err := s.visitsByID(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return c, err
	}
	c.Given = handoutsOf(requests, visits)
	if c.Older = len(where) > 0; !c.Older {
		c.Now = notUsedUp(handoutsOf(recent, visits), now)
	}
	return c, nil
}

func (b *Book) papers(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var list []sheet
	if err := b.open(ctx, store.Note{Action: "book.papers"}, func(s shelf) error {
		compositions, err := s.all(ctx, "Composition")
		if err != nil {
			return err
		}
		list = sheetsOf(compositions)
		codes := make([]string, len(list))
		for i, x := range list {
			codes[i] = x.Facility
		}
		n, err := s.namer(ctx, codes)
		for i := range list {
			list[i].Place = n(list[i].Facility)
		}
		return err
	}); err != nil {
		return err
	}
	return show(w, r, papersPage(list))
}

func (b *Book) paper(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("id")
	var p openPaper
	if err := b.open(ctx, store.Note{Action: "book.paper", Entity: "Composition/" + id}, func(s shelf) (err error) {
		p, err = s.paper(ctx, id)
		return err
	}); err != nil {
		return err
	}
	return show(w, r, paperPage(p))
}

func (s shelf) paper(ctx context.Context, id string) (p openPaper, err error) {
	c, err := s.read(ctx, "Composition", id)
	if err != nil {
		return p, err
	}
	answers, err := s.read(ctx, "QuestionnaireResponse", responseOf(c))
	if err != nil {
		return p, err
	}
	p = openPaper{Sheet: sheetOf(c), Person: personOf(s.golden, nil), Fields: paper.Fields(answers)}
	n, err := s.namer(ctx, []string{p.Sheet.Facility})
	p.Sheet.Place = n(p.Sheet.Facility)
	return p, err
}

func (b *Book) costs(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var c costs
	if err := b.open(ctx, store.Note{Action: "book.costs"}, func(s shelf) error {
		encounters, err := s.all(ctx, "Encounter")
		if err != nil {
			return err
		}
		claims, err := s.all(ctx, "Claim")
		if err != nil {
			return err
		}
		visits := visitsOf(encounters)
		if err := s.name(ctx, visits); err != nil {
			return err
		}
		c = costsOf(claims, byID(visits), filterOf(r).Year)
		return nil
	}); err != nil {
		return err
	}
	return show(w, r, costsPage(c))
}
