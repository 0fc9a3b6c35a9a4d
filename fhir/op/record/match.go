package record

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
)

// grade is how sure a match is (FHIR R4 valueset-match-grade.html) with its
// score (FHIR R4 search.html#score).
type grade struct {
	code  string
	score r4.Literal
}

// The grades, the best first.
var (
	certain  = grade{"certain", "1"}
	probable = grade{"probable", "0.8"}
	possible = grade{"possible", "0.5"}
)

const (
	matchCount    = 20    // answers when the caller does not say how many
	maxCandidates = 2_000 // born on one day with one name: more is no match but a list
)

// match is Patient/$match. The rules are plain and the same each time:
//
//   - an identifier with the same system and value: certain; only possible when birth date or sex speak against it;
//   - the same whole name (as fhir/fold sees it), whole birth date and sex: probable.
//
// A golden Patient stands for the source records that it links, if the caller
// may see it. With onlyCertainMatches one certain person is given or nobody.
func (o *operations) match(ctx context.Context, c *rest.Call) (*rest.Response, error) {
	if err := onlyThese(c.In, "onlyCertainMatches", "count"); err != nil {
		return nil, err
	}
	given, err := givenPatient(c)
	if err != nil {
		return nil, err
	}
	only, err := truth(c.In, "onlyCertainMatches")
	if err != nil {
		return nil, err
	}
	count, err := whole(c.In, "count")
	if err != nil {
		return nil, err
	}
	if count == 0 {
		count = matchCount
	}
	m := &matching{operations: o, call: c, who: traitsOf(given), found: map[string]*candidate{}}
	if err := m.byNumber(ctx, given); err != nil {
		return nil, err
	}
	if !only {
		if err := m.byName(ctx); err != nil {
			return nil, err
		}
	}
	if err := m.persons(ctx); err != nil {
		return nil, err
	}
	return m.answer(c.Base, only, count), nil
}

// givenPatient is the parameter resource, or the body itself, and enough to look for somebody.
func givenPatient(c *rest.Call) (r4.Node, error) {
	n := c.In.Resource("resource")
	if !n.Exists() && c.Doc != nil && c.Doc.Type() == "Patient" {
		n = c.Doc.Root()
	}
	if n.Get("resourceType").Text() != "Patient" {
		return n, outcome.New(outcome.Invalid, "record.match-resource", "Cần tham số resource là một Patient.", "The parameter resource must be a Patient.").At(parameterAt("resource"))
	}
	t := traitsOf(n)
	if len(numbers(n)) == 0 && !t.whole() {
		return n, outcome.New(outcome.Invalid, "record.match-thin",
			"Chưa đủ thông tin để tìm người: cần một số định danh (có system và value), hoặc đủ họ tên, ngày sinh và giới tính.",
			"That is too little to look for somebody: an identifier with system and value is needed, or name, whole birth date and gender.").
			At("Patient.identifier", "Patient.name", "Patient.birthDate", "Patient.gender")
	}
	return n, nil
}

// numbers are the identifiers of a Patient that have system and value, as tokens.
func numbers(p r4.Node) (list []string) {
	for id := range p.Get("identifier").Elems() {
		system, value := id.Get("system").Text(), id.Get("value").Text()
		if system != "" && value != "" && id.Get("use").Text() != "old" {
			list = append(list, token(system)+"|"+token(value))
		}
	}
	return list
}

// token writes a value so that a search takes it as it is (FHIR R4 search.html#escaping).
func token(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}

// traits are what tells a person beside numbers.
type traits struct {
	names      []string // folded
	birth, sex string
}

func traitsOf(p r4.Node) (t traits) {
	t.birth, t.sex = p.Get("birthDate").Text(), p.Get("gender").Text()
	for n := range p.Get("name").Elems() {
		if key := fold.Key(nameOf(n)); key != "" {
			t.names = append(t.names, key)
		}
	}
	return t
}

func (t traits) whole() bool {
	return len(t.names) > 0 && len(t.birth) == len("2006-01-02") && t.sex != ""
}

// against says whether birth date or sex of two are known and differ; a date
// with less is as good as far as it goes.
func (t traits) against(x traits) bool {
	return !strings.HasPrefix(t.birth, x.birth) && !strings.HasPrefix(x.birth, t.birth) || t.sex != "" && x.sex != "" && t.sex != x.sex
}

// alike says whether name, birth date and sex are the same.
func (t traits) alike(x traits) bool {
	return t.birth == x.birth && t.sex == x.sex && slices.ContainsFunc(t.names, func(n string) bool { return slices.Contains(x.names, n) })
}

// nameOf is a HumanName as text: as it is written, else its parts, the family name first.
func nameOf(n r4.Node) string {
	if text := n.Get("text").Text(); text != "" {
		return text
	}
	words := []string{n.Get("family").Text()}
	for g := range n.Get("given").Elems() {
		words = append(words, g.Text())
	}
	return strings.TrimSpace(strings.Join(words, " "))
}

