package record

import (
	"context"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// The tags of golden Patients (DESIGN.md decision 9).
const (
	tagSystem   = "urn:ytso:tag"
	tagGolden   = "golden"
	tagReplaced = "golden-replaced"
)

// maxMerges bounds how often one golden Patient may have been merged into the next.
const maxMerges = 16

// person is whom a call is about: the Patients that are one.
type person struct {
	id      string // of the Patient asked for, or of the golden one that it was merged into
	golden  bool
	patient *store.Resource
	doc     *r4.Doc
	ids     []string // id, and of a golden Patient those of its source records
}

// findPerson reads a Patient. outcome.NotFound; outcome.Deleted.
func findPerson(ctx context.Context, r store.Reader, id string) (*person, error) {
	var met []string
	for range maxMerges {
		p, err := readPerson(ctx, r, id)
		if err != nil {
			return nil, err
		}
		next := p.replacedBy()
		if next == "" {
			return p, nil
		}
		if met = append(met, id); slices.Contains(met, next) {
			break // a circle of merges is a fault of the data: show nothing
		}
		id = next
	}
	return nil, outcome.New(outcome.NotFound, "record.merged", "Không xác định được hồ sơ đã gộp vào hồ sơ nào.",
		"It can't be told which record this one was merged into.")
}

func readPerson(ctx context.Context, r store.Reader, id string) (*person, error) {
	res, err := r.Read(ctx, store.Key{Type: "Patient", ID: id})
	if err != nil {
		return nil, err
	}
	return personOf(res)
}

// personOf reads the links of a golden Patient. Those of a source record, which
// a facility writes itself, are never followed.
func personOf(res *store.Resource) (*person, error) {
	doc, err := r4.Parse(res.Body)
	if err != nil {
		return nil, err
	}
	p := &person{id: res.Key.ID, patient: res, doc: doc, ids: []string{res.Key.ID}}
	if p.golden = res.Owner == "" && tagged(doc, tagGolden); p.golden {
		for l := range doc.Root().Get("link").Elems() {
			if other := linked(l); other != "" && l.Get("type").Text() != "replaced-by" && !slices.Contains(p.ids, other) {
				p.ids = append(p.ids, other)
			}
		}
	}
	return p, nil
}

// replacedBy is the golden Patient that took the place of this one.
func (p *person) replacedBy() string {
	if p.patient.Owner != "" || !tagged(p.doc, tagReplaced) {
		return ""
	}
	for l := range p.doc.Root().Get("link").Elems() {
		if l.Get("type").Text() == "replaced-by" {
			return linked(l)
		}
	}
	return ""
}

func tagged(doc *r4.Doc, code string) bool {
	for t := range doc.Root().Get("meta").Get("tag").Elems() {
		if t.Get("system").Text() == tagSystem && t.Get("code").Text() == code {
			return true
		}
	}
	return false
}

// linked is the id of the Patient of this server that a link names.
func linked(l r4.Node) string {
	id, ok := strings.CutPrefix(l.Get("other").Get("reference").Text(), "Patient/")
	if !ok || strings.Contains(id, "/") {
		return ""
	}
	return id
}

// unseen says whether an error means that a resource is not there for the caller.
func unseen(err error) bool {
	switch outcome.KindOf(err) {
	case outcome.NotFound, outcome.Deleted, outcome.Forbidden:
		return true
	}
	return false
}
