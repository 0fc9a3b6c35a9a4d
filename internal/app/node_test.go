package app

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/sqlstore/pgtest"
	"github.com/ytso/ytso/internal/trust"
)

// TestMain is also the program itself: the test of kill -9 starts this binary again as `ytso serve`.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
		os.Exit(Main(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	os.Exit(pgtest.Main(m))
}

const asProgram = "YTSO_TEST_AS_PROGRAM"

// newPlace gives a fresh folder, or a fresh PostgreSQL database, and a key.
func newPlace(t testing.TB, engine string) place {
	t.Helper()
	dir, err := os.MkdirTemp("", "ytso") // short: the path of a socket is bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := place{key: filepath.Join(dir, "key")}
	if engine == "postgres" {
		p.database = pgtest.URL(t)
	} else {
		p.data = filepath.Join(dir, "data")
	}
	return p
}

func (p place) args() []string {
	if p.database != "" {
		return []string{"--database", p.database, "--key", p.key}
	}
	return []string{"--data", p.data, "--key", p.key}
}

func openNode(t testing.TB, p place) *Node {
	t.Helper()
	if err := p.settle(); err != nil {
		t.Fatal(err)
	}
	o := p.options(Streams{Err: testLog{t}})
	n, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// testLog shows what is worse than information.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if !strings.Contains(string(b), "level=INFO") {
		l.t.Logf("%s", b)
	}
	return len(b), nil
}

func newWeb(t testing.TB, n *Node) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(n.Handler())
	t.Cleanup(s.Close)
	return s
}

func get(t testing.TB, c *http.Client, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html,application/json;q=0.9")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

var engines = []string{"sqlite", "postgres"}

// TestTwoNodes: nothing is global; one node knows nothing of the other's accounts and links.
func TestTwoNodes(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			a, b := openNode(t, newPlace(t, engine)), openNode(t, newPlace(t, "sqlite"))
			l, err := a.SignInLink(t.Context(), linkFor{Role: trust.RoleAdmin})
			if err != nil {
				t.Fatal(err)
			}
			token := strings.TrimPrefix(l.Path, "/vao/")
			if _, err := a.authn.Peek(t.Context(), token); err != nil {
				t.Errorf("the node that made the link: %v", err)
			}
			if _, err := b.authn.Peek(t.Context(), token); outcome.KindOf(err) != outcome.NotFound {
				t.Errorf("the other node: %v", err)
			}
			for _, n := range []*Node{a, b} {
				web := newWeb(t, n)
				for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/fhir/metadata": `"kind":"instance"`} {
					if status, body := get(t, web.Client(), web.URL+path); status != http.StatusOK || !strings.Contains(body, want) {
						t.Errorf("%s: %d %s", path, status, body)
					}
				}
			}
		})
	}
}

