package check

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/vn/claim"
)

// visitOf makes a clean insured visit: two medicines, an examination, a supply
// with a ceiling. Every rule is silent about it (TestCleanVisit).
func visitOf() (*claim.File, *claim.HOSO) {
	h := &claim.HOSO{Ordinal: 1}
	for _, p := range []string{"XML1", "XML2", "XML3"} {
		h.Parts = append(h.Parts, claim.Part{LOAIHOSO: p, Rows: 1})
	}
	*h.Add(1).(*claim.XML1) = claim.XML1{
		MA_LK: "LK1", MA_BN: "BN1", HO_TEN: "Y-Ví Dụ Niê", SO_CCCD: "025080000101", NGAY_SINH: "198005120000", GIOI_TINH: "1", MA_QUOCTICH: "000",
		MA_DANTOC: "01", MA_NGHE_NGHIEP: "00", DIA_CHI: "Khu 1", MATINH_CU_TRU: "25", MAXA_CU_TRU: "04792", MA_THE_BHYT: "DN4250000000101",
		MA_DKBD: "25901", GT_THE_TU: "20260101", GT_THE_DEN: "20261231", LY_DO_VV: "Đau", CHAN_DOAN_VAO: "A", CHAN_DOAN_RV: "A", MA_BENH_CHINH: "I10",
		MA_DOITUONG_KCB: "1.1", NGAY_VAO: "202603100730", NGAY_RA: "202603100930", SO_NGAY_DTRI: "1", KET_QUA_DTRI: "2", MA_LOAI_RV: "1",
		T_THUOC: "400000.00", T_VTYT: "2000.00", T_TONGCHI_BV: "442000.00", T_TONGCHI_BH: "441000.00", T_BNTT: "1000.00", T_BNCCT: "88200.00",
		T_BHTT: "352800.00", T_NGUONKHAC: "0.00", T_BHTT_GDV: "352800.00", NAM_QT: "2026", THANG_QT: "3", MA_LOAI_KCB: "01", MA_KHOA: "K01",
		MA_CSKCB: "25901", CAN_NANG: "52.5", MA_HSBA: "HS1",
	}
	for i, price := range []claim.Decimal{"1000", "3000"} {
		total := []claim.Decimal{"100000.00", "300000.00"}[i]
		fund := []claim.Decimal{"80000.00", "240000.00"}[i]
		co := []claim.Decimal{"20000.00", "60000.00"}[i]
		*h.Add(2).(*claim.XML2) = claim.XML2{
			MA_LK: "LK1", STT: claim.Number("12"[i : i+1]), MA_THUOC: "40.1", MA_NHOM: "4", TEN_THUOC: "Thuốc", DON_VI_TINH: "Viên", PHAM_VI: "1", TYLE_TT_BH: "100",
			SO_LUONG: "100", DON_GIA: price, THANH_TIEN_BV: total, THANH_TIEN_BH: total, T_NGUONKHAC: "0", T_NGUONKHAC_NSNN: "0", T_NGUONKHAC_VTNN: "0",
			T_NGUONKHAC_VTTN: "0", T_NGUONKHAC_CL: "0", MUC_HUONG: "80", T_BNTT: "0.00", T_BNCCT: co, T_BHTT: fund, NGAY_YL: "202603100800", MA_PTTT: "1", NGUON_CTRA: "1",
		}
	}
	*h.Add(3).(*claim.XML3) = claim.XML3{
		MA_LK: "LK1", STT: "1", MA_DICH_VU: "02.1896", MA_NHOM: "13", TEN_DICH_VU: "Khám", PHAM_VI: "1", SO_LUONG: "1", DON_GIA_BV: "40000", DON_GIA_BH: "40000",
		TYLE_TT_DV: "100", TYLE_TT_BH: "100", THANH_TIEN_BV: "40000.00", THANH_TIEN_BH: "40000.00", MUC_HUONG: "80", T_NGUONKHAC: "0", T_BNTT: "0.00",
		T_BNCCT: "8000.00", T_BHTT: "32000.00", NGAY_YL: "202603100735", MA_PTTT: "1",
	}
	*h.Add(3).(*claim.XML3) = claim.XML3{
		MA_LK: "LK1", STT: "2", MA_VAT_TU: "N03", MA_NHOM: "10", TEN_VAT_TU: "Bơm tiêm", PHAM_VI: "1", SO_LUONG: "1", DON_GIA_BV: "2000", DON_GIA_BH: "1000",
		TYLE_TT_DV: "100", TYLE_TT_BH: "100", THANH_TIEN_BV: "2000.00", THANH_TIEN_BH: "1000.00", T_TRANTT: "1000", MUC_HUONG: "80", T_NGUONKHAC: "0",
		T_BNTT: "1000.00", T_BNCCT: "200.00", T_BHTT: "800.00", NGAY_YL: "202603100735", MA_PTTT: "1",
	}
	return &claim.File{Kind: claim.Claim, MACSKCB: "25901", NGAYLAP: "20260311", SOLUONGHOSO: "1", HOSO: []*claim.HOSO{h}}, h
}

