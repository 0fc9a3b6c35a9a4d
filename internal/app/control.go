package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ytso/ytso/fhir/outcome"
)

// socketName is the control socket in the folder of the data. The folder is
// open to its owner only, and so is the socket.
const socketName = "control.sock"

// longestSocket is what every system takes as the path of a socket (sun_path: 104 bytes on BSD, 108 on Linux and Windows).
const longestSocket = 103

// control answers the commands that run beside the server: one POST an act, JSON in and out.
type control struct {
	server *http.Server
	path   string
}

// listenControl opens the socket of a folder this process owns. A socket that
// a killed process left behind is replaced: the lock on the folder says it is dead.
func listenControl(dir string, op operator, log *slog.Logger) (*control, error) {
	path, err := filepath.Abs(filepath.Join(dir, socketName))
	if err != nil {
		return nil, err
	}
	if len(path) > longestSocket {
		return nil, fmt.Errorf("the path of %s is longer than the %d bytes that a socket may have", path, longestSocket)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	c := &control{path: path, server: &http.Server{Handler: controlMux(op), ReadHeaderTimeout: 10 * time.Second}}
	go func() {
		if err := c.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket ended", "err", err)
		}
	}()
	return c, nil
}

// close finishes what is in hand.
func (c *control) close(ctx context.Context) error {
	if err := c.server.Shutdown(ctx); err != nil {
		return errors.Join(err, c.server.Close())
	}
	return nil
}

func controlMux(op operator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /add-account", act(op.AddAccount))
	mux.Handle("POST /signin-link", act(op.SignInLink))
	mux.Handle("POST /receive", act(op.Receive))
	mux.Handle("POST /answer", act(op.Answer))
	mux.Handle("POST /keep", act(op.Keep))
	mux.Handle("POST /define", act(op.Define))
	mux.Handle("POST /ledger-key", act(op.LedgerKey))
	mux.Handle("POST /add-witness", act(op.AddWitness))
	mux.Handle("POST /verify-audit", act(op.VerifyAudit))
	return mux
}

// act serves one method of the operator.
func act[In, Out any](f func(context.Context, In) (Out, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := f(r.Context(), in)
		var answer any = out
		if err != nil {
			e := outcome.As(err)
			w.WriteHeader(e.Kind.Status())
			answer = wrong{e.Kind, e.Key, e.VI, e.EN, err.Error()}
		}
		_ = json.NewEncoder(w).Encode(answer) // who asked is gone otherwise
	})
}

// wrong is an error on its way through the socket.
type wrong struct {
	Kind             outcome.Kind
	Key, VI, EN, Why string
}

// remote asks the process that has the folder open.
type remote struct{ client *http.Client }

// dialControl finds the server of a folder; ok is false when none answers.
func dialControl(dir string) (r *remote, ok bool) {
	path, err := filepath.Abs(filepath.Join(dir, socketName))
	if err != nil {
		return nil, false
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	c, err := dial(context.Background(), "", "")
	if err != nil {
		return nil, false
	}
	c.Close()
	return &remote{&http.Client{Transport: &http.Transport{DialContext: dial}}}, true
}

func ask[Out any](ctx context.Context, r *remote, what string, in any) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ytso/"+what, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return out, err
	}
	if resp.StatusCode == http.StatusOK {
		return out, json.Unmarshal(answer, &out)
	}
	var f wrong
	if err := json.Unmarshal(answer, &f); err != nil || f.Kind == "" {
		return out, fmt.Errorf("the server answered %s: %.200s", resp.Status, answer)
	}
	return out, outcome.New(f.Kind, f.Key, f.VI, f.EN).Because(errors.New(f.Why))
}

func (r *remote) AddAccount(ctx context.Context, facility string) (account, error) {
	return ask[account](ctx, r, "add-account", facility)
}

func (r *remote) SignInLink(ctx context.Context, l linkFor) (link, error) {
	return ask[link](ctx, r, "signin-link", l)
}

func (r *remote) Receive(ctx context.Context, p parcel) (taken, error) {
	return ask[taken](ctx, r, "receive", p)
}

func (r *remote) Answer(ctx context.Context, receipt string) (verdict, error) {
	return ask[verdict](ctx, r, "answer", receipt)
}

func (r *remote) Keep(ctx context.Context, p parcel) (kept, error) {
	return ask[kept](ctx, r, "keep", p)
}

func (r *remote) Define(ctx context.Context, d definitions) (kept, error) {
	return ask[kept](ctx, r, "define", d)
}

// Close lets go of the connections; the server runs on.
func (r *remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}
