package record

import (
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/term"
)

// words are codes that the tables of a summary show, in Vietnamese.
var words = map[string]string{
	"active": "đang có", "recurrence": "tái phát", "relapse": "tái phát", "inactive": "không còn", "remission": "thuyên giảm", "resolved": "đã khỏi",
	"confirmed": "xác định", "unconfirmed": "chưa xác định", "provisional": "nghi ngờ", "differential": "phân biệt",
	"low": "thấp", "high": "cao", "unable-to-assess": "chưa đánh giá được",
	"completed": "đã xong", "in-progress": "đang làm", "on-hold": "tạm ngừng", "intended": "dự kiến", "unknown": "chưa rõ", "stopped": "đã ngừng",
	"mild": "nhẹ", "moderate": "vừa", "severe": "nặng", "male": "nam", "female": "nữ", "other": "khác",
	"encounter-diagnosis": "chẩn đoán khi khám", "problem-list-item": "danh sách vấn đề",
}

func word(code string) string {
	if w := words[code]; w != "" {
		return w
	}
	return code
}

// Makers of the texts of columns.

func plain(name string) func(*summary, r4.Node) string {
	return func(_ *summary, n r4.Node) string { return n.Get(name).Text() }
}

func code(name string) func(*summary, r4.Node) string {
	return func(_ *summary, n r4.Node) string { return word(n.Get(name).Text()) }
}

func text(name string) func(*summary, r4.Node) string {
	return func(s *summary, n r4.Node) string { return s.concepts(n.Get(name)) }
}

// when shows the first of some choices or members that is there: a date, or a period.
func when(names ...string) func(*summary, r4.Node) string {
	return func(_ *summary, n r4.Node) string {
		for _, name := range names {
			if t := whenOf(n, name); t != "" {
				return t
			}
		}
		return ""
	}
}

func whenOf(n r4.Node, name string) string {
	for _, at := range []string{name, name + "DateTime", name + "Instant", name + "Date"} {
		if t := n.Get(at); t.Kind() == r4.String {
			return show(t.Text())
		}
	}
	for _, at := range []string{name, name + "Period"} {
		if p := n.Get(at); p.Kind() == r4.Map {
			return period(p)
		}
	}
	if t := n.Get(name + "String"); t.Exists() {
		return t.Text()
	}
	if q := n.Get(name + "Age"); q.Exists() {
		return quantity(q)
	}
	return ""
}

func period(p r4.Node) string {
	start, end := show(p.Get("start").Text()), show(p.Get("end").Text())
	switch {
	case end == "":
		return start
	case start == "":
		return "đến " + end
	case start == end:
		return start
	}
	return start + " – " + end
}

// concepts shows one concept or several.
func (s *summary) concepts(n r4.Node) string {
	var list []string
	for c := range n.Elems() {
		if t := s.concept(c); t != "" {
			list = append(list, t)
		}
	}
	return strings.Join(list, "; ")
}

// concept is its text, else the name of a coding, else the code. An ICD code stands beside its name.
func (s *summary) concept(c r4.Node) string {
	name, icd := c.Get("text").Text(), ""
	for coding := range c.Get("coding").Elems() {
		system, code := coding.Get("system").Text(), coding.Get("code").Text()
		if strings.HasPrefix(system, hl7) && words[code] != "" {
			return words[code]
		}
		if name == "" {
			name = coding.Get("display").Text()
		}
		if name == "" && code != "" {
			name = s.named(system, code)
		}
		if strings.Contains(system, "/icd-10") {
			icd = code
		}
	}
	switch {
	case name == "" && icd != "":
		return icd
	case name == "":
		return c.Get("coding").At(0).Get("code").Text()
	case icd != "" && !strings.Contains(name, icd):
		return name + " (" + icd + ")"
	}
	return name
}

// named is the name of a code: that which another Condition of the person has
// for it, else what the terminology knows. A name is a help: without one the code is shown.
func (s *summary) named(system, code string) string {
	key := system + "|" + code
	name, ok := s.names[key]
	if !ok && s.Terms != nil {
		if c, err := s.Terms.Lookup(s.ctx, term.Code{System: system, Code: code}, term.At{Language: "vi"}); err == nil {
			name = c.Display
		}
		s.names[key] = name
	}
	return name
}

func quantity(q r4.Node) string {
	unit := q.Get("unit").Text()
	if unit == "" {
		unit = q.Get("code").Text()
	}
	return strings.TrimSpace(q.Get("comparator").Text() + q.Get("value").Text() + " " + unit)
}

// valueText shows the value of an Observation, or the conclusion of a report.
func valueText(s *summary, n r4.Node) string {
	var list []string
	add := func(t string) {
		if t != "" {
			list = append(list, t)
		}
	}
	add(s.value(n))
	for c := range n.Get("component").Elems() {
		if v := s.value(c); v != "" {
			add(s.concepts(c.Get("code")) + ": " + v)
		}
	}
	add(n.Get("conclusion").Text())
	add(s.concepts(n.Get("conclusionCode")))
	if len(list) == 0 {
		for note := range n.Get("note").Elems() {
			add(note.Get("text").Text())
		}
		add(s.concepts(n.Get("dataAbsentReason")))
	}
	return strings.Join(list, "; ")
}

