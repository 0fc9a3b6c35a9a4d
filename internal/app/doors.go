package app

import (
	"cmp"
	"context"
	"embed"
	"io/fs"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/platform/i18n"
	"github.com/ytso/ytso/internal/platform/ui"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
)

//go:embed messages/*.json
var messages embed.FS

// doors hangs every route of the house behind one edge.
func (n *Node) doors() (http.Handler, error) {
	sentences, err := sentences(n.rooms)
	if err != nil {
		return nil, err
	}
	assets, err := assets(n.rooms)
	if err != nil {
		return nil, err
	}
	n.routes = append(n.ownRoutes(), httpx.Route{Pattern: "GET /static/{path...}", Who: httpx.Open, Handler: httpx.Static(assets.FS(), time.Hour)})
	n.routes = append(n.routes, n.ledger.Routes()...)
	for _, r := range n.rooms {
		n.routes = append(n.routes, r.Routes...)
	}
	edge, err := httpx.New(httpx.Config{
		Routes: n.routes, Catalogue: sentences, Proxies: n.proxies, Log: n.log, Strict: true,
		Authenticate: n.authn.Authenticate, Role: roleOf, Denied: n.denied,
		Viewer: n.viewer, ErrorPage: showError,
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		edge.ServeHTTP(w, r.WithContext(assets.Bind(r.Context()))) // error pages want their style as well
	}), nil
}

// assets are the files that pages load: of the house and of each room.
func assets(rooms []room.Room) (*ui.Assets, error) {
	var list []ui.Dress
	for _, r := range rooms {
		list = append(list, ui.Dress{Name: r.Name, Style: r.Style, Static: r.Static})
	}
	return ui.NewAssets(version(), list...)
}

// version of the program, "" of one built from a working tree.
func version() string {
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "(devel)" {
		return b.Main.Version
	}
	return ""
}

// sentences are what the pages say: of the shell, of the house and of each room.
func sentences(rooms []room.Room) (*i18n.Catalogue, error) {
	own, err := fs.Sub(messages, "messages")
	if err != nil {
		return nil, err
	}
	sets := []fs.FS{ui.Messages(), own}
	for _, r := range rooms {
		if r.Messages != nil {
			sets = append(sets, r.Messages)
		}
	}
	return i18n.Load(sets...)
}

func roleOf(ctx context.Context) (string, bool) {
	p, ok := trust.From(ctx)
	return p.Agent.Role, ok
}

// viewer puts name, role and navigation of who looks into the context of a page.
func (n *Node) viewer(ctx context.Context, path string) context.Context {
	p, ok := trust.From(ctx)
	if !ok {
		return ctx
	}
	v := ui.Viewer{Name: p.Agent.Name, Role: i18n.T(ctx, "app.role."+p.Agent.Role)}
	if v.Name == "" { // who is signed in must see it, and how to leave
		v.Name, v.Role = v.Role, p.Agent.Facility
	}
	here, at := -1, 0
	for i, item := range navigation(n.rooms, p.Agent.Role) {
		v.Nav = append(v.Nav, ui.Tab{Link: ui.Link{Href: item.Path, Text: i18n.T(ctx, item.MessageKey)}})
		if under(path, item.Path) && len(item.Path) > at {
			here, at = i, len(item.Path)
		}
	}
	if here >= 0 {
		v.Nav[here].Here = true
	}
	return ui.WithViewer(ctx, v)
}

// under says whether a page is that of an entry of the navigation or lies below it.
func under(path, entry string) bool { return path == entry || strings.HasPrefix(path, entry+"/") }

// navigation lists what a role may open, in order.
func navigation(rooms []room.Room, role string) (list []room.NavItem) {
	for _, r := range rooms {
		for _, item := range r.Nav {
			if slices.Contains(item.Roles, role) {
				list = append(list, item)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b room.NavItem) int { return cmp.Compare(a.Order, b.Order) })
	return list
}

func showError(w http.ResponseWriter, r *http.Request, e *outcome.Error, reference string) {
	// That the caller has gone is all that can go wrong now.
	_ = httpx.HTML(w, r, e.Kind.Status(), ui.ErrorPage(e, reference))
}

// denied leaves an audit row of a refusal to somebody who has signed in. Of
// strangers there is a line in the log: a row for each of their tries would
// let anybody fill the disk.
func (n *Node) denied(ctx context.Context, r *http.Request, e *outcome.Error) {
	p, ok := trust.From(ctx)
	if !ok {
		return
	}
	a, err := trust.System(trust.JobSignIn) // sees no resource
	if err != nil {
		n.log.ErrorContext(ctx, "a refusal has no audit row", "err", err)
		return
	}
	a.Agent, a.Request, a.Remote = p.Agent, p.Request, p.Remote
	err = n.store.View(ctx, a, func(rd store.Reader) error {
		rd.Audit(store.Note{Action: "door.refused", Detail: r.Pattern})
		return e
	})
	if outcome.As(err).Key != e.Key {
		n.log.ErrorContext(ctx, "a refusal has no audit row", "err", err)
	}
}
