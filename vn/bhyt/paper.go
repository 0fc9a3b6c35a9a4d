package bhyt

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/fold"
	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/person"
	"github.com/ytso/ytso/vn/scan"
)

// Paper is what the QR text of a paper card tells.
type Paper struct {
	Number    Number
	Name      string
	Birth     person.Birth
	Sex       person.Sex
	Address   string
	Facility  string       // initial facility, five characters: "25001"
	From, To  person.Birth // days of validity; To is not known for cards without an end
	Issued    person.Birth
	Manager   string       // code of the managing BHXH office, as it came
	Parent    string       // mother or father, on the cards of children
	Area      string       // K1, K2, K3, or the card's own code as it came; "" when none
	FiveYears person.Birth // from when five insured years in a row are reached
	Check     []string     // fields after the thirteenth, as they came
	Repairs   []scan.Repair
	// Faults are the fields that can't be read and are blank; Warnings what a
	// person should look at. Both name the field in Expression.
	Faults, Warnings []*outcome.Error
}

// maxText is more than a QR code can hold as text (ISO/IEC 18004, version 40).
const maxText = 4 * 4296

// Errors of a text that is not that of one paper card.
var (
	ErrBlank = outcome.New(outcome.Required, "bhyt.blank",
		"Chưa quét được gì. Xin quét lại mã QR trên thẻ bảo hiểm y tế.", "Nothing was scanned. Please scan the QR code of the insurance card again.")
	ErrTooLong = outcome.New(outcome.TooLong, "bhyt.long",
		"Nội dung quét dài hơn một mã QR có thể chứa. Xin xoá ô nhập rồi quét lại một thẻ.", "The text is longer than a QR code can hold. Please clear the field and scan one card.")
	ErrNotCard = outcome.New(outcome.Invalid, "bhyt.not-a-card",
		"Đây không phải mã QR của thẻ bảo hiểm y tế giấy.", "This is not the QR code of a paper insurance card.")
	ErrCut = outcome.New(outcome.Structure, "bhyt.cut",
		"Nội dung quét bị cụt: thẻ bảo hiểm y tế có 13 mục. Xin quét lại.", "The text was cut off: an insurance card has 13 fields. Please scan again.")
)

func fault(field, vi, en string) *outcome.Error {
	return outcome.New(outcome.Value, "bhyt."+field, "Không đọc được "+vi+" trên thẻ quét.", "The "+en+" of the scan can't be read.").At(field)
}

// Faults and warnings of a paper card's fields.
var (
	FaultName      = fault("name", "họ tên", "name")
	FaultBirth     = fault("birth", "ngày sinh", "birth date")
	FaultSex       = fault("sex", "giới tính", "sex")
	FaultAddress   = fault("address", "địa chỉ", "address")
	FaultFacility  = fault("facility", "nơi đăng ký khám chữa bệnh ban đầu", "initial facility")
	FaultFrom      = fault("from", "ngày bắt đầu giá trị", "first day of validity")
	FaultTo        = fault("to", "ngày hết hạn", "last day of validity")
	FaultIssued    = fault("issued", "ngày cấp", "day of issue")
	FaultParent    = fault("parent", "tên cha hoặc mẹ", "name of the parent")
	FaultFiveYears = fault("fiveYears", "thời điểm đủ 5 năm liên tục", "date of five years in a row")
	WarnPeriod     = outcome.New(outcome.BusinessRule, "bhyt.period",
		"Thẻ hết hạn trước cả ngày bắt đầu. Xin đối chiếu với thẻ.", "The card ends before it starts. Please compare with the card.").At("to")
)

