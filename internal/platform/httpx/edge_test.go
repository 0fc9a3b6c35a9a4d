package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// house is an edge with a few routes and a memory of what it was told.
type house struct {
	http.Handler
	log    *bytes.Buffer
	denied []string
	ran    int // times that a handler ran
}

type roleKey struct{}

func newHouse(t *testing.T, more ...Route) *house {
	t.Helper()
	h := &house{log: &bytes.Buffer{}}
	ok := func(w http.ResponseWriter, _ *http.Request) error {
		h.ran++
		_, err := io.WriteString(w, "ok")
		return err
	}
	read := func(w http.ResponseWriter, r *http.Request) error {
		h.ran++
		if _, err := io.ReadAll(r.Body); err != nil {
			return outcome.New(outcome.Invalid, "test.read", "Không đọc được.", "Can't be read.").Because(err)
		}
		return nil
	}
	c := Config{
		Routes: append([]Route{
			{Pattern: "GET /{$}", Who: Open, Handler: ok},
			{Pattern: "GET /so/{tab}", Who: Only("citizen"), Handler: ok},
			{Pattern: "GET /dong", Handler: ok},
			{Pattern: "POST /gui", Who: Only("citizen"), MaxBody: 100, Handler: read},
			{Pattern: "POST /mo", Who: Open, Handler: read},
			{Pattern: "GET /fhir/Patient", Who: Only("doctor"), Handler: ok},
			{Pattern: "GET /api/ho-so", Who: Only("machine"), Handler: ok},
		}, more...),
		Authenticate: func(r *http.Request) (context.Context, error) {
			switch a := r.Header.Get("Authorization"); a {
			case "":
				return r.Context(), nil
			case "old":
				return nil, outcome.New(outcome.Login, "test.old", "Phiên đã hết hạn.", "The session has ended.")
			case "down":
				return nil, outcome.New(outcome.Transient, "test.down", "Xin thử lại.", "Please try again.")
			default:
				return context.WithValue(r.Context(), roleKey{}, a), nil
			}
		},
		Role: func(ctx context.Context) (string, bool) { s, ok := ctx.Value(roleKey{}).(string); return s, ok },
		ErrorPage: func(w http.ResponseWriter, r *http.Request, e *outcome.Error, reference string) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(e.Kind.Status())
			fmt.Fprintf(w, "<p>%s</p><p>%s</p>", i18n.Pick(r.Context(), e.VI, e.EN), reference)
		},
		Denied: func(_ context.Context, r *http.Request, e *outcome.Error) {
			h.denied = append(h.denied, r.Pattern+" "+string(e.Kind))
		},
		Log: slog.New(slog.NewJSONHandler(h.log, nil)),
	}
	var err error
	if h.Handler, err = New(c); err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends a request; header is "Name: value" lines.
func (h *house) ask(method, target, body string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHeaders(t *testing.T) {
	h := newHouse(t)
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
			"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
		"Strict-Transport-Security":    "",
	}
	for _, target := range []string{"/", "/so/1", "/khong-co", "/dong", "/api/ho-so", "/fhir/Patient"} {
		r := h.ask("GET", target, "")
		for name, value := range want {
			if got := r.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", target, name, got, value)
			}
		}
		if p := r.Header.Get("Permissions-Policy"); !strings.Contains(p, "camera=(self)") || !strings.Contains(p, "microphone=()") {
			t.Errorf("%s: Permissions-Policy %q", target, p)
		}
	}
	r := httptest.NewRequest("GET", "https://ytso.example/", nil)
	r.TLS = &tls.ConnectionState{}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("Strict-Transport-Security"); !strings.HasPrefix(got, "max-age=31536000") {
		t.Errorf("over TLS: %q", got)
	}
}

