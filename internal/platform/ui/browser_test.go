package ui

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
)

// browser starts Chromium, or says plainly that there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal("no Chromium")
		}
		t.Skip("no Chromium: nothing is looked at in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestInBrowser opens each page of the gallery under the headers that we
// serve, at the three widths of our users and the one of WCAG 2.2 1.4.10: nothing is blocked by the policy, nothing
// scrolls sideways, what is to be pressed is large enough, the fonts come.
func TestInBrowser(t *testing.T) {
	ctx := browser(t)
	var blocked atomic.Int64
	server := httptest.NewServer(galleryServer(t, &blocked))
	defer server.Close()
	for _, width := range []int64{320, 390, 820, 1440} {
		for _, p := range gallery() {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(server.URL+"/"+p.name)); err != nil {
				t.Fatal(err)
			}
			fonts := look[bool](t, ctx, `document.fonts.ready.then(() => document.fonts.check('16px "Noto Sans"', 'Ễ') && [...document.fonts].some(f => f.status == 'loaded'))`)
			wide := look[bool](t, ctx, `document.documentElement.scrollWidth > innerWidth`)
			small := look[[]string](t, ctx, smallTargets)
			if wide {
				t.Errorf("%s scrolls sideways at %d px", p.name, width)
			}
			if !fonts {
				t.Errorf("%s has no fonts", p.name)
			}
			if len(small) > 0 {
				t.Errorf("%s at %d px: too small to press: %q", p.name, width, small)
			}
		}
	}
	if n := blocked.Load(); n > 0 {
		t.Errorf("the policy blocked %d things", n)
	}
	// The pages ask nothing of a script but what they name: here htmx, as a module from our own files.
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/gui")); err != nil {
		t.Fatal(err)
	}
	if !look[bool](t, ctx, `typeof window.htmx == 'object'`) {
		t.Error("htmx is not there")
	}
}

// look asks the page.
func look[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// smallTargets lists what is less than 44 px high, but for links in running text (WCAG 2.2 2.5.8, 2.5.5).
const smallTargets = `[...document.querySelectorAll('button, .button, .tabs a, .brand, .back, summary, select, .field input, .choice, a.figure, .rows > li.opens, .entries > li.opens')]
	.filter(e => !e.matches('.choice input') && e.getBoundingClientRect().height > 0 && e.getBoundingClientRect().height < 43.5)
	.map(e => e.tagName + '.' + e.className + ' ' + e.textContent.trim().slice(0, 30) + ' ' + e.getBoundingClientRect().height)`

func galleryServer(t *testing.T, blocked *atomic.Int64) http.Handler {
	t.Helper()
	c, err := i18n.Load(Messages())
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAssets("1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	routes := []httpx.Route{{Pattern: "GET /static/", Who: httpx.Open, Handler: httpx.Static(a.FS(), time.Minute)}}
	for _, p := range gallery() {
		routes = append(routes, httpx.Route{Pattern: "GET /" + p.name, Who: httpx.Open, Handler: func(w http.ResponseWriter, r *http.Request) error {
			return httpx.HTML(w, r.WithContext(WithViewer(a.Bind(r.Context()), p.v)), http.StatusOK, p.c)
		}})
	}
	h, err := httpx.New(httpx.Config{Routes: routes, Catalogue: c, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bi-chan") {
			blocked.Add(1)
			return
		}
		h.ServeHTTP(reporting{w}, r)
	})
}

// reporting asks the browser to report what the policy blocks.
type reporting struct{ http.ResponseWriter }

func (w reporting) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w reporting) WriteHeader(status int) {
	w.Header().Set("Content-Security-Policy", w.Header().Get("Content-Security-Policy")+"; report-uri /bi-chan")
	w.ResponseWriter.WriteHeader(status)
}
