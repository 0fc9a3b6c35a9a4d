package sqlstore

import (
	"sync"

	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// definitions are the search parameters in use.
type definitions struct {
	*param.Registry
	infos sync.Map // type → map[string]param.Info
}

// of gives the parameters of a type by code.
func (d *definitions) of(typ string) map[string]param.Info {
	if m, ok := d.infos.Load(typ); ok {
		return m.(map[string]param.Info)
	}
	m := map[string]param.Info{}
	for _, i := range d.List(typ) {
		m[i.Code] = i
	}
	d.infos.Store(typ, m)
	return m
}

// official says whether a parameter of a type is R4's own.
func (d *definitions) official(typ, code string) bool {
	for _, base := range []string{typ, "DomainResource", "Resource"} {
		for _, def := range r4.SearchParameters(base) {
			if def.Code == code {
				return d.of(typ)[code].URL == def.URL
			}
		}
	}
	return false
}

// ready says whether the index holds a parameter of all resources of a type.
func (s *Store) ready(typ string, c param.Clause) error { return nil }
