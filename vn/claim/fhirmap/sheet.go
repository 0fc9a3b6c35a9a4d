package fhirmap

import (
	"strconv"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Roles of a practitioner in the care team of a Claim.
const (
	orders   = "chi-dinh"
	performs = "thuc-hien"
)

var roleNames = map[string]string{orders: "Người chỉ định", performs: "Người thực hiện"}

// sheet is the Claim being written: its numbered lists, into which the items
// point (FHIR R4 claim.html), and the items.
type sheet struct {
	team, diagnosis, procedure, info, insurance, items list

	members map[[2]string]int // role, number → sequence in the care team
	known   map[[2]string]int // system, code → sequence in the diagnoses
	covers  map[string]bool
	memo    memo
}

func newSheet() *sheet {
	return &sheet{members: map[[2]string]int{}, known: map[[2]string]int{}, covers: map[string]bool{}, memo: make(memo, 32)}
}

// cover adds a Coverage; false when it is there already.
func (s *sheet) cover(id string) bool {
	if s.covers[id] {
		return false
	}
	s.covers[id] = true
	n := s.insurance.n + 1
	s.insurance.add(r4.Object{
		{Name: "sequence", Value: n}, {Name: "focal", Value: n == 1}, {Name: "coverage", Value: element.Ref("Coverage", id)},
	})
	return true
}

// member gives the place of a practitioner in the care team.
func (s *sheet) member(role, number string) int {
	key := [2]string{role, number}
	if n, ok := s.members[key]; ok {
		return n
	}
	n := s.team.n + 1
	s.members[key] = n
	s.team.add(r4.Object{
		{Name: "sequence", Value: n}, {Name: "provider", Value: s.memo.practitioner(number)},
		{Name: "role", Value: concept(element.List+"vai-tro", role, roleNames[role])},
	})
	return n
}

// disease gives the place of a code among the diagnoses; a code that is none of the visit's is added.
func (s *sheet) disease(system, code string) int {
	key := [2]string{system, code}
	if n, ok := s.known[key]; ok {
		return n
	}
	n := s.diagnosis.n + 1
	s.known[key] = n
	s.diagnosis.add(r4.Object{{Name: "sequence", Value: n}, {Name: "diagnosisCodeableConcept", Value: concept(system, code, "")}})
	return n
}

// condition adds a diagnosis of the visit.
func (s *sheet) condition(d *disease) {
	n := s.diagnosis.n + 1
	if key := [2]string{d.system, d.code}; d.code != "" && s.known[key] == 0 {
		s.known[key] = n
	}
	s.diagnosis.add(r4.Object{
		{Name: "sequence", Value: n}, {Name: "diagnosisReference", Value: element.Ref("Condition", d.id)},
		{Name: "type", Value: []r4.Object{concept(element.HL7+"diagnosis-role", d.role, "")}},
	})
}

// performed adds a Procedure.
func (s *sheet) performed(id string) int {
	n := s.procedure.n + 1
	s.procedure.add(r4.Object{{Name: "sequence", Value: n}, {Name: "procedureReference", Value: element.Ref("Procedure", id)}})
	return n
}

// infoList is the code system of what is said beside the lines of a Claim.
const infoList = element.List + "thong-tin-ho-so"

// say adds to the information; value says what.
func (s *sheet) say(category string, value r4.Object) int {
	n := s.info.n + 1
	o := append(make(r4.Object, 0, 4), r4.Field{Name: "sequence", Value: n}, r4.Field{Name: "category", Value: s.memo.of(infoList, category, "").value})
	s.info.add(append(o, value...))
	return n
}

// refer adds a resource of the visit to the information, with what its row has of its own.
func (s *sheet) refer(category, typ, id string, l line) int {
	o := make(r4.Object, 0, 2)
	l.mark(place{out: &o})
	o.Add("valueReference", element.Ref(typ, id))
	return s.say(category, o)
}

// line is what ties a row to its table: MA_LK, STT, and its ordinal there. The
// first two are written only where they are not what they should be.
type line struct {
	MA_LK *claim.Text
	STT   *claim.Number
	key   string // MA_LK of XML1
	n     int    // from 1
}

func (l line) mark(p place) {
	if l.MA_LK != nil {
		expect(p, "MA_LK", l.MA_LK, l.key)
		expect(p, "STT", l.STT, strconv.Itoa(l.n))
	}
}

// numbers renders sequences as a JSON array.
func numbers(list []int) r4.Raw {
	if len(list) == 0 {
		return nil
	}
	b := make(r4.Raw, 0, 4*len(list)+2)
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return append(b, ']')
}