func TestRequestIDIsOurOwn(t *testing.T) {
	h := newHouse(t)
	a := h.ask("GET", "/", "", "X-Request-Id: evil")
	b := h.ask("GET", "/", "")
	first, second := a.Header.Get("X-Request-Id"), b.Header.Get("X-Request-Id")
	if len(first) != 19 || first == second || strings.Contains(first, "evil") {
		t.Errorf("%q, %q", first, second)
	}
	if !strings.Contains(h.log.String(), first) {
		t.Error("the log does not know the request")
	}
}

func TestWhoMayEnter(t *testing.T) {
	for _, c := range []struct {
		target, as, accept string
		status             int
		location, denied   string
	}{
		{"/", "", "text/html", 200, "", ""},
		{"/", "old", "text/html", 200, "", ""}, // the door opens to one whose session has ended
		{"/", "down", "text/html", 503, "", ""},
		{"/so/1", "citizen", "text/html", 200, "", ""},
		{"/so/1?tim=Lan", "", "text/html", 303, "/?den=%2Fso%2F1", "GET /so/{tab} login"},
		{"/so/1", "old", "text/html", 303, "/?den=%2Fso%2F1", "GET /so/{tab} login"},
		{"/so/1", "", "*/*", 401, "", "GET /so/{tab} login"},
		{"/so/1", "", "application/json", 401, "", "GET /so/{tab} login"},
		{"/so/1", "doctor", "text/html", 403, "", "GET /so/{tab} forbidden"},
		{"/so/1", "down", "text/html", 503, "", ""},
		{"/dong", "admin", "text/html", 403, "", "GET /dong forbidden"},
		{"/dong", "", "text/html", 403, "", "GET /dong forbidden"},
		{"/api/ho-so", "", "text/html", 401, "", "GET /api/ho-so login"},
		{"/api/ho-so", "citizen", "", 403, "", "GET /api/ho-so forbidden"},
		{"/fhir/Patient", "", "text/html", 401, "", "GET /fhir/Patient login"},
		{"/fhir/Patient", "doctor", "", 200, "", ""},
		{"/khong-co", "", "text/html", 404, "", ""},
		{"/gui", "", "text/html", 405, "", ""},
	} {
		t.Run(c.target+" as "+c.as+" "+c.accept, func(t *testing.T) {
			h := newHouse(t)
			r := h.ask("GET", c.target, "", "Accept: "+c.accept, "Authorization: "+c.as)
			if r.StatusCode != c.status || r.Header.Get("Location") != c.location {
				t.Errorf("%d %q, want %d %q", r.StatusCode, r.Header.Get("Location"), c.status, c.location)
			}
			if got := strings.Join(h.denied, ","); got != c.denied {
				t.Errorf("denied %q, want %q", got, c.denied)
			}
			if ran := h.ran == 1; ran != (c.status == 200) {
				t.Errorf("handler ran: %v", ran)
			}
			if (r.Header.Get("WWW-Authenticate") != "") != (c.status == 401 || c.status == 303) {
				t.Errorf("WWW-Authenticate %q", r.Header.Get("WWW-Authenticate"))
			}
			if c.status == 405 && r.Header.Get("Allow") != "POST" {
				t.Errorf("Allow %q", r.Header.Get("Allow"))
			}
		})
	}
}

func TestFragmentMovesTheWholePageToTheDoor(t *testing.T) {
	r := newHouse(t).ask("GET", "/so/1", "", "Accept: text/html", "HX-Request: true")
	if r.StatusCode != 401 || r.Header.Get("HX-Redirect") != "/?den=%2Fso%2F1" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
}

