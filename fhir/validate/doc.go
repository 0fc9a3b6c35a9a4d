// Package validate says what is wrong with a resource. Structure checks it
// against the tables of the base definitions: names, types, cardinalities,
// choices, primitives, required codes, targets of references, extensions and
// the narrative, in one pass that does not allocate when all is well.
//
// Validator.Check does the rest: the invariants of R4, profiles with slicing,
// fixed values, patterns, bindings and their own rules, extensions by their
// definitions and places, codes by their systems, Bundles and what references
// find in them, questionnaires and their answers, links of narratives. Profiles
// are made ready once and kept; a hostile one is bounded in work.
//
// What is not at hand (a profile that a resource claims, a value set, a code
// system) is a warning that says so, an error only for what the caller asked for.
// Not looked at: R5's obligations, aggregation rules across servers, the
// signatures of Bundles, expressions of Measures and of other languages than FHIRPath.
//
// Source: FHIR R4 validation.html, json.html, datatypes.html, references.html,
// extensibility.html, narrative.html, bundle.html, profiling.html,
// questionnaireresponse.html; hl7.fhir.r4.core 4.0.1.
package validate
