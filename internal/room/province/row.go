package province

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
)

// kindSystem is the code system of MA_LOAI_KCB in Encounter.type.
const kindSystem = element.List + "ma_loai_kcb"

func placeOf(visit r4.Node) string {
	id := visit.Get("serviceProvider").Get("identifier")
	if id.Get("system").Text() == element.MACSKCB {
		return id.Get("value").Text()
	}
	return ""
}

func kindsOf(visit r4.Node) (codes []string) {
	for t := range visit.Get("type").Elems() {
		for c := range t.Get("coding").Elems() {
			if c.Get("system").Text() == kindSystem {
				codes = append(codes, c.Get("code").Text())
			}
		}
	}
	return codes
}

// kindsOn lists MA_LOAI_KCB of a day; without a list for that day there are none, and the codes are found in the visits.
func kindsOn(on time.Time) (codes []string) {
	list, err := law.Find("ma_loai_kcb", on)
	if err != nil {
		return nil
	}
	for _, c := range list.On(on) {
		codes = append(codes, c.Code)
	}
	return codes
}

// kindName is the name of a kind of visit on a day, the code itself when the list of that day does not have it.
func kindName(ctx context.Context, code string, on time.Time) string {
	if code == "" {
		return i18n.T(ctx, "province.kind-none")
	}
	if list, err := law.Find("ma_loai_kcb", on); err == nil {
		if c, ok := list.Find(code, on); ok {
			return i18n.Pick(ctx, c.VI, c.EN)
		}
	}
	return i18n.T(ctx, "province.kind-code", "code", code)
}

func placeName(ctx context.Context, names map[string]string, code string) string {
	switch {
	case code == "":
		return i18n.T(ctx, "province.place-none")
	case names[code] == "":
		return i18n.T(ctx, "province.place-code", "code", code)
	}
	return names[code]
}

// moment reads a FHIR dateTime of any precision; exact is false when it has no hour.
func moment(s string) (t time.Time, exact, ok bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006"} {
		if t, err := time.ParseInLocation(layout, s, clock.VietNam); err == nil {
			return t.In(clock.VietNam), strings.Contains(layout, "15"), true
		}
	}
	return t, false, false
}

// length is how long a visit took, as far as its period tells.
func length(ctx context.Context, visit r4.Node) string {
	from, exact, ok := moment(visit.Get("period").Get("start").Text())
	to, exactTo, okTo := moment(visit.Get("period").Get("end").Text())
	switch {
	case !ok || !okTo || to.Before(from):
		return ""
	case exact && exactTo && to.Sub(from) < 24*time.Hour:
		h, m := int(to.Sub(from).Hours()), int(to.Sub(from).Minutes())%60
		if h == 0 {
			return i18n.T(ctx, "province.minutes", "m", strconv.Itoa(m))
		}
		return i18n.T(ctx, "province.hours", "h", strconv.Itoa(h), "m", fmt.Sprintf("%02d", m))
	}
	a, b := day(from.Year(), from.Month(), from.Day()), day(to.Year(), to.Month(), to.Day())
	return i18n.T(ctx, "province.days", "n", strconv.Itoa(int(b.Sub(a).Hours()/24+0.5)))
}

// visitRow is what a list shows of a visit: when, where, of which kind, how long. Nothing of what was found.
func visitRow(ctx context.Context, visit r4.Node, names map[string]string) []string {
	start := visit.Get("period").Get("start").Text()
	on, _, ok := moment(start)
	if !ok {
		on = clock.System{}.Now()
	}
	kinds := kindsOf(visit)
	if len(kinds) == 0 {
		kinds = []string{""}
	}
	var kind []string
	for _, k := range kinds {
		kind = append(kind, kindName(ctx, k, on))
	}
	return []string{ui.FHIRDate(start), placeName(ctx, names, placeOf(visit)), strings.Join(kind, "; "), length(ctx, visit)}
}

// personRow is what a list shows of a person: year of birth, sex, commune. No name, no number.
func personRow(ctx context.Context, person r4.Node) []string {
	birth := person.Get("birthDate").Text()
	if len(birth) > 4 {
		birth = birth[:4]
	}
	sex := ""
	switch person.Get("gender").Text() {
	case "male":
		sex = i18n.T(ctx, "province.male")
	case "female":
		sex = i18n.T(ctx, "province.female")
	}
	return []string{birth, sex, communeOf(person)}
}

// communeOf is the commune or ward of the person's address; since 01/07/2025
// it lies directly below the province (FHIR R4 datatypes.html#Address).
func communeOf(person r4.Node) string {
	for a := range person.Get("address").Elems() {
		for _, name := range []string{"city", "district"} {
			if s := a.Get(name).Text(); s != "" {
				return s
			}
		}
	}
	return ""
}
