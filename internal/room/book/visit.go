package book

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
)

// visit is one visit as lists show it.
type visit struct {
	ID         string
	Start, End moment
	Facility   string // code
	Place      string // its name
	Kind       kind
	Reason     string
	Main       string      // main diagnosis in words
	Diagnoses  []diagnosis // the main one first, without that of the arrival
	OnArrival  string      // what was thought when the person came
	FollowUps  []moment    // days on which the doctor asked to come again
	Found      []string    // what a search found in it
}

// kind is the form of care (MA_LOAI_KCB) in both languages.
type kind struct{ Code, VI, EN string }

// diagnosis is a Condition of a visit.
type diagnosis struct {
	ID, Code, Text string
	Traditional    bool // of traditional medicine (MA_BENH_YHCT)
	rank           int
}

// visitOf reads an Encounter; conditions are those of the visit, in any order, or none.
func visitOf(e r4.Node, conditions []r4.Node) visit {
	v := visit{
		ID: e.Get("id").Text(), Start: moment(dig(e, "period", "start").Text()), End: moment(dig(e, "period", "end").Text()),
		Facility: dig(e, "serviceProvider", "identifier", "value").Text(), Reason: dig(e, "reasonCode", "text").Text(),
		Kind: kindOf(e),
	}
	known := map[string]r4.Node{}
	for _, c := range conditions {
		known[c.Get("id").Text()] = c
	}
	for i := range e.Get("diagnosis").Elems() {
		id := idOf(i.Get("condition"), "Condition")
		d := toldBy(i.Get("condition").Get("display").Text())
		if c, ok := known[id]; ok {
			d = diagnosisOf(c)
		}
		d.ID, d.Text, d.rank = id, cmp.Or(d.Text, d.Code), rankOf(i)
		if element.Code(i.Get("use"), element.HL7+"diagnosis-role") == "AD" { // FHIR R4 valueset-diagnosis-role.html
			v.OnArrival = d.Text
			continue
		}
		v.Diagnoses = append(v.Diagnoses, d)
	}
	slices.SortStableFunc(v.Diagnoses, func(a, b diagnosis) int { return cmp.Compare(a.rank, b.rank) })
	if len(v.Diagnoses) > 0 {
		v.Main = v.Diagnoses[0].Text
	}
	v.Main = cmp.Or(v.Main, v.OnArrival)
	return v
}

// coded is how an Encounter shows a diagnosis: its code, then its words, when there are any.
var coded = regexp.MustCompile(`^([A-Z]\d\d[0-9.*†+]*)(?: |$)`)

// firstTraditional is where the codes of traditional medicine begin; ICD-10 uses U00 to U49 (WHO).
const firstTraditional = "U50"

// toldBy reads a diagnosis from what the Encounter shows of it. A list of many
// visits needs no more, and three Conditions a visit are three times the reading.
func toldBy(display string) (d diagnosis) {
	if m := coded.FindStringSubmatch(display); m != nil {
		d.Code, display = m[1], display[len(m[0]):]
	}
	d.Text, d.Traditional = display, d.Code >= firstTraditional && d.Code < "V"
	return d
}

// rankOf is the place of a diagnosis: 1 is the main one; without a rank it stands last.
func rankOf(d r4.Node) int {
	n := 0
	for _, c := range d.Get("rank").Text() {
		n = n*10 + int(c-'0')
	}
	return cmp.Or(n, 1<<30)
}

func diagnosisOf(c r4.Node) diagnosis {
	d := diagnosis{Code: element.Code(c.Get("code"), element.ICD10), Text: dig(c, "code", "text").Text()}
	if d.Code == "" {
		d.Code = element.Code(c.Get("code"), element.YHCT)
		d.Traditional = d.Code != ""
	}
	return d
}

func kindOf(e r4.Node) kind {
	return listed(dig(e, "type"), "ma_loai_kcb", moment(dig(e, "period", "start").Text()).time())
}

// listed reads a code of one of the law's lists with its words of a day.
func listed(concept r4.Node, list string, day time.Time) kind {
	k := kind{Code: element.Code(concept, element.List+list), VI: dig(concept, "coding", "display").Text()}
	if l, err := law.Find(list, day); err == nil {
		if c, ok := l.Find(k.Code, day); ok {
			k.VI, k.EN = cmp.Or(k.VI, c.VI), c.EN
		}
	}
	return k
}

// followUps reads the days of re-examination (NGAY_TAI_KHAM) from the plan of a visit.
func followUps(plan r4.Node) (days []moment) {
	for a := range plan.Get("activity").Elems() {
		if d := a.Get("detail"); d.Get("kind").Text() == "Appointment" {
			if day := dig(d, "scheduledPeriod", "start").Text(); day != "" {
				days = append(days, moment(day))
			}
		}
	}
	return days
}

// planned adds what the plans of the visits ask for.
func planned(visits []visit, plans []r4.Node) {
	by := map[string][]moment{}
	for _, p := range plans {
		id := idOf(p.Get("encounter"), "Encounter")
		by[id] = append(by[id], followUps(p)...)
	}
	for i := range visits {
		visits[i].FollowUps = by[visits[i].ID]
	}
}

// visitsOf reads Encounters, the newest first.
func visitsOf(encounters []r4.Node) []visit {
	list := make([]visit, 0, len(encounters))
	for _, e := range encounters {
		list = append(list, visitOf(e, nil))
	}
	slices.SortStableFunc(list, func(a, b visit) int {
		return cmp.Or(b.Start.time().Compare(a.Start.time()), strings.Compare(a.ID, b.ID))
	})
	return list
}
