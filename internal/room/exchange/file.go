package exchange

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/ytso/ytso/fhir/store"
)

// file is a file of a job.
type file struct {
	N, Items, Parts, Bytes int64
	Role, Type             string
}

// Roles of files.
const (
	roleOutput  = "output"
	roleDeleted = "deleted"
	roleError   = "error"
	roleInput   = "input"
)

func files(ctx context.Context, r store.Reader, job string) (list []file, err error) {
	rows, err := r.Query(ctx, `SELECT n, role, typ, items, parts, bytes FROM exchange_file WHERE job = $1 ORDER BY n`, job)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f file
		if err := rows.Scan(&f.N, &f.Role, &f.Type, &f.Items, &f.Parts, &f.Bytes); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, rows.Err()
}

// piece is what one slice adds to a file.
type piece struct {
	file   file // as it stands after it; Parts counts this one
	size   int64
	packed []byte
}

// add adds lines to a file, packed outside of any transaction.
func (f *file) add(lines []byte, items int64) piece {
	f.Items, f.Parts, f.Bytes = f.Items+items, f.Parts+1, f.Bytes+int64(len(lines))
	return piece{*f, int64(len(lines)), packer().EncodeAll(lines, nil)}
}

func (p piece) put(ctx context.Context, tx store.Tx, job string) error {
	f := p.file
	if _, err := tx.Exec(ctx, `INSERT INTO exchange_file (job, n, role, typ, items, parts, bytes) VALUES ($1,$2,$3,$4,$5,$6,$7)
		ON CONFLICT (job, n) DO UPDATE SET items = $5, parts = $6, bytes = $7`, job, f.N, f.Role, f.Type, f.Items, f.Parts, f.Bytes); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO exchange_part (job, n, part, size, body) VALUES ($1,$2,$3,$4,$5)`,
		job, f.N, f.Parts, p.size, p.packed)
	return err
}

// part reads one piece of a file, from 1.
func part(ctx context.Context, r store.Reader, job string, n, part int64) ([]byte, error) {
	rows, err := r.Query(ctx, `SELECT size, body FROM exchange_part WHERE job = $1 AND n = $2 AND part = $3`, job, n, part)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, err
		}
		return nil, errNoJob // cancelled or expired meanwhile
	}
	var size int64
	var packed []byte
	if err := rows.Scan(&size, &packed); err != nil {
		return nil, err
	}
	return unpack(packed, size)
}

// packer compresses pieces side by side; making one costs more than a small piece.
var packer = sync.OnceValue(func() *zstd.Encoder {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // the options are fixed
	}
	return w
})

// unpack reads no more than size bytes, so that damaged bytes cannot fill the memory.
func unpack(packed []byte, size int64) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(max(size, 1))+1<<20))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	body, err := d.DecodeAll(packed, make([]byte, 0, size))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) != size {
		return nil, fmt.Errorf("a piece unpacks to %d bytes instead of %d: %w", len(body), size, io.ErrUnexpectedEOF)
	}
	return body, nil
}
