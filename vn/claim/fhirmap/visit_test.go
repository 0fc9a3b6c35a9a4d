package fhirmap

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/vn/claim"
)

// stay is an invented stay with something in every table.
func stayHOSO() *claim.HOSO {
	return &claim.HOSO{
		Ordinal: 3,
		XML1: &claim.XML1{
			MA_LK: "LK1", STT: "1", MA_BN: "BN7", HO_TEN: "Nguyễn Thị Ví Dụ", SO_CCCD: "025080000101", NGAY_SINH: "198005120000", GIOI_TINH: "2", NHOM_MAU: "O+",
			MA_QUOCTICH: "000", MA_DANTOC: "01", MA_NGHE_NGHIEP: "01", DIA_CHI: "Khu 1", MATINH_CU_TRU: "25", MAXA_CU_TRU: "08635", DIEN_THOAI: "0900000001",
			MA_THE_BHYT: "GD4250000000101;DN4250000000101", MA_DKBD: "25901;25001", GT_THE_TU: "20260101;20260301", GT_THE_DEN: "20260228",
			NGAY_MIEN_CCT: "202601020304", LY_DO_VV: "Đau ngực", LY_DO_VNT: "Theo dõi", CHAN_DOAN_VAO: "Đau thắt ngực", CHAN_DOAN_RV: "Cơn đau thắt ngực",
			MA_BENH_CHINH: "I20.0", MA_BENH_KT: "I10;E11.9", MA_BENH_YHCT: "U50.01", MA_PTTT_QT: "88.55", MA_DOITUONG_KCB: "1.3", MA_NOI_DI: "25901", MA_NOI_DEN: "01901",
			MA_TAI_NAN: "1", NGAY_VAO: "202603100800", NGAY_VAO_NOI_TRU: "202603100900", NGAY_RA: "202603121030", GIAY_CHUYEN_TUYEN: "12/2026", SO_NGAY_DTRI: "3",
			PP_DIEU_TRI: "Nội khoa", KET_QUA_DTRI: "2", MA_LOAI_RV: "1", GHI_CHU: "Uống thuốc đều", NGAY_TTOAN: "202603121000", T_THUOC: "30000.00", T_VTYT: "5000.00",
			T_TONGCHI_BV: "135000.00", T_TONGCHI_BH: "135000.00", T_BNTT: "0.00", T_BNCCT: "27000.00", T_BHTT: "108000.00", T_NGUONKHAC: "0.00", T_BHTT_GDV: "108000.00",
			NAM_QT: "2026", THANG_QT: "3", MA_LOAI_KCB: "03", MA_KHOA: "K01;K04", MA_CSKCB: "25901", MA_KHUVUC: "K1", CAN_NANG: "52.5", CAN_NANG_CON: "3100",
			NAM_NAM_LIEN_TUC: "20300101", NGAY_TAI_KHAM: "20260410;20260510", MA_HSBA: "HS1", MA_TTDV: "000001/PT-GPHN", DU_PHONG: "158",
		},
		XML2: []claim.XML2{{
			MA_LK: "LK1", STT: "1", MA_THUOC: "40.1", MA_PP_CHEBIEN: "SPL1", MA_CSKCB_THUOC: "C.25001", MA_NHOM: "4", TEN_THUOC: "Bisoprolol", DON_VI_TINH: "Viên", HAM_LUONG: "5mg",
			DUONG_DUNG: "1.01", DANG_BAO_CHE: "Viên nén", LIEU_DUNG: "1 viên/lần * 1 lần/ngày * 30 ngày [30 viên]", CACH_DUNG: "Uống buổi sáng", SO_DANG_KY: "VD-1-26",
			TT_THAU: "12;G1;N4;2025", PHAM_VI: "1", TYLE_TT_BH: "100", SO_LUONG: "30", DON_GIA: "1000", THANH_TIEN_BV: "30000.00", THANH_TIEN_BH: "30000.00", T_NGUONKHAC: "0.00",
			MUC_HUONG: "80", T_BNTT: "0.00", T_BNCCT: "6000.00", T_BHTT: "24000.00", MA_KHOA: "K04", MA_BAC_SI: "000109/PT-GPHN;000110/PT-GPHN", MA_DICH_VU: "02.0085.1778",
			NGAY_YL: "202603100830", NGAY_TH_YL: "202603100900", MA_PTTT: "1", NGUON_CTRA: "1",
		}},
		XML3: []claim.XML3{
			{
				MA_LK: "LK1", STT: "1", MA_DICH_VU: "23.0083.1523", MA_NHOM: "1", TEN_DICH_VU: "Định lượng HbA1c", DON_VI_TINH: "Lần", PHAM_VI: "1", SO_LUONG: "1", DON_GIA_BV: "100000",
				DON_GIA_BH: "100000", TYLE_TT_DV: "100", TYLE_TT_BH: "100", THANH_TIEN_BV: "100000.00", THANH_TIEN_BH: "100000.00", MUC_HUONG: "80", T_BNCCT: "20000.00", T_BHTT: "80000.00",
				MA_KHOA: "K04", MA_BAC_SI: "000109/PT-GPHN", NGUOI_THUC_HIEN: "000111/PT-GPHN", MA_BENH: "E11.9;N18", NGAY_YL: "202603100830", NGAY_TH_YL: "202603100840", NGAY_KQ: "202603101000",
				MA_PTTT: "1", MA_MAY: "HH.1.X1", PP_VO_CAM: "2", VI_TRI_TH_DVKT: "7", MA_PTTT_QT: "90.59",
			},
			{
				MA_LK: "LK1", STT: "2", MA_VAT_TU: "N03.01.010", MA_NHOM: "10", TEN_VAT_TU: "Bơm tiêm", DON_VI_TINH: "Cái", SO_LUONG: "5", DON_GIA_BV: "1000", TYLE_TT_DV: "100",
				THANH_TIEN_BV: "5000.00", T_TRANTT: "4000.00", NGAY_YL: "202603100830", MA_HIEU_SP: "SN1", GOI_VTYT: "G1",
			},
			{MA_LK: "LK1", STT: "3", MA_DICH_VU: "18.0119.0028", MA_NHOM: "2", TEN_DICH_VU: "X-quang ngực", MA_GIUONG: "H001;H002", NGAY_KQ: "202603101100"},
		},
		XML4: []claim.XML4{
			{MA_LK: "LK1", STT: "1", MA_DICH_VU: "23.0083.1523", MA_CHI_SO: "HBA1C", TEN_CHI_SO: "HbA1c", GIA_TRI: "7.20", DON_VI_DO: "%", NGAY_KQ: "202603101000", MA_BS_DOC_KQ: "000112/PT-GPHN"},
			{MA_LK: "LK1", STT: "2", MA_DICH_VU: "23.0083.1523", MA_CHI_SO: "PHU", GIA_TRI: "âm tính", DON_VI_DO: "x", NGAY_KQ: "202603101000"},
			{MA_LK: "LK1", STT: "3", MA_DICH_VU: "18.0119.0028", MO_TA: "Bóng tim to", KET_LUAN: "Tim to", NGAY_KQ: "202603101100"},
		},
		XML5: []claim.XML5{{
			MA_LK: "LK1", STT: "1", DIEN_BIEN_LS: "Tỉnh. CSST<M80_T36.8>", GIAI_DOAN_BENH: "Ổn định", HOI_CHAN: "Thống nhất điều trị nội", PHAU_THUAT: "Không",
			THOI_DIEM_DBLS: "202603110700", NGUOI_THUC_HIEN: "000109/PT-GPHN;000110/PT-GPHN",
		}},
	}
}