func TestNewRefuses(t *testing.T) {
	ok := func(http.ResponseWriter, *http.Request) error { return nil }
	for name, c := range map[string]Config{
		"names nobody":   {Strict: true, Routes: []Route{{Pattern: "GET /a", Handler: ok}}},
		"has no handler": {Routes: []Route{{Pattern: "GET /a", Who: Open}}},
		"names roles as": {Routes: []Route{{Pattern: "GET /a", Who: Who{Open: true, Roles: []string{"admin"}}, Handler: ok}}},
		"conflicts":      {Routes: []Route{{Pattern: "GET /{a}", Who: Open, Handler: ok}, {Pattern: "GET /{b}", Who: Open, Handler: ok}}},
		"invalid method": {Routes: []Route{{Pattern: "G@T /a", Who: Open, Handler: ok}}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Routes: []Route{{Pattern: "GET /a", Handler: ok}}}); err != nil {
		t.Errorf("a route that names nobody is closed, not an error, outside tests: %v", err)
	}
}

var kinds = []outcome.Kind{
	outcome.Invalid, outcome.Structure, outcome.Required, outcome.Value, outcome.BusinessRule, outcome.NotSupported,
	outcome.NotFound, outcome.Deleted, outcome.Conflict, outcome.Stale, outcome.MultipleMatch, outcome.Login, outcome.Forbidden,
	outcome.TooLong, outcome.TooCostly, outcome.Throttled, outcome.Timeout, outcome.Transient, outcome.Exception,
}

func TestEachKindOnEachEdge(t *testing.T) {
	fail := func(_ http.ResponseWriter, r *http.Request) error {
		e := outcome.New(outcome.Kind(r.URL.Query().Get("kind")), "test.kind", "Câu tiếng Việt.", "English sentence.")
		return fmt.Errorf("around: %w", e.At("Patient.name").Because(errors.New("cause for the log")))
	}
	h := newHouse(t,
		Route{Pattern: "GET /trang", Who: Open, Handler: fail},
		Route{Pattern: "GET /api/loi", Who: Open, Handler: fail},
		Route{Pattern: "GET /fhir/Loi", Who: Open, Handler: fail})
	for _, k := range kinds {
		query := "?kind=" + url.QueryEscape(string(k))
		page := h.ask("GET", "/trang"+query, "")
		if body := text(t, page); page.StatusCode != k.Status() || !strings.Contains(body, "Câu tiếng Việt.") ||
			!strings.Contains(body, page.Header.Get("X-Request-Id")) || strings.Contains(body, "cause") {
			t.Errorf("%s page: %d %s", k, page.StatusCode, body)
		}

		api := h.ask("GET", "/api/loi"+query, "")
		var reply map[string]string
		if err := json.NewDecoder(api.Body).Decode(&reply); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(k.Status()); api.StatusCode != k.Status() || reply["maKetQua"] != want || len(reply) != 4 ||
			reply["thongDiep"] != "Câu tiếng Việt." || reply["message"] != "English sentence." || reply["thamChieu"] != api.Header.Get("X-Request-Id") {
			t.Errorf("%s API: %d %v", k, api.StatusCode, reply)
		}

		fhir := h.ask("GET", "/fhir/Loi"+query, "", "Accept-Language: en")
		var o operationOutcome
		if err := json.NewDecoder(fhir.Body).Decode(&o); err != nil {
			t.Fatal(err)
		}
		wantCode, wantSeverity := string(k), "error"
		if k == outcome.Stale {
			wantCode = "conflict"
		}
		if k == outcome.Exception {
			wantSeverity = "fatal"
		}
		if ct := fhir.Header.Get("Content-Type"); fhir.StatusCode != k.Status() || ct != "application/fhir+json; charset=utf-8" ||
			o.ResourceType != "OperationOutcome" || o.ID != fhir.Header.Get("X-Request-Id") || len(o.Issue) != 1 ||
			o.Issue[0].Code != wantCode || o.Issue[0].Severity != wantSeverity ||
			o.Issue[0].Details.Text != "English sentence." || !slices.Equal(o.Issue[0].Expression, []string{"Patient.name"}) {
			t.Errorf("%s FHIR: %d %s %+v", k, fhir.StatusCode, ct, o)
		}
	}
	if !strings.Contains(h.log.String(), "cause for the log") {
		t.Error("the log has no cause")
	}
	if r := h.ask("GET", "/trang?kind=value", "", "Accept: application/json"); r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("a program that wants JSON got %s", r.Header.Get("Content-Type"))
	}
	for kind, want := range map[string]string{"throttled": "60", "transient": "30"} {
		if got := h.ask("GET", "/api/loi?kind="+kind, "").Header.Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q", kind, got)
		}
	}
}