type known struct{}

func (known) Known(code string, _ time.Time) bool             { return code == "25901" }
func (known) Signs(number, facility string, _ time.Time) bool { return number == "0001" }
func (known) Answer(card string, _ time.Time) (string, bool) {
	return map[string]string{"0123456789": "001", "9876543210": "000"}[card], card != "1111111111"
}
func (known) Valid() bool { return true }

type forged struct{}

func (forged) Valid() bool { return false }

var all = Context{Facilities: known{}, Practitioners: known{}, CardLookup: known{}, Signature: known{}}

func options() Options {
	return Options{At: time.Date(2026, 3, 11, 8, 0, 0, 0, claim.VietNam), Context: all}
}

func TestCleanVisit(t *testing.T) {
	f, _ := visitOf()
	r := File(context.Background(), f, options())
	if len(r.Findings) > 0 || len(r.NotChecked) > 0 {
		t.Errorf("%+v %+v", r.Findings, r.NotChecked)
	}
}

// example is a change to the clean visit about which a rule must speak (bad) or keep silent (good).
type example struct {
	rule, words string
	bad, good   func(f *claim.File, h *claim.HOSO)
}

func x(set func(*claim.XML1)) func(*claim.File, *claim.HOSO) {
	return func(_ *claim.File, h *claim.HOSO) { set(h.XML1) }
}

func drug(set func(*claim.XML2)) func(*claim.File, *claim.HOSO) {
	return func(_ *claim.File, h *claim.HOSO) { set(&h.XML2[0]) }
}

func service(set func(*claim.XML3)) func(*claim.File, *claim.HOSO) {
	return func(_ *claim.File, h *claim.HOSO) { set(&h.XML3[0]) }
}

func supply(set func(*claim.XML3)) func(*claim.File, *claim.HOSO) {
	return func(_ *claim.File, h *claim.HOSO) { set(&h.XML3[1]) }
}

func problem(code claim.ProblemCode, table, value string) func(*claim.File, *claim.HOSO) {
	return func(_ *claim.File, h *claim.HOSO) {
		h.Problems = append(h.Problems, claim.Problem{Code: code, Table: table, Value: value})
	}
}

var long = claim.Text(strings.Repeat("ă", 300))

