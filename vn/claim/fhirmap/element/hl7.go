package element

// HL7 is the stem of the code systems of HL7 that R4 binds to (FHIR R4 terminologies-systems.html).
const HL7 = "http://terminology.hl7.org/CodeSystem/"

// Extensions that HL7 has defined (FHIR R4 extensibility-registry.html).
const (
	BirthTime   = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
	Nationality = "http://hl7.org/fhir/StructureDefinition/patient-nationality"
	SCCoding    = "http://hl7.org/fhir/StructureDefinition/iso21090-SC-coding" // code beside a text, as of a province
	Absent      = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
)

// LOINC is the system of the few observations that XML1 holds.
const LOINC = "http://loinc.org"
