package addr

import (
	"slices"

	"github.com/ytso/ytso/vn/law"
	"github.com/ytso/ytso/vn/person"
)

// Compare compares what two addresses may mean, across 1 July 2025. The best
// of their places counts; where a text means several, that a commune is the
// same is only perhaps so. People move: a difference says little.
func Compare(a, b []Place) person.Agreement {
	var best person.Agreement
	for _, p := range a {
		for _, q := range b {
			if seen := compare(p, q); seen.Level > best.Level || best.Level == person.Unknown {
				best = seen
			}
		}
	}
	if best.AtLeast(person.Near) && (len(a) > 1 || len(b) > 1) {
		return person.Seen("place.perhaps")
	}
	return best
}

func compare(p, q Place) person.Agreement {
	if p.Province.Code == "" || q.Province.Code == "" {
		return person.Agreement{}
	}
	if p.Commune.Code != "" && q.Commune.Code != "" {
		if key := compareCommunes(p, q); key != "" {
			return person.Seen(key)
		}
	}
	switch {
	case p.District.Code != "" && p.District.Code == q.District.Code:
		return person.Seen("place.district")
	case provinceToday(p) == provinceToday(q):
		return person.Seen("place.province")
	}
	return person.Seen("place.differs")
}

// compareCommunes tells what two communes have in common, "" when nothing.
func compareCommunes(p, q Place) string {
	if p.Old() == q.Old() && p.Commune.Code == q.Commune.Code {
		return "place.same"
	}
	x, y := communesToday(p), communesToday(q)
	if !slices.ContainsFunc(x, func(c string) bool { return slices.Contains(y, c) }) {
		return ""
	}
	switch {
	case p.Old() && q.Old():
		return "place.merged"
	case len(x) == 1 && len(y) == 1:
		return "place.successor"
	}
	return "place.perhaps"
}

func communesToday(p Place) []string {
	list, err := Today(p)
	if err != nil {
		return nil
	}
	var out []string
	for _, b := range list {
		if b.Place.Commune.Code != "" {
			out = append(out, b.Place.Commune.Code)
		}
	}
	return out
}

func provinceToday(p Place) string {
	if !p.Province.Old {
		return p.Province.Code
	}
	code, _ := law.ProvinceToday(p.Province.Code)
	return code
}