var examples = []example{
	{"ENV-001", "damaged content; nested content is read", problem(claim.BadBase64, "XML2", ""), problem(claim.NestedContent, "XML2", "")},
	{"ENV-002", "no facility code", func(f *claim.File, _ *claim.HOSO) { f.MACSKCB = " " }, func(f *claim.File, _ *claim.HOSO) { f.MACSKCB = " 25901 " }},
	{"ENV-003", "declared 2, holds 1", func(f *claim.File, _ *claim.HOSO) { f.SOLUONGHOSO = "2" }, func(f *claim.File, _ *claim.HOSO) { f.SOLUONGHOSO = "01" }},
	{"ENV-004", "two XML1", func(_ *claim.File, h *claim.HOSO) { h.Parts = append(h.Parts, claim.Part{LOAIHOSO: "XML1"}) }, func(_ *claim.File, h *claim.HOSO) { h.Parts = append(h.Parts, claim.Part{LOAIHOSO: "XML4"}) }},
	{"ENV-005", "unknown part; XML12 is ENV-006", problem(claim.UnknownPart, "XML16", "XML16"), problem(claim.UnknownPart, "XML12", "XML12")},
	{"ENV-006", "XML0 inside", problem(claim.UnknownPart, "XML0", "XML0"), problem(claim.UnknownPart, "XML17", "XML17")},
	{"ENV-007", "another link key", drug(func(r *claim.XML2) { r.MA_LK = "LK2" }), drug(func(r *claim.XML2) { r.MA_LK = " LK1 " })},
	{"ENV-008", "blank link key", drug(func(r *claim.XML2) { r.MA_LK = "" }), drug(func(r *claim.XML2) { r.MA_LK = "LK2" })},
	{"ENV-009", "repeated line number; gaps are right", drug(func(r *claim.XML2) { r.STT = "2" }), drug(func(r *claim.XML2) { r.STT = "9" })},
	{"ENV-010", "above the portal's size", x(func(r *claim.XML1) { r.NHOM_MAU = "12345678901" }), x(func(r *claim.XML1) { r.NHOM_MAU = "1234567890" })},
	{"ENV-011", "decimal comma", drug(func(r *claim.XML2) { r.SO_LUONG = "100,0" }), drug(func(r *claim.XML2) { r.SO_LUONG = "100.0" })},
	{"ENV-012", "comma as separator; a blank last member is right", x(func(r *claim.XML1) { r.MA_BENH_KT = "I10,E11" }), x(func(r *claim.XML1) { r.MA_BENH_KT = "E11; E78.5;" })},
	{"ENV-013", "hour 24; year-only birth is right", x(func(r *claim.XML1) { r.NGAY_TTOAN = "202603102400" }), x(func(r *claim.XML1) { r.NGAY_SINH = "198000000000" })},
	{"ENV-014", "31 February; two cards are right", x(func(r *claim.XML1) { r.GT_THE_TU = "20260231" }), x(func(r *claim.XML1) { r.GT_THE_TU = "20260101;20260701" })},
	{"ENV-017", "above the annex size", x(func(r *claim.XML1) { r.HO_TEN = long }), x(func(r *claim.XML1) { r.HO_TEN = long[:2*255] })},
	{"ID-001", "no name", x(func(r *claim.XML1) { r.HO_TEN = "" }), x(func(r *claim.XML1) { r.HO_TEN = "A" })},
	{"ID-002", "double blank; names of the Ê Đê are right", x(func(r *claim.XML1) { r.HO_TEN = "A  B" }), x(func(r *claim.XML1) { r.HO_TEN = "H'Hen Niê (mẹ)" })},
	{"ID-003", "11 digits; a passport is right", x(func(r *claim.XML1) { r.SO_CCCD = "02508000010" }), x(func(r *claim.XML1) { r.SO_CCCD = "AB 1234567" })},
	{"ID-004", "an adult without a number; an emergency is right", x(func(r *claim.XML1) { r.SO_CCCD = "" }), x(func(r *claim.XML1) { r.SO_CCCD, r.MA_DOITUONG_KCB = "", "2" })},
	{"ID-004", "exactly 14; one day less is right", x(func(r *claim.XML1) { r.SO_CCCD, r.NGAY_SINH = "", "201203100000" }), x(func(r *claim.XML1) { r.SO_CCCD, r.NGAY_SINH = "", "201203110000" })},
	{"ID-005", "born after arrival; year-only of this year is right", x(func(r *claim.XML1) { r.NGAY_SINH = "202603110000" }), x(func(r *claim.XML1) { r.NGAY_SINH = "202600000000" })},
	{"ID-005", "141 years; 139 is right", x(func(r *claim.XML1) { r.NGAY_SINH = "188403100000" }), x(func(r *claim.XML1) { r.NGAY_SINH = "188703100000" })},
	{"ID-006", "a newborn without hour", x(func(r *claim.XML1) { r.NGAY_SINH = "202603010000" }), x(func(r *claim.XML1) { r.NGAY_SINH = "202603010915" })},
	{"ID-007", "sex 4", x(func(r *claim.XML1) { r.GIOI_TINH = "4" }), x(func(r *claim.XML1) { r.GIOI_TINH = "3" })},
	{"ID-008", "unknown ethnic code; 99 is right", x(func(r *claim.XML1) { r.MA_DANTOC = "88" }), x(func(r *claim.XML1) { r.MA_DANTOC = "99" })},
	{"ID-009", "blank occupation; the five-digit form is right", x(func(r *claim.XML1) { r.MA_NGHE_NGHIEP = "" }), x(func(r *claim.XML1) { r.MA_NGHE_NGHIEP = "00000" })},
	{"ID-010", "a province of before the merger", x(func(r *claim.XML1) { r.MATINH_CU_TRU = "17" }), x(func(r *claim.XML1) { r.MAXA_CU_TRU = "" })},
	{"ID-010", "a stay that spans the merger may use either", x(func(r *claim.XML1) {
		r.MATINH_CU_TRU, r.MAXA_CU_TRU, r.NGAY_VAO, r.NGAY_RA = "17", "", "202507010730", "202507020930"
	}), x(func(r *claim.XML1) {
		r.MATINH_CU_TRU, r.MAXA_CU_TRU, r.NGAY_VAO, r.NGAY_RA = "17", "", "202506280730", "202507020930"
	})},
	{"ID-011", "no district before the merger; none after it", x(func(r *claim.XML1) { r.NGAY_RA = "202506300930" }), x(func(r *claim.XML1) { r.NGAY_RA = "202507010930" })},
	{"ID-012", "500 kg", x(func(r *claim.XML1) { r.CAN_NANG = "500" }), x(func(r *claim.XML1) { r.CAN_NANG = "3.25" })},
	{"ID-013", "newborn weight 0", x(func(r *claim.XML1) { r.CAN_NANG_CON = "3200;0" }), x(func(r *claim.XML1) { r.CAN_NANG_CON = "3200;2900" })},
	{"ID-015", "another facility", x(func(r *claim.XML1) { r.MA_CSKCB = "25902" }), x(func(r *claim.XML1) { r.MA_CSKCB = " 25901" })},
	{"ID-016", "no record number", x(func(r *claim.XML1) { r.MA_HSBA = "" }), x(func(r *claim.XML1) { r.MA_HSBA = "1" })},
	{"ID-017", "an unknown signer", x(func(r *claim.XML1) { r.MA_TTDV = "0002" }), x(func(r *claim.XML1) { r.MA_TTDV = "0001" })},
	{"COST-001", "off by a đồng; 0.05 is forgiven", drug(func(r *claim.XML2) { r.THANH_TIEN_BV = "100001" }), drug(func(r *claim.XML2) { r.THANH_TIEN_BV = "100000.05" })},
	{"COST-002", "rate 50 and the whole amount", drug(func(r *claim.XML2) { r.TYLE_TT_BH = "50" }), drug(func(r *claim.XML2) { r.TYLE_TT_BH, r.THANH_TIEN_BH = "50", "50000" })},
	{"COST-003", "fund pays too much; a capped supply may be less", drug(func(r *claim.XML2) { r.T_BHTT = "90000" }), supply(func(r *claim.XML3) { r.T_BHTT = "700" })},
	{"COST-004", "co-payment too low", drug(func(r *claim.XML2) { r.T_BNCCT = "10000" }), drug(func(r *claim.XML2) { r.T_BNCCT = "20000" })},
	{"COST-005", "self-pay on an insured line", drug(func(r *claim.XML2) { r.T_BNTT = "1" }), drug(func(r *claim.XML2) { r.T_BNTT = "" })},
	{"COST-006", "sources do not add up", drug(func(r *claim.XML2) { r.T_NGUONKHAC_CL = "5" }), drug(func(r *claim.XML2) { r.T_NGUONKHAC, r.T_NGUONKHAC_CL = "5", "5" })},
	{"COST-007", "taken off the fund first; co-payment first is right", drug(func(r *claim.XML2) { r.T_NGUONKHAC, r.T_NGUONKHAC_NSNN, r.T_BHTT = "30000", "30000", "50000" }),
		drug(func(r *claim.XML2) {
			r.T_NGUONKHAC, r.T_NGUONKHAC_NSNN, r.T_BNCCT, r.T_BHTT = "30000", "30000", "0", "70000"
		})},
	{"COST-008", "more than the line", drug(func(r *claim.XML2) { r.T_NGUONKHAC = "100001" }), drug(func(r *claim.XML2) { r.T_NGUONKHAC = "100000" })},
	{"COST-009", "payers do not add up", drug(func(r *claim.XML2) { r.T_BHTT = "1" }), drug(func(r *claim.XML2) { r.T_BHTT, r.T_BNCCT = "70000", "30000" })},
	{"COST-010", "bed shared by two at the full amount; half is right", service(func(r *claim.XML3) { r.TYLE_TT_DV = "50" }), service(func(r *claim.XML3) { r.TYLE_TT_DV, r.THANH_TIEN_BV = "50", "20000" })},
	{"COST-010", "without the service rate only before 2025", service(func(r *claim.XML3) { r.TYLE_TT_DV, r.NGAY_YL = "50", "202501010000" }), service(func(r *claim.XML3) { r.TYLE_TT_DV, r.NGAY_YL = "50", "202412312359" })},
	{"COST-011", "insured amount without the rate", service(func(r *claim.XML3) { r.TYLE_TT_BH = "60" }), service(func(r *claim.XML3) { r.TYLE_TT_BH, r.THANH_TIEN_BH = "60", "24000" })},
	{"COST-012", "insured price above the ceiling; services are not tested", supply(func(r *claim.XML3) { r.DON_GIA_BH = "1500" }), service(func(r *claim.XML3) { r.DON_GIA_BH = "50000" })},
	{"COST-013", "fund above the ceiling; two units are right", supply(func(r *claim.XML3) { r.T_BHTT = "1001" }), supply(func(r *claim.XML3) { r.T_BHTT, r.SO_LUONG = "2000", "2" })},
	{"COST-014", "four decimals; trailing zeros do not count", drug(func(r *claim.XML2) { r.DON_GIA = "1000.0001" }), drug(func(r *claim.XML2) { r.DON_GIA = "1000.0000" })},
	{"COST-014", "negative quantity", drug(func(r *claim.XML2) { r.SO_LUONG = "-1" }), drug(func(r *claim.XML2) { r.SO_LUONG = "0" })},
	{"COST-015", "rate 101", drug(func(r *claim.XML2) { r.TYLE_TT_BH = "101" }), drug(func(r *claim.XML2) { r.TYLE_TT_BH = "0" })},
	{"COST-016", "service rate 45", service(func(r *claim.XML3) { r.TYLE_TT_DV = "45" }), service(func(r *claim.XML3) { r.TYLE_TT_DV = "33" })},
	{"COST-017", "two decimals; 47.5 is right", drug(func(r *claim.XML2) { r.MUC_HUONG = "47.55" }), drug(func(r *claim.XML2) { r.MUC_HUONG = "47.5" })},
	{"COST-018", "out of scope with a rate", drug(func(r *claim.XML2) { r.PHAM_VI = "2" }), drug(func(r *claim.XML2) { r.PHAM_VI, r.TYLE_TT_BH, r.T_BHTT = "2", "0", "0" })},
	{"COST-019", "scope 3 on a worker's card; a soldier's is right", drug(func(r *claim.XML2) { r.PHAM_VI = "3" }), func(_ *claim.File, h *claim.HOSO) {
		h.XML2[0].PHAM_VI, h.XML1.MA_THE_BHYT = "3", "QN5250000000101"
	}},
	{"COST-019", "a look-up tells of cards without letters", func(_ *claim.File, h *claim.HOSO) {
		h.XML2[0].PHAM_VI, h.XML1.MA_THE_BHYT = "3", "9876543210"
	}, func(_ *claim.File, h *claim.HOSO) { h.XML2[0].PHAM_VI, h.XML1.MA_THE_BHYT = "3", "0123456789" }},
	{"COST-020", "insured service at price 0; a code that says so is right", service(func(r *claim.XML3) { r.DON_GIA_BH = "0" }), service(func(r *claim.XML3) { r.DON_GIA_BH, r.MA_DICH_VU = "0", "02.1896_TB" })},
	{"COST-021", "a reused supply with two prices", supply(func(r *claim.XML3) { r.TAI_SU_DUNG = "1" }), supply(func(r *claim.XML3) { r.TAI_SU_DUNG, r.DON_GIA_BH = "1", "2000" })},
	{"COST-022", "mark 0", drug(func(r *claim.XML2) { r.VET_THUONG_TP = "0" }), drug(func(r *claim.XML2) { r.VET_THUONG_TP = "1" })},
	{"COST-023", "paying source 5", drug(func(r *claim.XML2) { r.NGUON_CTRA = "5" }), drug(func(r *claim.XML2) { r.NGUON_CTRA = "4" })},
	{"COST-024", "below 15 percent; the limit itself is not below", x(func(r *claim.XML1) { r.T_TONGCHI_BH = "350999.99" }), x(func(r *claim.XML1) { r.T_TONGCHI_BH = "351000" })},
	{"COST-024", "another limit from 01/07/2026", x(func(r *claim.XML1) {
		r.T_TONGCHI_BH, r.NGAY_VAO, r.NGAY_RA = "379499", "202607010700", "202607010900"
	}), x(func(r *claim.XML1) {
		r.T_TONGCHI_BH, r.NGAY_VAO, r.NGAY_RA = "379499", "202606300700", "202607010900"
	})},
	{"SUM-001", "medicine total", x(func(r *claim.XML1) { r.T_THUOC = "400001.01" }), x(func(r *claim.XML1) { r.T_THUOC = "400001" })},
	{"SUM-002", "supply total", x(func(r *claim.XML1) { r.T_VTYT = "0" }), x(func(r *claim.XML1) { r.T_VTYT = "2000" })},
	{"SUM-003", "grand total", x(func(r *claim.XML1) { r.T_TONGCHI_BV = "440000" }), x(func(r *claim.XML1) { r.T_TONGCHI_BV = "442000" })},
	{"SUM-004", "insured total", x(func(r *claim.XML1) { r.T_TONGCHI_BH = "442000" }), x(func(r *claim.XML1) { r.T_TONGCHI_BH = "441000" })},
	{"SUM-005", "self-pay total", x(func(r *claim.XML1) { r.T_BNTT = "0" }), x(func(r *claim.XML1) { r.T_BNTT = "1000" })},
	{"SUM-006", "co-payment total", x(func(r *claim.XML1) { r.T_BNCCT = "0" }), x(func(r *claim.XML1) { r.T_BNCCT = "88200" })},
	{"SUM-007", "fund total", x(func(r *claim.XML1) { r.T_BHTT = "352000" }), x(func(r *claim.XML1) { r.T_BHTT = "352800" })},
	{"SUM-008", "other funding total", x(func(r *claim.XML1) { r.T_NGUONKHAC = "5" }), x(func(r *claim.XML1) { r.T_NGUONKHAC = "0" })},
	{"SUM-009", "fund is not total less co-payment", x(func(r *claim.XML1) { r.T_BHTT = "300000" }), x(func(r *claim.XML1) { r.T_BHTT, r.T_NGUONKHAC = "300000", "52800" })},
	{"SUM-010", "fee-for-service part; not for soldiers", x(func(r *claim.XML1) { r.T_BHTT_GDV = "0" }), x(func(r *claim.XML1) { r.T_BHTT_GDV, r.MA_THE_BHYT = "0", "CA5250000000101" })},
	{"SUM-011", "payers do not add up to the total", x(func(r *claim.XML1) { r.T_BNTT = "500" }), x(func(r *claim.XML1) { r.T_BNTT, r.T_BNCCT = "500", "88700" })},
	{"SUM-014", "blank total", x(func(r *claim.XML1) { r.T_THUOC = "" }), x(func(r *claim.XML1) { r.T_THUOC = "0" })},
	{"SUM-015", "fund asked for more than the total", x(func(r *claim.XML1) { r.T_BHTT = "442000.01" }), x(func(r *claim.XML1) { r.T_BHTT = "442000" })},
	{"SUM-017", "off by half a đồng; exact is right", x(func(r *claim.XML1) { r.T_BHTT = "352800.50" }), x(func(r *claim.XML1) { r.T_BHTT = "352800.0" })},
}

