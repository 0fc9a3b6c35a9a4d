package app

import (
	"flag"
	"os"
	"path/filepath"
	"strings"

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
	return os.MkdirAll(p.data, 0o700)
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
