package book

import (
	"cmp"
	"slices"
	"strings"
)

// The rule by which an illness counts as one that comes back: it is stated on
// the page. It describes the record and is no diagnosis.
const (
	illnessVisits = 3
	illnessDays   = 90
)

// illness is a disease that stands in the book again and again.
type illness struct {
	Category string // three characters of ICD-10
	Text     string // as the newest visit names it
	Visits   int
	Since    moment
	Last     moment
	LastID   string // visit
	code     string
}

// passing are the parts of ICD-10 that do not last: colds and bronchitis,
// infections of the bowel, and the chapters of pregnancy, of the newborn, of
// signs, injuries, causes from outside and reasons that are no disease.
var passing = []struct{ from, to string }{
	{"A00", "A09"}, {"J00", "J06"}, {"J20", "J22"}, {"O00", "P96"}, {"R00", "Z99"},
}

// illnessesOf finds the illnesses in visits, newest first, that fulfil the rule; the most frequent first.
func illnessesOf(visits []visit) []illness {
	at := map[string]*illness{}
	for _, v := range visits {
		seen := map[string]bool{}
		for _, d := range v.Diagnoses {
			c := category(d)
			if c == "" || seen[c] {
				continue
			}
			seen[c] = true
			x := at[c]
			if x == nil {
				x = &illness{Category: c, Text: d.Text, code: d.Code, Last: v.Start, LastID: v.ID}
				at[c] = x
			}
			if x.Text == x.code { // an older visit has words where the newest has only a code
				x.Text, x.code = d.Text, d.Code
			}
			x.Visits++
			x.Since = v.Start
		}
	}
	var list []illness
	for _, x := range at {
		if x.Visits >= illnessVisits && x.Last.time().Sub(x.Since.time()).Hours() >= illnessDays*24 {
			list = append(list, *x)
		}
	}
	slices.SortFunc(list, func(a, b illness) int {
		return cmp.Or(cmp.Compare(b.Visits, a.Visits), cmp.Compare(a.Category, b.Category))
	})
	return list
}

// category is the three-character category of a diagnosis, "" when it does not last or is not of ICD-10.
func category(d diagnosis) string {
	c := strings.ToUpper(d.Code)
	if d.Traditional || len(c) < 3 {
		return ""
	}
	c = c[:3]
	for _, p := range passing {
		if c >= p.from && c <= p.to {
			return ""
		}
	}
	return c
}

// pregnant says whether a diagnosis belongs to a pregnancy or a birth (ICD-10
// chapter XV, Z32–Z36): usual ranges of women do not hold there.
func pregnant(code string) bool {
	return code != "" && (code[0] == 'O' || len(code) >= 3 && code[:3] >= "Z32" && code[:3] <= "Z36")
}