func speaks(r Report, rule string) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule == rule })
}

// TestExamples: each rule speaks about its bad example, at the severity of the
// list, in sentences without holes, and keeps silent about its good one.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		f, h := visitOf()
		e.bad(f, h)
		r := File(context.Background(), f, options())
		if !speaks(r, e.rule) {
			t.Errorf("%s says nothing about: %s", e.rule, e.words)
		}
		for _, got := range r.Findings {
			if strings.ContainsAny(got.VI+got.EN+got.MendVI, "{}") {
				t.Errorf("%s: %q %q %q", got.Rule, got.VI, got.EN, got.MendVI)
			}
			if m := metas()[got.Rule]; got.Severity != m.severity && got.Severity != Warning {
				t.Errorf("%s: severity %s", got.Rule, got.Severity)
			}
		}
		f, h = visitOf()
		e.good(f, h)
		if r := File(context.Background(), f, options()); speaks(r, e.rule) {
			t.Errorf("%s speaks about what is right: %s", e.rule, e.words)
		}
	}
}

// TestEveryRuleHasAnExample: all active rules of ENV, ID, COST and SUM are in
// the table, with an example; no withdrawn one is.
func TestEveryRuleHasAnExample(t *testing.T) {
	shown := map[string]bool{"ENV-015": true} // TestMissingContextIsNotChecked
	for _, e := range examples {
		shown[e.rule] = true
	}
	for _, r := range rules {
		m := metas()[r.id]
		if m == nil || m.status != "active" {
			t.Errorf("%s is not an active rule", r.id)
		}
		if !shown[r.id] {
			t.Errorf("%s has no example", r.id)
		}
	}
	for _, id := range Unimplemented() {
		for _, group := range []string{"ENV-", "ID-", "COST-", "SUM-"} {
			if strings.HasPrefix(id, group) {
				t.Errorf("%s is not implemented", id)
			}
		}
	}
}

