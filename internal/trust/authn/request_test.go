package authn

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

func exec(sql string, args ...any) func(store.Tx) error {
	return func(tx store.Tx) error {
		_, err := tx.Exec(context.Background(), sql, args...)
		return err
	}
}

func note(user string) store.Note { return store.Note{Action: "signin.take", Entity: user} }

// request comes over loopback unless changed.
func request(change ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest("GET", "http://localhost:8080/so", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	for _, f := range change {
		f(r)
	}
	return r
}

func cookie(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: name, Value: value}) }
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func from(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
func encrypted(r *http.Request) {
	r.TLS, r.RemoteAddr, r.Host = &tls.ConnectionState{}, "192.0.2.1:5000", "ytso.test"
}

func TestAuthenticate(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		s.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.80/32")}
		session, md5 := s.session(t, citizen, true), ""
		user, md5 := s.add(t, "25001")
		k, err := s.TakeToken(t.Context(), user, md5, "")
		if err != nil {
			t.Fatal(err)
		}
		other, err := s.TakeToken(t.Context(), user, md5, "")
		if err != nil {
			t.Fatal(err)
		}
		signed, err := s.IssueToken(t.Context(), "system/*.rs", "", 0)
		if err != nil {
			t.Fatal(err)
		}
		gateway := func(access, id, hash string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Set("accessToken", access)
				r.Header.Set("tokenId", id)
				r.Header.Set("passwordHash", hash)
			}
		}
		bearer := func(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }
		proxied := func(proto string) func(*http.Request) {
			return func(r *http.Request) {
				r.RemoteAddr, r.Host = "192.0.2.80:99", "ytso.test"
				r.Header.Set("X-Forwarded-Proto", proto)
			}
		}
		const nobody = ""
		for name, tt := range map[string]struct {
			r    *http.Request
			who  string // agent, "" nobody
			fail outcome.Kind
		}{
			"nothing":                  {request(), nobody, ""},
			"session":                  {request(cookie("ytso", session)), "golden-1", ""},
			"session, IPv6":            {request(cookie("ytso", session), from("[::1]:9"), host("[::1]:8080")), "golden-1", ""},
			"session over TLS":         {request(encrypted, cookie("__Host-ytso", session)), "golden-1", ""},
			"session, trusted proxy":   {request(proxied("https"), cookie("__Host-ytso", session)), "golden-1", ""},
			"open name over TLS":       {request(encrypted, cookie("ytso", session)), nobody, ""},
			"session ended":            {request(cookie("ytso", newToken())), nobody, ""},
			"cookie of junk":           {request(cookie("ytso", "x")), nobody, ""},
			"hash as cookie":           {request(cookie("ytso", hashOf(session))), nobody, ""},
			"two cookies":              {request(cookie("ytso", session), cookie("ytso", newToken())), nobody, outcome.Invalid},
			"gateway":                  {request(gateway(k.AccessToken, k.IDToken, md5)), user, ""},
			"gateway, lower case":      {request(gateway(k.AccessToken, k.IDToken, strings.ToLower(md5))), user, ""},
			"gateway, other's id":      {request(gateway(k.AccessToken, other.IDToken, md5)), nobody, outcome.Login},
			"gateway, no id":           {request(gateway(k.AccessToken, "", md5)), nobody, outcome.Login},
			"gateway, wrong hash":      {request(gateway(k.AccessToken, k.IDToken, md5Hex("x"))), nobody, outcome.Login},
			"gateway, no hash":         {request(header("accessToken", k.AccessToken), header("tokenId", k.IDToken)), nobody, outcome.Login},
			"gateway, swapped":         {request(gateway(k.IDToken, k.AccessToken, md5)), nobody, outcome.Login},
			"gateway, hash only":       {request(header("passwordHash", md5)), nobody, outcome.Login},
			"gateway, token twice":     {request(header("accessToken", k.AccessToken), header("accessToken", k.AccessToken)), nobody, outcome.Invalid},
			"access as bearer":         {request(bearer(k.AccessToken)), user, ""},
			"id as bearer":             {request(bearer(k.IDToken)), nobody, outcome.Login},
			"session as bearer":        {request(bearer(session)), nobody, outcome.Login},
			"access as cookie":         {request(cookie("ytso", k.AccessToken)), nobody, ""},
			"signed":                   {request(bearer(signed)), "token/", ""},
			"signed, lower scheme":     {request(header("Authorization", "bearer "+signed)), "token/", ""},
			"signed over TLS":          {request(encrypted, bearer(signed)), "token/", ""},
			"basic":                    {request(header("Authorization", "Basic dXNlcjpwYXNz")), nobody, outcome.Login},
			"bearer of nothing":        {request(header("Authorization", "Bearer ")), nobody, outcome.Login},
			"session and bearer":       {request(cookie("ytso", session), bearer(signed)), nobody, outcome.Invalid},
			"session and gateway":      {request(cookie("ytso", session), gateway(k.AccessToken, k.IDToken, md5)), nobody, outcome.Invalid},
			"bearer and gateway":       {request(bearer(signed), gateway(k.AccessToken, k.IDToken, md5)), nobody, outcome.Invalid},
			"two bearers":              {request(bearer(signed), bearer(k.AccessToken)), nobody, outcome.Invalid},
			"open line":                {request(from("192.0.2.1:5000"), bearer(signed)), nobody, outcome.Forbidden},
			"open line, session":       {request(from("192.0.2.1:5000"), cookie("ytso", session)), nobody, outcome.Forbidden},
			"open line, claims https":  {request(from("192.0.2.1:5000"), header("X-Forwarded-Proto", "https"), bearer(signed)), nobody, outcome.Forbidden},
			"open line, claims local":  {request(from("192.0.2.1:5000"), header("X-Forwarded-For", "127.0.0.1"), bearer(signed)), nobody, outcome.Forbidden},
			"proxy on this machine":    {request(header("X-Forwarded-For", "192.0.2.1"), bearer(signed)), nobody, outcome.Forbidden},
			"trusted proxy, open line": {request(proxied("http"), bearer(signed)), nobody, outcome.Forbidden},
			"trusted proxy, two words": {request(proxied("https"), header("X-Forwarded-Proto", "http"), bearer(signed)), nobody, outcome.Forbidden},
			// SECURITY.md case 8, and DNS rebinding.
			"foreign name":        {request(host("localhost.evil.test:8080"), bearer(signed)), nobody, outcome.Forbidden},
			"foreign name, digit": {request(host("127.0.0.1.evil.test"), bearer(signed)), nobody, outcome.Forbidden},
		} {
			ctx, err := s.Authenticate(tt.r)
			if tt.fail != "" {
				if err == nil || outcome.KindOf(err) != tt.fail {
					t.Errorf("%s: %v, want %s", name, err, tt.fail)
				}
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			p, ok := trust.From(ctx)
			if ok != (tt.who != nobody) || !strings.HasPrefix(p.Agent.ID, tt.who) {
				t.Errorf("%s: it is %q", name, p.Agent.ID)
			}
			if ok && p.Remote == "" {
				t.Errorf("%s: no address for the audit", name)
			}
			if ok && (p.Scopes == nil) == strings.HasPrefix(p.Agent.ID, "token/") {
				t.Errorf("%s: scopes %v", name, p.Scopes)
			}
		}
		s.move(keyTTL)
		if _, err := s.Authenticate(request(gateway(k.AccessToken, k.IDToken, md5))); outcome.KindOf(err) != outcome.Login {
			t.Errorf("a token of yesterday: %v", err)
		}
		// SECURITY.md case 11: the device was revoked, the cookie is still there.
		if err := s.Revoke(s.as(t, session), hashOf(session)); err != nil {
			t.Fatal(err)
		}
		if ctx, err := s.Authenticate(request(cookie("ytso", session))); err != nil || ctx == nil {
			t.Errorf("revoked: %v", err)
		} else if _, ok := trust.From(ctx); ok {
			t.Error("a revoked session still opens")
		}
	})
}

