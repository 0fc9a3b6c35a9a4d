package check

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/fhir/decimal"
	"github.com/ytso/ytso/vn/claim"
	"github.com/ytso/ytso/vn/law"
)

// idRules are the rules about who the patient is.
var idRules = []rule{
	{id: "ID-001", run: id001}, {id: "ID-002", run: id002}, {id: "ID-003", run: id003}, {id: "ID-004", run: id004}, {id: "ID-005", run: id005},
	{id: "ID-006", run: id006}, {id: "ID-007", run: id007}, {id: "ID-008", run: id008}, {id: "ID-009", run: id009}, {id: "ID-010", run: id010},
	{id: "ID-011", run: id011}, {id: "ID-012", run: id012}, {id: "ID-013", run: id013}, {id: "ID-015", run: id015}, {id: "ID-016", run: id016},
	{id: "ID-017", run: id017},
}

// xml1 gives the summary table, and false when the rule at hand has nothing to look at.
func (v *visit) xml1() (*claim.XML1, bool) {
	if v.hoso == nil || v.hoso.XML1 == nil {
		return nil, false
	}
	return v.hoso.XML1, true
}

func x1(field string) at { return at{"XML1", 0, field} }

func trim[T ~string](s T) string { return strings.TrimSpace(string(s)) }

// ID-001: patient number, name, birth date and sex are mandatory.
func id001(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	for _, f := range []struct{ name, value string }{
		{"MA_BN", trim(x.MA_BN)}, {"HO_TEN", trim(x.HO_TEN)}, {"NGAY_SINH", trim(x.NGAY_SINH)}, {"GIOI_TINH", trim(x.GIOI_TINH)},
	} {
		if f.value == "" {
			v.find(x1(f.name))
		}
	}
}

// ID-002: a name holds letters, blanks, apostrophe, hyphen, full stop and brackets.
func id002(v *visit) {
	x, ok := v.xml1()
	if !ok || trim(x.HO_TEN) == "" {
		return
	}
	name := norm.NFC.String(string(x.HO_TEN))
	odd := strings.Contains(name, "  ") || name != strings.TrimSpace(name)
	for _, r := range name {
		odd = odd || !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !strings.ContainsRune(" '’-.()", r)
	}
	if odd {
		v.find(x1("HO_TEN"), "value", name)
	}
}

