package fhirmap

import (
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
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

// Map turns a HOSO into resources. It gives the same bytes for the same HOSO
// and Source. outcome.Required when XML1 is missing.
func (m *Mapper) Map(h *claim.HOSO, src Source) (*Visit, error) { panic("written next") }

// Back gives the HOSO of all the resources of one visit, in any order.
func Back(resources []*r4.Doc) (*claim.HOSO, error) { panic("written next") }
