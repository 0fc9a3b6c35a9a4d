package record

import "github.com/ytso/ytso/fhir/r4"

// section is one of the sections of the summary.
type section struct {
	code, display string // LOINC
	vi, en        string // title
	// noneVI, noneEN are said when nothing is known; "": the section is left out then.
	noneVI, noneEN string
	types          []string // resource types that it shows
	pick           func(*summary) ([]*r4.Doc, error)
	columns        []column
}

// column is one of the table of a section.
type column struct {
	vi, en string
	text   func(s *summary, n r4.Node) string
}

// sections are those of the IPS, in its order, with the rules by which the
// record fills them. Nothing that was entered in error, refuted or not done is
// shown, and of several records of the same code the newest.
//
//   - problems: Conditions that are not over; of the diagnoses of visits (category encounter-diagnosis), which nobody closes,
//     those that go on (goesOn), and none that was only thought of (on arrival).
//   - past problems: Conditions that are over, and diagnoses of visits that do not go on.
//   - medications: statements and orders that are active or on hold, and orders of the last 90 days, the longest time that a
//     prescription here lasts: what claims tell was handed out and is "completed".
//   - results: the last value of each thing measured, images, and reports with a conclusion that tell more than these.
//   - procedures: of the lines of a claim those that are surgery or a procedure, not fees, bed days and tests.
//   - plan of care: of each name the newest CarePlan that is active and has something to come (standing); the last
//     ImmunizationRecommendation.
//   - vital signs, social history, pregnancy: the last value of each code.
//
// The patient's story is left out: nothing in the record tells it.
func sections() []*section {
	return []*section{
		{
			code: "11450-4", display: "Problem list - Reported", vi: "Vấn đề sức khỏe hiện tại", en: "Problem List",
			noneVI: "Chưa có thông tin về bệnh và vấn đề sức khỏe.", noneEN: "No information about health problems is available.",
			types: []string{"Condition"}, pick: problems, columns: conditionColumns,
		},
		{
			code: "48765-2", display: "Allergies and adverse reactions Document", vi: "Dị ứng và không dung nạp", en: "Allergies and Intolerances",
			noneVI: "Chưa có thông tin về dị ứng và không dung nạp.", noneEN: "No information about allergies and intolerances is available.",
			types: []string{"AllergyIntolerance"}, pick: allergies, columns: []column{
				{"Tác nhân", "Substance", text("code")}, {"Biểu hiện", "Reaction", reactions}, {"Mức nguy hiểm", "Criticality", code("criticality")},
				{"Tình trạng", "Status", text("clinicalStatus")}, {"Từ khi", "Onset", when("onset")},
			},
		},
		{
			code: "10160-0", display: "History of Medication use Narrative", vi: "Thuốc đang dùng", en: "Medication Summary",
			noneVI: "Chưa có thông tin về thuốc đang dùng.", noneEN: "No information about medication is available.",
			types: []string{"MedicationStatement", "MedicationRequest"}, pick: medications, columns: []column{
				{"Thuốc", "Medication", medication}, {"Liều dùng", "Dosage", dosage}, {"Tình trạng", "Status", taking},
				{"Ngày", "Date", when("effective", "authoredOn", "dateAsserted")},
			},
		},
		{
			code: "11369-6", display: "History of Immunization note", vi: "Tiêm chủng", en: "Immunizations",
			types: []string{"Immunization"}, pick: immunizations, columns: []column{
				{"Vắc xin", "Vaccine", text("vaccineCode")}, {"Ngày tiêm", "Date", when("occurrence")}, {"Mũi", "Dose", dose}, {"Số lô", "Lot", plain("lotNumber")},
			},
		},
		{
			code: "30954-2", display: "Relevant diagnostic tests/laboratory data note", vi: "Kết quả cận lâm sàng", en: "Results",
			types: []string{"Observation", "DiagnosticReport"}, pick: results, columns: valueColumns,
		},
		{
			code: "47519-4", display: "History of Procedures Document", vi: "Phẫu thuật, thủ thuật", en: "History of Procedures",
			types: []string{"Procedure"}, pick: procedures, columns: []column{
				{"Tên", "Procedure", text("code")}, {"Ngày", "Date", when("performed")}, {"Vị trí", "Body site", text("bodySite")}, {"Tình trạng", "Status", code("status")},
			},
		},
		{
			code: "46264-8", display: "History of medical device use", vi: "Thiết bị y tế đang dùng", en: "Medical Devices",
			types: []string{"DeviceUseStatement"}, pick: devices, columns: []column{
				{"Thiết bị", "Device", device}, {"Vị trí", "Body site", text("bodySite")}, {"Thời gian", "Time", when("timing", "recordedOn")}, {"Tình trạng", "Status", taking},
			},
		},
		{
			code: "42348-3", display: "Advance healthcare directives", vi: "Nguyện vọng điều trị đã lập trước", en: "Advance Directives",
			types: []string{"Consent"}, pick: directives, columns: []column{
				{"Nội dung", "Directive", text("category")}, {"Ngày", "Date", when("dateTime")},
			},
		},
		{
			code: "104605-1", display: "Alert", vi: "Cảnh báo", en: "Alerts",
			types: []string{"Flag"}, pick: alerts, columns: []column{
				{"Cảnh báo", "Alert", text("code")}, {"Loại", "Category", text("category")}, {"Thời gian", "Period", when("period")},
			},
		},
		{
			code: "47420-5", display: "Functional status assessment note", vi: "Tình trạng chức năng", en: "Functional Status",
			types: []string{"Condition", "ClinicalImpression"}, pick: functional, columns: []column{
				{"Tình trạng", "Finding", function}, {"Từ khi", "Date", when("onset", "effective", "date")},
			},
		},
		{
			code: "11348-0", display: "History of Past illness note", vi: "Bệnh đã qua", en: "History of Past Problems",
			types: []string{"Condition"}, pick: pastProblems, columns: []column{
				{"Bệnh", "Problem", text("code")}, {"Ghi nhận", "Recorded", when("onset", "recordedDate")}, {"Hết", "Abatement", when("abatement")},
				{"Tình trạng", "Status", pastStatus},
			},
		},
		{
			code: "10162-6", display: "History of pregnancies Narrative", vi: "Thai sản", en: "History of Pregnancy",
			types: []string{"Observation"}, pick: pregnancy, columns: valueColumns,
		},
		{
			code: "18776-5", display: "Plan of care note", vi: "Kế hoạch chăm sóc", en: "Plan of Care",
			types: []string{"CarePlan", "ImmunizationRecommendation"}, pick: plans, columns: []column{
				{"Kế hoạch", "Plan", planName}, {"Nội dung", "Description", planText}, {"Thời gian", "Period", when("period", "created", "date")},
			},
		},
		{
			code: "29762-2", display: "Social history note", vi: "Lối sống", en: "Social History",
			types: []string{"Observation"}, pick: social, columns: valueColumns,
		},
		{
			code: "8716-3", display: "Vital signs note", vi: "Dấu hiệu sinh tồn", en: "Vital Signs",
			types: []string{"Observation"}, pick: vitals, columns: valueColumns,
		},
	}
}

var conditionColumns = []column{
	{"Bệnh", "Problem", text("code")}, {"Từ khi", "Onset", when("onset", "recordedDate")}, {"Tình trạng", "Status", text("clinicalStatus")},
	{"Độ chắc chắn", "Certainty", text("verificationStatus")}, {"Mức độ", "Severity", text("severity")},
}

var valueColumns = []column{
	{"Chỉ số", "Result", text("code")}, {"Giá trị", "Value", valueText}, {"Tham chiếu", "Reference range", ranges},
	{"Nhận định", "Interpretation", judgement}, {"Ngày", "Date", when("effective", "issued")},
}
