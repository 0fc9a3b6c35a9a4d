// Package blob keeps originals: every received file byte for byte, under the
// SHA-256 of its content, compressed, in a table of the same database and
// written in the same transaction as what was made of it (DESIGN.md decision
// 17). The same content is kept once.
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/ytso/ytso/fhir/outcome"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations makes the table; run under the name "blob".
func Migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

// Execer is a transaction that writes; store.Tx is one.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (int64, error)
}

// Rows is what a query gave.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Querier reads; store.Reader is one.
type Querier[R Rows] interface {
	Query(ctx context.Context, sql string, args ...any) (R, error)
}

// Hash is the name of content: SHA-256 in lower-case hex.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Packed is content ready to be kept: hashed and compressed outside of any
// transaction, since others wait for the writer.
type Packed struct {
	Hash   string
	size   int
	packed []byte
}

// Pack prepares body.
func Pack(body []byte) Packed {
	return Packed{Hash: Hash(body), size: len(body), packed: encoder().EncodeAll(body, nil)}
}

// Put keeps the content. What is kept already is left as it is.
func (p Packed) Put(ctx context.Context, tx Execer) (err error) {
	defer outcome.Wrap(&err, "blob.Put")
	_, err = tx.Exec(ctx, `INSERT INTO blob (hash, size, body) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`,
		p.Hash, int64(p.size), p.packed)
	return err
}

var (
	errNone = outcome.New(outcome.NotFound, "blob.none",
		"Không có bản gốc mang mã này.", "There is no original of this hash.")
	errDamaged = outcome.New(outcome.Exception, "blob.damaged",
		"Bản gốc lưu trữ bị hỏng: nội dung không khớp mã băm. Cần khôi phục từ bản sao lưu.",
		"The stored original is damaged: its content does not match its hash. Restore it from a backup.")
)

// Get gives the content of a hash, compared with the hash again.
// outcome.NotFound; outcome.Exception when the stored bytes are damaged.
func Get[R Rows](ctx context.Context, q Querier[R], hash string) (body []byte, err error) {
	defer outcome.Wrap(&err, "blob.Get")
	rows, err := q.Query(ctx, `SELECT size, body FROM blob WHERE hash = $1`, hash)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return nil, errNone
	}
	var size int64
	var packed []byte
	if err := rows.Scan(&size, &packed); err != nil {
		return nil, err
	}
	if body, err = unpack(packed, size); err != nil {
		return nil, errDamaged.Because(err)
	}
	if Hash(body) != hash {
		return nil, errDamaged
	}
	return body, nil
}

// encoder compresses many contents side by side; making one costs more than a small file.
var encoder = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // the options are fixed
	}
	return w
})

// unpack reads no more than size bytes, so that damaged bytes cannot fill the memory.
func unpack(packed []byte, size int64) ([]byte, error) {
	r, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, size+1))
	if err == nil && int64(len(body)) != size {
		err = fmt.Errorf("unpacked to another size than the %d bytes recorded", size)
	}
	return body, err
}
