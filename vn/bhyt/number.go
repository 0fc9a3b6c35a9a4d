package bhyt

import (
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/vn/law"
)

// Kind is the form of a number that is shown as a card.
type Kind string

// Forms of numbers.
const (
	Card      Kind = "card"      // 15 characters: DN 4 25 0123456789
	Insurance Kind = "insurance" // 10 digits, the BHXH number alone
	Personal  Kind = "personal"  // 12 digits; package cccd explains its parts
	Temporary Kind = "temporary" // of a child without a card yet: TE1, province, KT and 8 digits (rules.csv CARD-001, CARD-013)
)

// Number is a number of a card with its parts; those that its form does not have are blank.
type Number struct {
	Kind     Kind
	Text     string // without blanks, upper case
	Object   string // "DN": group of the insured
	Level    int    // 1 to 5: benefit level, 0 when the form has none
	Province string // "25": place of issue, of the 63 provinces
	Social   string // the BHXH number, 10 digits
}

// The errors of a number; each names the part that is wrong.
var (
	ErrNumberBlank = outcome.New(outcome.Required, "bhyt.number.blank",
		"Chưa có số thẻ bảo hiểm y tế.", "The insurance card number is missing.").At("number")
	ErrNumberSigns = outcome.New(outcome.Value, "bhyt.number.signs",
		"Số thẻ bảo hiểm y tế chỉ gồm chữ cái không dấu và chữ số.", "A card number has plain letters and digits only.").At("number")
	ErrNumberLength = outcome.New(outcome.Value, "bhyt.number.length",
		"Số thẻ bảo hiểm y tế phải có 15 ký tự, hoặc là mã số BHXH 10 chữ số, hoặc số định danh cá nhân 12 chữ số.",
		"A card number has 15 characters; else it is a social insurance number of 10 digits or a personal number of 12.").At("number")
	ErrObject = outcome.New(outcome.Value, "bhyt.number.object",
		"Hai ký tự đầu của số thẻ phải là hai chữ cái chỉ đối tượng tham gia, ví dụ DN, HT, TE.", "The first two characters of a card number are letters of the insured group, for example DN, HT, TE.").At("number.object")
	ErrLevel = outcome.New(outcome.Value, "bhyt.number.level",
		"Ký tự thứ 3 của số thẻ là mức hưởng, chỉ từ 1 đến 5.", "The 3rd character of a card number is the benefit level, 1 to 5.").At("number.level")
	ErrProvince = outcome.New(outcome.Value, "bhyt.number.province",
		"Ký tự thứ 4 và 5 của số thẻ là mã tỉnh, phải là chữ số.", "The 4th and 5th characters of a card number are the province, two digits.").At("number.province")
	ErrSocial = outcome.New(outcome.Value, "bhyt.number.social",
		"Mười ký tự cuối của số thẻ là mã số BHXH, phải là chữ số.", "The last ten characters of a card number are the social insurance number, digits only.").At("number.social")
)

// Warnings about a number beside the lists of a day.
var (
	WarnObject = outcome.New(outcome.Informational, "bhyt.number.object-unknown",
		"Hai chữ cái đầu của số thẻ chưa có trong danh mục đối tượng; thẻ vẫn có thể đúng. Xin tra cứu thẻ.", "The first two letters of the card are not in our list of groups; the card may still be right. Please look it up.").At("number.object")
	WarnLevel = outcome.New(outcome.Informational, "bhyt.number.level-of-object",
		"Mức hưởng (ký tự thứ 3) khác với mức của đối tượng này tại ngày khám. Xin tra cứu thẻ.", "The benefit level (3rd character) is not that of this group on the day of the visit. Please look the card up.").At("number.level")
	WarnProvince = outcome.New(outcome.Informational, "bhyt.number.province-unknown",
		"Ký tự thứ 4 và 5 của số thẻ không phải mã tỉnh trong danh mục 63 tỉnh; thẻ vẫn có thể đúng. Xin tra cứu thẻ.", "The 4th and 5th characters of the card are none of the 63 provinces; the card may still be right. Please look it up.").At("number.province")
	WarnPersonalEarly = outcome.New(outcome.BusinessRule, "bhyt.number.personal-early",
		"Trước ngày 15/08/2025 chưa dùng số định danh cá nhân thay số thẻ bảo hiểm y tế.", "Before 15/08/2025 the personal number did not take the place of the card number.").At("number")
)

// personalFrom is the day from which the personal number serves as the card (NĐ 188/2025).
var personalFrom = time.Date(2025, 8, 15, 0, 0, 0, 0, time.FixedZone("+07", 7*3600))

// ParseNumber reads a number that is shown as a card. Blanks, dots and hyphens
// between its groups are let go, small letters are taken for capitals.
func ParseNumber(s string) (Number, error) {
	s = strings.ToUpper(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-\u00a0\t", r) {
			return -1
		}
		return r
	}, s))
	n := Number{Text: s}
	switch {
	case s == "":
		return Number{}, ErrNumberBlank
	case strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return Number{}, ErrNumberSigns
	case len(s) == 10 && digits(s):
		n.Kind, n.Social = Insurance, s
	case len(s) == 12 && digits(s):
		n.Kind = Personal
	case len(s) != 15:
		return Number{}, ErrNumberLength
	default:
		return cardOf(s)
	}
	return n, nil
}

// cardOf reads the parts of 15 characters.
func cardOf(s string) (Number, error) {
	temporary := strings.HasPrefix(s, "TE1") && s[5:7] == "KT" && digits(s[7:])
	switch {
	case !letters(s[:2]):
		return Number{}, ErrObject
	case s[2] < '1' || s[2] > '5':
		return Number{}, ErrLevel
	case !digits(s[3:5]):
		return Number{}, ErrProvince
	case temporary:
		return Number{Temporary, s, s[:2], 1, s[3:5], ""}, nil
	case !digits(s[5:]):
		return Number{}, ErrSocial
	}
	return Number{Card, s, s[:2], int(s[2] - '0'), s[3:5], s[5:]}, nil
}

func digits(s string) bool  { return strings.Trim(s, "0123456789") == "" }
func letters(s string) bool { return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" }

// Group is the group of the insured on a day; ok is false when the form has no
// letters or the list does not know them.
func (n Number) Group(on time.Time) (law.CardObject, bool) {
	if n.Object == "" {
		return law.CardObject{}, false
	}
	return law.CardGroup(n.Object, on)
}

// Percent is what the fund pays by the card's level on a day, before route and
// exemptions; ok is false when the form has no level.
func (n Number) Percent(on time.Time) (int, bool) { return law.Benefit(n.Level, on) }

// Place is the province of issue by the list of 63.
func (n Number) Place() (law.Code, bool) {
	last := law.Merger().AddDate(0, 0, -1)
	l, err := law.Find("ma_tinh_062024", last)
	if err != nil || n.Province == "" {
		return law.Code{}, false
	}
	return l.Find(n.Province, last)
}

// Look gives what a person should look at in a number on a day; none of it refuses the card.
func (n Number) Look(on time.Time) []*outcome.Error {
	var out []*outcome.Error
	if n.Kind == Personal && on.Before(personalFrom) {
		out = append(out, WarnPersonalEarly)
	}
	if n.Object == "" {
		return out
	}
	if g, ok := n.Group(on); !ok {
		out = append(out, WarnObject)
	} else if g.Level != 0 && g.Level != n.Level {
		out = append(out, WarnLevel)
	}
	if _, ok := n.Place(); !ok {
		out = append(out, WarnProvince)
	}
	return out
}
