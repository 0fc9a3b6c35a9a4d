package element

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strconv"
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
	text := append(make([]byte, 0, 192), n[:]...)
	for _, p := range parts {
		text = strconv.AppendInt(text, int64(len(p)), 10)
		text = append(text, ':')
		text = append(text, p...)
	}
	sum := sha1.Sum(text)
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	var id [36]byte
	at := 0
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			id[at] = '-'
			at++
		}
		hex.Encode(id[at:at+2], []byte{c})
		at += 2
	}
	return string(id[:])
}

// Resource is a resource as JSON.
type Resource struct {
	Type, ID string
	Body     []byte
}
