package claims

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/vn/claim/check"
)

// statusPage is the number of HOSO in one answer.
const statusPage = 1000

// status is GET /api/kcb/tra-cuu-trang-thai/{maGiaoDich}; ?sau=N goes on after HOSO N.
func (s *Service) status(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	after, err := number(r, "sau")
	if err != nil {
		return err
	}
	view, err := s.statusAfter(r.Context(), a, transaction(r.PathValue("maGiaoDich")), p.Agent.Facility, after, statusPage)
	if err != nil {
		return err
	}
	return answerJSON(w, view.answer())
}

// byKey is GET /api/kcb/tra-cuu-trang-thai?maLK=…: every sending of a visit, newest first.
func (s *Service) byKey(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	key := strings.TrimSpace(r.URL.Query().Get("maLK"))
	if key == "" {
		return errNoKey
	}
	list, err := s.Sendings(r.Context(), a, p.Agent.Facility, key)
	if err != nil {
		return err
	}
	out := keyAnswer{MaLK: key, LanGui: make([]keySending, 0, len(list))}
	for _, one := range list {
		out.LanGui = append(out.LanGui, keySending{
			MaGiaoDich: one.Receipt.ID, ThoiGianTiepNhan: moment(one.Receipt.Received), HieuLuc: one.Stands, HoSo: answerOf(one.HOSO),
		})
	}
	return answerJSON(w, out)
}

var (
	errNoKey = outcome.New(outcome.Required, "claims.no-key",
		"Thiếu mã giao dịch hoặc tham số maLK để tra cứu.", "Give a transaction number, or parameter maLK.")
	errNumber = outcome.New(outcome.Invalid, "claims.number",
		"Tham số phân trang phải là số nguyên không âm.", "The paging parameter must be a whole number, not negative.")
)

// transaction reads a transaction number as people type it.
func transaction(text string) string { return strings.ToUpper(strings.TrimSpace(text)) }

// number reads a parameter of paging; absent is 0.
func number(r *http.Request, name string) (int64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errNumber
	}
	return n, nil
}

func moment(t time.Time) string { return t.In(clock.VietNam).Format(time.RFC3339) }

// statusAnswer is the JSON of the status look-up.
type statusAnswer struct {
	MaGiaoDich       string          `json:"maGiaoDich"`
	TrangThai        ReceiptState    `json:"trangThai"` // waiting, done, refused
	DienGiai         string          `json:"dienGiai"`
	ThoiGianTiepNhan string          `json:"thoiGianTiepNhan"`
	ThongDiep        string          `json:"thongDiep,omitempty"` // why the file was refused
	MaLoi            string          `json:"maLoi,omitempty"`
	SoHoSo           int64           `json:"soHoSo"`
	LoiTep           []statusFinding `json:"loiTep,omitempty"` // about the file itself
	ChuaKiemTraTep   []check.Want    `json:"chuaKiemTraTep,omitempty"`
	HoSo             []statusHOSO    `json:"hoSo"`
	TiepTheo         int64           `json:"tiepTheo,omitempty"` // ask again with ?sau= for the HOSO behind it
}

type statusHOSO struct {
	ThuTu       int64           `json:"thuTu"`
	MaLK        string          `json:"maLK"`
	TrangThai   HOSOState       `json:"trangThai"`
	DienGiai    string          `json:"dienGiai"`
	SoLoi       int64           `json:"soLoi"`
	SoCanhBao   int64           `json:"soCanhBao"`
	Loi         []statusFinding `json:"loi,omitempty"`
	ChuaKiemTra []check.Want    `json:"chuaKiemTra,omitempty"`
	MaLuotKham  string          `json:"maLuotKham,omitempty"` // id of the Encounter
}

type statusFinding struct {
	QuyTac   string         `json:"quyTac"`
	MucDo    check.Severity `json:"mucDo"`
	Bang     string         `json:"bang"`
	Dong     int            `json:"dong,omitempty"`
	Truong   string         `json:"truong,omitempty"`
	ThongBao string         `json:"thongBao"`
	Message  string         `json:"message"`
	CachSua  string         `json:"cachSua,omitempty"`
}

// keyAnswer is the JSON of the look-up by MA_LK.
type keyAnswer struct {
	MaLK   string       `json:"maLK"`
	LanGui []keySending `json:"lanGui"`
}

type keySending struct {
	MaGiaoDich       string     `json:"maGiaoDich"`
	ThoiGianTiepNhan string     `json:"thoiGianTiepNhan"`
	HieuLuc          bool       `json:"hieuLuc"` // its content is what stands
	HoSo             statusHOSO `json:"hoSo"`
}

// The states in the words of the gateway.
var (
	receiptWords = map[ReceiptState]string{
		Waiting: "Đã tiếp nhận, đang xử lý", Done: "Đã xử lý xong", Refused: "Không nhận cả tệp, bản gốc đã được lưu",
	}
	hosoWords = map[HOSOState]string{
		HOSOWaiting: "Chờ xử lý", HOSOStored: "Đã ghi vào sổ sức khỏe", HOSOUnchanged: "Giống bản đã ghi, không thay đổi gì",
		HOSOOlder: "Cũ hơn bản đang có hiệu lực, chỉ lưu lại", HOSOKept: "Đã nhận và lưu bản gốc", HOSORefused: "Có lỗi, cần sửa và gửi lại",
		HOSOFailed: "Lỗi của hệ thống, sẽ được xử lý lại",
	}
)

func (v StatusView) answer() statusAnswer {
	out := statusAnswer{
		MaGiaoDich: v.Receipt.ID, TrangThai: v.Receipt.State, DienGiai: receiptWords[v.Receipt.State], SoHoSo: v.Receipt.HOSOs,
		ThoiGianTiepNhan: moment(v.Receipt.Received), ThongDiep: v.Receipt.ErrorVI, MaLoi: v.Receipt.ErrorKey,
		LoiTep: answersOf(v.Findings), ChuaKiemTraTep: v.Receipt.NotChecked, HoSo: make([]statusHOSO, 0, len(v.HOSO)), TiepTheo: v.Next,
	}
	for _, h := range v.HOSO {
		out.HoSo = append(out.HoSo, answerOf(h))
	}
	return out
}

func answerOf(h HOSO) statusHOSO {
	return statusHOSO{
		ThuTu: h.Ordinal, MaLK: h.MA_LK, TrangThai: h.State, DienGiai: hosoWords[h.State], SoLoi: h.Errors, SoCanhBao: h.Warnings,
		Loi: answersOf(h.Findings), ChuaKiemTra: h.NotChecked, MaLuotKham: h.Encounter,
	}
}

func answersOf(list []check.Finding) (out []statusFinding) {
	for _, f := range list {
		out = append(out, statusFinding{f.Rule, f.Severity, f.Table, f.Row, f.Field, f.VI, f.EN, f.MendVI})
	}
	return out
}
