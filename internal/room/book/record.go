package book

import (
	"cmp"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// record is everything of one visit.
type record struct {
	Visit      visit
	Facts      []stated // what else the Encounter says: department, result, way of leaving
	Advice     []string // the doctor's words for the way home (GHI_CHU)
	Treatment  []string // PP_DIEU_TRI
	Medicines  []medicine
	Reports    []report
	Procedures []procedure
	Notes      []note
	Papers     []sheet
	Money      money
	Lines      []line
	Sources    []source
}

// report is a service with its results: a group of values, or a description with a conclusion.
type report struct {
	Name       string
	On         moment
	Results    []result
	Text       string // MO_TA
	Conclusion string // KET_LUAN
	Vital      bool   // vital signs
}

// procedure is a service that was done (XML3).
type procedure struct {
	Name     string
	Quantity string
	On       moment
}

// note is an entry of the course of illness (XML5).
type note struct {
	On   moment
	Text string
	More []labelled
}

// labelled is a text with the message key of what it is.
type labelled struct{ Key, Text string }

// line is a line of the bill.
type line struct {
	Name     string
	Quantity string
	Money    money
}

// source is where a record came from: which facility's file, received when.
type source struct {
	Facility, Place string
	On              moment
}

// docs are the resources of a visit by type.
type docs map[string][]r4.Node

// recordOf makes the page of a visit.
func recordOf(e r4.Node, d docs, p person) record {
	r := record{Visit: visitOf(e, d["Condition"]), Papers: sheetsOf(d["Composition"])}
	with := pregnanciesOf([]visit{r.Visit})
	r.stay(e)
	r.plan(d["CarePlan"])
	requests := slices.Clone(d["MedicationRequest"])
	slices.Reverse(requests) // the store gives the newest first; a prescription is read from its top
	r.Medicines = medicinesOf(requests)
	r.Reports = reportsOf(d["DiagnosticReport"], d["Observation"], p, with)
	for _, x := range d["Procedure"] {
		r.Procedures = append(r.Procedures, procedureOf(x))
	}
	slices.SortStableFunc(r.Procedures, func(a, b procedure) int { return a.On.time().Compare(b.On.time()) })
	for _, x := range d["ClinicalImpression"] {
		if n := noteOf(x); n.Text != "" || len(n.More) > 0 {
			r.Notes = append(r.Notes, n)
		}
	}
	slices.SortStableFunc(r.Notes, func(a, b note) int { return a.On.time().Compare(b.On.time()) })
	for _, c := range d["Claim"] {
		r.Money = r.Money.plus(moneyOf(c))
		r.Lines = append(r.Lines, linesOf(c)...)
	}
	r.Sources = sourcesOf(d["Provenance"])
	return r
}

// stated is a word of the law's lists with the message key of what it is.
type stated struct {
	Key  string
	Word kind
}

// stay reads the departments, how the illness stood at the end and how the person left.
func (r *record) stay(e r4.Node) {
	day := r.Visit.Start.time()
	var places []kind
	for l := range e.Get("location").Elems() {
		ref := l.Get("location")
		n := kind{Code: dig(ref, "identifier", "value").Text()}
		if n.VI = cmp.Or(ref.Get("display").Text(), n.Code); !slices.Contains(places, n) {
			places = append(places, n)
			r.Facts = append(r.Facts, stated{"book.department", n})
		}
	}
	h := e.Get("hospitalization")
	for _, f := range []stated{
		{"book.outcome", listed(element.FindExt(h, "ket-qua-dtri").Get("valueCodeableConcept"), "ket_qua_dtri", day)},
		{"book.leaving", listed(h.Get("dischargeDisposition"), "ma_loai_rv", day)},
	} {
		if f.Word.VI != "" {
			r.Facts = append(r.Facts, f)
		}
	}
}

// plan reads treatment, advice and the days of return.
func (r *record) plan(plans []r4.Node) {
	one := []visit{r.Visit}
	planned(one, plans)
	r.Visit = one[0]
	for _, p := range plans {
		if t := p.Get("description").Text(); t != "" {
			r.Advice = append(r.Advice, t)
		}
		for a := range p.Get("activity").Elems() {
			if t := a.Get("detail").Get("description").Text(); t != "" {
				r.Treatment = append(r.Treatment, t)
			}
		}
	}
}

// reportsOf puts Observations below the report that lists them; those that no report lists stand last.
func reportsOf(reports, observations []r4.Node, p person, with pregnancies) (list []report) {
	by := map[string]result{}
	var order []string
	for _, o := range observations {
		x := resultOf(o, p, with)
		by[x.ID] = x
		order = append(order, x.ID)
	}
	slices.Reverse(order)
	for _, d := range reports {
		r := report{Name: cmp.Or(dig(d, "code", "text").Text(), dig(d, "code", "coding", "display").Text()), On: moment(d.Get("effectiveDateTime").Text()), Conclusion: d.Get("conclusion").Text()}
		for ref := range d.Get("result").Elems() {
			id := idOf(ref, "Observation")
			if x, ok := by[id]; ok {
				r.Results = append(r.Results, x)
				delete(by, id)
			}
		}
		r.tidy()
		list = append(list, r)
	}
	for _, id := range order {
		if x, ok := by[id]; ok {
			rest := report{On: x.On, Results: []result{x}}
			if rest.tidy(); len(rest.Results) > 0 || rest.Text != "" {
				list = append(list, rest)
			}
		}
	}
	return together(list)
}

// together joins reports of one value each at the same time: most laboratory
// services measure one thing, and a heading for each is no help.
func together(list []report) (out []report) {
	type key struct {
		on    moment
		vital bool
	}
	at := map[key]int{}
	for _, r := range list {
		if len(r.Results) != 1 || r.Text != "" || r.Conclusion != "" {
			out = append(out, r)
			continue
		}
		k := key{r.On, r.Results[0].Vital}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, report{On: r.On, Vital: k.vital})
		}
		out[i].Results = append(out[i].Results, r.Results...)
	}
	slices.SortStableFunc(out, func(a, b report) int { return a.On.time().Compare(b.On.time()) })
	return out
}

