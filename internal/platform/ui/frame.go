// Package ui is the design system: tokens, shell and components of the pages,
// server-rendered, readable without script, on a phone, a tablet and an old
// clinic PC (DESIGN.md decision 19). It knows nothing about health.
//
// A component takes plain values whose texts are in the reader's language
// already (i18n.T) and renders HTML through templ, which escapes them.
package ui

import "context"

// Frame is what surrounds the content of one page.
type Frame struct {
	Title   string   // of the page, in the reader's language
	Lead    string   // one sentence under the title, may be ""
	Back    Link     // up one level; zero: none
	Reading bool     // large and plain, for citizens; else calm and dense, for work
	Script  []string // ES modules of the page, for example "/static/claims/upload.js"
}

// product is the name of the whole, the same in each language.
const product = "Y Tế Số"

func windowTitle(f Frame) string {
	if f.Title == product {
		return product
	}
	return f.Title + " · " + product
}

// Link is where to go and what it says.
type Link struct{ Href, Text string }

// Viewer is who looks at the page; the zero Viewer has not signed in.
type Viewer struct {
	Name string // as shown in the corner
	Role string // in the reader's language
	Nav  []Tab
}

// Tab is an entry of the navigation.
type Tab struct {
	Link
	Here bool
}

type viewerKey struct{}

// WithViewer puts who looks into the request's context.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerOf gives who looks.
func ViewerOf(ctx context.Context) Viewer {
	v, _ := ctx.Value(viewerKey{}).(Viewer)
	return v
}
