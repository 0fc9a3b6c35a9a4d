package httpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// maxBody bounds the body of a route that names no bound.
const maxBody = 1 << 20

var (
	errNoRoute = outcome.New(outcome.NotFound, "http.no-route",
		"Không có trang nào ở địa chỉ này. Xin kiểm tra lại địa chỉ hoặc về trang đầu.",
		"There is no page at this address. Please check the address or go to the first page.")
	errMethod = outcome.New(outcome.NotSupported, "http.method",
		"Địa chỉ này không nhận cách gọi đó.",
		"This address does not take that method.")
	errClosed = outcome.New(outcome.Forbidden, "http.closed",
		"Địa chỉ này chưa mở cho ai.",
		"This address is open to nobody.")
	errLogin = outcome.New(outcome.Login, "http.login",
		"Xin đăng nhập để xem trang này.",
		"Please sign in to see this page.")
	errRole = outcome.New(outcome.Forbidden, "http.role",
		"Vai trò của bạn không được mở trang này.",
		"Your role may not open this page.")
	errForeign = outcome.New(outcome.Forbidden, "http.cross-origin",
		"Yêu cầu đến từ một trang khác nên không được thực hiện. Xin mở lại trang này và gửi lại.",
		"The request came from another site and was not carried out. Please open this page again and send it from here.")
	errTooLong = outcome.New(outcome.TooLong, "http.too-long",
		"Nội dung gửi lên quá lớn. Xin chia thành các phần nhỏ hơn.",
		"What was sent is too large. Please send it in smaller parts.")
)

// edge is the one handler before all routes.
type edge struct {
	Config
	mux   *http.ServeMux
	cross *http.CrossOriginProtection
	zip   *zipper
	large large
}

// New puts the routes behind one edge: every request passes the same steps in
// the same order, so that no route can forget one. The error names the route
// that is wrong.
func New(c Config) (_ http.Handler, err error) {
	defer outcome.Wrap(&err, "httpx.New")
	s := &edge{Config: c.withDefaults(), mux: http.NewServeMux(), cross: http.NewCrossOriginProtection(), zip: newZipper(), large: newLarge()}
	for _, route := range c.Routes {
		if err := s.add(route); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	if c.Catalogue == nil {
		c.Catalogue = &i18n.Catalogue{}
	}
	if c.Authenticate == nil {
		c.Authenticate = func(r *http.Request) (context.Context, error) { return r.Context(), nil }
	}
	if c.Role == nil {
		c.Role = func(context.Context) (string, bool) { return "", false }
	}
	if c.Viewer == nil {
		c.Viewer = func(ctx context.Context, _ string) context.Context { return ctx }
	}
	if c.Denied == nil {
		c.Denied = func(context.Context, *http.Request, *outcome.Error) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// add registers a route; what ServeMux panics about becomes an error.
func (s *edge) add(route Route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("route %q: %v", route.Pattern, p)
		}
	}()
	switch {
	case route.Handler == nil:
		return fmt.Errorf("route %q has no handler", route.Pattern)
	case route.Who.closed() && s.Strict:
		return fmt.Errorf("route %q names nobody who may enter", route.Pattern)
	case route.Who.Open && len(route.Who.Roles) > 0:
		return fmt.Errorf("route %q is open and names roles as well", route.Pattern)
	}
	s.mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) { s.serve(w.(*answer), r, route) })
	return nil
}

func (w Who) closed() bool { return !w.Open && len(w.Roles) == 0 }

// ServeHTTP takes a request through the steps that do not depend on its route:
// recovery, request number, headers, language, log.
func (s *edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	ctx := s.Catalogue.Bind(withRequest(r, s.Proxies), languageOf(r))
	r = r.WithContext(ctx)
	a := s.zip.answer(w, r)
	harden(a.Header(), r)
	_, pattern := s.mux.Handler(r)
	if err := guard(func() error { return s.route(a, r, pattern) }); err != nil {
		s.fail(a, r, err)
	}
	a.finish()
	s.Log.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("method", method(r)), slog.String("route", cmp.Or(pattern, "none")),
		slog.Int("status", a.code()), slog.Int64("bytes", a.sent),
		slog.Float64("ms", float64(time.Since(began).Microseconds())/1000), slog.String("request", RequestID(ctx)))
	if a.broken {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// method names the method without letting a caller write what they like into the log.
func method(r *http.Request) string {
	switch r.Method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return r.Method
	}
	return "other"
}

// route hands the request to its route; one without a route still learns who
// looks, so that the page that says so has its navigation.
func (s *edge) route(a *answer, r *http.Request, pattern string) error {
	if pattern != "" {
		s.mux.ServeHTTP(a, r)
		return nil
	}
	if ctx, err := s.Authenticate(r); err == nil {
		r = r.WithContext(s.Viewer(ctx, r.URL.Path))
	}
	if allow := s.otherMethods(r); allow != "" {
		a.Header().Set("Allow", allow)
		a.force = http.StatusMethodNotAllowed
		s.fail(a, r, errMethod)
		return nil
	}
	s.fail(a, r, errNoRoute)
	return nil
}

