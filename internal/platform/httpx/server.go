package httpx

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// Config is what serving needs of the house. Routes must be given; a field
// that is nil does nothing.
type Config struct {
	Routes    []Route
	Catalogue *i18n.Catalogue
	// Authenticate finds who asks and puts them into the context, before the
	// route decides. A credential that is there but does not hold is outcome.Login.
	// It is not asked for the files below /static/.
	Authenticate func(*http.Request) (context.Context, error)
	// Role is the role of who asks; ok is false when nobody has signed in.
	Role func(context.Context) (role string, ok bool)
	// Viewer prepares the context for the shell of a page (navigation, name).
	Viewer func(ctx context.Context, path string) context.Context
	// ErrorPage renders an error for a person: sentence, reference number, way back.
	ErrorPage func(w http.ResponseWriter, r *http.Request, e *outcome.Error, reference string)
	// Denied is told of each refusal before any handler ran, for the audit.
	Denied func(ctx context.Context, r *http.Request, e *outcome.Error)
	// Proxies are our own proxies, whose word on caller and encryption is taken (X-Forwarded-For, X-Forwarded-Proto).
	Proxies []netip.Prefix
	Log     *slog.Logger
	// Strict makes New refuse a route that names nobody; tests set it. Without it such a route is closed.
	Strict bool
}

// Limits of a connection. A body may come slowly from a station's line, but
// not slower than slowest: see edge.patience.
const (
	headerTime = 10 * time.Second
	answerTime = 60 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 32 << 10
	slowest    = 16 << 10 // bytes a second
)

// Server gives h the limits that keep slow and greedy callers from taking all
// connections (SECURITY.md attack case 38).
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       answerTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
	}
}
