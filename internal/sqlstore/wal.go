package sqlstore

import (
	"crypto/rand"
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

// registerFiles makes a file layer under a name of its own.
func registerFiles() (name string) {
	name = "ytso-" + rand.Text()
	vfs.Register(name, adiantum.Wrap(&layer{VFS: vfs.Find("os")}, nil))
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
