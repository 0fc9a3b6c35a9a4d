package claims

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

//go:embed static/*.js
var modules embed.FS

// maxForm bounds one request at the gateway: the largest file, as base64 in a form.
const maxForm = 96 << 20

// Room brings the gateway, the look-up of a transaction and the desk.
func (s *Service) Room() room.Room {
	r := room.Room{
		Name:       "claims",
		Migrations: sub(migrations, "migrations"),
		Messages:   messages,
		Style:      style,
		Static:     sub(modules, "static"),
		Run:        s.Run,
		Nav:        []room.NavItem{{Path: base, MessageKey: "claims.nav", Roles: []string{trust.RoleHospital, trust.RoleStation}, Order: 30}},
	}
	for _, p := range gatewayPaths {
		r.Routes = append(r.Routes, httpx.Route{
			Pattern: "POST /api/qd130/" + p.name, Who: httpx.Only(trust.RoleMachine), MaxBody: maxForm + 1<<20, Handler: s.send(p.kind),
		})
	}
	asking := httpx.Only(trust.RoleMachine, trust.RoleHospital, trust.RoleStation)
	desk := httpx.Only(trust.RoleHospital, trust.RoleStation)
	r.Routes = append(r.Routes,
		httpx.Route{Pattern: "GET /api/kcb/tra-cuu-trang-thai", Who: asking, Handler: s.byKey},
		httpx.Route{Pattern: "GET /api/kcb/tra-cuu-trang-thai/{maGiaoDich}", Who: asking, Handler: s.status},
		httpx.Route{Pattern: "GET " + base, Who: desk, Handler: s.listPage},
		httpx.Route{Pattern: "GET " + base + "/gui", Who: desk, Handler: s.uploadPage},
		httpx.Route{Pattern: "POST " + base + "/gui", Who: desk, MaxBody: maxUpload + 1<<20, Handler: s.upload},
		httpx.Route{Pattern: "GET " + base + "/da-gui", Who: desk, Handler: s.sentPage},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}", Who: desk, Handler: s.filePage},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}/tien-do", Who: desk, Handler: s.progress},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}/ban-goc", Who: desk, Handler: s.original},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}/loi.csv", Who: desk, Handler: s.findingsCSV},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}/quy-tac/{quyTac}", Who: desk, Handler: s.rulePage},
		httpx.Route{Pattern: "GET " + base + "/{maGiaoDich}/ho-so/{thuTu}", Who: desk, Handler: s.hosoPage},
	)
	return r
}

func sub(tree embed.FS, dir string) fs.FS {
	f, err := fs.Sub(tree, dir)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}