// TestNotReady: a server whose store is gone says so.
func TestNotReady(t *testing.T) {
	n := openNode(t, newPlace(t, "sqlite"))
	web := newWeb(t, n)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, web.Client(), web.URL+"/readyz"); status < 500 {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := get(t, web.Client(), web.URL+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
}

// TestOneProcessOwnsAFolder: a second opener is told; the commands find the first one's socket, and open the folder when nobody has it.
func TestOneProcessOwnsAFolder(t *testing.T) {
	p := newPlace(t, "sqlite")
	n := openNode(t, p)
	if _, err := Open(t.Context(), p.options(Streams{})); outcome.KindOf(err) != outcome.Conflict {
		t.Errorf("a second opener: %v", err)
	}
	add := append([]string{"account", "add", "--facility", "25001"}, p.args()...)
	if code, out, errs := call(t, add...); code != 0 || !strings.Contains(out, "username: 25001_BV\n") {
		t.Errorf("beside the server: exit %d %s%s", code, out, errs)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := call(t, add...); code != 0 || !strings.Contains(out, "username: 25001_BV2\n") {
		t.Errorf("alone: exit %d %s%s", code, out, errs)
	}
	wrong := append([]string{"account", "add", "--facility", "25-001"}, p.args()...)
	openNode(t, p)
	if code, _, errs := call(t, wrong...); code != 1 || !strings.Contains(errs, "A facility code has letters and digits only") {
		t.Errorf("an error through the socket: exit %d %s", code, errs)
	}
}

// TestSocketIsForItsOwner: mode 0600, and a socket left behind by a killed process is replaced.
func TestSocketIsForItsOwner(t *testing.T) {
	p := newPlace(t, "sqlite")
	if err := p.settle(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.data, socketName), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	openNode(t, p)
	info, err := os.Stat(filepath.Join(p.data, socketName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if r, ok := dialControl(p.data); !ok {
		t.Error("nobody answers")
	} else {
		r.Close()
	}
}

// TestServeStops: serve prints where it listens, answers, and ends well when it is told to.
func TestServeStops(t *testing.T) {
	p := newPlace(t, "sqlite")
	out, w := io.Pipe()
	ctx, stop := context.WithCancel(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- Main(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, p.args()...), Streams{Out: w, Err: testLog{t}})
	}()
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)
	_, url, ok := strings.Cut(strings.SplitN(string(line[:n]), "\n", 2)[0], "http://localhost")
	if !ok {
		t.Fatalf("it says %q", line[:n])
	}
	if status, _ := get(t, http.DefaultClient, "http://localhost"+url+"/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d", status)
	}
	stop()
	select {
	case c := <-code:
		if c != 0 {
			t.Errorf("exit %d", c)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not stop")
	}
	openNode(t, p) // the folder is free again
}

// TestRefusedListeners: passwords of senders do not pass in the clear.
func TestRefusedListeners(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--addr", "0.0.0.0:0"}, "--tls-cert"}, {[]string{"--addr", ":0"}, "--tls-cert"}, {[]string{"--addr", "192.0.2.1:80"}, "--tls-cert"},
		{[]string{"--addr", "here"}, "HOST:PORT"}, {[]string{"--tls-cert", "x"}, "go together"}, {[]string{"--behind-proxy", "all"}, "addresses"},
		{[]string{"--data", "x", "--database", "postgres://x"}, "not both"}, {[]string{"--database", "mysql://x"}, "postgres://"}, {[]string{"x"}, "no word"},
	} {
		if code, _, errs := call(t, append([]string{"serve"}, tt.flags...)...); code != 2 || !strings.Contains(errs, tt.want) {
			t.Errorf("%v: exit %d, %q", tt.flags, code, errs)
		}
	}
	for _, good := range []server{{addr: "127.0.0.1:1"}, {addr: "[::1]:1"}, {addr: "localhost:1"}, {addr: ":1", behindProxy: "10.0.0.0/8, ::1"}, {addr: ":1", cert: "c", certKey: "k"}} {
		if err := good.check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
}

// TestTokenNeedsTheKeyOnly: what `ytso token` prints is taken by a server with the same key, and by no other.
func TestTokenNeedsTheKeyOnly(t *testing.T) {
	p := newPlace(t, "sqlite")
	code, out, errs := call(t, "token", "--scope", "system/*.cruds", "--facility", "25001", "--key", p.key)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for i, n := range []*Node{openNode(t, p), openNode(t, newPlace(t, "sqlite"))} {
		r := httptest.NewRequest(http.MethodGet, "http://localhost/", nil)
		r.RemoteAddr = "127.0.0.1:1"
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(out))
		ctx, err := n.authn.Authenticate(r)
		who, ok := trust.From(ctx)
		if i == 0 && (err != nil || who.Agent.Facility != "25001") || i == 1 && (ok || outcome.KindOf(err) != outcome.Login) {
			t.Errorf("node %d: %+v %v", i, who, err)
		}
	}
	for _, bad := range [][]string{{"token"}, {"token", "--scope", "everything"}, {"token", "--scope", "system/*.r", "x"}} {
		if code, _, _ := call(t, append(bad, "--key", p.key)...); code != 2 {
			t.Errorf("%v: exit %d", bad, code)
		}
	}
}

// TestSignInLinkCalls: who is named wrongly is told how; the address is built on --url.
func TestSignInLinkCalls(t *testing.T) {
	p := newPlace(t, "sqlite")
	for _, bad := range [][]string{{"--role", "king"}, {"--role", "doctor"}, {"--role", "citizen"}, {"--role", "admin", "x"}} {
		if code, _, _ := call(t, append(append([]string{"signin-link"}, bad...), p.args()...)...); code != 2 {
			t.Errorf("%v: exit %d", bad, code)
		}
	}
	code, out, errs := call(t, append([]string{"signin-link", "--role", "department", "--url", "https://yte.example/"}, p.args()...)...)
	if code != 0 || !strings.HasPrefix(out, "https://yte.example/vao/") || !strings.Contains(errs, "Good once, until") {
		t.Errorf("exit %d %s%s", code, out, errs)
	}
}

// rowsOf reads columns of text straight from the database.
func rowsOf(t testing.TB, n *Node, sql string, columns int, args ...any) (list [][]string) {
	t.Helper()
	a, err := trust.System(trust.JobIndex)
	if err != nil {
		t.Fatal(err)
	}
	err = n.store.View(context.WithoutCancel(t.Context()), a, func(r store.Reader) error {
		rows, err := r.Query(t.Context(), sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			row, dest := make([]string, columns), make([]any, columns)
			for i := range row {
				dest[i] = &row[i]
			}
			if err := rows.Scan(dest...); err != nil {
				return err
			}
			list = append(list, row)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestServeTLS: with a certificate it speaks TLS, HTTP/2 too, and lets nobody down to plain text.
func TestServeTLS(t *testing.T) {
	p := newPlace(t, "sqlite")
	cert, key, pool := selfSigned(t)
	r := start(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key}, p.args()...)...)
	url := r.out.await(t, `Serving at +(https://localhost:\d+)\n`)[1]
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	resp, err := c.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s %q", resp.Proto, resp.Status, resp.Header.Get("Strict-Transport-Security"))
	}
	c.CloseIdleConnections()
	if resp, err := http.Get(strings.Replace(url, "https", "http", 1) + "/healthz"); err == nil {
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("plain text is answered as well")
		}
	}
}

// selfSigned writes a certificate for localhost.
func selfSigned(t testing.TB) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, cert, string(text))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return cert, key, pool
}

