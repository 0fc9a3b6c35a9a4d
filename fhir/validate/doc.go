// Package validate says what is wrong with a resource. Structure checks it
// against the tables of the base definitions: names, types, cardinalities,
// choices, primitives, required codes, targets of references, extensions and
// the narrative, in one pass that does not allocate when all is well.
//
// What needs more than the definition of one element (invariants, profiles,
// existence of what is referred to) is not looked at here.
//
// Source: FHIR R4 validation.html, json.html, datatypes.html, references.html,
// extensibility.html, narrative.html; hl7.fhir.r4.core 4.0.1.
package validate
