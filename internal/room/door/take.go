package door

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust/authn"
)

// taken is the JSON of token/take (spec/qd3176/gateway.md §2).
type taken struct {
	MaKetQua  string        `json:"maKetQua"`
	APIKey    *authn.APIKey `json:"APIKey,omitempty"`
	ThongDiep string        `json:"thongDiep,omitempty"`
}

var errTakeBody = outcome.New(outcome.Invalid, "door.take",
	"Hãy gửi username và password trong thân biểu mẫu (application/x-www-form-urlencoded) hoặc JSON.",
	"Send username and password in the body, as a form (application/x-www-form-urlencoded) or as JSON.")

// take is POST /api/token/take. Wrong credentials are 401 in maKetQua with
// HTTP 200, as the result code of this protocol stands in the answer and
// senders look there (gateway.md §2 and §3: "compare maKetQua"); what is
// refused before the credentials are looked at has the HTTP status as well.
func (d *Door) take(w http.ResponseWriter, r *http.Request) error {
	if !d.Authn.Secure(r) {
		return authn.ErrOpenLine
	}
	user, hash, err := takeBody(r)
	if err != nil {
		return err
	}
	key, err := d.Authn.TakeToken(r.Context(), user, hash, httpx.Remote(r))
	if outcome.KindOf(err) == outcome.Login {
		return httpx.JSON(w, http.StatusOK, taken{MaKetQua: "401", ThongDiep: outcome.As(err).VI})
	}
	if err != nil {
		return err
	}
	return httpx.JSON(w, http.StatusOK, taken{MaKetQua: "200", APIKey: &key})
}

// takeBody reads the credentials from the body alone: an address stands in logs.
func takeBody(r *http.Request) (user, hash string, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/json" {
		var body struct{ Username, Password string }
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return "", "", errTakeBody.Because(bodyError(err))
		}
		return body.Username, body.Password, nil
	}
	if err := r.ParseForm(); err != nil {
		return "", "", errTakeBody.Because(bodyError(err))
	}
	if !r.PostForm.Has("username") || !r.PostForm.Has("password") {
		return "", "", errTakeBody
	}
	return r.PostForm.Get("username"), r.PostForm.Get("password"), nil
}

// bodyError keeps of a reader's error only what it says about length: the rest
// may quote the body, which holds a password.
func bodyError(err error) error {
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return long
	}
	return errors.New("the body cannot be read")
}
