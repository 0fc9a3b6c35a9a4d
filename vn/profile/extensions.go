package profile

// extensions are those of vn/claim/fhirmap/mapping.md that are defined by
// themselves; names that go on behind a colon (nguyen-van:FIELD, khac:FIELD,
// so-tien:FIELD) are as many as the law has fields and carry only what a claim says.
var extensions = []extension{
	{"claim-text", "string", "Element", "", "Nguyên văn trường trong hồ sơ XML", "Text of the claim's field"},
	{"dan-toc", "CodeableConcept", "Patient", "ma_dantoc", "Dân tộc", "Ethnic group"},
	{"nghe-nghiep", "CodeableConcept", "Patient", "ma_nghe_nghiep", "Nghề nghiệp", "Occupation"},
	{"nhom-mau", "string", "Patient", "", "Nhóm máu", "Blood group"},
	{"ly-do-vao-noi-tru", "boolean", "Encounter.reasonCode", "", "Là lý do vào nội trú", "Is the reason of the admission"},
	{"ket-qua-dtri", "CodeableConcept", "Encounter.hospitalization", "ket_qua_dtri", "Kết quả điều trị", "Outcome of the treatment"},
	{"ham-luong", "string", "CodeableConcept", "", "Hàm lượng", "Strength"},
	{"dang-bao-che", "string", "CodeableConcept", "", "Dạng bào chế", "Dosage form"},
	{"pp-che-bien", "string", "CodeableConcept", "", "Phương pháp chế biến", "Processing of a traditional medicine"},
	{"don-vi-do", "string", "Observation", "", "Đơn vị đo của giá trị không phải số", "Unit of a value that is no number"},
	{"bang", "code", "Claim.item", "", "Bảng của dòng chi phí", "Table of the line"},
	{"ty-le-bh", "decimal", "Claim.item", "", "Tỷ lệ thanh toán bảo hiểm", "Percentage taken into account by the insurance"},
	{"muc-huong", "decimal", "Claim.item", "", "Mức hưởng", "Percentage of the benefit"},
	{"tt-thau", "string", "Claim.item", "", "Thông tin thầu", "Decision of the tender"},
	{"ngay-yl", "dateTime", "Claim.item", "", "Thời điểm ra y lệnh", "When the line was ordered"},
	{"du-phong", "string", "Claim Claim.item Observation ClinicalImpression", "", "Trường dự phòng", "Reserve field"},
	{"loai-ghi-chu", "code", "ClinicalImpression.note", "", "Loại ghi chú", "Kind of the note"},
	{"so-thu-tu-hoso", "integer", "Provenance.entity", "", "Số thứ tự hồ sơ trong tệp", "Which HOSO of the file"},
}
