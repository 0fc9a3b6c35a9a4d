package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

// rawTable is a table with its rows as they stand after the claim files, in
// the order in which they came.
type rawTable struct {
	name    string
	columns []string
	rows    []rawRow
}

// rawRow is a row with the part of the run, 0 to 1, in which it was written.
type rawRow struct {
	values []any
	at     float64
}

// raw writes the rows that the claim files left into an empty database with
// the same tables, by prepared statements, in as many commits: what SQLite
// itself takes for it. A row that was written twice, as a golden Patient is,
// counts once, so that raw is rather a little too fast.
func (b *bench) raw(ctx context.Context, dir string) error {
	var schema []string
	var tables []rawTable
	err := b.look(ctx, func(r store.Reader) (err error) {
		if schema, tables, err = rawTables(ctx, r); err != nil {
			return err
		}
		pages, err := numberOf(ctx, r, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`)
		b.out.Bytes["database"] = pages
		return err
	})
	if err != nil {
		return err
	}
	key, err := b.node.keys.Derive(keyfile.Database, 32)
	if err != nil {
		return err
	}
	all := float64(b.hoso + benchWarm)
	commits := max(1, int(float64(b.out.Claims.Commits)*all/float64(b.hoso)))
	for _, kind := range []struct{ name, vfs string }{{"encrypted", "vfs=adiantum&hexkey=" + hex.EncodeToString(key)}, {"plain", "vfs=os"}} {
		path := &url.URL{Path: filepath.ToSlash(filepath.Join(dir, kind.name+".db"))}
		c, err := sqlite3.Open("file:" + path.EscapedPath() + "?" + kind.vfs)
		if err != nil {
			return err
		}
		rows := 0
		wall, cpu, err := timed(func() error {
			rows, err = writeRaw(c, schema, tables, commits)
			return err
		})
		if err = errors.Join(err, c.Close()); err != nil {
			return err
		}
		x := benchRaw{Name: kind.name, Rows: rows, Commits: commits, Seconds: wall.Seconds(), PerSecond: all / wall.Seconds(), CPUPerHOSO: ms(cpu) / all}
		x.Share, x.CPUShare = b.out.Claims.PerSecond/x.PerSecond, x.CPUPerHOSO/b.out.Claims.CPUPerHOSO
		b.out.Raw = append(b.out.Raw, x)
	}
	return nil
}

// rawTables reads the schema and every row.
func rawTables(ctx context.Context, r store.Reader) (schema []string, tables []rawTable, err error) {
	list, err := texts(ctx, r, `SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND type = 'table' ORDER BY name`)
	if err != nil {
		return nil, nil, err
	}
	place, err := rawPlaces(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range list {
		schema = append(schema, t[1])
		table, err := readRaw(ctx, r, t[0], strings.Contains(t[1], "WITHOUT ROWID"), place)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", t[0], err)
		}
		tables = append(tables, table)
	}
	indexes, err := texts(ctx, r, `SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND type = 'index' ORDER BY name`)
	for _, i := range indexes {
		schema = append(schema, i[1])
	}
	return schema, tables, err
}

// rawPlaces tells of each row id of a resource when in the run it was given.
func rawPlaces(ctx context.Context, r store.Reader) (map[int64]float64, error) {
	rows, err := r.Query(ctx, `SELECT rid FROM res ORDER BY rid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var rids []int64
	for rows.Next() {
		var rid int64
		if err := rows.Scan(&rid); err != nil {
			return nil, err
		}
		rids = append(rids, rid)
	}
	m := make(map[int64]float64, len(rids))
	for i, rid := range rids {
		m[rid] = float64(i) / float64(len(rids))
	}
	return m, rows.Err()
}

func texts(ctx context.Context, r store.Reader, sql string, args ...any) (list [][2]string, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t [2]string
		if err := rows.Scan(&t[0], &t[1]); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// readRaw reads a table. Its rows came in the order of the resource that they
// are of, else in that of their row ids or keys.
func readRaw(ctx context.Context, r store.Reader, name string, clustered bool, place map[int64]float64) (t rawTable, err error) {
	columns, err := texts(ctx, r, `SELECT name, type FROM pragma_table_info($1)`, name)
	if err != nil {
		return t, err
	}
	t.name = name
	rid := -1
	for i, c := range columns {
		t.columns = append(t.columns, c[0])
		if c[0] == "rid" {
			rid = i
		}
	}
	order := ""
	if !clustered {
		order = " ORDER BY rowid"
	}
	rows, err := r.Query(ctx, `SELECT `+strings.Join(t.columns, ",")+` FROM `+name+order)
	if err != nil {
		return t, err
	}
	defer rows.Close()
	for rows.Next() {
		dest := make([]any, len(columns))
		for i, c := range columns {
			switch c[1] {
			case "BLOB":
				dest[i] = new([]byte)
			case "TEXT":
				dest[i] = new(string)
			default:
				dest[i] = new(int64)
			}
		}
		if err := rows.Scan(dest...); err != nil {
			return t, err
		}
		row := rawRow{values: make([]any, len(dest))}
		for i, d := range dest {
			switch d := d.(type) {
			case *[]byte:
				row.values[i] = *d
			case *string:
				row.values[i] = *d
			case *int64:
				row.values[i] = *d
			}
		}
		t.rows = append(t.rows, row)
	}
	for i := range t.rows {
		t.rows[i].at = float64(i) / float64(len(t.rows))
		if rid >= 0 {
			t.rows[i].at = place[t.rows[i].values[rid].(int64)]
		}
	}
	slices.SortStableFunc(t.rows, func(x, y rawRow) int {
		switch {
		case x.at < y.at:
			return -1
		case x.at > y.at:
			return 1
		}
		return 0
	})
	return t, rows.Err()
}

// writeRaw makes the tables and writes the rows, a share of each table in every commit.
func writeRaw(c *sqlite3.Conn, schema []string, tables []rawTable, commits int) (rows int, err error) {
	err = c.Exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384; PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=8192;" + strings.Join(schema, ";\n") + ";")
	if err != nil {
		return 0, err
	}
	insert := make([]*sqlite3.Stmt, len(tables))
	left := make([][]rawRow, len(tables))
	for i, t := range tables {
		marks := strings.TrimSuffix(strings.Repeat("?,", len(t.columns)), ",")
		if insert[i], _, err = c.PrepareFlags(`INSERT INTO `+t.name+` (`+strings.Join(t.columns, ",")+`) VALUES (`+marks+`)`, sqlite3.PREPARE_PERSISTENT); err != nil {
			return 0, err
		}
		defer insert[i].Close()
		left[i] = t.rows
	}
	for n := range commits {
		if err := c.Exec("BEGIN IMMEDIATE"); err != nil {
			return 0, err
		}
		for i := range tables {
			for len(left[i]) > 0 && (n == commits-1 || left[i][0].at*float64(commits) < float64(n+1)) {
				if err := insertRaw(insert[i], left[i][0].values); err != nil {
					return 0, fmt.Errorf("%s: %w", tables[i].name, err)
				}
				left[i] = left[i][1:]
				rows++
			}
		}
		if err := c.Exec("COMMIT"); err != nil {
			return 0, err
		}
	}
	return rows, nil
}

func insertRaw(s *sqlite3.Stmt, values []any) (err error) {
	for i, v := range values {
		switch v := v.(type) {
		case int64:
			err = s.BindInt64(i+1, v)
		case string:
			err = s.BindText(i+1, v)
		case []byte:
			err = s.BindBlob(i+1, v)
		}
		if err != nil {
			return err
		}
	}
	s.Step()
	return s.Reset() // gives the error of Step
}
