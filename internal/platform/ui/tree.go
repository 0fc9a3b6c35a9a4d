package ui

import (
	"bytes"
	"io/fs"
	"path"
	"time"
)

// tree holds files by path, in memory. It knows no folders.
type tree map[string][]byte

// Open is that of fs.FS.
func (t tree) Open(name string) (fs.File, error) {
	b, ok := t[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return leaf{bytes.NewReader(b), path.Base(name)}, nil
}

// leaf is an open file and its description.
type leaf struct {
	*bytes.Reader
	name string
}

func (l leaf) Stat() (fs.FileInfo, error) { return l, nil }
func (l leaf) Close() error               { return nil }
func (l leaf) Name() string               { return l.name }
func (l leaf) Size() int64                { return l.Reader.Size() }
func (l leaf) Mode() fs.FileMode          { return 0o444 }
func (l leaf) ModTime() time.Time         { return time.Time{} }
func (l leaf) IsDir() bool                { return false }
func (l leaf) Sys() any                   { return nil }
