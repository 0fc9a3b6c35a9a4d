package exchange

import (
	"embed"
	"io/fs"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed vi.json en.json
var messages embed.FS

//go:embed style.css
var style string

func sub(tree embed.FS, dir string) fs.FS {
	f, err := fs.Sub(tree, dir)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}

// maxBody bounds one request: a Bundle, or a Binary.
const maxBody = 64 << 20

// methods of the API (FHIR R4 http.html#summary); GET is HEAD as well.
var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// Room brings the API, what runs behind it, and its page.
func (s *Service) Room() room.Room {
	r := room.Room{Name: "exchange", Migrations: sub(migrations, "migrations"), Routes: s.ownRoutes(), Run: s.Run, Messages: messages, Style: style}
	admin := httpx.Only(trust.RoleAdmin)
	r.Nav = []room.NavItem{{Path: pageBase, MessageKey: "exchange.nav", Roles: []string{trust.RoleAdmin}, Order: 60}}
	r.Routes = append(r.Routes,
		httpx.Route{Pattern: "GET " + pageBase, Who: admin, Handler: s.showBoard},
		httpx.Route{Pattern: "POST " + pageBase + "/dang-ky/{id}/{viec}", Who: admin, Handler: s.pauseSubscription},
		httpx.Route{Pattern: "POST " + pageBase + "/viec/{job}/huy", Who: admin, Handler: s.cancelJob},
	)
	r.Routes = append(r.Routes, httpx.Route{Pattern: "GET " + root + "/metadata", Who: httpx.Open, Handler: s.api})
	for _, m := range methods {
		for _, path := range []string{root, root + "/{path...}"} {
			r.Routes = append(r.Routes, httpx.Route{Pattern: m + " " + path, Who: everyRole, MaxBody: maxBody, Handler: s.api})
		}
	}
	return r
}
