package ui

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ytso/ytso/internal/platform/httpx"
)

func TestStyleKeepsEachRoomInItsLayer(t *testing.T) {
	css, err := Style(Dress{Name: "province", Style: ".prov-bar { color: var(--ink); }"}, Dress{Name: "book", Style: ".book-x::before { content: \"}\"; } /* } */"}, Dress{Name: "ident"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(css, "@layer reset, tokens, base, components, room;\n") {
		t.Errorf("begins with %q", css[:60])
	}
	book, province := strings.Index(css, "@layer room.book {\n.book-x"), strings.Index(css, "@layer room.province {\n.prov-bar")
	if book < 0 || province < book || strings.Contains(css, "room.ident") {
		t.Errorf("layers at %d, %d", book, province)
	}
	for _, bad := range []string{"a { color: red; } }", "a { color: red;", "a { content: \"x; }", "/* a { }", "} a {"} {
		if _, err := NewAssets("", Dress{Name: "bad", Style: bad}); err == nil || !strings.Contains(err.Error(), "room bad") {
			t.Errorf("%q leaves its layer: %v", bad, err)
		}
	}
}

func TestOurOwnSheetsAreWhole(t *testing.T) {
	defined, used := map[string]bool{}, map[string]string{}
	for _, l := range layers {
		b, err := sheets.ReadFile("css/" + l + ".css")
		if err != nil {
			t.Fatal(err)
		}
		if err := closed(string(b)); err != nil {
			t.Errorf("%s.css: %v", l, err)
		}
		for _, m := range regexp.MustCompile(`(?m)[{;\s](--[a-z0-9-]+):`).FindAllStringSubmatch(string(b), -1) {
			defined[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`var\((--[a-z0-9-]+)\)`).FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = l
		}
		if l != "tokens" && regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgba?\(`).Match(b) {
			t.Errorf("%s.css has a colour of its own", l)
		}
		// A clinic's PC may have the last Chromium for Windows 7 (109).
		for _, late := range []string{":has(", "color-mix(", "light-dark(", "@scope", "@container", "oklch("} {
			if strings.Contains(strings.ReplaceAll(string(b), "no :has, no color-mix", ""), late) {
				t.Errorf("%s.css uses %s", l, late)
			}
		}
	}
	for name, where := range used {
		if !defined[name] {
			t.Errorf("%s.css uses %s, which no token is", where, name)
		}
	}
	for name := range defined {
		// Rooms may use any; those that nobody uses here are for them.
		if used[name] == "" && name != "--space-1" && name != "--top-focus" {
			t.Logf("%s is for rooms", name)
		}
	}
}

func TestAssets(t *testing.T) {
	room := Dress{Name: "claims", Static: fstest.MapFS{"upload.js": {Data: []byte("export {}")}}}
	a, err := NewAssets("1", room)
	if err != nil {
		t.Fatal(err)
	}
	ctx := a.Bind(t.Context())
	css, err := fs.ReadFile(a.FS(), strings.TrimPrefix(StyleURL(ctx), "/static/"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "/static/style." + httpx.FileHash(css) + ".css"; StyleURL(ctx) != want {
		t.Errorf("%s, want %s", StyleURL(ctx), want)
	}
	fonts := regexp.MustCompile(`url\(/static/([^?)]+)\?v=([0-9a-f]+)\)`).FindAllStringSubmatch(string(css), -1)
	if len(fonts) != 6 {
		t.Fatalf("%d fonts", len(fonts))
	}
	for _, f := range fonts {
		b, err := fs.ReadFile(a.FS(), f[1])
		if err != nil || httpx.FileHash(b) != f[2] || string(b[:4]) != "wOF2" {
			t.Errorf("%s: %v", f[1], err)
		}
	}
	for _, licence := range []string{"fonts/LICENSE.txt", "htmx-4.0.1.LICENSE.txt"} {
		if _, err := fs.Stat(a.FS(), licence); err != nil {
			t.Error(err)
		}
	}
	if got, want := FileURL(ctx, "/static/claims/upload.js"), "/static/claims/upload.js?v="+httpx.FileHash([]byte("export {}")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := FileURL(ctx, "/static/khong.js"); got != "/static/khong.js" {
		t.Error(got)
	}
	if _, err := NewAssets("", Dress{Name: "fonts", Static: fstest.MapFS{"LICENSE.txt": {}}}); err == nil {
		t.Error("a room replaced a file of the house")
	}
	other, err := NewAssets("1", room, Dress{Name: "book", Style: "a{}"})
	if err != nil || other.style == a.style {
		t.Errorf("another sheet has the same address: %v", err)
	}
}
