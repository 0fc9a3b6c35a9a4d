package httpx

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// Config is what serving needs of the house.
type Config struct {
	Routes    []Route
	Catalogue *i18n.Catalogue
	// Authenticate finds who asks and puts them into the context, before the
	// route decides. A credential that is there but does not hold is outcome.Login.
	Authenticate func(*http.Request) (context.Context, error)
	// Role is the role of who asks; ok is false when nobody has signed in.
	Role func(context.Context) (role string, ok bool)
	// Viewer prepares the context for the shell of a page (navigation, name).
	Viewer func(ctx context.Context, path string) context.Context
	// ErrorPage renders an error for a person: sentence, reference number, way back.
	ErrorPage func(w http.ResponseWriter, r *http.Request, e *outcome.Error, reference string)
	// Denied is told of each refusal before any handler ran, for the audit.
	Denied func(ctx context.Context, r *http.Request, e *outcome.Error)
	Log    *slog.Logger
}
