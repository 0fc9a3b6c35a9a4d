package trust

// class says what a resource type is for the policy. Every type of FHIR R4
// (resourcelist.html) has one; a type that is not in the table is refused to
// everybody, so a new type is closed until somebody decides.
type class uint8

const (
	aboutPerson class = iota + 1 // content about one person, in the Patient compartment (compartmentdefinition-patient.html)
	register                     // who and what there is, without a person: places, practitioners, medicines
	definition                   // conformance, terminology, definitions
	machinery                    // carriers and rules of the server's own: opened by named jobs and operator tokens only
	journal                      // the audit log: looked at by those whom it is for (internal/trust/audit), written by the store alone
)

// classes is the table.
var classes = classTable(
	class(aboutPerson), []string{
		"Account", "AdverseEvent", "AllergyIntolerance", "Appointment", "AppointmentResponse", "BodyStructure", "CarePlan", "CareTeam",
		"ChargeItem", "Claim", "ClaimResponse", "ClinicalImpression", "Communication", "CommunicationRequest", "Composition", "Condition",
		"Consent", "Contract", "Coverage", "CoverageEligibilityRequest", "CoverageEligibilityResponse", "DetectedIssue", "DeviceRequest",
		"DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference", "Encounter", "EnrollmentRequest",
		"EnrollmentResponse", "EpisodeOfCare", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag", "Goal", "GuidanceResponse",
		"ImagingStudy", "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation", "Invoice", "Media",
		"MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement", "MolecularSequence",
		"NutritionOrder", "Observation", "Patient", "PaymentNotice", "PaymentReconciliation", "Person", "Procedure", "Provenance",
		"QuestionnaireResponse", "RelatedPerson", "RequestGroup", "ResearchSubject", "RiskAssessment", "ServiceRequest", "Specimen",
		"SupplyDelivery", "SupplyRequest", "VisionPrescription",
	},
	class(register), []string{
		"BiologicallyDerivedProduct", "Device", "DeviceMetric", "Endpoint", "HealthcareService", "InsurancePlan", "Location",
		"Medication", "MedicationKnowledge", "Organization", "OrganizationAffiliation", "Practitioner", "PractitionerRole", "Schedule",
		"Slot", "Substance",
	},
	class(definition), []string{
		"ActivityDefinition", "CapabilityStatement", "CatalogEntry", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition",
		"ConceptMap", "DeviceDefinition", "EffectEvidenceSynthesis", "EventDefinition", "Evidence", "EvidenceVariable",
		"ExampleScenario", "GraphDefinition", "ImplementationGuide", "Library", "Measure", "MedicinalProduct",
		"MedicinalProductAuthorization", "MedicinalProductContraindication", "MedicinalProductIndication",
		"MedicinalProductIngredient", "MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged",
		"MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "MessageDefinition", "NamingSystem",
		"ObservationDefinition", "OperationDefinition", "PlanDefinition", "Questionnaire", "ResearchDefinition",
		"ResearchElementDefinition", "ResearchStudy", "RiskEvidenceSynthesis", "SearchParameter", "SpecimenDefinition",
		"StructureDefinition", "StructureMap", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
		"SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification", "TerminologyCapabilities",
		"TestReport", "TestScript", "ValueSet",
	},
	class(machinery), []string{
		"Basic", "Binary", "Bundle", "Group", "Linkage", "List", "MeasureReport", "MessageHeader", "OperationOutcome",
		"Parameters", "Subscription", "Task", "VerificationResult",
	},
	class(journal), []string{"AuditEvent"},
)

func classTable(pairs ...any) map[string]class {
	t := make(map[string]class, 150)
	for i := 0; i < len(pairs); i += 2 {
		for _, name := range pairs[i+1].([]string) {
			t[name] = pairs[i].(class)
		}
	}
	return t
}

// typesOf lists the types of some classes.
func typesOf(want ...class) []string {
	var list []string
	for name, c := range classes {
		for _, w := range want {
			if c == w {
				list = append(list, name)
			}
		}
	}
	return list
}
