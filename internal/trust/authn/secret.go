package authn

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// secretSize is 256 bits.
const secretSize = 32

// letters of a token: lower case and digits only, since programs that find
// links in messages cut off a "-" or "_" at the end.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newToken gives 256 random bits as 52 letters and digits.
func newToken() string {
	var b [secretSize]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return letters.EncodeToString(b[:])
}

// TokenShaped says whether text can be the token of a link or a session at all.
func TokenShaped(text string) bool {
	b, err := letters.DecodeString(text)
	return err == nil && len(b) == secretSize
}

// hashOf is what is stored of a token: of 256 random bits a plain SHA-256 tells nothing.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// newSecret gives 125 random bits in five groups of five capitals and digits,
// none of which are taken for another (no 0, 1, 8, 9).
func newSecret() string {
	var b [16]byte
	rand.Read(b[:])
	text := base32.StdEncoding.EncodeToString(b[:])[:25]
	var groups []string
	for i := 0; i < len(text); i += 5 {
		groups = append(groups, text[i:i+5])
	}
	return strings.Join(groups, "-")
}
