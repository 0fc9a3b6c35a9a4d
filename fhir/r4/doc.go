// Package r4 is the ground of the FHIR R4 engine: a lossless JSON tree that
// keeps the original bytes and the text of numbers, a builder of JSON, XML in
// and out and the narrative by the generated tables of the official definitions.
//
// Source: FHIR R4 json.html, xml.html, narrative.html; hl7.fhir.r4.core 4.0.1 (CC0-1.0).
package r4
