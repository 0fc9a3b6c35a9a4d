package exchange

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/net/html"

	"github.com/ytso/ytso/internal/sqlstore"
	"github.com/ytso/ytso/internal/trust"
)

var admin = caller{role: trust.RoleAdmin, id: "admin"}

// board asks for the page and gives the text of the elements of a class or tag.
func (b *bench) board(t *testing.T, language string) (page string, texts func(what string) []string) {
	t.Helper()
	w := admin.do(b, "GET", pageBase, "", "Accept-Language: "+language, "Accept: application/xhtml+xml")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	tree, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return w.Body.String(), func(what string) (list []string) {
		for n := range tree.Descendants() {
			class := ""
			for _, a := range n.Attr {
				if a.Key == "class" {
					class = " " + a.Val + " "
				}
			}
			if n.Type == html.ElementNode && (n.Data == what || strings.Contains(class, " "+what+" ")) {
				text := ""
				for d := range n.Descendants() {
					if d.Type == html.TextNode {
						text += d.Data
					}
				}
				list = append(list, strings.Join(strings.Fields(text), " "))
			}
		}
		return list
	}
}

// fillBoard makes something of every kind that the page shows.
func fillBoard(b *bench, e *endpoint) (sub string) {
	b.t.Helper()
	sub = sender.create(b, subscribe(e.URL+"/nhan", contentID, topicBase+"resource-new", "Observation?subject=Patient/bi-mat"))
	sender.active(b, sub)
	stream := operator.create(b, subscribe("", contentID, topicBase+"visit", "Encounter"))
	operator.active(b, stream)
	dead := sender.create(b, subscribe(e.URL+"/nhan/khac", contentID, topicBase+"resource-new", "Observation"))
	sender.active(b, dead)
	b.put("25001", observation("o1", "bi-mat", "final"))
	b.until("both are told", func() bool {
		return b.count(`SELECT COUNT(*) FROM exchange_subscription WHERE delivered = 1`) == 2
	})
	operator.wait(b, operator.export(b, "/fhir/$export?_type=Observation&_typeFilter=Observation%3Fsubject%3DPatient%2Fbi-mat"))
	e.status.Store(500)
	b.put("25001", observation("o2", "khac", "final"))
	b.until("one is in vain", func() bool { return b.count(`SELECT MAX(tries) FROM exchange_subscription`) > 0 })
	return sub
}

// TestBoard: what the page says, what it keeps to itself, and its acts without any script.
func TestBoard(t *testing.T) {
	e := newEndpoint(t)
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}, e.allowed).run()
	_, texts := b.board(t, "vi")
	if got := texts("empty-head"); len(got) != 2 || got[0] != "Chưa có đăng ký nào" || got[1] != "Không có việc nào" {
		t.Errorf("%q", got)
	}
	sub := fillBoard(b, e)
	for language, want := range map[string][]string{
		"vi": {"Hoạt động", "Xong", "Cơ sở 25001", "Người vận hành", "Đã gửi 1 trên 1", "Tự đọc qua $events", "Xuất dữ liệu", "Đã thử 1 trên 10 lần", errAnswer.VI, "Tạm dừng"},
		"en": {"Active", "Done", "Facility 25001", "The operator", "1 of 1 delivered", "Read from $events", "Export", "1 of 10 tries", errAnswer.EN, "Pause"},
	} {
		page, _ := b.board(t, language)
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: %q is not there", language, text)
			}
		}
		for _, secret := range []string{"bi-mat", "mật-khẩu", "exchange."} {
			if strings.Contains(page, secret) {
				t.Errorf("%s: %q is there", language, secret)
			}
		}
	}
	e.status.Store(200)
	if w := admin.do(b, "POST", pageBase+"/dang-ky/"+sub+"/tam-dung", ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != pageBase {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	b.put("25001", observation("o3", "bi-mat", "final"))
	b.until("it gathers", func() bool { return b.count(`SELECT events FROM exchange_subscription WHERE id = $1`, sub) == 2 })
	if n := b.count(`SELECT delivered FROM exchange_subscription WHERE id = $1`, sub); n != 1 {
		t.Error("it was sent while paused")
	}
	if w := admin.do(b, "POST", pageBase+"/dang-ky/"+sub+"/tiep-tuc", ""); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	b.until("it is sent", func() bool { return b.count(`SELECT delivered FROM exchange_subscription WHERE id = $1`, sub) == 2 })
	at := sender.export(b, "/fhir/$export?_type=Patient")
	if w := admin.do(b, "POST", pageBase+"/viec/"+at[strings.LastIndex(at, "/")+1:]+"/huy", ""); w.Code != http.StatusSeeOther {
		t.Fatalf("%d", w.Code)
	}
	if w := sender.do(b, "GET", at, ""); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
	for _, target := range []string{"/dang-ky/none/tam-dung", "/dang-ky/" + sub + "/khac", "/viec/none/huy"} {
		if w := admin.do(b, "POST", pageBase+target, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	for _, c := range []caller{sender, operator, {role: trust.RoleDepartment, id: "x"}} {
		if w := c.do(b, "GET", pageBase, ""); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", c.role, w.Code)
		}
	}
}

// TestBoardInBrowser: no width makes the page scroll sideways. With
// YTSO_PICTURES it leaves pictures in that folder.
func TestBoardInBrowser(t *testing.T) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal("no Chromium")
		}
		t.Skip("no Chromium: nothing is looked at in a browser")
	}
	e := newEndpoint(t)
	b := open(t, sqlstore.Options{Dir: t.TempDir(), Key: make([]byte, 32)}, e.allowed).run()
	full := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Role", trust.RoleAdmin)
		r.Header.Set("X-Id", "admin")
		b.edge.ServeHTTP(w, r)
	}))
	defer server.Close()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	for range 2 {
		name := "empty"
		if full {
			name = "full"
			fillBoard(b, e)
		}
		for width, height := range map[int64]int64{390: 844, 1366: 900} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, height), chromedp.Navigate(server.URL+pageBase)); err != nil {
				t.Fatal(err)
			}
			wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
			if err != nil || wide {
				t.Errorf("%s at %d: sideways %v, %v", name, width, wide, err)
			}
			if dir := os.Getenv("YTSO_PICTURES"); dir != "" {
				png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "lien-thong-"+name+"-"+map[int64]string{390: "phone", 1366: "desk"}[width]+".png"), png, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		full = true
	}
}