func TestLogTellsNoQueryAndNoPath(t *testing.T) {
	h := newHouse(t)
	h.ask("GET", "/so/NguyenVanA?tim=0123456789", "", "Authorization: citizen")
	h.ask("GET", "/khong/NguyenVanA?tim=0123456789", "")
	h.ask("NGUYENVANA", "/khong", "")
	log := h.log.String()
	if strings.Contains(log, "0123456789") || strings.Contains(strings.ToUpper(log), "NGUYENVANA") {
		t.Errorf("the log tells the address: %s", log)
	}
	var line struct {
		Msg, Method, Route, Request string
		Status, Bytes               int
		MS                          float64
	}
	if err := json.Unmarshal([]byte(strings.SplitAfter(log, "\n")[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Msg != "request" || line.Method != "GET" || line.Route != "GET /so/{tab}" || line.Status != 200 || line.Bytes != 2 || line.Request == "" {
		t.Errorf("%+v", line)
	}
}

func TestBodyTooLong(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("a", 101)
	if r := h.ask("POST", "/gui", long, "Authorization: citizen"); r.StatusCode != 413 || h.ran != 0 {
		t.Errorf("announced: %d, ran %d", r.StatusCode, h.ran)
	}
	// Of a body without announced length the handler sees the bound, and the edge says 413 whatever it made of it.
	r := httptest.NewRequest("POST", "/gui", struct{ io.Reader }{strings.NewReader(long)})
	r.ContentLength = -1
	r.Header.Set("Authorization", "citizen")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 413 || h.ran != 1 {
		t.Errorf("streamed: %d, ran %d", w.Code, h.ran)
	}
	if r := h.ask("POST", "/gui", long[:100], "Authorization: citizen"); r.StatusCode != 200 {
		t.Errorf("at the bound: %d", r.StatusCode)
	}
	if r := h.ask("POST", "/mo", strings.Repeat("a", 1<<20+1)); r.StatusCode != 413 {
		t.Errorf("default bound: %d", r.StatusCode)
	}
}

func TestCrossOrigin(t *testing.T) {
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"own page", []string{"Sec-Fetch-Site: same-origin", "Cookie: s=1"}, 200},
		{"typed by hand", []string{"Sec-Fetch-Site: none"}, 200},
		{"other site", []string{"Sec-Fetch-Site: cross-site", "Cookie: s=1"}, 403},
		{"sister site", []string{"Sec-Fetch-Site: same-site", "Cookie: s=1"}, 403},
		{"old browser, other site", []string{"Origin: https://evil.example", "Cookie: s=1"}, 403},
		{"old browser, own page", []string{"Origin: http://example.com", "Cookie: s=1"}, 200},
		{"program", nil, 200},
		{"program with token", []string{"accessToken: t", "Origin: https://his.example"}, 200},
		{"program with bearer", []string{"Authorization: citizen", "Origin: https://his.example"}, 200},
		{"browser with cookie and header", []string{"Authorization: citizen", "Origin: https://his.example", "Cookie: s=1"}, 403},
	} {
		h := newHouse(t)
		if r := h.ask("POST", "/mo", "", c.header...); r.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, r.StatusCode, c.status)
		}
		if want := c.status == 403; (len(h.denied) == 1) != want || (h.ran == 0) != want {
			t.Errorf("%s: denied %v, ran %d", c.name, h.denied, h.ran)
		}
	}
}

