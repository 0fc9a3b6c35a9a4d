package ui

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var token = regexp.MustCompile(`(--[a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;`)

// schemes reads the colours of tokens.css: those of light, and those as dark changes them.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	b, err := sheets.ReadFile("css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, ok := strings.Cut(string(b), "@media (prefers-color-scheme: dark)")
	dark, paper, ok2 := strings.Cut(rest, "@media print")
	if !ok || !ok2 {
		t.Fatal("tokens.css has lost a scheme")
	}
	read := func(parts ...string) map[string]string {
		m := map[string]string{}
		for _, p := range parts {
			for _, f := range token.FindAllStringSubmatch(p, -1) {
				m[f[1]] = f[2]
			}
		}
		return m
	}
	return map[string]map[string]string{"light": read(light), "dark": read(light, dark), "print": read(light, paper)}
}

// luminance is that of WCAG 2.2, "relative luminance".
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	part := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*part(16) + 0.7152*part(8) + 0.0722*part(0)
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestContrast measures each pair of writing and ground, and each line that
// must be seen, as WCAG 2.2 AA wants them (1.4.3: 4.5, 1.4.11: 3).
func TestContrast(t *testing.T) {
	if c := contrast(t, "#000000", "#ffffff"); math.Abs(c-21) > 0.001 {
		t.Fatalf("black on white is %f", c)
	}
	text := map[string][]string{
		"--ink":        {"--page", "--surface", "--sunken", "--accent-soft", "--calm-soft", "--good-soft", "--warn-soft", "--bad-soft", "--chart-band"},
		"--muted":      {"--page", "--surface", "--sunken", "--accent-soft"},
		"--link":       {"--page", "--surface", "--sunken", "--accent-soft", "--calm-soft", "--good-soft", "--warn-soft", "--bad-soft"},
		"--accent-ink": {"--accent", "--accent-strong"},
		"--top-ink":    {"--top"},
		"--top-muted":  {"--top"},
		"--calm-ink":   {"--calm-soft", "--surface", "--page"},
		"--good-ink":   {"--good-soft", "--surface", "--page"},
		"--warn-ink":   {"--warn-soft", "--surface", "--page"},
		"--bad-ink":    {"--bad-soft", "--surface", "--page"},
	}
	seen := map[string][]string{
		"--edge":      {"--page", "--surface"},
		"--accent":    {"--page", "--surface"},
		"--focus":     {"--page", "--surface", "--accent-soft"},
		"--top-focus": {"--top"},
		"--chart":     {"--surface", "--page", "--sunken", "--chart-band"},
		"--bad-ink":   {"--chart-band"},
	}
	for name, colours := range schemes(t) {
		check := func(pairs map[string][]string, least float64) {
			for fore, grounds := range pairs {
				for _, back := range grounds {
					if colours[fore] == "" || colours[back] == "" {
						t.Errorf("%s: no colour for %s or %s", name, fore, back)
						continue
					}
					if c := contrast(t, colours[fore], colours[back]); c < least {
						t.Errorf("%s: %s on %s is %.2f, want %.1f", name, fore, back, c, least)
					}
				}
			}
		}
		check(text, 4.5)
		check(seen, 3)
	}
}
