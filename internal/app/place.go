package app

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ytso/ytso/fhir/outcome"
	"github.com/ytso/ytso/internal/trust/keyfile"
)

// place is where the data lie and which key opens them: the flags of every command that opens data.
type place struct{ data, database, key string }

func (p *place) flags(f *flag.FlagSet) {
	f.StringVar(&p.data, "data", "", "folder of the data (default: ytso/data in the user's configuration folder)")
	f.StringVar(&p.database, "database", "", "postgres://… instead of a folder")
	p.keyFlag(f)
}

func (p *place) keyFlag(f *flag.FlagSet) {
	f.StringVar(&p.key, "key", "", "key file, made when missing (default: ytso/key in the user's configuration folder)")
}

// settle fills in what was not said and makes the folder. Several folders on
// one machine share a key file; whoever wants it otherwise names one.
func (p *place) settle() error {
	if p.data != "" && p.database != "" {
		return usagef("give --data or --database, not both")
	}
	if p.database != "" && !strings.HasPrefix(p.database, "postgres://") && !strings.HasPrefix(p.database, "postgresql://") {
		return usagef("--database wants postgres://…; an SQLite database lies in a folder: --data DIR")
	}
	if err := p.settleKey(); err != nil || p.database != "" {
		return err
	}
	if p.data == "" {
		var err error
		if p.data, err = inConfig("data"); err != nil {
			return usagef("give --data: %s", err)
		}
	}
	if err := os.MkdirAll(p.data, 0o700); err != nil {
		return err
	}
	return closed(p.data)
}

var errOpenFolder = outcome.New(outcome.Forbidden, "place.mode",
	"Thư mục dữ liệu cho người khác trên máy này ghi vào. Hãy đặt quyền 0700 rồi chạy lại.",
	"Others on this machine can write into the data folder. Set its mode to 0700 and start again.")

// closed refuses a folder into which others can write: they could put a socket
// of their own in place of the control socket, and be told the secrets that commands ask it for
// (not checked on Windows, where the mode bits say nothing).
func closed(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows" {
		return errOpenFolder
	}
	return err
}

func (p *place) settleKey() (err error) {
	if p.key == "" {
		if p.key, err = inConfig("key"); err != nil {
			return usagef("give --key: %s", err)
		}
	}
	return nil
}

// keys opens the key file, and makes it when it is missing.
func (p *place) keys() (*keyfile.Keys, error) {
	if err := p.settleKey(); err != nil {
		return nil, err
	}
	return keyfile.Open(p.key)
}

func inConfig(name string) (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ytso", name), nil
}
