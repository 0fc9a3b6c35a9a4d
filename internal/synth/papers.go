package synth

import (
	"fmt"
	"strconv"

	"github.com/ytso/ytso/vn/claim"
)

// paper adds the table of a certificate: 6 HIV care, 7 discharge, 8 summary, 9
// birth, 10 prenatal leave, 11 sick leave, 13 referral, 14 re-visit, 15 tuberculosis.
func (w *writer) paper(table string) {
	switch table {
	case "6":
		w.hivCare()
	case "7":
		w.discharge()
	case "8":
		w.medicalSummary()
	case "9":
		w.birthPaper()
	case "10":
		w.prenatalLeave()
	case "11":
		w.sickLeave()
	case "13":
		w.referral()
	case "14":
		w.revisit()
	case "15":
		w.tuberculosis()
	default:
		panic("synth: paper " + table)
	}
}

// serial numbers a paper of the facility.
func (w *writer) serial() claim.Text {
	return claim.Text(fmt.Sprintf("%s-%07d%04d", w.facility["code"], w.who.Index+1, w.v.seq))
}

const doctorName = "Bác sĩ Ví Dụ"

func (w *writer) discharge() {
	x := w.h.XML1
	*w.h.Add(7).(*claim.XML7) = claim.XML7{
		MA_LK: w.key, SO_LUU_TRU: w.serial(), MA_YTE: x.MA_BN, MA_KHOA_RV: x.MA_KHOA, NGAY_VAO: x.NGAY_VAO, NGAY_RA: x.NGAY_RA, MA_DINH_CHI_THAI: "0",
		CHAN_DOAN_RV: x.CHAN_DOAN_RV, PP_DIEUTRI: x.PP_DIEU_TRI, MA_TTDV: w.head, MA_BS: w.doctor, TEN_BS: doctorName, NGAY_CT: on[claim.Date8](w.out),
	}
}

func (w *writer) medicalSummary() {
	x := w.h.XML1
	*w.h.Add(8).(*claim.XML8) = claim.XML8{
		MA_LK: w.key, MA_LOAI_KCB: x.MA_LOAI_KCB, NGAY_VAO: x.NGAY_VAO, NGAY_RA: x.NGAY_RA, CHAN_DOAN_VAO: x.CHAN_DOAN_VAO, CHAN_DOAN_RV: x.CHAN_DOAN_RV,
		QT_BENHLY: claim.Text("Vào viện vì " + w.kind["reason"] + ". " + w.kind["note"]), TOMTAT_KQ: "Xem bảng kết quả cận lâm sàng", PP_DIEUTRI: x.PP_DIEU_TRI,
		KET_QUA_DTRI: x.KET_QUA_DTRI, MA_TTDV: w.head, NGAY_CT: on[claim.Date8](w.out),
	}
}

func (w *writer) birthPaper() {
	who, born := w.who, w.v.in.Add(5*60*60*1e9)
	*w.h.Add(9).(*claim.XML9) = claim.XML9{
		MA_LK: w.key, MA_THE_NND: claim.Text(who.Card), HO_TEN_NND: claim.Text(who.Name), NGAYSINH_NND: on[claim.Date8](who.Birth), MA_DANTOC_NND: claim.Text(who.Ethnic),
		SO_CCCD_NND: claim.Text(who.Number), NGAYCAP_CCCD_NND: "20220512", NOICAP_CCCD_NND: "Cục Cảnh sát quản lý hành chính về trật tự xã hội",
		NOI_CU_TRU_NND: claim.Text(who.Address), MA_QUOCTICH: "000", MATINH_CU_TRU: "25", MAXA_CU_TRU: claim.Text(who.Commune),
		MA_THE_TAM: claim.Text("TE125" + fmt.Sprintf("%010d", 7_000_000_000+who.Index)), GIOI_TINH_CON: claim.Number(strconv.Itoa(1 + w.g.IntN(2))), SO_CON: "1", LAN_SINH: "1",
		SO_CON_SONG: "1", CAN_NANG_CON: claim.NumberList(w.h.XML1.CAN_NANG_CON), NGAY_SINH_CON: at[claim.Date12](born), NOI_SINH_CON: claim.Text(w.facility["name"]),
		TINH_TRANG_CON: "Khoẻ mạnh", SINHCON_PHAUTHUAT: "0", SINHCON_DUOI32TUAN: "0", NGUOI_DO_DE: "Nữ hộ sinh Ví Dụ", NGUOI_GHI_PHIEU: "Nữ hộ sinh Ví Dụ",
		NGAY_CT: on[claim.Date8](w.out), SO: w.serial(), QUYEN_SO: claim.Text("01/" + w.out.Format("2006")), MA_TTDV: w.head,
	}
}

