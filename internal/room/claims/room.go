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

// maxUpload bounds one request: the largest file, as base64 in a form.
const maxUpload = 96 << 20

// gatewayPaths are the insurer gateway's claim paths of each release (spec/qd3176/gateway.md §3).
var gatewayPaths = []string{"guiHoSoXmlQD130", "guiHoSoXmlQD4750", "guiHoSoXmlQD3176"}

// Room brings the gateway, the look-up of a transaction and the desk.
func (s *Service) Room() room.Room {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	senders := httpx.Only(trust.RoleMachine)
	r := room.Room{
		Name:       "claims",
		Migrations: sub,
		Routes: []httpx.Route{
			{Pattern: "GET /api/kcb/tra-cuu-trang-thai/{maGiaoDich}", Who: httpx.Only(trust.RoleMachine, trust.RoleHospital, trust.RoleStation), Handler: s.status},
		},
	}
	for _, p := range gatewayPaths {
		r.Routes = append(r.Routes, httpx.Route{Pattern: "POST /api/qd130/" + p, Who: senders, MaxBody: maxUpload, Handler: s.send})
	}
	return r
}
