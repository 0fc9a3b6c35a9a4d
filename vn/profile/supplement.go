package profile

import (
	"context"
	"strings"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim/fhirmap/element"
)

const hl7 = "http://hl7.org/fhir/"

// vietnamese names the codes of R4's own systems that our records use and
// people meet, code=name, one a line. The names are ours; R4 has none.
var vietnamese = map[string]string{
	hl7 + "administrative-gender": "male=Nam\nfemale=Nữ\nother=Khác\nunknown=Không rõ",
	hl7 + "encounter-status": "planned=Dự kiến\narrived=Đã đến\ntriaged=Đã phân loại\nin-progress=Đang khám, điều trị\nonleave=Tạm vắng\nfinished=Đã kết thúc\n" +
		"cancelled=Đã hủy\nentered-in-error=Nhập nhầm\nunknown=Không rõ",
	hl7 + "observation-status": "registered=Đã tiếp nhận\npreliminary=Kết quả sơ bộ\nfinal=Kết quả cuối cùng\namended=Đã bổ sung\ncorrected=Đã đính chính\n" +
		"cancelled=Đã hủy\nentered-in-error=Nhập nhầm\nunknown=Không rõ",
	hl7 + "diagnostic-report-status": "registered=Đã tiếp nhận\npartial=Kết quả một phần\npreliminary=Kết quả sơ bộ\nfinal=Kết quả cuối cùng\namended=Đã bổ sung\n" +
		"corrected=Đã đính chính\nappended=Đã thêm\ncancelled=Đã hủy\nentered-in-error=Nhập nhầm\nunknown=Không rõ",
	hl7 + "CodeSystem/medicationrequest-status": "active=Đang thực hiện\non-hold=Tạm dừng\ncancelled=Đã hủy\ncompleted=Đã hoàn thành\nentered-in-error=Nhập nhầm\n" +
		"stopped=Đã ngừng\ndraft=Bản nháp\nunknown=Không rõ",
	hl7 + "CodeSystem/medicationrequest-intent": "proposal=Đề xuất\nplan=Kế hoạch\norder=Y lệnh\noriginal-order=Y lệnh gốc\nreflex-order=Y lệnh kéo theo\nfiller-order=Y lệnh của nơi thực hiện\n" +
		"instance-order=Y lệnh từng lần\noption=Lựa chọn",
	hl7 + "event-status": "preparation=Chuẩn bị\nin-progress=Đang thực hiện\nnot-done=Không thực hiện\non-hold=Tạm dừng\nstopped=Đã ngừng\ncompleted=Đã hoàn thành\n" +
		"entered-in-error=Nhập nhầm\nunknown=Không rõ",
	hl7 + "request-status":                  "draft=Bản nháp\nactive=Đang thực hiện\non-hold=Tạm dừng\nrevoked=Đã thu hồi\ncompleted=Đã hoàn thành\nentered-in-error=Nhập nhầm\nunknown=Không rõ",
	hl7 + "publication-status":              "draft=Bản nháp\nactive=Đang dùng\nretired=Không còn dùng\nunknown=Không rõ",
	hl7 + "name-use":                        "usual=Thường gọi\nofficial=Chính thức\ntemp=Tạm thời\nnickname=Tên gọi khác\nanonymous=Ẩn danh\nold=Tên cũ\nmaiden=Tên trước khi kết hôn",
	hl7 + "address-use":                     "home=Nơi ở\nwork=Nơi làm việc\ntemp=Tạm trú\nold=Nơi ở cũ\nbilling=Nơi nhận hóa đơn",
	hl7 + "contact-point-system":            "phone=Điện thoại\nemail=Thư điện tử\npager=Máy nhắn tin\nurl=Trang mạng\nsms=Tin nhắn\nother=Khác",
	hl7 + "allergy-intolerance-category":    "food=Thức ăn\nmedication=Thuốc\nenvironment=Môi trường\nbiologic=Chế phẩm sinh học",
	hl7 + "allergy-intolerance-criticality": "low=Nguy cơ thấp\nhigh=Nguy cơ cao\nunable-to-assess=Không đánh giá được",
	hl7 + "days-of-week":                    "mon=Thứ Hai\ntue=Thứ Ba\nwed=Thứ Tư\nthu=Thứ Năm\nfri=Thứ Sáu\nsat=Thứ Bảy\nsun=Chủ nhật",
	element.HL7 + "v3-ActCode": "AMB=Khám ngoại trú\nEMER=Cấp cứu\nFLD=Tại thực địa\nHH=Tại nhà\nIMP=Điều trị nội trú\nACUTE=Nội trú cấp tính\nNONAC=Nội trú không cấp tính\n" +
		"OBSENC=Theo dõi\nPRENC=Trước nhập viện\nSS=Lưu trú ngắn\nVR=Khám từ xa\nPUBLICPOL=Bảo hiểm y tế công",
	element.HL7 + "v3-ActPriority":                  "EM=Cấp cứu\nUR=Khẩn\nR=Thường quy\nEL=Theo kế hoạch\nS=Ngay lập tức",
	element.HL7 + "v3-MaritalStatus":                "M=Có vợ hoặc chồng\nS=Chưa kết hôn\nD=Ly hôn\nW=Góa\nL=Ly thân\nT=Sống chung\nU=Không có vợ, chồng",
	element.HL7 + "v3-NullFlavor":                   "UNK=Không rõ\nASKU=Đã hỏi nhưng không rõ\nNA=Không áp dụng\nNASK=Chưa hỏi\nNI=Không có thông tin\nOTH=Khác\nMSK=Được che",
	element.HL7 + "condition-clinical":              "active=Đang mắc\nrecurrence=Tái phát\nrelapse=Tái diễn\ninactive=Không còn hoạt động\nremission=Thuyên giảm\nresolved=Đã khỏi",
	element.HL7 + "condition-ver-status":            "unconfirmed=Chưa xác định\nprovisional=Sơ bộ\ndifferential=Chẩn đoán phân biệt\nconfirmed=Xác định\nrefuted=Đã loại trừ\nentered-in-error=Nhập nhầm",
	element.HL7 + "condition-category":              "problem-list-item=Vấn đề sức khỏe\nencounter-diagnosis=Chẩn đoán của lượt khám",
	element.HL7 + "observation-category":            "social-history=Tiền sử xã hội\nvital-signs=Dấu hiệu sinh tồn\nimaging=Chẩn đoán hình ảnh\nlaboratory=Xét nghiệm\nprocedure=Thủ thuật\nsurvey=Khảo sát\nexam=Khám\ntherapy=Điều trị\nactivity=Hoạt động",
	element.HL7 + "diagnosis-role":                  "AD=Chẩn đoán vào viện\nDD=Chẩn đoán ra viện\nCC=Lý do đến khám\nCM=Bệnh kèm theo\npre-op=Chẩn đoán trước mổ\npost-op=Chẩn đoán sau mổ\nbilling=Chẩn đoán thanh toán",
	element.HL7 + "subscriber-relationship":         "child=Con\nparent=Cha, mẹ\nspouse=Vợ, chồng\ncommon=Sống chung\nother=Khác\nself=Chính người có thẻ\ninjured=Người bị hại",
	element.HL7 + "v2-0203":                         "NI=Số định danh quốc gia\nPPN=Số hộ chiếu\nMB=Số thẻ bảo hiểm y tế\nSB=Mã số bảo hiểm xã hội\nMR=Số bệnh án, mã người bệnh\nMD=Số giấy phép hành nghề bác sĩ\nDL=Số giấy phép lái xe",
	element.HL7 + "v2-0074":                         "LAB=Xét nghiệm\nRAD=Chẩn đoán hình ảnh\nOTH=Khác\nHM=Huyết học\nMB=Vi sinh\nCH=Hóa sinh\nIMM=Miễn dịch",
	element.HL7 + "allergyintolerance-clinical":     "active=Đang có\ninactive=Không còn\nresolved=Đã hết",
	element.HL7 + "allergyintolerance-verification": "unconfirmed=Chưa xác định\nconfirmed=Xác định\nrefuted=Đã loại trừ\nentered-in-error=Nhập nhầm",
}

