package claims

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
)

// The gateway's own result codes beside 200, 401 and 403, which are all that
// is published (spec/qd3176/gateway.md §3). They stand in maKetQua; the HTTP
// status is 200, since senders made for the insurer's gateway read the body
// only then.
const (
	codeReceived   = "200"
	codeBadRequest = "400" // a form field is missing or not readable
	codeForbidden  = "403" // a facility that is not the account's
	codeTooLong    = "413"
	codeRefused    = "422" // the file as a whole was refused; it is kept under maGiaoDich
)

// gatewayAnswer is the JSON of the sending paths.
type gatewayAnswer struct {
	MaKetQua         string `json:"maKetQua"`
	MaGiaoDich       string `json:"maGiaoDich,omitempty"`
	ThoiGianTiepNhan string `json:"thoiGianTiepNhan,omitempty"` // yyyyMMddHHmmss, local time
	ThongDiep        string `json:"thongDiep"`
}

// gatewayTime is how the gateway writes a moment.
const gatewayTime = "20060102150405"

// gatewayPath is one sending path of the insurer's gateway.
type gatewayPath struct {
	name string
	kind claim.Kind
}

// gatewayPaths are the paths of each release; upper and lower case differ
// between the groups, as printed in letters 3190 and 1245 (gateway.md §3).
var gatewayPaths = []gatewayPath{
	{"guiHoSoXmlQD130", claim.Claim}, {"guiHoSoXmlQD4750", claim.Claim}, {"guiHoSoXmlQD3176", claim.Claim},
	{"checkInKcbQd130", claim.CheckIn}, {"checkInKcbQd4750", claim.CheckIn}, {"checkInKcbQd3176", claim.CheckIn},
	{"guiDuLieuGdykQd130", claim.Assessment},
}

// send is POST /api/qd130/…: the insurer gateway's own form, so that a
// hospital's sender works by changing its address. 200 in maKetQua means
// received and on disk, not accepted. A file that could be read is kept, also
// when something about the form refuses it.
func (s *Service) send(kind claim.Kind) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, a, err := s.caller(r, store.CanCreate|store.CanUpdate)
		if err != nil {
			return err
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			var tooLong *http.MaxBytesError
			if errors.As(err, &tooLong) {
				return answerJSON(w, gatewayAnswer{MaKetQua: codeTooLong, ThongDiep: errTooLong.VI})
			}
			return answerJSON(w, gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: "Không đọc được biểu mẫu gửi lên."})
		}
		body, problem, unread := fileOf(r)
		if problem != "" {
			return answerJSON(w, gatewayAnswer{MaKetQua: codeBadRequest, ThongDiep: problem})
		}
		code, refuse := formProblem(r, kind, p.Agent.Facility)
		if unread != nil {
			code, refuse = codeBadRequest, unread
		}
		rec, err := s.Receive(r.Context(), a, Upload{
			Facility: p.Agent.Facility, Kind: kind, Door: "gateway", Sender: p.Agent.ID, Body: body, Refuse: refuse,
		})
		if err != nil {
			return err
		}
		return answerJSON(w, answerTo(rec, kind, code))
	}
}

// answerTo is the answer to a file that is on disk now; code is what the form had wrong, "" for nothing.
func answerTo(rec Receipt, kind claim.Kind, code string) gatewayAnswer {
	ans := gatewayAnswer{
		MaKetQua: codeReceived, MaGiaoDich: rec.ID, ThoiGianTiepNhan: rec.Received.In(clock.VietNam).Format(gatewayTime),
		ThongDiep: "Đã tiếp nhận tệp. Tra cứu kết quả theo mã giao dịch.",
	}
	if kind == claim.Assessment {
		ans.ThongDiep = "Đã nhận và lưu bản gốc dữ liệu giám định y khoa."
	}
	if rec.State == Refused {
		ans.MaKetQua, ans.ThongDiep = codeRefused, rec.ErrorVI
		if code != "" {
			ans.MaKetQua = code
		} else if rec.ErrorKey == errOtherFacility.Key {
			ans.MaKetQua = codeForbidden
		}
	}
	return ans
}

var errTooLong = outcome.New(outcome.TooLong, "claims.too-long",
	"Tệp gửi lên quá lớn nên không được nhận. Hãy chia thành nhiều tệp nhỏ hơn rồi gửi lại.", "The file is too large and was not taken. Please send it in smaller files.")