// A sender that signs in again may still carry what it had.
func TestTakeIgnoresHeaders(t *testing.T) {
	r := request(header("accessToken", "old"), header("Authorization", "Basic x"))
	r.URL.Path = TakePath
	if _, err := lite(t).Authenticate(r); err != nil {
		t.Error(err)
	}
}

// SECURITY.md case 9: a new server has no account, and nothing to set one up.
func TestNoDefaultAccounts(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		if n := len(s.texts(t, 1, `SELECT name FROM trust_account`)) + len(s.texts(t, 1, `SELECT hash FROM trust_session`)); n != 0 {
			t.Errorf("%d rows", n)
		}
		for _, user := range []string{"admin", "25001_BV", "ytso", "01000_BV"} {
			for _, word := range []string{"admin", "", "123456", "ytso"} {
				if _, err := s.TakeToken(t.Context(), user, md5Hex(word), ""); outcome.KindOf(err) != outcome.Login {
					t.Errorf("%s: %v", user, err)
				}
			}
		}
	})
}

func TestCookie(t *testing.T) {
	s := lite(t)
	for name, tt := range map[string]struct {
		r    *http.Request
		own  bool
		want []string
	}{
		"loopback, shared": {request(), false, []string{"ytso=", "Path=/", "HttpOnly", "SameSite=Lax"}},
		"TLS, own":         {request(encrypted), true, []string{"__Host-ytso=", "Path=/", "Max-Age=2592000", "HttpOnly", "Secure", "SameSite=Lax"}},
	} {
		w := httptest.NewRecorder()
		if _, err := s.SignIn(w, tt.r, s.token(t, citizen), tt.own); err != nil {
			t.Fatal(err)
		}
		got := strings.Split(w.Header().Get("Set-Cookie"), "; ")
		value := strings.TrimPrefix(got[0], tt.want[0])
		got[0] = tt.want[0]
		if !TokenShaped(value) || strings.Join(got, "; ") != strings.Join(tt.want, "; ") {
			t.Errorf("%s: %s", name, w.Header().Get("Set-Cookie"))
		}
	}
	w := httptest.NewRecorder()
	if _, err := s.SignIn(w, request(from("192.0.2.1:5")), s.token(t, citizen), false); outcome.KindOf(err) != outcome.Forbidden || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("over an open line: %v", err)
	}
}

