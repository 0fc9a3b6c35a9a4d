package book

import (
	"context"
	"embed"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/platform/httpx"
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/trust"
)

//go:embed vi.json en.json
var messages embed.FS

//go:embed style.css
var style string

// Facilities gives the names of facilities by their code (MA_CSKCB); a code that it does not know is left out.
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

// Book serves the health book.
type Book struct {
	store      store.Store
	gate       trust.Gate
	facilities Facilities
	clock      clock.Clock
}

// New makes the room's service.
func New(d Deps) *Book {
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	return &Book{store: d.Store, gate: d.Gate, facilities: d.Facilities, clock: d.Clock}
}

// Room brings the pages; a citizen alone may enter.
func (b *Book) Room() room.Room {
	own := httpx.Only(trust.RoleCitizen)
	page := func(path string, h httpx.Handler) httpx.Route {
		return httpx.Route{Pattern: "GET " + path, Who: own, Handler: h}
	}
	return room.Room{
		Name:     "book",
		Messages: messages,
		Style:    style,
		Routes: []httpx.Route{
			page("/so", b.timeline),
			page("/so/lan-kham/{encounter}", b.visit),
			page("/so/ket-qua", b.results),
			page("/so/ket-qua/{code}", b.trend),
			page("/so/thuoc", b.medicines),
			page("/so/giay-to", b.papers),
			page("/so/giay-to/{id}", b.paper),
			page("/so/chi-phi", b.costs),
		},
		Nav: []room.NavItem{
			{Path: "/so", MessageKey: "book.nav.book", Roles: []string{trust.RoleCitizen}, Order: 10},
			{Path: "/so/ket-qua", MessageKey: "book.nav.results", Roles: []string{trust.RoleCitizen}, Order: 11},
			{Path: "/so/thuoc", MessageKey: "book.nav.medicines", Roles: []string{trust.RoleCitizen}, Order: 12},
			{Path: "/so/giay-to", MessageKey: "book.nav.papers", Roles: []string{trust.RoleCitizen}, Order: 13},
			{Path: "/so/chi-phi", MessageKey: "book.nav.costs", Roles: []string{trust.RoleCitizen}, Order: 14},
		},
	}
}
