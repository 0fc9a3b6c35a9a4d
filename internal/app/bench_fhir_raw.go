package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust"
)

// rawReads fetches the bodies that the answers held by prepared statements and
// nothing else: no gate, no audit, no search, no reading of the body.
func (a *apiBench) rawReads(ctx context.Context, answers [][]store.Key, t *fhirTime) error {
	access, err := rawAccess()
	if err != nil {
		return err
	}
	read := func(keys []store.Key) error {
		return a.node.store.View(ctx, access, func(r store.Reader) error {
			for _, k := range keys {
				rows, err := r.Query(ctx, `SELECT r.body FROM ids i JOIN res r ON r.rid = i.rid AND r.cp = i.cp WHERE i.typ = $1 AND i.id = $2`, k.Type, k.ID)
				if err != nil {
					return err
				}
				var body []byte
				for rows.Next() {
					if err := rows.Scan(&body); err != nil {
						rows.Close()
						return err
					}
				}
				rows.Close()
				if err := rows.Err(); err != nil || len(body) == 0 {
					return errors.Join(err, fmt.Errorf("%s is not there", k.Type))
				}
			}
			return nil
		})
	}
	_, cpu, err := a.timed(ctx, func() error {
		for _, keys := range answers {
			if err := read(keys); err != nil {
				return err
			}
		}
		return nil
	})
	t.Raw = ms(cpu) / float64(len(answers))
	t.Share = t.Raw / t.CPU
	return err
}

// rawAccess reads without leaving a row of audit: it is the engine that is measured.
func rawAccess() (store.Access, error) {
	a, err := trust.System(trust.JobIndex)
	a.Silent = true
	return a, err
}

// rawTablesOf are the tables with the rows of a resource; serial columns are left to the engine.
var rawTablesOf = []rawTableOf{
	{"res", "rid, cp, h, typ, id, version, updated, deleted, owner, pats, d, body, entries"}, {"ids", "typ, id, rid, cp"},
	{"post", "v, d, rid, cp"}, {"txt", "p, s, d, rid, cp"}, {"span", "p, lo, hi, d, rid, cp"}, {"refr", "rid, p, h, cp"},
}

type rawTableOf struct{ name, columns string }

// rawGroup is how many resources share a commit of the raw engine, about as many as those of the callers do.
const rawGroup = 16

