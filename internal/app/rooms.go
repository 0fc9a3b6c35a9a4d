package app

import (
	"github.com/ytso/ytso/internal/room"
	"github.com/ytso/ytso/internal/room/book"
	"github.com/ytso/ytso/internal/room/door"
	"github.com/ytso/ytso/internal/room/ident"
	"github.com/ytso/ytso/internal/room/province"
)

// rooms is the table of contents of the house. One more room is a folder and a
// line here; each is given what it needs and no more.
func rooms(h *house) []room.Room {
	list := []room.Room{
		h.places.Room(), // who and where: facilities
		ident.Room(),    // whose record is it
		h.claims.Room(), // the files that hospitals send
		book.New(book.Deps{Store: h.store, Gate: h.gate, Facilities: h.places, Clock: h.clock}).Room(),         // the citizen's health book
		province.New(province.Deps{Store: h.store, Gate: h.gate, Facilities: h.places, Clock: h.clock}).Room(), // the figures
	}
	list = append(list, h.exchange.Room())                                                        // other systems, through FHIR
	front := door.New(door.Deps{Authn: h.authn, Clock: h.clock, Home: homes(list), Tour: h.tour}) // the way in
	return append(list, front.Room())
}

// homes gives the first page of each role: the first that its navigation has.
func homes(rooms []room.Room) map[string]string {
	first := map[string]string{}
	for _, role := range linkRoles {
		if nav := navigation(rooms, role); len(nav) > 0 {
			first[role] = nav[0].Path
		}
	}
	return first
}
