package ident

import (
	"context"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/r4"
	"github.com/ytso/ytso/fhir/store"
)

// link is the row of a source record; person is "" when it has none yet.
type link struct {
	source, person string
	version, told  int64
}

func linkOf(ctx context.Context, r store.Reader, source string) (l link, err error) {
	l.source = source
	err = each(ctx, r, func(scan func(...any) error) error { return scan(&l.person, &l.version, &l.told) },
		`SELECT person, version, told FROM ident_link WHERE source = $1`, source)
	return l, err
}

// linksOf lists the sources of a person, the one told last first.
func linksOf(ctx context.Context, r store.Reader, person string) (list []link, err error) {
	err = each(ctx, r, func(scan func(...any) error) error {
		l := link{person: person}
		err := scan(&l.source, &l.version, &l.told)
		list = append(list, l)
		return err
	}, `SELECT source, version, told FROM ident_link WHERE person = $1 ORDER BY told DESC, source`, person)
	return list, err
}

// numbersOf gives the state of each number that a source carries or carried.
func numbersOf(ctx context.Context, r store.Reader, source string) (map[string]int64, error) {
	return states(ctx, r, `SELECT k, state FROM ident_key WHERE source = $1`, source)
}

// holdersOf gives the persons that carry a number, each with the best state of it; at most one more than maxHolders.
func holdersOf(ctx context.Context, r store.Reader, k string) (map[string]int64, error) {
	return states(ctx, r, `SELECT l.person, MIN(k.state) FROM ident_key k JOIN ident_link l ON l.source = k.source
		WHERE k.k = $1 GROUP BY l.person ORDER BY l.person LIMIT $2`, k, int64(maxHolders+1))
}

func states(ctx context.Context, r store.Reader, sql string, args ...any) (map[string]int64, error) {
	out := map[string]int64{}
	err := each(ctx, r, func(scan func(...any) error) error {
		var name string
		var state int64
		err := scan(&name, &state)
		out[name] = state
		return err
	}, sql, args...)
	return out, err
}

// goneTo is the person that took the place of another, "" while it stands.
// outcome.NotFound for who is no person here.
func goneTo(ctx context.Context, r store.Reader, person string) (next string, err error) {
	found := false
	err = each(ctx, r, func(scan func(...any) error) error { found = true; return scan(&next) },
		`SELECT gone_to FROM ident_person WHERE id = $1`, person)
	if err == nil && !found {
		err = errNoPerson
	}
	return next, err
}

// replaced lists the persons whose place a person took, also by way of others.
func replaced(ctx context.Context, r store.Reader, person string) (list []string, err error) {
	for next := []string{person}; len(next) > 0; next = next[1:] {
		var gone []string
		err := each(ctx, r, func(scan func(...any) error) error {
			var one string
			err := scan(&one)
			gone = append(gone, one)
			return err
		}, `SELECT id FROM ident_person WHERE gone_to = $1 AND gone_to <> '' ORDER BY id`, next[0])
		if err != nil {
			return nil, err
		}
		list, next = append(list, gone...), append(next, gone...)
	}
	return list, nil
}

// read gives a source Patient, nil when it is deleted or not there.
func read(ctx context.Context, r store.Reader, source string) (*r4.Doc, error) {
	res, err := r.Read(ctx, store.Key{Type: "Patient", ID: source})
	if k := outcome.KindOf(err); err != nil && (k == outcome.Deleted || k == outcome.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return r4.Parse(res.Body)
}

// each runs f for each row.
func each(ctx context.Context, r store.Reader, f func(scan func(...any) error) error, sql string, args ...any) error {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
