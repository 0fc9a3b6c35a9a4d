//go:build unix

package app

import (
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used, its own and the system's for it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0 // it can't fail for oneself (getrusage(2))
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
