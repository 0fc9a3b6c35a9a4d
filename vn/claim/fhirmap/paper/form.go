package paper

import (
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
)

// form is what the pages and resources need to know of a paper beside its fields.
type form struct {
	title    string
	number   []string // fields of the numbers that it carries, the one it is known by first
	date     []string // fields to date it by when it has no NGAY_CT and the visit no end
	from, to string   // fields of the time that it tells about
}

// forms are the papers (QĐ 3176 bảng XML6 to XML11, XML13 to XML15).
var forms = map[int]form{
	6:  {"Hồ sơ chăm sóc và điều trị HIV/AIDS", nil, []string{"NGAY_BAT_DAU_XU_TRI"}, "NGAY_BAT_DAU_XU_TRI", "NGAY_KET_THUC_XU_TRI"},
	7:  {"Giấy ra viện", []string{"SO_LUU_TRU"}, []string{"NGAY_RA"}, "NGAY_VAO", "NGAY_RA"},
	8:  {"Tóm tắt hồ sơ bệnh án", nil, []string{"NGAY_RA"}, "NGAY_VAO", "NGAY_RA"},
	9:  {"Giấy chứng sinh", []string{"SO"}, []string{"NGAY_SINH_CON"}, "NGAY_SINH_CON", "NGAY_SINH_CON"},
	10: {"Giấy chứng nhận nghỉ dưỡng thai", []string{"SO_SERI", "SO_CT"}, []string{"TU_NGAY"}, "TU_NGAY", "DEN_NGAY"},
	11: {"Giấy chứng nhận nghỉ việc hưởng BHXH", []string{"SO_SERI", "SO_CT"}, []string{"TU_NGAY"}, "TU_NGAY", "DEN_NGAY"},
	13: {"Giấy chuyển tuyến", []string{"SO_CHUYENTUYEN", "GIAY_CHUYEN_TUYEN", "SO_HOSO"}, []string{"NGAY_RA", "NGAY_VAO"}, "NGAY_VAO", "NGAY_RA"},
	14: {"Giấy hẹn khám lại", []string{"SO_GIAYHEN_KL"}, []string{"NGAY_RA"}, "NGAY_VAO", "NGAY_RA"},
	15: {"Hồ sơ quản lý điều trị lao", nil, []string{"NGAYBD_DTRI_LAO"}, "NGAYBD_DTRI_LAO", "NGAYKT_DTRI_LAO"},
}

// Title is the name of a paper in Vietnamese by the number of its table, "" when it is no paper.
func Title(table int) string { return forms[table].title }

// number is the number that the paper is known by. A birth certificate is
// counted in its book, so the book belongs to it.
func (p *paper) number() string {
	n := p.first(p.form.number...)
	if book := p.get("QUYEN_SO"); p.table == 9 && n != "" && book != "" {
		return n + "/" + book
	}
	return n
}

// numbers are the identifiers that a paper carries, the one it is known by first.
func (p *paper) numbers() (ids []r4.Object) {
	for _, f := range p.form.number {
		n := p.get(f)
		if n == "" {
			continue
		}
		if len(ids) == 0 {
			n = p.number()
		}
		ids = append(ids, r4.Object{{Name: "system", Value: NumberSystem(p.table, f, p.Facility)}, {Name: "value", Value: n}})
	}
	return ids
}

// date is the day of issue, else the end of the visit, else what the form has.
func (p *paper) date() (fhir string, at time.Time) {
	if fhir, at = moment(p.get("NGAY_CT")); fhir != "" {
		return fhir, at
	}
	if !p.Ended.IsZero() {
		return moment(p.Ended.In(claim.VietNam).Format("200601021504"))
	}
	for _, f := range p.form.date {
		if fhir, at = moment(last(p.get(f))); fhir != "" {
			return fhir, at
		}
	}
	return "", time.Time{}
}

// period is the time that the paper tells about. An end before its start is
// left out: it stands as written in the QuestionnaireResponse.
func (p *paper) period() (o r4.Object) {
	from, a := moment(first(p.get(p.from)))
	to, b := moment(last(p.get(p.to)))
	if from != "" {
		o.Add("start", from)
	}
	if to != "" && !b.Before(a) {
		o.Add("end", to)
	}
	return o
}

func first(list string) string { return strings.TrimSpace(strings.Split(list, ";")[0]) }

func last(list string) string {
	return strings.TrimSpace(list[strings.LastIndex(list, ";")+1:])
}

// moment reads a day or a minute and writes it as FHIR does; "" when it is neither.
func moment(text string) (fhir string, at time.Time) {
	if t, ok := claim.Date8(text).Time(); ok && t.Year() > 0 {
		return t.Format(time.DateOnly), t
	}
	if t, ok := claim.Date12(text).Time(); ok && t.Year() > 0 {
		return t.Format("2006-01-02T15:04:05+07:00"), t
	}
	return "", time.Time{}
}

// hivLabels mark what tells of HIV (Luật Phòng, chống HIV/AIDS Điều 30; FHIR R4 security-labels.html).
var hivLabels = []r4.Object{
	{{Name: "system", Value: "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"}, {Name: "code", Value: "R"}, {Name: "display", Value: "restricted"}},
	{{Name: "system", Value: "http://terminology.hl7.org/CodeSystem/v3-ActCode"}, {Name: "code", Value: "HIV"}, {Name: "display", Value: "HIV/AIDS information sensitivity"}},
}

// secret says whether a paper tells that a person lives with HIV: the care
// record always, a tuberculosis record by its HIV fields, a referral and an
// appointment by their codes (ICD-10 B20 to B24, Z21).
func secret(r claim.Record) bool {
	filled := func(field string) bool { return strings.TrimSpace(claim.ByName(r, field)) != "" }
	if r.Table().Number == 6 || strings.TrimSpace(claim.ByName(r, "PHANLOAI_LAO_HIV")) == "1" ||
		filled("NGAYKD_HIV") || filled("BDDT_ARV") || filled("NGAY_BAT_DAU_DT_CTX") {
		return true
	}
	for _, c := range append(claim.Items(claim.ByName(r, "MA_BENH_CHINH")), claim.Items(claim.ByName(r, "MA_BENH_KT"))...) {
		if c = strings.ToUpper(c); len(c) >= 3 && (c[:3] >= "B20" && c[:3] <= "B24" || c[:3] == "Z21") {
			return true
		}
	}
	return false
}
