// Package ledger is the Merkle log over the audit rows (DESIGN.md decision 11;
// RFC 6962 by golang.org/x/mod/sumdb/tlog). A worker makes each committed
// audit row a leaf, in the order of commits; every minute a note signed with
// a key derived from the key file says how many leaves have which root; and
// outsiders who watch (tools/witness) co-sign it. Whoever holds the database
// but not the key can't change what was signed; whoever holds both can't
// change what a witness has seen.
//
// What it does not show: a row that was forged before the log reached it,
// which takes about a second, and what was never written to the audit table.
//
// The log says nothing about persons. A leaf's hash covers 16 random bytes of
// the row, so that it can't be found by guessing the row.
package ledger

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
	"github.com/ytso/ytso/internal/platform/clock"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations brings the tables of the log.
func Migrations() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

// Base is where the audit rows and the log lie: the store, by doors of its own
// that leave no audit row (internal/sqlstore).
type Base interface {
	AuditAfter(ctx context.Context, commit, seq int64, n int) ([]store.AuditRow, error)
	AuditBetween(ctx context.Context, first, last int64) ([]store.AuditRow, error)
	Unaudited(ctx context.Context, f func(store.Tx) error) error
	UnauditedView(ctx context.Context, f func(store.Reader) error) error
	Update(ctx context.Context, a store.Access, f func(store.Tx) error) error
	Namespace() [16]byte
}

// Deps is what the log needs.
type Deps struct {
	Base  Base
	Keys  *keyfile.Keys
	Clock clock.Clock
	Log   *slog.Logger
}

// Ledger is the log of one installation.
type Ledger struct {
	Deps
	signer   note.Signer
	verifier note.Verifier
	key      string // verifier key
}

// New makes the log's service. The signing key is the installation's own:
// several databases may share a key file.
func New(d Deps) (l *Ledger, err error) {
	defer outcome.Wrap(&err, "ledger.New")
	if d.Clock == nil {
		d.Clock = clock.System{}
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	l = &Ledger{Deps: d}
	ns := d.Base.Namespace()
	sum := sha256.Sum256(append([]byte("ytso log name v1\n"), ns[:]...)) // the namespace itself is nobody's business
	name := "ytso-" + hex.EncodeToString(sum[:8])
	seed, err := d.Keys.Derive(keyfile.Ledger+keyfile.Label(" "+hex.EncodeToString(ns[:])), ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if l.key, err = note.NewEd25519VerifierKey(name, public); err != nil {
		return nil, err
	}
	if l.verifier, err = note.NewVerifier(l.key); err != nil {
		return nil, err
	}
	hash := strings.Split(l.key, "+")[1]
	l.signer, err = note.NewSigner("PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))) // 1: Ed25519
	return l, err
}

// Key is the verifier key that witnesses and auditors pin.
func (l *Ledger) Key() string { return l.key }

// state is how far the log has come.
type state struct{ size, commit, seq int64 }

func stateOf(ctx context.Context, r store.Reader) (s state, err error) {
	found, err := row(ctx, r, `SELECT size, xid, seq FROM ledger_state WHERE id = 1`, nil, &s.size, &s.commit, &s.seq)
	if err == nil && !found {
		err = fmt.Errorf("the log's state is missing")
	}
	return s, err
}

// row reads one row; found is false when there is none.
func row(ctx context.Context, r store.Reader, sql string, args []any, dest ...any) (found bool, err error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if !rows.Next() {
		return false, rows.Err()
	}
	return true, rows.Scan(dest...)
}
