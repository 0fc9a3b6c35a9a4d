package main

import (
	"bytes"
	"go/build"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ytso/ytso/internal/app"
)

// TestSharesNoCode: the witness must not fail together with the server.
func TestSharesNoCode(t *testing.T) {
	p, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range p.Imports {
		if strings.HasPrefix(path, "github.com/ytso/") {
			t.Errorf("it imports %s", path)
		}
	}
}

// installation is a server on a folder, which is opened and closed.
type installation struct {
	t               *testing.T
	dir, data, key  string
	witness, memory string
	token           string
}

func install(t *testing.T) *installation {
	dir, err := os.MkdirTemp("", "wit") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return &installation{t, dir, filepath.Join(dir, "data"), filepath.Join(dir, "key"), filepath.Join(dir, "w", "key"), filepath.Join(dir, "w", "memory"), filepath.Join(dir, "w", "token")}
}

// ytso runs a command of the server's program.
func (i *installation) ytso(args ...string) (code int, out string) {
	i.t.Helper()
	var b, e bytes.Buffer
	code = app.Main(i.t.Context(), args, app.Streams{Out: &b, Err: &e})
	if code != 0 {
		b.WriteString(e.String())
	}
	return code, b.String()
}

func (i *installation) must(args ...string) string {
	i.t.Helper()
	code, out := i.ytso(args...)
	if code != 0 {
		i.t.Fatalf("%v: %d %s", args, code, out)
	}
	return strings.TrimSpace(out)
}

func (i *installation) at(args ...string) []string {
	return append(args, "--data", i.data, "--key", i.key)
}

// round serves the folder for one round of the witness.
func (i *installation) round(key string, then func()) (code int, out string) {
	i.t.Helper()
	n, err := app.Open(i.t.Context(), app.Options{Data: i.data, Key: i.key})
	if err != nil {
		i.t.Fatal(err)
	}
	web := httptest.NewServer(n.Handler())
	var o, e bytes.Buffer
	code = run(i.t.Context(), []string{"once", "-key", i.witness, "-memory", i.memory, "-log", strings.Replace(web.URL, "127.0.0.1", "localhost", 1), "-vkey", key, "-token-file", i.token}, &o, &e)
	if then != nil {
		then()
	}
	web.Close()
	if err := n.Close(); err != nil {
		i.t.Fatal(err)
	}
	return code, o.String() + e.String()
}

// TestWitness is the whole way: key, registration, co-signature; and then an
// older copy of the folder that is put back, which the witness refuses to sign
// and `ytso audit verify` names.
func TestWitness(t *testing.T) {
	i := install(t)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"key", "-key", i.witness, "-name", "benh-vien-a"}, &out, &out); code != 0 {
		t.Fatal(code, out.String())
	}
	own := strings.TrimSpace(out.String())
	if code := run(t.Context(), []string{"key", "-key", i.witness, "-name", "benh-vien-a"}, &out, &out); code != exitFailed {
		t.Error("a key that is there was replaced")
	}
	i.must(i.at("account", "add", "--facility", "25001")...)
	key := i.must(i.at("audit", "key")...)
	i.must(i.at("audit", "witness", own)...)
	if err := os.WriteFile(i.token, []byte(i.must("token", "--key", i.key, "--scope", "system/AuditEvent.c")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := i.round(key, nil); code != 0 || strings.Count(out, "\n— ") != 2 {
		t.Fatalf("%d %s", code, out)
	}
	yesterday := filepath.Join(i.dir, "yesterday")
	if err := os.CopyFS(yesterday, os.DirFS(i.data)); err != nil {
		t.Fatal(err)
	}
	i.must(i.at("account", "add", "--facility", "25002")...)
	verify := i.at("audit", "verify", "--witness", i.memory)
	if code, out := i.round(key, func() { // beside the server
		if code, out := i.ytso(verify...); code != 0 || !strings.Contains(out, "2 co-signatures, 1 files") {
			t.Errorf("%d %s", code, out)
		}
	}); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	if code, out := i.ytso(verify...); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	kept, err := os.ReadFile(i.memory)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody puts yesterday's copy back.
	if err := os.RemoveAll(i.data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(yesterday, i.data); err != nil {
		t.Fatal(err)
	}
	if code, out := i.ytso(verify...); code != 1 || !strings.Contains(out, "older copy") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := i.ytso(i.at("audit", "verify")...); code != 0 || !strings.Contains(out, "Without a witness") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := i.round(key, nil); code != exitFork || !strings.Contains(out, "WARNING") {
		t.Errorf("%d %s", code, out)
	}
	// It goes on from there, and becomes longer than what the witness has seen: another log.
	for range 8 {
		i.must(i.at("account", "add", "--facility", "25003")...)
	}
	if code, out := i.round(key, nil); code != exitFork || !strings.Contains(out, "does not continue") {
		t.Errorf("%d %s", code, out)
	}
	if code, out := i.ytso(verify...); code != 1 || !strings.Contains(out, "another log") {
		t.Errorf("%d %s", code, out)
	}
	if now, err := os.ReadFile(i.memory); err != nil || !bytes.Equal(now, kept) {
		t.Error("the memory was changed")
	}
	if _, err := os.Stat(i.memory + ".fork"); err != nil {
		t.Error("the evidence was not kept")
	}
	if code, out := i.ytso(i.at("audit", "verify", "--witness", i.memory, "--witness", i.memory+".fork")...); code != 1 || strings.Count(out, "seen another log") != 1 { // the evidence is of the log as it is now
		t.Errorf("%d %s", code, out)
	}
}

// TestRefusals: what the witness must not do.
func TestRefusals(t *testing.T) {
	i := install(t)
	var out bytes.Buffer
	run(t.Context(), []string{"key", "-key", i.witness, "-name", "a"}, &out, &out)
	vkey := strings.TrimSpace(out.String())
	if err := os.WriteFile(i.token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
	}{
		"no word":       {nil, exitUsage},
		"other word":    {[]string{"sign"}, exitUsage},
		"without key":   {[]string{"once", "-memory", i.memory, "-log", "https://localhost:1", "-vkey", vkey}, exitUsage},
		"no address":    {[]string{"once", "-key", i.witness, "-memory", i.memory, "-log", "localhost", "-vkey", vkey}, exitUsage},
		"token in open": {[]string{"once", "-key", i.witness, "-memory", i.memory, "-log", "http://192.0.2.1", "-vkey", vkey, "-token-file", i.token}, exitFailed},
		"nobody there":  {[]string{"once", "-key", i.witness, "-memory", i.memory, "-log", "http://127.0.0.1:1", "-vkey", vkey}, exitFailed},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), c.args, &out, &out); code != c.code || out.Len() == 0 && code != exitGood {
			t.Errorf("%s: %d %s", name, code, out.String())
		}
	}
}