func (w *writer) prenatalLeave() {
	*w.h.Add(10).(*claim.XML10) = claim.XML10{
		MA_LK: w.key, SO_SERI: w.serial(), SO_CT: w.serial(), SO_NGAY: "7", DON_VI: "Công ty may Ví Dụ", CHAN_DOAN_RV: "Doạ sẩy thai, nghỉ dưỡng thai",
		TU_NGAY: on[claim.Date8](w.v.in), DEN_NGAY: on[claim.Date8](w.v.in.AddDate(0, 0, 6)), MA_TTDV: w.head, TEN_BS: doctorName, MA_BS: w.doctor, NGAY_CT: on[claim.Date8](w.out),
	}
}

func (w *writer) sickLeave() {
	x := w.h.XML1
	*w.h.Add(11).(*claim.XML11) = claim.XML11{
		MA_LK: w.key, SO_CT: w.serial(), SO_SERI: w.serial(), SO_KCB: x.MA_HSBA, DON_VI: "Công ty may Ví Dụ", MA_BHXH: claim.Text(fmt.Sprintf("25%08d", w.who.Index+1)),
		MA_THE_BHYT: x.MA_THE_BHYT, CHAN_DOAN_RV: x.CHAN_DOAN_RV, PP_DIEUTRI: x.PP_DIEU_TRI, MA_DINH_CHI_THAI: "0", SO_NGAY_NGHI: "10",
		TU_NGAY: on[claim.Date8](w.v.in), DEN_NGAY: on[claim.Date8](w.v.in.AddDate(0, 0, 9)), MA_TTDV: w.head, MA_BS: w.doctor, NGAY_CT: on[claim.Date8](w.out), MAU_SO: "CT07",
	}
}

func (w *writer) referral() {
	x := w.h.XML1
	*w.h.Add(13).(*claim.XML13) = claim.XML13{
		MA_LK: w.key, SO_HOSO: x.MA_HSBA, SO_CHUYENTUYEN: w.serial(), GIAY_CHUYEN_TUYEN: w.serial(), MA_CSKCB: x.MA_CSKCB, MA_CSKCB_DI: x.MA_CSKCB, MA_CSKCB_DEN: x.MA_NOI_DEN,
		HO_TEN: x.HO_TEN, NGAY_SINH: x.NGAY_SINH, GIOI_TINH: x.GIOI_TINH, MA_QUOCTICH: x.MA_QUOCTICH, MA_DANTOC: x.MA_DANTOC, MA_NGHE_NGHIEP: x.MA_NGHE_NGHIEP,
		DIA_CHI: x.DIA_CHI, MA_THE_BHYT: x.MA_THE_BHYT, GT_THE_DEN: x.GT_THE_DEN, NGAY_VAO: claim.Date12List(x.NGAY_VAO), NGAY_RA: claim.Date12List(x.NGAY_RA),
		DAU_HIEU_LS: claim.Text(w.kind["note"]), CHAN_DOAN_RV: x.CHAN_DOAN_RV, QT_BENHLY: claim.Text(w.kind["reason"]), TOMTAT_KQ: "Chưa làm xét nghiệm", PP_DIEUTRI: x.PP_DIEU_TRI,
		MA_BENH_CHINH: x.MA_BENH_CHINH, MA_BENH_KT: x.MA_BENH_KT, TINH_TRANG_CT: "Tỉnh, tiếp xúc được", MA_LOAI_RV: x.MA_LOAI_RV, MA_LYDO_CT: "1",
		HUONG_DIEU_TRI: "Chuyển tuyến trên để can thiệp", PHUONGTIEN_VC: "Xe cứu thương", MA_BAC_SI: w.doctor, MA_TTDV: w.head,
	}
}

