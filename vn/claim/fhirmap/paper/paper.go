// Package paper maps the papers of a visit (XML6 to XML11, XML13 to XML15) to
// FHIR R4 and back. A paper is a form of the law, so each becomes
//
//	QuestionnaireResponse  every field of the form: item.linkId is its name, the answer is typed
//	Composition            the paper as a document: title, date, author, what it is about
//	DocumentReference      how to find it, with the number it carries
//
// The QuestionnaireResponse alone gives the row back; what stands in the other
// two is taken from it. An element of no form is an item too: its linkId is
// "+" and its name. Fields shows a paper to people.
package paper

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

// Visit is what a paper needs to know of its visit.
type Visit struct {
	IDs       element.Namespace
	Facility  string // MA_CSKCB, part of every id
	Key       string // MA_LK
	Patient   string // ids of the resources it refers to
	Encounter string
	// Ended is the end of the visit: the date of a paper that carries none, and
	// of the code lists its codes are named by. May be zero.
	Ended time.Time
}

// Systems of what a paper is called by.
const (
	TypeSystem = element.List + "giay-to" // codes "xml6" to "xml15"
	formPrefix = "urn:ytso:form:"         // + code: canonical of the form
)

// NumberSystem is the system of a number that papers of one form carry at one
// facility, for example NumberSystem(13, "SO_CHUYENTUYEN", "25001").
func NumberSystem(table int, field, facility string) string {
	return "urn:ytso:id:giay-to:" + code(table) + ":" + strings.ToLower(strings.ReplaceAll(field, "_", "-")) + ":" + facility
}

var errNoPaper = outcome.New(outcome.Invalid, "paper.table",
	"Bảng này không phải là giấy tờ của lần khám.", "This table is no paper of a visit.")

var errNoPlace = outcome.New(outcome.Invalid, "paper.row",
	"Giấy tờ không ghi thứ tự của nó trong lần khám.", "The paper does not tell its place in the visit.")

// Map maps the rows of the papers of one visit, table by table in their order.
// The same rows give the same bytes. outcome.Invalid for a row of another table.
func Map(v Visit, rows []claim.Record) (out []element.Resource, err error) {
	defer outcome.Wrap(&err, "paper.Map")
	ordinal, taken := map[int]int{}, map[string]int{}
	for _, r := range rows {
		n := r.Table().Number
		f, ok := forms[n]
		if !ok {
			return nil, errNoPaper
		}
		ordinal[n]++
		p := &paper{Visit: v, row: r, table: n, form: f, ordinal: ordinal[n]}
		// The key of a row is the number it carries, so that papers keep their ids
		// when another one is sent before them; equal numbers are counted.
		number := p.number()
		name := code(n) + " " + number
		taken[name]++
		p.key = number + "#" + strconv.Itoa(taken[name])
		p.written, p.at = p.date()
		out = append(out, p.response(), p.composition(), p.reference())
	}
	return out, nil
}

// paper is a row on its way.
type paper struct {
	Visit
	form
	row     claim.Record
	table   int
	ordinal int // among the rows of its table, from 1
	key     string
	written string    // its date as FHIR writes it, "" when none is known
	at      time.Time // the same as an instant
}

func (p *paper) id(kind string) string {
	return p.IDs.ID(p.Facility, p.Key, p.row.Table().Name, p.key, kind)
}

func (p *paper) get(field string) string { return element.Clean(claim.ByName(p.row, field)) }

// first is the first of some fields that is filled.
func (p *paper) first(fields ...string) string {
	for _, f := range fields {
		if t := p.get(f); t != "" {
			return t
		}
	}
	return ""
}

// resource begins a resource: its type, id and security label.
func (p *paper) resource(typ string) (element.Resource, r4.Object) {
	r := element.Resource{Type: typ, ID: p.id(typ)}
	o := r4.Object{{Name: "resourceType", Value: typ}, {Name: "id", Value: r.ID}}
	if secret(p.row) {
		o.Add("meta", r4.Object{{Name: "security", Value: hivLabels}})
	}
	return r, o
}

func code(table int) string { return "xml" + strconv.Itoa(table) }

// tableOf is the table of a QuestionnaireResponse, 0 when it is no paper.
func tableOf(root r4.Node) int {
	name, ok := strings.CutPrefix(root.Get("questionnaire").Text(), formPrefix+"xml")
	if n, err := strconv.Atoi(name); ok && err == nil && forms[n].title != "" {
		return n
	}
	return 0
}

// Back gives the rows from all resources of a visit, table by table in their
// order; it passes over those that are no papers. outcome.Invalid for a paper
// that does not tell its place.
func Back(resources []*r4.Doc) (rows []claim.Record, err error) {
	defer outcome.Wrap(&err, "paper.Back")
	type numbered struct {
		table, ordinal int
		row            claim.Record
	}
	var found []numbered
	for _, d := range resources {
		if d.Type() != "QuestionnaireResponse" {
			continue
		}
		n := tableOf(d.Root())
		if n == 0 {
			continue
		}
		at, err := strconv.Atoi(element.FindExt(d.Root(), extRow).Get("valuePositiveInt").Text())
		if err != nil {
			return nil, errNoPlace.Because(err)
		}
		found = append(found, numbered{n, at, row(n, d.Root())})
	}
	slices.SortStableFunc(found, func(a, b numbered) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.ordinal, b.ordinal))
	})
	for _, f := range found {
		rows = append(rows, f.row)
	}
	return rows, nil
}