// dig follows a path such as "diagnosis.1.condition.display".
func dig(n r4.Node, path string) string {
	for _, step := range strings.Split(path, ".") {
		if i, err := strconv.Atoi(step); err == nil {
			n = n.At(i)
		} else {
			n = n.Get(step)
		}
	}
	return n.Text()
}

// ofType gives the resources of a type in the order of the visit.
func ofType(t *testing.T, v *Visit, typ string) (out []r4.Node) {
	for _, d := range parsed(t, v.all()) {
		if d.Type() == typ {
			out = append(out, d.Root())
		}
	}
	return out
}

// TestPlaces: what pages and other readers of FHIR look for stands where R4 has its place.
func TestPlaces(t *testing.T) {
	v := same(t, stayHOSO())
	checkShapes(t, v)
	for _, c := range []struct {
		typ        string
		n          int
		path, want string
	}{
		{"Patient", 0, "name.0.text", "Nguyễn Thị Ví Dụ"}, {"Patient", 0, "name.0.family", "Nguyễn"}, {"Patient", 0, "name.0.given.1", "Ví"},
		{"Patient", 0, "gender", "female"}, {"Patient", 0, "birthDate", "1980-05-12"}, {"Patient", 0, "telecom.0.value", "0900000001"},
		{"Patient", 0, "identifier.0.system", "http://fhir.hl7.org.vn/core/sid/cccd"}, {"Patient", 0, "identifier.0.value", "025080000101"},
		{"Patient", 0, "identifier.1.value", "GD4250000000101"}, {"Patient", 0, "identifier.2.system", "urn:ytso:id:bhxh"}, {"Patient", 0, "identifier.2.value", "0000000101"},
		{"Patient", 0, "identifier.4.system", "urn:ytso:id:ma-bn:25901"}, {"Patient", 0, "address.0.state", "Tỉnh Phú Thọ"}, {"Patient", 0, "address.0.city", "Xã Khả Cửu"},
		{"Coverage", 0, "subscriberId", "GD4250000000101"}, {"Coverage", 0, "period.end", "2026-02-28"}, {"Coverage", 0, "network", "25901"},
		{"Coverage", 1, "period.start", "2026-03-01"}, {"Coverage", 1, "period.end", ""}, {"Coverage", 1, "payor.0.identifier.value", "BHXH"},
		{"Encounter", 0, "status", "finished"}, {"Encounter", 0, "class.code", "IMP"}, {"Encounter", 0, "type.0.coding.0.display", "Điều trị nội trú"},
		{"Encounter", 0, "period.start", "2026-03-10T08:00:00+07:00"}, {"Encounter", 0, "period.end", "2026-03-12T10:30:00+07:00"},
		{"Encounter", 0, "serviceProvider.identifier.value", "25901"}, {"Encounter", 0, "serviceType.coding.0.code", "K04"}, {"Encounter", 0, "location.0.location.identifier.value", "K01"},
		{"Encounter", 0, "reasonCode.0.text", "Đau ngực"}, {"Encounter", 0, "reasonCode.1.text", "Theo dõi"}, {"Encounter", 0, "length.value", "3"},
		{"Encounter", 0, "diagnosis.0.condition.display", "I20.0 Cơn đau thắt ngực"}, {"Encounter", 0, "diagnosis.0.use.coding.0.code", "DD"}, {"Encounter", 0, "diagnosis.1.condition.display", "I10"},
		{"Encounter", 0, "diagnosis.1.use.coding.0.code", "CM"}, {"Encounter", 0, "diagnosis.1.rank", "2"}, {"Encounter", 0, "diagnosis.4.use.coding.0.code", "AD"},
		{"Encounter", 0, "hospitalization.origin.identifier.value", "25901"}, {"Encounter", 0, "hospitalization.destination.identifier.value", "01901"},
		{"Encounter", 0, "hospitalization.dischargeDisposition.coding.0.display", "Ra viện"}, {"Encounter", 0, "classHistory.0.period.start", "2026-03-10T09:00:00+07:00"},
		{"Condition", 0, "code.coding.0.code", "I20.0"}, {"Condition", 0, "code.text", "Cơn đau thắt ngực"}, {"Condition", 0, "onsetDateTime", "2026-03-10T08:00:00+07:00"},
		{"Condition", 3, "code.coding.0.system", "urn:ytso:code:ma-benh-yhct"}, {"Condition", 4, "verificationStatus.coding.0.code", "provisional"}, {"Condition", 4, "code.text", "Đau thắt ngực"},
		{"CarePlan", 0, "created", "2026-03-12T10:30:00+07:00"}, {"CarePlan", 0, "status", "active"}, {"CarePlan", 0, "description", "Uống thuốc đều"}, {"CarePlan", 0, "activity.0.detail.description", "Nội khoa"}, {"CarePlan", 0, "activity.1.detail.scheduledPeriod.start", "2026-04-10"},
		{"MedicationRequest", 0, "medicationCodeableConcept.text", "Bisoprolol"}, {"MedicationRequest", 0, "medicationCodeableConcept.coding.0.code", "40.1"},
		{"MedicationRequest", 0, "medicationCodeableConcept.extension.0.valueString", "5mg"}, {"MedicationRequest", 0, "authoredOn", "2026-03-10T08:30:00+07:00"},
		{"MedicationRequest", 0, "dosageInstruction.0.text", "1 viên/lần * 1 lần/ngày * 30 ngày [30 viên]"}, {"MedicationRequest", 0, "dosageInstruction.0.patientInstruction", "Uống buổi sáng"},
		{"MedicationRequest", 0, "dosageInstruction.0.route.coding.0.display", "Uống"}, {"MedicationRequest", 0, "requester.identifier.value", "000109/PT-GPHN"},
		{"MedicationRequest", 0, "dispenseRequest.quantity.value", "30"}, {"MedicationDispense", 0, "quantity.unit", "Viên"}, {"MedicationDispense", 0, "whenHandedOver", "2026-03-10T09:00:00+07:00"},
		{"Procedure", 0, "code.coding.0.code", "23.0083.1523"}, {"Procedure", 0, "code.coding.1.code", "90.59"}, {"Procedure", 0, "code.text", "Định lượng HbA1c"},
		{"Procedure", 0, "performedPeriod.start", "2026-03-10T08:40:00+07:00"}, {"Procedure", 0, "performer.0.actor.identifier.value", "000111/PT-GPHN"}, {"Procedure", 0, "bodySite.0.coding.0.code", "7"},
		{"Procedure", 0, "reasonCode.1.coding.0.code", "N18"}, {"Procedure", 1, "performedDateTime", "2026-03-10T11:00:00+07:00"},
		{"SupplyDelivery", 0, "suppliedItem.itemCodeableConcept.text", "Bơm tiêm"}, {"SupplyDelivery", 0, "suppliedItem.quantity.value", "5"}, {"SupplyDelivery", 0, "occurrenceDateTime", "2026-03-10T08:30:00+07:00"},
		{"ServiceRequest", 0, "code.text", "Định lượng HbA1c"}, {"ServiceRequest", 0, "authoredOn", "2026-03-10T08:30:00+07:00"},
		{"Observation", 0, "code.text", "Cân nặng"}, {"Observation", 0, "valueQuantity.value", "52.5"}, {"Observation", 1, "valueCodeableConcept.text", "O+"},
		{"Observation", 2, "code.text", "HbA1c"}, {"Observation", 2, "code.coding.0.code", "HBA1C"}, {"Observation", 2, "valueQuantity.value", "7.20"}, {"Observation", 2, "valueQuantity.unit", "%"},
		{"Observation", 2, "effectiveDateTime", "2026-03-10T10:00:00+07:00"}, {"Observation", 2, "category.0.coding.0.code", "laboratory"}, {"Observation", 3, "valueString", "âm tính"},
		{"Observation", 3, "code.text", "Định lượng HbA1c"}, {"Observation", 4, "category.0.coding.0.code", "imaging"}, {"Observation", 4, "note.0.text", "Bóng tim to"},
		{"Observation", 4, "interpretation.0.text", "Tim to"}, {"Observation", 4, "code.text", "X-quang ngực"},
		{"Observation", 2, "valueQuantity.code", "%"}, {"Observation", 2, "performer.0.identifier.value", "000112/PT-GPHN"}, {"DiagnosticReport", 0, "resultsInterpreter.0.identifier.value", "000112/PT-GPHN"},
		{"DiagnosticReport", 0, "issued", "2026-03-10T10:00:00+07:00"}, {"DiagnosticReport", 0, "category.0.coding.0.code", "LAB"}, {"DiagnosticReport", 1, "conclusion", "Tim to"}, {"DiagnosticReport", 1, "code.text", "X-quang ngực"},
		{"ClinicalImpression", 0, "summary", "Tỉnh. CSST<M80_T36.8>"}, {"ClinicalImpression", 0, "description", "Ổn định"}, {"ClinicalImpression", 0, "note.0.text", "Thống nhất điều trị nội"},
		{"ClinicalImpression", 0, "assessor.identifier.value", "000109/PT-GPHN"},
		{"Claim", 0, "total.value", "135000.00"}, {"Claim", 0, "total.currency", "VND"}, {"Claim", 0, "created", "2026-03-12T10:00:00+07:00"}, {"Claim", 0, "insurance.1.sequence", "2"},
		{"Claim", 0, "contained.0.name.0.text", "Nguyễn Thị Ví Dụ"}, {"Claim", 0, "item.0.productOrService.text", "Bisoprolol"}, {"Claim", 0, "item.0.net.value", "30000.00"},
		{"Claim", 0, "item.0.category.coding.0.display", "Thuốc"}, {"Claim", 0, "item.1.factor", "1.00"}, {"Claim", 0, "item.1.servicedPeriod.end", "2026-03-10T10:00:00+07:00"},
		{"Claim", 0, "item.0.servicedDate", "2026-03-10"}, {"Claim", 0, "item.0.productOrService.coding.0.code", "40.1"}, {"Claim", 0, "billablePeriod.end", "2026-03-12T10:30:00+07:00"},
		{"Claim", 0, "careTeam.0.provider.identifier.value", "000109/PT-GPHN"}, {"Claim", 0, "careTeam.0.role.coding.0.code", "chi-dinh"}, {"Claim", 0, "diagnosis.0.type.0.coding.0.code", "DD"},
		{"Claim", 0, "item.1.diagnosisSequence.0", "3"}, {"Claim", 0, "item.1.diagnosisSequence.1", "6"}, {"Claim", 0, "diagnosis.5.diagnosisCodeableConcept.coding.0.code", "N18"},
		{"Claim", 0, "item.0.category.coding.0.code", "4"}, {"Claim", 0, "item.0.revenue.coding.0.code", "K04"}, {"Claim", 0, "referral.identifier.value", "12/2026"}, {"Claim", 0, "accident.type.coding.0.code", "1"}, {"Claim", 0, "subType.coding.0.code", "1.3"},
		{"Provenance", 0, "recorded", "2026-03-10T09:00:00Z"}, {"Provenance", 0, "entity.0.what.identifier.value", "urn:sha256:00aa"}, {"Provenance", 0, "agent.0.who.identifier.value", "25901"},
	} {
		list := ofType(t, v, c.typ)
		if c.n >= len(list) {
			t.Fatalf("%d of %s", len(list), c.typ)
		}
		if got := dig(list[c.n], c.path); got != c.want {
			t.Errorf("%s %d %s: %q, want %q", c.typ, c.n, c.path, got, c.want)
		}
	}
}

