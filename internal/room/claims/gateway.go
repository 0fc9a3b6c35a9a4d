package claims

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim/check"
)

// The gateway's own result codes beside 200, 401 and 403, which are all that
// is published (spec/qd3176/gateway.md §3).
const (
	codeReceived   = "200"
	codeBadRequest = "400" // a form field is missing or not readable
	codeForbidden  = "403"
	codeRefused    = "422" // the file as a whole was refused; it is kept under maGiaoDich
)

// gatewayAnswer is the JSON of guiHoSoXml.
type gatewayAnswer struct {
	MaKetQua         string `json:"maKetQua"`
	MaGiaoDich       string `json:"maGiaoDich,omitempty"`
	ThoiGianTiepNhan string `json:"thoiGianTiepNhan,omitempty"` // yyyyMMddHHmmss, local time
	ThongDiep        string `json:"thongDiep"`
}

// send is POST /api/qd130/guiHoSoXml…: the insurer gateway's own form, so that
// a hospital's sender works by changing its address.
// 200 in maKetQua means received and on disk, not accepted.
func (s *Service) send(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, trust.Payment)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return errTooLong.Because(err)
		}
		return answerJSON(w, gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Không đọc được biểu mẫu gửi lên."})
	}
	if bad := formProblem(r, p.Agent.Facility); bad != nil {
		return answerJSON(w, *bad)
	}
	body, err := decodeFile(r.PostForm.Get("fileHSBase64"))
	if err != nil {
		return answerJSON(w, gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Tham số fileHSBase64 không phải base64 của tệp hồ sơ."})
	}
	rec, err := s.Receive(r.Context(), a, Upload{Facility: p.Agent.Facility, Door: "gateway", Sender: p.Agent.ID, Body: body})
	if err != nil {
		return err
	}
	ans := gatewayAnswer{
		MaKetQua: codeReceived, MaGiaoDich: rec.ID, ThongDiep: "Đã tiếp nhận hồ sơ.",
		ThoiGianTiepNhan: rec.Received.In(clock.VietNam).Format("20060102150405"),
	}
	if rec.State == Refused {
		ans.MaKetQua, ans.ThongDiep = codeRefused, rec.ErrorVI
	}
	return answerJSON(w, ans)
}

var errTooLong = outcome.New(outcome.TooLong, "claims.too-long",
	"Tệp gửi lên quá lớn. Hãy chia thành nhiều tệp nhỏ hơn.", "The file is too large. Please send it in smaller files.")

// formProblem checks what the form says beside the file.
func formProblem(r *http.Request, facility string) *gatewayAnswer {
	form := r.PostForm
	switch {
	case form.Get("loaiHoSo") != "130":
		return &gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Đường này chỉ nhận loaiHoSo 130 (hồ sơ khám chữa bệnh)."}
	case form.Get("maCSKCB") != facility:
		return &gatewayAnswer{MaKetQua: codeForbidden, ThongDiep: "Mã cơ sở (maCSKCB) không phải của tài khoản gửi."}
	case form.Get("maTinh") != "" && !strings.HasPrefix(facility, form.Get("maTinh")):
		return &gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Mã tỉnh (maTinh) không khớp với mã cơ sở."}
	case form.Get("fileHSBase64") == "":
		return &gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Thiếu tham số fileHSBase64."}
	}
	return nil
}

// decodeFile reads base64 as senders write it: with line breaks, and with
// blanks where "+" was not percent-encoded.
func decodeFile(text string) ([]byte, error) {
	text = strings.NewReplacer("\r", "", "\n", "", "\t", "", " ", "+").Replace(text)
	return base64.StdEncoding.DecodeString(text)
}

// status is GET /api/kcb/tra-cuu-trang-thai/{maGiaoDich}.
func (s *Service) status(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, trust.Payment)
	if err != nil {
		return err
	}
	view, err := s.Status(r.Context(), a, r.PathValue("maGiaoDich"), p.Agent.Facility)
	if err != nil {
		return err
	}
	return answerJSON(w, view.answer())
}

// caller gives who calls and what they may see. A sender without a facility has no files of its own.
func (s *Service) caller(r *http.Request, purpose string) (trust.Principal, store.Access, error) {
	a, err := s.gate.Access(r.Context(), purpose)
	if err != nil {
		return trust.Principal{}, a, err
	}
	p, _ := trust.From(r.Context())
	if p.Agent.Facility == "" {
		return p, a, errNoFacility
	}
	return p, a, nil
}

var errNoFacility = outcome.New(outcome.Forbidden, "claims.no-facility",
	"Tài khoản không thuộc cơ sở khám chữa bệnh nào nên không gửi và không tra cứu hồ sơ được.",
	"The account belongs to no facility, so it can neither send nor look up claims.")

func answerJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(v)
}

// statusAnswer is the JSON of the status look-up.
type statusAnswer struct {
	MaGiaoDich       string       `json:"maGiaoDich"`
	TrangThai        ReceiptState `json:"trangThai"` // waiting, done, refused
	ThoiGianTiepNhan string       `json:"thoiGianTiepNhan"`
	ThongDiep        string       `json:"thongDiep,omitempty"`
	MaLoi            string       `json:"maLoi,omitempty"`
	SoHoSo           int64        `json:"soHoSo"`
	HoSo             []statusHOSO `json:"hoSo"`
}

type statusHOSO struct {
	ThuTu         int64           `json:"thuTu"`
	MaLK          string          `json:"maLK"`
	TrangThai     HOSOState       `json:"trangThai"`
	SoLoi         int64           `json:"soLoi"`
	SoCanhBao     int64           `json:"soCanhBao"`
	Loi           []statusFinding `json:"loi,omitempty"`
	ChuaKiemTra   []Want          `json:"chuaKiemTra,omitempty"`
	MaLuotKhamBan string          `json:"maLuotKham,omitempty"`
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

func (v StatusView) answer() statusAnswer {
	out := statusAnswer{
		MaGiaoDich: v.Receipt.ID, TrangThai: v.Receipt.State, SoHoSo: v.Receipt.HOSOs,
		ThoiGianTiepNhan: v.Receipt.Received.In(clock.VietNam).Format(time.RFC3339),
		ThongDiep:        v.Receipt.ErrorVI, MaLoi: v.Receipt.ErrorKey, HoSo: make([]statusHOSO, 0, len(v.HOSO)),
	}
	for _, h := range v.HOSO {
		o := statusHOSO{
			ThuTu: h.Ordinal, MaLK: h.MA_LK, TrangThai: h.State, SoLoi: h.Errors, SoCanhBao: h.Warnings,
			ChuaKiemTra: h.NotChecked, MaLuotKhamBan: h.Encounter,
		}
		for _, f := range h.Findings {
			o.Loi = append(o.Loi, statusFinding{f.Rule, f.Severity, f.Table, f.Row, f.Field, f.VI, f.EN, f.MendVI})
		}
		out.HoSo = append(out.HoSo, o)
	}
	return out
}
