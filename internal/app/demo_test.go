package app

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/synth"
	"github.com/ytso/ytso/internal/trust"
)

// words is what a running command prints, to be waited for.
type words struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// await waits for what a pattern matches.
func (w *words) await(t testing.TB, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if m := re.FindStringSubmatch(w.String()); m != nil {
			return m
		}
	}
	t.Fatalf("no %s in %s", pattern, w)
	return nil
}

// running is a command at work.
type running struct {
	out  *words
	stop context.CancelFunc
	code chan int
}

func start(t testing.TB, args ...string) running {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := running{&words{}, stop, make(chan int, 1)}
	go func() { r.code <- Main(ctx, args, Streams{Out: r.out, Err: testLog{t}}) }()
	t.Cleanup(func() { r.end(t) })
	return r
}

// end stops it and wants it to have ended well.
func (r running) end(t testing.TB) {
	t.Helper()
	r.stop()
	select {
	case code := <-r.code:
		if code != 0 {
			t.Errorf("exit %d: %s", code, r.out)
		}
		r.code <- 0 // for the clean-up
	case <-time.After(time.Minute):
		t.Error("it does not stop")
	}
}

// TestDemo: the invented province of six people flows in to the end, the
// figures are those of its files, the links lead in, and a second run on the
// same folder has nothing left to send.
func TestDemo(t *testing.T) {
	p := newPlace(t, "sqlite")
	args := append([]string{"demo", "--addr", "127.0.0.1:0", "--people", "6", "--until", "2025-09-01"}, p.args()...)
	r := start(t, args...)
	base := r.out.await(t, `Serving at +(http://localhost:\d+)\n`)[1]
	citizen := r.out.await(t, `citizen +http://localhost:\d+(/vao/\w+)\n`)[1]
	r.out.await(t, `Finished: `)

	files, people := 0, map[string]bool{}
	for f := range synth.New(synth.Options{People: 6, Until: september}).Files() {
		files++
		people[string(f.Claim.HOSO[0].XML1.MA_BN)[3:]] = true // the person's number is the same at every facility
	}
	if !strings.Contains(r.out.String(), fmt.Sprintf("Finished: %d visits", files)) {
		t.Errorf("%d files, it says %s", files, r.out)
	}
	if at, body := newBrowser(t, base).signIn(citizen); at != "/so" || !strings.Contains(body, "<h1") {
		t.Errorf("the citizen's link leads to %s", at)
	}
	status, body := get(t, http.DefaultClient, base+"/tien-do")
	if status != http.StatusOK || !strings.Contains(body, `"percent":100`) || !strings.Contains(body, `"finished":true`) {
		t.Errorf("progress: %d %s", status, body)
	}
	for i := range len(people) { // a stop is entered by a form
		b := newBrowser(t, base)
		resp, err := b.PostForm(fmt.Sprintf("%s/thu/%d", base, i), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Request.URL.Path != "/so" {
			t.Errorf("stop %d: %s %s", i, resp.Status, resp.Request.URL.Path)
		}
	}
	r.end(t)

	before := receipts(t, p)
	again := start(t, args...)
	again.out.await(t, `Finished: `)
	again.end(t)
	if after := receipts(t, p); len(after) != len(before) {
		t.Errorf("a second run sent %d files again", len(after)-len(before))
	}
	n := openNode(t, p)
	for sql, want := range map[string]int{
		`SELECT ma_lk FROM claims_current WHERE canon <> ''`:                files,
		`SELECT DISTINCT person FROM ident_link`:                            len(people),
		`SELECT id FROM claims_receipt WHERE state <> 'done' OR failed > 0`: 0,
		`SELECT id FROM claims_receipt WHERE bad = 0`:                       files,
		`SELECT name FROM trust_account WHERE revoked = 0`:                  0,
		`SELECT action || ' ' || outcome || ' ' || detail FROM audit WHERE outcome <> 'ok' AND action NOT LIKE 'signin.%' AND action <> 'claims.resume'`: 0,
	} {
		if got := rowsOf(t, n, sql, 1); len(got) != want {
			t.Errorf("%s: %d rows, want %d: %.500v", sql, len(got), want, got)
		}
	}
}

func receipts(t testing.TB, p place) [][]string {
	t.Helper()
	n := openNode(t, p)
	defer n.Close()
	return rowsOf(t, n, `SELECT id FROM claims_receipt`, 1)
}

// TestDemoRemovesItsFolder: without --data nothing stays behind, also when it is stopped half way.
func TestDemoRemovesItsFolder(t *testing.T) {
	p := newPlace(t, "sqlite")
	r := start(t, "demo", "--addr", "127.0.0.1:0", "--people", "20", "--key", p.key)
	dir := r.out.await(t, `\(data\): +(\S+)\n`)[1]
	r.out.await(t, `citizen `)
	if !exists(dir) {
		t.Fatalf("there is no %s", dir)
	}
	r.end(t)
	if exists(dir) {
		t.Errorf("%s stays", dir)
	}
}

// TestDemoCalls: it signs anybody in, so it stays on the machine.
func TestDemoCalls(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--addr", "0.0.0.0:0"}, "this machine only"}, {[]string{"--addr", ":0", "--tls-cert", "x"}, "not defined"},
		{[]string{"--people", "0"}, "at least 1"}, {[]string{"--until", "soon"}, "yyyy-mm-dd"}, {[]string{"x"}, "no word"},
	} {
		if code, _, errs := call(t, append([]string{"demo"}, tt.flags...)...); code != 2 || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %q", tt.flags, code, errs)
		}
	}
}

// TestTourNamesEverybody: each stop has its words in both languages, also before anybody has arrived.
func TestTourNamesEverybody(t *testing.T) {
	n := demoNode(t)
	sentences, err := sentences(n.rooms)
	if err != nil {
		t.Fatal(err)
	}
	f := &inflow{node: n, province: synth.New(synth.Options{People: 300})}
	g := newGuide(f, 300)
	for _, lang := range []string{"vi", "en"} {
		tour := g.tour(sentences.Bind(t.Context(), i18n.Lang(lang)))
		if len(tour.Stops) < stories { // all but one, and a desk at least
			t.Errorf("%d stops", len(tour.Stops))
		}
		for i, s := range tour.Stops {
			if s.Title == "" || strings.Contains(s.Title+s.Text, "app.") || s.Text == "" || strings.Contains(s.Title, "{") {
				t.Errorf("%s stop %d: %q, %q", lang, i, s.Title, s.Text)
			}
			if strings.Contains(s.Title, "Đặng Thị Hiền") {
				t.Error("the book of a person who has died is offered")
			}
			if arrived := s.For.Role != ""; arrived != (s.Role != trust.RoleCitizen) {
				t.Errorf("stop %d is open: %v", i, arrived)
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
