package sqlstore

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/param"
	"github.com/ytso/ytso/fhir/r4"
)

// definitions are the search parameters in use.
type definitions struct {
	*param.Registry
	infos   sync.Map           // type → map[string]param.Info
	pending map[[2]string]bool // base and code of what the index does not hold of all resources yet
	own     []param.Own        // as in the registry
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
	for _, base := range bases(typ) {
		for _, def := range r4.SearchParameters(base) {
			if def.Code == code {
				return d.of(typ)[code].URL == def.URL
			}
		}
	}
	return false
}

func bases(typ string) []string { return []string{typ, "DomainResource", "Resource"} }

// ready refuses a parameter that the index does not hold of all resources of a
// type: a search by it would find a part.
func (d *definitions) ready(typ, code string) error {
	if len(d.pending) == 0 {
		return nil
	}
	for _, base := range bases(typ) {
		if d.pending[[2]string{base, code}] {
			return outcome.New(outcome.NotSupported, "store.reindex",
				fmt.Sprintf("Tham số tìm kiếm “%.64s” đang được lập chỉ mục; hãy chạy $reindex và thử lại khi xong.", code),
				fmt.Sprintf("Search parameter %.64q is not indexed for all resources yet: run $reindex and try again when it is done.", code))
		}
	}
	return nil
}

// Params are the search parameters in use.
func (s *Store) Params() *param.Registry { return s.params.Load().Registry }

// Pending lists the parameters, as base and code, that a search can't use
// before Reindex has gone through all resources.
func (s *Store) Pending() (list [][2]string) {
	for p := range s.params.Load().pending {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return list
}

// SetParams changes the search parameters. What is written from now on is
// indexed by them; a parameter of the server's own that is new or was changed
// answers when Reindex is through. Each process on a PostgreSQL database must be
// given the same.
func (s *Store) SetParams(ctx context.Context, r *param.Registry) (err error) {
	defer outcome.Wrap(&err, "sqlstore.SetParams")
	var d *definitions
	if err = s.e.update(ctx, func(c conn) error { d, err = s.define(ctx, c, r); return err }); err == nil {
		s.params.Store(d)
	}
	return err
}

// define finds which parameters the index does not hold of all resources yet.
func (s *Store) define(ctx context.Context, c conn, r *param.Registry) (*definitions, error) {
	d := &definitions{Registry: r, pending: map[[2]string]bool{}, own: r.Own()}
	rows, err := c.Query(ctx, `SELECT base, code, print FROM ownparam`)
	if err != nil {
		return nil, err
	}
	had := map[[2]string]string{}
	for rows.Next() {
		var base, code, print string
		if err := rows.Scan(&base, &code, &print); err != nil {
			rows.Close()
			return nil, err
		}
		had[[2]string{base, code}] = print
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, o := range d.own {
		k := [2]string{o.Base, o.Code}
		if had[k] != o.Print {
			d.pending[k] = true
		}
		delete(had, k)
	}
	for k := range had { // an official one may be back in its place
		d.pending[k] = true
	}
	if len(d.pending) > 0 {
		var rid int64
		if err := one(ctx, c, `SELECT rid FROM res LIMIT 1`, nil, &rid); outcome.KindOf(err) == outcome.NotFound {
			d.pending = nil // nothing to be indexed
			return d, indexed(ctx, c, d.own)
		} else if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// indexed writes down that the index holds all parameters of all resources.
func indexed(ctx context.Context, c conn, own []param.Own) error {
	if _, err := c.Exec(ctx, `DELETE FROM ownparam`); err != nil {
		return err
	}
	for _, o := range own {
		if _, err := c.Exec(ctx, `INSERT INTO ownparam (base, code, print) VALUES ($1, $2, $3)`, o.Base, o.Code, o.Print); err != nil {
			return err
		}
	}
	return nil
}
