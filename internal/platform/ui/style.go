package ui

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/platform/httpx"
)

//go:embed css/*.css
var sheets embed.FS

//go:embed static
var statics embed.FS

//go:embed vi.json en.json
var messages embed.FS

// Messages are the sentences of the shell and of the components.
func Messages() fs.FS { return messages }

// HTMX is the script for partial updates, for Frame.Script of a page that also works without.
const HTMX = "/static/htmx-4.0.1.esm.min.js"

// Dress is what a room brings to the look of the house.
type Dress struct {
	Name   string // of the room: its CSS layer, its folder below /static/
	Style  string // CSS, may be ""
	Static fs.FS  // ES modules and pictures, may be nil
}

// Assets are the files that pages load: the one style sheet, fonts, pictures
// and modules. They never change once made; their addresses hold a hash of
// their content.
type Assets struct {
	Version string // of the program, for the foot of each page; "": not shown

	style  string // address of the style sheet
	hashes map[string]string
	tree   tree
}

// NewAssets dresses the rooms. A style that would leave its layer is an error.
func NewAssets(version string, rooms ...Dress) (_ *Assets, err error) {
	defer outcome.Wrap(&err, "ui.NewAssets")
	a := &Assets{Version: version, hashes: map[string]string{}, tree: tree{}}
	own, err := fs.Sub(statics, "static")
	if err != nil {
		return nil, err
	}
	if err := a.take("", own); err != nil {
		return nil, err
	}
	for _, r := range rooms {
		if r.Static == nil {
			continue
		}
		if err := a.take(r.Name+"/", r.Static); err != nil {
			return nil, fmt.Errorf("room %s: %w", r.Name, err)
		}
	}
	css, err := Style(rooms...)
	if err != nil {
		return nil, err
	}
	css = a.fontFaces() + css
	name := "style." + httpx.FileHash([]byte(css)) + ".css"
	a.style = "/static/" + name
	a.tree[name] = []byte(css)
	return a, nil
}

// take copies the files of a tree under a prefix.
func (a *Assets) take(prefix string, tree fs.FS) error {
	return fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(tree, path)
		if err != nil {
			return err
		}
		if _, twice := a.tree[prefix+path]; twice {
			return fmt.Errorf("file %s%s stands twice", prefix, path)
		}
		a.tree[prefix+path] = b
		a.hashes["/static/"+prefix+path] = httpx.FileHash(b)
		return nil
	})
}

// FS is what to serve below /static/ (httpx.Static).
func (a *Assets) FS() fs.FS { return a.tree }

type assetsKey struct{}

// Bind puts the assets into a context; pages then name them.
func (a *Assets) Bind(ctx context.Context) context.Context {
	return context.WithValue(ctx, assetsKey{}, a)
}

func assetsOf(ctx context.Context) *Assets {
	if a, ok := ctx.Value(assetsKey{}).(*Assets); ok {
		return a
	}
	return &Assets{style: "/static/style.css"}
}

// StyleURL is the address of the one style sheet; its name changes with its content.
func StyleURL(ctx context.Context) string { return assetsOf(ctx).style }

// FileURL is the address of a file below /static/, with the hash of its content.
func FileURL(ctx context.Context, path string) string {
	if h := assetsOf(ctx).hashes[path]; h != "" {
		return path + "?v=" + h
	}
	return path
}

// fontFaces are Noto Sans in the two parts that Vietnamese needs
// (npm @fontsource/noto-sans 5.3.0, unicode.json).
func (a *Assets) fontFaces() string {
	const (
		vietnamese = "U+0102-0103,U+0110-0111,U+0128-0129,U+0168-0169,U+01A0-01A1,U+01AF-01B0,U+0300-0301,U+0303-0304,U+0308-0309,U+0323,U+0329,U+1EA0-1EF9,U+20AB"
		latin      = "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308,U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"
	)
	var b strings.Builder
	for _, weight := range []string{"400", "600", "700"} {
		for _, part := range [][2]string{{"vietnamese", vietnamese}, {"latin", latin}} {
			path := "/static/fonts/noto-sans-" + part[0] + "-" + weight + "-normal.woff2"
			fmt.Fprintf(&b, "@font-face{font-family:\"Noto Sans\";font-style:normal;font-weight:%s;font-display:swap;src:url(%s?v=%s) format(\"woff2\");unicode-range:%s}\n",
				weight, path, a.hashes[path], part[1])
		}
	}
	return b.String()
}

// layers in the order in which a later one wins.
var layers = []string{"reset", "tokens", "base", "components"}

// Style is the whole style sheet but for its fonts: the base, and each room's rules in a layer of its own.
func Style(rooms ...Dress) (string, error) {
	var b strings.Builder
	b.WriteString("@layer " + strings.Join(layers, ", ") + ", room;\n")
	for _, l := range layers {
		css, err := sheets.ReadFile("css/" + l + ".css")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "@layer %s {\n%s}\n", l, css)
	}
	for _, r := range slices.SortedFunc(slices.Values(rooms), func(x, y Dress) int { return strings.Compare(x.Name, y.Name) }) {
		if strings.TrimSpace(r.Style) == "" {
			continue
		}
		if err := closed(r.Style); err != nil {
			return "", fmt.Errorf("style of room %s: %w", r.Name, err)
		}
		fmt.Fprintf(&b, "@layer room.%s {\n%s\n}\n", r.Name, r.Style)
	}
	return b.String(), nil
}

// closed says whether CSS keeps to its own braces, so that the layer around it holds.
func closed(css string) error {
	depth := 0
	for i := 0; i < len(css); i++ {
		switch c := css[i]; {
		case strings.HasPrefix(css[i:], "/*"):
			end := strings.Index(css[i+2:], "*/")
			if end < 0 {
				return errors.New("a comment has no end")
			}
			i += end + 3
		case c == '"' || c == '\'':
			end := strings.IndexByte(css[i+1:], c)
			if end < 0 {
				return errors.New("a string has no end")
			}
			i += end + 1
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth < 0 {
				return errors.New("a } closes more than was opened")
			}
		}
	}
	if depth > 0 {
		return errors.New("a { is not closed")
	}
	return nil
}
