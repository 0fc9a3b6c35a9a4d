package fault

import (
	"strings"
)

func plus(s string) func(string) string { return func(old string) string { return old + s } }

func dropLast(old string) string { return old[:len(old)-1] }

func nonzero(s string) bool { return s != "" && strings.Trim(s, "0.") != "" }

func longEnough(n int) func(string) bool { return func(s string) bool { return len(s) >= n } }

// first puts a digit in front, so that an amount grows by far.
func first(old string) string { return "9" + old }

// unlessSoldier leaves the files of the forces alone.
func unlessSoldier(edit func(*doc) bool) func(*doc) bool {
	return func(d *doc) bool {
		return len(d.find("XML1", "MA_THE_BHYT", func(s string) bool { return strings.HasPrefix(s, "QN") })) == 0 && edit(d)
	}
}

// Kinds lists every kind: first what must be reported, then what must not.
var Kinds = []Kind{
	// The envelope.
	{"cut-off", "Tệp phải đủ đến thẻ cuối; tệp bị cắt khi truyền thì không nhận.", nil, "claim.cut-off", whole("", func(s string) string { return s[:len(s)*2/3] })},
	{"count-too-high", "SOLUONGHOSO bằng số hồ sơ trong tệp; khai nhiều hơn.", []string{"ENV-003"}, "claim.count", element("SOLUONGHOSO", "3")},
	{"count-not-a-number", "SOLUONGHOSO là số nguyên.", []string{"ENV-003"}, "claim.count", element("SOLUONGHOSO", "một")},
	{"no-facility", "MACSKCB là bắt buộc.", []string{"ENV-002"}, "claim.no-facility", element("MACSKCB", "")},
	{"doctype", "Tệp không được có khai báo DTD hay thực thể.", nil, "claim.entity", whole("", func(s string) string {
		return strings.Replace(s, "<GIAMDINHHS", `<!DOCTYPE GIAMDINHHS [<!ENTITY x "y">]><GIAMDINHHS`, 1)
	})},
	{"not-utf8", "Bảng mã là UTF-8.", nil, "claim.not-xml", whole("", func(s string) string { return strings.Replace(s, "<NGAYLAP>", "<NGAYLAP>\xe2\x28", 1) })},
	{"other-facility", "MA_CSKCB của hồ sơ bằng MACSKCB của tệp.", []string{"ID-015"}, "", element("MACSKCB", "25999")},
	{"part-not-base64", "NOIDUNGFILE là base64 của bảng.", []string{"ENV-001"}, "", rawPart("XML2", func(string) string { return "@@không phải base64@@" })},
	{"part-cut-off", "Nội dung bảng là XML đầy đủ.", []string{"ENV-001"}, "", rawPart("XML3", encoded(func(s string) string { return s[:len(s)/2] }))},
	{"part-of-other-root", "Thẻ gốc của bảng do công văn 1245 quy định.", []string{"ENV-001"}, "", rawPart("XML5", encoded(func(s string) string {
		return strings.ReplaceAll(s, "CHITIEU_CHITIET_DIENBIENLAMSANG", "CHI_TIEU_CHITIET_DIENBIENLAMSANG")
	}))},
	{"no-xml1", "Mỗi hồ sơ có đúng một XML1.", []string{"ENV-004"}, "", whole("LOAIHOSO", func(s string) string {
		from := strings.Index(s, "<FILEHOSO>")
		to := strings.Index(s, "</FILEHOSO>") + len("</FILEHOSO>")
		return s[:from] + s[to:]
	})},
	{"unknown-part", "Loại bảng ngoài chuẩn được lưu lại và cảnh báo.", []string{"ENV-005"}, "", appendPart("XML16", "QUJD")},
	{"check-in-inside", "XML0 gửi riêng, không nằm trong tệp hồ sơ.", []string{"ENV-006"}, "", appendPart("XML0", "QUJD")},
	// Form of values.
	{"other-link-key", "MA_LK của mọi bảng bằng MA_LK của XML1.", []string{"ENV-007"}, "", set("XML3", "MA_LK", filled, plus("x"))},
	{"blank-link-key", "MA_LK không được trống.", []string{"ENV-008"}, "", set("XML5", "MA_LK", filled, to(""))},
	{"line-number-twice", "STT không trùng trong một bảng.", []string{"ENV-009"}, "", set("XML3", "STT", func(s string) bool { return s == "2" }, to("1"))},
	{"line-number-zero", "STT là số nguyên dương.", []string{"ENV-009"}, "", set("XML3", "STT", filled, to("0"))},
	{"decimal-comma", "Dấu thập phân là dấu chấm.", []string{"ENV-011"}, "", set("XML2", "DON_GIA", filled, plus(",5"))},
	{"thousands-mark", "Không dùng dấu ngăn hàng nghìn.", []string{"ENV-011"}, "", set("XML1", "T_TONGCHI_BV", longEnough(7), func(s string) string { return s[:len(s)-6] + "." + s[len(s)-6:] })},
	{"list-with-comma", "Nhiều mã bệnh ngăn nhau bằng dấu chấm phẩy.", []string{"ENV-012"}, "", set("XML1", "MA_BENH_KT", filled, plus(",E78.5"))},
	{"thirteenth-month", "Thời điểm phải có thật.", []string{"ENV-013"}, "", set("XML1", "NGAY_TTOAN", longEnough(12), func(s string) string { return s[:4] + "13" + s[6:] })},
	{"hour-24", "Giờ từ 00 đến 23.", []string{"ENV-013"}, "", set("XML3", "NGAY_YL", longEnough(12), func(s string) string { return s[:8] + "2400" })},
	{"birth-31-february", "Ngày sinh phải có thật.", []string{"ENV-013"}, "", set("XML1", "NGAY_SINH", longEnough(12), func(s string) string { return s[:4] + "02310000" })},
	{"card-date-of-seven-digits", "Ngày có 8 chữ số.", []string{"ENV-014"}, "", set("XML1", "GT_THE_DEN", filled, dropLast)},
	{"over-long-name", "HO_TEN dài tối đa 255 ký tự.", []string{"ENV-017"}, "", set("XML1", "HO_TEN", filled, plus(strings.Repeat(" Ơi", 100)))},
	// The person.
	{"no-name", "Họ tên là bắt buộc.", []string{"ID-001"}, "", set("XML1", "HO_TEN", filled, to(""))},
	{"no-patient-number", "Mã bệnh nhân là bắt buộc.", []string{"ID-001"}, "", set("XML1", "MA_BN", filled, to(""))},
	{"digit-in-name", "Tên chỉ có chữ cái.", []string{"ID-002"}, "", set("XML1", "HO_TEN", filled, plus(" 2"))},
	{"eleven-digits", "Số định danh có 12 chữ số.", []string{"ID-003"}, "", set("XML1", "SO_CCCD", func(s string) bool { return len(s) == 12 }, dropLast)},
	{"number-with-sign", "Số giấy tờ chỉ gồm chữ và số.", []string{"ID-003"}, "", set("XML1", "SO_CCCD", longEnough(8), func(s string) string { return s[:4] + "-" + s[4:] })},
	{"born-in-the-future", "Ngày sinh không sau ngày vào.", []string{"ID-005"}, "", set("XML1", "NGAY_SINH", longEnough(12), to("202712010730"))},
	{"born-in-1850", "Tuổi không quá 140.", []string{"ID-005"}, "", set("XML1", "NGAY_SINH", longEnough(12), to("185001010000"))},
	{"sex-0", "Giới tính là 1, 2 hoặc 3.", []string{"ID-007"}, "", set("XML1", "GIOI_TINH", filled, to("0"))},
	{"unknown-ethnic-group", "Mã dân tộc theo danh mục.", []string{"ID-008"}, "", set("XML1", "MA_DANTOC", filled, to("77"))},
	{"no-occupation", "Mã nghề nghiệp là bắt buộc.", []string{"ID-009"}, "", set("XML1", "MA_NGHE_NGHIEP", filled, to(""))},
	{"old-province", "Mã tỉnh theo danh mục tại ngày khám (34 tỉnh từ 01/07/2025).", []string{"ID-010"}, "", set("XML1", "MATINH_CU_TRU", filled, to("26"))},
	{"unknown-commune", "Mã xã theo danh mục tại ngày khám.", []string{"ID-010"}, "", set("XML1", "MAXA_CU_TRU", filled, to("99999"))},
	{"weight-in-grams", "Cân nặng tính bằng kg.", []string{"ID-012"}, "", set("XML1", "CAN_NANG", filled, to("52500"))},
	{"no-record-number", "Số hồ sơ bệnh án là bắt buộc.", []string{"ID-016"}, "", set("XML1", "MA_HSBA", filled, to(""))},
	// The money.
	{"medicine-amount", "Thành tiền thuốc = số lượng × đơn giá.", []string{"COST-001"}, "", set("XML2", "THANH_TIEN_BV", nonzero, first)},
	{"medicine-insured-amount", "Thành tiền BHYT = số lượng × đơn giá × tỷ lệ.", []string{"COST-002"}, "", set("XML2", "THANH_TIEN_BH", nonzero, first)},
	{"fund-share", "Quỹ trả = thành tiền BHYT × mức hưởng.", []string{"COST-003"}, "", set("XML3", "T_BHTT", nonzero, first)},
	{"co-payment", "Cùng chi trả = thành tiền BHYT − quỹ trả.", []string{"COST-004"}, "", set("XML3", "T_BNCCT", nonzero, first)},
	{"other-sources", "Nguồn khác bằng tổng bốn nguồn.", []string{"COST-006"}, "", set("XML3", "T_NGUONKHAC_CL", filled, to("7000.00"))},
	{"negative-other-source", "Nguồn khác không âm.", []string{"COST-008"}, "", set("XML3", "T_NGUONKHAC", filled, to("-5.00"))},
	{"service-amount", "Thành tiền dịch vụ = số lượng × đơn giá × tỷ lệ.", []string{"COST-010"}, "", set("XML3", "THANH_TIEN_BV", nonzero, first)},
	{"service-insured-amount", "Thành tiền BHYT của dịch vụ theo đơn giá BHYT và hai tỷ lệ.", []string{"COST-011"}, "", set("XML3", "THANH_TIEN_BH", nonzero, first)},
	{"four-decimals", "Đơn giá tối đa 3 chữ số thập phân.", []string{"COST-014"}, "", set("XML2", "DON_GIA", filled, plus(".0001"))},
	{"negative-quantity", "Số lượng không âm.", []string{"COST-014"}, "", set("XML2", "SO_LUONG", nonzero, func(s string) string { return "-" + s })},
	{"rate-120", "Tỷ lệ từ 0 đến 100.", []string{"COST-015"}, "", set("XML3", "TYLE_TT_BH", filled, to("120"))},
	{"benefit-of-two-decimals", "Mức hưởng có nhiều nhất một chữ số thập phân.", []string{"COST-017"}, "", set("XML2", "MUC_HUONG", nonzero, plus(".55"))},
	{"out-of-scope-with-rate", "Phạm vi 2 thì tỷ lệ và tiền quỹ bằng 0.", []string{"COST-018"}, "", set("XML3", "PHAM_VI", func(s string) bool { return s == "1" }, to("2"))},
	{"scope-of-soldiers", "Phạm vi 3 chỉ cho thẻ quân đội, công an, cơ yếu.", []string{"COST-019"}, "", unlessSoldier(set("XML3", "PHAM_VI", func(s string) bool { return s == "1" }, to("3")))},
	{"payment-method-9", "Phương thức thanh toán 1 đến 3.", []string{"COST-023"}, "", set("XML3", "MA_PTTT", filled, to("9"))},
	{"total-of-medicines", "T_THUOC bằng tổng các dòng thuốc.", []string{"SUM-001"}, "", set("XML1", "T_THUOC", nonzero, first)},
	{"total-of-supplies", "T_VTYT bằng tổng các dòng vật tư.", []string{"SUM-002"}, "", set("XML1", "T_VTYT", filled, to("5000.00"))},
	{"grand-total", "T_TONGCHI_BV bằng tổng các dòng.", []string{"SUM-003"}, "", set("XML1", "T_TONGCHI_BV", nonzero, first)},
	{"total-off-by-half", "Tổng lệch không quá 1 đồng chỉ bị cảnh báo.", []string{"SUM-017"}, "", set("XML1", "T_BHTT", nonzero, func(s string) string { return strings.TrimSuffix(s, "00") + "50" })},
	{"no-total", "Các số tổng là bắt buộc.", []string{"SUM-014"}, "", set("XML1", "T_BNCCT", filled, to(""))},
	// Harmless: forms that envelope.md says must be accepted.
	{"byte-order-mark", "Dấu BOM đầu tệp được chấp nhận.", nil, "", whole("", func(s string) string { return "\ufeff" + s })},
	{"declaration-inside", "Khai báo XML bên trong được chấp nhận.", nil, "", rawPart("XML1", encoded(func(s string) string { return `<?xml version="1.0" encoding="UTF-8"?>` + s }))},
	{"nested-content", "Nội dung lồng trực tiếp được chấp nhận.", nil, "", rawPart("XML3", func(s string) string { return s })},
	{"base64-in-lines", "Base64 xuống dòng được chấp nhận.", nil, "", rawPart("XML1", func(s string) string {
		b := encoded(func(s string) string { return s })(s)
		return "\r\n" + b[:60] + "\r\n" + b[60:] + "\r\n"
	})},
	{"cdata", "CDATA và chữ thường như nhau.", nil, "", set("XML1", "DIA_CHI", filled, func(s string) string { return "<![CDATA[" + s + "]]>" })},
	{"blanks-around", "Khoảng trắng quanh giá trị không tính.", nil, "", set("XML1", "MA_BN", filled, func(s string) string { return "\n  " + s + " " })},
	{"trailing-semicolon", "Dấu chấm phẩy cuối danh sách không hại.", nil, "", set("XML1", "MA_BENH_KT", filled, plus(";"))},
	{"old-identity-card", "Chứng minh nhân dân 9 số vẫn nhận.", nil, "", set("XML1", "SO_CCCD", func(s string) bool { return len(s) == 12 }, func(s string) string { return s[3:] })},
	{"other-occupation", "Mã nghề hai chữ số có trong danh mục.", nil, "", set("XML1", "MA_NGHE_NGHIEP", filled, to("61"))},
}
