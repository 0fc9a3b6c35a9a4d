package sqlstore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/ytso/ytso/fhir/outcome"
)

var errCursor = outcome.New(outcome.Invalid, "store.cursor", "Đường dẫn trang kết quả không đúng.", "The link of the result page is not right.")

// newSealer seals cursors: a cursor may stand at a resource that its reader
// does not see, so it tells nothing, and nobody can make one.
func newSealer(secret []byte) (cipher.AEAD, error) {
	key := sha256.Sum256(append([]byte("cursor\xff"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// writeCursor seals a position for one purpose.
func (s *Store) writeCursor(purpose string, at ...int64) string {
	b := make([]byte, 0, 8*len(at))
	for _, n := range at {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return s.sealCursor(purpose, b)
}

func (s *Store) sealCursor(purpose string, b []byte) string {
	return base64.RawURLEncoding.EncodeToString(s.sealer.Seal(nil, nil, b, []byte(purpose)))
}

// readCursor opens a position of n numbers.
func (s *Store) readCursor(purpose, text string, n int) ([]int64, error) {
	b, err := s.openCursor(purpose, text)
	if err != nil || len(b) != 8*n {
		return nil, errCursor
	}
	at := make([]int64, n)
	for i := range at {
		at[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return at, nil
}

func (s *Store) openCursor(purpose, text string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 4096 {
		return nil, errCursor
	}
	if b, err = s.sealer.Open(nil, nil, b, []byte(purpose)); err != nil {
		return nil, errCursor
	}
	return b, nil
}
