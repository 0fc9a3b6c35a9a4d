package authn

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/trust"
)

// TakePath is where machine accounts sign in. Credentials are its body, and
// what a sender still carries in its headers is not looked at.
const TakePath = "/api/token/take"

var (
	errSeveral = outcome.New(outcome.Invalid, "signin.several",
		"Yêu cầu mang nhiều thông tin đăng nhập cùng lúc. Hãy chỉ gửi một.", "The request carries several credentials. Please send only one.")
	// ErrOpenLine answers to a credential over a line that is not encrypted.
	ErrOpenLine = outcome.New(outcome.Forbidden, "signin.open-line",
		"Đường truyền không được mã hóa nên không thể đăng nhập. Hãy dùng địa chỉ https://, hoặc http://localhost trên chính máy chủ.",
		"The connection is not encrypted, so nobody can sign in over it. Use the https:// address, or http://localhost on the server itself.")
)

// Authenticate finds who asks, by the session in the cookie, the gateway's
// headers or a bearer token, and puts them into the context. Without a
// credential the context stays as it is, and so with a session that has ended:
// a browser sends its cookie everywhere, and the open pages must still open.
// outcome.Login for a token that does not hold, outcome.Invalid for several
// credentials at once, outcome.Forbidden for one over a line that is not encrypted.
func (s *Service) Authenticate(r *http.Request) (context.Context, error) {
	ctx := r.Context()
	if r.URL.Path == TakePath {
		return ctx, nil
	}
	c, err := s.credentials(r)
	if err != nil || c == (credentials{}) {
		return ctx, err
	}
	if !s.Secure(r) {
		return ctx, ErrOpenLine
	}
	p, ok, err := s.principal(ctx, c)
	if err != nil || !ok {
		return ctx, err
	}
	p.Request, p.Remote = httpx.RequestID(ctx), httpx.Remote(r)
	return trust.With(ctx, p), nil
}

// credentials are what a request carries; at most one kind of them.
type credentials struct {
	cookie, bearer      string
	access, id, pwdHash string // the gateway's three headers
}

func (s *Service) credentials(r *http.Request) (c credentials, err error) {
	kinds := 0
	if list := r.CookiesNamed(s.cookieName(r)); len(list) > 0 {
		kinds += len(list)
		c.cookie = list[0].Value
	}
	if list := r.Header.Values("Authorization"); len(list) > 0 {
		kinds += len(list)
		scheme, token, _ := strings.Cut(list[0], " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			return c, errToken
		}
		c.bearer = token
	}
	// spec/qd3176/gateway.md §3: accessToken, tokenId, passwordHash
	three := 0
	for name, dest := range map[string]*string{"accessToken": &c.access, "tokenId": &c.id, "passwordHash": &c.pwdHash} {
		list := r.Header.Values(name)
		if len(list) > 1 {
			return c, errSeveral
		}
		if len(list) == 1 {
			*dest, three = list[0], three+1
		}
	}
	if three > 0 {
		kinds++
	}
	if kinds > 1 {
		return c, errSeveral
	}
	return c, nil
}

func (s *Service) principal(ctx context.Context, c credentials) (p trust.Principal, ok bool, err error) {
	switch {
	case c.cookie != "":
		x, found, err := s.find(ctx, c.cookie)
		if err != nil || !found {
			return p, false, err
		}
		s.touch(ctx, x)
		return trust.Principal{Agent: x.agent, Session: x.hash}, true, nil
	case strings.Contains(c.bearer, "."):
		p, err = s.bearer(c.bearer)
		return p, err == nil, err
	case c.bearer != "":
		return s.sender(ctx, c.bearer, func(key) bool { return true })
	}
	return s.sender(ctx, c.access, func(k key) bool {
		return same(k.idhash, hashOf(c.id)) && same(k.proof, proofOf(c.access, strings.ToUpper(c.pwdHash)))
	})
}

// sender is the machine account behind an access token.
func (s *Service) sender(ctx context.Context, access string, fits func(key) bool) (p trust.Principal, ok bool, err error) {
	k, found, err := s.keyOf(ctx, access)
	if err != nil {
		return p, false, err
	}
	if !found || !fits(k) {
		return p, false, errToken
	}
	return trust.Principal{Agent: machine(k.account, k.facility)}, true, nil
}

// Secure says whether credentials may travel on the request's line: it is
// encrypted, or it does not leave this machine (DESIGN.md decision 13).
func (s *Service) Secure(r *http.Request) bool { return s.encrypted(r) || Local(r) }

// encrypted: TLS ends here or at a proxy that the configuration names.
func (s *Service) encrypted(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	at := peer(r)
	for _, p := range s.Proxies {
		if p.Contains(at) {
			list := r.Header.Values("X-Forwarded-Proto")
			return len(list) == 1 && list[0] == "https"
		}
	}
	return false
}

// Local says whether the request comes from this machine and was meant for it.
// A forwarded request does not: a proxy on this machine may have got it over
// an open line. Nor does one under a foreign name: a page elsewhere can point
// its own name here.
func Local(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	if !peer(r).IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	at, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && at.IsLoopback()
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// Names of the session cookie. With the prefix __Host- a browser takes it only
// over TLS, from this very host and for all its paths (RFC 6265bis §4.1.3.2).
const (
	cookieTLS   = "__Host-ytso"
	cookieLocal = "ytso"
)

func (s *Service) cookieName(r *http.Request) string {
	if s.encrypted(r) {
		return cookieTLS
	}
	return cookieLocal
}

func (s *Service) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.encrypted(r), SameSite: http.SameSiteLaxMode,
	})
}

// SignIn redeems a link's token for a session of this browser, in place of the
// one it had. own says that the device belongs to the person alone.
// outcome.NotFound as at Peek; outcome.Forbidden over an open line.
func (s *Service) SignIn(w http.ResponseWriter, r *http.Request, token string, own bool) (a store.Agent, err error) {
	defer outcome.Wrap(&err, "authn.SignIn")
	if !s.Secure(r) {
		return a, ErrOpenLine
	}
	e := entry{Token: token, Own: own, Device: DeviceName(r.UserAgent()), Remote: httpx.Remote(r)}
	if p, ok := trust.From(r.Context()); ok {
		e.Replace = p.Session
	}
	session, x, err := s.signIn(r.Context(), e)
	if err != nil {
		return a, err
	}
	age := 0 // until the browser closes
	if spanOf(x.agent, own) == ownSpan {
		age = int(ownSpan.whole.Seconds())
	}
	s.setCookie(w, r, session, age)
	return x.agent, nil
}

// SignOut ends the session of this browser, if it has one, and takes its cookie away.
func (s *Service) SignOut(w http.ResponseWriter, r *http.Request) (err error) {
	defer outcome.Wrap(&err, "authn.SignOut")
	for _, c := range r.CookiesNamed(s.cookieName(r)) {
		x, found, err := s.find(r.Context(), c.Value)
		if err != nil {
			return err
		}
		if found {
			if err := s.signOut(r.Context(), x); err != nil {
				return err
			}
		}
	}
	s.setCookie(w, r, "", -1)
	return nil
}