// No fixation: signing in ends the browser's session and never takes over its token.
func TestSignInAndOut(t *testing.T) {
	engines(t, func(t *testing.T, s house) {
		old := s.session(t, citizen, false)
		r := request(cookie("ytso", old))
		ctx, err := s.Authenticate(r)
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		if _, err := s.SignIn(w, r.WithContext(ctx), s.token(t, LinkFor{Role: trust.RoleAdmin}), false); err != nil {
			t.Fatal(err)
		}
		now := w.Result().Cookies()[0].Value
		if now == old || s.alive(t, old) || !s.alive(t, now) {
			t.Error("the old session goes on")
		}
		w = httptest.NewRecorder()
		if err := s.SignOut(w, request(cookie("ytso", now))); err != nil {
			t.Fatal(err)
		}
		if c := w.Result().Cookies()[0]; s.alive(t, now) || c.MaxAge >= 0 || c.Value != "" {
			t.Errorf("signed out: %+v", c)
		}
		if err := s.SignOut(httptest.NewRecorder(), request(cookie("ytso", now))); err != nil {
			t.Errorf("signed out twice: %v", err)
		}
		if got := s.audit(t); !strings.HasPrefix(got[len(got)-1], "signin.leave ok admin") {
			t.Errorf("%v", got)
		}
	})
}

func TestDeviceName(t *testing.T) {
	for ua, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                        "Chrome · Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) coc_coc_browser/126.0.0 Chrome/120.0.0.0 Safari/537.36":                "Cốc Cốc · Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0":                          "Edge · Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":                "Safari · iPhone",
		"Mozilla/5.0 (Linux; Android 13; SM-A145F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 Zalo android/24051320 ZaloTheme": "Zalo · Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0":                                                                                 "Firefox · Linux",
		"curl/8.5.0": "", "": "",
	} {
		if got := DeviceName(ua); got != want {
			t.Errorf("%q of %q, want %q", got, ua, want)
		}
	}
}
