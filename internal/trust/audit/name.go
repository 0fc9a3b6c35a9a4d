package audit

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// names gives rows their ids: the number of the row, enciphered under the
// installation's namespace. The same row has the same id always; an id tells
// neither how many rows there are nor what its neighbour is called.
type names struct{ block cipher.Block }

func newNames(namespace [16]byte) (names, error) {
	key := sha256.Sum256(append([]byte("audit event\xff"), namespace[:]...))
	block, err := aes.NewCipher(key[:])
	return names{block}, err
}

func (n names) of(seq int64) string {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint64(b[8:], uint64(seq))
	n.block.Encrypt(b[:], b[:])
	return hex.EncodeToString(b[:])
}

// seq reads an id; ok is false for what is none of ours: the first half must come out as nought.
func (n names) seq(id string) (seq int64, ok bool) {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != aes.BlockSize || hex.EncodeToString(b) != id {
		return 0, false
	}
	n.block.Decrypt(b, b)
	return int64(binary.BigEndian.Uint64(b[8:])), binary.BigEndian.Uint64(b) == 0
}
