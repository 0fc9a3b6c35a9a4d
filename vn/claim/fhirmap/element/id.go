package element

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
)

// Namespace is the random UUID of an installation under which ids are made.
type Namespace [16]byte

// ParseNamespace reads 32 hex digits, with or without hyphens.
func ParseNamespace(s string) (n Namespace, err error) {
	b := make([]byte, 0, 32)
	for i := range len(s) {
		if s[i] != '-' {
			b = append(b, s[i])
		}
	}
	if hex.DecodedLen(len(b)) != len(n) {
		return n, fmt.Errorf("a namespace has 32 hex digits")
	}
	_, err = hex.Decode(n[:], b)
	return n, err
}

// ID is the UUID of version 5 (RFC 9562 §5.5) of parts that no text joins: each
// is preceded by its length.
func (n Namespace) ID(parts ...string) string {
	h := sha1.New()
	h.Write(n[:])
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	var b [16]byte
	copy(b[:], h.Sum(nil))
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Resource is a resource as JSON.
type Resource struct {
	Type, ID string
	Body     []byte
}
