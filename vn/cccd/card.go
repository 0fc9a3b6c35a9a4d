package cccd

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/person"
	"github.com/ytso/ytso/vn/scan"
)

// Card is what the QR text of an identity card tells.
type Card struct {
	Number     Number
	OldNumbers []string // nine digits of the card before; cancelled personal numbers since NĐ 70/2024 Điều 12
	Name       string   // as on the card, NFC
	Birth      person.Birth
	Sex        person.Sex
	Address    string
	Issued     person.Birth  // the day, as far as it can be read
	Extra      []string      // fields after the seventh, as they came
	Repairs    []scan.Repair // what a scanner had damaged and could be put right
	// Faults are the fields that can't be read and are blank; Warnings what a
	// person should look at. Both name the field in Expression.
	Faults, Warnings []*outcome.Error
}

// maxText is more than a QR code can hold as text (ISO/IEC 18004, version 40).
const maxText = 4 * 4296

// Errors of a text that is not that of one card.
var (
	ErrBlank = outcome.New(outcome.Required, "cccd.blank",
		"Chưa quét được gì. Xin quét lại mã QR trên thẻ căn cước.", "Nothing was scanned. Please scan the QR code of the identity card again.")
	ErrTooLong = outcome.New(outcome.TooLong, "cccd.long",
		"Nội dung quét dài hơn một mã QR có thể chứa. Xin xoá ô nhập rồi quét lại một thẻ.", "The text is longer than a QR code can hold. Please clear the field and scan one card.")
	ErrNotCard = outcome.New(outcome.Invalid, "cccd.not-a-card",
		"Đây không phải mã QR của thẻ căn cước.", "This is not the QR code of an identity card.")
	ErrEncoding = outcome.New(outcome.Invalid, "cccd.encoding",
		"Nội dung quét không phải UTF-8. Xin chỉnh máy quét sang UTF-8 rồi quét lại.", "The text is not UTF-8. Please set the scanner to UTF-8 and scan again.")
	ErrCut = outcome.New(outcome.Structure, "cccd.cut",
		"Nội dung quét bị cụt: thẻ căn cước có 7 mục. Xin quét lại.", "The text was cut off: an identity card has 7 fields. Please scan again.")
	ErrSeveral = outcome.New(outcome.Structure, "cccd.several",
		"Nội dung quét có nhiều thẻ khác nhau. Xin xoá ô nhập rồi quét từng thẻ.", "The text holds several cards. Please clear the field and scan one card at a time.")
)

// Faults and warnings of a card's fields.
var (
	FaultName = outcome.New(outcome.Required, "cccd.name",
		"Thẻ quét được không có họ tên. Xin nhập họ tên theo thẻ.", "The scan has no name. Please type the name as it is on the card.").At("name")
	FaultLetters = outcome.New(outcome.Value, "cccd.letters",
		"Máy quét làm mất chữ tiếng Việt trong họ tên. Xin nhập lại theo thẻ, và chỉnh máy quét sang UTF-8.", "The scanner lost Vietnamese letters of the name. Please type it as it is on the card, and set the scanner to UTF-8.").At("name")
	FaultAddressLetters = outcome.New(outcome.Value, "cccd.address-letters",
		"Máy quét làm mất chữ tiếng Việt trong địa chỉ. Xin nhập lại theo thẻ, và chỉnh máy quét sang UTF-8.", "The scanner lost Vietnamese letters of the address. Please type it as it is on the card, and set the scanner to UTF-8.").At("address")
	FaultBirth = outcome.New(outcome.Value, "cccd.birth",
		"Không đọc được ngày sinh trên thẻ quét.", "The birth date of the scan can't be read.").At("birth")
	FaultSex = outcome.New(outcome.Value, "cccd.sex",
		"Không đọc được giới tính trên thẻ quét: cần Nam hoặc Nữ.", "The sex of the scan can't be read: it takes Nam or Nữ.").At("sex")
	FaultIssued = outcome.New(outcome.Value, "cccd.issued",
		"Không đọc được ngày cấp trên thẻ quét.", "The day of issue of the scan can't be read.").At("issued")
	WarnUnmarked = outcome.New(outcome.Informational, "cccd.unmarked",
		"Họ tên quét được không có dấu. Xin thêm dấu theo thẻ, và tắt bộ gõ hoặc chỉnh máy quét sang UTF-8.", "The scanned name has no marks. Please add them as on the card, and switch the input method off or set the scanner to UTF-8.").At("name")
	WarnMethod = outcome.New(outcome.Informational, "cccd.input-method",
		"Họ tên quét được có chữ số hoặc ký hiệu lạ, có thể do bộ gõ tiếng Việt đang bật. Xin đối chiếu với thẻ.", "The scanned name has digits or odd signs, perhaps because a Vietnamese input method is on. Please compare with the card.").At("name")
	WarnOrder = outcome.New(outcome.BusinessRule, "cccd.issued-before-birth",
		"Ngày cấp thẻ trước ngày sinh. Xin đối chiếu với thẻ.", "The card was issued before the birth. Please compare with the card.").At("issued")
)

