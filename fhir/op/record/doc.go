// Package record holds the operations on the record of a person:
//
//	Patient/$everything, Encounter/$everything   all there is, page by page
//	$meta, $meta-add, $meta-delete               profiles, tags and security labels
//	Composition/$document                        a Composition with all it refers to, as a document
//	Patient/$summary                             International Patient Summary 2.0.1 (what goes into it: see sections)
//	Observation/$lastn                           the last values of each thing observed
//	Patient/$match                               who is it, by numbers and by name, birth date and sex
//
// All of them read through the gate of the call (store.Reader): what its agent
// may not see is not there. A golden Patient stands for all source records that
// it links, a golden id that was merged away for the one that took its place;
// a source record stands for itself (DESIGN.md decision 9).
//
// Not here, and answered as an operation that does not exist: List/$find,
// Group/$everything, $meta of a past version. $document knows no GraphDefinition.
//
// Source: FHIR R4 patient-operation-everything.html,
// encounter-operation-everything.html, resource-operation-meta*.html,
// composition-operation-document.html, observation-operation-lastn.html,
// patient-operation-match.html; HL7 FHIR IPS 2.0.1 OperationDefinition/summary.
package record

import (
	"time"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/rest"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/fhir/term"
)

// Deps is what the operations need beside the call.
type Deps struct {
	// Store prepares what is written, and keeps a document that is to persist.
	Store store.Store
	// Params are the search parameters in force.
	Params func() *param.Registry
	Now    func() time.Time
	// NewID gives a random UUID, in lower case, for documents.
	NewID func() string
	// Software is the name and version of the program, author of a summary.
	Software, Version string
	// House keeps the record and answers for a summary; nil: nobody is named.
	House *House
	// Terms names codes that stand without a name, in Vietnamese; nil: codes are shown as they are.
	Terms *term.Service
}

// House is the organisation that runs the installation.
type House struct {
	Name         string
	System, Code string // of its identifier; "" without one
}

// Operations gives the operations for rest.Config.
func Operations(d Deps) []rest.Operation {
	o := &operations{d}
	const base = "http://hl7.org/fhir/OperationDefinition/"
	return []rest.Operation{
		{Name: "everything", Definition: base + "Patient-everything", Types: []string{"Patient"}, Type: true, Instance: true, Run: o.patientEverything},
		{Name: "everything", Definition: base + "Encounter-everything", Types: []string{"Encounter"}, Instance: true, Run: o.encounterEverything},
		{Name: "meta", Definition: base + "Resource-meta", System: true, Type: true, Instance: true, Run: o.meta},
		{Name: "meta-add", Definition: base + "Resource-meta-add", Instance: true, Affects: true, Run: o.metaAdd},
		{Name: "meta-delete", Definition: base + "Resource-meta-delete", Instance: true, Affects: true, Run: o.metaDelete},
		{Name: "document", Definition: base + "Composition-document", Types: []string{"Composition"}, Type: true, Instance: true, Run: o.document},
		{Name: "summary", Definition: "http://hl7.org/fhir/uv/ips/OperationDefinition/summary", Types: []string{"Patient"}, Type: true, Instance: true, Run: o.summary},
		{Name: "lastn", Definition: base + "Observation-lastn", Types: []string{"Observation"}, Type: true, Run: o.lastn},
		{Name: "match", Definition: base + "Patient-match", Types: []string{"Patient"}, Type: true, Run: o.match},
	}
}

type operations struct{ Deps }
