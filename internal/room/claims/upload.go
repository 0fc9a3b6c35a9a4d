package claims

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
)

const (
	maxUpload = 256 << 20 // one form
	maxFile   = 88 << 20  // one file in it: the largest that claim.Decode takes, in base64
	maxFiles  = 200
)

// uploadPage is GET /giam-dinh/gui: the form to send files.
func (s *Service) uploadPage(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := s.caller(r, store.CanRead); err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, sendPage(sent{}))
}

// sent is what became of an upload that was not taken as a whole.
type sent struct {
	taken []Receipt
	lost  []lostFile // too large, or broken off: not kept
	none  bool       // nothing was chosen
}

type lostFile struct {
	name string
	why  *outcome.Error
}

func (u sent) status() int {
	switch {
	case u.none:
		return http.StatusUnprocessableEntity
	case len(u.lost) > 0:
		return u.lost[0].why.Kind.Status()
	}
	return http.StatusOK
}

// upload is POST /giam-dinh/gui: files are taken one by one, each with a
// receipt of its own, and the reader is led to what became of them.
func (s *Service) upload(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	form, err := r.MultipartReader()
	if err != nil {
		return errForm.Because(err)
	}
	u, err := s.takeAll(r, form, p, a)
	switch {
	case err != nil:
		return err
	case u.none || len(u.lost) > 0:
		return httpx.HTML(w, r, u.status(), sendPage(u))
	case len(u.taken) == 1:
		return httpx.Redirect(w, r, fileURL(u.taken[0].ID))
	}
	q := url.Values{}
	for _, rec := range u.taken {
		q.Add("ma", rec.ID)
	}
	return httpx.Redirect(w, r, base+"/da-gui?"+q.Encode())
}

var (
	errForm = outcome.New(outcome.Invalid, "claims.form",
		"Biểu mẫu gửi lên không đọc được. Hãy mở lại trang gửi hồ sơ và thử lại.", "The form could not be read. Please open the page again and retry.")
	errBrokenOff = outcome.New(outcome.Invalid, "claims.broken-off",
		"Việc gửi bị đứt giữa chừng nên tệp này chưa được nhận. Hãy gửi lại.", "The upload broke off and this file was not taken. Please send it again.")
	errManyFiles = outcome.New(outcome.TooLong, "claims.many-files",
		"Mỗi lần chỉ gửi tối đa 200 tệp. Hãy gửi các tệp còn lại ở lần sau.", "At most 200 files at a time. Please send the rest in another go.")
)

func (s *Service) takeAll(r *http.Request, form *multipart.Reader, p trust.Principal, a store.Access) (u sent, err error) {
	for {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			u.none = len(u.taken)+len(u.lost) == 0
			return u, nil
		case err != nil:
			u.lost = append(u.lost, lostFile{"", whyLost(err)})
			return u, nil
		case part.FormName() != "tep" || part.FileName() == "":
			continue
		}
		if len(u.taken) == maxFiles {
			u.lost = append(u.lost, lostFile{part.FileName(), errManyFiles})
			return u, nil
		}
		body, err := io.ReadAll(io.LimitReader(part, maxFile+1))
		if err != nil {
			u.lost = append(u.lost, lostFile{part.FileName(), whyLost(err)})
			return u, nil
		}
		if len(body) > maxFile {
			u.lost = append(u.lost, lostFile{part.FileName(), errTooLong})
			continue
		}
		rec, err := s.Receive(r.Context(), a, Upload{
			Facility: p.Agent.Facility, Door: "page", Name: part.FileName(), Sender: p.Agent.ID, Body: body,
		})
		if err != nil {
			return u, fmt.Errorf("file %d of the form: %w", len(u.taken)+1, err)
		}
		u.taken = append(u.taken, rec)
	}
}

// whyLost says why a file did not arrive.
func whyLost(err error) *outcome.Error {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return errTooLong
	}
	return errBrokenOff.Because(err)
}

// sentPage is GET /giam-dinh/da-gui?ma=…: the files of one upload.
func (s *Service) sentPage(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	ids := r.URL.Query()["ma"]
	if len(ids) == 0 || len(ids) > maxFiles {
		return errNoReceipt
	}
	list, err := s.sent(r.Context(), a, p.Agent.Facility, ids)
	if err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, sentListPage(list))
}