// tidy takes up what was seen and drops results that hold no value.
func (r *report) tidy() {
	for _, x := range r.Results {
		if x.Text != "" {
			r.Text = strings.TrimSpace(r.Text + "\n" + x.Text)
		}
	}
	r.Results = slices.DeleteFunc(r.Results, func(x result) bool { return x.Value == "" })
}

func procedureOf(n r4.Node) procedure {
	p := procedure{
		Name: cmp.Or(dig(n, "code", "text").Text(), dig(n, "code", "coding", "display").Text()),
		On:   moment(cmp.Or(n.Get("performedDateTime").Text(), dig(n, "performedPeriod", "start").Text())),
	}
	return p
}

// noteOf reads an entry of the course of illness: the course, the stage, the consultation, the operation (XML5).
func noteOf(n r4.Node) note {
	x := note{On: moment(cmp.Or(n.Get("date").Text(), n.Get("effectiveDateTime").Text())), Text: n.Get("summary").Text()}
	if t := n.Get("description").Text(); t != "" {
		x.More = append(x.More, labelled{"book.note.giai-doan-benh", t})
	}
	for m := range n.Get("note").Elems() {
		kind := element.FindExt(m, "loai-ghi-chu").Get("valueCode").Text()
		if t := m.Get("text").Text(); t != "" && (kind == "hoi-chan" || kind == "phau-thuat") {
			x.More = append(x.More, labelled{"book.note." + kind, t})
		}
	}
	return x
}

// linesOf reads the lines of a bill; a line without money is left out.
func linesOf(c r4.Node) (list []line) {
	for i := range c.Get("item").Elems() {
		l := line{Name: cmp.Or(dig(i, "productOrService", "text").Text(), dig(i, "productOrService", "coding", "display").Text()), Money: lineMoney(i)}
		q := i.Get("quantity")
		if n, err := decimal.Parse(string(q.Get("value").Raw())); err == nil {
			l.Quantity = quantity(n.Plain(), q.Get("unit").Text())
		}
		if l.Name != "" && l.Money.some() {
			list = append(list, l)
		}
	}
	return list
}

// sourcesOf tells each file once.
func sourcesOf(provenances []r4.Node) (list []source) {
	for _, p := range provenances {
		s := source{On: moment(p.Get("recorded").Text())}
		for a := range p.Get("agent").Elems() {
			if dig(a, "who", "identifier", "system").Text() == element.MACSKCB {
				s.Facility = dig(a, "who", "identifier", "value").Text()
			}
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	slices.SortStableFunc(list, func(a, b source) int { return strings.Compare(string(b.On), string(a.On)) })
	return list
}
