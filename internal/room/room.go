// Package room is the contract between the house and its rooms. A room is a
// folder that holds everything of one subject and one line in
// internal/app/rooms.go; it gets what it needs in a struct literal and gives
// back a Room.
package room

import (
	"context"
	"io/fs"

	"github.com/ytso/ytso/internal/platform/httpx"
)

// Room is what a subject brings to the house. Every field may be zero.
type Room struct {
	Name       string        // folder name; prefix of its tables, its CSS layer and its message keys
	Migrations fs.FS         // NNNN_what.sql at its root, forward only
	Messages   fs.FS         // vi.json and en.json at its root
	Style      string        // CSS, put into @layer room.<Name>
	Routes     []httpx.Route // pages and API; a route that names nobody is closed
	Nav        []NavItem
	Static     fs.FS                       // ES modules, served below /static/<Name>/
	Run        func(context.Context) error // work behind the doors; ends when its context does
}

// NavItem is an entry of the navigation, shown to the roles that may open it.
type NavItem struct {
	Path, MessageKey string
	Roles            []string
	Order            int
}