// Supplement is the stem of the canonicals of our supplements; the system they supplement follows.
const Supplement = "urn:ytso:vi:"

// Supplements gives the Vietnamese names of a system of R4 (term.Supplements).
func (s *Source) Supplements(_ context.Context, system string) ([]*r4.Doc, error) {
	names, ok := vietnamese[system]
	if !ok {
		return nil, nil
	}
	var concepts []r4.Object
	for line := range strings.SplitSeq(names, "\n") {
		code, name, _ := strings.Cut(line, "=")
		concepts = append(concepts, r4.Object{{Name: "code", Value: code}, {Name: "designation", Value: []r4.Object{{{Name: "language", Value: "vi"}, {Name: "value", Value: name}}}}})
	}
	return []*r4.Doc{parse(r4.Object{
		{Name: "resourceType", Value: "CodeSystem"}, {Name: "language", Value: "vi"}, {Name: "url", Value: Supplement + system}, {Name: "version", Value: Version},
		{Name: "status", Value: "active"}, {Name: "content", Value: "supplement"}, {Name: "supplements", Value: system}, {Name: "concept", Value: concepts},
	})}, nil
}

// Supplemented lists the systems that have Vietnamese names.
func Supplemented() (list []string) {
	for system := range vietnamese {
		list = append(list, system)
	}
	return list
}