func TestPanics(t *testing.T) {
	h := newHouse(t,
		Route{Pattern: "GET /vo", Who: Open, Handler: func(w http.ResponseWriter, _ *http.Request) error {
			io.WriteString(w, "half")
			panic("Nguyễn Văn A")
		}},
		Route{Pattern: "GET /chi-so", Who: Open, Handler: func(http.ResponseWriter, *http.Request) error {
			var list []int
			_ = list[len(list)]
			return nil
		}},
		Route{Pattern: "GET /nua-chung", Who: Open, Handler: func(w http.ResponseWriter, _ *http.Request) error {
			io.WriteString(w, strings.Repeat("a", 2*worthwhile))
			panic("too late")
		}})
	r := h.ask("GET", "/vo", "")
	if body := text(t, r); r.StatusCode != 500 || strings.Contains(body, "half") || !strings.Contains(body, r.Header.Get("X-Request-Id")) {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	if log := h.log.String(); strings.Contains(log, "Nguyễn") || !strings.Contains(log, "panic: string") || !strings.Contains(log, "edge_test.go") {
		t.Errorf("log: %s", log)
	}
	if r := h.ask("GET", "/chi-so", ""); r.StatusCode != 500 || !strings.Contains(h.log.String(), "index out of range") {
		t.Errorf("%d", r.StatusCode)
	}
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("half an answer passes for a whole one")
		}
	}()
	h.ask("GET", "/nua-chung", "")
}

func TestPanicOfErrorPage(t *testing.T) {
	h, err := New(Config{ErrorPage: func(http.ResponseWriter, *http.Request, *outcome.Error, string) { panic("page") }})
	if err != nil {
		t.Fatal(err)
	}
	r := (&house{Handler: h}).ask("GET", "/", "", "Accept-Language: en")
	if body := text(t, r); r.StatusCode != 404 || !strings.HasPrefix(body, "There is no page") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		cookie, accept string
		want           i18n.Lang
	}{
		{"", "", i18n.VI},
		{"", "en-GB,en;q=0.9", i18n.EN},
		{"", "vi;q=0.5,en;q=0.9", i18n.EN},
		{"", "fr,de", i18n.VI},
		{"", "fr,en;q=0.1", i18n.EN},
		{"", "%%%", i18n.VI},
		{"", strings.Repeat("en,", 100), i18n.VI},
		{"en", "vi", i18n.EN},
		{"vi", "en", i18n.VI},
		{"xx", "en", i18n.EN},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", c.accept)
		if c.cookie != "" {
			r.AddCookie(&http.Cookie{Name: LanguageCookie, Value: c.cookie})
		}
		if got := languageOf(r); got != c.want {
			t.Errorf("%q %q: %s", c.cookie, c.accept, got)
		}
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		want := i18n.VI // a page is Vietnamese until somebody chooses
		if c.cookie == "en" {
			want = i18n.EN
		}
		if got := languageOf(r); got != want {
			t.Errorf("page %q %q: %s", c.cookie, c.accept, got)
		}
	}
}

func TestSetLanguage(t *testing.T) {
	h := newHouse(t, Route{Pattern: "POST /ngon-ngu", Who: Open, Handler: SetLanguage})
	for _, c := range [][3]string{{"lang=en&den=/so/1", "en", "/so/1"}, {"lang=fr&den=//evil.example", "vi", "/"}, {"", "vi", "/"}} {
		r := h.ask("POST", "/ngon-ngu", c[0], "Content-Type: application/x-www-form-urlencoded")
		k := r.Cookies()
		if r.StatusCode != 303 || r.Header.Get("Location") != c[2] || len(k) != 1 || k[0].Value != c[1] || !k[0].HttpOnly || k[0].SameSite != http.SameSiteLaxMode {
			t.Errorf("%v: %d %v", c, r.StatusCode, r.Header)
		}
	}
}

func TestOwnPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/so/1?trang=2#a": true, "/giám-định": true,
		"": false, "so": false, "//evil.example": false, "/\\evil.example": false, "/\t/evil.example": false, "https://evil.example/": false,
		"javascript:alert(1)": false, "/a\r\nSet-Cookie: x": false, "/%zz": false,
	} {
		if OwnPath(path) != want {
			t.Errorf("%q: %v", path, !want)
		}
		w := httptest.NewRecorder()
		err := Redirect(w, httptest.NewRequest("GET", "/", nil), path)
		if want != (err == nil) || want != (w.Code == 303) || !want && outcome.KindOf(err) != outcome.Invalid {
			t.Errorf("%q: %d %v", path, w.Code, err)
		}
	}
}

func TestGzip(t *testing.T) {
	long := strings.Repeat("Sổ sức khỏe. ", 1000)
	send := func(contentType, body string, header ...string) Handler {
		return func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", contentType)
			for _, l := range header {
				name, value, _ := strings.Cut(l, ": ")
				w.Header().Set(name, value)
			}
			for part := range slices.Chunk([]byte(body), 700) {
				if _, err := w.Write(part); err != nil {
					return err
				}
			}
			return nil
		}
	}
	h := newHouse(t,
		Route{Pattern: "GET /dai", Who: Open, Handler: send("text/html; charset=utf-8", long, "Content-Length: 99")},
		Route{Pattern: "GET /ngan", Who: Open, Handler: send("text/html", "ngắn")},
		Route{Pattern: "GET /anh", Who: Open, Handler: send("image/png", long)},
		Route{Pattern: "GET /fhir+json", Who: Open, Handler: send("application/fhir+json", long)},
		Route{Pattern: "GET /da-nen", Who: Open, Handler: send("text/html", long, "Content-Encoding: identity")})
	for _, c := range []struct {
		target, accept string
		zipped         bool
	}{
		{"/dai", "br, gzip", true}, {"/dai", "", false}, {"/dai", "gzip;q=0", false}, {"/ngan", "gzip", false},
		{"/anh", "gzip", false}, {"/fhir+json", "gzip", true}, {"/da-nen", "gzip", false},
	} {
		r := h.ask("GET", c.target, "", "Accept-Encoding: "+c.accept)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != c.zipped {
			t.Errorf("%s %s: gzip %v", c.target, c.accept, got)
			continue
		}
		if !c.zipped {
			if body := text(t, r); body != long && body != "ngắn" {
				t.Errorf("%s: body differs", c.target)
			}
			continue
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil || string(b) != long || r.Header.Get("Content-Length") != "" || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v %v", c.target, err, r.Header)
		}
	}
}

func TestPiecesLeaveAtOnce(t *testing.T) {
	next := make(chan bool)
	h := newHouse(t, Route{Pattern: "GET /tien-do", Who: Open, Handler: func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 2 {
			io.WriteString(w, "data: 1\n\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				return err
			}
			<-next
		}
		return nil
	}})
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.Get(server.URL + "/tien-do")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	for range 2 {
		b := make([]byte, 9)
		if _, err := io.ReadFull(r.Body, b); err != nil || string(b) != "data: 1\n\n" {
			t.Fatalf("%q %v", b, err)
		}
		next <- true
	}
}

func TestHTMLAndJSON(t *testing.T) {
	bad := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		io.WriteString(w, "<p>half</p>")
		return errors.New("the data ran out")
	})
	h := newHouse(t,
		Route{Pattern: "GET /tot", Who: Open, Handler: func(w http.ResponseWriter, r *http.Request) error { return HTML(w, r, 422, templ.Raw("<p>x</p>")) }},
		Route{Pattern: "GET /hong", Who: Open, Handler: func(w http.ResponseWriter, r *http.Request) error { return HTML(w, r, 200, bad) }},
		Route{Pattern: "GET /json", Who: Open, Handler: func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 201, map[string]int{"a": 1}) }},
		Route{Pattern: "GET /json-hong", Who: Open, Handler: func(w http.ResponseWriter, _ *http.Request) error { return JSON(w, 201, func() {}) }})
	if r := h.ask("GET", "/tot", ""); r.StatusCode != 422 || text(t, r) != "<p>x</p>" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if r := h.ask("GET", "/hong", ""); r.StatusCode != 500 || strings.Contains(text(t, r), "half") {
		t.Errorf("%d", r.StatusCode)
	}
	if r := h.ask("GET", "/json", ""); r.StatusCode != 201 || text(t, r) != "{\"a\":1}\n" {
		t.Errorf("%d", r.StatusCode)
	}
	if r := h.ask("GET", "/json-hong", ""); r.StatusCode != 500 {
		t.Errorf("%d", r.StatusCode)
	}
}

