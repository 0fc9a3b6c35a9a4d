// Package httpx serves: routes that say who may enter, errors turned into a
// page, JSON or an OperationOutcome by one table, limits, and the security
// headers. It knows nothing about health.
package httpx

import "net/http"

// Handler serves a request or gives an error for the edge to render
// (outcome.Error kinds are mapped to status, page and OperationOutcome there).
type Handler func(w http.ResponseWriter, r *http.Request) error

// Route is one door. Pattern is that of net/http.ServeMux ("GET /so/{tab}").
type Route struct {
	Pattern string
	Who     Who
	MaxBody int64 // bytes; 0: 1 MiB
	Handler Handler
}

// Who may enter. The zero Who lets nobody in.
type Who struct {
	Open  bool     // no sign-in (only the routes of DESIGN.md §4)
	Roles []string // citizen, doctor, station, hospital, department, admin, machine
}

// Open admits everybody; Only admits the named roles.
var Open = Who{Open: true}

// Only admits the named roles.
func Only(roles ...string) Who { return Who{Roles: roles} }
