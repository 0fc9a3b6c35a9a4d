package term

import (
	_ "embed"

	"github.com/ytso/ytso/fhir/canon"
)

// tables are the code systems, value sets and concept maps of hl7.fhir.r4.core
// 4.0.1 (CC0-1.0), packed by tools/canongen: codes, displays, designations,
// hierarchies and rules without prose. Three large copies of other bodies' lists are
// not in it (tools/canongen says which).
//
//go:embed tables.zst
var tables []byte

// Official gives the terminology of R4 itself; nothing is unpacked before the first Find.
func Official() *canon.Table { return canon.NewTable(tables) }
