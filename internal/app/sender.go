package app

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/ytso/ytso/internal/room/claims"
)

// sender is what a hospital's software does: it signs in and posts claim files
// as the insurer's gateway asks (spec/qd3176/gateway.md §2, §3). The
// demonstration sends through it, so that its files come the way all files come.
type sender struct {
	base     string // of the gateway, for example http://127.0.0.1:8080
	client   *http.Client
	facility string
	account  account

	mu     sync.Mutex
	tokens gatewayKey
}

// gatewayKey is APIKey of token/take.
type gatewayKey struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

const gatewayPath = "/api/qd130/guiHoSoXmlQD3176"

// hash is the password as senders know it: MD5, upper-case hex.
func (s *sender) hash() string {
	sum := md5.Sum([]byte(s.account.Secret))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// send posts a file and gives its transaction number.
func (s *sender) send(ctx context.Context, body []byte) (receipt string, err error) {
	form := url.Values{
		"username": {s.account.User}, "loaiHoSo": {"130"}, "maTinh": {s.facility[:2]}, "maCSKCB": {s.facility},
		"fileHSBase64": {base64.StdEncoding.EncodeToString(body)},
	}
	var ans struct {
		MaKetQua   code
		MaGiaoDich string
		ThongDiep  string
	}
	if err := s.signed(ctx, http.MethodPost, gatewayPath, form, &ans); err != nil {
		return "", err
	}
	if ans.MaGiaoDich == "" {
		return "", fmt.Errorf("the gateway answered %s: %s", ans.MaKetQua, ans.ThongDiep)
	}
	return ans.MaGiaoDich, nil
}

// status asks what became of a file.
func (s *sender) status(ctx context.Context, receipt string) (v verdict, err error) {
	var ans struct {
		TrangThai claims.ReceiptState
		HoSo      []struct{ TrangThai claims.HOSOState }
	}
	if err := s.signed(ctx, http.MethodGet, "/api/kcb/tra-cuu-trang-thai/"+receipt, nil, &ans); err != nil {
		return v, err
	}
	v = verdict{Finished: ans.TrangThai != claims.Waiting, Refused: ans.TrangThai == claims.Refused, HOSO: map[claims.HOSOState]int{}}
	for _, h := range ans.HoSo {
		v.HOSO[h.TrangThai]++
	}
	return v, nil
}

// signed calls with the session's tokens; when they have run out it signs in again, once.
func (s *sender) signed(ctx context.Context, method, path string, form url.Values, out any) error {
	for try := 0; ; try++ {
		key, err := s.key(ctx, try > 0)
		if err != nil {
			return err
		}
		header := http.Header{"Accesstoken": {key.Access}, "Tokenid": {key.ID}, "Passwordhash": {s.hash()}}
		status, err := s.call(ctx, method, path, header, form, out)
		if err == nil && status == http.StatusUnauthorized && try == 0 {
			continue
		}
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s answered %d", path, status)
		}
		return err
	}
}

// key gives the session's tokens, and takes new ones when there are none or they no longer hold.
func (s *sender) key(ctx context.Context, again bool) (gatewayKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens.Access != "" && !again {
		return s.tokens, nil
	}
	var ans struct {
		MaKetQua  code
		APIKey    gatewayKey
		ThongDiep string
	}
	status, err := s.call(ctx, http.MethodPost, "/api/token/take", nil, url.Values{"username": {s.account.User}, "password": {s.hash()}}, &ans)
	if err == nil && (status != http.StatusOK || ans.APIKey.Access == "") {
		err = fmt.Errorf("token/take answered %d, maKetQua %s: %s", status, ans.MaKetQua, ans.ThongDiep)
	}
	s.tokens = ans.APIKey
	return s.tokens, err
}

func (s *sender) call(ctx context.Context, method, path string, header http.Header, form url.Values, out any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	if header != nil {
		req.Header = header
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(body, out)
	}
	return resp.StatusCode, err
}

// code is maKetQua, which gateways write as text or as a number.
type code string

func (c *code) UnmarshalJSON(b []byte) error {
	*c = code(strings.Trim(string(b), `"`))
	return nil
}
