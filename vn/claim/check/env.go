package check

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/ytso/ytso/vn/claim"
)

// envRules are the rules of the envelope and of the form of values.
var envRules = []rule{
	{id: "ENV-001", run: env001}, {id: "ENV-002", file: true, run: env002}, {id: "ENV-003", file: true, run: env003},
	{id: "ENV-004", run: env004}, {id: "ENV-005", run: env005}, {id: "ENV-006", run: env006}, {id: "ENV-007", run: env007},
	{id: "ENV-008", run: env008}, {id: "ENV-009", run: env009}, {id: "ENV-010", run: env010}, {id: "ENV-011", run: env011},
	{id: "ENV-012", run: env012}, {id: "ENV-013", run: env013}, {id: "ENV-014", run: env014}, {id: "ENV-015", file: true, run: env015},
	{id: "ENV-017", run: env017},
}

// problems gives the reader's problems of some kinds.
func (v *visit) problems(codes ...claim.ProblemCode) []claim.Problem {
	var out []claim.Problem
	if v.hoso == nil {
		return nil
	}
	for _, p := range v.hoso.Problems {
		if slices.Contains(codes, p.Code) {
			out = append(out, p)
		}
	}
	return out
}

// ENV-001: a part must be base64 of well-formed XML with the root of its table (letter 1245/2024).
func env001(v *visit) {
	for _, p := range v.problems(claim.BadBase64, claim.BadXML, claim.WrongRoot, claim.TooLarge, claim.Entity) {
		v.find(at{"HOSO", 0, "NOIDUNGFILE"}, "table", p.Table, "value", p.Value)
	}
}

// ENV-002: a file without MACSKCB is refused whole.
func env002(v *visit) {
	if v.file.Kind == claim.Claim && strings.TrimSpace(v.file.MACSKCB) == "" {
		v.find(at{"FILE", 0, "MACSKCB"})
	}
}

// ENV-003: SOLUONGHOSO must be the number of HOSO.
func env003(v *visit) {
	n, err := strconv.Atoi(strings.TrimSpace(v.file.SOLUONGHOSO))
	if v.file.Kind == claim.Claim && (err != nil || n != len(v.file.HOSO)) {
		v.find(at{"FILE", 0, "SOLUONGHOSO"}, "value", v.file.SOLUONGHOSO, "count", strconv.Itoa(len(v.file.HOSO)))
	}
}

// ENV-004: each HOSO holds exactly one XML1. A damaged XML1 is ENV-001.
func env004(v *visit) {
	if v.hoso == nil {
		return
	}
	count := 0
	for _, p := range v.hoso.Parts {
		if p.LOAIHOSO == "XML1" {
			count++
		}
	}
	if count != 1 {
		v.find(at{"HOSO", v.hoso.Ordinal, "LOAIHOSO"}, "count", strconv.Itoa(count))
	}
}

// standAlone are the parts that have their own channel.
var standAlone = []string{"XML0", "XML12"}

// ENV-005: repeated or unknown parts are kept unread. A repeated XML1 is ENV-004, XML0 and XML12 are ENV-006.
func env005(v *visit) {
	for _, p := range v.problems(claim.RepeatedPart, claim.UnknownPart) {
		if p.Table != "XML1" && !slices.Contains(standAlone, p.Table) {
			v.find(at{"HOSO", 0, "LOAIHOSO"}, "value", p.Table)
		}
	}
}

// ENV-006: XML0 and XML12 must not travel inside the envelope.
func env006(v *visit) {
	for _, p := range v.problems(claim.UnknownPart) {
		if slices.Contains(standAlone, p.Table) {
			v.find(at{"HOSO", 0, "LOAIHOSO"}, "value", p.Table)
		}
	}
}

// each calls f with every row, its table name and its place in the table from 1.
func (v *visit) each(f func(r claim.Record, place int)) {
	last, place := "", 0
	for _, r := range v.rows {
		if name := r.Table().Name; name != last {
			last, place = name, 0
		}
		place++
		f(r, place)
	}
}

// ENV-007: MA_LK is the same in all tables. A blank one is ENV-008.
func env007(v *visit) {
	if v.hoso == nil || v.hoso.XML1 == nil {
		return
	}
	want := strings.TrimSpace(string(v.hoso.XML1.MA_LK))
	v.each(func(r claim.Record, place int) {
		if got := strings.TrimSpace(claim.ByName(r, "MA_LK")); got != "" && want != "" && got != want && r.Table().Number > 1 {
			v.find(in(r, place, "MA_LK"), "value", got, "expected", want)
		}
	})
}

// ENV-008: MA_LK must not be blank (XML12 has none).
func env008(v *visit) {
	v.each(func(r claim.Record, place int) {
		if r.Table().Number != 12 && strings.TrimSpace(claim.ByName(r, "MA_LK")) == "" {
			v.find(in(r, place, "MA_LK"))
		}
	})
}

// ENV-009: a given STT is a positive whole number and stands once in its table.
func env009(v *visit) {
	seen := map[string]bool{}
	v.each(func(r claim.Record, place int) {
		n := r.Table().Number
		if n != 0 && n != 15 && (n < 2 || n > 5) {
			return
		}
		stt := strings.TrimSpace(claim.ByName(r, "STT"))
		if stt == "" {
			if n != 15 {
				v.find(at{r.Table().Name, place, "STT"}, "value", stt)
			}
			return
		}
		num, err := strconv.Atoi(stt)
		key := r.Table().Name + "/" + strconv.Itoa(num)
		if err != nil || num < 1 || seen[key] {
			v.find(at{r.Table().Name, place, "STT"}, "value", stt)
		}
		seen[key] = true
	})
}

