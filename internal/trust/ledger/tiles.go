package ledger

import (
	"context"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ytso/ytso/fhir/store"
)

const (
	height = 8 // of a tile
	width  = 1 << height
)

// tiles reads hashes of the log inside one transaction, with those on top that are not written yet.
type tiles struct {
	ctx   context.Context
	r     store.Reader
	fresh map[int64]tlog.Hash
	known map[[2]int64][]byte
}

func newTiles(ctx context.Context, r store.Reader) *tiles {
	return &tiles{ctx, r, map[int64]tlog.Hash{}, map[[2]int64][]byte{}}
}

// tile gives the hashes of a tile as far as there are; none when it is not there.
func (t *tiles) tile(level, n int64) (hashes []byte, err error) {
	if h, ok := t.known[[2]int64{level, n}]; ok {
		return h, nil
	}
	if _, err = row(t.ctx, t.r, `SELECT hashes FROM ledger_tile WHERE level = $1 AND n = $2`, []any{level, n}, &hashes); err != nil {
		return nil, err
	}
	if len(t.known) > 4*width { // a long walk needs the last ones only
		clear(t.known)
	}
	t.known[[2]int64{level, n}] = hashes
	return hashes, nil
}

// ReadHashes is described at tlog.HashReader.
func (t *tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	list := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		h, ok := t.fresh[index]
		if !ok {
			at := tlog.TileForIndex(height, index)
			data, err := t.tile(int64(at.L), at.N)
			if err != nil {
				return nil, err
			}
			if len(data) < at.W*tlog.HashSize {
				return nil, errTorn.Because(fmt.Errorf("tile %s has %d bytes", at.Path(), len(data)))
			}
			at.W = len(data) / tlog.HashSize
			if h, err = tlog.HashFromTile(at, data[:at.W*tlog.HashSize], index); err != nil {
				return nil, err
			}
		}
		list[i] = h
	}
	return list, nil
}

// seqsOf gives the rows' numbers of a tile of level 0.
func seqsOf(b []byte) []int64 {
	list := make([]int64, len(b)/8)
	for i := range list {
		list[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return list
}
