// Package ips has the profiles of the International Patient Summary 2.0.1 as a
// canon.Source: their differentials without prose, upon the base definitions of
// package core, and the definition of $summary.
//
// Source: HL7/fhir-ips 2.0.1 (CC0-1.0), packed by tools/canongen.
package ips

import (
	_ "embed"

	"github.com/ytso/ytso/fhir/canon"
)

// Base is the stem of the profiles' canonicals: Base + "Patient-uv-ips".
const Base = "http://hl7.org/fhir/uv/ips/StructureDefinition/"

// Bundle is the profile of a summary document.
const Bundle = Base + "Bundle-uv-ips"

//go:embed tables.zst
var tables []byte

// New gives the definitions; nothing is unpacked before the first Find.
func New() *canon.Table { return canon.NewTable(tables) }