// TestMissingContextIsNotChecked: without the context a rule is "not checked", never "passed".
func TestMissingContextIsNotChecked(t *testing.T) {
	f, h := visitOf()
	h.XML1.MA_TTDV, h.XML2[0].PHAM_VI, h.XML1.MA_THE_BHYT = "0002", "3", "9876543210"
	r := File(context.Background(), f, Options{At: options().At})
	want := []Want{{"card_lookup", []string{"COST-019", "SUM-010"}}, {"facilities", []string{"ID-015"}}, {"practitioners", []string{"ID-017"}}, {"signature", []string{"ENV-015"}}}
	if got := r.Wants(); !slices.EqualFunc(got, want, func(a, b Want) bool { return a.For == b.For && slices.Equal(a.Rules, b.Rules) }) {
		t.Errorf("got %v, want %v", got, want)
	}
	opt := options()
	opt.Context.Signature = forged{}
	if r := File(context.Background(), f, opt); !speaks(r, "ENV-015") {
		t.Error("ENV-015 says nothing about a forged signature")
	}
	opt.At = time.Date(2025, 12, 31, 23, 0, 0, 0, claim.VietNam)
	if r := File(context.Background(), f, opt); speaks(r, "ENV-015") {
		t.Error("ENV-015 begins on 01/01/2026")
	}
}