// ID-003: 5 to 20 letters and digits; all digits of a citizen: 9 or 12.
func id003(v *visit) {
	x, ok := v.xml1()
	if !ok || trim(x.SO_CCCD) == "" {
		return
	}
	number := strings.Join(strings.Fields(string(x.SO_CCCD)), "")
	digits, fit := true, len(number) >= 5 && len(number) <= 20
	for _, r := range number {
		isDigit := r >= '0' && r <= '9'
		digits = digits && isDigit
		fit = fit && (isDigit || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}
	if digits && trim(x.MA_QUOCTICH) == "000" {
		fit = len(number) == 9 || len(number) == 12
	}
	if !fit {
		v.find(x1("SO_CCCD"), "value", number)
	}
}

// ID-004: from 14 years on an identity number is expected, but in emergencies (category 2).
func id004(v *visit) {
	x, ok := v.xml1()
	if !ok || trim(x.SO_CCCD) != "" || trim(x.MA_DOITUONG_KCB) == "2" {
		return
	}
	birth, p := x.NGAY_SINH.Time()
	in, okIn := x.NGAY_VAO.Time()
	if p == claim.NoDate || !okIn {
		return
	}
	if !latest(birth, p).AddDate(14, 0, 0).After(in) {
		v.find(x1("SO_CCCD"))
	}
}

// latest is the last day that a birth date can mean.
func latest(birth time.Time, p claim.Precision) time.Time {
	switch p {
	case claim.ToYear:
		return birth.AddDate(1, 0, -1)
	case claim.ToMonth:
		return birth.AddDate(0, 1, -1)
	}
	return birth
}

// ID-005: birth is not after receipt or arrival, nor 140 years before it. Unknown parts are not compared.
func id005(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	birth, p := x.NGAY_SINH.Time()
	if p == claim.NoDate {
		return
	}
	in, okIn := x.NGAY_VAO.Time()
	if !okIn {
		in = v.opt.At
	}
	if birth.After(v.opt.At) || birth.After(in) || latest(birth, p).Before(in.AddDate(-140, 0, 0)) {
		v.find(x1("NGAY_SINH"), "value", birthText(birth, p), "other", dateText(in))
	}
}

func birthText(t time.Time, p claim.Precision) string {
	switch p {
	case claim.ToYear:
		return t.Format("2006")
	case claim.ToMonth:
		return t.Format("01/2006")
	}
	return dateText(t)
}

// ID-006: up to 28 days of age the hour and minute of birth are real.
func id006(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	birth, p := x.NGAY_SINH.Time()
	in, okIn := x.NGAY_VAO.Time()
	if okIn && (p == claim.ToDay || p == claim.ToMonth) && !in.Before(birth) && in.Sub(latest(birth, p)) <= 28*24*time.Hour {
		v.find(x1("NGAY_SINH"), "value", trim(x.NGAY_SINH))
	}
}

// ID-007: sex is 1, 2 or 3 (list gioi_tinh). A blank one is ID-001.
func id007(v *visit) {
	if x, ok := v.xml1(); ok {
		v.member(x1("GIOI_TINH"), "gioi_tinh", trim(x.GIOI_TINH))
	}
}

// member reports a filled code that is not in a list on the day of the visit;
// an incomplete list only warns; no list for that day is "not checked".
func (v *visit) member(p at, list, code string, values ...string) {
	if code == "" {
		return
	}
	l, err := law.Find(list, v.end)
	switch {
	case err != nil:
		v.lack("catalogue:" + list)
	case l.Has(code, v.end):
	case l.Complete:
		v.find(p, append(values, "value", code)...)
	default:
		v.warn(p, append(values, "value", code)...)
	}
}

// ID-008: nationality and ethnic group are filled and in their lists; 99 is the statistics list's "unknown".
func id008(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	for _, f := range []struct{ name, list, value string }{
		{"MA_QUOCTICH", "ma_quoctich", trim(x.MA_QUOCTICH)}, {"MA_DANTOC", "ma_dantoc", trim(x.MA_DANTOC)},
	} {
		switch {
		case f.value == "":
			v.find(x1(f.name), "value", "")
		case f.name == "MA_DANTOC" && f.value == "99":
		default:
			v.member(x1(f.name), f.list, f.value)
		}
	}
}

// ID-009: occupation is a two-digit code, or the five-digit form of 130 and 4750 whose first two digits are one.
func id009(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	code := trim(x.MA_NGHE_NGHIEP)
	if code == "" {
		v.find(x1("MA_NGHE_NGHIEP"), "value", "")
		return
	}
	if len(code) == 5 && strings.Trim(code, "0123456789") == "" {
		code = code[:2]
	}
	// The list begins with 3176; its codes are the national ones of before, so it judges older visits too.
	on := v.end
	if on.Before(start3176) {
		on = start3176
	}
	if l, err := law.Find("ma_nghe_nghiep", on); err != nil {
		v.lack("catalogue:ma_nghe_nghiep")
	} else if !l.Has(code, on) {
		if l.Complete {
			v.find(x1("MA_NGHE_NGHIEP"), "value", code)
		} else {
			v.warn(x1("MA_NGHE_NGHIEP"), "value", code)
		}
	}
}

// ID-010: address and province are filled; codes are of the administrative list of the visit's day.
func id010(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	if trim(x.DIA_CHI) == "" {
		v.find(x1("DIA_CHI"), "value", "", "date", dateText(v.end))
	}
	days := []time.Time{v.end}
	if in, ok := x.NGAY_VAO.Time(); ok && in.Before(law.Merger()) && !v.end.Before(law.Merger()) {
		days = append(days, in) // a stay that spans the change may use either list
	}
	one := func(field, code string, known func(string, time.Time) bool) {
		for _, d := range days {
			if known(code, d) {
				return
			}
		}
		v.find(x1(field), "value", code, "date", dateText(v.end))
	}
	one("MATINH_CU_TRU", trim(x.MATINH_CU_TRU), law.Province)
	if c := trim(x.MAXA_CU_TRU); c != "" {
		one("MAXA_CU_TRU", c, law.Commune)
	}
}

// ID-011: before 01/07/2025 the district is expected.
func id011(v *visit) {
	if x, ok := v.xml1(); ok && trim(x.MAHUYEN_CU_TRU) == "" {
		v.find(x1("MAHUYEN_CU_TRU"))
	}
}

var maxWeight = decimal.FromInt(500)

// ID-012: weight in kg, above 0 and below 500, at most 2 decimals.
func id012(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	d, err := decimal.Parse(trim(x.CAN_NANG))
	if err != nil || d.Sign() <= 0 || d.Cmp(maxWeight) >= 0 || !d.Round(2).Equal(d) {
		v.find(x1("CAN_NANG"), "value", trim(x.CAN_NANG), "limit", "500")
	}
}

// ID-013: newborn weights are grams, parted by semicolons.
func id013(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	for _, it := range claim.Items(string(x.CAN_NANG_CON)) {
		d, err := decimal.Parse(it)
		if it != "" && (err != nil || d.Sign() <= 0) {
			v.find(x1("CAN_NANG_CON"), "value", trim(x.CAN_NANG_CON))
			return
		}
	}
}

// ID-015: MA_CSKCB has 5 characters, is that of the envelope, and is known.
func id015(v *visit) {
	x, ok := v.xml1()
	if !ok {
		return
	}
	code, envelope := trim(x.MA_CSKCB), strings.TrimSpace(v.file.MACSKCB)
	switch {
	case envelope == "": // ENV-002
	case len(code) != 5 || code != envelope:
		v.find(x1("MA_CSKCB"), "value", code, "other", envelope)
	case v.opt.Context.Facilities == nil:
		v.lack("facilities")
	case !v.opt.Context.Facilities.Known(code, v.end):
		v.find(x1("MA_CSKCB"), "value", code, "other", envelope)
	}
}

// ID-016: the record number is mandatory.
func id016(v *visit) {
	if x, ok := v.xml1(); ok && trim(x.MA_HSBA) == "" {
		v.find(x1("MA_HSBA"))
	}
}

// ID-017: the signing head is a registered signer.
func id017(v *visit) {
	x, ok := v.xml1()
	if !ok || trim(x.MA_TTDV) == "" {
		return
	}
	if v.opt.Context.Practitioners == nil {
		v.lack("practitioners")
	} else if !v.opt.Context.Practitioners.Signs(trim(x.MA_TTDV), trim(x.MA_CSKCB), v.end) {
		v.find(x1("MA_TTDV"), "value", trim(x.MA_TTDV))
	}
}
