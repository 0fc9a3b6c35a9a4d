package element

// Systems of identifiers and codes (spec/vn/10-fhir.md). What has a national
// URI carries it; the rest is a urn of ours. They stand in one table so that a
// national standard can take their place.
const (
	CCCD        = "http://fhir.hl7.org.vn/core/sid/cccd"  // personal identification number, 12 digits
	BHYT        = "http://fhir.hl7.org.vn/core/sid/bhyt"  // health insurance card, 15 characters
	CCHN        = "http://fhir.hl7.org.vn/core/sid/cchn"  // practice licence of a practitioner
	MALK        = "http://fhir.hl7.org.vn/core/sid/ma-lk" // key of a visit at its facility
	Passport    = "http://fhir.ehealth.gov.vn/core/sid/passport_number"
	OldCMND     = "http://fhir.ehealth.gov.vn/core/sid/citizen_id" // nine digits
	BHXH        = "urn:ytso:id:bhxh"                               // social insurance number, 10 digits
	OtherID     = "urn:ytso:id:giay-to-khac"                       // SO_CCCD of no known form
	MACSKCB     = "urn:ytso:id:ma-cskcb"                           // facility
	MAKHOA      = "urn:ytso:code:ma-khoa"                          // department
	MAHSBA      = "urn:ytso:id:ma-hsba"                            // medical record of a facility; value is FACILITY/NUMBER
	MABNPrefix  = "urn:ytso:id:ma-bn:"                             // + facility: its own patient number
	ICD10       = "http://hl7.org/fhir/sid/icd-10"
	ICD9CM      = "http://hl7.org/fhir/sid/icd-9-cm"
	YHCT        = "urn:ytso:code:ma-benh-yhct"
	List        = "urn:ytso:code:"           // + name of the list in codelists_index.csv, for example urn:ytso:code:ma_loai_kcb
	SoDangKy    = "urn:ytso:code:so-dang-ky" // registration of a medicine
	MAMAY       = "urn:ytso:id:ma-may"       // machine
	HieuSP      = "urn:ytso:id:ma-hieu-sp"   // mark or serial number of a supply
	GiayChuyen  = "urn:ytso:id:giay-chuyen"  // number of a referral or re-visit paper
	ToChuc      = "urn:ytso:id:to-chuc"      // organisation that is no facility: BHXH
	Thuoc       = "urn:ytso:code:ma-thuoc"
	DichVu      = "urn:ytso:code:ma-dich-vu"
	ChiSo       = "urn:ytso:code:ma-chi-so"
	VatTu       = "urn:ytso:code:ma-vat-tu"
	UCUM        = "http://unitsofmeasure.org"
	VND         = "VND"
	Extension   = "urn:ytso:ext:" // + name: the few fields without a place in FHIR, each listed in mapping.md
	ClaimField  = "urn:ytso:claim-field:"
	OriginalURN = "urn:sha256:" // + hash: a stored original
)

// Numbers are the identifier systems whose values name one person.
var Numbers = []string{CCCD, BHXH, Passport}
