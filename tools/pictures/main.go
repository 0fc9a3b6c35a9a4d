// Command pictures takes the pictures of docs/pictures from a running
// demonstration, at the width of a phone, a tablet and a desk:
//
//	go run ./cmd/ytso demo
//	go run ./tools/pictures -url http://localhost:8080 -out docs/pictures
//
// -shot NAME=WHO,STEP,… takes others: WHO is a text on the card of the tour
// through whose eyes to look ("" for nobody), a STEP is a path, "@TEXT" for the
// link that holds the text, or "#CSS" for the first element that fits.
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

// shot is a page to be taken: through whose eyes, and the way from the first page.
type shot struct {
	name, who string
	steps     []string
}

type shots []shot

func (s *shots) String() string { return "" }

// Set reads NAME=WHO,STEP,…
func (s *shots) Set(text string) error {
	name, rest, ok := strings.Cut(text, "=")
	parts := strings.Split(rest, ",")
	if !ok || len(parts) < 2 {
		return fmt.Errorf("a shot is NAME=WHO,STEP,… and not %q", text)
	}
	*s = append(*s, shot{name, parts[0], parts[1:]})
	return nil
}

// usual are the pictures that the project keeps.
var usual = shots{
	{"door", "", []string{"/"}},
	{"so", "HbA1c", []string{"/so"}},
	{"so-lan-kham", "HbA1c", []string{"/so", "@Đái tháo đường"}},
	{"so-ket-qua", "HbA1c", []string{"/so/ket-qua", "@HbA1c"}},
	{"giam-dinh", "Bệnh viện đa khoa tỉnh", []string{"/giam-dinh"}},
	{"giam-dinh-tep", "Bệnh viện đa khoa tỉnh", []string{"/giam-dinh?trang-thai=co-loi", "#td a"}},
	{"dieu-hanh", "Sở Y tế", []string{"/dieu-hanh"}},
}

func main() {
	base := flag.String("url", "http://localhost:8080", "address of the demonstration")
	out := flag.String("out", "docs/pictures", "folder to write into")
	dark := flag.Bool("dark", false, "in dark colours")
	full := flag.Bool("full", false, "the whole page, not the first screen")
	var list shots
	flag.Var(&list, "shot", "NAME=WHO,STEP,… (may stand several times)")
	flag.Parse()
	if len(list) == 0 {
		list = usual
	}
	if err := run(context.Background(), *base, *out, *dark, *full, list); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, base, out string, dark, full bool, list shots) error {
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
	browser, stop := chromedp.NewContext(ctx)
	defer stop()
	if _, err := chromedp.Run(browser, chromedp.Navigate("about:blank")); err != nil {
		return err
	}
	for _, s := range list {
		tab, end := chromedp.NewContext(browser, chromedp.WithNewBrowserContext()) // its own cookies
		defer end()
		if err := enter(tab, base, s.who); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, w := range widths {
			if err := take(tab, base, s, w.w, w.h, full, filepath.Join(out, fmt.Sprintf("%s-%d.png", s.name, w.w))); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	return nil
}

// enter presses the button of the card that holds the text.
func enter(ctx context.Context, base, who string) error {
	if _, err := chromedp.Run(ctx, chromedp.Navigate(base)); err != nil || who == "" {
		return err
	}
	card := fmt.Sprintf(`//main//li[contains(normalize-space(.), %q)]//button`, who)
	if _, err := chromedp.Run(ctx, chromedp.Click(card)); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return nil
}

func take(ctx context.Context, address string, s shot, w, h int64, full bool, name string) error {
	base, err := url.Parse(address)
	if err != nil {
		return err
	}
	if _, err := chromedp.Run(ctx, chromedp.EmulateViewport(w, h)); err != nil {
		return err
	}
	for _, step := range s.steps {
		if err := walk(ctx, base, step); err != nil {
			return fmt.Errorf("step %q: %w", step, err)
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

func walk(ctx context.Context, base *url.URL, step string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second) // a click waits for what it clicks on
	defer cancel()
	var do chromedp.Action[chromedp.Void]
	if text, ok := strings.CutPrefix(step, "@"); ok {
		do = chromedp.Click(fmt.Sprintf(`//main//a[contains(normalize-space(.), %q)]`, text))
	} else if css, ok := strings.CutPrefix(step, "#"); ok {
		do = chromedp.Click(css)
	} else {
		to, err := base.Parse(step)
		if err != nil {
			return err
		}
		_, err = chromedp.Run(ctx, chromedp.Navigate(to.String()))
		return err
	}
	_, err := chromedp.Run(ctx, do)
	return err
}
