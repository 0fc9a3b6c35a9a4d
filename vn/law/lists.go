package law

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Dated is a member of a list with the days on which it holds, yyyy-mm-dd; ""
// is open.
type Dated struct {
	Code
	From, To string
}

// Shipped is a list that the program holds, with the days that it covers.
type Shipped struct {
	Name, From, To string
	List           *List
}

// Names lists the shipped lists of codelists_index.csv, sorted; catalogues that a site loads are not among them.
func Names() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(index())) {
		if !strings.HasPrefix(name, "catalogue:") {
			out = append(out, name)
		}
	}
	return out
}

// Ship gives a shipped list whole; ok is false when there is none of that name.
func Ship(name string) (s Shipped, ok bool) {
	entry, ok := index()[name]
	if !ok {
		return s, false
	}
	l := entry.load()
	return Shipped{name, entry.from, entry.to, l}, l != nil
}

// Every lists all members of all days, in order of their codes and days.
func (l *List) Every() []Dated {
	var out []Dated
	for _, same := range l.codes {
		for _, c := range same {
			if c.Code != "" {
				out = append(out, Dated{c, c.from, c.to})
			}
		}
	}
	slices.SortFunc(out, func(a, b Dated) int {
		return cmp.Or(strings.Compare(a.Code.Code, b.Code.Code), strings.Compare(a.From, b.From))
	})
	return out
}
