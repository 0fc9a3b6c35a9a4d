// Package province is the room of the health department (/dieu-hanh): how many
// visits, where, of which kind, and how many persons have a health book.
//
// A figure is a search written as FHIR search text (DESIGN.md decision 21).
// The number is that search counted, the list behind it is the same search
// paged: the text stands in the address of the list and on the page as the
// figure's definition, so that a number can't say one thing and its list another.
//
// The department sees visits and persons, not what was found in them
// (internal/trust, policy of the role): the lists show no diagnosis, no name
// and no number of a person, and lead into no record.
package province

import (
	"context"
	"embed"
	"io/fs"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
)

// Facilities names places of care by MA_CSKCB. A code that it does not know is left out of the answer.
type Facilities interface {
	Names(ctx context.Context, r store.Reader, codes ...string) (map[string]string, error)
}

// Deps is what the room needs of the house.
type Deps struct {
	Store      store.Store
	Gate       trust.Gate
	Facilities Facilities
	Clock      clock.Clock // nil: the machine's
}

// Province shows the figures.
type Province struct{ d Deps }

// New makes the room's pages.
func New(d Deps) *Province {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	return &Province{d}
}

var (
	//go:embed vi.json en.json
	messages embed.FS
	//go:embed style.css
	style string
)

// Paths of the pages.
const (
	pathHome    = "/dieu-hanh"
	pathVisits  = "/dieu-hanh/luot-kham"
	pathPersons = "/dieu-hanh/nguoi"
)

// Room brings the pages.
func (p *Province) Room() room.Room {
	who := httpx.Only(trust.RoleDepartment)
	return room.Room{
		Name: "province", Messages: fs.FS(messages), Style: style,
		Routes: []httpx.Route{
			{Pattern: "GET " + pathHome, Who: who, Handler: p.overview},
			{Pattern: "GET " + pathVisits, Who: who, Handler: p.list(visits)},
			{Pattern: "GET " + pathVisits + ".csv", Who: who, Handler: p.export(visits)},
			{Pattern: "GET " + pathPersons, Who: who, Handler: p.list(persons)},
			{Pattern: "GET " + pathPersons + ".csv", Who: who, Handler: p.export(persons)},
		},
		Nav: []room.NavItem{{Path: pathHome, MessageKey: "province.nav", Roles: []string{trust.RoleDepartment}, Order: 30}},
	}
}
