package person

import (
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
)

// Phone is a telephone number in the form of ITU-T E.164: "+84912345678".
type Phone struct {
	Number     string
	Mobile     bool
	Renumbered bool // it was told with an eleven-digit mobile prefix of before 2018
}

// The errors of a number, by what is wrong with it.
var (
	ErrPhoneSigns = outcome.New(outcome.Value, "person.phone.signs",
		"Số điện thoại chỉ gồm chữ số, dấu cách, dấu chấm, gạch nối và dấu + ở đầu.", "A telephone number has digits, blanks, dots, hyphens and a + at its start only.").At("phone")
	ErrPhoneLength = outcome.New(outcome.Value, "person.phone.length",
		"Số điện thoại thiếu hoặc thừa chữ số: di động có 10 chữ số, cố định có 11 chữ số kể cả mã vùng.", "The telephone number has too few or too many digits: mobiles have 10, landlines 11 with their area code.").At("phone")
	ErrPhonePrefix = outcome.New(outcome.Value, "person.phone.prefix",
		"Đầu số điện thoại không có ở Việt Nam. Số nước ngoài xin ghi dấu + và mã nước.", "No telephone number in Vietnam begins like this. Please write foreign ones with + and their country.").At("phone")
)

// renumbered are the mobile prefixes of the change from 15/09 to 15/11/2018, old to new (from general knowledge of the operators' notices).
var renumbered = map[string]string{
	"0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078", // MobiFone
	"0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082", // VinaPhone
	"0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036", "0167": "037", "0168": "038", "0169": "039", // Viettel
	"0186": "056", "0188": "058", "0199": "059", // Vietnamobile, Gmobile
}

// ParsePhone reads one number as people write it: with or without +84, 0084 or
// 84, with blanks, dots and hyphens, with a mobile prefix of before 2018.
// Landlines of before 2017 are refused, since their area codes are those of
// mobiles today. A blank is the zero Phone.
func ParsePhone(s string) (Phone, error) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()\u00a0\t", r) {
			return -1
		}
		return r
	}, s)
	if s == "" {
		return Phone{}, nil
	}
	n, plus := strings.CutPrefix(s, "+")
	switch {
	case n == "" || strings.Trim(n, "0123456789") != "":
		return Phone{}, ErrPhoneSigns
	case plus && !strings.HasPrefix(n, "84"):
		if len(n) < 7 || len(n) > 15 || n[0] == '0' {
			return Phone{}, ErrPhoneLength
		}
		return Phone{Number: "+" + n}, nil
	case plus:
		n = "0" + strings.TrimPrefix(n[2:], "0")
	case strings.HasPrefix(n, "0084"):
		n = "0" + n[4:]
	case strings.HasPrefix(n, "84") && len(n) >= 11:
		n = "0" + n[2:]
	case len(n) == 9 && n[0] != '0': // a table took the 0 for a number's
		n = "0" + n
	}
	return domestic(n)
}

// domestic reads a number that begins with 0.
func domestic(n string) (Phone, error) {
	if len(n) < 10 {
		return Phone{}, ErrPhoneLength
	}
	switch n[:2] {
	case "01":
		to, ok := renumbered[n[:4]]
		if !ok {
			return Phone{}, ErrPhonePrefix
		}
		if len(n) != 11 {
			return Phone{}, ErrPhoneLength
		}
		return Phone{"+84" + to[1:] + n[4:], true, true}, nil
	case "02":
		if len(n) != 11 {
			return Phone{}, ErrPhoneLength
		}
		return Phone{Number: "+84" + n[1:]}, nil
	case "03", "05", "07", "08", "09":
		if len(n) != 10 {
			return Phone{}, ErrPhoneLength
		}
		return Phone{Number: "+84" + n[1:], Mobile: true}, nil
	}
	return Phone{}, ErrPhonePrefix
}

// VI is the number as people in Vietnam write it: "0912345678".
func (p Phone) VI() string {
	if n, ok := strings.CutPrefix(p.Number, "+84"); ok {
		return "0" + n
	}
	return p.Number
}

// ComparePhones compares two numbers. That they are the same says little of
// one person: families and whole villages share a telephone.
func ComparePhones(a, b Phone) Agreement {
	switch {
	case a.Number == "" || b.Number == "":
		return Agreement{}
	case a.Number == b.Number && a.Renumbered != b.Renumbered:
		return agreement("phone.renumbered")
	case a.Number == b.Number:
		return agreement("phone.same")
	case oneDigit(a.Number, b.Number):
		return agreement("phone.one-digit")
	}
	return agreement("phone.differs")
}
