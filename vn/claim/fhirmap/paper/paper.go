// Package paper maps the papers of a visit (XML6 to XML11, XML13 to XML15) to
// FHIR R4 and back. A paper is a form of the law, so each becomes
//
//	QuestionnaireResponse  every field of the form: item.linkId is its name, the answer is typed
//	Composition            the paper as a document: title, date, author, what it is about
//	DocumentReference      how to find it, with the number it carries
package paper

import (
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
}

// Map maps the rows of the papers of one visit, table by table in their order.
func Map(v Visit, rows []claim.Record) ([]element.Resource, error) { panic("written next") }

// Back gives the rows from all resources of a visit; it passes over those that are no papers.
func Back(resources []*r4.Doc) ([]claim.Record, error) { panic("written next") }
