// Package fhirmap turns the record of a visit (HOSO) into FHIR R4 resources
// and back: what goes in comes out again, as claim.Canonical tells (QĐ 3176;
// FHIR R4). The stored original is not needed for the way back.
//
// One visit becomes:
//
//	Patient            source record of (facility, MA_BN); shared by the facility's visits
//	Coverage           one a card with its place and days; shared, id made from its content
//	Encounter          XML1: class, period, places, reason, discharge; diagnosis[].condition has a display
//	Condition          XML1: main, accompanying, traditional, and on arrival (provisional); code.coding system ICD10
//	CarePlan           XML1: advice (description), treatment, re-visits (activity of kind Appointment)
//	MedicationRequest  XML2: what was ordered, dose as written in dosageInstruction[0].text
//	MedicationDispense XML2: what was given: quantity, whenHandedOver
//	Procedure          XML3 services; SupplyDelivery: XML3 supplies (rows with MA_VAT_TU)
//	ServiceRequest     XML4: one a MA_DICH_VU; basedOn of its results
//	Observation        XML4: one a row; valueQuantity when the value is a number, else valueString.
//	                   XML1: weight (LOINC 29463-7, vital-signs) and blood group (882-1)
//	DiagnosticReport   XML4: one a MA_DICH_VU and NGAY_KQ; result lists the Observations
//	ClinicalImpression XML5: course of illness, consultation, operation notes
//	Composition, DocumentReference, QuestionnaireResponse   the papers (package paper)
//	Claim              every line and amount; its numbered lists keep the order of rows and name
//	                   the resources of each: item[] XML2 and XML3, supportingInfo[] XML4, XML5, papers
//	Provenance         which file and HOSO it all comes from
//
// The person as the claim tells them is kept with the visit, as a Patient
// contained in the Claim, since the source record moves on with the next visit.
//
// Every resource about the visit has `encounter` (or context) and `subject`
// (or patient), so that a page asks for X?encounter=… . SupplyDelivery has no
// place for it: follow Claim.item. A Claim is found by Claim?encounter=… when it
// has a line, and always by the identifier MA_LK. Facilities, doctors and
// departments are logical references: {"identifier":{"system":…,"value":…}}.
//
// Money and ItemMoney read the amounts of a Claim and of its items.
//
// The whole table, field by field, is mapping.md beside this file.
package fhirmap
