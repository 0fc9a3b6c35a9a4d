package book

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/r4"
)

// pageSize is the number of visits on a page of the time line.
const pageSize = 30

// filter is what a reader asks the time line for. Every field may be blank.
type filter struct {
	Year     int
	Facility string // MA_CSKCB
	Kind     string // MA_LOAI_KCB
	Text     string // words of a diagnosis or a medicine, with or without marks
	After    string // Encounter id: the page begins behind this visit
}

// narrow says whether the filter leaves visits out.
func (f filter) narrow() bool {
	return f.Year != 0 || f.Facility != "" || f.Kind != "" || len(fold.Words(f.Text)) > 0
}

// first says whether this is the front page of the book.
func (f filter) first() bool { return !f.narrow() && f.After == "" }

// timeline is the list of visits.
type timeline struct {
	Filter     filter
	Years      []year // of the page, newest first
	Matches    int    // visits that the filter leaves
	Visits     int    // of the whole book
	Next       string // After of the next page, "" on the last
	AllYears   []choice
	Facilities []choice
	Kinds      []choice
}

// year groups visits.
type year struct {
	Year   int
	Count  int // in the whole book
	Visits []visit
}

// choice is a value of a filter with the number of visits behind it.
type choice struct {
	Value, VI, EN string
	Count         int
}

// timelineOf picks and groups; visits are all of the book, newest first, and
// medicines is the folded text of the medicines by visit, read only for a search.
func timelineOf(visits []visit, f filter, medicines map[string][]string) timeline {
	t := timeline{Filter: f, Visits: len(visits)}
	years, facilities, kinds := map[string]*choice{}, map[string]*choice{}, map[string]*choice{}
	var kept []visit
	words := fold.Words(f.Text)
	for _, v := range visits {
		count(years, strconv.Itoa(v.Start.year()), "", "")
		count(facilities, v.Facility, v.Place, "")
		count(kinds, v.Kind.Code, v.Kind.VI, v.Kind.EN)
		if f.Year != 0 && v.Start.year() != f.Year || f.Facility != "" && v.Facility != f.Facility || f.Kind != "" && v.Kind.Code != f.Kind {
			continue
		}
		if len(words) > 0 {
			if v.Found = found(v, words, medicines[v.ID]); v.Found == nil {
				continue
			}
		}
		kept = append(kept, v)
	}
	t.AllYears, t.Facilities, t.Kinds = choices(years), choices(facilities), choices(kinds)
	slices.SortFunc(t.AllYears, func(a, b choice) int { return cmp.Compare(b.Value, a.Value) })
	t.Matches = len(kept)
	t.cut(kept)
	return t
}

// cut keeps one page of visits behind f.After and groups it by year.
func (t *timeline) cut(kept []visit) {
	if t.Filter.After != "" {
		i := slices.IndexFunc(kept, func(v visit) bool { return v.ID == t.Filter.After })
		kept = kept[i+1:] // an id that is gone begins from the top
	}
	if len(kept) > pageSize {
		kept = kept[:pageSize]
		t.Next = kept[pageSize-1].ID
	}
	for _, v := range kept {
		y := v.Start.year()
		if n := len(t.Years); n == 0 || t.Years[n-1].Year != y {
			g := year{Year: y}
			for _, c := range t.AllYears {
				if c.Value == strconv.Itoa(y) {
					g.Count = c.Count
				}
			}
			t.Years = append(t.Years, g)
		}
		g := &t.Years[len(t.Years)-1]
		g.Visits = append(g.Visits, v)
	}
}

func count(m map[string]*choice, value, vi, en string) {
	if value == "" || value == "0" {
		return
	}
	c := m[value]
	if c == nil {
		c = &choice{Value: value, VI: cmp.Or(vi, value), EN: en}
		m[value] = c
	}
	c.Count++
}

// choices sorts by how many visits stand behind them, then by name.
func choices(m map[string]*choice) []choice {
	list := make([]choice, 0, len(m))
	for _, c := range m {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b choice) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(fold.SortKey(a.VI), fold.SortKey(b.VI)), cmp.Compare(a.Value, b.Value))
	})
	return list
}

// found gives the diagnoses and medicines of a visit that hold every word, nil
// when there is none. A word matches from the start of any word of the text.
func found(v visit, words, medicines []string) (list []string) {
	try := func(text string) {
		if text != "" && holds(text, words) && !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, d := range v.Diagnoses {
		name := everyday(d.Code)
		if d.Text != d.Code {
			try(d.Text + " " + parens(d.Code))
		} else if name.VI != "" {
			try(name.VI + " " + parens(d.Code))
		} else {
			try(d.Code)
		}
	}
	try(v.OnArrival)
	for _, m := range medicines {
		try(m)
	}
	return list
}

func parens(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

func holds(text string, words []string) bool {
	key := " " + fold.Key(text)
	for _, w := range words {
		if !strings.Contains(key, " "+w) {
			return false
		}
	}
	return true
}

// medicineTexts lists the names of the medicines of each visit.
func medicineTexts(requests []r4.Node) map[string][]string {
	by := map[string][]string{}
	for _, m := range requests {
		id := idOf(m.Get("encounter"), "Encounter")
		if text := medicineName(m); text != "" && !slices.Contains(by[id], text) {
			by[id] = append(by[id], text)
		}
	}
	return by
}