var (
	errLoaiHoSo = outcome.New(outcome.Value, "claims.loai-ho-so",
		"Tham số loaiHoSo không đúng với đường gửi: hồ sơ khám chữa bệnh là 130, check-in là 0, giám định y khoa là 12.",
		"Parameter loaiHoSo does not fit this path: claims are 130, check-ins 0, medical assessments 12.")
	errMaCSKCB = outcome.New(outcome.Forbidden, "claims.ma-cskcb",
		"Mã cơ sở (maCSKCB) không phải của tài khoản gửi.", "The facility code (maCSKCB) is not that of the sending account.")
	errMaTinh = outcome.New(outcome.Value, "claims.ma-tinh",
		"Mã tỉnh (maTinh) không khớp với mã cơ sở.", "The province code (maTinh) does not fit the facility code.")
)

// formProblem checks what the form says beside the file. The sender is who the
// token says it is; the form may only agree.
func formProblem(r *http.Request, kind claim.Kind, facility string) (code string, err error) {
	form := r.PostForm
	switch {
	case strings.TrimSpace(form.Get("loaiHoSo")) != string(kind):
		return codeBadRequest, errLoaiHoSo
	case strings.TrimSpace(form.Get("maCSKCB")) != facility:
		return codeForbidden, errMaCSKCB
	case !strings.HasPrefix(facility, strings.TrimSpace(form.Get("maTinh"))):
		return codeBadRequest, errMaTinh
	}
	return "", nil
}

var errBase64 = outcome.New(outcome.Invalid, "claims.base64",
	"Tham số fileHSBase64 không phải base64 của tệp hồ sơ. Hãy mã hóa lại và chuyển ký tự + thành %2B, / thành %2F khi gửi.",
	"Parameter fileHSBase64 is not base64 of the file. Please encode it again, and write + as %2B and / as %2F.")

// fileOf reads the file of the form, or says in a sentence why there is none.
// What is there and can't be read is given as it came, with the reason, so that
// it is kept. A field that comes twice is refused: of two files one would be
// lost behind an answer that says received.
func fileOf(r *http.Request) (body []byte, problem string, unread error) {
	for _, name := range []string{"fileHSBase64", "loaiHoSo", "maCSKCB", "maTinh"} {
		if len(r.PostForm[name]) > 1 {
			return nil, "Tham số " + name + " xuất hiện nhiều lần. Mỗi lần gửi chỉ một tệp, mỗi tham số chỉ một lần.", nil
		}
	}
	text := r.PostForm.Get("fileHSBase64")
	if strings.TrimSpace(text) == "" {
		return nil, "Thiếu tham số fileHSBase64.", nil
	}
	body, err := decodeFile(text)
	if err != nil || len(body) == 0 {
		return []byte(text), "", errBase64.Because(err)
	}
	return body, "", nil
}

// decodeFile reads base64 as senders write it: with line breaks, and with
// blanks where "+" was not percent-encoded.
func decodeFile(text string) ([]byte, error) {
	text = strings.NewReplacer("\r", "", "\n", "", "\t", "").Replace(strings.TrimSpace(text))
	return base64.StdEncoding.DecodeString(strings.ReplaceAll(text, " ", "+"))
}

// caller gives who calls and what they may see. A caller without a facility has
// no files of its own, and a token does with them no more than its scopes say
// of Claim, though receipts are no resources.
func (s *Service) caller(r *http.Request, acts store.Acts) (trust.Principal, store.Access, error) {
	p, _ := trust.From(r.Context())
	purpose := trust.Payment
	if p.Agent.Role == trust.RoleStation {
		purpose = trust.Operations // the policy of a station knows no other for this
	}
	a, err := s.Gate.Access(r.Context(), purpose)
	switch {
	case err != nil:
		return p, a, err
	case p.Agent.Facility == "":
		return p, a, s.refuse(r.Context(), a, errNoFacility)
	case p.Scopes != nil && a.Filter.Types["Claim"]&acts != acts:
		return p, a, s.refuse(r.Context(), a, errScope)
	}
	return p, a, nil
}

// refuse leaves the audit row of a refusal and gives back why.
func (s *Service) refuse(ctx context.Context, a store.Access, why error) error {
	return s.Store.View(ctx, a, func(r store.Reader) error {
		r.Audit(store.Note{Action: "claims.refused"})
		return why
	})
}

var errNoFacility = outcome.New(outcome.Forbidden, "claims.no-facility",
	"Tài khoản không thuộc cơ sở khám chữa bệnh nào nên không gửi và không tra cứu hồ sơ được.",
	"The account belongs to no facility, so it can neither send nor look up claims.")

var errScope = outcome.New(outcome.Forbidden, "claims.scope",
	"Phạm vi (scope) của mã truy cập không cho phép việc này với hồ sơ giám định (Claim).",
	"The scopes of the access token do not allow this on claims (Claim).")

func answerJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(v)
}