// TestPerson: the forms of numbers, sexes and births that a claim may carry.
func TestPerson(t *testing.T) {
	for _, c := range []struct{ number, nation, system string }{
		{"025080000101", "000", "http://fhir.hl7.org.vn/core/sid/cccd"}, {"025080000", "000", "http://fhir.ehealth.gov.vn/core/sid/citizen_id"}, {"025080000", "", "http://fhir.ehealth.gov.vn/core/sid/citizen_id"},
		{"B1234567", "150", "http://fhir.ehealth.gov.vn/core/sid/passport_number"}, {"123456789", "150", "http://fhir.ehealth.gov.vn/core/sid/passport_number"},
		{"B1234567", "000", "urn:ytso:id:giay-to-khac"}, {"không có", "000", "urn:ytso:id:giay-to-khac"},
	} {
		h := stayHOSO()
		h.XML1.SO_CCCD, h.XML1.MA_QUOCTICH = claim.Text(c.number), claim.Text(c.nation)
		p := ofType(t, same(t, h), "Patient")[0]
		if got := dig(p, "identifier.0.system"); got != c.system || dig(p, "identifier.0.value") != c.number {
			t.Errorf("%s of %q: %s", c.number, c.nation, got)
		}
	}
	h := stayHOSO()
	h.XML1.NGAY_SINH, h.XML1.GIOI_TINH, h.XML1.HO_TEN = "202603100805", "3", "Ông"
	p := ofType(t, same(t, h), "Patient")[0]
	if dig(p, "birthDate") != "2026-03-10" || dig(p, "_birthDate.extension.1.valueDateTime") != "2026-03-10T08:05:00+07:00" || dig(p, "gender") != "other" || dig(p, "name.0.family") != "Ông" {
		t.Errorf("%s", p.Raw())
	}
}

