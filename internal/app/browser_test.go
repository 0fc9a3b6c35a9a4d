package app

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/synth/fault"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/vn/claim"
)

// screen is Chromium with one page open. It keeps what the page complained about.
type screen struct {
	ctx  context.Context
	t    testing.TB
	base string

	mu    sync.Mutex
	grief []string
}

// newScreen starts Chromium, or says plainly that there is none.
func newScreen(t testing.TB, base string) *screen {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("YTSO_TEST_REQUIRE") != "" {
			t.Fatal("no Chromium")
		}
		t.Skip("no Chromium: nobody walks through the pages")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()), chromedp.Flag("accept-lang", "vi"))...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	s := &screen{ctx: ctx, t: t, base: base}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return // the browser is closed
			}
			if m.IsException() || m.Type == "error" {
				s.mu.Lock()
				s.grief = append(s.grief, m.String())
				s.mu.Unlock()
			}
		}
	}()
	return s
}

func (s *screen) do(steps ...chromedp.Action[chromedp.Void]) {
	s.t.Helper()
	if err := chromedp.Do(s.ctx, steps...); err != nil {
		s.t.Fatalf("%v at %s", err, s.at())
	}
}

func (s *screen) at() string {
	at, err := chromedp.Run(s.ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(at, s.base)
}

// signIn opens a one-time link and says yes.
func (s *screen) signIn(l link) {
	s.t.Helper()
	s.do(chromedp.Navigate(s.base+l.Path), chromedp.Click(chromedp.CSS("main form button[type=submit]")))
	s.arrive("/vao/", false)
}

// arrive waits until the address begins with a path, or no longer does.
func (s *screen) arrive(path string, there bool) {
	s.t.Helper()
	for range 400 {
		if strings.HasPrefix(s.at(), path) == there {
			s.do(chromedp.WaitReady(chromedp.CSS("main h1")))
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.t.Fatalf("at %s, waiting for %s: %v", s.at(), path, there)
}

// sees wants a text on the page, which may come with a moment's delay, and nothing that scrolls sideways.
func (s *screen) sees(text string) {
	s.t.Helper()
	for range 400 {
		got, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		if err == nil && strings.Contains(got, text) {
			wide, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`))
			if err != nil || wide {
				s.t.Errorf("%s scrolls sideways (%v): %v", s.at(), err, s.wide())
			}
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	got, _ := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.body.innerText`))
	s.t.Fatalf("%q is not on %s: %.2000s", text, s.at(), got)
}

// wide names what sticks out.
func (s *screen) wide() []string {
	list, err := chromedp.Run(s.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("main *")]
		.filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".table-wrap"))
		.slice(0, 5).map(e => e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 40))`))
	if err != nil {
		return []string{err.Error()}
	}
	return list
}

// TestWholeWayInBrowser: a hospital uploads a good and a spoilt file, sees what
// became of them and why, and the citizen finds the visit in the health book;
// on a phone and on a large screen, without a complaint in the console.
func TestWholeWayInBrowser(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	base := strings.Replace(newWeb(t, n).URL, "127.0.0.1", "localhost", 1)
	province := synth.New(synth.Options{People: 4, Until: september})
	flow := &inflow{node: n, province: province}
	if err := flow.register(t.Context()); err != nil {
		t.Fatal(err)
	}
	for person, width := range map[int]int64{0: 390, 1: 1440} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			who := province.Person(person)
			file, good, bad := fileOf(t, province, who)
			s := newScreen(t, base)
			s.do(chromedp.EmulateViewport(width, 844))
			s.upload(n, file, good, bad)
			s.read(n, linkFor{Role: trust.RoleCitizen, Person: goldenOf(t, flow, who), Name: who.Name}, facilityName(t, province, file.Facility))
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.grief) > 0 {
				t.Errorf("the console complains: %q", s.grief)
			}
		})
	}
}

// fileOf writes a person's first claim file into a folder, and another one of the same facility with a mistake.
func fileOf(t testing.TB, province *synth.Province, who *synth.Person) (first synth.File, good, bad string) {
	t.Helper()
	dir := t.TempDir()
	for f := range province.Files() {
		if !strings.HasSuffix(string(f.Claim.HOSO[0].XML1.MA_BN), fmt.Sprintf("%07d", who.Index+1)) {
			continue
		}
		body, err := claim.Encode(f.Claim)
		if err != nil {
			t.Fatal(err)
		}
		if good == "" {
			first, good = f, filepath.Join(dir, "tot.xml")
			write(t, good, string(body))
			continue
		}
		if f.Facility != first.Facility {
			continue
		}
		for _, k := range fault.Kinds {
			if broken, _, ok := fault.Plant(k, 1, body); ok && k.Name == "medicine-amount" {
				bad = filepath.Join(dir, "hong.xml")
				write(t, bad, string(broken))
				return first, good, bad
			}
		}
	}
	t.Fatalf("person %d has no two files", who.Index)
	return first, good, bad
}

// upload goes the way of the hospital's desk.
func (s *screen) upload(n *Node, f synth.File, good, bad string) {
	s.t.Helper()
	l, err := n.SignInLink(s.t.Context(), linkFor{Role: trust.RoleHospital, Facility: f.Facility, Name: "Phòng Kế hoạch"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.signIn(l)
	s.arrive("/giam-dinh", true)
	s.do(chromedp.Click(chromedp.CSS(`a[href="/giam-dinh/gui"]`)))
	s.arrive("/giam-dinh/gui", true)
	s.do(chromedp.SetUploadFiles(chromedp.CSS("input[type=file]"), []string{good, bad}))
	s.sees("tot.xml")
	s.do(chromedp.Click(chromedp.CSS("form[data-upload] button[type=submit]")))
	s.arrive("/giam-dinh/da-gui", true)
	s.sees("hong.xml")
	n.claims.Drain()
	s.do(chromedp.Navigate(s.base + "/giam-dinh"))
	s.sees("tot.xml")
	for name, says := range map[string]string{"tot.xml": "trong sổ sức khỏe", "hong.xml": "COST-001"} {
		s.do(chromedp.Navigate(s.base+"/giam-dinh"), chromedp.Click(chromedp.Search(fmt.Sprintf(`//main//a[contains(., %q)]`, name))))
		s.arrive("/giam-dinh/", true)
		s.sees(says)
	}
	s.do(chromedp.Click(chromedp.CSS(`form[action="/ra"] button`)))
	s.arrive("/giam-dinh", false)
}

// read goes the way of the citizen.
func (s *screen) read(n *Node, who linkFor, place string) {
	s.t.Helper()
	l, err := n.SignInLink(s.t.Context(), who)
	if err != nil {
		s.t.Fatal(err)
	}
	s.signIn(l)
	s.arrive("/so", true)
	s.sees(who.Name)
	s.do(chromedp.Click(chromedp.CSS(`main a[href^="/so/lan-kham/"]`)))
	s.arrive("/so/lan-kham/", true)
	s.sees(place)
	for _, page := range navigation(n.rooms, who.Role) {
		s.do(chromedp.Navigate(s.base + page.Path))
		s.sees("Y Tế Số")
	}
}

func facilityName(t testing.TB, province *synth.Province, code string) string {
	t.Helper()
	for _, f := range province.Facilities() {
		if f.Code == code {
			return f.Name
		}
	}
	t.Fatalf("no facility %s", code)
	return ""
}
