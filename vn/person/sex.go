package person

import "github.com/ytso/ytso/fhir/fold"

// Sex is an administrative gender by its FHIR code; "" is not known or not determined.
type Sex string

// The two that numbers, cards and comparisons tell apart.
const (
	Male   Sex = "male"
	Female Sex = "female"
)

// VI is the word on Vietnamese cards; "" when not known.
func (s Sex) VI() string { return map[Sex]string{Male: "Nam", Female: "Nữ"}[s] }

// ParseSex reads the word of a card ("Nam", "Nữ", "NU"), the digit of a claim
// (1 male, 2 female: QĐ 3176 GIOI_TINH) or the FHIR code. ok is false for
// anything else; "" with ok is a blank or the claim's 3, not determined.
func ParseSex(s string) (sex Sex, ok bool) {
	switch fold.Key(s) {
	case "nam", "male", "1":
		return Male, true
	case "nu", "female", "2":
		return Female, true
	case "", "3", "unknown", "other", "khong xac dinh", "chua xac dinh":
		return "", true
	}
	return "", false
}

// CompareSex compares two; what is not known tells nothing.
func CompareSex(a, b Sex) Agreement {
	switch {
	case a != Male && a != Female || b != Male && b != Female:
		return Agreement{}
	case a == b:
		return agreement("sex.same")
	}
	return agreement("sex.differs")
}