// TestSearch: what the parameters of R4 find, and that everything about the person is in their compartment.
func TestSearch(t *testing.T) {
	v := mapped(t, stayHOSO(), source)
	want := map[string][]string{
		"Patient":            {"identifier=http://fhir.hl7.org.vn/core/sid/cccd|025080000101", "identifier=urn:ytso:id:ma-bn:25901|BN7", "name", "birthdate", "gender", "address-state", "phone"},
		"Coverage":           {"beneficiary", "patient", "identifier", "payor=urn:ytso:id:to-chuc|BHXH", "status"},
		"Encounter":          {"patient", "subject", "date", "identifier=http://fhir.hl7.org.vn/core/sid/ma-lk|LK1", "class", "type=urn:ytso:code:ma_loai_kcb|03", "status", "diagnosis", "service-provider"},
		"Condition":          {"patient", "encounter", "onset-date", "recorded-date", "category", "clinical-status", "verification-status"},
		"CarePlan":           {"patient", "encounter", "date", "status"},
		"MedicationRequest":  {"patient", "encounter", "authoredon", "code=urn:ytso:code:ma-thuoc|40.1", "status", "requester"},
		"MedicationDispense": {"patient", "context", "whenhandedover", "code=urn:ytso:code:ma-thuoc|40.1", "prescription"},
		"Procedure":          {"patient", "encounter", "date", "code", "category"},
		"SupplyDelivery":     {"patient", "status"},
		"ServiceRequest":     {"patient", "encounter", "code", "status"},
		"Observation":        {"patient", "encounter", "date", "code", "category"},
		"DiagnosticReport":   {"patient", "encounter", "date", "code", "category", "result", "based-on"},
		"ClinicalImpression": {"patient", "encounter", "date", "assessor"},
		"Claim":              {"patient", "encounter", "created", "identifier=http://fhir.hl7.org.vn/core/sid/ma-lk|LK1", "provider", "use"},
		"Provenance":         {"patient", "target", "recorded", "agent", "entity"},
	}
	seen := map[string]bool{}
	for _, d := range parsed(t, v.all()) {
		values, err := param.Extract(d)
		if err != nil {
			t.Fatal(err)
		}
		if ids := param.PatientCompartment(d, values); !slices.Equal(ids, []string{v.Patient.ID}) {
			t.Errorf("%s is in the compartment of %v", d.Type(), ids)
		}
		found := map[string]bool{}
		for _, x := range values {
			found[x.Param] = true
			found[x.Param+"="+x.System+"|"+x.Code] = true
		}
		list, ok := want[d.Type()]
		if !ok {
			t.Errorf("nobody says how a %s is found", d.Type())
		}
		for _, p := range list {
			if !found[p] {
				t.Errorf("%s is not found by %s: %s", d.Type(), p, d.Source())
			}
		}
		if _, dated := param.ClinicalDate(d); !dated && d.Type() != "Patient" {
			t.Errorf("%s has no clinical date: %s", d.Type(), d.Source())
		}
		seen[d.Type()] = true
	}
	for typ := range want {
		if !seen[typ] {
			t.Errorf("the visit has no %s", typ)
		}
	}
}