// Parse reads the text of a paper card's QR code: thirteen fields parted by
// "|" and a check part, whose making is not public and is not checked. An
// error is a text that is not that of one card, or a number that is none; what
// else can't be read is left blank and told in Faults.
func Parse(text string) (Paper, error) {
	if len(text) > maxText {
		return Paper{}, ErrTooLong
	}
	if !utf8.ValidString(text) {
		return Paper{}, ErrNotCard
	}
	text, repairs := scan.Tidy(text)
	if text == "" {
		return Paper{}, ErrBlank
	}
	f := strings.Split(text, "|")
	for i := range f {
		if f[i] = strings.TrimSpace(f[i]); f[i] == "-" {
			f[i] = "" // how cards write that there is nothing
		}
	}
	n, err := ParseNumber(f[0])
	switch {
	case len(f) == 1 || err != nil && len(f) < 13:
		return Paper{}, ErrNotCard
	case err != nil:
		return Paper{}, err
	case len(f) < 13 && n.Kind == Personal:
		return Paper{}, ErrNotCard // an identity card
	case len(f) < 13:
		return Paper{}, ErrCut
	}
	p := Paper{Number: n, Manager: f[9], Area: strings.ToUpper(f[11]), Check: f[13:], Repairs: repairs}
	p.read(f)
	return p, nil
}

func (p *Paper) read(f []string) {
	text := func(s string, e *outcome.Error, needed bool) string {
		v, ok := plain(s)
		if !ok || needed && v == "" {
			p.Faults = append(p.Faults, e)
		}
		return v
	}
	date := func(s string, e *outcome.Error, needed bool) person.Birth {
		b, err := person.ParseBirth(s)
		if err != nil || needed && !b.Known() {
			p.Faults = append(p.Faults, e)
		}
		return b
	}
	p.Name, p.Birth = text(f[1], FaultName, true), date(f[2], FaultBirth, true)
	sex, ok := person.ParseSex(f[3])
	if !ok || sex == "" {
		p.Faults = append(p.Faults, FaultSex)
	}
	p.Sex, p.Address = sex, text(f[4], FaultAddress, false)
	p.Facility = strings.NewReplacer(" ", "", "-", "").Replace(strings.ToUpper(f[5]))
	if len(p.Facility) != 5 || strings.Trim(p.Facility, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		p.Facility = ""
		p.Faults = append(p.Faults, FaultFacility)
	}
	p.From, p.To, p.Issued = date(f[6], FaultFrom, true), date(f[7], FaultTo, false), date(f[8], FaultIssued, false)
	p.Parent, p.FiveYears = text(f[10], FaultParent, false), date(f[12], FaultFiveYears, false)
	if p.From.Known() && p.To.Known() && p.To.Last().Before(p.From.First()) {
		p.Warnings = append(p.Warnings, WarnPeriod)
	}
}

// plain reads a text field: hex of UTF-8, or the text itself when it can't be
// hex. ok is false for hex that is cut or not text, and for lost letters.
func plain(s string) (text string, ok bool) {
	if len(s) >= 4 && strings.Trim(s, "0123456789abcdefABCDEF") == "" {
		raw, err := hex.DecodeString(s)
		if err != nil || !utf8.Valid(raw) {
			return "", false
		}
		s = string(raw)
	}
	if scan.Lost(s) {
		return "", false
	}
	return strings.Join(strings.Fields(fold.NFC(s)), " "), true
}

// Covers says whether a card is in its validity on a day, by what is printed
// on it; known is false when its first day can't be read.
func (p Paper) Covers(on time.Time) (covers, known bool) {
	if !p.From.Whole() || p.To.Known() && !p.To.Whole() {
		return false, false
	}
	day := on.In(personalFrom.Location()).Format(time.DateOnly)
	return p.From.String() <= day && (!p.To.Known() || day <= p.To.String()), true
}

// FiveYearsOn says whether five insured years in a row are reached on a day by
// the date printed on the card; known is false when it prints none. The
// co-payment limit also takes what was paid in the year (Luật BHYT Điều 22).
func (p Paper) FiveYearsOn(on time.Time) (reached, known bool) {
	if !p.FiveYears.Whole() {
		return false, false
	}
	return p.FiveYears.String() <= on.In(personalFrom.Location()).Format(time.DateOnly), true
}
