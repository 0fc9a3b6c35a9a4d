package profile

import "github.com/ytso/ytso/vn/claim/fhirmap/element"

// identified slices identifiers by their system, each slice with a rule of its value.
func identified(slices ...rule) []rule {
	return append([]rule{
		{path: "identifier", by: "system", vi: "Số định danh", en: "Identifier"},
		{path: "identifier.system", min: 1, max: "1"}, {path: "identifier.value", min: 1, max: "1"},
	}, slices...)
}

// number is a slice of identifiers of one system whose value has a form.
func number(slice, system, key, form, vi, en string, most string) []rule {
	list := []rule{
		{path: "identifier:" + slice, max: most, vi: vi, en: en},
		{path: "identifier:" + slice + ".system", min: 1, max: "1", fixed: "Uri=" + system},
		{path: "identifier:" + slice + ".value", min: 1, max: "1"},
	}
	if form != "" {
		list[2].must = []constraint{{key: key, expression: "$this.matches('^" + form + "$')", vi: vi + " không đúng dạng.", en: en + " is not of its form."}}
	}
	return list
}

func join(lists ...[]rule) (out []rule) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// subject is the person and the visit that everything in a record names.
func subject(path string) []rule {
	return []rule{
		{path: path, min: 1, max: "1", vi: "Người bệnh", en: "Patient",
			must: []constraint{{key: "vn-subject", expression: "reference.exists() or identifier.exists()", vi: "Phải nêu người bệnh.", en: "The patient must be named."}}},
	}
}

// coded asks for a code or, where there is none, a text.
func coded(path, key, vi, en string) rule {
	return rule{path: path, min: 1, max: "1", vi: vi, en: en, must: []constraint{{key: key,
		expression: "ofType(CodeableConcept).all(coding.exists() or text.exists() or extension('" + element.Absent + "').exists())", vi: vi + " phải có mã hoặc lời.", en: en + " needs a code or a text."}}}
}

// facility is a logical reference to a place of care.
func facility(path string) rule {
	return rule{path: path, min: 1, max: "1", vi: "Cơ sở khám bệnh, chữa bệnh", en: "Facility", must: []constraint{{key: "vn-facility",
		expression: "reference.exists() or identifier.where(system = '" + element.MACSKCB + "').value.exists()",
		vi:         "Phải nêu cơ sở bằng mã (MA_CSKCB).", en: "The facility must be named by its code (MA_CSKCB)."}}}
}

