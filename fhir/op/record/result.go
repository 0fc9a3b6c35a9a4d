package record

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
)

const category = hl7 + "observation-category"

// The LOINC codes of observations with a profile of their own (IPS 2.0.1).
var (
	pregnancyStatus  = []string{"82810-3"}
	pregnancyOutcome = []string{"11636-8", "11637-6", "11638-4", "11639-2", "11640-0", "11612-9", "11613-7", "11614-5", "33065-4"}
	socialCodes      = []string{"72166-2", "74013-4"}
)

// lastOf gives the last Observation of each code, the newest first, among those
// that a search finds and that tell something.
func (s *summary) lastOf(v url.Values, most int) ([]*r4.Doc, error) {
	docs, err := s.read("Observation", v)
	if err != nil {
		return nil, err
	}
	var list []*observation
	for _, d := range docs {
		if done(d.Root()) && says(d.Root()) && dated(d.Root()) {
			list = append(list, observed(d))
		}
	}
	var out []*r4.Doc
	for _, ob := range latest(list, 1) {
		if len(out) < most {
			out = append(out, ob.doc)
		}
	}
	return once(out, named("code")), nil
}

func (s *summary) lastOfCategory(code string, most int) ([]*r4.Doc, error) {
	return s.lastOf(url.Values{"category": {category + "|" + code}}, most)
}

// done says whether a result stands (IPS value set results-status).
func done(n r4.Node) bool {
	return slices.Contains([]string{"final", "amended", "corrected"}, n.Get("status").Text())
}

// says is ips-2: some value, or why there is none. Of an image the reading counts too.
func says(n r4.Node) bool {
	for name := range n.Members() {
		if strings.HasPrefix(name, "value") || name == "hasMember" || name == "component" || name == "dataAbsentReason" {
			return true
		}
	}
	return isOf(n.Get("category"), category, "imaging") && (n.Get("interpretation").Exists() || n.Get("note").Exists())
}

// dated says whether the time is one that the profiles take: a dateTime, a Period, or none yet.
func dated(n r4.Node) bool {
	return !n.Get("effectiveInstant").Exists() && !n.Get("effectiveTiming").Exists()
}

// results: see sections.
func results(s *summary) ([]*r4.Doc, error) {
	out, err := s.lastOfCategory("laboratory", maxShown)
	if err != nil {
		return nil, err
	}
	images, err := s.lastOfCategory("imaging", maxShown/4)
	if err != nil {
		return nil, err
	}
	reports, err := s.read("DiagnosticReport", nil)
	if err != nil {
		return nil, err
	}
	reports = keep(reports, maxRead, func(n r4.Node) bool {
		return done(n) && (n.Get("conclusion").Exists() || n.Get("conclusionCode").Exists() || n.Get("presentedForm").Exists())
	})
	out = append(out, images...)
	shown := map[string]bool{}
	for _, d := range out {
		shown["Observation/"+d.ID()] = true
	}
	reports = slices.DeleteFunc(once(reports, named("code")), func(d *r4.Doc) bool { return !adds(d.Root(), shown) })
	return append(out, reports[:min(len(reports), maxShown/4)]...), nil
}

// adds says whether a report tells more than the results that are shown: it has
// none, has others, or is a document.
func adds(n r4.Node, shown map[string]bool) bool {
	if n.Get("presentedForm").Exists() || n.Get("conclusionCode").Exists() || n.Get("result").Len() == 0 {
		return true
	}
	for r := range n.Get("result").Elems() {
		if !shown[r.Get("reference").Text()] {
			return true
		}
	}
	return false
}

func pregnancy(s *summary) ([]*r4.Doc, error) {
	list, err := s.byCode(slices.Concat(pregnancyStatus, pregnancyOutcome))
	return keep(list, maxShown, instantly), err
}

// instantly: the profiles of pregnancy and of social history take a dateTime only.
func instantly(n r4.Node) bool { return !n.Get("effectivePeriod").Exists() }

func (s *summary) byCode(codes []string) ([]*r4.Doc, error) {
	tokens := make([]string, len(codes))
	for i, c := range codes {
		tokens[i] = loinc + "|" + c
	}
	return s.lastOf(url.Values{"code": {strings.Join(tokens, ",")}}, maxShown)
}

func social(s *summary) ([]*r4.Doc, error) {
	known, err := s.byCode(socialCodes)
	if err != nil {
		return nil, err
	}
	known = keep(known, maxShown, func(n r4.Node) bool { return instantly(n) && !n.Get("component").Exists() })
	others, err := s.lastOfCategory("social-history", maxShown)
	if err != nil {
		return nil, err
	}
	others = keep(others, maxShown, func(n r4.Node) bool { return !isOf(n.Get("code"), loinc, socialCodes...) })
	return append(known, others...), nil
}

func vitals(s *summary) ([]*r4.Doc, error) { return s.lastOfCategory("vital-signs", maxShown/2) }
