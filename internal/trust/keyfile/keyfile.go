// Package keyfile keeps the machine's one secret: 32 random bytes in a file
// that only its owner can read (DESIGN.md decision 18). Every other key is
// derived from it by HKDF-SHA256 (RFC 5869) under a label of its own.
package keyfile

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ytso/ytso/fhir/outcome"
)

// Label names what a derived key is for.
type Label string

// Labels in use.
const (
	Database Label = "ytso database v1"
	Cursor   Label = "ytso cursor v1"
	Token    Label = "ytso token v1"
	Exchange Label = "ytso exchange v1" // seals secrets of subscriptions
	Ledger   Label = "ytso ledger v1"   // signs checkpoints; followed by a blank and the installation's namespace
)

const size = 32

// Keys derives keys; it never shows the secret itself.
type Keys struct{ secret []byte }

var (
	errOpenToOthers = outcome.New(outcome.Forbidden, "keyfile.mode",
		"Tệp khóa đọc được bởi người khác trên máy này. Hãy đặt quyền 0600 rồi chạy lại.",
		"Others on this machine can read the key file. Set its mode to 0600 and start again.")
	errDamaged = outcome.New(outcome.Invalid, "keyfile.damaged",
		"Tệp khóa không phải tệp thường dài đúng 32 byte. Hãy lấy lại từ bản sao lưu.",
		"The key file is not a regular file of exactly 32 bytes. Restore it from its backup.")
)

// Open reads the key file and makes it when it is missing. outcome.Forbidden
// when group or others may read it (not checked on Windows, where the mode bits say nothing).
func Open(path string) (k *Keys, err error) {
	defer outcome.Wrap(&err, "keyfile.Open")
	k, err = read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if err := create(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return read(path)
}

func read(path string) (*Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, errOpenToOthers
	}
	if !info.Mode().IsRegular() || info.Size() != size {
		return nil, errDamaged
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(b) != size {
		return nil, errDamaged
	}
	return &Keys{b}, nil
}

// create writes a temporary file and links it into place, so that of two
// processes that start together one wins and neither sees half a key.
func create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	secret := make([]byte, size)
	rand.Read(secret) // never fails (crypto/rand)
	_, err = tmp.Write(secret)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}

// Derive gives n bytes for a label: at most 8160 (RFC 5869 §2.3).
func (k *Keys) Derive(l Label, n int) ([]byte, error) {
	return hkdf.Key(sha256.New, k.secret, nil, string(l), n)
}
