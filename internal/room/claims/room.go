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

// maxForm bounds one request at the gateway: the largest file, as base64 in a form.
const maxForm = 96 << 20

// Room brings the gateway, the look-up of a transaction and the desk.
func (s *Service) Room() room.Room {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	senders := httpx.Only(trust.RoleMachine, trust.RoleHospital, trust.RoleStation)
	r := room.Room{
		Name:       "claims",
		Migrations: sub,
		Run:        s.Run,
		Routes: []httpx.Route{
			{Pattern: "GET /api/kcb/tra-cuu-trang-thai", Who: senders, Handler: s.byKey},
			{Pattern: "GET /api/kcb/tra-cuu-trang-thai/{maGiaoDich}", Who: senders, Handler: s.status},
		},
	}
	for _, p := range gatewayPaths {
		r.Routes = append(r.Routes, httpx.Route{
			Pattern: "POST /api/qd130/" + p.name, Who: httpx.Only(trust.RoleMachine), MaxBody: maxForm + 1<<20, Handler: s.send(p.kind),
		})
	}
	return r
}
