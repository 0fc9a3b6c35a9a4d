package law

import "time"

// merger is the first day of 34 provinces and no districts.
var merger = time.Date(2025, 7, 1, 0, 0, 0, 0, zone)

// Province says whether a code named a province on a day: one of 63 up to
// 30/06/2025, one of 34 from 01/07/2025. Codes may carry leading zeros to
// three digits, as the claim tables allow.
func Province(code string, on time.Time) bool {
	if len(code) == 3 && code[0] == '0' {
		code = code[1:]
	}
	name := "vn:provinces_2025"
	if on.Before(merger) {
		name = "ma_tinh_062024"
	}
	l, err := Find(name, on)
	return err == nil && l.Has(code, on)
}

// Commune says whether a code named a commune, ward or special zone on a day.
func Commune(code string, on time.Time) bool {
	if on.Before(merger) {
		for _, name := range []string{"vn:communes_legacy", "vn:communes_dropped"} {
			if l, err := Find(name, on); err == nil && l.Has(code, on) {
				return true
			}
		}
		return false
	}
	l, err := Find("vn:communes_2025", on)
	return err == nil && l.Has(code, on)
}

// Merger is 1 July 2025, 00:00 in Vietnam.
func Merger() time.Time { return merger }
