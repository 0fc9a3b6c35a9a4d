package authn

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/ytso/ytso/fhir/outcome"
)

// cost is what one argon2id takes.
type cost struct {
	memory, time uint32 // KiB, passes
	threads      uint8
}

// standard is OWASP's least for argon2id (19 MiB, 2 passes, 1 thread). Secrets
// are generated, 125 random bits, so that no cost is needed against guessing
// them from a stolen database; the slow hash is a second wall, and a cheap one
// keeps token/take from being the way to exhaust a 2 GB PC. With hashers at
// once the memory is bounded at 38 MiB.
var standard = cost{19 << 10, 2, 1}

const (
	hashers  = 2
	hashWait = 5 * time.Second // a caller who waits longer is told to come again
	keySize  = 32              // bytes
)

var b64 = base64.RawStdEncoding

func (c cost) key(text string, salt []byte) []byte {
	return argon2.IDKey([]byte(text), salt, c.time, c.memory, c.threads, keySize)
}

// phc writes the hash as a PHC string.
func (c cost) phc(salt, key []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.memory, c.time, c.threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// md5Hex is the form in which the gateway protocol carries a password: MD5 in
// upper-case hex (spec/qd3176/gateway.md §2). It protects nothing; it is why secrets are generated.
func md5Hex(secret string) string {
	sum := md5.Sum([]byte(secret))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails (crypto/rand)
	return b
}

// hopeless is a well-formed hash that no text fits.
func hopeless(c cost) string { return c.phc(random(16), random(keySize)) }

var errPHC = outcome.New(outcome.Exception, "signin.phc",
	"Mật khẩu lưu trong cơ sở dữ liệu không đọc được.", "A stored password hash cannot be read.")

// readPHC refuses costs beyond what this program ever wrote, so that a changed row cannot exhaust memory.
func readPHC(text string) (c cost, salt, key []byte, err error) {
	f := strings.Split(text, "$")
	if len(f) != 6 || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errPHC
	}
	if _, err := fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return c, nil, nil, errPHC.Because(err)
	}
	if c.memory > 64<<10 || c.time < 1 || c.time > 8 || c.threads < 1 || c.threads > 4 {
		return c, nil, nil, errPHC
	}
	salt, err1 := b64.DecodeString(f[4])
	key, err2 := b64.DecodeString(f[5])
	if err1 != nil || err2 != nil || len(key) != keySize {
		return c, nil, nil, errPHC
	}
	return c, salt, key, nil
}

// slot waits for one of the few hashers.
func (s *Service) slot(ctx context.Context) (release func(), err error) {
	t := time.NewTimer(hashWait)
	defer t.Stop()
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	case <-t.C:
		return nil, errThrottled
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash gives the PHC string of a text.
func (s *Service) hash(ctx context.Context, text string) (string, error) {
	release, err := s.slot(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	salt := random(16)
	return s.cost.phc(salt, s.cost.key(text, salt)), nil
}

// verify says whether the text fits, and whether the hash should be made anew at today's cost.
func (s *Service) verify(ctx context.Context, phc, text string) (fits, weak bool, err error) {
	c, salt, key, err := readPHC(phc)
	if err != nil {
		return false, false, err
	}
	release, err := s.slot(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	return same(string(c.key(text, salt)), string(key)), c != s.cost, nil
}
