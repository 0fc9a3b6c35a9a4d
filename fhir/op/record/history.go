package record

import (
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
)

// claimGroup is the system of the groups of lines of a claim (spec/vn: ma_nhom,
// QĐ 3176): 8 is surgery, 18 procedures; the others are fees, bed days, tests.
const claimGroup = "urn:ytso:code:ma_nhom"

// procedures: see sections.
func procedures(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("Procedure", nil)
	list = keep(list, maxRead, func(n r4.Node) bool {
		if !slices.Contains([]string{"completed", "in-progress"}, n.Get("status").Text()) || !filled(n.Get("code")) {
			return false
		}
		for c := range n.Get("category").Get("coding").Elems() {
			if c.Get("system").Text() == claimGroup {
				return slices.Contains([]string{"8", "18"}, c.Get("code").Text())
			}
		}
		return true
	})
	list = once(list, named("code"))
	return list[:min(len(list), maxShown)], err
}

func devices(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("DeviceUseStatement", nil)
	return keep(list, maxShown, func(n r4.Node) bool { return slices.Contains([]string{"active", "on-hold"}, n.Get("status").Text()) }), err
}

// directives are Consents of that scope or kind.
func directives(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("Consent", nil)
	return keep(list, maxShown, func(n r4.Node) bool {
		return n.Get("status").Text() == "active" && (isOf(n.Get("scope"), hl7+"consentscope", "adr") ||
			isOf(n.Get("category"), hl7+"consentcategorycodes", "acd", "dnr", "emrgonly", "hcd") || isOf(n.Get("category"), loinc, "42348-3", "59284-0"))
	}), err
}

func alerts(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("Flag", nil)
	return keep(list, maxShown, func(n r4.Node) bool { return n.Get("status").Text() == "active" && !s.ended(n.Get("period")) }), err
}

// ended says whether a period has its end before now.
func (s *summary) ended(period r4.Node) bool {
	end, ok := readTime(period.Get("end").Text())
	return ok && end.last.Before(s.now)
}

// plans: see sections.
func plans(s *summary) ([]*r4.Doc, error) {
	list, err := s.read("CarePlan", nil)
	if err != nil {
		return nil, err
	}
	var out []*r4.Doc
	met := map[string]bool{}
	for _, d := range list {
		name := planName(s, d.Root())
		if s.standing(d) && !met[name] && len(out) < maxShown {
			out = append(out, d)
			met[name] = name != ""
		}
	}
	vaccines, err := s.read("ImmunizationRecommendation", nil)
	return append(out, vaccines[:min(len(vaccines), 1)]...), err
}

// standing says whether a plan is active and not behind us: its period has not
// ended, or has no end and it is of the last year; and if it only names days to
// come, one of them is not more than 30 days ago.
func (s *summary) standing(d *r4.Doc) bool {
	n := d.Root()
	period := n.Get("period")
	if n.Get("status").Text() != "active" || s.ended(period) {
		return false
	}
	if !period.Get("end").Exists() && dayOf(d) != 0 && !s.since(d, 1, 0) {
		return false
	}
	days, ahead := false, false
	for a := range n.Get("activity").Elems() {
		day := a.Get("detail").Get("scheduledPeriod")
		text := day.Get("end").Text()
		if text == "" {
			text = day.Get("start").Text()
		}
		if t, ok := readTime(text); ok {
			days = true
			ahead = ahead || !t.last.Before(s.now.AddDate(0, 0, -30))
		}
	}
	return !days || ahead
}

// told is a date or time as far as it is known.
type told struct {
	first, last time.Time
	day         bool // no hour is known
	layout      string
}

// zone is where dates without an offset are.
var zone = time.FixedZone("+07", 7*3600)

// readTime reads a date, dateTime or instant.
func readTime(text string) (t told, ok bool) {
	for _, l := range []struct {
		layout, shown       string
		years, months, days int
	}{{"2006", "2006", 1, 0, 0}, {"2006-01", "01/2006", 0, 1, 0}, {time.DateOnly, "02/01/2006", 0, 0, 1}} {
		if len(text) == len(l.layout) {
			first, err := time.ParseInLocation(l.layout, text, zone)
			return told{first, first.AddDate(l.years, l.months, l.days).Add(-time.Millisecond), true, l.shown}, err == nil
		}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	return told{at, at, false, "02/01/2006 15:04"}, err == nil
}

// show writes a date as it is written here: dd/mm/yyyy, the hour in Vietnam's time.
func show(text string) string {
	t, ok := readTime(text)
	if !ok {
		return strings.TrimSpace(text)
	}
	return t.first.In(zone).Format(t.layout)
}
