package ledger

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/fhir/store"
)

const (
	batch           = 1024        // rows that become leaves at once
	appendEvery     = time.Second // how long a row waits to become a leaf
	checkpointEvery = time.Minute // how long a leaf waits to be signed
)

// Run makes leaves and checkpoints until ctx ends. What is left then Seal
// takes, once nobody acts any more.
func (l *Ledger) Run(ctx context.Context) error {
	tick := time.NewTicker(appendEvery)
	defer tick.Stop()
	var signed time.Time // at once after the start: what a killed program left is signed before new rows follow
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if _, err := l.Append(ctx); err != nil {
			l.complain(ctx, err)
			continue
		}
		if time.Since(signed) < checkpointEvery {
			continue
		}
		signed = time.Now()
		if err := l.Checkpoint(ctx); err != nil {
			l.complain(ctx, err)
		}
	}
}

func (l *Ledger) complain(ctx context.Context, err error) {
	if ctx.Err() == nil {
		l.Log.Error("the log over the audit rows", "err", err)
	}
}

// Seal makes leaves of all rows and signs them.
func (l *Ledger) Seal(ctx context.Context) error {
	if _, err := l.Append(ctx); err != nil {
		return err
	}
	return l.Checkpoint(ctx)
}

// Append makes leaves of all rows that are committed and not yet in the log,
// and says of how many. Several processes may do so at once: of those that
// would write the same place one does.
func (l *Ledger) Append(ctx context.Context) (n int, err error) {
	defer outcome.Wrap(&err, "ledger.Append")
	for {
		more, err := l.step(ctx)
		n += more
		if err != nil || more < batch {
			return n, err
		}
	}
}

// step appends one batch. The hashes are made outside the transaction that writes them: acts don't wait for them.
func (l *Ledger) step(ctx context.Context) (n int, err error) {
	var at state
	if err := l.Base.UnauditedView(ctx, func(r store.Reader) error {
		at, err = stateOf(ctx, r)
		return err
	}); err != nil {
		return 0, err
	}
	rows, err := l.Base.AuditAfter(ctx, at.commit, at.seq, batch)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	var list []written
	if err := l.Base.UnauditedView(ctx, func(r store.Reader) error {
		list, err = grow(newTiles(ctx, r), at.size, rows)
		return err
	}); err != nil {
		return 0, err
	}
	last := rows[len(rows)-1]
	moved := false
	err = l.Base.Unaudited(ctx, func(tx store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE ledger_state SET size = $1, xid = $2, seq = $3 WHERE id = 1 AND size = $4`,
			at.size+int64(len(rows)), last.Commit, last.Seq, at.size)
		if moved = n == 0; err != nil || moved {
			return err
		}
		return write(ctx, tx, list)
	})
	if err != nil || moved { // another process was there first, and goes on
		return 0, err
	}
	return len(rows), nil
}

// written is a tile as it shall stand.
type written struct {
	tlog.Tile
	hashes, seqs []byte
	lo, hi       int64
}

// grow computes the tiles that change when rows are appended to a log of so many leaves.
func grow(t *tiles, size int64, rows []store.AuditRow) ([]written, error) {
	n := size
	for _, r := range rows {
		hashes, err := tlog.StoredHashesForRecordHash(n, Leaf(r), t)
		if err != nil {
			return nil, err
		}
		at := tlog.StoredHashIndex(0, n)
		for i, h := range hashes {
			t.fresh[at+int64(i)] = h
		}
		n++
	}
	var list []written
	for _, tile := range tlog.NewTiles(height, size, n) {
		w := written{Tile: tile, seqs: []byte{}}
		var err error
		if w.hashes, err = tlog.ReadTileData(tile, t); err != nil {
			return nil, err
		}
		if tile.L == 0 {
			if err := w.number(t, size, rows); err != nil {
				return nil, err
			}
		}
		list = append(list, w)
	}
	return list, nil
}

// number fills in which rows the leaves of a tile of level 0 are.
func (w *written) number(t *tiles, size int64, rows []store.AuditRow) error {
	first := w.N * width
	if first < size {
		var old []byte
		if _, err := row(t.ctx, t.r, `SELECT seqs FROM ledger_tile WHERE level = 0 AND n = $1`, []any{w.N}, &old); err != nil {
			return err
		}
		if int64(len(old)) < 8*(size-first) {
			return errTorn
		}
		w.seqs = slices.Clone(old[:8*(size-first)])
	}
	for i := max(first, size); i < first+int64(w.W); i++ {
		w.seqs = binary.BigEndian.AppendUint64(w.seqs, uint64(rows[i-size].Seq))
	}
	all := seqsOf(w.seqs)
	w.lo, w.hi = slices.Min(all), slices.Max(all)
	return nil
}

func write(ctx context.Context, tx store.Tx, list []written) error {
	for _, w := range list {
		if _, err := tx.Exec(ctx, `INSERT INTO ledger_tile (level, n, hashes, seqs, lo, hi) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (level, n) DO UPDATE SET hashes = excluded.hashes, seqs = excluded.seqs, lo = excluded.lo, hi = excluded.hi`,
			int64(w.L), w.N, w.hashes, w.seqs, w.lo, w.hi); err != nil {
			return err
		}
	}
	return nil
}

var errTorn = outcome.New(outcome.Exception, "ledger.torn",
	"Nhật ký băm (Merkle) trong cơ sở dữ liệu bị thiếu hoặc hỏng. Hãy chạy `ytso audit verify`.",
	"The Merkle log in the database has a gap or is damaged. Run `ytso audit verify`.")
