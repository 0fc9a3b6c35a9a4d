// Package core has the StructureDefinitions of R4 itself as a canon.Source: base
// types, the profiles and extensions that come with it (vital signs,
// patient-*, data-absent-reason …), and its OperationDefinitions. They carry
// their differentials without prose: paths, cardinalities, types, slicing,
// fixed values and patterns, bindings and constraints.
//
// Source: hl7.fhir.r4.core 4.0.1 (CC0-1.0), packed by tools/canongen.
package core

import (
	_ "embed"

	"github.com/ytso/ytso/fhir/canon"
)

//go:embed tables.zst
var tables []byte

// New gives the definitions; nothing is unpacked before the first Find.
func New() *canon.Table { return canon.NewTable(tables) }
