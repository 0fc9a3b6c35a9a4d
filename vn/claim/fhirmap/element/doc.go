// Package element holds the building blocks of the mapping between claims and
// FHIR R4: systems of identifiers and codes, ids, and primitives that keep the
// text of a claim's field where FHIR writes it otherwise.
package element
