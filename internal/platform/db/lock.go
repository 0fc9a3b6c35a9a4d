package db

import (
	"os"
	"path/filepath"

	"github.com/ytso/ytso/fhir/outcome"
)

var errLocked = outcome.New(outcome.Conflict, "db.locked",
	"Thư mục dữ liệu đang được một chương trình ytso khác sử dụng. Hãy tắt chương trình kia trước.",
	"Another ytso process is using the data folder. Stop that one first.")

// LockDir makes this process the only one that opens dir, until unlock is
// called or the process ends in any way: the operating system drops the lock.
// outcome.Conflict when another process has it.
func LockDir(dir string) (unlock func() error, err error) {
	defer outcome.Wrap(&err, "db.LockDir")
	f, err := openLocked(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

// lockMode lets only the owner read what lies in the folder.
const lockMode os.FileMode = 0o600