// definitions are our profiles.
var definitions = []definition{
	{"patient", "Patient", "Người bệnh", "Patient", join(
		identified(),
		number("cccd", element.CCCD, "vn-cccd", "[0-9]{12}", "Số định danh cá nhân", "Personal identification number", "1"),
		number("cmnd", element.OldCMND, "vn-cmnd", "[0-9]{9}", "Số chứng minh nhân dân", "Former identity card number", "1"),
		number("passport", element.Passport, "vn-passport", "[A-Z0-9]{5,20}", "Số hộ chiếu", "Passport number", "*"),
		number("bhyt", element.BHYT, "vn-bhyt", "([A-Z]{2}[1-5][0-9]{2}[0-9A-Z]{10}|[0-9]{10})", "Số thẻ bảo hiểm y tế", "Health insurance card", "*"),
		number("bhxh", element.BHXH, "vn-bhxh", "[0-9]{10}", "Mã số bảo hiểm xã hội", "Social insurance number", "*"),
		[]rule{
			{path: "name", min: 1, max: "*", vi: "Họ và tên", en: "Name", must: []constraint{{key: "vn-name",
				expression: "text.exists() or family.exists()", vi: "Phải có họ tên.", en: "A name is needed."}}},
			{path: "gender", min: 1, max: "1", vi: "Giới tính", en: "Gender"},
			{path: "birthDate", min: 1, max: "1", vi: "Ngày sinh; năm cũng được", en: "Date of birth; a year will do"},
		},
	)},
	{"encounter", "Encounter", "Lượt khám, chữa bệnh", "Encounter", join(
		identified(),
		number("ma-lk", element.MALK, "", "", "Mã liên kết lượt khám (MA_LK)", "Key of the visit (MA_LK)", "1"),
		subject("subject"),
		[]rule{
			{path: "type", min: 1, max: "*", by: "coding.system", vi: "Loại hình khám, chữa bệnh", en: "Kind of visit"},
			{path: "type:ma-loai-kcb", min: 1, max: "1"},
			{path: "type:ma-loai-kcb.coding", min: 1, max: "1"},
			{path: "type:ma-loai-kcb.coding.system", min: 1, max: "1", fixed: "Uri=" + element.List + "ma_loai_kcb"},
			{path: "type:ma-loai-kcb.coding.code", min: 1, max: "1", list: "ma_loai_kcb", strength: "extensible"},
			{path: "period", min: 1, max: "1", vi: "Từ lúc vào đến lúc ra", en: "From arrival to leaving"},
			{path: "period.start", min: 1, max: "1"},
			{path: "hospitalization.dischargeDisposition", list: "ma_loai_rv", vi: "Loại ra viện", en: "Kind of discharge"},
			facility("serviceProvider"),
		},
	)},
	{"condition", "Condition", "Chẩn đoán", "Diagnosis", join(
		subject("subject"),
		[]rule{
			{path: "category", min: 1, max: "*"},
			coded("code", "vn-diagnosis", "Chẩn đoán", "Diagnosis"),
			{path: "code.coding", by: "system", vi: "Mã ICD-10", en: "Code of ICD-10"},
			{path: "code.coding:icd10", max: "1"},
			{path: "code.coding:icd10.system", min: 1, max: "1", fixed: "Uri=" + element.ICD10},
			{path: "code.coding:icd10.code", min: 1, max: "1", must: []constraint{{key: "vn-icd10", expression: "$this.matches('^[A-Z][0-9][0-9A-Z](\\\\.[0-9A-Z]{1,2})?[*+†]?$')",
				vi: "Mã không đúng dạng ICD-10, ví dụ A90 hoặc E11.9.", en: "The code is not of the form of ICD-10, such as A90 or E11.9."}}},
			{path: "encounter", min: 1, max: "1", vi: "Lượt khám", en: "Encounter"},
			{path: "recordedDate", min: 1, max: "1"},
		},
	)},
	{"coverage", "Coverage", "Thẻ bảo hiểm y tế", "Health insurance card", join(
		identified(),
		number("bhyt", element.BHYT, "vn-card", "([A-Z]{2}[1-5][0-9]{2}[0-9A-Z]{10}|[0-9]{10})", "Số thẻ bảo hiểm y tế", "Health insurance card", "1"),
		[]rule{
			{path: "beneficiary", min: 1, max: "1"},
			{path: "subscriberId", min: 1, max: "1", vi: "Số thẻ", en: "Number of the card"},
			{path: "period", min: 1, max: "1", vi: "Giá trị của thẻ", en: "Days of the card"},
			{path: "period.start", min: 1, max: "1"},
			{path: "network", vi: "Nơi đăng ký khám bệnh, chữa bệnh ban đầu", en: "Place of registration"},
		},
	)},
	{"practitioner", "Practitioner", "Người hành nghề", "Practitioner", join(
		identified(),
		number("cchn", element.CCHN, "", "", "Số giấy phép hành nghề", "Practice licence", "*"),
		number("cccd", element.CCCD, "vn-cccd", "[0-9]{12}", "Số định danh cá nhân", "Personal identification number", "1"),
		[]rule{{path: "name", min: 1, max: "*", vi: "Họ và tên", en: "Name"}},
	)},
	{"organization", "Organization", "Cơ sở khám bệnh, chữa bệnh", "Facility", join(
		identified(),
		number("ma-cskcb", element.MACSKCB, "vn-ma-cskcb", "[0-9A-Z]{5,10}", "Mã cơ sở (MA_CSKCB)", "Code of the facility (MA_CSKCB)", "1"),
		[]rule{{path: "name", min: 1, max: "1", vi: "Tên cơ sở", en: "Name"}},
	)},
	{"medication-request", "MedicationRequest", "Y lệnh thuốc", "Order of a medicine", join(
		subject("subject"),
		[]rule{
			coded("medication[x]", "vn-medicine", "Thuốc", "Medicine"),
			{path: "encounter", min: 1, max: "1", vi: "Lượt khám", en: "Encounter"},
			{path: "authoredOn", min: 1, max: "1", vi: "Thời điểm ra y lệnh", en: "When it was ordered"},
			{path: "requester", min: 1, max: "1", vi: "Người ra y lệnh", en: "Who ordered", must: []constraint{{key: "vn-requester",
				expression: "reference.exists() or identifier.value.exists()", vi: "Phải nêu người ra y lệnh.", en: "Who ordered must be named."}}},
			{path: "dosageInstruction.route", list: "duong_dung", strength: "extensible", vi: "Đường dùng", en: "Route"},
		},
	)},
	{"medication-dispense", "MedicationDispense", "Cấp thuốc", "Dispensed medicine", join(
		subject("subject"),
		[]rule{coded("medication[x]", "vn-medicine", "Thuốc", "Medicine"), {path: "quantity", min: 1, max: "1", vi: "Số lượng", en: "Quantity"}},
	)},
	{"observation", "Observation", "Kết quả đo, xét nghiệm", "Result", join(
		subject("subject"),
		[]rule{
			{path: "category", min: 1, max: "*", vi: "Loại kết quả", en: "Kind of result"},
			coded("code", "vn-observed", "Chỉ số", "What was observed"),
			{path: "effective[x]", min: 1, max: "1", vi: "Thời điểm", en: "When"},
			{path: "value[x]", must: []constraint{{key: "vn-unit", warn: true, expression: "ofType(Quantity).all(unit.exists() or code.exists())",
				vi: "Giá trị bằng số nên có đơn vị đo.", en: "A value that is a number should have a unit."}}},
		},
	)},
	{"diagnostic-report", "DiagnosticReport", "Phiếu kết quả cận lâm sàng", "Diagnostic report", join(
		subject("subject"),
		[]rule{
			{path: "category", min: 1, max: "*"}, coded("code", "vn-service", "Dịch vụ", "Service"), {path: "effective[x]", min: 1, max: "1"},
			{path: "result", min: 1, max: "*", vi: "Các chỉ số", en: "Results"},
		},
	)},
	{"service-request", "ServiceRequest", "Chỉ định dịch vụ", "Order of a service", join(
		subject("subject"), []rule{coded("code", "vn-service", "Dịch vụ", "Service"), {path: "encounter", min: 1, max: "1", vi: "Lượt khám", en: "Encounter"}},
	)},
	{"claim", "Claim", "Hồ sơ đề nghị thanh toán", "Claim", join(
		identified(),
		number("ma-lk", element.MALK, "", "", "Mã liên kết lượt khám (MA_LK)", "Key of the visit (MA_LK)", "1"),
		subject("patient"),
		[]rule{
			facility("provider"),
			{path: "billablePeriod", min: 1, max: "1", vi: "Từ lúc vào đến lúc ra", en: "From arrival to leaving"},
			{path: "subType", list: "ma_doituong_kcb", vi: "Đối tượng đến khám", en: "Access category"},
			{path: "total", min: 1, max: "1", vi: "Tổng chi phí", en: "Total", must: []constraint{{key: "vn-total",
				expression: "value >= 0 and currency = 'VND'", vi: "Tổng chi phí phải là số đồng không âm.", en: "The total must be đồng and not below zero."}}},
			{path: "item.productOrService", must: []constraint{{key: "vn-item", expression: "coding.exists() or text.exists() or extension('" + element.Absent + "').exists()",
				vi: "Dòng chi phí phải có mã hoặc tên.", en: "A line needs a code or a name."}}},
		},
	)},
	{"procedure", "Procedure", "Dịch vụ kỹ thuật", "Procedure", join(
		subject("subject"), []rule{coded("code", "vn-service", "Dịch vụ", "Service"), {path: "encounter", min: 1, max: "1"}, {path: "performed[x]", min: 1, max: "1"}},
	)},
}

// Names lists the names of the profiles, for Profiles + name.
func Names() (list []string) {
	for _, d := range definitions {
		list = append(list, d.name)
	}
	return list
}
