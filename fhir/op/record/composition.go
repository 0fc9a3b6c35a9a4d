package record

import (
	"slices"
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// bundle makes the document.
func (s *summary) bundle() ([]byte, error) {
	s.enter(s.person.patient.Key, s.person.doc, nil)
	var made []*madeSection
	for _, sec := range sections() {
		m := &madeSection{section: sec}
		m.withheld = !slices.ContainsFunc(sec.types, func(t string) bool { return s.filter.May(t, store.CanSearch) })
		list, err := sec.pick(s)
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			m.items = append(m.items, s.enter(store.Key{Type: d.Type(), ID: d.ID()}, d, sec))
		}
		if len(m.items) > 0 || sec.noneVI != "" {
			made = append(made, m)
		}
	}
	if err := s.support(); err != nil {
		return nil, err
	}
	entries := []r4.Object{entry(s.urn("Composition"), s.composition(made))}
	for _, it := range s.entries {
		body, err := s.fit(it)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry(s.urls[it.key], body))
	}
	entries = append(entries, entry(s.urn("author"), s.author()))
	if s.House != nil {
		entries = append(entries, entry(s.urn("custodian"), s.custodian()))
	}
	return r4.Object{
		{Name: "resourceType", Value: "Bundle"}, {Name: "id", Value: s.id},
		{Name: "meta", Value: r4.Object{{Name: "profile", Value: []string{ipsBundle}}}},
		{Name: "language", Value: "vi"}, {Name: "identifier", Value: s.identifier()}, {Name: "type", Value: "document"},
		{Name: "timestamp", Value: s.moment()}, {Name: "entry", Value: entries},
	}.JSON(), nil
}

func entry(url string, resource any) r4.Object {
	return r4.Object{{Name: "fullUrl", Value: url}, {Name: "resource", Value: resource}}
}

func (s *summary) identifier() r4.Object {
	return r4.Object{{Name: "system", Value: "urn:ietf:rfc:3986"}, {Name: "value", Value: "urn:uuid:" + s.id}}
}

func (s *summary) moment() string { return s.now.UTC().Format("2006-01-02T15:04:05Z") }

func (s *summary) composition(made []*madeSection) r4.Object {
	o := r4.Object{
		{Name: "resourceType", Value: "Composition"}, {Name: "id", Value: s.uuid("Composition")},
		{Name: "meta", Value: r4.Object{{Name: "profile", Value: []string{ipsComposition}}}},
		{Name: "language", Value: "vi"},
		{Name: "text", Value: narrative("<p>" + both("Bản tóm tắt do phần mềm lập từ những hồ sơ mà người yêu cầu được xem, tại thời điểm ghi trên tài liệu.",
			"Made by software from the records that whoever asked may see, at the time that the document tells.") + "</p>")},
		{Name: "identifier", Value: s.identifier()}, {Name: "status", Value: "final"},
		{Name: "type", Value: r4.Object{{Name: "coding", Value: []r4.Object{{
			{Name: "system", Value: loinc}, {Name: "code", Value: "60591-5"}, {Name: "display", Value: "Patient summary Document"},
		}}}}},
		{Name: "subject", Value: reference(s.urls[s.person.patient.Key])},
		{Name: "date", Value: s.moment()}, {Name: "author", Value: []r4.Object{reference(s.urn("author"))}},
		{Name: "title", Value: "Tóm tắt hồ sơ sức khỏe (International Patient Summary)"},
		{Name: "confidentiality", Value: confidentiality(s.entries)},
	}
	if s.House != nil {
		o.Add("attester", []r4.Object{{ // the house stands for its procedure; no person has read the text
			{Name: "mode", Value: "official"}, {Name: "time", Value: s.moment()}, {Name: "party", Value: reference(s.urn("custodian"))},
		}})
		o.Add("custodian", reference(s.urn("custodian")))
	}
	o.Add("event", []r4.Object{{
		{Name: "code", Value: []r4.Object{{{Name: "coding", Value: []r4.Object{{{Name: "system", Value: hl7 + "v3-ActClass"}, {Name: "code", Value: "PCPR"}}}}}}},
		{Name: "period", Value: s.told(made)},
	}})
	var list []r4.Object
	for _, m := range made {
		list = append(list, s.section(m))
	}
	o.Add("section", list)
	return o
}

func reference(url string) r4.Object { return r4.Object{{Name: "reference", Value: url}} }

// told is the time that the summary covers: from the first date in it until now.
func (s *summary) told(made []*madeSection) r4.Object {
	first := s.now
	for _, m := range made {
		for _, it := range m.items {
			if ms, ok := param.ClinicalDate(it.doc); ok && time.UnixMilli(ms).Before(first) {
				first = time.UnixMilli(ms)
			}
		}
	}
	return r4.Object{{Name: "start", Value: first.UTC().Format("2006-01-02T15:04:05Z")}, {Name: "end", Value: s.moment()}}
}

func (s *summary) section(m *madeSection) r4.Object {
	o := r4.Object{
		{Name: "title", Value: m.vi + " (" + m.en + ")"},
		{Name: "code", Value: r4.Object{{Name: "coding", Value: []r4.Object{{
			{Name: "system", Value: loinc}, {Name: "code", Value: m.code}, {Name: "display", Value: m.display},
		}}}}},
		{Name: "text", Value: s.sectionText(m)},
	}
	var list []r4.Object
	for _, it := range m.items {
		list = append(list, reference(s.urls[it.key]))
	}
	o.Add("entry", list)
	if len(list) > 0 {
		return o
	}
	reason := [3]string{"unavailable", "Unavailable", "Chưa có thông tin (No information available)"}
	if m.withheld {
		reason = [3]string{"withheld", "Information Withheld", "Không được xem (Withheld)"}
	}
	o.Add("emptyReason", r4.Object{{Name: "coding", Value: []r4.Object{{
		{Name: "system", Value: hl7 + "list-empty-reason"}, {Name: "code", Value: reason[0]}, {Name: "display", Value: reason[1]},
	}}}, {Name: "text", Value: reason[2]}})
	return o
}

// author is the program: nobody else has written the summary.
func (s *summary) author() r4.Object {
	return r4.Object{
		{Name: "resourceType", Value: "Device"}, {Name: "id", Value: s.uuid("author")},
		{Name: "text", Value: narrative("<p>" + escape(s.Software+" "+s.Version) + "</p>")},
		{Name: "deviceName", Value: []r4.Object{{{Name: "name", Value: s.Software}, {Name: "type", Value: "model-name"}}}},
		{Name: "version", Value: version(s.Version)},
	}
}

func version(v string) []r4.Object {
	if v == "" {
		return nil
	}
	return []r4.Object{{{Name: "value", Value: v}}}
}

func (s *summary) custodian() r4.Object {
	o := r4.Object{
		{Name: "resourceType", Value: "Organization"}, {Name: "id", Value: s.uuid("custodian")},
		{Name: "text", Value: narrative("<p>" + escape(s.House.Name) + "</p>")},
	}
	if s.House.Code != "" {
		o.Add("identifier", []r4.Object{{{Name: "system", Value: s.House.System}, {Name: "value", Value: s.House.Code}}})
	}
	o.Add("name", s.House.Name)
	return o
}
