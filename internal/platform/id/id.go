// Package id makes the random names of things.
package id

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"strings"
)

// UUID is a random UUID (RFC 9562 version 4) in lower case.
func UUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Number is 128 random bits in capitals and digits, for numbers that people read aloud: 26 characters, no 0, 1, 8, 9.
func Number() string {
	var b [16]byte
	rand.Read(b[:])
	return strings.TrimRight(base32.StdEncoding.EncodeToString(b[:]), "=")
}
