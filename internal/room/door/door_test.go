package door

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/db"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

// hand is a clock that a test moves.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

var _ clock.Clock = (*hand)(nil)

// house is a server with the door and nothing else.
type house struct {
	*hand
	authn *authn.Service
	edge  http.Handler
	url   string
}

func build(t *testing.T, tour func(context.Context) *Tour) house {
	t.Helper()
	h := &hand{at: time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)}
	st, err := sqlstore.Open(t.Context(), sqlstore.Options{
		Dir: t.TempDir(), Key: bytes.Repeat([]byte{7}, 32), Clock: h, Sets: []db.Set{{Room: "trust", FS: authn.Migrations()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	keys, err := keyfile.Open(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	who, err := authn.New(authn.Deps{Store: st, Keys: keys, Clock: h})
	if err != nil {
		t.Fatal(err)
	}
	room := New(Deps{Authn: who, Clock: h, Home: map[string]string{"citizen": "/so", "hospital": "/giam-dinh"}, Tour: tour}).Room()
	texts, err := i18n.Load(room.Messages, ui.Messages())
	if err != nil {
		t.Fatal(err)
	}
	edge, err := httpx.New(httpx.Config{
		Routes: room.Routes, Catalogue: texts, Authenticate: who.Authenticate, Strict: true,
		Role: func(ctx context.Context) (string, bool) {
			p, ok := trust.From(ctx)
			return p.Agent.Role, ok
		},
		Viewer: func(ctx context.Context, path string) context.Context {
			return ui.WithViewer(ctx, ui.Viewer{Nav: []ui.Tab{{Link: ui.Link{Href: "/tra-cuu", Text: "Tra cứu"}}, {Link: ui.Link{Href: room.Nav[0].Path, Text: "Thiết bị"}}}})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(edge)
	t.Cleanup(srv.Close)
	return house{h, who, edge, srv.URL}
}

var mai = authn.LinkFor{Role: trust.RoleCitizen, Person: "golden-1", Name: "Bàn Thị Mai"}

func (h house) link(t *testing.T, l authn.LinkFor) string {
	t.Helper()
	link, err := h.authn.NewLink(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return link.Path
}

// browser keeps cookies and follows nothing.
type browser struct {
	*http.Client
	base string
}

func (h house) browser() browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err)
	}
	return browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, h.url}
}

// page is an answer; doc is its HTML, nil when it is none.
type page struct {
	status   int
	location string
	body     string
	doc      *html.Node
	header   http.Header
}

func (b browser) do(t *testing.T, method, path string, form url.Values, headers ...string) page {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("Accept", "text/html")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return read(t, resp)
}

// unknown is a message key that shows as itself.
var unknown = regexp.MustCompile(`(door|ui)\.[a-z]+`)

func read(t *testing.T, resp *http.Response) page {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	p := page{resp.StatusCode, resp.Header.Get("Location"), string(body), nil, resp.Header}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		if p.doc, err = html.Parse(bytes.NewReader(body)); err != nil {
			t.Fatal(err)
		}
		if m := unknown.FindString(p.body); m != "" {
			t.Errorf("a text is missing: %s", m)
		}
	}
	return p
}

func (b browser) get(t *testing.T, path string, headers ...string) page {
	t.Helper()
	return b.do(t, http.MethodGet, path, nil, headers...)
}

func (b browser) post(t *testing.T, path string, pairs ...string) page {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return b.do(t, http.MethodPost, path, form)
}

// all finds the elements of a name whose attributes have these values.
func (p page) all(name string, attrs ...string) (list []*html.Node) {
	if p.doc == nil {
		return nil
	}
	for n := range p.doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != name {
			continue
		}
		fits := true
		for i := 0; i < len(attrs); i += 2 {
			v, has := attr(n, attrs[i])
			fits = fits && has && v == attrs[i+1]
		}
		if fits {
			list = append(list, n)
		}
	}
	return list
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func text(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// next lists the fields that say where to go afterwards; that of the language switch is not one of them.
func (p page) next() (list []*html.Node) {
	for _, n := range p.all("input", "name", "den") {
		if to, _ := attr(n.Parent, "action"); to != "/ngon-ngu" {
			list = append(list, n)
		}
	}
	return list
}

// main is the page without its shell.
func (p page) main(t *testing.T) page {
	t.Helper()
	list := p.all("main")
	if len(list) != 1 {
		t.Fatalf("%d mains", len(list))
	}
	p.doc = list[0]
	return p
}

// content is the page without its shell, which names its own address.
func (p page) content(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, n := range p.all("main") {
		if err := html.Render(&b, n); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func (p page) title() string {
	if h := p.all("h1"); len(h) == 1 {
		return text(h[0])
	}
	return ""
}

// whole checks what holds for each page: labels, and no way that leads nowhere.
func (p page) whole(t *testing.T) {
	t.Helper()
	if p.title() == "" {
		t.Error("a page has one heading")
	}
	for _, n := range p.all("input") {
		kind, _ := attr(n, "type")
		id, _ := attr(n, "id")
		if kind != "hidden" && len(p.all("label", "for", id)) != 1 {
			t.Errorf("input %q has no label", id)
		}
		if said, ok := attr(n, "aria-describedby"); ok {
			for _, id := range strings.Fields(said) {
				if len(p.all("p", "id", id))+len(p.all("span", "id", id)) != 1 {
					t.Errorf("%s describes nothing", id)
				}
			}
		}
	}
	for _, n := range p.all("form") {
		if m, _ := attr(n, "method"); m != "post" {
			t.Errorf("a form that goes by %q", m)
		}
	}
	for _, n := range append(p.all("a"), p.all("form")...) {
		to, ok := attr(n, "href")
		if !ok {
			to, _ = attr(n, "action")
		}
		if !strings.HasPrefix(to, "#") && !httpx.OwnPath(to) {
			t.Errorf("leads to %q", to)
		}
	}
	for _, n := range p.all("button") {
		if _, off := attr(n, "disabled"); off || text(n) == "" {
			t.Error("a button that does nothing or says nothing")
		}
	}
}

func TestFrontPage(t *testing.T) {
	b := build(t, nil).browser()
	for lang, want := range map[string]string{"vi": "Sổ sức khỏe của bạn, ở một nơi", "en": "Your health book, in one place"} {
		p := b.get(t, "/?den=/so/luot/1", "Cookie", httpx.LanguageCookie+"="+lang)
		p.whole(t)
		if p.status != 200 || p.title() != want || len(p.all("html", "lang", lang)) != 1 {
			t.Errorf("%d %q", p.status, p.title())
		}
		if len(p.all("form", "action", "/vao")) != 1 || len(p.all("input", "name", "ma")) != 1 || len(p.all("input", "type", "password")) != 0 {
			t.Error("one form that takes a code, and no password")
		}
		if n := p.next(); len(n) != 1 {
			t.Error("forgets where to go")
		} else if v, _ := attr(n[0], "value"); v != "/so/luot/1" {
			t.Errorf("goes to %q", v)
		}
		for _, later := range []string{"VNeID", "passkey"} {
			if strings.Contains(p.body, later) {
				t.Errorf("offers %s, which does not exist", later)
			}
		}
	}
}

// Where to go after signing in is a page of ours or nothing.
func TestNextIsOurs(t *testing.T) {
	h := build(t, nil)
	for den, want := range map[string]string{
		"/so/luot/1": "/so/luot/1", "/giam-dinh?tu=1": "/giam-dinh?tu=1",
		"": "/so", "/": "/so", "//evil.test/": "/so", "https://evil.test/": "/so", `/\evil.test`: "/so", "/\tx": "/so", "so": "/so", "javascript:alert(1)": "/so", "///evil.test": "/so",
	} {
		b := h.browser()
		path := h.link(t, mai)
		h.move(time.Minute)
		if p := b.get(t, "/?den="+url.QueryEscape(den)); len(p.next()) == 1 != (want == den) {
			t.Errorf("%q on the first page", den)
		}
		p := b.get(t, path+"?den="+url.QueryEscape(den))
		p.whole(t)
		if len(p.next()) == 1 != (want == den) {
			t.Errorf("%q on the page that asks", den)
		}
		if p := b.post(t, path, "den", den); p.status != 303 || p.location != want {
			t.Errorf("%q: %d to %q", den, p.status, p.location)
		}
	}
}

func TestPaste(t *testing.T) {
	h := build(t, nil)
	path := h.link(t, mai)
	code := strings.TrimPrefix(path, authn.LinkPath)
	b := h.browser()
	for _, pasted := range []string{
		code, " " + code + "\r\n", "http://localhost:8080" + path, "https://ytso.test" + path + "?den=/x", strings.ToUpper(code),
		"Trạm Y tế xã Hoa Lư gửi bà: https://ytso.test" + path + ". Đường dẫn dùng một lần.", "(" + path + ")",
	} {
		if p := b.post(t, "/vao", "ma", pasted); p.status != 303 || p.location != path {
			t.Errorf("%q: %d to %q", pasted, p.status, p.location)
		}
	}
	if p := b.post(t, "/vao", "ma", code, "den", "/so/luot/1"); p.location != path+"?den=%2Fso%2Fluot%2F1" {
		t.Errorf("to %q", p.location)
	}
	for _, junk := range []string{"", "x", code[1:], code + code, "123456", "https://evil.test/"} {
		p := b.post(t, "/vao", "ma", junk)
		p.whole(t)
		if p.status != 422 || len(p.all("input", "aria-invalid", "true")) != 1 {
			t.Errorf("%q: %d", junk, p.status)
		}
	}
}

func TestWayInAndOut(t *testing.T) {
	h := build(t, nil)
	b, path := h.browser(), h.link(t, mai)
	for range 3 { // a scanner of messages opens it first
		p := b.get(t, path)
		p.whole(t)
		if p.status != 200 || p.title() != "Chào Bàn Thị Mai" || len(p.all("form", "action", path)) != 1 || len(p.all("input", "name", "rieng", "type", "checkbox")) != 1 {
			t.Fatalf("%d %q", p.status, p.title())
		}
		if p.header.Get("Cache-Control") != "no-store" || p.header.Get("Referrer-Policy") != "no-referrer" {
			t.Error("the page with the link in its address is kept, or told on")
		}
	}
	if p := b.get(t, "/thiet-bi"); p.status != 303 || p.location != "/?den=%2Fthiet-bi" {
		t.Errorf("not signed in: %d to %q", p.status, p.location)
	}
	p := b.post(t, path)
	if p.status != 303 || p.location != "/so" || !strings.Contains(p.header.Get("Set-Cookie"), "HttpOnly; SameSite=Lax") || strings.Contains(p.header.Get("Set-Cookie"), "Max-Age") {
		t.Fatalf("%d to %q, %s", p.status, p.location, p.header.Get("Set-Cookie"))
	}
	if p := b.get(t, "/"); p.status != 303 || p.location != "/so" {
		t.Errorf("the first page of who is in: %d to %q", p.status, p.location)
	}
	again := b.get(t, h.link(t, authn.LinkFor{Role: trust.RoleHospital, Facility: "25001", Name: "Giám định viên"}))
	again.whole(t)
	if !strings.Contains(text(again.doc), "Máy này đang đăng nhập với tên Bàn Thị Mai") || len(again.all("input", "name", "rieng")) != 0 {
		t.Error("does not say that somebody is signed in, or keeps staff signed in")
	}
	if p := b.get(t, path); p.status != 404 || !strings.Contains(text(p.doc), "Bạn đang đăng nhập trên máy này") {
		t.Errorf("a used link, to who is in: %d", p.status)
	}
	if p := b.post(t, "/ra"); p.status != 303 || p.location != "/" {
		t.Errorf("out: %d", p.status)
	}
	if p := b.get(t, "/thiet-bi"); p.status != 303 {
		t.Errorf("after leaving: %d", p.status)
	}
	if p := b.post(t, "/ra"); p.status != 303 {
		t.Errorf("out twice: %d", p.status)
	}
}

func TestOwnDeviceIsKept(t *testing.T) {
	h := build(t, nil)
	b := h.browser()
	if p := b.post(t, h.link(t, mai), "rieng", "1"); !strings.Contains(p.header.Get("Set-Cookie"), "Max-Age=2592000") {
		t.Error(p.header.Get("Set-Cookie"))
	}
	h.move(6 * 24 * time.Hour)
	if p := b.get(t, "/thiet-bi"); p.status != 200 {
		t.Errorf("after six days: %d", p.status)
	}
	shared := h.browser()
	shared.post(t, h.link(t, mai))
	h.move(31 * time.Minute)
	if p := shared.get(t, "/thiet-bi"); p.status != 303 {
		t.Errorf("shared, after half an hour: %d", p.status)
	}
}

// Wrong, used and expired answer with the same bytes, and say what to do next.
func TestDeadLinks(t *testing.T) {
	h := build(t, nil)
	used, old := h.link(t, mai), h.link(t, mai)
	h.browser().post(t, used)
	h.move(16 * time.Minute)
	wrong := authn.LinkPath + strings.Repeat("a", 52)
	first := h.browser().get(t, wrong)
	first.whole(t)
	if first.status != 404 || len(first.all("form", "action", "/vao")) != 1 || !strings.Contains(text(first.doc), "gửi đường dẫn mới") {
		t.Errorf("%d %s", first.status, text(first.doc))
	}
	for _, path := range []string{used, old, wrong, authn.LinkPath + "x", authn.LinkPath + "%2e%2e%2f"} {
		for _, p := range []page{h.browser().get(t, path), h.browser().post(t, path)} {
			if p.status != first.status || p.content(t) != first.content(t) || p.header.Get("Set-Cookie") != "" {
				t.Errorf("%s looks different: %d", path, p.status)
			}
		}
	}
}

// SECURITY.md case 10, for links: one line can only cause so much work.
func TestManyTries(t *testing.T) {
	h := build(t, nil)
	good := h.link(t, mai)
	got := map[int]int{}
	for i := range 60 {
		path := authn.LinkPath + strings.Repeat(string(rune('a'+i%26)), 52)
		if i%2 == 0 {
			got[h.browser().get(t, path).status]++
		} else {
			got[h.browser().post(t, path).status]++
		}
	}
	if got[404] != tryBurst || got[429] != 60-tryBurst {
		t.Errorf("%v", got)
	}
	if p := h.browser().get(t, good); p.status != 429 {
		t.Errorf("a good link answers otherwise: %d", p.status)
	}
	h.move(tryEvery)
	if p := h.browser().get(t, good); p.status != 200 {
		t.Errorf("the link was used up by the wait: %d", p.status)
	}
}

func TestDevicesPage(t *testing.T) {
	h := build(t, nil)
	phone, desk := h.browser(), h.browser()
	phone.do(t, "POST", h.link(t, mai), nil, "User-Agent", "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/126.0.0.0 Mobile Safari/537.36")
	h.move(time.Minute)
	desk.post(t, h.link(t, mai))
	p := phone.get(t, "/thiet-bi")
	p.whole(t)
	cards := p.all("section")
	if len(cards) != 2 || text(p.all("h2")[0]) != "Chrome · Android" || text(p.all("h2")[1]) != "Thiết bị chưa rõ loại" {
		t.Fatalf("%d cards: %s", len(cards), text(p.doc))
	}
	if !strings.Contains(text(cards[0]), "Thiết bị này") || !strings.Contains(text(cards[1]), "08:01 10/03/2026") {
		t.Errorf("%s | %s", text(cards[0]), text(cards[1]))
	}
	ids := p.all("input", "name", "id")
	if len(ids) != 1 || len(p.all("input", "name", "khac")) != 1 {
		t.Fatal("one device to end, and all others")
	}
	id, _ := attr(ids[0], "value")
	stranger := h.browser()
	stranger.post(t, h.link(t, authn.LinkFor{Role: trust.RoleCitizen, Person: "golden-2"}))
	stranger.post(t, "/thiet-bi", "id", id)
	if p := desk.get(t, "/thiet-bi"); p.status != 200 {
		t.Fatal("somebody else ended it")
	}
	if p := phone.post(t, "/thiet-bi", "id", id); p.status != 303 || p.location != "/thiet-bi?xong=1" {
		t.Fatalf("%d %s", p.status, p.location)
	}
	if p := desk.get(t, "/thiet-bi"); p.status != 303 {
		t.Error("the ended device still opens")
	}
	desk.post(t, h.link(t, mai))
	if p := phone.post(t, "/thiet-bi", "khac", "1"); p.status != 303 {
		t.Fatal(p.status)
	}
	if p := desk.get(t, "/thiet-bi"); p.status != 303 {
		t.Error("the other device still opens")
	}
	if p := phone.get(t, "/thiet-bi?xong=1"); p.status != 200 || len(p.all("section")) != 1 || len(p.all("input", "name", "khac")) != 0 {
		t.Error("one's own device ended, or others are left")
	}
}

func TestRoleWithoutAPage(t *testing.T) {
	h := build(t, nil)
	b := h.browser()
	if p := b.post(t, h.link(t, authn.LinkFor{Role: trust.RoleDoctor, Facility: "25001", Person: "bs-1"})); p.location != "/" {
		t.Errorf("to %q", p.location)
	}
	p := b.get(t, "/")
	p.whole(t)
	if p.status != 200 || p.title() != "Chưa có trang cho vai trò này" || len(p.main(t).all("a", "href", "/tra-cuu")) != 1 || len(p.main(t).all("a", "href", "/thiet-bi")) != 1 || len(p.all("form", "action", "/ra")) != 1 {
		t.Errorf("%d %s", p.status, text(p.doc))
	}
}

// A page elsewhere must not sign anybody in or out (login CSRF among it).
func TestForeignPagesAreRefused(t *testing.T) {
	h := build(t, func(context.Context) *Tour { return &Tour{Stops: []Stop{{Role: "citizen", For: mai}}} })
	b, path := h.browser(), h.link(t, mai)
	other := h.link(t, mai)
	b.post(t, path)
	for _, to := range []string{"/vao", other, "/ra", "/thiet-bi", "/ngon-ngu", "/thu/0", "/api/token/take"} {
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.test"}} {
			if p := b.do(t, "POST", to, url.Values{"khac": {"1"}}, headers...); p.status != 403 || p.header.Get("Set-Cookie") != "" {
				t.Errorf("%s %v: %d", to, headers, p.status)
			}
		}
	}
	if p := b.get(t, "/thiet-bi"); p.status != 200 {
		t.Error("signed out by another page")
	}
	if p := h.browser().get(t, other); p.status != 200 {
		t.Error("a link was used up by another page")
	}
}

func TestLanguage(t *testing.T) {
	b := build(t, nil).browser()
	if p := b.post(t, "/ngon-ngu", "lang", "en", "den", "/"); p.status != 303 || p.location != "/" {
		t.Errorf("%d %q", p.status, p.location)
	}
	if p := b.get(t, "/"); p.title() != "Your health book, in one place" {
		t.Error(p.title())
	}
}

func TestTake(t *testing.T) {
	h := build(t, nil)
	user, secret, err := h.authn.AddAccount(t.Context(), "25001")
	if err != nil {
		t.Fatal(err)
	}
	hash := md5Hex(secret)
	form := url.Values{"username": {user}, "password": {hash}}.Encode()
	wrong := url.Values{"username": {user}, "password": {md5Hex("x")}}.Encode()
	asJSON := `{"username":"` + user + `","password":"` + strings.ToLower(hash) + `"}`
	const urlencoded, js = "application/x-www-form-urlencoded", "application/json; charset=utf-8"
	here := func(r *http.Request) {}
	for name, tt := range map[string]struct {
		kind, body string
		line       func(*http.Request)
		status     int
		code       string
	}{
		"form":                   {urlencoded, form, here, 200, "200"},
		"JSON":                   {js, asJSON, here, 200, "200"},
		"old tokens in headers":  {urlencoded, form, func(r *http.Request) { r.Header.Set("accessToken", "old"); r.Header.Set("tokenId", "old") }, 200, "200"},
		"wrong":                  {urlencoded, wrong, here, 200, "401"},
		"nobody":                 {js, `{"username":"99999_BV","password":"` + hash + `"}`, here, 200, "401"},
		"clear password":         {js, `{"username":"` + user + `","password":"` + secret + `"}`, here, 200, "401"},
		"blank":                  {urlencoded, "", here, 400, "400"},
		"junk":                   {js, `{"username":`, here, 400, "400"},
		"credentials in address": {urlencoded, "", func(r *http.Request) { r.URL.RawQuery = form }, 400, "400"},
		"other content type":     {"text/plain", form, here, 400, "400"},
		"too long":               {urlencoded, form + "&x=" + strings.Repeat("x", maxTake), here, 413, "413"},
		"open line":              {urlencoded, form, func(r *http.Request) { r.RemoteAddr = "192.0.2.1:9" }, 403, "403"},
		"open line before proxy": {urlencoded, form, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") }, 403, "403"},
		"foreign name":           {urlencoded, form, func(r *http.Request) { r.Host = "evil.test" }, 403, "403"},
	} {
		r := httptest.NewRequest("POST", "http://localhost/api/token/take", strings.NewReader(tt.body))
		r.RemoteAddr = "127.0.0.1:9"
		r.Header.Set("Content-Type", tt.kind)
		tt.line(r)
		w := httptest.NewRecorder()
		h.edge.ServeHTTP(w, r)
		var got struct {
			MaKetQua, ThongDiep string
			APIKey              *authn.APIKey
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v %s", name, err, w.Body)
		}
		if w.Code != tt.status || got.MaKetQua != tt.code || (got.APIKey != nil) != (tt.code == "200") || (got.ThongDiep == "") != (tt.code == "200") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), hash) || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: the answer repeats the password", name)
		}
		h.move(10 * time.Second)
	}
	if p := h.browser().get(t, "/api/token/take", "Accept", "application/json"); p.status != 405 {
		t.Errorf("by GET: %d", p.status)
	}
}

func TestTakeTooOften(t *testing.T) {
	h := build(t, nil)
	got := map[int]int{}
	for range 30 {
		p := h.browser().do(t, "POST", "/api/token/take", url.Values{"username": {"25001_BV"}, "password": {md5Hex("x")}})
		got[p.status]++
		if p.status == 429 && (p.header.Get("Retry-After") == "" || !strings.Contains(p.body, `"maKetQua":"429"`)) {
			t.Error(p.body)
		}
	}
	if got[200] != 20 || got[429] != 10 {
		t.Errorf("%v", got)
	}
}

func TestTour(t *testing.T) {
	progress := Progress{Done: 1234, Total: 5000}
	stops := []Stop{
		{Role: "citizen", Title: "Bà Bàn Thị Mai, 67 tuổi", Text: "Tăng huyết áp, khám hằng tháng.", For: mai},
		{Role: "hospital", Title: "Bệnh viện Đa khoa", Text: "Gửi hồ sơ mỗi ngày.", Path: "/giam-dinh/moi", For: authn.LinkFor{Role: "hospital", Facility: "25001"}},
		{Role: "department", Title: "Sở Y tế", Text: "Xem số liệu."},
	}
	h := build(t, func(context.Context) *Tour { return &Tour{progress, stops} })
	b := h.browser()
	p := b.get(t, "/")
	p.whole(t)
	if len(p.all("ul", "class", "tour")) != 1 || len(p.all("h3")) != 3 || len(p.all("form", "action", "/thu/0")) != 1 || len(p.all("form", "action", "/thu/2")) != 0 {
		t.Error("three stops, of which two can be tried")
	}
	if bar := p.all("progress"); len(bar) != 1 {
		t.Error("no progress")
	} else if v, _ := attr(bar[0], "value"); v != "24" {
		t.Errorf("progress %s", v)
	}
	if !strings.Contains(text(p.doc), "1.234 trên 5.000 lượt khám") || !strings.Contains(text(p.doc), "Tải lại") || len(p.all("ol", "class", "steps")) != 1 {
		t.Error(text(p.doc))
	}
	if p := b.get(t, "/tien-do", "Accept", "application/json"); strings.TrimSpace(p.body) != `{"percent":24,"text":"1.234 trên 5.000 lượt khám đã vào sổ. Không cần đợi hết: ai đã có hồ sơ thì vào xem được ngay.","finished":false,"ready":2}` {
		t.Error(p.body)
	}
	if p := b.get(t, "/", "Cookie", httpx.LanguageCookie+"=en"); !strings.Contains(text(p.doc), "1,234 of 5,000 visits") {
		t.Error(text(p.doc))
	}
	if p := b.post(t, "/thu/0"); p.status != 303 || p.location != "/so" {
		t.Errorf("%d to %q", p.status, p.location)
	}
	if p := b.get(t, "/"); p.status != 200 || !strings.Contains(text(p.doc), "Bạn đang vào với tên Bàn Thị Mai") || len(p.all("a", "href", "/so")) != 1 {
		t.Error("the tour stays, and says who is in")
	}
	if p := b.post(t, "/thu/1"); p.location != "/giam-dinh/moi" {
		t.Errorf("to %q", p.location)
	}
	for _, n := range []string{"2", "3", "-1", "x"} {
		if p := b.post(t, "/thu/"+n); p.status != 404 {
			t.Errorf("stop %s: %d", n, p.status)
		}
	}
	if p := b.get(t, "/thu/0"); p.status != 405 {
		t.Errorf("by GET: %d", p.status)
	}
	for name, change := range map[string]func(*http.Request){
		"elsewhere":    func(r *http.Request) { r.RemoteAddr = "192.0.2.1:9" },
		"foreign name": func(r *http.Request) { r.Host = "evil.test" },
		"over TLS":     func(r *http.Request) { r.RemoteAddr, r.TLS = "192.0.2.1:9", &tls.ConnectionState{} },
		"forwarded":    func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
	} {
		r := httptest.NewRequest("POST", "http://localhost/thu/0", nil)
		r.RemoteAddr = "127.0.0.1:9"
		change(r)
		w := httptest.NewRecorder()
		h.edge.ServeHTTP(w, r)
		if w.Code != 403 || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d", name, w.Code)
		}
		r.Method, r.URL.Path = "GET", "/"
		w = httptest.NewRecorder()
		h.edge.ServeHTTP(w, r)
		if p := read(t, w.Result()); len(p.all("form", "action", "/thu/0")) != 0 {
			t.Errorf("%s: a button that will not work", name)
		}
	}
	progress = Progress{Done: 5000, Total: 5000, Finished: true}
	if p := b.get(t, "/"); strings.Contains(text(p.doc), "Tải lại") || len(p.all("progress", "value", "100")) != 1 {
		t.Error("finished, and still running")
	}
}

func TestNoTourOutsideADemonstration(t *testing.T) {
	b := build(t, nil).browser()
	for _, p := range []page{b.get(t, "/tien-do"), b.post(t, "/thu/0")} {
		if p.status != 404 {
			t.Error(p.status)
		}
	}
}

func TestPercentIsFullOnlyAtTheEnd(t *testing.T) {
	for p, want := range map[Progress]int{{}: 0, {0, 10, false}: 0, {10, 10, false}: 99, {11, 10, false}: 99, {-1, 10, false}: 0, {3, 10, true}: 100} {
		if got := p.percent(); got != want {
			t.Errorf("%+v: %d, want %d", p, got, want)
		}
	}
}

// md5Hex is what a sender makes of its password (spec/qd3176/gateway.md §2).
func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