// Parse reads the text of a card's QR code: seven fields or more parted by
// "|", as spec/vn/01-identity.md §1.2 has them. An error is a text that is not
// that of one card, or a personal number that is none; what else can't be read
// is left blank and told in Faults, so that a desk can go on with the rest.
func Parse(text string) (Card, error) {
	if len(text) > maxText {
		return Card{}, ErrTooLong
	}
	if !utf8.ValidString(text) {
		return Card{}, ErrEncoding
	}
	text, repairs := scan.Tidy(text)
	if text == "" {
		return Card{}, ErrBlank
	}
	f := strings.Split(text, "|")
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	number, err := ParseNumber(f[0])
	switch {
	case len(f) == 1 || err != nil && len(f) < 7:
		return Card{}, ErrNotCard
	case err != nil:
		return Card{}, err
	case len(f) < 7:
		return Card{}, ErrCut
	case several(f, number):
		return Card{}, ErrSeveral
	}
	c := Card{Number: number, OldNumbers: former(f[1]), Repairs: repairs}
	if len(f) > 7 {
		c.Extra = f[7:]
	}
	c.read(f)
	c.Warnings = append(c.Warnings, c.Number.Against(c.Birth, c.Sex)...)
	return c, nil
}

// several says whether a second scan follows the first: its number stands
// right behind the day of issue, or begins a line of a later field.
func several(f []string, n Number) bool {
	for _, s := range f[6:] {
		if strings.HasSuffix(s, string(n)) && len(s) > 12 || strings.ContainsFunc(s, unicode.IsControl) {
			return true
		}
	}
	return len(f) >= 13 && len(f[6]) == len("15072021")+12 && digits(f[6])
}

// former splits the second field into the numbers that it holds.
func former(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;/", r) })
}

// read fills what the other fields tell.
func (c *Card) read(f []string) {
	fault := func(e *outcome.Error) { c.Faults = append(c.Faults, e) }
	warn := func(e *outcome.Error) { c.Warnings = append(c.Warnings, e) }
	switch name := strings.Join(strings.Fields(f[2]), " "); {
	case name == "":
		fault(FaultName)
	case scan.Lost(f[2]):
		fault(FaultLetters)
	default:
		c.Name = name
		if strings.ContainsFunc(name, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(" '’‘`-.", r)
		}) {
			warn(WarnMethod)
		} else if !person.Marked(name) && !person.Marked(f[5]) {
			warn(WarnUnmarked)
		}
	}
	birth, err := person.ParseBirth(f[3])
	if err != nil || !birth.Known() {
		fault(FaultBirth)
	}
	sex, ok := person.ParseSex(f[4])
	if !ok || sex == "" {
		fault(FaultSex)
	}
	if scan.Lost(f[5]) {
		fault(FaultAddressLetters)
	} else {
		c.Address = f[5]
	}
	issued, err := person.ParseBirth(f[6])
	if err != nil || !issued.Known() {
		fault(FaultIssued)
	}
	c.Birth, c.Sex, c.Issued = birth, sex, issued
	if birth.Known() && issued.Known() && issued.Last().Before(birth.First()) {
		warn(WarnOrder)
	}
}
