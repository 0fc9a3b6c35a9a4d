package law

import (
	"strings"
	"sync"
	"time"
)

// PlaceLevel is how large an administrative unit is.
type PlaceLevel uint8

// Levels of units; districts are gone since 1 July 2025.
const (
	CommuneLevel PlaceLevel = iota + 1
	DistrictLevel
	ProvinceLevel
)

// Place is an administrative unit as one list has it. Codes name another place
// in another list (24 was Bắc Giang, and is Bắc Ninh), so Old always goes with Code.
type Place struct {
	Level    PlaceLevel
	Old      bool   // of the lists that ended on 30/06/2025
	Code     string // 2, 3 or 5 digits
	Kind     string // "xã", "phường", "thị trấn", "đặc khu", "huyện", "quận", "thị xã", "thành phố", "tỉnh": today, or when it ended
	Name     string // "Ba Đình"
	Full     string // "Phường Ba Đình"
	Province string // code of the province, of the same list
	District string // code of the district; "" for places of today
	// Until is the last day known of a place that is gone; of those merged away
	// before 2025 it is the release of the source that still had them, not a legal date.
	Until    string
	kind2025 string // its kind from 01/07/2025 to 29/04/2026
}

// changeOf2026 is the day of 30/2026/QH16 and 237/NQ-UBTVQH16: a province became a city, ten communes wards.
const changeOf2026 = "2026-04-30"

// KindOn is the kind that a place of today had on a day.
func (p Place) KindOn(on time.Time) string {
	if p.kind2025 != "" && day(on) < changeOf2026 {
		return p.kind2025
	}
	return p.Kind
}

// Places lists every unit that the tables know: 34 provinces and 3,321 communes
// of today; 63 provinces, 696 districts and 10,035 communes that ended with
// June 2025; 580 communes merged away before. The list is shared: don't change it.
var Places = sync.OnceValue(func() []Place {
	const end = "2025-06-30"
	out := make([]Place, 0, 15000)
	for _, r := range readTable("vn/provinces_2025.csv") {
		out = append(out, Place{Level: ProvinceLevel, Code: r["code"], Kind: cityOr(r["unit_type_2026_04_30"]), Name: r["name_vi"], Full: r["full_name_vi"], Province: r["code"], kind2025: cityOr(r["unit_type_2025_07_01"])})
	}
	for _, r := range readTable("vn/communes_2025.csv") {
		out = append(out, Place{Level: CommuneLevel, Code: r["code"], Kind: r["unit_type"], Name: r["name_vi"], Full: r["full_name_vi"], Province: r["province_code"], kind2025: r["unit_type_2025_07_01"]})
	}
	for _, r := range readTable("vn/provinces_legacy_63.csv") {
		out = append(out, Place{Level: ProvinceLevel, Old: true, Code: r["legacy_code"], Kind: strings.ToLower(r["legacy_unit"]), Name: r["legacy_name"], Full: r["legacy_unit"] + " " + r["legacy_name"], Province: r["legacy_code"], Until: end})
	}
	for _, r := range readTable("vn/districts_legacy.csv") {
		out = append(out, Place{Level: DistrictLevel, Old: true, Code: r["code"], Kind: r["unit_type"], Name: r["name_vi"], Full: r["full_name_vi"], Province: r["province_code"], District: r["code"], Until: end})
	}
	for _, r := range readTable("vn/communes_legacy.csv") {
		out = append(out, Place{Level: CommuneLevel, Old: true, Code: r["code"], Kind: r["unit_type"], Name: r["name_vi"], Full: r["full_name_vi"], Province: r["province_code"], District: r["district_code"], Until: end})
	}
	for _, r := range readTable("vn/communes_dropped.csv") {
		kind, name := cutKind(r["full_name_vi"])
		out = append(out, Place{Level: CommuneLevel, Old: true, Code: r["code"], Kind: kind, Name: name, Full: r["full_name_vi"], Province: r["province_code"], District: r["district_code"], Until: r["last_seen"]})
	}
	return out
})

func cityOr(kind string) string {
	if strings.HasPrefix(kind, "thành phố") {
		return "thành phố"
	}
	return kind
}

func cutKind(full string) (kind, name string) {
	for _, k := range []string{"Thị trấn ", "Phường ", "Xã "} {
		if name, ok := strings.CutPrefix(full, k); ok {
			return strings.ToLower(strings.TrimSpace(k)), name
		}
	}
	return "", full
}

// Succession says what became of a place on 1 July 2025.
type Succession struct {
	From, To  string // codes of a place of before and of one of today, of one level
	Whole     bool   // all of From went to To; false: a part, how much is not known
	Main      bool   // the one to take when only one can be; every commune has exactly one
	Confirmed bool   // a second list has it too
}

// Successions lists what became of communes on 1 July 2025; it is a reading of
// the resolutions by volunteers (spec/vn/08-admin-units.md, medium
// confidence). A district that had no communes goes to a commune; its From has
// three digits. Communes merged away before 2025 are not followed.
var Successions = sync.OnceValue(func() []Succession {
	out := make([]Succession, 0, 10700)
	for _, r := range readTable("vn/communes_legacy_to_2025.csv") {
		out = append(out, Succession{r["old_code"], r["new_code"], r["extent"] == "whole", r["is_default"] == "yes", r["in_second_source"] == "yes"})
	}
	for _, r := range readTable("vn/districts_legacy.csv") {
		if to := r["new_commune_code"]; to != "" {
			out = append(out, Succession{From: r["code"], To: to, Whole: true, Main: true})
		}
	}
	return out
})

// ProvinceToday gives the province of today that a province of before went to, by codes.
func ProvinceToday(old string) (code string, ok bool) {
	for _, r := range readLegacyProvinces() {
		if r["legacy_code"] == old {
			return r["new_code_2025"], true
		}
	}
	return "", false
}

var readLegacyProvinces = sync.OnceValue(func() []record { return readTable("vn/provinces_legacy_63.csv") })
