package exchange

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// Endpoints says where notifications may go. A server that calls any address
// it is told is a tool against its neighbours (SECURITY.md attack case 35), so
// that the operator names each, and none is named by default.
type Endpoints struct {
	// Allowed are addresses: scheme, host, port and, when it has one, the path
	// below which everything is allowed: "https://his.example.vn/fhir". http is
	// taken only of this very machine (localhost, 127.0.0.1, ::1).
	Allowed []string
	// Private lets a name on the list resolve to a private address, as that of a
	// hospital in the same network does. An address that stands on the list as a
	// number is allowed as it is.
	Private bool
}

var (
	errEndpointForm = outcome.New(outcome.Value, "exchange.endpoint-form",
		"Địa chỉ nhận thông báo phải là https://… và không chứa tên đăng nhập.", "The endpoint must be https://… and carry no user name.")
	errEndpointClosed = outcome.New(outcome.BusinessRule, "exchange.endpoint-closed",
		"Người vận hành chưa cho phép gửi thông báo tới địa chỉ này (ytso serve --notify). Có thể đăng ký không có endpoint và đọc sự kiện qua $events.",
		"The operator has not allowed notifications to this endpoint (ytso serve --notify). A subscription without endpoint can read its events from $events.")
)

// Check says whether the list has a fault.
func (e Endpoints) Check() error {
	for _, text := range e.Allowed {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.RawQuery != "" || !speaks(u) {
			return fmt.Errorf("%q is no address for notifications: https://host[:port][/path], or http:// of this machine", text)
		}
	}
	return nil
}

// speaks says that a url is one that may be called at all.
func speaks(u *url.URL) bool {
	return u.User == nil && u.Opaque == "" && u.Fragment == "" && (u.Scheme == "https" || u.Scheme == "http" && loopbackName(u.Hostname()))
}

func loopbackName(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && a.IsLoopback()
}

// admit finds the entry of the list that allows an endpoint. Hosts are compared
// as parsed names, never as beginnings of text.
func (e Endpoints) admit(endpoint string) (u, entry *url.URL, err error) {
	u, err = url.Parse(endpoint)
	if err != nil || u.Host == "" || !speaks(u) {
		return nil, nil, errEndpointForm
	}
	for _, text := range e.Allowed {
		allowed, err := url.Parse(text)
		if err != nil || allowed.Scheme != u.Scheme || !strings.EqualFold(allowed.Hostname(), u.Hostname()) || portOf(allowed) != portOf(u) {
			continue
		}
		dir := strings.TrimSuffix(allowed.Path, "/")
		if path := u.Path; !strings.Contains(path, "..") && !strings.Contains(u.RawPath, "%") && (dir == "" || path == dir || strings.HasPrefix(path, dir+"/")) {
			return u, allowed, nil
		}
	}
	return nil, nil, errEndpointClosed
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}

const callTime = 15 * time.Second

// client calls endpoints that an entry of the list allows, and looks at the
// address once more when the connection is made: a name may lead elsewhere by then.
func (e Endpoints) client(entry *url.URL) *http.Client {
	number, err := netip.ParseAddr(entry.Hostname())
	literal := err == nil
	local := loopbackName(entry.Hostname())
	d := net.Dialer{Timeout: callTime, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		a := at.Addr().Unmap()
		switch {
		case literal && a == number.Unmap(), local && a.IsLoopback():
			return nil
		case a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || a.IsMulticast() || a.IsUnspecified():
			return errInside
		case (a.IsPrivate() || shared.Contains(a)) && !e.Private:
			return errInside
		}
		return nil
	}}
	return &http.Client{
		Timeout:       callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				return d.DialContext(ctx, network, addr)
			},
			TLSHandshakeTimeout:   callTime,
			ResponseHeaderTimeout: callTime,
			DisableKeepAlives:     true,
			ForceAttemptHTTP2:     false,
		},
	}
}

// shared is the address space of carriers (RFC 6598), which leads into their inner networks.
var shared = netip.MustParsePrefix("100.64.0.0/10")

var errInside = outcome.New(outcome.BusinessRule, "exchange.endpoint-inside",
	"Tên máy nhận thông báo dẫn tới một địa chỉ nội bộ chưa được phép.", "The endpoint's name leads to an inner address that is not allowed.")
