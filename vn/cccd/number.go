package cccd

import (
	"strings"
	"sync"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/law"
	"github.com/ytso/ytso/vn/person"
)

// Number is a personal number (số định danh cá nhân) of twelve digits whose
// parts can be read. Make it with ParseNumber.
type Number string

// The errors of a number; each names the part that is wrong.
var (
	ErrNumberBlank = outcome.New(outcome.Required, "cccd.number.blank",
		"Chưa có số định danh cá nhân.", "The personal number is missing.").At("number")
	ErrNumberDigits = outcome.New(outcome.Value, "cccd.number.digits",
		"Số định danh cá nhân chỉ gồm chữ số; số này có ký tự khác.", "A personal number has digits only; this one has other characters.").At("number")
	ErrNumberShort = outcome.New(outcome.Value, "cccd.number.short",
		"Số định danh cá nhân phải có 12 chữ số; số này thiếu chữ số.", "A personal number has 12 digits; this one has fewer.").At("number")
	ErrNumberLong = outcome.New(outcome.Value, "cccd.number.long",
		"Số định danh cá nhân phải có 12 chữ số; số này thừa chữ số.", "A personal number has 12 digits; this one has more.").At("number")
	ErrNumberOld = outcome.New(outcome.Value, "cccd.number.old",
		"Đây là số chứng minh nhân dân 9 chữ số, không phải số định danh cá nhân 12 chữ số.", "This is the number of an old identity card with 9 digits, not a personal number of 12.").At("number")
	ErrNumberProvince = outcome.New(outcome.Value, "cccd.number.province",
		"Ba chữ số đầu của số định danh không phải mã tỉnh, thành phố nơi đăng ký khai sinh.", "The first three digits of the personal number are no province where births are registered.").At("number.province")
	ErrOld = outcome.New(outcome.Value, "cccd.old.digits",
		"Số chứng minh nhân dân phải có đúng 9 chữ số.", "The number of an old identity card has exactly 9 digits.").At("oldNumber")
)

// The warnings about a number beside a birth date and a sex.
var (
	WarnSex = outcome.New(outcome.BusinessRule, "cccd.number.sex",
		"Chữ số thứ 4 của số định danh không khớp với giới tính. Xin đối chiếu với thẻ; số vẫn đúng nếu giới tính đã được cải chính.",
		"The 4th digit of the personal number does not agree with the sex. Please compare with the card; the number is right if the sex was corrected.").At("number.century")
	WarnCentury = outcome.New(outcome.BusinessRule, "cccd.number.century",
		"Chữ số thứ 4 của số định danh không khớp với thế kỷ sinh. Xin đối chiếu với thẻ; số vẫn đúng nếu ngày sinh đã được cải chính.",
		"The 4th digit of the personal number does not agree with the century of birth. Please compare with the card; the number is right if the birth date was corrected.").At("number.century")
	WarnYear = outcome.New(outcome.BusinessRule, "cccd.number.year",
		"Chữ số thứ 5 và 6 của số định danh không khớp với năm sinh. Xin đối chiếu với thẻ; số vẫn đúng nếu ngày sinh đã được cải chính.",
		"The 5th and 6th digits of the personal number do not agree with the year of birth. Please compare with the card; the number is right if the birth date was corrected.").At("number.year")
)

// provinces are the 63 of TT 07/2016, which numbers keep for good.
var provinces = sync.OnceValues(func() (*law.List, error) { return law.Find("ma_tinh_062024", before()) })

// before is the last day of the 63 provinces.
func before() time.Time { return law.Merger().AddDate(0, 0, -1) }

// ParseNumber reads a personal number; blanks, dots and hyphens that people
// write between its groups are let go. The error names the part at fault.
func ParseNumber(s string) (Number, error) {
	s = bare(s)
	switch {
	case s == "":
		return "", ErrNumberBlank
	case !digits(s):
		return "", ErrNumberDigits
	case len(s) == 9:
		return "", ErrNumberOld
	case len(s) < 12:
		return "", ErrNumberShort
	case len(s) > 12:
		return "", ErrNumberLong
	}
	n := Number(s)
	if _, known := n.Province(); !known && !n.Abroad() {
		return "", ErrNumberProvince
	}
	return n, nil
}

// ParseOld reads the number of a chứng minh nhân dân: nine digits. Nothing in
// it can be checked: its provinces are those of the police of its time.
func ParseOld(s string) (string, error) {
	if s = bare(s); len(s) != 9 || !digits(s) {
		return "", ErrOld
	}
	return s, nil
}

func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-\u00a0\t", r) {
			return -1
		}
		return r
	}, s)
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (n Number) readable() bool { return len(n) == 12 && digits(string(n)) }

// Province is where the birth was registered: the code of the list of 63 and
// its name of then, "25", "Tỉnh Phú Thọ". ok is false for births registered abroad.
func (n Number) Province() (p law.Code, ok bool) {
	list, err := provinces()
	if err != nil || !n.readable() || n[0] != '0' {
		return p, false
	}
	return list.Find(string(n[1:3]), before())
}

// Abroad says whether the birth was registered abroad: the first three digits
// are then the code of a country, whose list in TT 07/2016 begins above the
// provinces and is not checked here.
func (n Number) Abroad() bool { return n.readable() && n[0] != '0' }

// Sex is the one that the 4th digit tells: even male, odd female.
func (n Number) Sex() person.Sex {
	if !n.readable() {
		return ""
	}
	return [2]person.Sex{person.Male, person.Female}[(n[3]-'0')%2]
}

// Year is the year of birth that the 4th to 6th digits tell, 1900 to 2399; 0 when they can't be read.
func (n Number) Year() int {
	if !n.readable() {
		return 0
	}
	return 1900 + int(n[3]-'0')/2*100 + int(n[4]-'0')*10 + int(n[5]-'0')
}

// Against gives what of a number does not agree with a birth date and a sex,
// each as a warning that names the digits. What is not known is not compared.
func (n Number) Against(birth person.Birth, sex person.Sex) []*outcome.Error {
	var out []*outcome.Error
	if (sex == person.Male || sex == person.Female) && n.Sex() != sex {
		out = append(out, WarnSex)
	}
	if birth.Known() && n.Year()/100 != birth.Year/100 {
		out = append(out, WarnCentury)
	}
	if birth.Known() && n.Year()%100 != birth.Year%100 {
		out = append(out, WarnYear)
	}
	return out
}

// Filler says whether a number was typed to fill a field: shorter than six
// characters, or one character all over.
func Filler(value string) bool {
	return len(value) < 6 || strings.Count(value, value[:1]) == len(value)
}
