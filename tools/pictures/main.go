// Command pictures takes the pictures of docs/pictures from a running
// demonstration, at the width of a phone, a tablet and a desk:
//
//	go run ./tools/pictures -out docs/pictures -shot book=LINK:/so -shot claims=LINK:/giam-dinh …
//
// LINK is a one-time sign-in link that `ytso demo` printed; each shot of one
// link shares its session. A path of "@TEXT" follows the link with that text
// on the page before it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

var widths = []struct{ w, h int64 }{{390, 844}, {820, 1180}, {1440, 900}}

// shot is a page to be taken: who signs in by which link, and the way from there.
type shot struct {
	name, link string
	steps      []string
}

type shots []shot

func (s *shots) String() string { return "" }

// Set reads NAME=LINK,STEP,STEP…
func (s *shots) Set(text string) error {
	name, rest, ok := strings.Cut(text, "=")
	parts := strings.Split(rest, ",")
	if !ok || len(parts) < 2 {
		return fmt.Errorf("a shot is NAME=LINK,STEP,… and not %q", text)
	}
	*s = append(*s, shot{name, parts[0], parts[1:]})
	return nil
}

func main() {
	out := flag.String("out", "docs/pictures", "folder to write into")
	dark := flag.Bool("dark", false, "in dark colours")
	full := flag.Bool("full", false, "the whole page, not the first screen")
	var list shots
	flag.Var(&list, "shot", "NAME=LINK,STEP,… (may stand several times)")
	flag.Parse()
	if err := run(context.Background(), *out, *dark, *full, list); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, dark, full bool, list shots) error {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	if dark {
		opts = append(opts, chromedp.Flag("force-dark-mode", true), chromedp.Flag("blink-settings", "preferredColorScheme=0"))
	}
	ctx, cancel := chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	sessions := map[string]context.Context{} // one browser a link: its session stays
	for _, s := range list {
		tab, ok := sessions[s.link]
		if !ok {
			var end context.CancelFunc
			tab, end = chromedp.NewContext(ctx)
			defer end()
			if err := signIn(tab, s.link); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			sessions[s.link] = tab
		}
		for _, w := range widths {
			if err := take(tab, s, w.w, w.h, full, filepath.Join(out, fmt.Sprintf("%s-%d.png", s.name, w.w))); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

func signIn(ctx context.Context, link string) error {
	if !strings.Contains(link, "/vao/") {
		_, err := chromedp.Run(ctx, chromedp.Navigate(link))
		return err
	}
	_, err := chromedp.Run(ctx, chromedp.Navigate(link))
	if err != nil {
		return err
	}
	_, err = chromedp.Run(ctx, chromedp.Click(`main form button`))
	time.Sleep(time.Second)
	return err
}

func take(ctx context.Context, s shot, w, h int64, full bool, name string) error {
	base, err := url.Parse(s.link)
	if err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.EmulateViewport(w, h)); err != nil {
		return err
	}
	for _, step := range s.steps {
		text, follow := strings.CutPrefix(step, "@")
		if follow {
			if _, err := chromedp.Run(ctx, chromedp.Click(fmt.Sprintf(`//main//a[contains(normalize-space(.), %q)]`, text))); err != nil {
				return err
			}
		} else {
			to, err := base.Parse(step)
			if err != nil {
				return err
			}
			if _, err := chromedp.Run(ctx, chromedp.Navigate(to.String())); err != nil {
				return err
			}
		}
		time.Sleep(400 * time.Millisecond)
	}
	if full {
		b, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			return err
		}
		return os.WriteFile(name, b, 0o644)
	}
	b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o644)
}
