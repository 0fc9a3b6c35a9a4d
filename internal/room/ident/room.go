package ident

import (
	"embed"
	"io/fs"

	"github.com/ytso/ytso/internal/room"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Room brings the tables of identity; its pages belong to the issue of the registries.
func Room() room.Room {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return room.Room{Name: "ident", Migrations: sub}
}
