package exchange

import (
	"embed"
	"io/fs"

	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
)

//go:embed migrations/*.sql
var migrations embed.FS

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
	r := room.Room{Name: "exchange", Migrations: sub(migrations, "migrations"), Routes: s.ownRoutes(), Run: s.Run}
	r.Routes = append(r.Routes, httpx.Route{Pattern: "GET " + root + "/metadata", Who: httpx.Open, Handler: s.api})
	for _, m := range methods {
		for _, path := range []string{root, root + "/{path...}"} {
			r.Routes = append(r.Routes, httpx.Route{Pattern: m + " " + path, Who: everyRole, MaxBody: maxBody, Handler: s.api})
		}
	}
	return r
}
