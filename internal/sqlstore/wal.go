package sqlstore

import (
	"crypto/rand"
	"errors"
	"sync"

	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
)

// layer is the encrypting file layer of one store, whose write-ahead log is
// read and written a block at a time.
//
// Adiantum encrypts blocks of 4,096 bytes as a whole, while a frame of the log
// has 24 bytes more: to append a frame, the block that holds the end of the one
// before is written again. The system does not keep a reader from seeing half
// of such a write, and half a block decrypts to noise, in which SQLite finds a
// malformed database, or worse finds nothing wrong. All connections are of this
// process (DESIGN.md decision 18), so a lock makes each block whole.
type layer struct {
	vfs.VFS
	log sync.RWMutex
}

// registerFiles makes a file layer under a name of its own: writes of the log
// are gathered, encrypted, and seen in whole blocks.
func registerFiles() (name string) {
	name = "ytso-" + rand.Text()
	vfs.Register(name, &gather{VFS: adiantum.Wrap(&layer{VFS: vfs.Find("os")}, nil)})
	return name
}

// OpenFilename is described at vfs.VFSFilename.
func (l *layer) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(l.VFS, name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &logFile{f, &l.log}
	}
	return f, flags, err
}

type logFile struct {
	vfs.File
	log *sync.RWMutex
}

// Unwrap is described at vfs.FileUnwrap.
func (f *logFile) Unwrap() vfs.File { return f.File }

// ReadAt never sees a write in part.
func (f *logFile) ReadAt(p []byte, off int64) (int, error) {
	f.log.RLock()
	defer f.log.RUnlock()
	return f.File.ReadAt(p, off)
}

// WriteAt is seen as a whole.
func (f *logFile) WriteAt(p []byte, off int64) (int, error) {
	f.log.Lock()
	defer f.log.Unlock()
	return f.File.WriteAt(p, off)
}

// gather is the layer above: SQLite writes a frame of the log in two pieces,
// and each would have a block or two decrypted, changed and encrypted again.
type gather struct{ vfs.VFS }

// OpenFilename is described at vfs.VFSFilename.
func (g *gather) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(g.VFS, name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		f = &gathered{File: f}
	}
	return f, flags, err
}

// maxGathered bounds what waits to be written.
const maxGathered = 1 << 20

// gathered writes what follows one upon the other at once, at the latest before
// a Sync: with synchronous=FULL SQLite shows frames to other connections after
// that only. A commit may end with a frame that fills the sector, which is
// synced in its middle: what comes behind a Sync is written through, up to the
// next frame. What is read back through the same file is written before.
type gathered struct {
	vfs.File
	buf    []byte
	off    int64
	synced bool
}

// The layout of the log (SQLite fileformat2.html#the_write_ahead_log).
const (
	logHeader   = 32
	frameHeader = 24
	pageSize    = 4096 // SQLite's default, and adiantum's block
)

// Unwrap is described at vfs.FileUnwrap.
func (f *gathered) Unwrap() vfs.File { return f.File }

func (f *gathered) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	n, err := f.File.WriteAt(f.buf, f.off)
	f.buf, f.off = f.buf[:copy(f.buf, f.buf[n:])], f.off+int64(n)
	return err
}

// WriteAt puts a piece behind the one before it.
func (f *gathered) WriteAt(p []byte, off int64) (int, error) {
	if f.synced && off != 0 && (len(p) != frameHeader || (off-logHeader)%(pageSize+frameHeader) != 0) {
		return f.File.WriteAt(p, off)
	}
	f.synced = false
	if off != f.off+int64(len(f.buf)) || len(f.buf)+len(p) > maxGathered {
		if err := f.flush(); err != nil {
			return 0, err
		}
		f.off = off
	}
	f.buf = append(f.buf, p...)
	return len(p), nil
}

// ReadAt is described at vfs.File.
func (f *gathered) ReadAt(p []byte, off int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, off)
}

// Sync is described at vfs.File.
func (f *gathered) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	f.synced = true
	return f.File.Sync(flags)
}

// Truncate is described at vfs.File.
func (f *gathered) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Size is described at vfs.File.
func (f *gathered) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Close is described at vfs.File.
func (f *gathered) Close() error { return errors.Join(f.flush(), f.File.Close()) }