// TestInHandIsFinished: a request that has begun when the server is told to stop gets its answer.
func TestInHandIsFinished(t *testing.T) {
	r := start(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, newPlace(t, "sqlite").args()...)...)
	port := r.out.await(t, `Serving at +http://localhost(:\d+)\n`)[1]
	c, err := net.Dial("tcp", "127.0.0.1"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := "username=25001_BV&password=" + strings.Repeat("A", 32)
	fmt.Fprintf(c, "POST /api/token/take HTTP/1.1\r\nHost: localhost%s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", port, len(body), body[:20])
	time.Sleep(200 * time.Millisecond)
	r.stop()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) { // until it takes nobody new
		other, err := net.Dial("tcp", "127.0.0.1"+port)
		if err != nil {
			break
		}
		other.Close()
		if time.Now().After(end) {
			t.Fatal("it goes on listening")
		}
	}
	io.WriteString(c, body[20:])
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(text), "maKetQua") {
		t.Errorf("%s %s %v", resp.Status, text, err)
	}
	r.end(t)
}

// TestLongFolder: where the socket finds no place the server works all the same.
func TestLongFolder(t *testing.T) {
	p := newPlace(t, "sqlite")
	p.data = filepath.Join(p.data, strings.Repeat("x", longestSocket))
	n := openNode(t, p)
	if _, ok := dialControl(p.data); ok {
		t.Error("somebody answers")
	}
	if err := n.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOpenFolder: a folder that others may write into is refused by every command that opens data.
func TestOpenFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("mode bits say nothing")
	}
	p := newPlace(t, "sqlite")
	for mode, want := range map[os.FileMode]int{0o777: 1, 0o770: 1, 0o755: 0, 0o700: 0} {
		if err := errors.Join(os.MkdirAll(p.data, 0o700), os.Chmod(p.data, mode)); err != nil {
			t.Fatal(err)
		}
		code, out, errs := call(t, append([]string{"account", "add", "--facility", "25001"}, p.args()...)...)
		if code != want || want == 1 && !strings.Contains(errs, "write into the data folder") {
			t.Errorf("%o: exit %d %s%s", mode, code, out, errs)
		}
	}
}

// TestOtherKey: who starts with another key file reads in both languages what is wrong.
func TestOtherKey(t *testing.T) {
	p := newPlace(t, "sqlite")
	args := []string{"account", "add", "--facility", "25001", "--data", p.data, "--key"}
	if code, out, errs := call(t, append(args, p.key)...); code != 0 {
		t.Fatalf("%s%s", out, errs)
	}
	code, _, errs := call(t, append(args, p.key+"2")...)
	if code != 1 || !strings.Contains(errs, "tệp khóa") || !strings.Contains(errs, "another key file") {
		t.Errorf("exit %d %s", code, errs)
	}
}