func (w *writer) revisit() {
	x := w.h.XML1
	*w.h.Add(14).(*claim.XML14) = claim.XML14{
		MA_LK: w.key, SO_GIAYHEN_KL: w.serial(), MA_CSKCB: x.MA_CSKCB, HO_TEN: x.HO_TEN, NGAY_SINH: x.NGAY_SINH, GIOI_TINH: x.GIOI_TINH, DIA_CHI: x.DIA_CHI,
		MA_THE_BHYT: x.MA_THE_BHYT, GT_THE_DEN: x.GT_THE_DEN, NGAY_VAO: x.NGAY_VAO, NGAY_VAO_NOI_TRU: x.NGAY_VAO_NOI_TRU, NGAY_RA: x.NGAY_RA,
		NGAY_HEN_KL: claim.Date8(x.NGAY_TAI_KHAM), CHAN_DOAN_RV: x.CHAN_DOAN_RV, MA_BENH_CHINH: x.MA_BENH_CHINH, MA_BENH_KT: x.MA_BENH_KT,
		MA_DOITUONG_KCB: x.MA_DOITUONG_KCB, MA_BAC_SI: w.doctor, MA_TTDV: w.head, NGAY_CT: on[claim.Date8](w.out),
	}
}

func (w *writer) tuberculosis() {
	x := w.h.XML1
	started := on[claim.Date8](w.v.in.AddDate(0, 0, -28*w.v.step))
	*w.h.Add(15).(*claim.XML15) = claim.XML15{
		MA_LK: w.key, STT: "1", MA_BN: x.MA_BN, HO_TEN: x.HO_TEN, SO_CCCD: x.SO_CCCD, PHANLOAI_LAO_VITRI: "1", PHANLOAI_LAO_TS: "1", PHANLOAI_LAO_HIV: "2",
		PHANLOAI_LAO_VK: "1", PHANLOAI_LAO_KT: "1", LOAI_DTRI_LAO: "1", NGAYBD_DTRI_LAO: started, PHACDO_DTRI_LAO: "1", MA_CSKCB: x.MA_CSKCB,
	}
}

func (w *writer) hivCare() {
	x := w.h.XML1
	*w.h.Add(6).(*claim.XML6) = claim.XML6{
		MA_LK: w.key, MA_THE_BHYT: x.MA_THE_BHYT, SO_CCCD: x.SO_CCCD, NGAY_SINH: x.NGAY_SINH, GIOI_TINH: x.GIOI_TINH, DIA_CHI: x.DIA_CHI, MATINH_CU_TRU: x.MATINH_CU_TRU,
		MAXA_CU_TRU: x.MAXA_CU_TRU, NGAYKD_HIV: "20230310", NOI_LAY_MAU_XN: x.MA_CSKCB, NOI_XN_KD: "25001", NOI_BDDT_ARV: x.MA_CSKCB, BDDT_ARV: "20230401",
		MA_LYDO_DTRI: "1", LOAI_DTRI_LAO: "0", SANG_LOC_LAO: "1", MA_LOAI_BN: "1", GIAI_DOAN_LAM_SANG: "1", NHOM_DOI_TUONG: "1", MA_TINH_TRANG_DK: "1",
		MA_XU_TRI: "1", MA_PHAC_DO_DIEU_TRI: "TLD", SO_NGAY_CAP_THUOC_ARV: "28", NGAY_BAT_DAU_XU_TRI: on[claim.Date8](w.v.in), NGAY_KET_THUC_XU_TRI: on[claim.Date8](w.v.in.AddDate(0, 0, 27)),
		MA_CSKCB: x.MA_CSKCB,
	}
}
