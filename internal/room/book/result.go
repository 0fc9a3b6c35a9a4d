package book

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// result is one measured or described value (XML4).
type result struct {
	ID, Visit string
	Code      string // MA_CHI_SO, "" when the claim has none
	Name      string
	Value     string // as written, with a decimal comma when it is a number
	Unit      string
	On        moment
	Place     string
	Text      string // MO_TA: what was seen
	Usual     *span
	Verdict   verdict
	Vital     bool // a vital sign, not of a laboratory

	number decimal.Decimal
	isNum  bool
}

// key is what makes results the same analyte: its code, else its name.
func (r result) key() string {
	if r.Code != "" {
		return r.Code
	}
	return nameMark + fold.Key(r.Name)
}

// nameMark begins the key of an analyte without a code.
const nameMark = "ten:"

// Href is the page of the analyte's course.
func (r result) Href() string { return "/so/ket-qua/" + url.PathEscape(r.key()) }

// resultOf reads an Observation; sex and birth are the person's.
func resultOf(o r4.Node, p person, with pregnancies) result {
	r := result{
		ID: o.Get("id").Text(), Visit: idOf(o.Get("encounter"), "Encounter"), Code: element.Code(o.Get("code"), element.ChiSo),
		Name: cmp.Or(dig(o, "code", "text").Text(), dig(o, "code", "coding", "display").Text()), On: moment(o.Get("effectiveDateTime").Text()),
		Text: dig(o, "note", "text").Text(),
	}
	r.Name = cmp.Or(r.Name, r.Code)
	for c := range o.Get("category").Elems() {
		r.Vital = r.Vital || element.Code(c, element.HL7+"observation-category") == "vital-signs"
	}
	q := o.Get("valueQuantity")
	if raw := string(q.Get("value").Raw()); raw != "" {
		r.Unit = cmp.Or(q.Get("unit").Text(), q.Get("code").Text())
		if d, err := decimal.Parse(raw); err == nil {
			r.number, r.isNum = d, q.Get("comparator").Text() == ""
			r.Value = strings.TrimSpace(q.Get("comparator").Text() + " " + number3(raw))
		}
	} else if c := o.Get("valueCodeableConcept"); c.Exists() {
		r.Value = cmp.Or(c.Get("text").Text(), dig(c, "coding", "display").Text())
	} else {
		r.Value, r.Unit = o.Get("valueString").Text(), element.FindExt(o, "don-vi-do").Get("valueString").Text()
	}
	if r.isNum {
		r.Usual = usual(r.Code, r.Name, r.Unit, about{Sex: p.Sex, Birth: p.Birth, On: r.On, Pregnant: with[r.Visit]})
		r.Verdict = r.Usual.judge(r.number)
	}
	return r
}

// number3 writes a decimal in the Vietnamese manner and keeps its last zeros: they tell how exact it was measured.
func number3(raw string) string {
	whole, part, dot := strings.Cut(raw, ".")
	if !dot || strings.ContainsAny(raw, "eE") {
		return ui.Number3(raw)
	}
	return ui.Number3(whole) + "," + part
}

// pregnancies are the visits that belong to a pregnancy.
type pregnancies map[string]bool

func pregnanciesOf(visits []visit) pregnancies {
	p := pregnancies{}
	for _, v := range visits {
		for _, d := range v.Diagnoses {
			if !d.Traditional && pregnant(d.Code) {
				p[v.ID] = true
			}
		}
	}
	return p
}

// analyte is all results of one kind, newest first.
type analyte struct {
	Name    string
	Last    result
	Results []result
}

// analytesOf groups results by analyte, in the order of the dictionary.
func analytesOf(results []result) []analyte {
	at := map[string]int{}
	var list []analyte
	newest(results)
	for _, r := range results {
		i, ok := at[r.key()]
		if !ok {
			i = len(list)
			at[r.key()] = i
			list = append(list, analyte{Name: r.Name, Last: r})
		}
		list[i].Results = append(list[i].Results, r)
	}
	slices.SortStableFunc(list, func(a, b analyte) int { return strings.Compare(fold.SortKey(a.Name), fold.SortKey(b.Name)) })
	return list
}

func newest(list []result) {
	slices.SortStableFunc(list, func(a, b result) int { return b.On.time().Compare(a.On.time()) })
}

// outside gives the newest value of each analyte that lies outside its usual range.
func outside(results []result) (list []result) {
	for _, a := range analytesOf(results) {
		if a.Last.Verdict == under || a.Last.Verdict == over {
			list = append(list, a.Last)
		}
	}
	newest(list)
	return list
}

// course is the page of one analyte.
type course struct {
	Name    string
	Last    result
	Lines   []ui.Line // one for each unit in which it was measured
	Results []result  // all, newest first, also those that are no number
	Shown   []result  // those listed on this page
	After   string    // Observation behind which the page begins, "" on the first
	Next    string    // the same for the next page, "" on the last
}

// valuesPerPage is the number of values listed on a page of a course.
const valuesPerPage = 50

// place gives the values that are shown the names of their places.
func (c *course) place(visits map[string]visit) {
	c.Last.Place = visits[c.Last.Visit].Place
	for i := range c.Shown {
		c.Shown[i].Place = visits[c.Shown[i].Visit].Place
	}
}

// courseOf makes the lines. The band is that of the newest value with that unit.
func courseOf(results []result, after string) course {
	newest(results)
	c := course{Results: results, Shown: results}
	if len(results) == 0 {
		return c
	}
	c.Name, c.Last = results[0].Name, results[0]
	if i := slices.IndexFunc(results, func(r result) bool { return r.ID == after }); i >= 0 && after != "" {
		c.After, c.Shown = after, results[i+1:]
	}
	if len(c.Shown) > valuesPerPage {
		c.Shown = c.Shown[:valuesPerPage]
		c.Next = c.Shown[valuesPerPage-1].ID
	}
	var units []string
	by := map[string]*ui.Line{}
	for _, r := range results {
		if !r.isNum || r.On.time().IsZero() {
			continue
		}
		u := unitKey(r.Unit)
		if by[u] == nil {
			low, high, below := r.Usual.band()
			by[u] = &ui.Line{Title: r.Name, Unit: r.Unit, Low: low, High: high, Below: below}
			units = append(units, u)
		}
		by[u].Points = append(by[u].Points, ui.Point{X: r.On.time().UnixMilli(), Y: r.number.Float64(), Label: r.On.day() + ": " + r.Value + " " + r.Unit})
	}
	for _, u := range units {
		slices.Reverse(by[u].Points)
		if len(by[u].Points) > 1 {
			c.Lines = append(c.Lines, *by[u])
		}
	}
	return c
}
