package app

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/ytso/ytso/fhir/store"
)

// serverTime is the processor time that the backends of PostgreSQL have used,
// of those that run now; 0 on SQLite, and of a server on another machine.
func (a *apiBench) serverTime(ctx context.Context) time.Duration {
	if a.database == "" {
		return 0
	}
	access, err := rawAccess()
	if err != nil {
		return 0
	}
	var sum time.Duration
	err = a.node.store.View(ctx, access, func(r store.Reader) error {
		rows, err := r.Query(ctx, `SELECT pid::bigint FROM pg_stat_activity WHERE pid IS NOT NULL AND (datname = current_database() OR backend_type <> 'client backend')`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var pid int64
			if err := rows.Scan(&pid); err != nil {
				return err
			}
			sum += timeOf(pid)
		}
		return rows.Err()
	})
	if err != nil {
		return 0
	}
	return sum
}

// ticks is the unit of /proc/PID/stat on Linux (USER_HZ).
const ticks = 100

// timeOf is the processor time of another process that calls itself postgres.
func timeOf(pid int64) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	name, rest, ok := strings.Cut(string(text), ") ") // proc(5): pid (comm) state … utime stime are 14th and 15th
	fields := strings.Fields(rest)
	if !ok || !strings.HasSuffix(name, "(postgres") || len(fields) < 13 {
		return 0
	}
	var sum int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks
}

// timed is that of the bench, with what the server of the database used meanwhile.
func (a *apiBench) timed(ctx context.Context, f func() error) (wall, cpu time.Duration, err error) {
	before := a.serverTime(ctx)
	wall, cpu, err = timed(f)
	if err == nil {
		cpu += a.serverTime(ctx) - before
	}
	return wall, cpu, err
}