// TestSameBytes: the same HOSO gives the same resources, and only the Provenance tells the file it came in.
func TestSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := anyHOSO().Draw(t, "hoso")
		first := mapped(t, h, source)
		again := mapped(t, h, Source{Facility: "25901", BlobSHA256: "ff", Ordinal: 9, Received: source.Received.Add(time.Hour), NGAYLAP: "20260401"})
		if len(first.all()) != len(again.all()) {
			t.Fatal("another number of resources")
		}
		for i, r := range first.all() {
			o := again.all()[i]
			if r.Type != o.Type || r.ID != o.ID || r.Type != "Provenance" && !bytes.Equal(r.Body, o.Body) {
				t.Fatalf("%s\n%s", r.Body, o.Body)
			}
		}
		for i, r := range mapped(t, h, source).all() {
			if !bytes.Equal(r.Body, first.all()[i].Body) {
				t.Fatalf("mapped twice: %s\n%s", r.Body, first.all()[i].Body)
			}
		}
	})
}

// TestIDs: ids follow facility, MA_LK and the row, and rows that share an STT or have none are kept apart.
func TestIDs(t *testing.T) {
	ids := func(h *claim.HOSO, src Source) (out []string) {
		for _, r := range mapped(t, h, src).all() {
			out = append(out, r.Type+"/"+r.ID)
		}
		return out
	}
	h := stayHOSO()
	h.XML2 = append(h.XML2, h.XML2[0], h.XML2[0], h.XML2[0])
	h.XML2[1].STT, h.XML2[2].STT, h.XML2[3].STT = "1", "", "#1"
	list := ids(h, source)
	if n := len(slices.Compact(slices.Sorted(slices.Values(list)))); n != len(list) {
		t.Errorf("%d ids for %d resources", n, len(list))
	}
	a, b := stayHOSO(), stayHOSO()
	b.XML3 = append([]claim.XML3{{MA_LK: "LK1", STT: "9", MA_DICH_VU: "x"}}, b.XML3...)
	changed := 0
	before := ids(a, source)
	for _, id := range ids(b, source) {
		if !slices.Contains(before, id) {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("a row set before the others made %d new ids", changed)
	}
	other := source
	other.Facility = "25001"
	for _, id := range ids(stayHOSO(), other) {
		if slices.Contains(before, id) {
			t.Errorf("%s is of two facilities", id)
		}
	}
	c := stayHOSO()
	c.XML1.MA_LK = "LK2"
	v, w := mapped(t, a, source), mapped(t, c, source)
	if v.Patient.ID != w.Patient.ID || !bytes.Equal(v.Patient.Body, w.Patient.Body) || v.Encounter == w.Encounter || v.Shared[0].ID != w.Shared[0].ID {
		t.Error("two visits of a person share the Patient and the Coverage, and nothing else")
	}
	a.XML1.MA_BN, c.XML1.MA_BN = "", ""
	if mapped(t, a, source).Patient.ID == mapped(t, c, source).Patient.ID {
		t.Error("without MA_BN two visits are of two source records")
	}
	a.XML1.MA_LK, c.XML1.MA_LK, c.XML1.HO_TEN = "", "", "Người khác"
	if mapped(t, a, source).Patient.ID == mapped(t, c, source).Patient.ID {
		t.Error("two HOSO without any key are two visits")
	}
}

// TestPatientIsOfThePerson: nothing but facts about the person changes the source record.
func TestPatientIsOfThePerson(t *testing.T) {
	personal := strings.Fields(`MA_BN HO_TEN SO_CCCD NGAY_SINH GIOI_TINH NHOM_MAU MA_QUOCTICH MA_DANTOC MA_NGHE_NGHIEP DIA_CHI
		MATINH_CU_TRU MAHUYEN_CU_TRU MAXA_CU_TRU DIEN_THOAI MA_THE_BHYT`)
	before := mapped(t, stayHOSO(), source).Patient
	for i, f := range claim.Tables[1].Fields {
		h := stayHOSO()
		h.XML1.Set(i, "9")
		after := mapped(t, h, source).Patient
		if changed := !bytes.Equal(before.Body, after.Body); changed != slices.Contains(personal, f.Name) {
			t.Errorf("%s: changes the Patient: %v", f.Name, changed)
		}
	}
}

// TestMoney: the amounts by the law's names.
func TestMoney(t *testing.T) {
	bill := ofType(t, mapped(t, stayHOSO(), source), "Claim")[0]
	want := map[string]string{
		"T_THUOC": "30000.00", "T_VTYT": "5000.00", "T_TONGCHI_BV": "135000.00", "T_TONGCHI_BH": "135000.00", "T_BNTT": "0.00", "T_BNCCT": "27000.00", "T_BHTT": "108000.00",
		"T_NGUONKHAC": "0.00", "T_BHTT_GDV": "108000.00",
	}
	if d := cmp.Diff(want, Money(bill)); d != "" {
		t.Error(d)
	}
	var tables []string
	for item := range bill.Get("item").Elems() {
		tables = append(tables, Table(item))
	}
	if !slices.Equal(tables, []string{"XML2", "XML3", "XML3", "XML3"}) {
		t.Error(tables)
	}
	want = map[string]string{
		"DON_GIA": "1000", "THANH_TIEN_BV": "30000.00", "THANH_TIEN_BH": "30000.00", "T_NGUONKHAC": "0.00", "T_BNTT": "0.00", "T_BNCCT": "6000.00", "T_BHTT": "24000.00",
	}
	if d := cmp.Diff(want, ItemMoney(bill.Get("item").At(0))); d != "" {
		t.Error(d)
	}
	want = map[string]string{"DON_GIA_BV": "1000", "THANH_TIEN_BV": "5000.00", "T_TRANTT": "4000.00"}
	if d := cmp.Diff(want, ItemMoney(bill.Get("item").At(2))); d != "" {
		t.Error(d)
	}
	if n := len(slices.Collect(maps.Keys(Money(r4.Node{})))); n != 0 {
		t.Errorf("%d amounts of nothing", n)
	}
}

// TestRefusals: what can't be mapped, and what can't be brought back.
func TestRefusals(t *testing.T) {
	m := New(namespace)
	if _, err := m.Map(&claim.HOSO{}, source); !errors.Is(err, ErrNoSummary) || outcome.KindOf(err) != outcome.Required {
		t.Errorf("no XML1: %v", err)
	}
	if _, err := m.CheckIn(&claim.XML0{HO_TEN: "Ví Dụ"}, source); !errors.Is(err, ErrNoKey) {
		t.Errorf("no MA_LK: %v", err)
	}
	if _, err := Back(nil); !errors.Is(err, ErrIncomplete) {
		t.Errorf("nothing: %v", err)
	}
}

// TestNoSilentLoss: when a resource is not there, the HOSO comes back whole or not at all.
func TestNoSilentLoss(t *testing.T) {
	h := stayHOSO()
	h.XML7 = []claim.XML7{{MA_LK: "LK1", SO_LUU_TRU: "7"}}
	v := mapped(t, h, source)
	refused := 0
	for i := range v.all() {
		docs := slices.Delete(parsed(t, v.all()), i, i+1)
		back, err := Back(docs)
		switch {
		case errors.Is(err, ErrIncomplete):
			refused++
		case err != nil:
			t.Error(err)
		case !bytes.Equal(claim.Canonical(back), claim.Canonical(h)):
			t.Errorf("without %s it comes back otherwise", v.all()[i].Type)
		}
	}
	if refused < 10 {
		t.Errorf("only %d are needed", refused)
	}
}

// TestCheckIn: the claim of a visit takes the place of its check-in.
func TestCheckIn(t *testing.T) {
	row := &claim.XML0{
		MA_LK: "LK1", STT: "4", MA_BN: "BN7", HO_TEN: "Nguyễn Thị Ví Dụ", SO_CCCD: "025080000101", NGAY_SINH: "198005120000", GIOI_TINH: "2", MA_THE_BHYT: "GD4250000000101",
		MA_DKBD: "25901", GT_THE_TU: "20260101", GT_THE_DEN: "20260228", MA_DOITUONG_KCB: "2", NGAY_VAO: "202603100800", MA_LOAI_KCB: "01", MA_CSKCB: "25901", MA_DICH_VU: "x",
	}
	v, err := New(namespace).CheckIn(row, source)
	if err != nil {
		t.Fatal(err)
	}
	checkShapes(t, v)
	e := ofType(t, v, "Encounter")[0]
	for path, want := range map[string]string{
		"status": "in-progress", "class.code": "EMER", "type.0.coding.0.code": "01", "period.start": "2026-03-10T08:00:00+07:00", "period.end": "", "priority.coding.0.code": "EM",
		"subject.reference": "Patient/" + v.Patient.ID,
	} {
		if got := dig(e, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	later := mapped(t, stayHOSO(), source)
	if v.Encounter != later.Encounter || v.Patient.ID != later.Patient.ID || v.Shared[0].ID != later.Shared[0].ID || len(v.Own) != 2 || v.Own[1].ID != later.Own[len(later.Own)-1].ID {
		t.Error("the claim has other ids than its check-in")
	}
}

func BenchmarkMap(b *testing.B) {
	h, m := thirty(), New(namespace)
	for b.Loop() {
		if _, err := m.Map(h, source); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBack(b *testing.B) {
	v := mapped(b, thirty(), source)
	docs := parsed(b, v.all())
	for b.Loop() {
		if _, err := Back(docs); err != nil {
			b.Fatal(err)
		}
	}
}

// thirty is a stay of thirty rows.
func thirty() *claim.HOSO {
	h := stayHOSO()
	h.XML5 = nil
	for i := range 10 {
		n := claim.Number(strconv.Itoa(i + 1))
		if i < 9 {
			h.XML2 = append(h.XML2, h.XML2[0])
		}
		if i < 7 {
			h.XML3 = append(h.XML3, h.XML3[i%3])
			h.XML4 = append(h.XML4, h.XML4[i%3])
		}
		h.XML2[i].STT, h.XML3[i].STT, h.XML4[i].STT = n, n, n
	}
	return h
}

// TestClass: the class of each kind of visit, also as QĐ 130 wrote it and when nobody knows it.
func TestClass(t *testing.T) {
	for kind, want := range map[string]string{
		"01": "AMB", "02": "AMB", "3": "IMP", "03": "IMP", "04": "SS", "06": "SS", "09": "IMP", "11": "FLD", "12": "HH", "14": "VR", "16": "AMB", "99": "UNK", "": "UNK",
	} {
		h := stayHOSO()
		h.XML1.MA_LOAI_KCB = claim.Text(kind)
		if got := dig(ofType(t, mapped(t, h, source), "Encounter")[0], "class.code"); got != want {
			t.Errorf("%q: %s, want %s", kind, got, want)
		}
	}
}