func (s *summary) value(n r4.Node) string {
	for name, v := range n.Members() {
		if !strings.HasPrefix(name, "value") {
			continue
		}
		switch name {
		case "valueQuantity":
			return quantity(v)
		case "valueCodeableConcept":
			return s.concept(v)
		case "valueBoolean":
			if v.Bool() {
				return "có"
			}
			return "không"
		case "valueDateTime":
			return show(v.Text())
		case "valuePeriod":
			return period(v)
		case "valueRange":
			return quantity(v.Get("low")) + " – " + quantity(v.Get("high"))
		case "valueRatio":
			return quantity(v.Get("numerator")) + " / " + quantity(v.Get("denominator"))
		case "valueSampledData":
			return "chuỗi đo" // a curve is for the machine that draws it
		default:
			return v.Text()
		}
	}
	return ""
}

func ranges(_ *summary, n r4.Node) string {
	for r := range n.Get("referenceRange").Elems() {
		low, high := r.Get("low"), r.Get("high")
		switch {
		case r.Get("text").Exists():
			return r.Get("text").Text()
		case low.Exists() && high.Exists():
			return low.Get("value").Text() + " – " + quantity(high)
		case low.Exists():
			return "≥ " + quantity(low)
		case high.Exists():
			return "≤ " + quantity(high)
		}
	}
	return ""
}

func judgement(s *summary, n r4.Node) string { return s.concepts(n.Get("interpretation")) }

func reactions(s *summary, n r4.Node) string {
	var list []string
	for r := range n.Get("reaction").Elems() {
		t := s.concepts(r.Get("manifestation"))
		if severity := r.Get("severity").Text(); severity != "" {
			t += " (" + word(severity) + ")"
		}
		list = append(list, t)
	}
	return strings.Join(list, "; ")
}

func medication(s *summary, n r4.Node) string {
	if t := s.concept(s.medicine(n)); t != "" {
		return t
	}
	return n.Get("medicationReference").Get("display").Text()
}

// taking is the status of a statement or an order; an order that is completed was handed out.
func taking(_ *summary, n r4.Node) string {
	switch status := n.Get("status").Text(); status {
	case "active":
		return "đang dùng"
	case "completed":
		return "đã cấp"
	default:
		return word(status)
	}
}

// pastStatus is the status of a condition that is over. Of a diagnosis that
// nobody closed it would say that it goes on.
func pastStatus(s *summary, n r4.Node) string {
	if !over(n) {
		return ""
	}
	return s.concepts(n.Get("clinicalStatus"))
}

func dosage(_ *summary, n r4.Node) string {
	var list []string
	for _, name := range []string{"dosage", "dosageInstruction"} {
		for d := range n.Get(name).Elems() {
			for _, part := range []string{"text", "patientInstruction"} {
				if t := d.Get(part).Text(); t != "" {
					list = append(list, t)
				}
			}
			if dose := d.Get("doseAndRate").At(0).Get("doseQuantity"); dose.Exists() && !d.Get("text").Exists() {
				list = append(list, quantity(dose))
			}
		}
	}
	return strings.Join(list, "; ")
}

func dose(_ *summary, n r4.Node) string {
	p := n.Get("protocolApplied").At(0)
	if t := p.Get("doseNumberPositiveInt").Text(); t != "" {
		return t
	}
	return p.Get("doseNumberString").Text()
}

func device(s *summary, n r4.Node) string {
	d := s.referred(n, n.Get("device"))
	if t := s.concept(d.Get("type")); t != "" {
		return t
	}
	if t := d.Get("deviceName").At(0).Get("name").Text(); t != "" {
		return t
	}
	return n.Get("device").Get("display").Text()
}

// function shows a Condition, or an assessment.
func function(s *summary, n r4.Node) string {
	if t := n.Get("summary").Text(); t != "" {
		return t
	}
	return s.concepts(n.Get("code"))
}

func planName(s *summary, n r4.Node) string {
	if t := n.Get("title").Text(); t != "" {
		return t
	}
	if t := s.concepts(n.Get("category")); t != "" {
		return t
	}
	var list []string
	for r := range n.Get("recommendation").Elems() {
		list = append(list, s.concepts(r.Get("vaccineCode")))
	}
	return strings.Join(list, "; ")
}

func planText(s *summary, n r4.Node) string {
	var list []string
	add := func(t string) {
		if t = strings.Trim(t, " :"); t != "" {
			list = append(list, t)
		}
	}
	add(n.Get("description").Text())
	for a := range n.Get("activity").Elems() {
		d := a.Get("detail")
		add(s.concepts(d.Get("code")) + ": " + strings.TrimSpace(d.Get("description").Text()+" "+whenOf(d, "scheduled")))
	}
	for r := range n.Get("recommendation").Elems() {
		for c := range r.Get("dateCriterion").Elems() {
			add(s.concepts(r.Get("vaccineCode")) + ": " + show(c.Get("value").Text()))
		}
	}
	return strings.Join(list, "; ")
}

// nameText is the name of what stands in no section: people, places, things.
func (s *summary) nameText(n r4.Node) string {
	switch n.Get("resourceType").Text() {
	case "Patient", "Practitioner":
		return nameOf(n.Get("name").At(0))
	case "Organization", "Location":
		return n.Get("name").Text()
	case "Device":
		if t := n.Get("deviceName").At(0).Get("name").Text(); t != "" {
			return t
		}
	case "Observation", "DiagnosticReport":
		return s.concepts(n.Get("code")) + ": " + valueText(s, n)
	}
	for _, name := range []string{"code", "type"} {
		if t := s.concepts(n.Get(name)); t != "" {
			return t
		}
	}
	return ""
}
