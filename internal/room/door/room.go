package door

import (
	"context"
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
	"github.com/ytso/ytso/internal/trust/authn"
)

var (
	//go:embed vi.json en.json
	messages embed.FS
	//go:embed static
	static embed.FS
	//go:embed style.css
	style string
)

// Deps is what the door needs. Authn must be there.
type Deps struct {
	Authn *authn.Service
	Clock clock.Clock
	Home  map[string]string // the first page of each role, by role; a role without one gets a list of what it may open
	// Tour describes the demonstration; nil outside one. It is asked at every
	// look at the first page, and must not change anything.
	Tour func(context.Context) *Tour
}

// Door serves the way in and out.
type Door struct {
	Deps
	tries *httpx.Limiter
}

// Tries of links: nobody guesses 256 bits, so this only bounds the work that one line can cause.
const (
	tryEvery = 2 * time.Second
	tryBurst = 30
)

// New makes the door.
func New(d Deps) *Door {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	return &Door{d, httpx.NewLimiter(d.Clock, tryEvery, tryBurst)}
}

// People are the roles that sign in with a browser.
var people = httpx.Only(trust.RoleCitizen, trust.RoleDoctor, trust.RoleStation, trust.RoleHospital, trust.RoleDepartment, trust.RoleAdmin)

const (
	maxForm = 8 << 10
	maxTake = 8 << 10
)

// Room brings the door.
func (d *Door) Room() room.Room {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	r := room.Room{
		Name: "door", Messages: messages, Style: style, Static: files,
		Nav: []room.NavItem{{Path: "/thiet-bi", MessageKey: "door.devices.nav", Roles: people.Roles, Order: 900}},
		Routes: []httpx.Route{
			{Pattern: "GET /{$}", Who: httpx.Open, Handler: d.first},
			{Pattern: "POST /vao", Who: httpx.Open, MaxBody: maxForm, Handler: d.paste},
			{Pattern: "GET /vao/{token}", Who: httpx.Open, Handler: d.ask},
			{Pattern: "POST /vao/{token}", Who: httpx.Open, MaxBody: maxForm, Handler: d.enter},
			{Pattern: "POST /ra", Who: httpx.Open, MaxBody: maxForm, Handler: d.leave},
			{Pattern: "GET /thiet-bi", Who: people, Handler: d.devices},
			{Pattern: "POST /thiet-bi", Who: people, MaxBody: maxForm, Handler: d.revoke},
			{Pattern: "POST /ngon-ngu", Who: httpx.Open, MaxBody: maxForm, Handler: httpx.SetLanguage},
			{Pattern: "POST " + authn.TakePath, Who: httpx.Open, MaxBody: maxTake, Handler: d.take},
		},
	}
	if d.Tour != nil {
		r.Routes = append(r.Routes,
			httpx.Route{Pattern: "GET /tien-do", Who: httpx.Open, Handler: d.progress},
			httpx.Route{Pattern: "POST /thu/{n}", Who: httpx.Open, MaxBody: maxForm, Handler: d.try})
	}
	return r
}

// first is GET /: the door for who has not signed in, else the way to their first page.
func (d *Door) first(w http.ResponseWriter, r *http.Request) error {
	p, in := trust.From(r.Context())
	if d.Tour != nil {
		if t := d.Tour(r.Context()); t != nil {
			return httpx.HTML(w, r, http.StatusOK, tourPage(d.tourOf(r, t)))
		}
	}
	if !in {
		return httpx.HTML(w, r, http.StatusOK, frontPage(paste{Next: nextOf(r.URL.Query().Get("den"))}))
	}
	if home := d.Home[p.Agent.Role]; home != "" {
		return httpx.Redirect(w, r, home)
	}
	return httpx.HTML(w, r, http.StatusOK, nowherePage(p.Agent.Role))
}

// nextOf is where to go after signing in, "" when it is no page of ours.
func nextOf(path string) string {
	if path == "/" || !httpx.OwnPath(path) {
		return ""
	}
	return path
}
