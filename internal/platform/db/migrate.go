package db

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// Set is the migrations of one room: files NNNN_name.sql at the root of FS, numbered from 0001 without gaps.
type Set struct {
	Room string
	FS   fs.FS
}

// Conn is a connection inside the one transaction that Migrate works in. The
// caller begins it with a lock that keeps other processes out, and commits it.
type Conn[R Rows] interface {
	Script(ctx context.Context, sql string) error // several statements, no parameters
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
	Query(ctx context.Context, sql string, args ...any) (R, error)
}

// Rows is what a query gave.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

type file struct{ name, sql, sum string }

var nameOf = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)

// Migrate brings every set to its newest number and says how many files it
// applied. A file that was applied and is now changed or missing is an error
// (outcome.Exception), and so is a gap in the numbers: nothing is applied then.
func Migrate[R Rows](ctx context.Context, c Conn[R], d Dialect, sets []Set, now time.Time) (applied int, err error) {
	defer outcome.Wrap(&err, "db.Migrate")
	if err := c.Script(ctx, d.Expand(`CREATE TABLE IF NOT EXISTS migration (
		room {key} NOT NULL, n BIGINT NOT NULL, name TEXT NOT NULL, sum TEXT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (room, n))`)); err != nil {
		return 0, err
	}
	done, err := appliedFiles(ctx, c)
	if err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	for _, set := range sets {
		if seen[set.Room] {
			return 0, fmt.Errorf("two sets of migrations are named %q", set.Room)
		}
		seen[set.Room] = true
		list, err := read(set)
		if err != nil {
			return 0, err
		}
		n, err := bring(ctx, c, d, set.Room, list, done[set.Room], now)
		if err != nil {
			return 0, err
		}
		applied += n
	}
	for room := range done {
		if !seen[room] {
			return 0, broken(room, "the database has migrations of a room that this program does not have")
		}
	}
	return applied, nil
}

func bring[R Rows](ctx context.Context, c Conn[R], d Dialect, room string, list, done []file, now time.Time) (int, error) {
	if len(done) > len(list) {
		return 0, broken(room, "the database is newer than this program")
	}
	for i, f := range done {
		if list[i].sum != f.sum {
			return 0, broken(room, "file "+f.name+" was changed after it had been applied")
		}
	}
	for i, f := range list[len(done):] {
		if err := c.Script(ctx, d.Expand(f.sql)); err != nil {
			return 0, fmt.Errorf("%s/%s: %w", room, f.name, err)
		}
		if _, err := c.Exec(ctx, `INSERT INTO migration (room, n, name, sum, at) VALUES ($1, $2, $3, $4, $5)`,
			room, int64(len(done)+i+1), f.name, f.sum, now.UnixMilli()); err != nil {
			return 0, err
		}
	}
	return len(list) - len(done), nil
}

func broken(room, why string) error {
	return outcome.New(outcome.Exception, "db.migrations",
		"Cấu trúc cơ sở dữ liệu không khớp với chương trình này. Hãy dùng đúng phiên bản chương trình.",
		"The database does not match this program. Use the right version of the program.").
		Because(fmt.Errorf("room %s: %s", room, why))
}

func appliedFiles[R Rows](ctx context.Context, c Conn[R]) (map[string][]file, error) {
	rows, err := c.Query(ctx, `SELECT room, name, sum FROM migration ORDER BY room, n`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	done := map[string][]file{}
	for rows.Next() {
		var room string
		var f file
		if err := rows.Scan(&room, &f.name, &f.sum); err != nil {
			return nil, err
		}
		done[room] = append(done[room], f)
	}
	return done, rows.Err()
}

// read gives the files of a set in order; line ends do not count in the sum,
// so that a checkout on Windows is the same.
func read(set Set) ([]file, error) {
	entries, err := fs.ReadDir(set.FS, ".")
	if err != nil {
		return nil, fmt.Errorf("migrations of %s: %w", set.Room, err)
	}
	var list []file
	for _, e := range entries {
		m := nameOf.FindStringSubmatch(e.Name())
		if m == nil {
			return nil, fmt.Errorf("migrations of %s: %q is not named NNNN_name.sql", set.Room, e.Name())
		}
		if want := fmt.Sprintf("%04d", len(list)+1); m[1] != want {
			return nil, fmt.Errorf("migrations of %s: %s where number %s was due", set.Room, e.Name(), want)
		}
		b, err := fs.ReadFile(set.FS, e.Name())
		if err != nil {
			return nil, err
		}
		text := strings.ReplaceAll(string(b), "\r\n", "\n")
		sum := sha256.Sum256([]byte(text))
		list = append(list, file{e.Name(), text, hex.EncodeToString(sum[:])})
	}
	return list, nil
}
