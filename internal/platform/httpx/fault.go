package httpx

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// fail answers with an error in the shape of the edge it came to. The caller
// gets the sentence and a reference; the log gets the cause under the same reference.
func (s *edge) fail(a *answer, r *http.Request, err error) {
	e := outcome.As(err)
	if tooLong(err) {
		e = errTooLong.Because(err)
	}
	s.logFault(r, e, err)
	if !a.reset() {
		a.broken = true
		return
	}
	faultHeaders(a.Header(), e)
	switch {
	case fhirPath(r):
		writeOutcome(a, r, e)
	case apiPath(r):
		writeReply(a, r, e)
	case e.Kind == outcome.Login && toDoor(a, r):
	default:
		s.page(a, r, e)
	}
}

// logFault writes the cause. Sentences and causes hold no person's data by the
// rule of the house; the address and its query are left out.
func (s *edge) logFault(r *http.Request, e *outcome.Error, err error) {
	level := slog.LevelInfo
	list := []slog.Attr{
		slog.String("reference", RequestID(r.Context())), slog.String("route", r.Pattern),
		slog.String("kind", string(e.Kind)), slog.String("key", e.Key), slog.String("cause", err.Error()),
	}
	if e.Kind.Status() >= 500 && r.Context().Err() == nil { // a client that went away is nobody's fault
		level = slog.LevelError
	}
	var p *panicked
	if errors.As(err, &p) {
		level = slog.LevelError
		list = append(list, slog.String("stack", string(p.stack)))
	}
	s.Log.LogAttrs(r.Context(), level, "fault", list...)
}

func faultHeaders(h http.Header, e *outcome.Error) {
	switch status := e.Kind.Status(); {
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="ytso"`) // RFC 9110 §11.6.1 wants one with 401
	case h.Get("Retry-After") != "":
	case status == http.StatusTooManyRequests:
		h.Set("Retry-After", "60")
	case status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "30")
	}
}

func fhirPath(r *http.Request) bool {
	return r.URL.Path == "/fhir" || strings.HasPrefix(r.URL.Path, "/fhir/")
}

func apiPath(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || accepts(r, "application/json") && !accepts(r, "text/html")
}

// reply is an error in the words of the insurer's gateway, whose clients our
// callers are (spec/qd3176/gateway.md): maKetQua is the status as text.
type reply struct {
	MaKetQua  string `json:"maKetQua"`
	ThongDiep string `json:"thongDiep"`
	Message   string `json:"message"`
	ThamChieu string `json:"thamChieu"`
}

func writeReply(a *answer, r *http.Request, e *outcome.Error) {
	status := a.statusOf(e)
	writeJSON(a, "application/json; charset=utf-8", status, reply{strconv.Itoa(status), e.VI, e.EN, RequestID(r.Context())})
}

// severity is the FHIR R4 issue-severity of a kind: fatal for what stopped us, not the caller.
func severity(k outcome.Kind) string {
	switch {
	case k == outcome.Informational:
		return "information"
	case k.Status() == http.StatusInternalServerError:
		return "fatal"
	}
	return "error"
}

// code is the FHIR R4 issue-type of a kind; it has none for a stale version.
func code(k outcome.Kind) string {
	if k == outcome.Stale {
		return string(outcome.Conflict)
	}
	return string(k)
}

// writeJSON writes what can't fail to encode.
func writeJSON(a *answer, contentType string, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	a.Header().Set("Content-Type", contentType)
	a.WriteHeader(status)
	_, _ = a.Write(b) // the caller has gone: nobody is left to tell
}

// toDoor leads a person who has not signed in to the door, which leads back
// afterwards. A fragment that htmx asked for moves the whole page there.
func toDoor(a *answer, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == "/" {
		return false
	}
	door := "/?den=" + url.QueryEscape(r.URL.Path)
	if r.Header.Get("HX-Request") == "true" {
		a.Header().Set("HX-Redirect", door)
		a.WriteHeader(http.StatusUnauthorized)
		return true
	}
	if !accepts(r, "text/html") {
		return false
	}
	http.Redirect(a, r, door, http.StatusSeeOther)
	return true
}

// page shows the error to a person; when that fails too, one plain sentence is left.
func (s *edge) page(a *answer, r *http.Request, e *outcome.Error) {
	if s.ErrorPage != nil {
		err := guard(func() error {
			s.ErrorPage(a, r, e, RequestID(r.Context()))
			return nil
		})
		if err == nil && a.status != 0 {
			return
		}
		if err != nil {
			s.logFault(r, outcome.As(err), err)
		}
		if !a.reset() {
			a.broken = true
			return
		}
	}
	a.Header().Set("Content-Type", "text/plain; charset=utf-8")
	a.WriteHeader(e.Kind.Status())
	_, _ = a.Write([]byte(i18n.Pick(r.Context(), e.VI, e.EN) + "\n" + RequestID(r.Context()) + "\n"))
}
