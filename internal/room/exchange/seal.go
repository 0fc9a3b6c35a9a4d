package exchange

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// sealer keeps secrets of subscriptions: AES-256-GCM, bound to the subscription
// by its id, so that one's secret can't be set under another.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	a, err := cipher.NewGCM(block)
	return sealer{a}, err
}

func (s sealer) seal(text []byte, id string) []byte {
	nonce := make([]byte, s.aead.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	return s.aead.Seal(nonce, nonce, text, []byte(id))
}

var errSealed = errors.New("the secret of a subscription can't be opened: another key, or damaged")

func (s sealer) open(box []byte, id string) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(box) < n {
		return nil, errSealed
	}
	text, err := s.aead.Open(nil, box[:n], box[n:], []byte(id))
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}
