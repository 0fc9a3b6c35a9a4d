package httpx

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/id"
)

type requestKey struct{}

type request struct {
	id, path string
	remote   netip.Addr
	secure   bool
}

// withRequest numbers a request: 80 random bits in four groups that a person
// can read out. A number that the caller brings is not used: it could be
// anything, and it would stand in the log and in the audit.
func withRequest(r *http.Request, proxies []netip.Prefix) context.Context {
	n, here := id.Number(), "/"
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		here = r.URL.RequestURI()
	}
	remote, secure := origin(r, proxies)
	return context.WithValue(r.Context(), requestKey{}, request{n[:4] + "-" + n[4:8] + "-" + n[8:12] + "-" + n[12:16], here, remote, secure})
}

// RequestID is the number of the request, as the log, the audit and the error
// page show it; "" outside a request.
func RequestID(ctx context.Context) string {
	r, _ := ctx.Value(requestKey{}).(request)
	return r.id
}

// Here is the path and query of the page that is shown, to which the language
// switch returns; "/" when it can't be opened again by its address.
func Here(ctx context.Context) string {
	if r, ok := ctx.Value(requestKey{}).(request); ok {
		return r.path
	}
	return "/"
}

// origin finds who called and whether nobody could listen. What the headers
// X-Forwarded-For and X-Forwarded-Proto say is believed of our own proxies
// only: anybody else can send them too.
func origin(r *http.Request, proxies []netip.Prefix) (remote netip.Addr, secure bool) {
	remote, secure = peer(r), r.TLS != nil
	if !within(remote, proxies) {
		return remote, secure
	}
	if list := r.Header.Values("X-Forwarded-Proto"); len(list) == 1 && strings.EqualFold(list[0], "https") {
		secure = true
	}
	// Each proxy adds whom it heard at the end: the first from there that is none of ours is the caller.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		remote = a.Unmap().WithZone("")
		if !within(remote, proxies) {
			break
		}
	}
	return remote, secure
}

// peer is the other end of the connection.
func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

func within(a netip.Addr, list []netip.Prefix) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// caller is the address of who called; one that is not valid when there is none.
func caller(r *http.Request) netip.Addr {
	if q, ok := r.Context().Value(requestKey{}).(request); ok {
		return q.remote
	}
	return peer(r)
}

// Remote is the caller's address without port; "" when there is none. Behind
// one of Config.Proxies it is that of whom the proxy heard.
func Remote(r *http.Request) string {
	if a := caller(r); a.IsValid() {
		return a.String()
	}
	return ""
}

// Secure says that the connection is encrypted, to us or to one of Config.Proxies.
func Secure(r *http.Request) bool {
	if q, ok := r.Context().Value(requestKey{}).(request); ok {
		return q.secure
	}
	return r.TLS != nil
}

// Origin is the address of this server as the caller sees it, without a slash
// at its end: "https://so.example.vn". It is what the caller itself sent
// (Host), so it goes into answers to this caller only.
func Origin(r *http.Request) string {
	if Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// Network is what a Limiter should count by: the address, of IPv6 the /64 that
// one line owns, whose 2⁶⁴ addresses would each begin anew.
func Network(r *http.Request) string {
	a := caller(r)
	if !a.IsValid() || a.Is4() {
		return Remote(r)
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// LanguageCookie holds the language that a person chose.
const LanguageCookie = "lang"

// languageOf is the language of the reader: as chosen, else Vietnamese for a page, and for a
// program the first of ours that it names.
func languageOf(r *http.Request) i18n.Lang {
	if c, err := r.Cookie(LanguageCookie); err == nil {
		switch l := i18n.Lang(c.Value); l {
		case i18n.VI, i18n.EN:
			return l
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		return i18n.VI // most clinic PCs have an English browser and a Vietnamese reader
	}
	accepted := r.Header.Get("Accept-Language")
	if len(accepted) > 200 {
		return i18n.VI
	}
	tags, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil {
		return i18n.VI
	}
	for _, t := range tags {
		switch base, _ := t.Base(); base.String() {
		case "vi":
			return i18n.VI
		case "en":
			return i18n.EN
		}
	}
	return i18n.VI
}

// SetLanguage is the handler of the language switch in the shell of a page:
// form fields "lang" (vi or en) and "den" (own path to return to).
func SetLanguage(w http.ResponseWriter, r *http.Request) error {
	l := i18n.VI
	if r.PostFormValue("lang") == string(i18n.EN) {
		l = i18n.EN
	}
	http.SetCookie(w, &http.Cookie{
		Name: LanguageCookie, Value: string(l), Path: "/", MaxAge: 365 * 24 * 60 * 60,
		HttpOnly: true, Secure: Secure(r), SameSite: http.SameSiteLaxMode,
	})
	back := r.PostFormValue("den")
	if !OwnPath(back) {
		back = "/"
	}
	return Redirect(w, r, back)
}

// accepts says whether the caller names the type in Accept; a missing header names none.
func accepts(r *http.Request, contentType string) bool {
	for _, list := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(list, ",") {
			name, params, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), contentType) && !refused(params) {
				return true
			}
		}
	}
	return false
}

// refused says that the parameters of an Accept entry hold q=0 (RFC 9110 §12.4.2).
func refused(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "q") {
			return strings.Trim(value, "0.") == ""
		}
	}
	return false
}
