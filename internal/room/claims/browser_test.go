package claims

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
)

// browser starts Chromium, or says plainly that there is none.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal("no Chromium")
		}
		t.Skip("no Chromium: nothing is looked at in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestInBrowser: the modules of the room at work: files are sent with the bar
// and lead to their receipt, a form with a fault is shown in place and works
// again, the page of a waiting file shows itself anew when it is done, and no
// page scrolls sideways on a phone.
func TestInBrowser(t *testing.T) {
	ctx := browser(t)
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)})
	h := site(t, b)
	var sendings atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Role", trust.RoleHospital)
		r.Header.Set("X-Facility", home)
		r.Header.Set("Accept-Language", "vi")
		if r.Method == http.MethodPost && sendings.Add(1) == 1 { // answered as if it were too large
			r.Body = http.MaxBytesReader(w, r.Body, 10_000)
		}
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	name := filepath.Join(t.TempDir(), "hồ sơ.xml")
	if err := os.WriteFile(name, bundle("20260410", visit("LK1"), visit("LK2", spoilt)), 0o600); err != nil {
		t.Fatal(err)
	}
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	says := func(script, want string) {
		t.Helper()
		got := ""
		for range 400 {
			var err error
			if got, err = chromedp.Run(ctx, chromedp.Evaluate[string](script)); err == nil && strings.Contains(got, want) {
				return
			}
			time.Sleep(25 * time.Millisecond)
		}
		t.Fatalf("%s gives %q, want %q", script, got, want)
	}
	send := func() {
		t.Helper()
		do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{name}))
		says(`document.querySelector("[data-chosen]").innerText`, "hồ sơ.xml")
		do(chromedp.Click(chromedp.CSS("form.claims-upload button[type=submit]")))
	}
	do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(server.URL+"/giam-dinh/gui"))
	send()
	says(`document.querySelector(".notice")?.innerText ?? ""`, "quá lớn")
	send()
	says(`document.querySelector("h1").innerText`, "Tệp hồ sơ.xml")
	says(`document.querySelector(".notice")?.innerText ?? ""`, "Đang xử lý")
	b.run()
	says(`document.querySelector(".figures")?.innerText ?? ""`, "Đã ghi nhận")
	says(`document.querySelector(".claims-group")?.innerText ?? ""`, "ID-016")
	for _, path := range []string{"/giam-dinh", "/giam-dinh/gui"} {
		do(chromedp.Navigate(server.URL + path))
		says(`String(document.documentElement.scrollWidth > innerWidth)`, "false")
	}
}