// rawWrites writes the rows of what was created once more, under row ids and
// ids of their own, into the same tables by prepared statements, then takes
// them out again.
func (a *apiBench) rawWrites(ctx context.Context, answers [][]store.Key, t *fhirTime) error {
	list, err := a.copies(ctx, answers)
	if err != nil {
		return err
	}
	access, err := trust.System(trust.JobIndex)
	if err != nil {
		return err
	}
	update := func(f func(store.Tx, rawCopy) error) error {
		for from := 0; from < len(list); from += rawGroup {
			err := a.node.store.Update(ctx, access, func(tx store.Tx) error {
				tx.Audit(store.Note{Action: "bench.raw"})
				for _, c := range list[from:min(from+rawGroup, len(list))] {
					if err := f(tx, c); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	_, cpu, err := a.timed(ctx, func() error {
		return update(func(tx store.Tx, c rawCopy) error { return c.insert(ctx, tx) })
	})
	if err != nil {
		return err
	}
	t.Raw = ms(cpu) / float64(len(list))
	t.Share = t.Raw / t.CPU
	return update(func(tx store.Tx, c rawCopy) error { return c.remove(ctx, tx) })
}

// rawCopy is the rows of one resource, by table.
type rawCopy struct {
	rid  int64
	id   string
	rows [][][]any
}

// rawShift moves row ids away from those in use.
const rawShift = 1 << 40

// copies reads the rows of resources, with other row ids and ids. Those of
// post, whose key begins with the value, are found by one pass over it.
func (a *apiBench) copies(ctx context.Context, answers [][]store.Key) (list []rawCopy, err error) {
	access, err := rawAccess()
	if err != nil {
		return nil, err
	}
	err = a.node.store.View(ctx, access, func(r store.Reader) error {
		list = nil
		place := map[int64]int{}
		for _, k := range slices.Concat(answers...) {
			rid, err := rawID(ctx, r, k)
			if err != nil {
				return err
			}
			c := rawCopy{rid: rid, id: "raw-" + k.ID, rows: make([][][]any, len(rawTablesOf))}
			for i, t := range rawTablesOf {
				if t.name == "post" {
					continue
				}
				if c.rows[i], err = rawRows(ctx, r, t.name, t.columns, ` WHERE rid = $1`, rid); err != nil {
					return err
				}
			}
			place[rid] = len(list)
			list = append(list, c)
		}
		first, last := slices.Min(slices.Collect(maps.Keys(place))), slices.Max(slices.Collect(maps.Keys(place)))
		post := slices.IndexFunc(rawTablesOf, func(t rawTableOf) bool { return t.name == "post" })
		rows, err := rawRows(ctx, r, "post", rawTablesOf[post].columns, ` WHERE rid BETWEEN $1 AND $2`, first, last)
		for _, row := range rows {
			if i, ok := place[row[2].(int64)]; ok {
				list[i].rows[post] = append(list[i].rows[post], row)
			}
		}
		return err
	})
	for i := range list {
		list[i].move()
	}
	return list, err
}

// move gives the rows another row id and id.
func (c *rawCopy) move() {
	for i, t := range rawTablesOf {
		for j, name := range strings.Split(t.columns, ", ") {
			for _, row := range c.rows[i] {
				switch name {
				case "rid":
					row[j] = c.rid + rawShift
				case "id":
					row[j] = c.id
				}
			}
		}
	}
}

func rawID(ctx context.Context, r store.Reader, k store.Key) (int64, error) {
	rows, err := rawRows(ctx, r, "ids", "rid", ` WHERE typ = $1 AND id = $2`, k.Type, k.ID)
	if err != nil || len(rows) != 1 {
		return 0, errors.Join(err, fmt.Errorf("%s is not there", k.Type))
	}
	return rows[0][0].(int64), nil
}

var rawKinds = map[string]func() any{
	"body": func() any { return new([]byte) }, "entries": func() any { return new([]byte) },
	"typ": func() any { return new(string) }, "id": func() any { return new(string) }, "owner": func() any { return new(string) },
	"pats": func() any { return new(string) }, "s": func() any { return new(string) },
}

// rawRows reads columns of a table.
func rawRows(ctx context.Context, r store.Reader, table, columnList, where string, args ...any) (list [][]any, err error) {
	columns := strings.Split(columnList, ", ")
	rows, err := r.Query(ctx, `SELECT `+columnList+` FROM `+table+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		dest := make([]any, len(columns))
		for i, c := range columns {
			if dest[i] = new(int64); rawKinds[c] != nil {
				dest[i] = rawKinds[c]()
			}
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		row := make([]any, len(dest))
		for i, d := range dest {
			switch d := d.(type) {
			case *int64:
				row[i] = *d
			case *string:
				row[i] = *d
			case *[]byte:
				row[i] = append([]byte(nil), *d...)
			}
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

func (c rawCopy) insert(ctx context.Context, tx store.Tx) error {
	for i, t := range rawTablesOf {
		n := strings.Count(t.columns, ",") + 1
		marks := make([]string, n)
		for j := range marks {
			marks[j] = fmt.Sprintf("$%d", j+1)
		}
		sql := `INSERT INTO ` + t.name + ` (` + t.columns + `) VALUES (` + strings.Join(marks, ",") + `)`
		for _, row := range c.rows[i] {
			if _, err := tx.Exec(ctx, sql, row...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c rawCopy) remove(ctx context.Context, tx store.Tx) error {
	for i, t := range rawTablesOf {
		columns := strings.Split(t.columns, ", ")
		for _, row := range c.rows[i] {
			var where []string
			var args []any
			for j, name := range columns {
				if name == "body" || name == "entries" || name == "pats" || name == "owner" {
					continue
				}
				args = append(args, row[j])
				where = append(where, fmt.Sprintf("%s = $%d", name, len(args)))
			}
			if _, err := tx.Exec(ctx, `DELETE FROM `+t.name+` WHERE `+strings.Join(where, " AND "), args...); err != nil {
				return err
			}
		}
	}
	return nil
}
