package profile

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/law"
)

// list is a list of the law in its editions.
type list struct {
	law.Shipped
	codes  []law.Dated
	starts []string // first days of the editions, "" when not known, ascending
	sets   [2][]func() *r4.Doc
	made   []func() *r4.Doc
}

func (s *Source) list(name string) *list {
	if l, ok := s.lists.Load(name); ok {
		return l.(*list)
	}
	shipped, ok := law.Ship(name)
	if !ok {
		return nil // names come from callers: what is not there is not kept
	}
	l := newList(shipped)
	kept, _ := s.lists.LoadOrStore(name, l)
	return kept.(*list)
}

func newList(s law.Shipped) *list {
	l := &list{Shipped: s, codes: s.List.Every()}
	days := map[string]bool{}
	for _, c := range l.codes {
		days[max(c.From, s.From)] = true
		if next := dayAfter(c.To); next != "" && (s.To == "" || next <= s.To) && next > s.From {
			days[next] = true
		}
	}
	for d := range days {
		l.starts = append(l.starts, d)
	}
	slices.Sort(l.starts)
	for i := range l.starts {
		l.made = append(l.made, sync.OnceValue(func() *r4.Doc { return l.makeCodeSystem(i) }))
		for all := range l.sets {
			l.sets[all] = append(l.sets[all], sync.OnceValue(func() *r4.Doc { return l.makeValueSet(i, all == 1) }))
		}
	}
	return l
}

func dayAfter(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

// version is the name of an edition.
func (l *list) version(i int) string {
	if l.starts[i] == "" {
		return "1"
	}
	return l.starts[i]
}

// at is the edition of a version, the newest one without; -1 when there is none.
func (l *list) at(version string) int {
	for i := len(l.starts) - 1; i >= 0; i-- {
		if version == "" || l.version(i) == version {
			return i
		}
	}
	return -1
}

// on is the edition that held on a day, -1 when the list did not cover it.
func (l *list) on(day string) int {
	if l.To != "" && day > l.To {
		return -1
	}
	for i := len(l.starts) - 1; i >= 0; i-- {
		if l.starts[i] <= day {
			return i
		}
	}
	return -1
}

func (l *list) codeSystem(i int) *r4.Doc {
	if i < 0 {
		return nil
	}
	return l.made[i]()
}

func (l *list) valueSet(i int, all bool) *r4.Doc {
	if i < 0 {
		return nil
	}
	if all {
		return l.sets[1][i]()
	}
	return l.sets[0][i]()
}

// name is a computable name of the list.
func (l *list) name() string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(l.Name, func(r rune) bool { return r == ':' || r == '_' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func (l *list) head(typ, url string, i int) r4.Object {
	return r4.Object{
		{Name: "resourceType", Value: typ}, {Name: "language", Value: "vi"}, {Name: "url", Value: url}, {Name: "version", Value: l.version(i)},
		{Name: "name", Value: l.name()}, {Name: "status", Value: "active"}, {Name: "date", Value: l.starts[i]},
	}
}

const conceptProperties = "http://hl7.org/fhir/concept-properties#"

// makeCodeSystem lists the codes that there were up to an edition. A list that
// the law leaves open is a fragment: a code outside of it may still be right.
func (l *list) makeCodeSystem(i int) *r4.Doc {
	content := "complete"
	if !l.List.Complete {
		content = "fragment"
	}
	o := l.head("CodeSystem", element.List+l.Name, i)
	o.Add("caseSensitive", true)
	o.Add("valueSet", ValueSets+l.Name+All)
	o.Add("content", content)
	var defined []r4.Object
	for _, p := range [][2]string{{"inactive", "boolean"}, {"effectiveDate", "dateTime"}, {"deprecationDate", "dateTime"}} {
		defined = append(defined, r4.Object{{Name: "code", Value: p[0]}, {Name: "uri", Value: conceptProperties + p[0]}, {Name: "type", Value: p[1]}})
	}
	o.Add("property", defined)
	var concepts []r4.Object
	last := ""
	for j := len(l.codes) - 1; j >= 0; j-- { // of a code that stands more than once the latest of the edition counts
		c := l.codes[j]
		if max(c.From, l.From) > l.starts[i] || c.Code.Code == last {
			continue
		}
		last = c.Code.Code
		concepts = append(concepts, conceptOf(c, c.To != "" && c.To < l.starts[i]))
	}
	slices.Reverse(concepts)
	o.Add("concept", concepts)
	return parse(o)
}

func conceptOf(c law.Dated, over bool) r4.Object {
	o := r4.Object{{Name: "code", Value: c.Code.Code}, {Name: "display", Value: c.VI}}
	if c.EN != "" {
		o.Add("designation", []r4.Object{{{Name: "language", Value: "en"}, {Name: "value", Value: c.EN}}})
	}
	var properties []r4.Object
	if over {
		properties = append(properties, r4.Object{{Name: "code", Value: "inactive"}, {Name: "valueBoolean", Value: true}})
	}
	for _, d := range [][2]string{{"effectiveDate", c.From}, {"deprecationDate", c.To}} {
		if d[1] != "" {
			properties = append(properties, r4.Object{{Name: "code", Value: d[0]}, {Name: "valueDateTime", Value: d[1]}})
		}
	}
	o.Add("property", properties)
	return o
}

// makeValueSet: the codes of an edition, or all codes there are.
func (l *list) makeValueSet(i int, all bool) *r4.Doc {
	url, include := ValueSets+l.Name, r4.Object{{Name: "system", Value: element.List + l.Name}}
	if all {
		url += All
	} else {
		include.Add("version", l.version(i))
	}
	o := l.head("ValueSet", url, i)
	compose := r4.Object{}
	if !all {
		compose.Add("inactive", false)
	}
	compose.Add("include", []r4.Object{include})
	o.Add("compose", compose)
	return parse(o)
}
