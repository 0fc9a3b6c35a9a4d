package fhirmap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
	"github.com/ytso/ytso/vn/claim/fhirmap/paper"
)

// Mapper maps visits under the namespace of an installation.
type Mapper struct{ ids element.Namespace }

// New makes a Mapper. The namespace is random and kept by the installation:
// ids that it gives tell nothing about numbers of the person (DESIGN.md decision 9).
func New(ns element.Namespace) *Mapper { return &Mapper{ids: ns} }

// Source says where a HOSO was found.
type Source struct {
	Facility   string // MA_CSKCB of the sender: part of every id
	BlobSHA256 string // original file, lower-case hex
	Ordinal    int    // of the HOSO in it, from 1
	Received   time.Time
	NGAYLAP    string // of the file
}

// Visit is what a HOSO becomes. Ids depend on Source.Facility, MA_LK, table and
// row key only, so that a resend replaces and never duplicates (decision 10).
type Visit struct {
	Patient   element.Resource   // source record
	Shared    []element.Resource // Coverage: other visits may name them too; never deleted with the visit
	Own       []element.Resource // belong to this visit alone
	Encounter string             // id
}

// ErrNoSummary says that a HOSO has no XML1, without which nobody knows whose visit it is.
var ErrNoSummary = outcome.New(outcome.Required, "fhirmap.no-xml1",
	"Hồ sơ không có bảng XML1 nên không biết là lượt khám của ai.", "The record has no XML1, so nobody can tell whose visit it is.")

// Map turns a HOSO into resources. It gives the same bytes for the same HOSO
// and Source; of the Source only Facility shows outside of the Provenance.
// ErrNoSummary when XML1 is missing.
func (m *Mapper) Map(h *claim.HOSO, src Source) (v *Visit, err error) {
	defer outcome.Wrap(&err, "fhirmap.Map HOSO %d", h.Ordinal)
	if h.XML1 == nil {
		return nil, ErrNoSummary
	}
	key := clean(h.XML1.MA_LK)
	if key == "" { // a rule of the checks refuses such a HOSO; should one come all the same, it must meet no other
		sum := sha256.Sum256(claim.Canonical(h))
		key = "?" + hex.EncodeToString(sum[:])
	}
	w := m.writer(h.XML1, src, key)
	w.coverages()
	w.conditions()
	w.encounterOf("finished")
	w.plan()
	w.vitals()
	w.medicines(h.XML2)
	w.services(h.XML3)
	w.results(h.XML4, h.XML3)
	w.notes(h.XML5)
	if err := w.papers(h); err != nil {
		return nil, err
	}
	w.claim(h)
	w.provenance(src)
	return &w.Visit, nil
}

// writer is a visit being written.
type writer struct {
	Visit
	ids      element.Namespace
	facility string
	key      string // names the visit in ids: MA_LK
	patient  string // id
	x        *claim.XML1
	labels   *labels
	sheet    *sheet
	diseases []disease
	who      r4.Object // the facts about the person
	buf      []byte    // of the resource last written

	free []r4.Object // objects that were written and may be used again
	exts list        // of the item being written

	subject, visit, visits any // references that stand everywhere
}

func (m *Mapper) writer(x *claim.XML1, src Source, key string) *writer {
	w := &writer{
		ids: m.ids, facility: element.Clean(src.Facility), key: key, x: x,
		labels: labelsOn(visitDay(x.NGAY_RA, x.NGAY_VAO)), sheet: newSheet(),
	}
	if number := clean(x.MA_BN); number != "" {
		w.patient = m.ids.ID(w.facility, "MA_BN", number)
	} else {
		w.patient = m.ids.ID(w.facility, "MA_LK", w.key)
	}
	w.Encounter = w.id("Encounter", "XML1", "")
	w.subject, w.visit = element.Ref("Patient", w.patient), element.Ref("Encounter", w.Encounter)
	w.visits = []r4.Object{w.visit.(r4.Object)}
	person(place{out: &w.who}, x, w.facility)
	o := append(header("Patient", w.patient), w.who...)
	o.Add("managingOrganization", element.Logical("Organization", element.MACSKCB, w.facility))
	w.Patient = element.Resource{Type: "Patient", ID: w.patient, Body: o.JSON()}
	return w
}

// at is the place of an object of this visit.
func (w *writer) at(o *r4.Object) place { return place{out: o, memo: w.sheet.memo} }

// concept is one that the visit may write often.
func (w *writer) concept(system, code, display string) any {
	return w.sheet.memo.of(system, code, display).value
}

// concepts is a list of one such.
func (w *writer) concepts(system, code string) []r4.Object {
	return []r4.Object{w.sheet.memo.of(system, code, "").object}
}

// id names a resource by the row that it comes from (decision 10).
func (w *writer) id(typ, table, key string) string {
	return w.ids.ID(w.facility, w.key, table, key, typ)
}

func header(typ, id string) r4.Object {
	return append(make(r4.Object, 0, 16), r4.Field{Name: "resourceType", Value: typ}, r4.Field{Name: "id", Value: id})
}

// object gives an empty object with room, which own takes back.
func (w *writer) object() r4.Object {
	if n := len(w.free); n > 0 {
		o := w.free[n-1]
		w.free = w.free[:n-1]
		return o
	}
	return make(r4.Object, 0, 24)
}

// begin starts a resource of the visit with its id, patient and encounter.
func (w *writer) begin(typ, id, subject, encounter string) r4.Object {
	o := append(w.object(), r4.Field{Name: "resourceType", Value: typ}, r4.Field{Name: "id", Value: id})
	o.Add(subject, w.subject)
	if encounter != "" {
		o.Add(encounter, w.visit)
	}
	return o
}

func (w *writer) own(typ, id string, o r4.Object) {
	w.buf = o.AppendJSON(w.buf[:0])
	w.Own = append(w.Own, element.Resource{Type: typ, ID: id, Body: bytes.Clone(w.buf)})
	w.free = append(w.free, o[:0])
}

// keys names the rows of a table: by STT where it is filled and not given
// twice, else by the ordinal, marked so that the two can't meet.
func keys(n int, stt func(i int) string) []string {
	count := make(map[string]int, n)
	out := make([]string, n)
	for i := range n {
		out[i] = stt(i)
		count[out[i]]++
	}
	for i, s := range out {
		if s == "" || count[s] > 1 {
			out[i] = "#" + strconv.Itoa(i+1)
		} else {
			out[i] = "=" + s
		}
	}
	return out
}

// papers are the work of package paper.
func (w *writer) papers(h *claim.HOSO) error {
	var rows []claim.Record
	for n := 6; n <= 15; n++ {
		rows = append(rows, h.Of(n)...)
	}
	if len(rows) == 0 {
		return nil
	}
	list, err := paper.Map(paper.Visit{
		IDs: w.ids, Facility: w.facility, Key: w.key, Patient: w.patient, Encounter: w.Encounter, Ended: visitDay(w.x.NGAY_RA, w.x.NGAY_VAO),
	}, rows)
	if err != nil {
		return fmt.Errorf("papers: %w", err)
	}
	for _, r := range list {
		if r.Type == "QuestionnaireResponse" { // holds the fields of its paper
			w.sheet.refer("giay-to", r.Type, r.ID, line{})
		}
	}
	w.Own = append(w.Own, list...)
	return nil
}
