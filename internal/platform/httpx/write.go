package httpx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/ytso/ytso/fhir/outcome"
)

var errForeignPath = outcome.New(outcome.Invalid, "http.foreign-path",
	"Địa chỉ chuyển tới không thuộc hệ thống này.",
	"The address to go on to is not one of this system.")

// HTML sends a component as a page. It is rendered whole before anything
// leaves, so that an error while rendering can still become an error page.
func HTML(w http.ResponseWriter, r *http.Request, status int, c templ.Component) (err error) {
	defer outcome.Wrap(&err, "httpx.HTML")
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		return err
	}
	return send(w, "text/html; charset=utf-8", status, b.Bytes())
}

// JSON sends a value as JSON.
func JSON(w http.ResponseWriter, status int, v any) (err error) {
	defer outcome.Wrap(&err, "httpx.JSON")
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return send(w, "application/json; charset=utf-8", status, append(b, '\n'))
}

// send writes a whole body. That the caller has gone is no error: there is nobody left to tell.
func send(w http.ResponseWriter, contentType string, status int, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
	return nil
}

// Redirect leads on to a path of our own, by GET (303), as after a form. Any
// other address is outcome.Invalid: a link that was sent to somebody must not
// lead out through our door.
func Redirect(w http.ResponseWriter, r *http.Request, path string) error {
	if !OwnPath(path) {
		return fmt.Errorf("httpx.Redirect: %w", errForeignPath)
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// OwnPath says whether path is one of ours as a browser reads it: it begins
// with one slash, and names no host, no backslash and no control character.
func OwnPath(path string) bool {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, oddRune) {
		return false
	}
	u, err := url.Parse(path)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && !strings.HasPrefix(u.Path, "//")
}

func oddRune(c rune) bool { return c < ' ' || c == '\\' || c == 0x7f }
