package keyfile

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/ytso/ytso/fhir/outcome"
)

func TestMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conf", "key")
	var first []byte
	for range 2 {
		k, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		token, _ := k.Derive(Token, 32)
		cursor, _ := k.Derive(Cursor, 32)
		if bytes.Equal(token, cursor) || bytes.Contains(token, k.secret) {
			t.Fatal("labels do not separate keys")
		}
		if first != nil && !bytes.Equal(first, token) {
			t.Fatal("the second start has another key")
		}
		first = token
	}
}

func TestRefusesOpenOrDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, make([]byte, 31), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); outcome.KindOf(err) != outcome.Invalid {
		t.Errorf("31 bytes: %v", err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	os.WriteFile(path, make([]byte, 32), 0o600)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644} {
		os.Chmod(path, mode)
		if _, err := Open(path); outcome.KindOf(err) != outcome.Forbidden {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
