package claims

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/vn/claim/check"
)

// base is where the pages of the room begin.
const base = "/giam-dinh"

func fileURL(receipt string, rest ...string) string {
	return base + "/" + url.PathEscape(receipt) + strings.Join(rest, "")
}

func hosoURL(receipt string, ordinal int64) string {
	return fileURL(receipt, "/ho-so/", strconv.FormatInt(ordinal, 10))
}

func ruleURL(receipt string, g ruleGroup, skip int64) string {
	q := url.Values{"muc": {string(g.Severity)}}
	if skip > 0 {
		q.Set("sau", strconv.FormatInt(skip, 10))
	}
	return fileURL(receipt, "/quy-tac/", url.PathEscape(g.Rule), "?", q.Encode())
}

// listURL is the list as a reader narrowed it, going on before a receipt.
func (q wish) listURL(before int64) string {
	v := url.Values{}
	if q.filter != allFiles {
		v.Set("trang-thai", q.filter)
	}
	if !q.day.IsZero() {
		v.Set("ngay", q.day.Format(time.DateOnly))
	}
	if q.search != "" {
		v.Set("tim", q.search)
	}
	if before > 0 {
		v.Set("truoc", strconv.FormatInt(before, 10))
	}
	if len(v) == 0 {
		return base
	}
	return base + "?" + v.Encode()
}

var (
	errDay = outcome.New(outcome.Value, "claims.day",
		"Ngày phải ghi dạng năm-tháng-ngày, ví dụ 2026-07-15.", "The day must be written as year-month-day, for example 2026-07-15.")
	errFilter = outcome.New(outcome.Value, "claims.filter",
		"Không có trạng thái này để lọc.", "There is no such state to filter by.")
)

// listPage is GET /giam-dinh: the files received, newest first.
func (s *Service) listPage(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	form := r.URL.Query()
	q := wish{facility: p.Agent.Facility, filter: form.Get("trang-thai"), search: strings.TrimSpace(form.Get("tim"))}
	if _, ok := clauses[q.filter]; !ok {
		return errFilter
	}
	if text := form.Get("ngay"); text != "" {
		if q.day, err = time.ParseInLocation(time.DateOnly, text, clock.VietNam); err != nil {
			return errDay.Because(err)
		}
	}
	if q.before, err = number(r, "truoc"); err != nil {
		return err
	}
	d, err := s.desk(r.Context(), a, q)
	if err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, deskPage(d))
}

// filePage is GET /giam-dinh/{maGiaoDich}: one file.
func (s *Service) filePage(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	after, err := number(r, "sau")
	if err != nil {
		return err
	}
	filter := HOSOState(r.URL.Query().Get("trang-thai"))
	if filter != "" && !slices.Contains(hosoStates, filter) {
		return errFilter
	}
	v, err := s.file(r.Context(), a, r.PathValue("maGiaoDich"), p.Agent.Facility, filter, after)
	if err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, filePage(v))
}

// progress is GET /giam-dinh/{maGiaoDich}/tien-do: how far a file has come, for the module of its page.
func (s *Service) progress(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	list, err := s.sent(r.Context(), a, p.Agent.Facility, []string{r.PathValue("maGiaoDich")})
	if err != nil {
		return err
	}
	return answerJSON(w, struct {
		State   ReceiptState `json:"state"`
		Percent int          `json:"percent"`
	}{list[0].State, list[0].answered()})
}

// rulePage is GET /giam-dinh/{maGiaoDich}/quy-tac/{quyTac}: every place of one rule.
func (s *Service) rulePage(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	skip, err := number(r, "sau")
	if err != nil {
		return err
	}
	severity := check.Severity(cmp.Or(r.URL.Query().Get("muc"), string(check.Error)))
	v, err := s.rule(r.Context(), a, r.PathValue("maGiaoDich"), p.Agent.Facility, r.PathValue("quyTac"), severity, skip)
	if err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, rulePage(v))
}

// hosoPage is GET /giam-dinh/{maGiaoDich}/ho-so/{thuTu}: one HOSO.
func (s *Service) hosoPage(w http.ResponseWriter, r *http.Request) error {
	p, a, err := s.caller(r, store.CanRead)
	if err != nil {
		return err
	}
	ordinal, err := strconv.ParseInt(r.PathValue("thuTu"), 10, 64)
	if err != nil || ordinal < 1 {
		return errNoReceipt
	}
	v, err := s.hoso(r.Context(), a, r.PathValue("maGiaoDich"), p.Agent.Facility, ordinal)
	if err != nil {
		return err
	}
	return httpx.HTML(w, r, http.StatusOK, hosoPage(v))
}