// fields calls f with every filled field of every row.
func (v *visit) fields(f func(r claim.Record, place int, field *claim.Field, value string)) {
	v.each(func(r claim.Record, place int) {
		t := r.Table()
		for i := range t.Fields {
			if value := strings.TrimSpace(r.Get(i)); value != "" {
				f(r, place, &t.Fields[i], value)
			}
		}
	})
}

// ENV-010: text longer than the portal stores is refused; length in characters after NFC.
func env010(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		if f.Type > claim.TCDATA || f.PortalLen == 0 || len(value) <= f.PortalLen {
			return
		}
		if n := utf8.RuneCountInString(norm.NFC.String(value)); n > f.PortalLen {
			v.find(in(r, place, f.Name), "count", strconv.Itoa(n), "limit", strconv.Itoa(f.PortalLen))
		}
	})
}

// ENV-017: longer than the annex but within the portal. Dates are not tested.
func env017(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		limit := annexLen(r.Table().Name, f, v.end)
		if limit == 0 || f.Type >= claim.TDate8 || len(value) <= limit {
			return
		}
		n := utf8.RuneCountInString(norm.NFC.String(value))
		if n > limit && (f.PortalLen == 0 || n <= f.PortalLen) {
			v.find(in(r, place, f.Name), "count", strconv.Itoa(n), "limit", strconv.Itoa(limit))
		}
	})
}

// start3176 is the first day of QĐ 3176 (releases.csv).
var start3176 = time.Date(2025, 1, 1, 0, 0, 0, 0, claim.VietNam)

// annexLen is the annex size in force on a day (column change_note of tables.csv).
func annexLen(table string, f *claim.Field, on time.Time) int {
	switch f.Name {
	case "MA_NGHE_NGHIEP":
		if on.Before(start3176) && table == "XML1" {
			return 5
		}
	case "MA_BENH_YHCT":
		if on.Before(start3176) && table != "XML13" {
			return 255
		}
	case "MUC_HUONG": // QĐ 1931: 4 characters; "100" fits before as well, 47.5 is COST-017
		return 4
	}
	return f.MaxLen
}

// ENV-011: numbers have a dot and no thousands mark.
func env011(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		items := []string{value}
		switch f.Type {
		case claim.TNumber, claim.TDecimal1, claim.TDecimal2, claim.TDecimal3:
		case claim.TNumberList:
			items = claim.Items(value)
		default:
			return
		}
		for _, it := range items {
			if _, ok := claim.Decimal(it).Decimal(); it != "" && !ok {
				v.find(in(r, place, f.Name), "value", it)
			}
		}
	})
}

// ENV-012: lists are joined with semicolons. XML12.SO_VAN_BAN_CAN_CU holds free text.
func env012(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		if f.Separator == "" || f.Type == claim.TCDATA || f.Name == "SO_VAN_BAN_CAN_CU" {
			return
		}
		if strings.ContainsAny(value, ",|") {
			v.find(in(r, place, f.Name), "value", value)
		}
	})
}

// ENV-013: 12-digit times are real; births may be zero-filled.
func env013(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		items := []string{value}
		switch f.Type {
		case claim.TBirthDate12:
			if _, p := claim.BirthDate12(value).Time(); p == claim.NoDate || len(value) != 12 {
				v.find(in(r, place, f.Name), "value", value)
			}
			return
		case claim.TDate12List:
			items = claim.Items(value)
		case claim.TDate12:
		default:
			return
		}
		for _, it := range items {
			if _, ok := claim.Date12(it).Time(); it != "" && !ok {
				v.find(in(r, place, f.Name), "value", it)
			}
		}
	})
}

// births8 are 8-digit birth dates, which may be zero-filled.
var births8 = map[string]bool{"NGAYSINH_NND": true, "NGAY_SINH": true}

// ENV-014: 8-digit dates are real. XML14.NGAY_HEN_KL is CERT-033.
func env014(v *visit) {
	v.fields(func(r claim.Record, place int, f *claim.Field, value string) {
		items := []string{value}
		switch {
		case f.Name == "NGAY_HEN_KL":
			return
		case f.Type == claim.TDate8List:
			items = claim.Items(value)
		case f.Type != claim.TDate8:
			return
		}
		for _, it := range items {
			_, ok := claim.Date8(it).Time()
			if !ok && births8[f.Name] && len(it) == 8 {
				_, p := claim.BirthDate12(it).Time()
				ok = p != claim.NoDate
			}
			if it != "" && !ok {
				v.find(in(r, place, f.Name), "value", it)
			}
		}
	})
}

// ENV-015: from 01/01/2026 a file carries the facility's signature.
func env015(v *visit) {
	if v.file.Kind != claim.Claim {
		return
	}
	if v.opt.Context.Signature == nil {
		v.lack("signature")
	} else if !v.opt.Context.Signature.Valid() {
		v.find(at{"FILE", 0, "CHUKYDONVI"})
	}
}