func TestStatic(t *testing.T) {
	css := []byte(strings.Repeat("body { color: black }\n", 100))
	hash := FileHash(css)
	tree := fstest.MapFS{
		"style." + hash + ".css": {Data: css},
		"claims/upload.js":       {Data: css},
		"fonts/a.woff2":          {Data: []byte("font")},
	}
	authenticated := 0
	handler, err := New(Config{
		Routes:       []Route{{Pattern: "GET /static/", Who: Open, Handler: Static(tree, time.Hour)}},
		Authenticate: func(r *http.Request) (context.Context, error) { authenticated++; return r.Context(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Handler: handler}
	const forever = "public, max-age=31536000, immutable"
	for _, c := range []struct{ target, cache, contentType string }{
		{"/static/style." + hash + ".css", forever, "text/css; charset=utf-8"},
		{"/static/claims/upload.js", "public, max-age=3600", "text/javascript; charset=utf-8"},
		{"/static/claims/upload.js?v=" + hash, forever, "text/javascript; charset=utf-8"},
		{"/static/claims/upload.js?v=other", "public, max-age=3600", "text/javascript; charset=utf-8"},
		{"/static/fonts/a.woff2", "public, max-age=3600", "font/woff2"},
	} {
		for _, accept := range []string{"", "gzip"} {
			r := h.ask("GET", c.target, "", "Accept-Encoding: "+accept)
			if r.StatusCode != 200 || r.Header.Get("Cache-Control") != c.cache || r.Header.Get("Content-Type") != c.contentType {
				t.Errorf("%s: %d %v", c.target, r.StatusCode, r.Header)
			}
			again := h.ask("GET", c.target, "", "Accept-Encoding: "+accept, "If-None-Match: "+r.Header.Get("ETag"))
			if r.Header.Get("ETag") == "" || again.StatusCode != 304 || text(t, again) != "" {
				t.Errorf("%s: ETag %q, then %d", c.target, r.Header.Get("ETag"), again.StatusCode)
			}
		}
	}
	zipped := h.ask("GET", "/static/claims/upload.js", "", "Accept-Encoding: gzip")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, css) {
		t.Errorf("gzip differs: %v", err)
	}
	if r := h.ask("GET", "/static/claims/upload.js", "", "Accept-Encoding: gzip", "Range: bytes=0-3"); r.StatusCode != 206 || text(t, r) != "body" {
		t.Errorf("range: %d", r.StatusCode)
	}
	for _, target := range []string{"/static/", "/static/claims", "/static/khong.css", "/static/%2e%2e/go.mod"} {
		if r := h.ask("GET", target, ""); r.StatusCode != 404 || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", target, r.StatusCode)
		}
	}
	if authenticated > 1 { // the one address outside the route
		t.Errorf("files asked %d times who looks", authenticated)
	}
}

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	c := &hand{now}
	l := NewLimiter(c, time.Minute, 3)
	for i, want := range []bool{true, true, true, false, false} {
		if l.Allow("a") != want {
			t.Errorf("try %d: %v", i, !want)
		}
	}
	if !l.Allow("b") {
		t.Error("another key is slowed down")
	}
	c.now = now.Add(time.Minute)
	if !l.Allow("a") || l.Allow("a") {
		t.Error("after a minute there is one more try")
	}
	for i := range 2 * shardCount * shardMax {
		l.Allow(fmt.Sprint(i))
	}
	total := 0
	for i := range l.shards {
		total += len(l.shards[i].keys)
	}
	if total > shardCount*shardMax {
		t.Errorf("%d keys are kept", total)
	}
	c.now = now.Add(time.Hour)
	for i := range 100 * shardCount {
		l.Allow("later" + fmt.Sprint(i))
	}
	total = 0
	for i := range l.shards {
		total += len(l.shards[i].keys)
	}
	if total > 100*shardCount {
		t.Errorf("%d keys are kept after an hour", total)
	}
}

