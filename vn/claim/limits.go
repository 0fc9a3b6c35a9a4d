package claim

import "github.com/ytso/ytso/fhir/outcome"

// Limits bound what a reader takes in. The zero value of a field means its
// default, so that Limits{} is safe.
type Limits struct {
	FileBytes int // whole file, after one outer base64 (64 MiB)
	PartBytes int // one inner document (16 MiB)
	HOSO      int // records in one file (10,000)
	Rows      int // rows in one inner document (20,000)
	Depth     int // nesting of elements (32)
	TextBytes int // text of one element (1 MiB; NOIDUNGFILE is bound by PartBytes)
}

func (l Limits) withDefaults() Limits {
	set := func(p *int, def int) {
		if *p <= 0 {
			*p = def
		}
	}
	set(&l.FileBytes, 64<<20)
	set(&l.PartBytes, 16<<20)
	set(&l.HOSO, 10_000)
	set(&l.Rows, 20_000)
	set(&l.Depth, 32)
	set(&l.TextBytes, 1<<20)
	return l
}

// Reasons to refuse a whole file. Decode gives one of them, with what it could
// read so far beside it.
var (
	ErrNotXML = outcome.New(outcome.Invalid, "claim.not-xml",
		"Tệp không phải XML đúng chuẩn UTF-8 nên không đọc được.", "The file is not well-formed UTF-8 XML.")
	ErrCutOff = outcome.New(outcome.Invalid, "claim.cut-off",
		"Tệp bị cắt cụt giữa chừng. Hãy xuất lại toàn bộ tệp rồi gửi lại.", "The file ends before its end. Please export the whole file again.")
	ErrEntity = outcome.New(outcome.Invalid, "claim.entity",
		"Tệp chứa khai báo DTD hoặc thực thể XML, không được phép.", "The file holds a DTD or an entity declaration, which is not allowed.")
	ErrTooLarge = outcome.New(outcome.TooLong, "claim.too-large",
		"Tệp vượt quá dung lượng hoặc số lượng cho phép. Hãy chia nhỏ rồi gửi lại.", "The file is larger than permitted. Please split it.")
	ErrUnknownRoot = outcome.New(outcome.Structure, "claim.unknown-root",
		"Thẻ gốc của tệp không phải GIAMDINHHS, bảng check-in hay bảng giám định y khoa.", "The root element is neither GIAMDINHHS nor a check-in or assessment table.")
	ErrCount = outcome.New(outcome.Structure, "claim.count",
		"Số hồ sơ đếm được khác số khai trong SOLUONGHOSO, có thể tệp bị cắt cụt. Hãy xuất lại toàn bộ tệp.", "The number of records differs from SOLUONGHOSO; the file may have been cut off.")
	ErrNoFacility = outcome.New(outcome.Required, "claim.no-facility",
		"Tệp không ghi mã cơ sở khám chữa bệnh (MACSKCB).", "The file carries no facility code (MACSKCB).")
	ErrOldFormat = outcome.New(outcome.NotSupported, "claim.4210",
		"Tệp theo mẫu QĐ 4210 đã hết hiệu lực, hệ thống không nhận mẫu này.", "The file follows QĐ 4210, which is no longer in force and is not taken.")
)