// TestStandAlone: forms of XML0 and XML12 are checked too.
func TestStandAlone(t *testing.T) {
	f := &claim.File{Kind: claim.CheckIn, CheckIns: []claim.XML0{{MA_LK: "1", STT: "1", NGAY_VAO: "202613010000"}, {MA_LK: "", STT: "1"}}}
	r := File(context.Background(), f, options())
	for _, want := range []string{"ENV-008", "ENV-009", "ENV-013"} {
		if !speaks(r, want) {
			t.Errorf("%s says nothing about XML0", want)
		}
	}
}

func BenchmarkHOSO(b *testing.B) {
	f, h := visitOf()
	for i := range 26 {
		r := h.XML2[0]
		r.STT = claim.Number(rune('a' + i))
		h.XML2 = append(h.XML2, r)
	}
	for b.Loop() {
		HOSO(context.Background(), f, h, options())
	}
}

// TestEnvelope: what it says is what File says of HOSO 0, and nothing of the visits.
func TestEnvelope(t *testing.T) {
	f, h := visitOf()
	f.SOLUONGHOSO, h.XML1.MA_HSBA = "2", ""
	r := Envelope(f, options())
	if !speaks(r, "ENV-003") || speaks(r, "ID-016") || r.Errors(0) != len(r.Findings) {
		t.Errorf("%+v", r.Findings)
	}
	if all := File(context.Background(), f, options()); all.Errors(0) != r.Errors(0) || !speaks(all, "ID-016") {
		t.Errorf("%+v", all.Findings)
	}
}