// hand is a clock that a test sets.
type hand struct{ now time.Time }

func (h *hand) Now() time.Time { return h.now }

var _ clock.Clock = (*hand)(nil)

func TestRemote(t *testing.T) {
	for _, c := range [][3]string{
		{"192.0.2.1:1234", "192.0.2.1", "192.0.2.1"},
		{"[::ffff:192.0.2.1]:80", "192.0.2.1", "192.0.2.1"},
		{"[2001:db8:1:2:3::4%eth0]:80", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"@", "", ""},
	} {
		r := &http.Request{RemoteAddr: c[0]}
		if Remote(r) != c[1] || Network(r) != c[2] {
			t.Errorf("%s: %q %q", c[0], Remote(r), Network(r))
		}
	}
}

func TestBehindProxies(t *testing.T) {
	own := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16")}
	for _, c := range []struct {
		peer      string
		forwarded []string
		proto     []string
		remote    string
		secure    bool
	}{
		{"127.0.0.1:80", []string{"192.0.2.7"}, []string{"https"}, "192.0.2.7", true},
		{"127.0.0.1:80", []string{"6.6.6.6, 192.0.2.7, 10.1.2.3"}, []string{"http"}, "192.0.2.7", false}, // what the caller wrote stands before
		{"127.0.0.1:80", []string{"6.6.6.6", "192.0.2.7"}, nil, "192.0.2.7", false},
		{"127.0.0.1:80", []string{"10.1.2.3"}, []string{"https", "http"}, "10.1.2.3", false},
		{"127.0.0.1:80", []string{"192.0.2.7, rubbish"}, nil, "127.0.0.1", false},
		{"127.0.0.1:80", nil, nil, "127.0.0.1", false},
		{"192.0.2.9:80", []string{"6.6.6.6"}, []string{"https"}, "192.0.2.9", false}, // anybody can say so
	} {
		var remote string
		var secure bool
		h, err := New(Config{Proxies: own, Routes: []Route{{Pattern: "GET /", Who: Open, Handler: func(_ http.ResponseWriter, r *http.Request) error {
			remote, secure = Remote(r), Secure(r)
			return nil
		}}}})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"], r.Header["X-Forwarded-Proto"] = c.forwarded, c.proto
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if remote != c.remote || secure != c.secure || (w.Header().Get("Strict-Transport-Security") != "") != c.secure {
			t.Errorf("%v: %s %v", c, remote, secure)
		}
	}
}

func TestServerLimits(t *testing.T) {
	s := Server(http.NotFoundHandler())
	if s.ReadHeaderTimeout == 0 || s.ReadTimeout == 0 || s.WriteTimeout == 0 || s.IdleTimeout == 0 || s.MaxHeaderBytes == 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("%+v", s)
	}
	// A body that may be large gets the time that a slow line needs.
	slow := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/", nil)
	r.ContentLength = 32 << 20
	(&edge{}).patience(&answer{ResponseWriter: slow}, r, 96<<20)
	if left := time.Until(slow.read); left < 30*time.Minute || left > 40*time.Minute || !slow.write.After(slow.read) {
		t.Errorf("%v to read", left)
	}
}

type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }
