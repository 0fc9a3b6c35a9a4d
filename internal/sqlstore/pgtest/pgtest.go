// Package pgtest gives tests a real PostgreSQL: the server that
// YTSO_TEST_POSTGRES names, or a cluster of its own made with initdb. It never
// reads the application's own setting.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Main runs the tests of a package and stops the cluster after them; for TestMain.
func Main(m *testing.M) int {
	defer shared.stop()
	return m.Run()
}

var (
	shared cluster
	number atomic.Int64
)

// URL gives a fresh database. Without a PostgreSQL on the machine the test is
// skipped and says so, unless YTSO_TEST_REQUIRE is set, as CI does: then it fails.
func URL(t testing.TB) string {
	t.Helper()
	base := os.Getenv("YTSO_TEST_POSTGRES")
	if base == "" {
		var err error
		if base, err = shared.start(); err != nil {
			if os.Getenv("YTSO_TEST_REQUIRE") != "" {
				t.Fatalf("PostgreSQL: %v", err)
			}
			t.Skipf("not run on PostgreSQL: %v", err)
		}
	}
	ctx := context.Background()
	c, err := pgx.Connect(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	name := fmt.Sprintf("ytso_test_%d_%d", os.Getpid(), number.Add(1))
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c, err := pgx.Connect(ctx, base)
		if err != nil {
			return // the cluster is gone already
		}
		defer c.Close(ctx)
		_, _ = c.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") // left behind at worst
	})
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

type cluster struct {
	once sync.Once
	url  string
	err  error
	dir  string
	bin  string
	cred *syscall.SysProcAttr
}

func (c *cluster) start() (string, error) {
	c.once.Do(func() { c.err = c.init() })
	return c.url, c.err
}

func (c *cluster) run(name string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = c.dir, c.cred
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %.500s", name, err, out)
	}
	return nil
}

func (c *cluster) init() error {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(found) == 0 {
		return fmt.Errorf("no server in /usr/lib/postgresql and YTSO_TEST_POSTGRES is not set")
	}
	slices.Sort(found)
	c.bin = found[len(found)-1]
	if c.dir, err = os.MkdirTemp("", "ytso-pg"); err != nil {
		return err
	}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(c.dir, uid, gid); err != nil {
			return err
		}
		c.cred = credential(uint32(uid), uint32(gid))
	}
	data := filepath.Join(c.dir, "data")
	if err := c.run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	opts := fmt.Sprintf("-p %d -k %s -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200", port, c.dir)
	if err := c.run("pg_ctl", "-D", data, "-l", filepath.Join(c.dir, "log"), "-w", "-o", opts, "start"); err != nil {
		return err
	}
	c.url = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return nil
}

func (c *cluster) stop() {
	if c.url != "" {
		_ = c.run("pg_ctl", "-D", filepath.Join(c.dir, "data"), "-m", "immediate", "stop")
		time.Sleep(50 * time.Millisecond)
	}
	if c.dir != "" {
		_ = os.RemoveAll(c.dir)
	}
}
