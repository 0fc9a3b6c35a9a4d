package addr

import "github.com/ytso/ytso/vn/law"

// match is a place that explains units of a text.
type match struct {
	place  Place
	points int // the more of the text it explains the more
	start  int // the first word that it explains
}

var levelOf = map[string]law.PlaceLevel{
	"xã": law.CommuneLevel, "phường": law.CommuneLevel, "thị trấn": law.CommuneLevel, "đặc khu": law.CommuneLevel,
	"huyện": law.DistrictLevel, "quận": law.DistrictLevel, "thị xã": law.DistrictLevel, "tỉnh": law.ProvinceLevel,
}

// fits says whether a unit may be meant on a level; a city is a district or a
// province, and what tells no kind may be anything.
func (u unit) fits(level law.PlaceLevel) bool {
	if u.kind == "thành phố" {
		return level != law.CommuneLevel
	}
	l, ok := levelOf[u.kind]
	return !ok || l == level
}

// explain gives the places of one era that explain units, a place for each
// unit that may be its smallest.
func (b *book) explain(said []unit, old bool) []match {
	var out []match
	for i, u := range said {
		for _, level := range []law.PlaceLevel{law.CommuneLevel, law.DistrictLevel, law.ProvinceLevel} {
			if !u.fits(level) {
				continue
			}
			for _, p := range b.byName[key{level, old, u.name}] {
				if m, ok := b.explainBy(said, i, b.of(p)); ok {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// Points of what is explained; a kind that is the same, and a place that was
// not merged away before 2025, break ties. A bare name is rather a province.
const (
	forCommune, forDistrict, forProvince, forToday, forBare = 40, 30, 30, 20, 28
	forKind, forLasting                                     = 2, 1
)

func (u unit) worth(level law.PlaceLevel) int {
	switch {
	case level == law.ProvinceLevel:
		return forProvince
	case u.kind == "":
		return forBare
	case level == law.DistrictLevel:
		return forDistrict
	}
	return forCommune
}

// explainBy weighs a place whose smallest unit is said[i] against the units
// after it. ok is false when one that names its level is contradicted.
func (b *book) explainBy(said []unit, i int, p Place) (m match, ok bool) {
	small := p.Smallest()
	m = match{place: p, start: said[i].start, points: said[i].worth(small.Level)}
	if !small.Old || small.Until == lastOld {
		m.points += forLasting
	}
	if said[i].kind == small.Kind {
		m.points += forKind
	}
	district, province := small.Level != law.CommuneLevel, small.Level == law.ProvinceLevel // explained
	for _, u := range said[i+1:] {
		switch {
		case !district && p.District.Code != "" && u.fits(law.DistrictLevel) && b.named(u, p.District):
			district, m.points = true, m.points+forDistrict
			if u.kind == p.District.Kind {
				m.points += forKind
			}
		case !province && u.fits(law.ProvinceLevel) && b.named(u, p.Province):
			province, m.points = true, m.points+forProvince
		case !province && small.Old && u.fits(law.ProvinceLevel) && b.todayOf(u, p.Province):
			province, m.points = true, m.points+forToday
		case u.kind == "" || !small.Old && levelOf[u.kind] == law.DistrictLevel:
			// a country or a postcode; a district that is no more
		default:
			return m, false
		}
	}
	return m, true
}

func (b *book) named(u unit, p law.Place) bool {
	for _, q := range b.byName[key{p.Level, p.Old, u.name}] {
		if q.Code == p.Code {
			return true
		}
	}
	return false
}

// todayOf says whether a unit names the province of today that a province of before went to.
func (b *book) todayOf(u unit, old law.Place) bool {
	code, ok := law.ProvinceToday(old.Code)
	return ok && b.named(u, b.byCode[key{law.ProvinceLevel, false, code}])
}