// candidate is a Patient found.
type candidate struct {
	resource *store.Resource
	doc      *r4.Doc
	grade    grade
}

// matching is one call of $match.
type matching struct {
	*operations
	call  *rest.Call
	who   traits
	found map[string]*candidate // by id
}

// byNumber finds who has one of the identifiers.
func (m *matching) byNumber(ctx context.Context, given r4.Node) error {
	for _, number := range numbers(given) {
		err := m.each(ctx, url.Values{"identifier": {number}}, func(c *candidate) {
			c.grade = certain
			if m.who.against(traitsOf(c.doc.Root())) {
				c.grade = possible
			}
			m.keep(c)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// byName finds who has the same name, birth date and sex.
func (m *matching) byName(ctx context.Context) error {
	if !m.who.whole() {
		return nil
	}
	return m.each(ctx, url.Values{"birthdate": {m.who.birth}, "gender": {m.who.sex}}, func(c *candidate) {
		if c.grade = probable; m.who.alike(traitsOf(c.doc.Root())) {
			m.keep(c)
		}
	})
}

// each reads the Patients of a search. Those that were merged away are no answer.
func (m *matching) each(ctx context.Context, v url.Values, f func(*candidate)) error {
	q, err := m.parse(m.call.Base, "Patient", v)
	if err != nil {
		return err
	}
	q.Count = stride
	for n := 0; ; {
		page, err := m.call.Reader.Search(ctx, q)
		if err != nil {
			return err
		}
		if n += len(page.Matches); n > maxCandidates {
			return outcome.New(outcome.TooCostly, "record.match-many", "Có quá nhiều người trùng thông tin này; hãy thêm số định danh.", "Too many persons share what was given; add an identifier.")
		}
		for _, r := range page.Matches {
			doc, err := r4.Parse(r.Body)
			if err != nil {
				return err
			}
			if !(r.Owner == "" && tagged(doc, tagReplaced)) {
				f(&candidate{resource: r, doc: doc})
			}
		}
		if q.Cursor = page.Next; page.Next == "" {
			return nil
		}
	}
}

// keep adds a candidate, or the better grade of one.
func (m *matching) keep(c *candidate) {
	id := c.resource.Key.ID
	if old := m.found[id]; old == nil || old.grade.score < c.grade.score {
		m.found[id] = c
	}
}

// persons puts the golden Patient in the place of the source records that it links.
func (m *matching) persons(ctx context.Context) error {
	ids := make([]string, 0, len(m.found))
	for id := range m.found {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		p, err := m.goldenOf(ctx, m.call, id)
		if err != nil {
			return err
		}
		if p == nil {
			continue
		}
		c := m.found[id]
		delete(m.found, id)
		m.keep(&candidate{resource: p.patient, doc: p.doc, grade: c.grade})
	}
	return nil
}

// goldenOf is the golden Patient that links a source record, nil when there is
// none that the caller may see.
func (o *operations) goldenOf(ctx context.Context, c *rest.Call, id string) (*person, error) {
	q, err := o.parse(c.Base, "Patient", url.Values{"link": {"Patient/" + id}, "_tag": {tagSystem + "|" + tagGolden}})
	if err != nil {
		return nil, err
	}
	page, err := c.Reader.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, res := range page.Matches {
		p, err := personOf(res)
		if err != nil {
			return nil, err
		}
		if p.golden && p.id != id && slices.Contains(p.ids, id) { // the search expands nothing that the record itself does not say
			return p, nil
		}
	}
	return nil, nil
}

// answer lists the persons, the most certain first.
func (m *matching) answer(base string, only bool, count int) *rest.Response {
	list := make([]*candidate, 0, len(m.found))
	for _, c := range m.found {
		if !only || c.grade == certain {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(b.grade.score, a.grade.score), cmp.Compare(a.resource.Key.ID, b.resource.Key.ID))
	})
	out := newSearchset(base)
	total := len(list)
	if only && total > 1 {
		list, total = nil, 0
		out.tell("warning", string(outcome.MultipleMatch), "Có nhiều người khớp chắc chắn nên không nêu ai.", "Several persons match with certainty, so none is given.")
	} else if total > count {
		list = list[:count]
		out.tell("information", string(outcome.Informational), "Còn "+strconv.Itoa(total-count)+" người khớp không được nêu.", strconv.Itoa(total-count)+" further matches are not given.")
	}
	out.total = total
	for _, c := range list {
		out.entry(c.resource, r4.Object{
			{Name: "extension", Value: []r4.Object{{{Name: "url", Value: "http://hl7.org/fhir/StructureDefinition/match-grade"}, {Name: "valueCode", Value: c.grade.code}}}},
			{Name: "mode", Value: "match"}, {Name: "score", Value: c.grade.score},
		})
	}
	return out.response()
}