// otherMethods lists the methods that the address takes, "" when it takes none.
func (s *edge) otherMethods(r *http.Request) string {
	h, _ := s.mux.Handler(r)
	probe := probe{header: http.Header{}}
	h.ServeHTTP(&probe, r)
	return probe.header.Get("Allow")
}

// probe lets ServeMux say which methods it knows, and sends nothing.
type probe struct{ header http.Header }

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(int)             {}

// serve takes a request through the steps of its route.
func (s *edge) serve(a *answer, r *http.Request, route Route) {
	r, err := s.admit(a, r, route)
	if err == nil {
		err = s.handle(a, r, route)
	}
	if err != nil {
		s.fail(a, r, err)
	}
}

// handle runs the handler when there is room for its body.
func (s *edge) handle(a *answer, r *http.Request, route Route) error {
	leave, err := s.large.take(r, cmp.Or(route.MaxBody, maxBody))
	if err != nil {
		return err
	}
	defer leave()
	return guard(func() error { return route.Handler(a, r) })
}

// admit decides whether the handler may run: size, origin, who, role. It gives
// the request with who asks in its context, also beside an error, so that the
// error page has its navigation.
func (s *edge) admit(a *answer, r *http.Request, route Route) (*http.Request, error) {
	limit := cmp.Or(route.MaxBody, maxBody)
	s.patience(a, r, limit)
	if r.ContentLength > limit {
		return r, errTooLong
	}
	// The innermost writer: only that one can close the connection of a body that is too long.
	r.Body = http.MaxBytesReader(a.ResponseWriter, r.Body, limit)
	if err := s.cross.Check(r); err != nil && !machine(r) {
		return r, s.denied(r, errForeign.Because(err))
	}
	if static(r) && route.Who.Open {
		return r, nil
	}
	ctx, err := s.Authenticate(r)
	switch {
	case err == nil:
		r = r.WithContext(s.Viewer(ctx, r.URL.Path))
	case route.Who.Open && outcome.KindOf(err) == outcome.Login:
		// The door stays open to one whose session has ended.
		return r.WithContext(s.Viewer(r.Context(), r.URL.Path)), nil
	default:
		return r, s.denied(r, err)
	}
	return r, s.denied(r, s.enter(r.Context(), route.Who))
}

func (s *edge) enter(ctx context.Context, who Who) error {
	if who.Open {
		return nil
	}
	if who.closed() {
		return errClosed
	}
	role, ok := s.Role(ctx)
	if !ok {
		return errLogin
	}
	if !slices.Contains(who.Roles, role) {
		return errRole
	}
	return nil
}

// denied tells the audit when err is a refusal, and hands err on.
func (s *edge) denied(r *http.Request, err error) error {
	if err == nil {
		return nil
	}
	if e := outcome.As(err); e.Kind == outcome.Login || e.Kind == outcome.Forbidden {
		s.Denied(r.Context(), r, e)
	}
	return err
}

// machine says that the request comes from a program, which no foreign page
// can steer: it brings its credential itself, where a browser would send a
// cookie unasked. A foreign page's script can set neither header here without
// a preflight, which we never grant.
func machine(r *http.Request) bool {
	return len(r.Header["Cookie"]) == 0 && (r.Header.Get("Authorization") != "" || r.Header.Get("accessToken") != "")
}

func static(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/static/") }

// patience lengthens the time for a large body: a claim file over a slow line
// takes minutes, and the answer comes only after it.
func (s *edge) patience(a *answer, r *http.Request, limit int64) {
	size := r.ContentLength
	if size < 0 || size > limit {
		size = limit
	}
	if size <= maxBody {
		return
	}
	until := time.Now().Add(answerTime + time.Duration(size/slowest)*time.Second)
	c := http.NewResponseController(a.ResponseWriter)
	// A connection that knows no deadlines (a test's) keeps what it has.
	_ = c.SetReadDeadline(until)
	_ = c.SetWriteDeadline(until.Add(answerTime))
}

// panicked is the cause of an error that was a panic. Its text is the type and
// place, not the value: a value may hold a person's data.
type panicked struct {
	what  string
	stack []byte
}

func (p *panicked) Error() string { return "panic: " + p.what }

// guard turns a panic of f into an error.
func guard(f func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			err = &panicked{p.Error(), debug.Stack()}
		default:
			if p == http.ErrAbortHandler {
				panic(p)
			}
			err = &panicked{fmt.Sprintf("%T", p), debug.Stack()}
		}
	}()
	return f()
}

// tooLong says that the body was cut off at the route's bound, whatever the handler made of it.
func tooLong(err error) bool {
	var e *http.MaxBytesError
	return errors.As(err, &e)
}
